/* SPDX-License-Identifier: Apache-2.0 */
/* What a task was and what became of its occurrences. */
#ifndef TASKS_STORE_RECORD_H
#define TASKS_STORE_RECORD_H

#include "tasks/store/store.h"

/* One version of a task and the turn that made it. In the caller's arena. */
struct task_record {
    struct task task;
    enum task_channel channel;
    struct base_sv device, client_id;
    struct base_sv text; /* the chat line; empty if there was none, or it is not kept any more */
};

/* Versions before a number (INT32_MAX: all), newest first. */
typedef void (*task_records_fn)(void *ctx, enum base_err err, const struct task_record *records,
                                size_t count);
void task_store_records(struct task_store *store, struct base_sv user_id, struct base_id task,
                        int32_t before, int32_t limit, struct base_arena *arena, task_records_fn fn,
                        void *ctx);

/* A closed occurrence. */
struct task_past {
    int32_t occurrence;
    bool has_due;
    struct time_civil due; /* wall time; its clock part means nothing for a task with a day only */
    int64_t due_us;
    enum task_outcome outcome;
    int64_t at_us;
};

/* Newest first. The task must be the user's. */
typedef void (*task_pasts_fn)(void *ctx, enum base_err err, const struct task_past *pasts,
                              size_t count);
void task_store_pasts(struct task_store *store, struct base_id task, int32_t limit,
                      struct base_arena *arena, task_pasts_fn fn, void *ctx);

#endif
