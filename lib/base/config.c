/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration from a table of keys. Sources are applied in order, so the last one wins; every
 * problem is collected, so that a person mends a file in one go.
 */
#include "lib/base/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/utf8.h"

enum { FILE_MAX_BYTES = 1024 * 1024, NAME_MAX_BYTES = 128, SHOWN_MAX = 80, NEAR = 2 };

struct loading {
    const struct base_config_table *table;
    char *target;
    struct base_buf *errors;
    struct base_buf *warnings;
    unsigned wrong;  /* how many errors, whether or not there was room for their text */
    char where[320]; /* "file:line", "environment" or "command line" */
};

static void *field_of(const struct loading *l, const struct base_config_key *key)
{
    return l->target + key->offset;
}

static const struct base_config_key *find(const struct base_config_table *table,
                                          struct base_sv name)
{
    for (size_t i = 0; i < table->count; i++)
        if (base_sv_eq_c(name, table->keys[i].key))
            return &table->keys[i];
    return NULL;
}

/* Edit distance (insert, delete, replace, swap neighbours), for short names. */
static size_t distance(struct base_sv a, struct base_sv b)
{
    size_t rows[3][NAME_MAX_BYTES + 1];
    if (a.len > NAME_MAX_BYTES || b.len > NAME_MAX_BYTES)
        return NAME_MAX_BYTES;
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *now = rows[i % 3];
        const size_t *up = rows[(i + 2) % 3];
        const size_t *up2 = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t best = up[j - 1] + (a.ptr[i - 1] != b.ptr[j - 1]);
            if (up[j] + 1 < best)
                best = up[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            bool swapped =
                i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1];
            if (swapped && up2[j - 2] + 1 < best)
                best = up2[j - 2] + 1;
            now[j] = best;
        }
    }
    return rows[a.len % 3][b.len];
}

static const struct base_config_key *nearest(const struct base_config_table *table,
                                             struct base_sv name, size_t *ret_distance)
{
    const struct base_config_key *best = NULL;
    for (size_t i = 0; i < table->count; i++) {
        size_t d = distance(name, base_sv_from(table->keys[i].key));
        if (best && d >= *ret_distance)
            continue;
        best = &table->keys[i];
        *ret_distance = d;
    }
    return best;
}

/* Values. */

/* A secret does not stay in freed memory. */
static void wipe(const struct base_config_key *key, char *value)
{
    if (value && (key->flags & BASE_CONFIG_SECRET))
        explicit_bzero(value, strlen(value));
}

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit durations[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                                        {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct unit sizes[] = {
    {"", 1}, {"k", 1024}, {"m", 1024 * 1024}, {"g", 1073741824}, {NULL, 0}};

static bool number_with_unit(struct base_sv text, const struct unit *units, int64_t *ret_value)
{
    size_t digits = 0;
    int64_t number;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    if (!base_sv_int64(base_sv_sub(text, 0, digits), &number))
        return false;
    struct base_sv unit = base_sv_sub(text, digits, text.len);
    for (; units->name; units++)
        if (base_sv_eq_i(unit, base_sv_from(units->name)))
            return !__builtin_mul_overflow(number, units->factor, ret_value);
    return number == 0 && unit.len == 0 && (*ret_value = 0, true);
}

static bool truth(struct base_sv text, bool *ret_value)
{
    static const char *const words[2][4] = {{"false", "no", "off", "0"},
                                            {"true", "yes", "on", "1"}};
    for (int value = 0; value < 2; value++)
        for (int i = 0; i < 4; i++)
            if (base_sv_eq_i(text, base_sv_from(words[value][i]))) {
                *ret_value = value;
                return true;
            }
    return false;
}

static int choice(struct base_sv text, const char *choices)
{
    struct base_sv rest = base_sv_from(choices);
    for (int i = 0; rest.ptr; i++)
        if (base_sv_eq(base_sv_split(&rest, '|'), text))
            return i;
    return -1;
}

static const char *const expected[] = {
    [BASE_CONFIG_STR] = "text",
    [BASE_CONFIG_INT] = "a whole number",
    [BASE_CONFIG_BOOL] = "true or false",
    [BASE_CONFIG_DURATION] = "a duration such as 250ms, 10s, 5m, 2h or 7d",
    [BASE_CONFIG_SIZE] = "a size such as 512, 64k, 16m or 1g",
    [BASE_CONFIG_ENUM] = "one of ",
};

static void complain(struct loading *l, const struct base_config_key *key, struct base_sv value,
                     const char *why)
{
    struct base_sv shown =
        base_utf8_valid(value) ? base_utf8_cut(value, SHOWN_MAX) : SV("(binary)");
    if (key->flags & BASE_CONFIG_SECRET)
        shown = SV("(secret)");
    l->wrong++;
    base_buf_addf(l->errors, "%s: %s = %.*s: %s\n", l->where, key->key,
                  SV_FMT(shown.len ? shown : SV("\"\"")), why);
}

static void complain_type(struct loading *l, const struct base_config_key *key,
                          struct base_sv value)
{
    char why[256];
    (void)snprintf(why, sizeof(why), "must be %s%s", expected[key->type],
                   key->type == BASE_CONFIG_ENUM ? key->choices : "");
    complain(l, key, value, why);
}

static void complain_range(struct loading *l, const struct base_config_key *key,
                           struct base_sv value)
{
    char why[160];
    const char *unit = key->type == BASE_CONFIG_DURATION ? " ms"
                       : key->type == BASE_CONFIG_SIZE   ? " bytes"
                       : key->type == BASE_CONFIG_STR    ? " characters"
                                                         : "";
    (void)snprintf(why, sizeof(why), "must lie between %lld and %lld%s", (long long)key->min,
                   (long long)key->max, unit);
    complain(l, key, value, why);
}

/* Text that --print-config can show in one line; a secret may be a whole PEM file. */
static bool is_line(struct base_sv value)
{
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] < ' ' || value.ptr[i] == 0x7f)
            return false;
    return base_utf8_valid(value);
}

static void set_string(struct loading *l, const struct base_config_key *key, struct base_sv value)
{
    char **field = field_of(l, key);
    if (!(key->flags & BASE_CONFIG_SECRET)) {
        value = base_sv_trim(value); /* as in a file, whatever the source */
        if (!is_line(value)) {
            complain(l, key, value, "must be plain text in UTF-8, without control characters");
            return;
        }
    }
    if ((int64_t)value.len < key->min || (int64_t)value.len > key->max) {
        complain_range(l, key, value);
        return;
    }
    char *copy = malloc(value.len + 1);
    if (!copy || !base_sv_cstr(value, copy, value.len + 1)) {
        complain(l, key, value, copy ? "must not hold a NUL" : "out of memory");
        free(copy);
        return;
    }
    wipe(key, *field);
    free(*field);
    *field = copy;
}

static void set(struct loading *l, const struct base_config_key *key, struct base_sv value)
{
    int64_t number = 0;
    bool flag = false;
    bool ok = true;
    switch (key->type) {
    case BASE_CONFIG_STR:
        set_string(l, key, value);
        return;
    case BASE_CONFIG_BOOL:
        if (truth(value, &flag))
            *(bool *)field_of(l, key) = flag;
        else
            complain_type(l, key, value);
        return;
    case BASE_CONFIG_ENUM:
        if (choice(value, key->choices) >= 0)
            *(int *)field_of(l, key) = choice(value, key->choices);
        else
            complain_type(l, key, value);
        return;
    case BASE_CONFIG_INT:
        ok = base_sv_int64(value, &number);
        break;
    case BASE_CONFIG_DURATION:
        ok = number_with_unit(value, durations, &number);
        break;
    case BASE_CONFIG_SIZE:
        ok = number_with_unit(value, sizes, &number);
        break;
    }
    if (!ok)
        complain_type(l, key, value);
    else if (number < key->min || number > key->max)
        complain_range(l, key, value);
    else
        *(int64_t *)field_of(l, key) = number;
}

/* Files. */

static bool read_file(const char *path, struct base_buf *ret_text)
{
    FILE *file = fopen(path, "rbe");
    if (!file)
        return false;
    bool ok = true;
    for (;;) {
        char *at = base_buf_reserve(ret_text, 4096);
        size_t n = at ? fread(at, 1, 4096, file) : 0;
        if (!at || n == 0)
            break;
        ret_text->len += n;
        ret_text->data[ret_text->len] = '\0';
    }
    ok = base_buf_ok(ret_text) && !ferror(file);
    (void)fclose(file);
    return ok;
}

static void set_from_file(struct loading *l, const struct base_config_key *key, struct base_sv path)
{
    char name[512];
    struct base_buf text;
    base_buf_init(&text, FILE_MAX_BYTES);
    if (!base_sv_cstr(path, name, sizeof(name)) || !read_file(name, &text)) {
        l->wrong++;
        base_buf_addf(l->errors, "%s: %s.file: cannot read %.*s\n", l->where, key->key,
                      SV_FMT(base_sv_sub(path, 0, sizeof(name))));
    } else {
        struct base_sv value = base_buf_sv(&text);
        if (base_sv_ends(value, SV("\n")))
            value.len--;
        set(l, key, value);
    }
    if (text.data)
        explicit_bzero(text.data, text.cap);
    base_buf_done(&text);
}

/* A key by name, or a secret's "key.file"; false if there is none. */
static bool set_named(struct loading *l, struct base_sv name, struct base_sv value)
{
    const struct base_config_key *key = find(l->table, name);
    if (key) {
        set(l, key, value);
        return true;
    }
    if (!base_sv_ends(name, SV(".file")))
        return false;
    key = find(l->table, base_sv_sub(name, 0, name.len - 5));
    if (!key || !(key->flags & BASE_CONFIG_SECRET))
        return false;
    set_from_file(l, key, value);
    return true;
}

static void unknown(struct loading *l, struct base_sv name)
{
    size_t d = 0;
    const struct base_config_key *near = nearest(l->table, name, &d);
    l->wrong++;
    base_buf_addf(l->errors, "%s: unknown key \"%.*s\"", l->where,
                  SV_FMT(base_sv_sub(name, 0, NAME_MAX_BYTES)));
    if (near && d <= (name.len / 3 > NEAR ? name.len / 3 : NEAR))
        base_buf_addf(l->errors, ", did you mean \"%s\"?", near->key);
    base_buf_add_char(l->errors, '\n');
}

static void load_text(struct loading *l, const char *path, struct base_sv text)
{
    for (int number = 1; text.ptr; number++) {
        struct base_sv line = base_sv_trim(base_sv_split(&text, '\n'));
        (void)snprintf(l->where, sizeof(l->where), "%.256s:%d", path, number);
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        size_t at = base_sv_find(line, '=');
        struct base_sv name = base_sv_trim(base_sv_sub(line, 0, at));
        if (at == line.len || name.len == 0) {
            l->wrong++;
            base_buf_addf(l->errors, "%s: expected \"key = value\"\n", l->where);
        } else if (!set_named(l, name, base_sv_trim(base_sv_sub(line, at + 1, line.len))))
            unknown(l, name);
    }
}

static void load_file(struct loading *l, const char *path)
{
    struct base_buf text;
    base_buf_init(&text, FILE_MAX_BYTES);
    if (read_file(path, &text)) {
        load_text(l, path, base_buf_sv(&text));
    } else {
        l->wrong++;
        base_buf_addf(l->errors, "%s: cannot read the configuration file\n", path);
    }
    if (text.data)
        explicit_bzero(text.data, text.cap);
    base_buf_done(&text);
}

/* listen.port → TODO_LISTEN_PORT; "" if it is too long. */
static struct base_sv variable_of(const char *key, const char *suffix, char name[NAME_MAX_BYTES])
{
    int n = snprintf(name, NAME_MAX_BYTES, "TODO_%s%s", key, suffix);
    if (n < 0 || n >= NAME_MAX_BYTES)
        return SV("");
    for (char *c = name; *c; c++) {
        bool lower = *c >= 'a' && *c <= 'z';
        bool other = (*c < 'A' || *c > 'Z') && (*c < '0' || *c > '9');
        if (lower)
            *c = (char)(*c & ~0x20);
        else if (other)
            *c = '_';
    }
    return base_sv(name, (size_t)n);
}

static bool set_from_variable(struct loading *l, struct base_sv variable, struct base_sv value)
{
    char name[NAME_MAX_BYTES];
    for (size_t i = 0; i < l->table->count; i++) {
        const struct base_config_key *key = &l->table->keys[i];
        if (base_sv_eq(variable, variable_of(key->key, "", name))) {
            set(l, key, value);
            return true;
        }
        if ((key->flags & BASE_CONFIG_SECRET) &&
            base_sv_eq(variable, variable_of(key->key, "_FILE", name))) {
            set_from_file(l, key, value);
            return true;
        }
    }
    return false;
}

/* People keep variables of this prefix for other things: only a near miss is worth a word. */
static void warn_near_miss(struct loading *l, struct base_sv variable)
{
    char name[NAME_MAX_BYTES];
    for (size_t i = 0; i < l->table->count; i++) {
        struct base_sv known = variable_of(l->table->keys[i].key, "", name);
        if (known.len == 0 || distance(variable, known) > NEAR)
            continue;
        base_buf_addf(l->warnings, "environment: %.*s is not used, did you mean %.*s?\n",
                      SV_FMT(variable), SV_FMT(known));
        return;
    }
}

static void load_environment(struct loading *l, char **env)
{
    for (; env && *env; env++) {
        struct base_sv rest = base_sv_from(*env);
        struct base_sv variable = base_sv_split(&rest, '=');
        if (!base_sv_starts(variable, SV("TODO_")) || variable.len >= NAME_MAX_BYTES)
            continue;
        (void)snprintf(l->where, sizeof(l->where), "environment %.*s", SV_FMT(variable));
        if (!set_from_variable(l, variable, rest))
            warn_near_miss(l, variable);
    }
}

/* The command line. */

static const struct {
    const char *flag;
    enum base_config_mode mode;
} modes[] = {
    {"--help", BASE_CONFIG_HELP},          {"-h", BASE_CONFIG_HELP},
    {"--version", BASE_CONFIG_VERSION},    {"--check-config", BASE_CONFIG_CHECK},
    {"--print-config", BASE_CONFIG_PRINT},
};

static bool is_mode(const char *arg, enum base_config_mode *ret_mode)
{
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(arg, modes[i].flag) == 0) {
            *ret_mode = modes[i].mode;
            return true;
        }
    return false;
}

/* "--key=value" or "--key" "value"; *i moves past what was taken. */
static bool flag_value(int argc, char **argv, int *i, struct base_sv *ret_name,
                       struct base_sv *ret_value)
{
    struct base_sv rest = base_sv_from(argv[*i]);
    if (!base_sv_starts(rest, SV("--")))
        return false;
    rest = base_sv_sub(rest, 2, rest.len);
    *ret_name = base_sv_split(&rest, '=');
    if (rest.ptr) {
        *ret_value = rest;
        return true;
    }
    if (*i + 1 >= argc)
        return false;
    *ret_value = base_sv_from(argv[++*i]);
    return true;
}

static const char *walk_flags(struct loading *l, int argc, char **argv, bool apply,
                              enum base_config_mode *ret_mode)
{
    const char *file = NULL;
    (void)snprintf(l->where, sizeof(l->where), "command line");
    for (int i = 1; i < argc; i++) {
        struct base_sv name;
        struct base_sv value;
        if (is_mode(argv[i], ret_mode))
            continue;
        if (!flag_value(argc, argv, &i, &name, &value)) {
            l->wrong += apply;
            if (apply)
                base_buf_addf(l->errors,
                              "command line: \"%s\": expected --key=value (see --help)\n", argv[i]);
            continue;
        }
        if (base_sv_eq_c(name, "config")) {
            file = value.ptr;
            continue;
        }
        if (!apply)
            continue;
        const struct base_config_key *key = find(l->table, name);
        if (key && key->flags & BASE_CONFIG_SECRET)
            base_buf_addf(
                l->warnings,
                "command line: --%s shows the secret to everybody on this machine; use --%s.file\n",
                key->key, key->key);
        if (!set_named(l, name, value))
            unknown(l, name);
    }
    return file;
}

enum base_err base_config_load(const struct base_config_table *table, void *target, int argc,
                               char **argv, char **env, enum base_config_mode *ret_mode,
                               struct base_buf *errors, struct base_buf *warnings)
{
    struct loading l = {.table = table, .target = target, .errors = errors, .warnings = warnings};
    enum base_config_mode mode = BASE_CONFIG_RUN;
    memset(target, 0, table->struct_size);
    (void)snprintf(l.where, sizeof(l.where), "default");
    for (size_t i = 0; i < table->count; i++)
        if (table->keys[i].fallback)
            set(&l, &table->keys[i], base_sv_from(table->keys[i].fallback));
    const char *file = walk_flags(&l, argc, argv, false, &mode);
    if (file)
        load_file(&l, file);
    load_environment(&l, env);
    (void)walk_flags(&l, argc, argv, true, &mode);
    *ret_mode = mode;
    if (l.wrong == 0 || mode == BASE_CONFIG_HELP || mode == BASE_CONFIG_VERSION)
        return BASE_OK;
    base_config_done(table, target);
    return BASE_INVALID;
}

void base_config_done(const struct base_config_table *table, void *target)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->keys[i].type != BASE_CONFIG_STR)
            continue;
        char **field = (char **)(void *)((char *)target + table->keys[i].offset);
        wipe(&table->keys[i], *field);
        free(*field);
        *field = NULL;
    }
}

/* Showing. */

static void add_unit(struct base_buf *out, int64_t value, const struct unit *units)
{
    const struct unit *best = &units[0];
    for (const struct unit *unit = units; unit->name; unit++)
        if (value && value % unit->factor == 0)
            best = unit;
    base_buf_addf(out, "%lld%s", (long long)(value / best->factor), best->name);
}

static void add_value(struct base_buf *out, const struct base_config_key *key, const void *field)
{
    struct base_sv rest = base_sv_from(key->choices);
    switch (key->type) {
    case BASE_CONFIG_STR:
        base_buf_add_c(out, *(char *const *)field);
        break;
    case BASE_CONFIG_INT:
        base_buf_add_int(out, *(const int64_t *)field);
        break;
    case BASE_CONFIG_BOOL:
        base_buf_add_c(out, *(const bool *)field ? "true" : "false");
        break;
    case BASE_CONFIG_DURATION:
        add_unit(out, *(const int64_t *)field, durations);
        break;
    case BASE_CONFIG_SIZE:
        add_unit(out, *(const int64_t *)field, sizes);
        break;
    case BASE_CONFIG_ENUM: {
        struct base_sv word = SV_NULL;
        for (int i = 0; i <= *(const int *)field && rest.ptr; i++)
            word = base_sv_split(&rest, '|');
        base_buf_add(out, word);
        break;
    }
    }
}

void base_config_print(const struct base_config_table *table, const void *target,
                       struct base_buf *out)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct base_config_key *key = &table->keys[i];
        const void *field = (const char *)target + key->offset;
        const char *text = key->type == BASE_CONFIG_STR ? *(char *const *)field : "";
        bool unset = !text;
        bool secret = key->flags & BASE_CONFIG_SECRET;
        base_buf_addf(out, unset || secret ? "# %s = " : "%s = ", key->key);
        if (secret && !unset && text[0])
            base_buf_add_c(out, "(secret)");
        else if (!secret && !unset)
            add_value(out, key, field);
        base_buf_add_char(out, '\n');
    }
}

static const char *fallback_text(const struct base_config_key *key)
{
    return key->fallback && key->fallback[0] ? key->fallback : "none";
}

void base_config_help(const struct base_config_table *table, struct base_buf *out)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct base_config_key *key = &table->keys[i];
        base_buf_addf(out, "  --%s=%s\n      %s (default: %s)\n", key->key,
                      key->type == BASE_CONFIG_ENUM ? key->choices : "VALUE", key->help,
                      fallback_text(key));
    }
}

void base_config_markdown(const struct base_config_table *table, struct base_buf *out)
{
    base_buf_add_c(
        out, "| key | value | default | reload | meaning |\n| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < table->count; i++) {
        const struct base_config_key *key = &table->keys[i];
        base_buf_addf(out, "| `%s` | %s", key->key, expected[key->type]);
        for (const char *c = key->type == BASE_CONFIG_ENUM ? key->choices : ""; *c; c++)
            base_buf_add_c(out, *c == '|' ? ", " : (char[]){*c, '\0'});
        base_buf_addf(out, " | `%s` | %s | %s |\n", fallback_text(key),
                      key->flags & BASE_CONFIG_RELOAD ? "yes" : "", key->help);
    }
}
