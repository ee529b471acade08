/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each verb makes the new task and says what happened; finish() derives from both what follows: the
 * version, the firings, the events. So no verb can forget one of them.
 */
#include "tasks/command.h"

#include "lib/base/json.h"
#include "tasks/fields.h"
#include "tasks/series.h"

enum {
    EVENT_MAX = 256 * 1024,
    PAST_TOLERANCE_US = 60 * 1000000, /* a reminder for "now" may be a moment late already */
    EVENTS_PER_CHANGE = 4,
};

static enum base_err problem(struct task_problem *ret_problem, enum base_err err, const char *field,
                             const char *text)
{
    *ret_problem = (struct task_problem){field, text};
    return err;
}

static struct task *copy_of(const struct task_context *ctx, const struct task *task)
{
    struct task *after = BASE_ARENA_NEW(ctx->arena, struct task);
    struct task_reminder *reminders =
        base_arena_array(ctx->arena, task->reminder_count + 1, sizeof(*reminders));
    if (!after || !reminders)
        return NULL;
    *after = *task;
    for (size_t i = 0; i < task->reminder_count; i++)
        reminders[i] = task->reminders[i];
    after->reminders = reminders;
    return after;
}

static enum base_err add_event(const struct task_context *ctx, struct task_change *change, int type,
                               void (*data)(struct base_buf *buf, const struct task_context *ctx,
                                            const struct task_change *change, const char *reason),
                               const char *reason)
{
    struct base_buf buf;
    char subject[BASE_ID_TEXT + 1];
    base_id_text(change->after->id, subject);
    base_buf_init(&buf, EVENT_MAX);
    task_event_begin(&buf, &(struct task_event_head){.type = type,
                                                     .id = base_id_new(ctx->now_us),
                                                     .user_id = ctx->user_id,
                                                     .subject = base_sv_from(subject),
                                                     .time_us = ctx->now_us,
                                                     .trace = ctx->trace});
    data(&buf, ctx, change, reason);
    task_event_end(&buf);
    struct base_sv payload =
        base_buf_ok(&buf) ? base_arena_sv(ctx->arena, base_buf_sv(&buf)) : SV_NULL;
    base_buf_done(&buf);
    if (!payload.ptr)
        return BASE_NO_MEMORY;
    change->events[change->event_count++] = (struct task_event_row){type, payload};
    return BASE_OK;
}

static void task_data(struct base_buf *buf, const struct task_context *ctx,
                      const struct task_change *change, const char *reason)
{
    (void)reason;
    task_json(buf, change->after, ctx->now_us);
}

static void recurring_data(struct base_buf *buf, const struct task_context *ctx,
                           const struct task_change *change, const char *reason)
{
    base_json_open(buf, '{');
    base_json_kv_str(buf, "reason", base_sv_from(reason));
    base_json_kv_int(buf, "closed_occurrence", change->before->occurrence);
    base_json_key(buf, "task");
    task_json(buf, change->after, ctx->now_us);
    base_json_close(buf, '}');
}

static void cleared_data(struct base_buf *buf, const struct task_context *ctx,
                         const struct task_change *change, const char *reason)
{
    (void)ctx;
    char id[BASE_ID_TEXT + 1];
    base_id_text(change->after->id, id);
    base_json_open(buf, '{');
    base_json_kv_str(buf, "tag", base_sv_from(id));
    base_json_kv_str(buf, "task_id", base_sv_from(id));
    base_json_kv_str(buf, "reason", base_sv_from(reason));
    base_json_close(buf, '}');
}

/* True if a reminder of the task is on screens now: its time has come. */
static bool was_shown(const struct task_context *ctx, const struct task *task)
{
    for (size_t i = 0; task && task->status == TASK_OPEN && i < task->reminder_count; i++) {
        int64_t at;
        if (task_reminder_at(task, &task->reminders[i], &at) && at <= ctx->now_us)
            return true;
    }
    return false;
}

static bool snoozed(const struct task_context *ctx, const struct task *task)
{
    for (size_t i = 0; i < task->reminder_count; i++)
        if (!task->reminders[i].relative && task->reminders[i].at_us > ctx->now_us)
            return true;
    return false;
}

/* When a reminder whose time has passed is still to come, if at all. */
static bool late_fire_time(const struct task_context *ctx, const struct task_change *change,
                           const struct task_reminder *reminder, int64_t *at_us)
{
    if (change->outcome == TASK_OUT_MISSED) {
        /* Of an occurrence that a series rolled on to. How late it is, the firing decides; a lead
         * longer than the series allows is cut to when it rolled. */
        if (*at_us <= change->before->due.at_us)
            *at_us = ctx->now_us;
        return true;
    }
    if (!reminder->nag_s || snoozed(ctx, change->after))
        return false;
    int64_t nag_us = reminder->nag_s * INT64_C(1000000);
    *at_us += ((ctx->now_us - *at_us) / nag_us + 1) * nag_us;
    return true;
}

static bool fire_time(const struct task_context *ctx, const struct task_change *change,
                      const struct task_reminder *reminder, int64_t *ret_at_us)
{
    return task_reminder_at(change->after, reminder, ret_at_us) &&
           (*ret_at_us >= ctx->now_us - PAST_TOLERANCE_US ||
            late_fire_time(ctx, change, reminder, ret_at_us));
}

static enum base_err derive_fires(const struct task_context *ctx, struct task_change *change)
{
    struct task *task = change->after;
    change->fires = base_arena_array(ctx->arena, task->reminder_count + 1, sizeof(*change->fires));
    if (!change->fires)
        return BASE_NO_MEMORY;
    for (size_t i = 0; task->status == TASK_OPEN && i < task->reminder_count; i++) {
        struct task_reminder *reminder = &task->reminders[i];
        int64_t at;
        if (fire_time(ctx, change, reminder, &at))
            change->fires[change->fire_count++] = (struct task_fire){
                reminder->id, task->occurrence, reminder->repeat, reminder->nag_s, at};
    }
    return BASE_OK;
}

/* A firing's key must be new whenever its time is decided anew. */
static void renew_repeats(struct task *task)
{
    for (size_t i = 0; i < task->reminder_count; i++)
        task->reminders[i].repeat += TASK_REPEAT_STEP;
}

struct consequence {
    int event;
    const char *cleared;   /* why reminders leave the screens, or NULL */
    const char *generated; /* why a next occurrence came, or NULL */
};

static enum base_err finish(const struct task_context *ctx, struct task_change *change,
                            struct consequence what)
{
    struct task *after = change->after;
    after->version = change->before ? change->before->version + 1 : 1;
    after->updated_us = ctx->now_us;
    change->events = base_arena_array(ctx->arena, EVENTS_PER_CHANGE, sizeof(*change->events));
    if (!change->events)
        return BASE_NO_MEMORY;
    if (change->refire && change->before && after->occurrence == change->before->occurrence)
        renew_repeats(after);
    task_series_look_ahead(ctx, after);
    enum base_err err = change->refire ? derive_fires(ctx, change) : BASE_OK;
    if (err == BASE_OK && what.event)
        err = add_event(ctx, change, what.event, task_data, NULL);
    if (err == BASE_OK && what.generated)
        err =
            add_event(ctx, change, TASK_EVENT_RECURRING_GENERATED, recurring_data, what.generated);
    if (err == BASE_OK && what.cleared && was_shown(ctx, change->before))
        err = add_event(ctx, change, TASK_EVENT_REMINDER_CLEARED, cleared_data, what.cleared);
    return err;
}

static enum base_err create(const struct task_context *ctx, struct task *task,
                            struct task_change *ret_change)
{
    struct task_change change = {.after = task, .refire = task->reminder_count > 0};
    enum base_err err =
        finish(ctx, &change, (struct consequence){.event = TASK_EVENT_TASK_CREATED});
    if (err == BASE_OK)
        *ret_change = change;
    return err;
}

static enum base_err new_task(const struct task_context *ctx, const struct task_patch *patch,
                              struct task **ret_task, struct task_problem *ret_problem)
{
    struct task *task = BASE_ARENA_NEW(ctx->arena, struct task);
    if (!task)
        return BASE_NO_MEMORY;
    if (!(patch->set & TASK_F_TITLE))
        return problem(ret_problem, BASE_UNPROCESSABLE, "title", "a task needs a title");
    task->id = base_id_new(ctx->now_us);
    task->user_id = ctx->user_id;
    task->occurrence = 1;
    task->created_us = ctx->now_us;
    *ret_task = task;
    return task_fields_apply(ctx, task, patch, ret_problem);
}

enum base_err task_create(const struct task_context *ctx, const struct task_patch *patch,
                          struct task_change *ret_change, struct task_problem *ret_problem)
{
    struct task *task = NULL;
    enum base_err err = new_task(ctx, patch, &task, ret_problem);
    return err == BASE_OK ? create(ctx, task, ret_change) : err;
}

enum base_err task_import(const struct task_context *ctx, const struct task_patch *patch,
                          const struct task_imported *imported, struct task_change *ret_change,
                          struct task_problem *ret_problem)
{
    struct task *task = NULL;
    enum base_err err = new_task(ctx, patch, &task, ret_problem);
    if (err != BASE_OK)
        return err;
    task->id = imported->id;
    if (imported->created_us)
        task->created_us = imported->created_us;
    if (imported->has_due && task->recurrence.len && imported->due.kind == task->due.kind) {
        task->due.local = imported->due.local;
        task_due_resolve(&task->due, &ctx->settings);
    }
    if (imported->done) {
        task->status = TASK_DONE;
        task->completed_us = imported->completed_us ? imported->completed_us : ctx->now_us;
    }
    return create(ctx, task, ret_change);
}

enum base_err task_update(const struct task_context *ctx, const struct task *task,
                          const struct task_patch *patch, struct task_change *ret_change,
                          struct task_problem *ret_problem)
{
    struct task *after = copy_of(ctx, task);
    if (!after)
        return BASE_NO_MEMORY;
    if (task->status == TASK_DELETED)
        return problem(ret_problem, BASE_NOT_FOUND, "id", "the task was deleted");
    enum base_err err = task_fields_apply(ctx, after, patch, ret_problem);
    if (err != BASE_OK)
        return err;
    bool timing = patch->set & (TASK_F_DUE | TASK_F_RECURRENCE | TASK_F_REMINDERS);
    struct task_change change = {.before = task, .after = after, .refire = timing};
    err = finish(ctx, &change,
                 (struct consequence){.event = TASK_EVENT_TASK_UPDATED,
                                      .cleared = timing ? "rescheduled" : NULL});
    if (err == BASE_OK)
        *ret_change = change;
    return err;
}

/* In a series they belong to one occurrence: a snooze, not a rule. */
static void drop_absolute_reminders(struct task *task)
{
    size_t kept = 0;
    for (size_t i = 0; i < task->reminder_count; i++)
        if (task->reminders[i].relative)
            task->reminders[kept++] = task->reminders[i];
    task->reminder_count = kept;
}

static void go_on(struct task *task, const struct task_due *next)
{
    drop_absolute_reminders(task);
    task->due = *next;
    task->occurrence++;
}

/* The present occurrence ends; the series moves on or the task is over. */
static enum base_err close_occurrence(const struct task_context *ctx, const struct task *task,
                                      enum task_outcome outcome, const char *reason,
                                      struct task_change *ret_change)
{
    struct task *after = copy_of(ctx, task);
    if (!after)
        return BASE_NO_MEMORY;
    struct task_change change = {
        .before = task, .after = after, .refire = true, .outcome = outcome};
    struct task_due next;
    bool goes_on = task->recurrence.len > 0 &&
                   task_series_next(ctx, task, outcome == TASK_OUT_COMPLETED, &next);
    struct consequence what = {.cleared = reason};
    if (goes_on) {
        go_on(after, &next);
        what.generated = reason;
    } else {
        after->status = TASK_DONE;
        after->completed_us = ctx->now_us;
    }
    what.event =
        outcome == TASK_OUT_COMPLETED ? TASK_EVENT_TASK_COMPLETED : TASK_EVENT_TASK_UPDATED;
    enum base_err err = finish(ctx, &change, what);
    if (err == BASE_OK)
        *ret_change = change;
    return err;
}

enum base_err task_complete(const struct task_context *ctx, const struct task *task,
                            struct task_change *ret_change, struct task_problem *ret_problem)
{
    if (task->status == TASK_DELETED)
        return problem(ret_problem, BASE_NOT_FOUND, "id", "the task was deleted");
    if (task->status == TASK_DONE)
        return problem(ret_problem, BASE_CONFLICT, "status", "the task is done already");
    return close_occurrence(ctx, task, TASK_OUT_COMPLETED, "completed", ret_change);
}

enum base_err task_skip(const struct task_context *ctx, const struct task *task,
                        struct task_change *ret_change, struct task_problem *ret_problem)
{
    if (task->status != TASK_OPEN)
        return problem(ret_problem, BASE_CONFLICT, "status", "only an open task can be skipped");
    if (task->recurrence.len == 0)
        return problem(ret_problem, BASE_CONFLICT, "is_recurring",
                       "only a recurring task can be skipped");
    return close_occurrence(ctx, task, TASK_OUT_SKIPPED, "skipped", ret_change);
}

enum base_err task_reopen(const struct task_context *ctx, const struct task *task,
                          struct task_change *ret_change, struct task_problem *ret_problem)
{
    if (task->status == TASK_OPEN)
        return problem(ret_problem, BASE_CONFLICT, "status", "the task is open already");
    struct task *after = copy_of(ctx, task);
    if (!after)
        return BASE_NO_MEMORY;
    after->status = TASK_OPEN;
    after->completed_us = 0;
    after->deleted_us = 0;
    struct task_change change = {.before = task, .after = after, .refire = true};
    enum base_err err =
        finish(ctx, &change, (struct consequence){.event = TASK_EVENT_TASK_UPDATED});
    if (err == BASE_OK)
        *ret_change = change;
    return err;
}

enum base_err task_delete(const struct task_context *ctx, const struct task *task,
                          struct task_change *ret_change, struct task_problem *ret_problem)
{
    if (task->status == TASK_DELETED)
        return problem(ret_problem, BASE_NOT_FOUND, "id", "the task was deleted already");
    struct task *after = copy_of(ctx, task);
    if (!after)
        return BASE_NO_MEMORY;
    after->status = TASK_DELETED;
    after->deleted_us = ctx->now_us;
    struct task_change change = {.before = task, .after = after, .refire = true};
    enum base_err err = finish(
        ctx, &change, (struct consequence){.event = TASK_EVENT_TASK_DELETED, .cleared = "deleted"});
    if (err == BASE_OK)
        *ret_change = change;
    return err;
}

/* The reminder whose time came last, or the next one to come; reminder_count if there is none. */
static size_t current_reminder(const struct task_context *ctx, const struct task *task)
{
    size_t best = task->reminder_count;
    int64_t best_at = 0;
    for (size_t i = 0; i < task->reminder_count; i++) {
        int64_t at;
        if (!task_reminder_at(task, &task->reminders[i], &at))
            continue;
        bool none = best == task->reminder_count;
        bool past = at <= ctx->now_us;
        bool best_past = !none && best_at <= ctx->now_us;
        bool better =
            none || (past && (!best_past || at > best_at)) || (!past && !best_past && at < best_at);
        if (better) {
            best = i;
            best_at = at;
        }
    }
    return best;
}

enum base_err task_snooze(const struct task_context *ctx, const struct task *task, int64_t until_us,
                          struct task_change *ret_change, struct task_problem *ret_problem)
{
    if (task->status != TASK_OPEN)
        return problem(ret_problem, BASE_CONFLICT, "status", "only an open task can be snoozed");
    if (until_us <= ctx->now_us)
        return problem(ret_problem, BASE_UNPROCESSABLE, "until", "that time has passed already");
    struct task *after = copy_of(ctx, task);
    if (!after)
        return BASE_NO_MEMORY;
    size_t at = current_reminder(ctx, after);
    bool none = at == after->reminder_count;
    /* A recurring task keeps its own reminder for the occurrences to come: the snooze is one beside
     * it. */
    if (none || (task->recurrence.len && after->reminders[at].relative &&
                 after->reminder_count < TASK_REMINDERS_MAX)) {
        int32_t nag_s = none ? 0 : after->reminders[at].nag_s;
        at = after->reminder_count++; /* copy_of leaves room for one */
        after->reminders[at] =
            (struct task_reminder){.id = base_id_new(ctx->now_us), .nag_s = nag_s};
    }
    struct task_reminder *reminder = &after->reminders[at];
    reminder->relative = false;
    reminder->at_us = until_us;
    struct task_change change = {.before = task, .after = after, .refire = true};
    enum base_err err = finish(
        ctx, &change, (struct consequence){.event = TASK_EVENT_TASK_UPDATED, .cleared = "snoozed"});
    if (err == BASE_OK)
        *ret_change = change;
    return err;
}

enum base_err task_dismiss(const struct task_context *ctx, const struct task *task,
                           struct task_change *ret_change, struct task_problem *ret_problem)
{
    if (!was_shown(ctx, task))
        return problem(ret_problem, BASE_CONFLICT, "id", "no reminder of this task is showing");
    struct task *after = copy_of(ctx, task);
    if (!after)
        return BASE_NO_MEMORY;
    struct task_change change = {.before = task, .after = after};
    enum base_err err = finish(ctx, &change, (struct consequence){.cleared = "dismissed"});
    if (err == BASE_OK)
        *ret_change = change;
    return err;
}

enum base_err task_review(const struct task_context *ctx, const struct task *task,
                          struct task_change *ret_change, int64_t *ret_review_us)
{
    struct task *after = copy_of(ctx, task);
    struct task_due next;
    if (!after)
        return BASE_NO_MEMORY;
    struct task_change change = {.before = task, .after = after, .refire = true};
    struct consequence what = {.event = TASK_EVENT_TASK_UPDATED};
    *ret_change = (struct task_change){0};
    task_due_resolve(&after->due, &ctx->settings);
    if (task->status == TASK_OPEN && task->recurrence.len > 0 &&
        task_series_roll(ctx, after, &next)) {
        go_on(after, &next);
        change.outcome = TASK_OUT_MISSED;
        what.generated = what.cleared = "rolled";
    } else if (after->due.at_us == task->due.at_us) {
        task_series_look_ahead(ctx, after);
        *ret_review_us = after->review_us;
        return BASE_OK;
    }
    enum base_err err = finish(ctx, &change, what);
    if (err == BASE_OK)
        *ret_change = change;
    return err;
}

enum base_err task_restore(const struct task_context *ctx, const struct task *task,
                           const struct task *was, struct task_change *ret_change,
                           struct task_problem *ret_problem)
{
    (void)ret_problem;
    struct task *after = copy_of(ctx, was);
    if (!after)
        return BASE_NO_MEMORY;
    /* Counters never go back: a firing's or an occurrence's key is not used again, not even by
     * undo. */
    bool moved_on = task->occurrence != was->occurrence;
    after->occurrence = moved_on ? task->occurrence + 1 : task->occurrence;
    for (size_t i = 0; i < after->reminder_count; i++)
        for (size_t k = 0; k < task->reminder_count; k++)
            if (base_id_eq(after->reminders[i].id, task->reminders[k].id) &&
                after->reminders[i].repeat < task->reminders[k].repeat)
                after->reminders[i].repeat = task->reminders[k].repeat;
    struct task_change change = {.before = task, .after = after, .refire = true};
    int event = was->status == TASK_DELETED ? TASK_EVENT_TASK_DELETED : TASK_EVENT_TASK_UPDATED;
    enum base_err err =
        finish(ctx, &change, (struct consequence){.event = event, .cleared = "undone"});
    if (err == BASE_OK)
        *ret_change = change;
    return err;
}
