/* SPDX-License-Identifier: Apache-2.0 */
/* "Why didn't you remind me?": what became of a task's reminders, from their receipts. */
#include "gateway/dialogue/handler.h"

static enum gw_step found(struct gw_dialogue *d, struct task *tasks, size_t count)
{
    if (count == 0) {
        GW_REPLY(d, SAY_NOT_FOUND_IT);
        return GW_ANSWERED;
    }
    d->found = tasks;
    d->found_count = 1;
    d->receipts_of = tasks[0].id;
    return GW_RECEIPTS;
}

static struct base_sv when(struct gw_dialogue *d, int64_t at_us)
{
    struct base_buf buf;
    base_buf_init(&buf, 128);
    gw_say_instant(&buf, d->language, at_us, d->zone, d->ctx.now_us);
    struct base_sv text = base_arena_sv(d->arena, base_buf_sv(&buf));
    base_buf_done(&buf);
    return text;
}

static void say_more(struct gw_dialogue *d, enum gw_phrase phrase, struct base_sv arg)
{
    base_buf_add_char(&d->reply.text, ' ');
    GW_REPLY(d, phrase, arg);
}

/* How far it got. */
static void say_way(struct gw_dialogue *d, const struct task_receipt *receipt)
{
    if (receipt->acked_us)
        say_more(d, SAY_WHY_SHOWN, SV_NULL);
    else
        say_more(d, receipt->delivered_us ? SAY_WHY_DELIVERED : SAY_WHY_NOBODY, SV_NULL);
}

static void say_receipt(struct gw_dialogue *d, const struct task_receipt *receipt)
{
    struct base_sv title = d->found[0].title;
    struct base_sv due = when(d, receipt->due_us);
    switch (receipt->state) {
    case TASK_RECEIPT_WAITING:
        if (receipt->held_until_us)
            GW_REPLY(d, SAY_WHY_HELD_BACK, title, when(d, receipt->held_until_us));
        else
            GW_REPLY(d, SAY_WHY_WAITING, title, due);
        break;
    case TASK_RECEIPT_FIRED:
        GW_REPLY(d, SAY_WHY_FIRED, title, when(d, receipt->fired_us));
        if (receipt->held_until_us)
            say_more(d, SAY_WHY_HELD, due);
        say_way(d, receipt);
        break;
    case TASK_RECEIPT_LATE:
        GW_REPLY(d, SAY_WHY_LATE, title, due, when(d, receipt->fired_us));
        say_way(d, receipt);
        break;
    case TASK_RECEIPT_MISSED:
        GW_REPLY(d, SAY_WHY_MISSED, title, due);
        break;
    case TASK_RECEIPT_CLEARED:
        GW_REPLY(d, SAY_WHY_CLEARED, title, due);
        break;
    }
}

/* The newest that should have come by now, and the next that will. */
static enum gw_step receipts(struct gw_dialogue *d, const struct task_receipt *receipts,
                             size_t count)
{
    const struct task_receipt *last = NULL;
    const struct task_receipt *next = NULL;
    for (size_t i = 0; i < count; i++) {
        bool coming = receipts[i].state == TASK_RECEIPT_WAITING && !receipts[i].held_until_us;
        if (coming)
            next = &receipts[i];
        else if (!last)
            last = &receipts[i];
    }
    gw_reply_task(d, &d->found[0]);
    if (!last && !next) {
        GW_REPLY(d, SAY_WHY_NONE, d->found[0].title);
        return GW_ANSWERED;
    }
    if (last)
        say_receipt(d, last);
    if (last && next)
        gw_reply_line(d);
    if (next)
        say_receipt(d, next);
    return GW_ANSWERED;
}

const struct gw_handler gw_why_handler = {.begin = gw_target_begin,
                                          .found = found,
                                          .receipts = receipts,
                                          .statuses = TASK_QUERY_OPEN | TASK_QUERY_DONE};
