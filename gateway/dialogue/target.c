/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which tasks a command is about: the one picked, a number of the last list, "it", "all", or words
 * of a title. Not clear: the user is asked. Many: the user confirms. Then the handler acts on each.
 */
#include "gateway/dialogue/handler.h"

enum { CANDIDATES = 50, WORDS_MAX = 16 };

static enum gw_step find(struct gw_dialogue *d, int32_t limit)
{
    d->query.user_id = d->ctx.user_id;
    d->query.statuses = d->handler->statuses ? d->handler->statuses : TASK_QUERY_OPEN;
    d->query.limit = limit;
    return GW_FIND;
}

static enum gw_step find_id(struct gw_dialogue *d, struct base_id id)
{
    struct base_id *ids = BASE_ARENA_NEW(d->arena, struct base_id);
    if (!ids) {
        gw_reply_problem(d, BASE_NO_MEMORY, NULL);
        return GW_ANSWERED;
    }
    *ids = id;
    d->query.ids = ids;
    d->query.id_count = 1;
    d->has_chosen = true;
    d->chosen = id;
    enum gw_step step = find(d, 1);
    d->query.statuses = TASK_QUERY_OPEN | TASK_QUERY_DONE | TASK_QUERY_DELETED;
    return step;
}

static enum gw_step find_words(struct gw_dialogue *d, struct base_sv text)
{
    struct base_sv *words = base_arena_array(d->arena, WORDS_MAX, sizeof(*words));
    size_t count;
    if (!words) {
        gw_reply_problem(d, BASE_NO_MEMORY, NULL);
        return GW_ANSWERED;
    }
    count = gw_choice_words(text, words, WORDS_MAX);
    d->query.words = words;
    d->query.word_count = count;
    return find(d, CANDIDATES);
}

static enum gw_step find_number(struct gw_dialogue *d, int number)
{
    char digits[16];
    if (number < 0)
        number = (int)d->talk.listed_count + 1 + number;
    if (number >= 1 && (size_t)number <= d->talk.listed_count)
        return find_id(d, d->talk.listed[number - 1]);
    struct base_buf text;
    base_buf_init(&text, sizeof(digits));
    base_buf_add_int(&text, number);
    GW_REPLY(d, SAY_NO_SUCH_NUMBER, base_buf_sv(&text));
    base_buf_done(&text);
    return GW_ANSWERED;
}

enum gw_step gw_target_begin(struct gw_dialogue *d)
{
    struct nlu_target *target = &d->command.target;
    /* Whoever says "all" and names nothing must not lose the one task spoken of last. */
    if (!target->number && !target->ref && !target->text.len && gw_choice_is_all(d->text))
        target->ref = NLU_REF_ALL;
    if (d->has_chosen)
        return find_id(d, d->chosen);
    if (target->number)
        return find_number(d, target->number);
    if (target->ref == NLU_REF_ALL) {
        const struct nlu_filter *filter = &d->command.filter;
        gw_filter(d);
        unsigned statuses = d->query.statuses;
        enum gw_step step = find(d, GW_CHANGES_MAX);
        if (filter->done || filter->all)
            d->query.statuses = statuses;
        return step;
    }
    if (target->text.len && !gw_choice_is_it(target->text))
        return find_words(d, target->text);
    if (d->talk.has_it)
        return find_id(d, d->talk.it);
    GW_REPLY(d, SAY_NOT_FOUND_IT);
    return GW_ANSWERED;
}

static void act(struct gw_dialogue *d, struct task *tasks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct task_problem problem = {0};
        struct task_change *change = &d->changes[d->change_count];
        enum base_err err = d->handler->act(d, &tasks[i], change, &problem);
        if (err != BASE_OK) {
            gw_reply_problem(d, err, &problem);
            continue;
        }
        d->change_count++;
        gw_reply_task(d, change->after);
    }
    if (d->change_count == 0)
        return;
    if (d->change_count == 1) {
        gw_talk_it(&d->talk, d->changes[0].after->id);
        d->handler->say_one(d, &d->changes[0]);
    } else {
        struct base_buf number;
        base_buf_init(&number, 16);
        base_buf_add_int(&number, (int64_t)d->change_count);
        GW_REPLY(d, d->handler->say_many, base_buf_sv(&number));
        base_buf_done(&number);
    }
    gw_suggest_action(d, SAY_LABEL_UNDO, "undo", (struct base_id){0}, 0);
}

static void ask_which(struct gw_dialogue *d, struct task *tasks, size_t count)
{
    GW_REPLY(d, SAY_WHICH);
    gw_list(d, tasks, count);
    gw_ask(d, GW_ASK_CHOOSE);
}

static void ask_confirm(struct gw_dialogue *d, size_t count)
{
    struct base_buf number;
    base_buf_init(&number, 16);
    base_buf_add_int(&number, (int64_t)count);
    GW_REPLY(d, d->handler->confirm_many, base_buf_sv(&number));
    base_buf_done(&number);
    gw_ask(d, GW_ASK_CONFIRM);
    gw_suggest_text(d, SAY_LABEL_YES, gw_phrase(d->language, SAY_LABEL_YES));
    gw_suggest_text(d, SAY_LABEL_NO, gw_phrase(d->language, SAY_LABEL_NO));
}

/* Of several tasks with these words, one that is called exactly so. */
static struct task *exact(struct task *tasks, size_t count, struct base_sv text)
{
    struct task *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!base_sv_eq_i(tasks[i].title, text))
            continue;
        if (found)
            return NULL;
        found = &tasks[i];
    }
    return found;
}

enum gw_step gw_target_found(struct gw_dialogue *d, struct task *tasks, size_t count)
{
    const struct nlu_target *target = &d->command.target;
    bool all = target->ref == NLU_REF_ALL && !d->has_chosen;
    if (count == 0 && d->action.verb != GW_NO_VERB) {
        gw_reply_problem(d, BASE_NOT_FOUND,
                         &(struct task_problem){"task", "there is no such task"});
        return GW_ANSWERED;
    }
    if (count == 0) {
        if (target->text.len && !d->has_chosen && !all)
            GW_REPLY(d, SAY_NOT_FOUND, target->text);
        else
            GW_REPLY(d, all ? SAY_LIST_NONE : SAY_NOT_FOUND_IT);
        return GW_ANSWERED;
    }
    struct task *one = count > 1 && !all ? exact(tasks, count, target->text) : NULL;
    if (one)
        act(d, one, 1);
    else if (count > 1 && !all)
        ask_which(d, tasks, count);
    else if (count > 1 && !d->confirmed)
        ask_confirm(d, count);
    else
        act(d, tasks, count);
    return GW_ANSWERED;
}
