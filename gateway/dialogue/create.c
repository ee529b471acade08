/* SPDX-License-Identifier: Apache-2.0 */
/* Making tasks, one or several in a line; "remind me …" is a task with a reminder at its due time.
 */
#include "gateway/dialogue/handler.h"

/* What was created, in one sentence. */
static void say_created(struct gw_dialogue *d, const struct task *task, bool reminds)
{
    if (task->due.kind == TASK_DUE_NONE)
        GW_REPLY(d, SAY_CREATED, task->title);
    else
        GW_REPLY(d, reminds ? SAY_CREATED_REMIND : SAY_CREATED_DUE, task->title,
                 gw_due_text(d, &task->due));
}

static bool is_past(const struct gw_dialogue *d, const struct task_patch *patch)
{
    if (!(patch->set & TASK_F_DUE) || patch->due.kind == TASK_DUE_NONE ||
        patch->set & TASK_F_RECURRENCE)
        return false;
    struct task probe = {.due = patch->due};
    return task_overdue(&probe, &d->ctx.settings, d->ctx.now_us);
}

static bool create_one(struct gw_dialogue *d, const struct nlu_command *command, bool reminds)
{
    struct task_patch patch;
    struct task_problem problem = {0};
    struct task_change *change = &d->changes[d->change_count];
    enum base_err err = gw_patch(d, &command->fields, NULL, &patch, &problem);
    if (err == BASE_OK && is_past(d, &patch)) {
        GW_REPLY(d, SAY_PAST_TIME, gw_due_text(d, &patch.due));
        return false;
    }
    if (err == BASE_OK)
        err = task_create(&d->ctx, &patch, change, &problem);
    if (err != BASE_OK) {
        gw_reply_problem(d, err, &problem);
        return false;
    }
    d->change_count++;
    gw_reply_task(d, change->after);
    gw_talk_it(&d->talk, change->after->id);
    gw_reply_line(d);
    say_created(d, change->after, reminds);
    return true;
}

static enum gw_step create(struct gw_dialogue *d, bool reminds)
{
    if (d->command.fields.title.len == 0) {
        GW_REPLY(d, SAY_NEEDS_TITLE);
        gw_ask(d, GW_ASK_TITLE);
        return GW_ANSWERED;
    }
    if (!create_one(d, &d->command, reminds))
        return GW_ANSWERED;
    for (size_t i = 1; i < d->understood.command_count && d->change_count < GW_CHANGES_MAX; i++) {
        const struct nlu_command *further = &d->understood.commands[i];
        if (further->intent == NLU_TASK_CREATE || further->intent == NLU_REMINDER_SET)
            (void)create_one(d, further, further->intent == NLU_REMINDER_SET);
    }
    struct task *last = d->changes[d->change_count - 1].after;
    if (reminds && last->due.kind == TASK_DUE_NONE) {
        gw_reply_line(d);
        GW_REPLY(d, SAY_REMINDER_WHEN, last->title);
        gw_ask(d, GW_ASK_WHEN);
    }
    gw_suggest_action(d, SAY_LABEL_UNDO, "undo", (struct base_id){0}, 0);
    return GW_ANSWERED;
}

static enum gw_step begin_create(struct gw_dialogue *d)
{
    return create(d, false);
}

/* "remind me about it at 5" speaks of a task that is there already. */
static enum gw_step begin_reminder_set(struct gw_dialogue *d)
{
    const struct nlu_target *target = &d->command.target;
    if (d->command.fields.title.len == 0 && (target->number || target->ref || target->text.len)) {
        d->handler = &gw_update_handler;
        return gw_target_begin(d);
    }
    return create(d, true);
}

const struct gw_handler gw_create_handler = {.begin = begin_create};
const struct gw_handler gw_reminder_set_handler = {.begin = begin_reminder_set};
