/* SPDX-License-Identifier: Apache-2.0 */
/* The task's side of the recurrence engine: which start, which zone, which anchor. */
#include "tasks/series.h"

#include <stdio.h>

#include "tasks/recur/pattern.h"

static const struct time_zone *zone_of(const struct task_context *ctx, const struct task_due *due)
{
    const struct time_zone *zone;
    if (due->kind == TASK_DUE_ZONED && time_zone_load(due->zone, &zone) == BASE_OK)
        return zone;
    return ctx->settings.home;
}

/* The series of a task as the engine wants it; false: its stored pattern cannot be read any more.
 */
static enum base_err make_set(const struct task_context *ctx, const struct task *task,
                              const struct recur_pattern *pattern, struct recur_set *set)
{
    struct recur_spec spec = recur_pattern_spec(pattern);
    spec.start = task->start;
    spec.all_day = task->due.kind == TASK_DUE_DATE;
    spec.zone = zone_of(ctx, &task->due);
    return recur_set_init(set, &spec);
}

static void set_due(const struct task_context *ctx, struct task_due *due, struct time_civil wall)
{
    due->local = wall;
    task_due_resolve(due, &ctx->settings);
}

static enum base_err problem(struct task_problem *ret_problem, const char *text)
{
    *ret_problem = (struct task_problem){"recurrence_pattern", text};
    return BASE_UNPROCESSABLE;
}

static enum base_err write_back(const struct task_context *ctx, const struct recur_pattern *pattern,
                                struct task *task)
{
    struct base_buf json;
    base_buf_init(&json, RECUR_PATTERN_TEXT_MAX);
    recur_pattern_write(&json, pattern);
    task->recurrence = base_buf_ok(&json) ? base_arena_sv(ctx->arena, base_buf_sv(&json)) : SV_NULL;
    base_buf_done(&json);
    return task->recurrence.ptr ? BASE_OK : BASE_NO_MEMORY;
}

enum base_err task_series_begin(const struct task_context *ctx, struct task *task,
                                struct task_problem *ret_problem)
{
    struct recur_pattern pattern;
    struct recur_error error = {0};
    struct recur_set set;
    struct recur_occurrence first;
    enum base_err err = recur_pattern_parse(task->recurrence, ctx->arena, &pattern, &error);
    if (err != BASE_OK) {
        char said[sizeof(error.part) + sizeof(error.why) + 4];
        (void)snprintf(said, sizeof(said), "%s%s%s", error.part, error.part[0] ? ": " : "",
                       error.why);
        struct base_sv text = base_arena_sv(ctx->arena, base_sv_from(said));
        (void)problem(ret_problem, text.len ? text.ptr : "this recurrence cannot be read");
        return err == BASE_NO_MEMORY ? err : BASE_UNPROCESSABLE;
    }
    if (task->due.kind == TASK_DUE_NONE) { /* "every friday" alone begins today */
        struct time_civil today = time_zone_civil(ctx->settings.home, ctx->now_us);
        task->due.kind = TASK_DUE_DATE;
        task->due.local =
            (struct time_civil){.year = today.year, .month = today.month, .day = today.day};
    }
    task->start = task->due.local;
    if (make_set(ctx, task, &pattern, &set) != BASE_OK)
        return problem(ret_problem, "a task without a time cannot repeat by hours or minutes");
    if (recur_first_from(&set, time_civil_seconds(task->start), &first) != RECUR_FOUND)
        return problem(ret_problem, "this recurrence never happens");
    if (pattern.anchor == RECUR_ANCHOR_SCHEDULE)
        set_due(ctx, &task->due, first.wall);
    else
        set_due(ctx, &task->due, task->due.local);
    return write_back(ctx, &pattern, task);
}

bool task_series_next(const struct task_context *ctx, const struct task *task, bool completed,
                      struct task_due *ret_due)
{
    struct recur_pattern pattern;
    struct recur_error error;
    struct recur_set set;
    struct recur_occurrence next;
    if (recur_pattern_parse(task->recurrence, ctx->arena, &pattern, &error) != BASE_OK ||
        make_set(ctx, task, &pattern, &set) != BASE_OK)
        return false;
    enum recur_anchor anchor = completed ? pattern.anchor : RECUR_ANCHOR_SCHEDULE;
    if (recur_policy_next(&set, anchor, task->due.local, ctx->now_us, (uint32_t)task->occurrence,
                          &next) != RECUR_FOUND)
        return false;
    *ret_due = task->due;
    set_due(ctx, ret_due, next.wall);
    return true;
}
