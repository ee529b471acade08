/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to tasks that are there: a verb of the engine, and a sentence about it. */
#include "gateway/dialogue/handler.h"

enum { SNOOZE_DEFAULT_S = 600 };

static void say_title(struct gw_dialogue *d, enum gw_phrase phrase,
                      const struct task_change *change)
{
    GW_REPLY(d, phrase, change->after->title);
}

static enum base_err complete(struct gw_dialogue *d, const struct task *task,
                              struct task_change *ret_change, struct task_problem *ret_problem)
{
    return task_complete(&d->ctx, task, ret_change, ret_problem);
}

static void say_completed(struct gw_dialogue *d, const struct task_change *change)
{
    if (change->after->status == TASK_OPEN)
        GW_REPLY(d, SAY_COMPLETED_NEXT, change->after->title, gw_due_text(d, &change->after->due));
    else
        say_title(d, SAY_COMPLETED, change);
}

static enum base_err reopen(struct gw_dialogue *d, const struct task *task,
                            struct task_change *ret_change, struct task_problem *ret_problem)
{
    return task_reopen(&d->ctx, task, ret_change, ret_problem);
}

static void say_reopened(struct gw_dialogue *d, const struct task_change *change)
{
    say_title(d, SAY_REOPENED, change);
}

static enum base_err delete (struct gw_dialogue *d, const struct task *task,
                             struct task_change *ret_change, struct task_problem *ret_problem) {
    return task_delete(&d->ctx, task, ret_change, ret_problem);
}

static void say_deleted(struct gw_dialogue *d, const struct task_change *change)
{
    say_title(d, SAY_DELETED, change);
}

static enum base_err skip(struct gw_dialogue *d, const struct task *task,
                          struct task_change *ret_change, struct task_problem *ret_problem)
{
    return task_skip(&d->ctx, task, ret_change, ret_problem);
}

static void say_skipped(struct gw_dialogue *d, const struct task_change *change)
{
    GW_REPLY(d, SAY_SKIPPED, change->after->title, gw_due_text(d, &change->after->due));
}

static enum base_err dismiss(struct gw_dialogue *d, const struct task *task,
                             struct task_change *ret_change, struct task_problem *ret_problem)
{
    return task_dismiss(&d->ctx, task, ret_change, ret_problem);
}

static void say_dismissed(struct gw_dialogue *d, const struct task_change *change)
{
    say_title(d, SAY_DISMISSED, change);
}

static enum base_err update(struct gw_dialogue *d, const struct task *task,
                            struct task_change *ret_change, struct task_problem *ret_problem)
{
    struct task_patch patch;
    enum base_err err = gw_patch(d, &d->command.fields, task, &patch, ret_problem);
    if (err != BASE_OK)
        return err;
    if (patch.set == 0) {
        ret_problem->text = "say what should change, for example its name or when it is due";
        return BASE_INVALID;
    }
    return task_update(&d->ctx, task, &patch, ret_change, ret_problem);
}

static void say_updated(struct gw_dialogue *d, const struct task_change *change)
{
    if (change->after->due.kind == TASK_DUE_NONE)
        say_title(d, SAY_UPDATED, change);
    else
        GW_REPLY(d, SAY_UPDATED_DUE, change->after->title, gw_due_text(d, &change->after->due));
    if (d->command.fields.reminder_count)
        gw_reply_reminders(d, change->after);
}

static int64_t snooze_until(struct gw_dialogue *d)
{
    const struct nlu_fields *fields = &d->command.fields;
    if (d->action.until_us)
        return d->action.until_us;
    if (fields->snooze_s)
        return d->ctx.now_us + fields->snooze_s * 1000000;
    if (fields->due.set)
        return gw_instant_of(d, &fields->due);
    return d->ctx.now_us + (int64_t)SNOOZE_DEFAULT_S * 1000000;
}

static enum base_err snooze(struct gw_dialogue *d, const struct task *task,
                            struct task_change *ret_change, struct task_problem *ret_problem)
{
    return task_snooze(&d->ctx, task, snooze_until(d), ret_change, ret_problem);
}

static void say_snoozed(struct gw_dialogue *d, const struct task_change *change)
{
    struct base_buf when;
    base_buf_init(&when, 128);
    gw_say_instant(&when, d->language, snooze_until(d), d->zone, d->ctx.now_us);
    GW_REPLY(d, SAY_SNOOZED, change->after->title, base_buf_sv(&when));
    base_buf_done(&when);
}

static enum base_err cancel_reminder(struct gw_dialogue *d, const struct task *task,
                                     struct task_change *ret_change,
                                     struct task_problem *ret_problem)
{
    struct task_patch patch = {.set = TASK_F_REMINDERS};
    return task_update(&d->ctx, task, &patch, ret_change, ret_problem);
}

static void say_reminder_cancelled(struct gw_dialogue *d, const struct task_change *change)
{
    say_title(d, SAY_REMINDER_CANCELLED, change);
}

const struct gw_handler gw_complete_handler = {.act = complete,
                                               .say_one = say_completed,
                                               .say_many = SAY_COMPLETED_MANY,
                                               .confirm_many = SAY_CONFIRM_COMPLETE};
const struct gw_handler gw_reopen_handler = {.act = reopen,
                                             .say_one = say_reopened,
                                             .say_many = SAY_REOPENED_MANY,
                                             .confirm_many = SAY_CONFIRM_UPDATE,
                                             .statuses = TASK_QUERY_DONE | TASK_QUERY_DELETED};
const struct gw_handler gw_delete_handler = {.act = delete,
                                             .say_one = say_deleted,
                                             .say_many = SAY_DELETED_MANY,
                                             .confirm_many = SAY_CONFIRM_DELETE};
const struct gw_handler gw_skip_handler = {.act = skip,
                                           .say_one = say_skipped,
                                           .say_many = SAY_UPDATED_MANY,
                                           .confirm_many = SAY_CONFIRM_UPDATE};
const struct gw_handler gw_dismiss_handler = {.act = dismiss,
                                              .say_one = say_dismissed,
                                              .say_many = SAY_UPDATED_MANY,
                                              .confirm_many = SAY_CONFIRM_UPDATE};
const struct gw_handler gw_update_handler = {.act = update,
                                             .say_one = say_updated,
                                             .say_many = SAY_UPDATED_MANY,
                                             .confirm_many = SAY_CONFIRM_UPDATE};
const struct gw_handler gw_snooze_handler = {.act = snooze,
                                             .say_one = say_snoozed,
                                             .say_many = SAY_UPDATED_MANY,
                                             .confirm_many = SAY_CONFIRM_UPDATE};
const struct gw_handler gw_reminder_cancel_handler = {.act = cancel_reminder,
                                                      .say_one = say_reminder_cancelled,
                                                      .say_many = SAY_UPDATED_MANY,
                                                      .confirm_many = SAY_CONFIRM_UPDATE};
