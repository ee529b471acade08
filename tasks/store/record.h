/* SPDX-License-Identifier: Apache-2.0 */
/* What a task was, what became of its occurrences, and how records end. */
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

/* What the chunks of an import have stored so far; NOT_FOUND: none of that name. */
typedef void (*task_progress_fn)(void *ctx, enum base_err err, int64_t imported, int64_t there);
void task_store_import_progress(struct task_store *store, struct base_sv user_id,
                                struct base_sv name, task_progress_fn fn, void *ctx);

/* Takes away for ever, some rows in each call, what lies in the trash for so many days and what was
 * said so many days ago. */
typedef void (*task_swept_fn)(void *ctx, enum base_err err, int64_t tasks, int64_t turns);
void task_store_sweep(struct task_store *store, int32_t trash_days, int32_t turns_days,
                      int32_t limit, task_swept_fn fn, void *ctx);

/* Takes away all of a user's, and revokes his tokens as task_store_revoke does. */
struct task_erased {
    int64_t tasks, turns, events;
};
typedef void (*task_erased_fn)(void *ctx, enum base_err err, const struct task_erased *erased);
void task_store_erase(struct task_store *store, struct base_sv user_id, task_erased_fn fn,
                      void *ctx);

/* Tokens issued until now are revoked, and a session.revoked event tells every gateway. */
void task_store_revoke(struct task_store *store, struct base_sv user_id, task_done_fn fn,
                       void *ctx);

/* The calendar feed: the SHA-256 of its secret as 64 hex digits, or empty for none. */
void task_store_set_feed(struct task_store *store, struct base_sv user_id, struct base_sv digest,
                         task_done_fn fn, void *ctx);
/* Whose it is; NOT_FOUND. The view is valid during the callback. */
typedef void (*task_feed_fn)(void *ctx, enum base_err err, struct base_sv user_id);
void task_store_feed(struct task_store *store, struct base_sv digest, task_feed_fn fn, void *ctx);

#endif
