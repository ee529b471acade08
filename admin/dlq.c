/* SPDX-License-Identifier: Apache-2.0 */
/* todo-admin dlq: reminders that failed too often and were set aside. */
#include <stdio.h>

#include "admin/args.h"
#include "admin/command.h"
#include "admin/ops.h"

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
    status = admin_ops_ask("dlq list", url, TASK_OPS_SET_ASIDE, (const char *const[]){user, limit},
                           admin_ops_print_firing, &rows);
    if (status == ADMIN_OK && rows == 0)
        (void)puts("nothing was set aside");
    return status;
}

static void print_replayed(void *ctx, const char *const *cells, int count)
{
    size_t *rows = ctx;
    (void)count;
    (*rows)++;
    (void)printf("tried again: %s\n", cells[0]);
}

static int replay(int argc, char **argv)
{
    const char *url = NULL, *reminder = NULL, *all = NULL;
    const struct admin_option options[] = {
        {"REMINDER", &reminder, NULL, false, "its id, as dlq list shows it"},
        {"--all", &all, NULL, false, "yes: all that were set aside"},
        ADMIN_DATABASE_OPTION(url),
    };
    int status;
    size_t rows = 0;
    if (!admin_args_parse(options, sizeof(options) / sizeof(options[0]), argc, argv, &status))
        return status;
    if (!reminder && !all) {
        (void)fputs("todo-admin dlq replay: which? a REMINDER, or --all yes\n", stderr);
        return ADMIN_USAGE;
    }
    status = admin_ops_ask("dlq replay", url, TASK_OPS_REPLAY,
                           (const char *const[]){reminder ? reminder : ""}, print_replayed, &rows);
    if (status == ADMIN_OK && rows == 0) {
        (void)fputs("todo-admin dlq replay: nothing like it was set aside\n", stderr);
        return ADMIN_FAILED;
    }
    return status;
}

int admin_dlq(int argc, char **argv)
{
    static const struct admin_command commands[] = {
        {"list", "what was set aside", list},
        {"replay", "try it again from the beginning", replay},
    };
    return admin_run_sub(commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
