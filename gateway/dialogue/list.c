/* SPDX-License-Identifier: Apache-2.0 */
/* Showing tasks, numbered, so that "the second one" has a meaning afterwards. */
#include "gateway/dialogue/handler.h"

enum { SHOWN = GW_LISTED_MAX };

static void number(struct base_buf *buf, size_t n)
{
    base_buf_add_int(buf, (int64_t)n);
}

static void say_count(struct gw_dialogue *d, enum gw_phrase phrase, size_t n)
{
    struct base_buf text;
    base_buf_init(&text, 24);
    number(&text, n);
    GW_REPLY(d, phrase, base_buf_sv(&text));
    base_buf_done(&text);
}

static void say_task(struct gw_dialogue *d, const struct task *task, size_t n)
{
    struct base_buf *text = &d->reply.text;
    gw_reply_line(d);
    number(text, n);
    base_buf_add(text, SV(". "));
    base_buf_add(text, task->title);
    if (task->due.kind != TASK_DUE_NONE) {
        base_buf_add(text, SV(" · "));
        base_buf_add(text, gw_due_text(d, &task->due));
    }
    if (task->status == TASK_DONE) {
        base_buf_add(text, SV(" · "));
        GW_REPLY(d, SAY_DONE_ITEM);
    } else if (task_overdue(task, &d->ctx.settings, d->ctx.now_us)) {
        base_buf_add(text, SV(" · "));
        GW_REPLY(d, SAY_OVERDUE);
    }
}

void gw_list(struct gw_dialogue *d, struct task *tasks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i < SHOWN)
            say_task(d, &tasks[i], i + 1);
        gw_reply_task(d, &tasks[i]);
    }
    if (count > SHOWN) {
        gw_reply_line(d);
        say_count(d, SAY_LIST_MORE, count - SHOWN);
    }
    d->reply.is_list = true;
    gw_talk_list(&d->talk, tasks, count);
}

static void set_bound(struct gw_dialogue *d, const struct nlu_when *when, bool *ret_has,
                      int64_t *ret_us)
{
    if (!when->set)
        return;
    const struct time_zone *zone = d->zone;
    if (when->zone.len && time_zone_load(when->zone, &zone) != BASE_OK)
        zone = d->zone;
    *ret_has = true;
    *ret_us = time_zone_instant(zone, when->at, NULL);
}

static int64_t start_of_today(const struct gw_dialogue *d)
{
    struct time_civil today = time_zone_civil(d->ctx.settings.home, d->ctx.now_us);
    return time_days_from_civil(today.year, today.month, today.day) * 86400 * 1000000;
}

void gw_filter(struct gw_dialogue *d)
{
    const struct nlu_filter *filter = &d->command.filter;
    struct task_query *query = &d->query;
    *query = (struct task_query){.user_id = d->ctx.user_id, .limit = GW_REPLY_TASKS_MAX};
    query->statuses = filter->all    ? TASK_QUERY_OPEN | TASK_QUERY_DONE
                      : filter->done ? TASK_QUERY_DONE
                                     : TASK_QUERY_OPEN;
    query->priority = filter->priority;
    query->tag = filter->tag;
    query->project = filter->project;
    query->overdue = filter->overdue;
    query->overdue_us = d->ctx.now_us;
    query->today_local_us = start_of_today(d);
    set_bound(d, &filter->from, &query->has_from, &query->from_us);
    set_bound(d, &filter->to, &query->has_to, &query->to_us);
    if (filter->text.len) {
        struct base_sv *word = BASE_ARENA_NEW(d->arena, struct base_sv);
        if (word) {
            *word = filter->text;
            query->words = word;
            query->word_count = 1;
        }
    }
}

static enum gw_step begin_list(struct gw_dialogue *d)
{
    gw_filter(d);
    return GW_FIND;
}

static enum gw_step list_found(struct gw_dialogue *d, struct task *tasks, size_t count)
{
    if (count == 0) {
        GW_REPLY(d, SAY_LIST_NONE);
        d->reply.is_list = true;
        return GW_ANSWERED;
    }
    if (count == 1)
        GW_REPLY(d, SAY_LIST_ONE);
    else
        say_count(d, SAY_LIST_MANY, count);
    gw_list(d, tasks, count);
    return GW_ANSWERED;
}

static enum gw_step reminders_found(struct gw_dialogue *d, struct task *tasks, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t at;
        if (task_next_reminder(&tasks[i], d->ctx.now_us, &at))
            tasks[kept++] = tasks[i];
    }
    if (kept == 0) {
        GW_REPLY(d, SAY_REMINDERS_NONE);
        d->reply.is_list = true;
        return GW_ANSWERED;
    }
    return list_found(d, tasks, kept);
}

const struct gw_handler gw_list_handler = {.begin = begin_list, .found = list_found};
const struct gw_handler gw_reminder_list_handler = {.begin = begin_list, .found = reminders_found};
