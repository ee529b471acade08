/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's half of what time alone does to tasks (task_review): which tasks' review_at has come.
 * Claimed ones are leased for half a minute, so that several processes share the work and a crash
 * only delays it. A task whose reminders are due and have not fired yet waits for them.
 */
#ifndef TASKS_STORE_REVIEW_H
#define TASKS_STORE_REVIEW_H

#include "tasks/store/store.h"

/* A task to be looked at, and its user's settings. */
struct task_reviewee {
    struct task task;
    struct task_settings settings;
    int64_t now_us; /* by the database's clock */
};

/* At most limit of them, ordered by user, made in the arena. */
typedef void (*task_reviews_fn)(void *ctx, enum base_err err, struct task_reviewee *tasks,
                                size_t count);
void task_store_reviews(struct task_store *store, int32_t limit, struct base_arena *arena,
                        task_reviews_fn fn, void *ctx);

/* Nothing was to be done but to look again at review_us (0: never), if the version is still that.
 */
struct task_reviewed {
    struct base_id id;
    int32_t version;
    int64_t review_us;
};
void task_store_reviewed(struct task_store *store, const struct task_reviewed *tasks, size_t count,
                         task_done_fn fn, void *ctx);

/*
 * One step of having every open task derived anew if the time zone rules of this process are newer
 * than those the tasks were derived by: marks some tasks after *after for review and moves it on.
 * done: nothing is left to be marked. Begin with a null id.
 */
typedef void (*task_zones_fn)(void *ctx, enum base_err err, bool done, struct base_id after);
void task_store_review_zones(struct task_store *store, const char *version, struct base_id after,
                             task_zones_fn fn, void *ctx);

#endif
