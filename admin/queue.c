/* SPDX-License-Identifier: Apache-2.0 */
/* todo-admin queue: the reminders still to come. */
#include <stdio.h>

#include "admin/args.h"
#include "admin/command.h"
#include "admin/ops.h"

static void print_depth(void *ctx, const char *const *cells, int count)
{
    (void)ctx;
    (void)count;
    (void)printf("%s in the queue, %s due now, %s set aside; the next is due %s\n", cells[0],
                 cells[1], cells[2], *cells[3] ? cells[3] : "never");
}

static int list(int argc, char **argv)
{
    const char *url = NULL, *user = "", *limit = "50";
    const struct admin_option options[] = {
        {"--user", &user, NULL, false, "only this user's"},
        {"--limit", &limit, NULL, false, "how many"},
        ADMIN_DATABASE_OPTION(url),
    };
    int status;
    size_t rows = 0;
    if (!admin_args_parse(options, sizeof(options) / sizeof(options[0]), argc, argv, &status))
        return status;
    struct task_ops *ops = admin_ops_open("queue list", url);
    bool ok = ops &&
              admin_ops_run(ops, "queue list", TASK_OPS_QUEUE_DEPTH, NULL, print_depth, NULL) &&
              admin_ops_run(ops, "queue list", TASK_OPS_QUEUE, (const char *const[]){user, limit},
                            admin_ops_print_firing, &rows);
    task_ops_close(ops);
    return ok ? ADMIN_OK : ADMIN_FAILED;
}

static void print_cancelled(void *ctx, const char *const *cells, int count)
{
    size_t *rows = ctx;
    (void)count;
    (*rows)++;
    (void)printf("cancelled: occurrence %s\n", cells[0]);
}

static int cancel(int argc, char **argv)
{
    const char *url = NULL, *reminder = NULL;
    const struct admin_option options[] = {
        {"REMINDER", &reminder, NULL, true, "its id, as queue list shows it"},
        ADMIN_DATABASE_OPTION(url),
    };
    int status;
    size_t rows = 0;
    if (!admin_args_parse(options, sizeof(options) / sizeof(options[0]), argc, argv, &status))
        return status;
    status = admin_ops_ask("queue cancel", url, TASK_OPS_QUEUE_CANCEL,
                           (const char *const[]){reminder}, print_cancelled, &rows);
    if (status == ADMIN_OK && rows == 0) {
        (void)fputs("todo-admin queue cancel: no such reminder is in the queue\n", stderr);
        return ADMIN_FAILED;
    }
    return status;
}

int admin_queue(int argc, char **argv)
{
    static const struct admin_command commands[] = {
        {"cancel", "take a reminder out of the queue; its receipt says cleared", cancel},
        {"list", "how many there are, and those due next", list},
    };
    return admin_run_sub(commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
