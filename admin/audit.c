/* SPDX-License-Identifier: Apache-2.0 */
/* todo-admin audit verify: reads each log from its beginning and checks that every line follows
 * from the one before. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/args.h"
#include "admin/command.h"
#include "bridge/audit/chain.h"

static int is_log(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 4 && strcmp(entry->d_name + length - 4, ".log") == 0;
}

/* Prints what it found; true if all lines are fine. */
static bool verify_lines(const char *name, FILE *file)
{
    struct audit_chain chain;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    long long lines = 0;
    bool fine = true;
    audit_chain_begin(&chain);
    while (fine && (length = getline(&line, &capacity, file)) > 0) {
        bool whole = line[length - 1] == '\n';
        lines++;
        struct base_sv text = base_sv(line, (size_t)(whole ? length - 1 : length));
        enum audit_fault fault = whole ? audit_chain_follow(&chain, text) : AUDIT_NOT_A_LINE;
        if (fault == AUDIT_FINE)
            continue;
        (void)printf("%s:%lld: %s\n", name, lines, audit_fault_text(fault));
        fine = false;
    }
    free(line);
    if (fine)
        (void)printf("%s: %lld lines, to offset %lld, hash %s\n", name, lines,
                     (long long)chain.offset, chain.hash);
    return fine;
}

static bool verify_log(const char *dir, const char *name)
{
    char path[4400];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "re");
    if (!file) {
        (void)printf("%s: %s\n", name, strerror(errno));
        return false;
    }
    bool fine = verify_lines(name, file);
    if (ferror(file)) {
        (void)printf("%s: %s\n", name, strerror(errno));
        fine = false;
    }
    (void)fclose(file);
    return fine;
}

static int verify(int argc, char **argv)
{
    const char *dir = NULL;
    const struct admin_option options[] = {
        {"DIR", &dir, "TODO_AUDIT_DIR", true, "audit.dir of the bridge"},
    };
    struct dirent **logs = NULL;
    int status;
    bool fine = true;
    if (!admin_args_parse(options, sizeof(options) / sizeof(options[0]), argc, argv, &status))
        return status;
    int count = scandir(dir, &logs, is_log, alphasort);
    if (count <= 0) {
        (void)fprintf(stderr, "todo-admin audit verify: %s: %s\n", dir,
                      count < 0 ? strerror(errno) : "no logs are there");
        free(logs);
        return ADMIN_FAILED;
    }
    for (int i = 0; i < count; i++) {
        fine = verify_log(dir, logs[i]->d_name) && fine;
        free(logs[i]);
    }
    free(logs);
    return fine ? ADMIN_OK : ADMIN_FAILED;
}

int admin_audit(int argc, char **argv)
{
    static const struct admin_command commands[] = {
        {"verify", "check that no line was changed, removed or moved", verify},
    };
    return admin_run_sub(commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
