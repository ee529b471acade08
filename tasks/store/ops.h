/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operator asks the database: one blocking connection and a table of statements whose
 * results come as text. For todo-admin only, never on a loop.
 */
#ifndef TASKS_STORE_OPS_H
#define TASKS_STORE_OPS_H

#include "lib/base/buf.h"

struct task_ops;

enum task_ops_query {
    /* $1 = task: title, user, status, due, zone, occurrence, version, recurring, next review. */
    TASK_OPS_TASK,
    /* $1 = task. Each firing, oldest first: due, reminder, occurrence, repeat, state, late by (s),
     * held until, published, delivered, acknowledged (each in s after the firing, or empty). */
    TASK_OPS_RECEIPTS,
    /* $1 = task: number, due, outcome, when. */
    TASK_OPS_OCCURRENCES,
    /* $1 = user or empty, $2 = at most: due, rank, user, task, reminder, occurrence, repeat,
     * attempts, title. */
    TASK_OPS_QUEUE,
    /* No parameter: rows, due now, set aside, next due. */
    TASK_OPS_QUEUE_DEPTH,
    /* $1 = reminder: takes its firings out of the queue, with receipts that say cleared; their
     * occurrences. */
    TASK_OPS_QUEUE_CANCEL,
    /* $1 = user or empty, $2 = at most: what was set aside, columns as of TASK_OPS_QUEUE. */
    TASK_OPS_SET_ASIDE,
    /* $1 = reminder or empty for all: tried again from the beginning; the reminders. */
    TASK_OPS_REPLAY,
    /* $1 = user: tokens issued until now are revoked; until when. */
    TASK_OPS_REVOKE,
    TASK_OPS_COUNT
};

/* UNAVAILABLE: no connection; errors says why. */
BASE_MUST_CHECK enum base_err task_ops_open(const char *url, struct task_ops **ret_ops,
                                            struct base_buf *errors);
void task_ops_close(struct task_ops *ops);

/* A result row as text; NULL values are empty. Valid during the call. */
typedef void (*task_ops_row_fn)(void *ctx, const char *const *cells, int count);

/* params: as many as the query takes. INVALID: a parameter that cannot be (a bad id); INTERNAL: the
 * database refused; errors says why. */
BASE_MUST_CHECK enum base_err task_ops_run(struct task_ops *ops, enum task_ops_query query,
                                           const char *const *params, task_ops_row_fn fn, void *ctx,
                                           struct base_buf *errors);

#endif
