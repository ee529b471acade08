/* SPDX-License-Identifier: Apache-2.0 */
/* todo-admin revoke USER: his tokens end, his connections with them. */
#include <stdio.h>

#include "admin/args.h"
#include "admin/command.h"
#include "admin/ops.h"
#include "lib/auth/names.h"

static void print_until(void *ctx, const char *const *cells, int count)
{
    (void)ctx;
    (void)count;
    (void)printf("tokens issued until %s are revoked\n", cells[0]);
}

int admin_revoke(int argc, char **argv)
{
    const char *url = NULL, *user = NULL;
    const struct admin_option options[] = {
        {"USER", &user, NULL, true, "a token's sub"},
        ADMIN_DATABASE_OPTION(url),
    };
    int status;
    if (!admin_args_parse(options, sizeof(options) / sizeof(options[0]), argc, argv, &status))
        return status;
    if (!auth_user_valid(base_sv_from(user))) {
        (void)fprintf(stderr, "todo-admin revoke: \"%s\" cannot be a user id\n", user);
        return ADMIN_USAGE;
    }
    return admin_ops_ask("revoke", url, TASK_OPS_REVOKE, (const char *const[]){user}, print_until,
                         NULL);
}
