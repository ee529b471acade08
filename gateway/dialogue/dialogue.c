/* SPDX-License-Identifier: Apache-2.0 */
/* Which handler a turn goes to, open questions first; and the reply frame. */
#include "gateway/dialogue/dialogue.h"

#include "gateway/dialogue/handler.h"
#include "lib/base/json.h"

/* A reply is part of an event, which must fit into a message of the bus. */
enum { REPLY_TEXT_MAX = 64 * 1024, TASKS_BYTES = 256 * 1024 };

static const struct gw_handler *const handlers[NLU_INTENT_COUNT] = {
    [NLU_TASK_CREATE] = &gw_create_handler,
    [NLU_TASK_LIST] = &gw_list_handler,
    [NLU_TASK_COMPLETE] = &gw_complete_handler,
    [NLU_TASK_UPDATE] = &gw_update_handler,
    [NLU_TASK_DELETE] = &gw_delete_handler,
    [NLU_REMINDER_SET] = &gw_reminder_set_handler,
    [NLU_REMINDER_LIST] = &gw_reminder_list_handler,
    [NLU_REMINDER_CANCEL] = &gw_reminder_cancel_handler,
    [NLU_REMINDER_SNOOZE] = &gw_snooze_handler,
    [NLU_OCCURRENCE_SKIP] = &gw_skip_handler,
    [NLU_UNDO] = &gw_undo_handler,
    [NLU_WHY] = &gw_why_handler,
    [NLU_SETTINGS] = &gw_settings_handler,
    [NLU_HELP] = &gw_help_handler,
    [NLU_GREET] = &gw_greet_handler,
    [NLU_BYE] = &gw_bye_handler,
    [NLU_THANKS] = &gw_thanks_handler,
    [NLU_YES] = &gw_yes_handler,
    [NLU_NO] = &gw_no_handler,
    [NLU_CANCEL] = &gw_no_handler,
    [NLU_OUT_OF_SCOPE] = &gw_unknown_handler,
};

static const struct {
    const char *name;
    const struct gw_handler *handler;
    enum nlu_intent intent;
} verbs[GW_VERB_COUNT] = {
    [GW_COMPLETE] = {"complete", &gw_complete_handler, NLU_TASK_COMPLETE},
    [GW_REOPEN] = {"reopen", &gw_reopen_handler, NLU_TASK_UPDATE},
    [GW_SKIP] = {"skip", &gw_skip_handler, NLU_OCCURRENCE_SKIP},
    [GW_SNOOZE] = {"snooze", &gw_snooze_handler, NLU_REMINDER_SNOOZE},
    [GW_DISMISS] = {"dismiss", &gw_dismiss_handler, NLU_REMINDER_CANCEL},
    [GW_DELETE] = {"delete", &gw_delete_handler, NLU_TASK_DELETE},
    [GW_UNDO] = {"undo", &gw_undo_handler, NLU_UNDO},
    [GW_CONFIRM] = {"confirm", &gw_yes_handler, NLU_YES},
    [GW_CHOOSE] = {"choose", &gw_yes_handler, NLU_YES},
};

enum gw_verb gw_verb_parse(struct base_sv name)
{
    for (int i = 1; i < GW_VERB_COUNT; i++)
        if (base_sv_eq_c(name, verbs[i].name))
            return (enum gw_verb)i;
    return GW_NO_VERB;
}

const struct gw_handler *gw_handler_of(enum nlu_intent intent)
{
    return handlers[intent];
}

static enum gw_step enter(struct gw_dialogue *d, const struct gw_handler *handler)
{
    d->handler = handler;
    return handler->begin ? handler->begin(d) : gw_target_begin(d);
}

static bool understand(struct gw_dialogue *d, struct base_sv text, enum nlu_expect expect)
{
    struct nlu_input input = {
        .text = text,
        .now_us = d->at_us,
        .zone = d->zone,
        .expect = expect,
        .locale = d->language == GW_DE ? SV("de") : SV("en"),
    };
    enum base_err err = nlu_parse(d->nlu, d->scratch, &input, d->arena, &d->understood);
    if (err != BASE_OK || d->understood.command_count == 0) {
        gw_reply_problem(d, err == BASE_OK ? BASE_INTERNAL : err, NULL);
        return false;
    }
    d->command = d->understood.commands[0];
    d->reply.intent = nlu_intent_name(d->command.intent);
    return true;
}

/* The line that led to a question, once more, now that the answer is known. */
static enum gw_step resume(struct gw_dialogue *d, struct base_sv line)
{
    d->text = line;
    d->query = (struct task_query){0};
    if (!understand(d, line, NLU_EXPECT_NOTHING))
        return GW_ANSWERED;
    d->talk.ask = GW_ASK_NOTHING;
    return enter(d, handlers[d->command.intent]);
}

/* A place in the last list. */
static bool picks(struct gw_dialogue *d, struct base_id *ret_id)
{
    int number = d->command.target.number;
    if (number == 0)
        number = gw_choice_number(d->text);
    if (number < 0)
        number = (int)d->talk.listed_count + 1 + number;
    if (number < 1 || (size_t)number > d->talk.listed_count)
        return false;
    *ret_id = d->talk.listed[number - 1];
    return true;
}

static bool starts_anew(const struct gw_dialogue *d)
{
    enum nlu_intent intent = d->command.intent;
    bool is_small =
        intent == NLU_OUT_OF_SCOPE || intent == NLU_YES || intent == NLU_NO || intent == NLU_CANCEL;
    return !is_small && d->command.confidence >= NLU_SURE;
}

/* Words of one of the titles shown. Not clear: the question stays. */
static enum gw_step choose_begin(struct gw_dialogue *d)
{
    enum { WORDS_MAX = 16 };
    struct base_sv *words = base_arena_array(d->arena, WORDS_MAX, sizeof(*words));
    if (!words) {
        gw_reply_problem(d, BASE_NO_MEMORY, NULL);
        return GW_ANSWERED;
    }
    d->query =
        (struct task_query){.user_id = d->ctx.user_id,
                            .statuses = TASK_QUERY_OPEN | TASK_QUERY_DONE | TASK_QUERY_DELETED,
                            .ids = d->talk.listed,
                            .id_count = d->talk.listed_count,
                            .words = words,
                            .word_count = gw_choice_words(d->text, words, WORDS_MAX),
                            .limit = GW_LISTED_MAX};
    return GW_FIND;
}

static enum gw_step choose_found(struct gw_dialogue *d, struct task *tasks, size_t count)
{
    if (count != 1 || d->query.word_count == 0) {
        GW_REPLY(d, SAY_NOT_FOUND_IT);
        return GW_ANSWERED;
    }
    d->has_chosen = true;
    d->chosen = tasks[0].id;
    return resume(d, d->talk.asked_text);
}

static const struct gw_handler choose_by_words = {.begin = choose_begin, .found = choose_found};

/* A question is open: is this line its answer? */
static bool answers(struct gw_dialogue *d, enum gw_step *ret_step)
{
    struct base_sv line = d->talk.asked_text;
    enum nlu_intent intent = d->command.intent;
    if (intent == NLU_NO || intent == NLU_CANCEL)
        return false; /* their own handler closes the question */
    switch (d->talk.ask) {
    case GW_ASK_CONFIRM:
        if (intent != NLU_YES)
            return false;
        d->confirmed = true;
        *ret_step = resume(d, line);
        return true;
    case GW_ASK_CHOOSE:
        if (!picks(d, &d->chosen)) {
            if (starts_anew(d) || d->talk.listed_count == 0)
                return false;
            *ret_step = enter(d, &choose_by_words);
            return true;
        }
        d->has_chosen = true;
        *ret_step = resume(d, line);
        return true;
    case GW_ASK_TITLE: {
        if (starts_anew(d) && intent != NLU_TASK_CREATE)
            return false;
        struct base_sv title =
            d->command.fields.title.len ? d->command.fields.title : base_sv_trim(d->text);
        if (!understand(d, line, NLU_EXPECT_NOTHING))
            break;
        d->text = line;
        d->talk.ask = GW_ASK_NOTHING;
        d->command.fields.title = title;
        d->confirmed = true;
        *ret_step = enter(d, handlers[d->command.intent]);
        return true;
    }
    case GW_ASK_WHEN:
        if (!d->command.fields.due.set || !d->talk.has_it)
            return false;
        d->talk.ask = GW_ASK_NOTHING;
        d->has_chosen = true;
        d->chosen = d->talk.it;
        d->command.intent = NLU_TASK_UPDATE;
        d->command.fields.title = SV_NULL;
        d->reply.intent = nlu_intent_name(NLU_TASK_UPDATE);
        *ret_step = enter(d, &gw_update_handler);
        return true;
    case GW_ASK_DUE: {
        struct nlu_when due = d->command.fields.due;
        if (!due.set)
            return false;
        if (!understand(d, line, NLU_EXPECT_NOTHING))
            break;
        d->text = line;
        d->talk.ask = GW_ASK_NOTHING;
        d->command.fields.due = due;
        d->confirmed = true;
        *ret_step = enter(d, handlers[d->command.intent]);
        return true;
    }
    default:
        return false;
    }
    *ret_step = GW_ANSWERED;
    return true;
}

static enum nlu_expect expectation(enum gw_ask ask)
{
    static const enum nlu_expect table[GW_ASK_COUNT] = {
        [GW_ASK_CONFIRM] = NLU_EXPECT_YES_NO, [GW_ASK_CHOOSE] = NLU_EXPECT_CHOICE,
        [GW_ASK_TITLE] = NLU_EXPECT_TITLE,    [GW_ASK_WHEN] = NLU_EXPECT_TIME,
        [GW_ASK_DUE] = NLU_EXPECT_TIME,
    };
    return table[ask];
}

static enum gw_step begin_action(struct gw_dialogue *d)
{
    const struct gw_action *action = &d->action;
    d->command = (struct nlu_command){.intent = verbs[action->verb].intent, .confidence = 1};
    d->reply.intent = nlu_intent_name(d->command.intent);
    if (!base_id_is_null(action->task)) {
        d->has_chosen = true;
        d->chosen = action->task;
    }
    if (action->verb == GW_CONFIRM || action->verb == GW_CHOOSE) {
        if (action->verb == GW_CONFIRM && !action->yes)
            return enter(d, &gw_no_handler);
        bool open = d->talk.ask == (action->verb == GW_CONFIRM ? GW_ASK_CONFIRM : GW_ASK_CHOOSE);
        if (!open)
            return enter(d, &gw_yes_handler);
        d->confirmed = action->verb == GW_CONFIRM;
        return resume(d, d->talk.asked_text);
    }
    d->command.fields.snooze_s = action->minutes * 60;
    return enter(d, verbs[action->verb].handler);
}

enum gw_step gw_dialogue_begin(struct gw_dialogue *d)
{
    base_buf_init(&d->reply.text, REPLY_TEXT_MAX);
    if (d->action.verb != GW_NO_VERB)
        return begin_action(d);
    if (!understand(d, d->text, expectation(d->talk.ask)))
        return GW_ANSWERED;
    enum gw_step step;
    if (d->talk.ask != GW_ASK_NOTHING && answers(d, &step))
        return step;
    bool closes = d->command.intent == NLU_NO || d->command.intent == NLU_CANCEL;
    if (!closes)
        d->talk.ask = GW_ASK_NOTHING;
    return enter(d, handlers[d->command.intent]);
}

enum gw_step gw_dialogue_found(struct gw_dialogue *d, struct task *tasks, size_t count)
{
    return d->handler->found ? d->handler->found(d, tasks, count)
                             : gw_target_found(d, tasks, count);
}

enum gw_step gw_dialogue_receipts(struct gw_dialogue *d, const struct task_receipt *receipts,
                                  size_t count)
{
    return d->handler->receipts(d, receipts, count);
}

enum gw_step gw_dialogue_set(struct gw_dialogue *d)
{
    return d->handler->set(d);
}

void gw_dialogue_done(struct gw_dialogue *d)
{
    base_buf_done(&d->reply.text);
}

/* The reply. */

static void suggestion_json(struct base_buf *buf, const struct gw_suggestion *suggestion)
{
    char id[BASE_ID_TEXT + 1];
    base_json_open(buf, '{');
    base_json_kv_str(buf, "label", suggestion->label);
    if (suggestion->text.len) {
        base_json_kv_str(buf, "text", suggestion->text);
    } else {
        base_json_kv_str(buf, "action", base_sv_from(suggestion->action));
        if (!base_id_is_null(suggestion->task)) {
            base_id_text(suggestion->task, id);
            base_json_kv_str(buf, "task", base_sv_from(id));
        }
        if (suggestion->minutes) {
            base_json_key(buf, "args");
            base_json_open(buf, '{');
            base_json_kv_int(buf, "minutes", suggestion->minutes);
            base_json_close(buf, '}');
        }
    }
    base_json_close(buf, '}');
}

static void tasks_json(const struct gw_dialogue *d, struct base_buf *buf)
{
    const struct gw_reply *reply = &d->reply;
    if (reply->task_count == 1 && !reply->is_list) {
        base_json_key(buf, "task");
        task_json(buf, reply->tasks[0], d->ctx.now_us);
    } else if (reply->task_count || reply->is_list) {
        base_json_key(buf, "tasks");
        base_json_open(buf, '[');
        for (size_t i = 0; i < reply->task_count && buf->len < TASKS_BYTES; i++)
            task_json(buf, reply->tasks[i], d->ctx.now_us);
        base_json_close(buf, ']');
    }
}

void gw_understood_json(const struct nlu_result *understood, struct base_buf *buf)
{
    base_json_key(buf, "understood");
    base_json_open(buf, '[');
    for (size_t i = 0; i < understood->span_count; i++) {
        const struct nlu_span *span = &understood->spans[i];
        base_json_open(buf, '{');
        base_json_kv_str(buf, "type", base_sv_from(span->type));
        base_json_kv_int(buf, "start", (int64_t)span->start);
        base_json_kv_int(buf, "end", (int64_t)span->end);
        base_json_kv_str(buf, "value", span->value);
        base_json_close(buf, '}');
    }
    base_json_close(buf, ']');
    base_json_key(buf, "warnings");
    base_json_open(buf, '[');
    for (size_t i = 0; i < understood->warning_count; i++)
        base_json_str(buf, understood->warnings[i]);
    base_json_close(buf, ']');
}

void gw_dialogue_reply_json(const struct gw_dialogue *d, struct base_sv to, struct base_buf *buf)
{
    const struct gw_reply *reply = &d->reply;
    base_json_open(buf, '{');
    base_json_kv_str(buf, "type", SV("reply"));
    base_json_kv_str(buf, "to", to);
    base_json_kv_str(buf, "intent", base_sv_from(reply->intent));
    base_json_kv_str(buf, "text", base_buf_sv(&reply->text));
    tasks_json(d, buf);
    base_json_key(buf, "suggestions");
    base_json_open(buf, '[');
    for (size_t i = 0; i < reply->suggestion_count; i++)
        suggestion_json(buf, &reply->suggestions[i]);
    base_json_close(buf, ']');
    gw_understood_json(&d->understood, buf);
    base_json_close(buf, '}');
}
