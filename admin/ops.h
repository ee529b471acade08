/* SPDX-License-Identifier: Apache-2.0 */
/* One question to the database with its complaint, for the sub-commands that ask it. */
#ifndef ADMIN_OPS_H
#define ADMIN_OPS_H

#include "tasks/store/ops.h"

#define ADMIN_DATABASE_OPTION(url)                                                                 \
    {                                                                                              \
        "--database-url", &(url), "TODO_DATABASE_URL", true, "postgresql://…"                    \
    }

/* NULL: a complaint was printed. */
struct task_ops *admin_ops_open(const char *command, const char *url);
/* False: a complaint was printed. */
bool admin_ops_run(struct task_ops *ops, const char *command, enum task_ops_query query,
                   const char *const *params, task_ops_row_fn fn, void *ctx);
/* A single question and nothing else; the exit status. */
int admin_ops_ask(const char *command, const char *url, enum task_ops_query query,
                  const char *const *params, task_ops_row_fn fn, void *ctx);

/* The rows of TASK_OPS_QUEUE and TASK_OPS_SET_ASIDE, one a line. */
void admin_ops_print_firing(void *ctx, const char *const *cells, int count);

#endif
