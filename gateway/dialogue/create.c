/* SPDX-License-Identifier: Apache-2.0 */
/* Making tasks, one or several in a line; "remind me …" is a task with a reminder at its due time.
 */
#include "gateway/dialogue/handler.h"
#include "tasks/recur/describe.h"
#include "tasks/recur/pattern.h"

static void say_repeats(struct gw_dialogue *d, const struct task *task)
{
    struct recur_pattern pattern;
    struct recur_error error;
    struct base_buf words;
    if (task->recurrence.len == 0 ||
        recur_pattern_parse(task->recurrence, d->arena, &pattern, &error) != BASE_OK)
        return;
    base_buf_init(&words, 1024);
    recur_describe(&words, &pattern.rule, d->language == GW_DE ? RECUR_GERMAN : RECUR_ENGLISH,
                   time_zone_civil(d->zone, d->ctx.now_us).year);
    base_buf_add(&d->reply.text, SV(" · "));
    GW_REPLY(d, SAY_REPEATS, base_buf_sv(&words));
    base_buf_done(&words);
}

void gw_reply_reminders(struct gw_dialogue *d, const struct task *task)
{
    for (size_t i = 0; i < task->reminder_count; i++) {
        const struct task_reminder *reminder = &task->reminders[i];
        struct base_buf words;
        if (reminder->relative && reminder->before_s == 0)
            continue;
        base_buf_init(&words, 256);
        if (reminder->relative)
            gw_say_duration(&words, d->language, reminder->before_s);
        else
            gw_say_instant(&words, d->language, reminder->at_us, d->zone, d->ctx.now_us);
        base_buf_add(&d->reply.text, SV(" · "));
        GW_REPLY(d, reminder->relative ? SAY_REMINDS_BEFORE : SAY_REMINDS_AT, base_buf_sv(&words));
        base_buf_done(&words);
    }
}

/* What was created, in one sentence. */
static void say_created(struct gw_dialogue *d, const struct task *task, bool reminds)
{
    if (task->due.kind == TASK_DUE_NONE)
        GW_REPLY(d, SAY_CREATED, task->title);
    else
        GW_REPLY(d, reminds ? SAY_CREATED_REMIND : SAY_CREATED_DUE, task->title,
                 gw_due_text(d, &task->due));
    say_repeats(d, task);
    gw_reply_reminders(d, task);
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
        gw_reply_line(d);
        if (command == &d->command)
            gw_ask(d, GW_ASK_DUE);
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
    if (d->command.confidence < NLU_SURE && !d->confirmed) {
        GW_REPLY(d, SAY_ASK_CREATE, d->command.fields.title);
        gw_ask(d, GW_ASK_CONFIRM);
        gw_suggest_text(d, SAY_LABEL_YES, gw_phrase(d->language, SAY_LABEL_YES));
        gw_suggest_text(d, SAY_LABEL_NO, gw_phrase(d->language, SAY_LABEL_NO));
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
    struct nlu_target *target = &d->command.target;
    if (gw_choice_is_it(d->command.fields.title)) {
        d->command.fields.title = SV_NULL;
        target->ref = NLU_REF_LAST;
    }
    if (d->command.fields.title.len == 0 && (target->number || target->ref || target->text.len)) {
        d->handler = &gw_update_handler;
        return gw_target_begin(d);
    }
    return create(d, true);
}

const struct gw_handler gw_create_handler = {.begin = begin_create};
const struct gw_handler gw_reminder_set_handler = {.begin = begin_reminder_set};
