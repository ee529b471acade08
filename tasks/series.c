/* SPDX-License-Identifier: Apache-2.0 */
/* The task's side of the recurrence engine: which start, which zone, which anchor. */
#include "tasks/series.h"

#include <stdio.h>

#include "tasks/recur/pattern.h"

enum { EDITS_KEPT_S = 366 * 86400 };

/* So much before an occurrence begins the series rolls on to it: its reminder is in the queue in
 * time however many series roll at the full hour. */
#define ROLL_EARLY_US (INT64_C(30) * 1000000)

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

/* Pattern and set of a stored series. */
static bool load(const struct task_context *ctx, const struct task *task,
                 struct recur_pattern *ret_pattern, struct recur_set *ret_set)
{
    struct recur_error error;
    return recur_pattern_parse(task->recurrence, ctx->arena, ret_pattern, &error) == BASE_OK &&
           make_set(ctx, task, ret_pattern, ret_set) == BASE_OK;
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
    struct recur_set set;
    struct recur_occurrence next;
    if (!load(ctx, task, &pattern, &set))
        return false;
    enum recur_anchor anchor = completed ? pattern.anchor : RECUR_ANCHOR_SCHEDULE;
    if (recur_policy_next(&set, anchor, task->due.local, ctx->now_us, (uint32_t)task->occurrence,
                          &next) != RECUR_FOUND)
        return false;
    *ret_due = task->due;
    set_due(ctx, ret_due, next.wall);
    return true;
}

/* Wall times to be edited, without those of long ago: a year of daily moves fits the lists, and
 * what was moved may be moved back over its former time. */
static bool dates_to_edit(const struct task_context *ctx, const int64_t *values, size_t count,
                          int64_t from_s, struct recur_dates *ret_dates)
{
    int64_t *copy = base_arena_array(ctx->arena, count + 1, sizeof(*copy));
    *ret_dates = (struct recur_dates){.values = copy, .capacity = RECUR_EXCEPTIONS_MAX};
    if (!copy)
        return false;
    for (size_t i = 0; i < count; i++)
        if (values[i] >= from_s)
            copy[ret_dates->count++] = values[i];
    if (ret_dates->capacity > count + 1)
        ret_dates->capacity = count + 1;
    return true;
}

static bool same_kind(const struct task_due *a, const struct task_due *b)
{
    return a->kind == b->kind && base_sv_eq(a->zone, b->zone);
}

enum base_err task_series_move(const struct task_context *ctx, struct task *task,
                               const struct task_due *was, struct task_problem *ret_problem)
{
    struct recur_pattern pattern;
    struct recur_set set;
    struct recur_dates exdates, rdates;
    int64_t from_s = time_civil_seconds(was->local);
    int64_t to_s = time_civil_seconds(task->due.local);
    if (!same_kind(was, &task->due))
        return task_series_begin(ctx, task, ret_problem);
    if (from_s == to_s || !load(ctx, task, &pattern, &set) ||
        pattern.anchor == RECUR_ANCHOR_COMPLETION || !recur_is_occurrence(&set, from_s))
        return BASE_OK;
    int64_t keep_s = from_s - EDITS_KEPT_S;
    if (!dates_to_edit(ctx, pattern.exdates, pattern.exdate_count, keep_s, &exdates) ||
        !dates_to_edit(ctx, pattern.rdates, pattern.rdate_count, keep_s, &rdates))
        return BASE_NO_MEMORY;
    enum base_err err = recur_policy_move(&set, from_s, to_s, &exdates, &rdates);
    if (err == BASE_CONFLICT) /* another occurrence is there already: the two become one */
        err = recur_policy_cancel(&set, from_s, &exdates, &rdates);
    if (err == BASE_TOO_LARGE)
        return problem(ret_problem, "this series has too many moved occurrences");
    if (err != BASE_OK)
        return err;
    pattern.exdates = exdates.values;
    pattern.exdate_count = exdates.count;
    pattern.rdates = rdates.values;
    pattern.rdate_count = rdates.count;
    return write_back(ctx, &pattern, task);
}

/* How long before an occurrence its first reminder falls; those that fall before the occurrence
 * ahead of it do not count: they come as early as the series allows, when it rolls on. */
static int64_t lead_us(const struct task *task, int64_t gap_us)
{
    int64_t lead = 0;
    for (size_t i = 0; i < task->reminder_count; i++) {
        int64_t before = task->reminders[i].before_s * 1000000;
        if (task->reminders[i].relative && before > lead && before < gap_us)
            lead = before;
    }
    return lead;
}

void task_series_look_ahead(const struct task_context *ctx, struct task *task)
{
    struct recur_pattern pattern;
    struct recur_set set;
    struct recur_occurrence next;
    task->has_next = false;
    task->review_us = 0;
    if (task->recurrence.len == 0 || task->status != TASK_OPEN ||
        !load(ctx, task, &pattern, &set) || pattern.anchor != RECUR_ANCHOR_SCHEDULE ||
        recur_first_from(&set, time_civil_seconds(task->due.local) + 1, &next) != RECUR_FOUND)
        return;
    struct task_due due = task->due;
    set_due(ctx, &due, next.wall);
    int64_t begin_us = due.at_us - lead_us(task, due.at_us - task->due.at_us);
    if (next.at_us < begin_us)
        begin_us = next.at_us; /* midnight */
    task->has_next = true;
    task->next = next.wall;
    task->review_us = begin_us - ROLL_EARLY_US;
}

bool task_series_roll(const struct task_context *ctx, const struct task *task,
                      struct task_due *ret_due)
{
    struct recur_pattern pattern;
    struct recur_set set;
    struct recur_occurrence newest;
    struct task ahead = *task;
    task_series_look_ahead(ctx, &ahead);
    if (!ahead.has_next || ahead.review_us > ctx->now_us || !load(ctx, task, &pattern, &set))
        return false;
    struct time_civil wall = ahead.next;
    if (recur_nth_before(&set, ctx->now_us + ROLL_EARLY_US + 1, 1, &newest) == RECUR_FOUND &&
        newest.wall_s > time_civil_seconds(wall))
        wall = newest.wall;
    *ret_due = task->due;
    set_due(ctx, ret_due, wall);
    return true;
}

size_t task_series_ahead(const struct task_context *ctx, const struct task *task, size_t limit,
                         struct task_due *ret_dues)
{
    struct recur_pattern pattern;
    struct recur_set set;
    struct recur_iter iter;
    struct recur_occurrence next;
    if (limit == 0 || task->due.kind == TASK_DUE_NONE)
        return 0;
    size_t count = 0;
    ret_dues[count++] = task->due;
    if (task->recurrence.len == 0 || !load(ctx, task, &pattern, &set) ||
        pattern.anchor != RECUR_ANCHOR_SCHEDULE)
        return count;
    recur_iter_init(&iter, &set, time_civil_seconds(task->due.local) + 1);
    while (count < limit && recur_iter_next(&iter, &next) == RECUR_FOUND) {
        ret_dues[count] = task->due;
        set_due(ctx, &ret_dues[count++], next.wall);
    }
    return count;
}
