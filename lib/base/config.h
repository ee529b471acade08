/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Table-driven configuration. A daemon has one table of keys (its config.def) and one struct that
 * the rows fill; defaults, parsing, --help, --print-config, documentation and checks all come from
 * the rows. Later wins: defaults, file ("key = value" lines, # comments), environment
 * (TODO_ + key in capitals with _ for .), flags (--key=value or --key value).
 *
 * An unknown key in a file or flag is an error that names the nearest known one; an unknown TODO_*
 * variable is a warning, since people keep others of that name. A value out of range or of the
 * wrong type is an error that says what, where (file and line) and what is allowed.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "lib/base/buf.h"

enum base_config_type {
    BASE_CONFIG_STR,      /* field: char *, owned by the configuration */
    BASE_CONFIG_INT,      /* field: int64_t */
    BASE_CONFIG_BOOL,     /* field: bool; true|false|yes|no|on|off|1|0 */
    BASE_CONFIG_DURATION, /* field: int64_t in milliseconds; 250ms 10s 5m 2h 7d; min and max in ms
                           */
    BASE_CONFIG_SIZE,     /* field: int64_t in bytes; 512 64k 16m 1g */
    BASE_CONFIG_ENUM,     /* field: int; choices "a|b|c" give 0, 1, 2 */
};

enum base_config_flags {
    BASE_CONFIG_RELOAD = 1, /* SIGHUP applies a new value; others need a restart */
    BASE_CONFIG_SECRET =
        2, /* never printed; "KEY.file" names a file that holds the value, read anew each load */
};

struct base_config_key {
    const char *key; /* "listen.port" */
    enum base_config_type type;
    size_t offset; /* of the field in the daemon's struct */
    const char *fallback;
    int64_t min, max;    /* numbers: the value; strings: the length in bytes */
    const char *choices; /* enum only */
    unsigned flags;
    const char *help;
};

struct base_config_table {
    const struct base_config_key *keys;
    size_t count;
    size_t struct_size;
};

/* What the command line asked for besides keys. */
enum base_config_mode {
    BASE_CONFIG_RUN,
    BASE_CONFIG_HELP,
    BASE_CONFIG_VERSION,
    BASE_CONFIG_CHECK,
    BASE_CONFIG_PRINT
};

/*
 * Fills target (struct_size bytes, zeroed by this call) from all sources. --config FILE names the
 * file; --help, --version, --check-config and --print-config set *ret_mode. On failure errors holds
 * one line for each thing that is wrong (all of them, not only the first) and target is done with.
 * Warnings go to warnings, a line each. environ-style env; both may be NULL in tests.
 */
BASE_MUST_CHECK enum base_err base_config_load(const struct base_config_table *table, void *target,
                                               int argc, char **argv, char **env,
                                               enum base_config_mode *ret_mode,
                                               struct base_buf *errors, struct base_buf *warnings);
/* Frees the strings. */
void base_config_done(const struct base_config_table *table, void *target);

/* --print-config: "key = value" lines that load again; secrets show as "(secret)" in a comment. */
void base_config_print(const struct base_config_table *table, const void *target,
                       struct base_buf *out);
/* --help's part on keys, and docs/configuration.md's table. */
void base_config_help(const struct base_config_table *table, struct base_buf *out);
void base_config_markdown(const struct base_config_table *table, struct base_buf *out);

#endif
