/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of a sub-command as a table: "--name VALUE" or "--name=VALUE", else the environment,
 * else what the variable held before. A name without dashes is a place: "TASK". */
#ifndef ADMIN_ARGS_H
#define ADMIN_ARGS_H

#include <stdbool.h>
#include <stddef.h>

struct admin_option {
    const char *name; /* "--user", "TASK" */
    const char **value;
    const char *env; /* NULL: none */
    bool needed;
    const char *help;
};

/* False: help or a complaint was printed, and *ret_exit is the status to leave with. */
bool admin_args_parse(const struct admin_option *options, size_t count, int argc, char **argv,
                      int *ret_exit);

#endif
