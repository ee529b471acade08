/* SPDX-License-Identifier: Apache-2.0 */
/* What handlers share for saying things. */
#include "gateway/dialogue/handler.h"

void gw_reply_line(struct gw_dialogue *d)
{
    if (d->reply.text.len)
        base_buf_add_char(&d->reply.text, '\n');
}

void gw_reply_task(struct gw_dialogue *d, struct task *task)
{
    if (d->reply.task_count < GW_REPLY_TASKS_MAX)
        d->reply.tasks[d->reply.task_count++] = task;
}

void gw_reply_problem(struct gw_dialogue *d, enum base_err err, const struct task_problem *problem)
{
    if (d->action.verb != GW_NO_VERB) { /* a button gets an error, a person a sentence */
        d->failure = err;
        if (problem)
            d->problem = *problem;
        return;
    }
    struct base_sv text =
        base_sv_from(problem && problem->text ? problem->text : base_err_text(err));
    if (!d->reply.intent)
        d->reply.intent = nlu_intent_name(NLU_OUT_OF_SCOPE);
    gw_reply_line(d);
    GW_REPLY(d, SAY_INVALID, text);
}

static struct gw_suggestion *suggest(struct gw_dialogue *d, enum gw_phrase label)
{
    if (d->reply.suggestion_count == GW_SUGGESTIONS_MAX)
        return NULL;
    struct gw_suggestion *suggestion = &d->reply.suggestions[d->reply.suggestion_count++];
    *suggestion = (struct gw_suggestion){.label = gw_phrase(d->language, label)};
    return suggestion;
}

void gw_suggest_text(struct gw_dialogue *d, enum gw_phrase label, struct base_sv text)
{
    struct gw_suggestion *suggestion = suggest(d, label);
    if (suggestion)
        suggestion->text = text;
}

void gw_suggest_action(struct gw_dialogue *d, enum gw_phrase label, const char *action,
                       struct base_id task, int64_t minutes)
{
    struct gw_suggestion *suggestion = suggest(d, label);
    if (!suggestion)
        return;
    suggestion->action = action;
    suggestion->task = task;
    suggestion->minutes = minutes;
}

struct base_sv gw_due_text(struct gw_dialogue *d, const struct task_due *due)
{
    struct base_buf buf;
    base_buf_init(&buf, 256);
    gw_say_due(&buf, d->language, due, d->zone, d->ctx.now_us);
    struct base_sv text = base_arena_sv(d->arena, base_buf_sv(&buf));
    base_buf_done(&buf);
    return text;
}

void gw_ask(struct gw_dialogue *d, enum gw_ask ask)
{
    d->talk.ask = ask;
    d->talk.asked_text = d->text;
}
