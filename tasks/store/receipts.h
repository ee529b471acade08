/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a task's reminders: the answer to "why did (or didn't) you remind me?". */
#ifndef TASKS_STORE_RECEIPTS_H
#define TASKS_STORE_RECEIPTS_H

#include "tasks/store/store.h"

/* As the database has them. */
enum task_receipt_state {
    TASK_RECEIPT_WAITING, /* still in the queue */
    TASK_RECEIPT_FIRED,
    TASK_RECEIPT_LATE,
    TASK_RECEIPT_MISSED,  /* too late to be sent */
    TASK_RECEIPT_CLEARED, /* nothing was left to remind of */
};

/* One firing, from scheduled to acknowledged; 0 = not yet, or never. */
struct task_receipt {
    struct base_id reminder;
    int32_t occurrence, repeat;
    enum task_receipt_state state;
    int64_t due_us;
    int64_t held_until_us; /* quiet hours held it back */
    int64_t fired_us;
    int64_t published_us;
    int64_t delivered_us; /* handed to a session of its user */
    int64_t acked_us;     /* shown on a device */
};

enum { TASK_RECEIPTS_MAX = 50 };

/* Newest due time first. In the arena. */
typedef void (*task_receipts_fn)(void *ctx, enum base_err err, const struct task_receipt *receipts,
                                 size_t count);
void task_store_receipts(struct task_store *store, struct base_sv user_id, struct base_id task,
                         struct base_arena *arena, task_receipts_fn fn, void *ctx);

/* These reminder events were handed to sessions. Nobody waits for the outcome. */
struct task_delivery {
    struct base_id event;
    int64_t at_us;
};
void task_store_delivered(struct task_store *store, const struct task_delivery *deliveries,
                          size_t count);

#endif
