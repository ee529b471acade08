/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Schema migrations: numbered SQL files built into the program, applied in order, each in a
 * transaction, all under one advisory lock, so that any number of processes may start at once.
 * Blocking: for start-up and todo-admin, never on a loop.
 */
#ifndef TASKS_STORE_MIGRATE_H
#define TASKS_STORE_MIGRATE_H

#include "lib/base/buf.h"

/* The newest version this program knows. It works with a database of this version or one ahead. */
int task_migrate_latest(void);

/* Brings the database to the newest version. ret_from and ret_to tell what was there and is now.
 * UNAVAILABLE: no connection; CONFLICT: the database is more than one version ahead; details in
 * errors. */
BASE_MUST_CHECK enum base_err task_migrate(const char *url, int *ret_from, int *ret_to,
                                           struct base_buf *errors);

#endif
