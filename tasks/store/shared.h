/* SPDX-License-Identifier: Apache-2.0 */
/* Small values with an end, shared by all gateways; gateway/state gives them their meaning. */
#ifndef TASKS_STORE_SHARED_H
#define TASKS_STORE_SHARED_H

#include "tasks/store/store.h"

/* NOT_FOUND: there is none, or its time is over. Valid during the callback. */
typedef void (*task_shared_fn)(void *ctx, enum base_err err, struct base_sv value, int64_t etag);
void task_store_shared_get(struct task_store *store, struct base_sv key, task_shared_fn fn,
                           void *ctx);
/* etag: of what is to be replaced; 0: there must be none yet. STALE otherwise, or if the answer to
 * an attempt that succeeded was lost. */
void task_store_shared_put(struct task_store *store, struct base_sv key, struct base_sv value,
                           int64_t etag, int32_t ttl_s, task_done_fn fn, void *ctx);
/* STALE: it is another one by now, or gone. */
void task_store_shared_remove(struct task_store *store, struct base_sv key, int64_t etag,
                              task_done_fn fn, void *ctx);

#endif
