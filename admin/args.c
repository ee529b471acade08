/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/command.h"

static bool is_place(const struct admin_option *option)
{
    return option->name[0] != '-';
}

static void print_help(const struct admin_option *options, size_t count, const char *command)
{
    (void)printf("Usage: todo-admin %s", command);
    for (size_t i = 0; i < count; i++)
        if (is_place(&options[i]))
            (void)printf(options[i].needed ? " %s" : " [%s]", options[i].name);
    (void)puts(count ? " [OPTION…]" : "");
    for (size_t i = 0; i < count; i++) {
        const struct admin_option *option = &options[i];
        (void)printf("  %-16s %s", option->name, option->help);
        if (option->env)
            (void)printf(" [%s]", option->env);
        if (*option->value)
            (void)printf(" (%s)", *option->value);
        (void)puts(option->needed ? " (needed)" : "");
    }
}

/* The option that arg names, or the place it takes; *ret_value is set if it is there already. */
static const struct admin_option *find(const struct admin_option *options, size_t count,
                                       const char *arg, const char **ret_value)
{
    size_t length = strcspn(arg, "=");
    *ret_value = NULL;
    for (size_t i = 0; arg[0] != '-' && i < count; i++)
        if (is_place(&options[i]) && !*options[i].value) {
            *ret_value = arg;
            return &options[i];
        }
    for (size_t i = 0; i < count; i++)
        if (strlen(options[i].name) == length && memcmp(options[i].name, arg, length) == 0) {
            *ret_value = arg[length] ? arg + length + 1 : NULL;
            return &options[i];
        }
    return NULL;
}

static bool read_flags(const struct admin_option *options, size_t count, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = NULL;
        const struct admin_option *option = find(options, count, argv[i], &value);
        if (!option) {
            (void)fprintf(stderr, "todo-admin %s: unknown argument \"%s\"; see --help\n", argv[0],
                          argv[i]);
            return false;
        }
        if (!value && i + 1 < argc)
            value = argv[++i];
        if (!value) {
            (void)fprintf(stderr, "todo-admin %s: %s needs a value\n", argv[0], option->name);
            return false;
        }
        *option->value = value;
    }
    return true;
}

static bool all_given(const struct admin_option *options, size_t count, const char *command)
{
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        if (!options[i].needed || *options[i].value)
            continue;
        (void)fprintf(stderr, "todo-admin %s: %s is needed%s%s\n", command, options[i].name,
                      options[i].env ? ", or " : "", options[i].env ? options[i].env : "");
        all = false;
    }
    return all;
}

bool admin_args_parse(const struct admin_option *options, size_t count, int argc, char **argv,
                      int *ret_exit)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) {
            print_help(options, count, argv[0]);
            *ret_exit = ADMIN_OK;
            return false;
        }
    for (size_t i = 0; i < count; i++) {
        const char *value = options[i].env ? getenv(options[i].env) : NULL;
        if (value && *value)
            *options[i].value = value;
    }
    *ret_exit = ADMIN_USAGE;
    return read_flags(options, count, argc, argv) && all_given(options, count, argv[0]);
}
