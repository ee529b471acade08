/* SPDX-License-Identifier: Apache-2.0 */
/* todo-admin migrate: brings the database's schema to the version this program knows. */
#include "tasks/store/migrate.h"

#include <stdio.h>

#include "admin/args.h"
#include "admin/command.h"

int admin_migrate(int argc, char **argv)
{
    const char *url = NULL;
    const struct admin_option options[] = {
        {"--database-url", &url, "TODO_DATABASE_URL", true, "postgresql://…"},
    };
    struct base_buf errors;
    int status, from = 0, to = 0;
    if (!admin_args_parse(options, sizeof(options) / sizeof(options[0]), argc, argv, &status))
        return status;
    base_buf_init(&errors, 64 * 1024);
    enum base_err err = task_migrate(url, &from, &to, &errors);
    if (err == BASE_OK)
        (void)printf("schema %d → %d\n", from, to);
    else
        (void)fprintf(stderr, "todo-admin migrate: %s: %.*s\n", base_err_text(err),
                      SV_FMT(base_sv_trim(base_buf_sv(&errors))));
    base_buf_done(&errors);
    return err == BASE_OK ? ADMIN_OK : ADMIN_FAILED;
}
