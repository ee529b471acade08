/* SPDX-License-Identifier: Apache-2.0 */
/* todo-admin: the operator's command. Finds the sub-command; everything else is the command's. */
#include <stdio.h>
#include <string.h>

#include "admin/command.h"

static const struct admin_command commands[] = {
    {"migrate", "bring the database's schema up to date", admin_migrate},
    {"rrule", "expand recurrence rules: JSON lines from standard input", admin_rrule},
    {"token", "print a token for development", admin_token},
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void print_usage(FILE *out)
{
    (void)fputs("Usage: todo-admin COMMAND [OPTION…]\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        (void)fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
    (void)fputs("todo-admin COMMAND --help tells more; --version prints the version.\n", out);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0) {
        print_usage(stdout);
        return ADMIN_OK;
    }
    if (strcmp(name, "--version") == 0) {
        (void)puts("todo-admin " TODO_VERSION);
        return ADMIN_OK;
    }
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (*name)
        (void)fprintf(stderr, "todo-admin: unknown command \"%s\"\n", name);
    print_usage(stderr);
    return ADMIN_USAGE;
}
