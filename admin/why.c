/* SPDX-License-Identifier: Apache-2.0 */
/* todo-admin why TASK: the task, its closed occurrences, and each of its firings from scheduled to
 * acknowledged. */
#include <stdio.h>
#include <string.h>

#include "admin/args.h"
#include "admin/command.h"
#include "admin/ops.h"

static void print_task(void *ctx, const char *const *cells, int count)
{
    size_t *rows = ctx;
    (void)count;
    (*rows)++;
    (void)printf("\"%s\" of %s: %s, version %s, occurrence %s%s%s\n", cells[0], cells[1], cells[2],
                 cells[6], cells[5], *cells[7] ? ", " : "", cells[7]);
    if (*cells[3])
        (void)printf("  due %s %s\n", cells[3], cells[4]);
    if (*cells[8])
        (void)printf("  rolls on at %s\n", cells[8]);
}

static void print_occurrence(void *ctx, const char *const *cells, int count)
{
    (void)ctx;
    (void)count;
    (void)printf("  occurrence %s, due %s: %s at %s\n", cells[0], *cells[1] ? cells[1] : "never",
                 cells[2], cells[3]);
}

static void print_step(const char *name, const char *after_s)
{
    if (*after_s)
        (void)printf(", %s +%s s", name, after_s);
}

static void print_firing(void *ctx, const char *const *cells, int count)
{
    size_t *rows = ctx;
    (void)count;
    if ((*rows)++ == 0)
        (void)puts("firings:");
    (void)printf("  %s  reminder %s, occurrence %s, repeat %s: %s", cells[0], cells[1], cells[2],
                 cells[3], cells[4]);
    if (*cells[6])
        (void)printf(", held by quiet hours until %s", cells[6]);
    if (*cells[5])
        (void)printf(", %s s late", cells[5]);
    print_step("published", cells[7]);
    print_step("delivered", cells[8]);
    print_step("acknowledged", cells[9]);
    (void)putchar('\n');
}

int admin_why(int argc, char **argv)
{
    const char *url = NULL, *task = NULL;
    const struct admin_option options[] = {
        {"TASK", &task, NULL, true, "its id"},
        ADMIN_DATABASE_OPTION(url),
    };
    int status;
    size_t tasks = 0, firings = 0;
    if (!admin_args_parse(options, sizeof(options) / sizeof(options[0]), argc, argv, &status))
        return status;
    const char *const params[] = {task};
    struct task_ops *ops = admin_ops_open("why", url);
    bool ok = ops && admin_ops_run(ops, "why", TASK_OPS_TASK, params, print_task, &tasks) &&
              admin_ops_run(ops, "why", TASK_OPS_OCCURRENCES, params, print_occurrence, NULL) &&
              admin_ops_run(ops, "why", TASK_OPS_RECEIPTS, params, print_firing, &firings);
    task_ops_close(ops);
    if (!ok)
        return ADMIN_FAILED;
    if (tasks + firings == 0) {
        (void)fprintf(stderr, "todo-admin why: there is no task %s\n", task);
        return ADMIN_FAILED;
    }
    if (firings == 0)
        (void)puts("no reminder is on record");
    return ADMIN_OK;
}
