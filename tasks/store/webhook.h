/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks: a user's list of them, and the queue of what is to be delivered. */
#ifndef TASKS_STORE_WEBHOOK_H
#define TASKS_STORE_WEBHOOK_H

#include "tasks/store/store.h"

enum { TASK_HOOKS_MAX = 10, TASK_HOOK_URL_MAX = 2000 };

struct task_hook {
    struct base_id id;
    struct base_sv url;
    struct base_sv secret; /* when it is made only */
    struct base_sv types;  /* joined by ',', empty: all */
    int64_t created_us;
    int64_t delivered;
    int64_t failures; /* in a row */
    struct base_sv last_error;
    bool disabled; /* the other side answered 410 */
};

/* CONFLICT: the user has TASK_HOOKS_MAX of them. */
void task_store_hook_add(struct task_store *store, struct base_sv user_id,
                         const struct task_hook *hook, task_done_fn fn, void *ctx);
/* NOT_FOUND */
void task_store_hook_remove(struct task_store *store, struct base_sv user_id, struct base_id id,
                            task_done_fn fn, void *ctx);
/* Oldest first; valid during the callback. */
typedef void (*task_hooks_fn)(void *ctx, enum base_err err, const struct task_hook *hooks,
                              size_t count);
void task_store_hooks(struct task_store *store, struct base_sv user_id, task_hooks_fn fn,
                      void *ctx);

/* Events for whoever wants them; those that wait already are left as they are. */
struct task_hook_event {
    struct base_sv user_id, type;
    struct base_id id;
    struct base_sv payload;
};
void task_store_hook_queue(struct task_store *store, const struct task_hook_event *events,
                           size_t count, task_done_fn fn, void *ctx);

/* What is due, leased for a minute: a delivery that nobody settles is due again then. At most four
 * of a hook at once. Valid during the callback. */
struct task_delivery_due {
    struct base_id hook, event;
    struct base_sv user_id, url, secret, payload;
    int32_t attempts; /* this one included */
};
typedef void (*task_due_fn)(void *ctx, enum base_err err, const struct task_delivery_due *due,
                            size_t count);
void task_store_hook_claim(struct task_store *store, int32_t limit, task_due_fn fn, void *ctx);

enum task_hook_outcome {
    TASK_HOOK_DONE,
    TASK_HOOK_AGAIN, /* after_s later */
    TASK_HOOK_DEAD,  /* given up */
    TASK_HOOK_GONE,  /* the hook is disabled */
};
void task_store_hook_settle(struct task_store *store, struct base_id hook, struct base_id event,
                            enum task_hook_outcome outcome, int32_t after_s, struct base_sv error,
                            task_done_fn fn, void *ctx);

#endif
