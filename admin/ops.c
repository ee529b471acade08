/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/ops.h"

#include <stdio.h>

#include "admin/command.h"

enum { ERRORS_MAX = 4096 };

static void complain(const char *command, struct base_buf *errors)
{
    (void)fprintf(stderr, "todo-admin %s: %.*s\n", command,
                  SV_FMT(base_sv_trim(base_buf_sv(errors))));
}

struct task_ops *admin_ops_open(const char *command, const char *url)
{
    struct task_ops *ops = NULL;
    struct base_buf errors;
    base_buf_init(&errors, ERRORS_MAX);
    if (task_ops_open(url, &ops, &errors) != BASE_OK)
        complain(command, &errors);
    base_buf_done(&errors);
    return ops;
}

bool admin_ops_run(struct task_ops *ops, const char *command, enum task_ops_query query,
                   const char *const *params, task_ops_row_fn fn, void *ctx)
{
    struct base_buf errors;
    base_buf_init(&errors, ERRORS_MAX);
    bool ok = task_ops_run(ops, query, params, fn, ctx, &errors) == BASE_OK;
    if (!ok)
        complain(command, &errors);
    base_buf_done(&errors);
    return ok;
}

int admin_ops_ask(const char *command, const char *url, enum task_ops_query query,
                  const char *const *params, task_ops_row_fn fn, void *ctx)
{
    struct task_ops *ops = admin_ops_open(command, url);
    bool ok = ops && admin_ops_run(ops, command, query, params, fn, ctx);
    task_ops_close(ops);
    return ok ? ADMIN_OK : ADMIN_FAILED;
}

void admin_ops_print_firing(void *ctx, const char *const *cells, int count)
{
    size_t *rows = ctx;
    (void)count;
    if ((*rows)++ == 0)
        (void)printf("%-24s  %-36s  %-20s  %5s %6s  %s\n", "due", "reminder", "user", "occ.",
                     "repeat", "title");
    (void)printf("%-24s  %-36s  %-20s  %5s %6s  %s\n", cells[0], cells[4], cells[2], cells[5],
                 cells[6], cells[8]);
}
