/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sub-commands of todo-admin. One file and one row in main.c's table each; a command reads its
 * own arguments, writes results to standard output and complaints to standard error, and may block.
 */
#ifndef ADMIN_COMMAND_H
#define ADMIN_COMMAND_H

#include <stddef.h>

/* Exit statuses. */
enum { ADMIN_OK = 0, ADMIN_FAILED = 1, ADMIN_USAGE = 2 };

struct admin_command {
    const char *name;
    const char *help; /* one line, for the list of commands */
    /* argv[0] is the command's name. */
    int (*run)(int argc, char **argv);
};

int admin_audit(int argc, char **argv);
int admin_dlq(int argc, char **argv);
int admin_migrate(int argc, char **argv);
int admin_queue(int argc, char **argv);
int admin_revoke(int argc, char **argv);
int admin_rrule(int argc, char **argv);
int admin_token(int argc, char **argv);
int admin_top(int argc, char **argv);
int admin_topics(int argc, char **argv);
int admin_why(int argc, char **argv);

/* A command with commands of its own ("queue list"): runs the one argv[1] names. */
int admin_run_sub(const struct admin_command *commands, size_t count, int argc, char **argv);

#endif
