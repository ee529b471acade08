/* SPDX-License-Identifier: Apache-2.0 */
/* todo-admin: the operator's command. Finds the sub-command; everything else is the command's. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "admin/command.h"

static const struct admin_command commands[] = {
    {"audit", "verify the audit log", admin_audit},
    {"dlq", "list and replay what could not be delivered", admin_dlq},
    {"migrate", "bring the database's schema up to date", admin_migrate},
    {"queue", "list and cancel reminders that are still to come", admin_queue},
    {"revoke", "end a user's tokens and connections", admin_revoke},
    {"rrule", "expand recurrence rules: JSON lines from standard input", admin_rrule},
    {"token", "print a token for development", admin_token},
    {"top", "what gateways and bridges are doing, from their metrics", admin_top},
    {"topics", "make Kafka's topics, where the bus is dapr", admin_topics},
    {"why", "what became of a task's reminders", admin_why},
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void print_commands(FILE *out, const struct admin_command *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)fprintf(out, "  %-10s %s\n", list[i].name, list[i].help);
}

static const struct admin_command *find(const struct admin_command *list, size_t count,
                                        const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, list[i].name) == 0)
            return &list[i];
    return NULL;
}

int admin_run_sub(const struct admin_command *list, size_t count, int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    const struct admin_command *command = find(list, count, name);
    if (command)
        return command->run(argc - 1, argv + 1);
    bool help = strcmp(name, "--help") == 0;
    FILE *out = help ? stdout : stderr;
    if (!help && *name)
        (void)fprintf(stderr, "todo-admin %s: unknown command \"%s\"\n", argv[0], name);
    (void)fprintf(out, "Usage: todo-admin %s COMMAND [OPTION…]\n", argv[0]);
    print_commands(out, list, count);
    return help ? ADMIN_OK : ADMIN_USAGE;
}

static void print_usage(FILE *out)
{
    (void)fputs("Usage: todo-admin COMMAND [OPTION…]\n", out);
    print_commands(out, commands, COMMANDS);
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
    const struct admin_command *command = find(commands, COMMANDS, name);
    if (command)
        return command->run(argc - 1, argv + 1);
    if (*name)
        (void)fprintf(stderr, "todo-admin: unknown command \"%s\"\n", name);
    print_usage(stderr);
    return ADMIN_USAGE;
}
