/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/dapr/secrets.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define PREFIX "dapr:"
enum { FETCH_MS = 5000, ANSWER_MAX = 256 * 1024, PATH_BYTES = 768 };

static char **field_of(const struct base_config_key *key, const void *config)
{
    return (char **)((uintptr_t)config + key->offset);
}

static bool is_reference(const struct base_config_key *key, const void *config)
{
    return key->type == BASE_CONFIG_STR && (key->flags & BASE_CONFIG_SECRET) &&
           base_sv_starts(base_sv_from(*field_of(key, config)), SV(PREFIX));
}

bool dapr_secrets_wanted(const struct base_config_table *table, const void *config)
{
    for (size_t i = 0; i < table->count; i++)
        if (is_reference(&table->keys[i], config))
            return true;
    return false;
}

enum base_err dapr_secret_pick(struct base_sv answer, struct base_sv name, struct base_sv key,
                               struct base_buf *ret_value)
{
    json_t *root = json_loadb(answer.ptr ? answer.ptr : "", answer.len, 0, NULL);
    if (!json_is_object(root)) {
        json_decref(root);
        return BASE_MALFORMED;
    }
    struct base_sv asked = key.len ? key : name;
    const json_t *value = json_object_getn(root, asked.ptr, asked.len);
    if (!value && !key.len && json_object_size(root) == 1)
        value = json_object_iter_value(json_object_iter(root));
    enum base_err err = json_is_string(value) ? BASE_OK : BASE_NOT_FOUND;
    if (err == BASE_OK)
        base_buf_add(ret_value, base_sv(json_string_value(value), json_string_length(value)));
    if (err == BASE_OK && !base_buf_ok(ret_value))
        err = BASE_TOO_LARGE;
    json_decref(root);
    return err;
}

/* The characters of a secret's name stand for themselves in an address. */
static bool is_name(struct base_sv name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.')
            return false;
    }
    return name.len > 0;
}

struct fetching {
    const struct dapr_settings *settings;
    const char *store;
    const char *setting;
    struct base_sv name, key;
    struct base_buf *errors;
};

static bool complain(const struct fetching *f, const char *why)
{
    base_buf_addf(f->errors, "%s: the secret \"%.*s%s%.*s\" of the Dapr secret store \"%s\": %s\n",
                  f->setting, SV_FMT(f->name), f->key.len ? "/" : "", SV_FMT(f->key), f->store,
                  why);
    return false;
}

/* Dapr's answer to that is 401 as well. */
static bool has_no_store(struct base_sv answer)
{
    static const char code[] = "ERR_SECRET_STORE_NOT_FOUND";
    return answer.len && memmem(answer.ptr, answer.len, code, sizeof(code) - 1);
}

static bool fetch(const struct fetching *f, struct base_buf *ret_value)
{
    char path[PATH_BYTES];
    char why[NET_FETCH_WHY] = "";
    int status = 0;
    struct base_buf answer;
    (void)snprintf(path, sizeof(path), "/v1.0/secrets/%s/%.*s", f->store, SV_FMT(f->name));
    base_buf_init(&answer, ANSWER_MAX);
    bool ok = dapr_fetch(f->settings, path, FETCH_MS, &status, &answer, why) == BASE_OK;
    if (!ok)
        (void)complain(f, why);
    else if (status == 401 && !has_no_store(base_buf_sv(&answer)))
        ok = complain(f, "the sidecar refuses our token (dapr.token)");
    else if (status == 403)
        ok = complain(f, "the sidecar does not let this app read it");
    else if (status != 200)
        ok = complain(f, "there is none of that name, or no such store");
    else if (dapr_secret_pick(base_buf_sv(&answer), f->name, f->key, ret_value) != BASE_OK)
        ok = complain(f, "it has no such key");
    if (answer.data)
        explicit_bzero(answer.data, answer.cap);
    base_buf_done(&answer);
    return ok;
}

static bool replace(const struct base_config_key *key, char **field, struct fetching *f)
{
    struct base_buf value;
    struct base_sv rest = base_sv_from(*field);
    rest = base_sv_sub(rest, sizeof(PREFIX) - 1, rest.len);
    f->setting = key->key;
    f->name = base_sv_split(&rest, '/');
    f->key = rest;
    if (!is_name(f->name))
        return complain(f, "a name is made of letters, digits, - _ and .");
    base_buf_init(&value, (size_t)key->max);
    bool ok = fetch(f, &value);
    char *copy = ok ? strdup(value.data ? value.data : "") : NULL;
    if (ok && copy) {
        free(*field);
        *field = copy;
    }
    if (value.data)
        explicit_bzero(value.data, value.cap);
    base_buf_done(&value);
    return copy != NULL;
}

enum base_err dapr_secrets_fetch(const struct dapr_settings *settings, const char *store,
                                 const struct base_config_table *table, void *config,
                                 struct base_buf *errors)
{
    bool ok = true;
    struct fetching f = {.settings = settings, .store = store, .errors = errors};
    for (size_t i = 0; i < table->count; i++)
        if (is_reference(&table->keys[i], config))
            ok = replace(&table->keys[i], field_of(&table->keys[i], config), &f) && ok;
    return ok ? BASE_OK : BASE_UNAVAILABLE;
}

enum base_err dapr_meet(struct dapr_settings *settings, char *url_text, bool needed,
                        const char *store, const struct base_config_table *table, void *config,
                        struct base_buf *errors)
{
    bool secrets = dapr_secrets_wanted(table, config);
    dapr_settings_complete(settings, url_text);
    if (!needed && !secrets)
        return BASE_OK;
    enum base_err err = dapr_wait(settings, errors);
    if (err == BASE_OK && secrets)
        err = dapr_secrets_fetch(settings, store, table, config, errors);
    return err;
}

enum base_err dapr_secrets_keep(const struct base_config_table *table, const void *old, void *fresh)
{
    for (size_t i = 0; i < table->count; i++) {
        if (!is_reference(&table->keys[i], fresh))
            continue;
        char **field = field_of(&table->keys[i], fresh);
        char *copy = strdup(*field_of(&table->keys[i], old));
        if (!copy)
            return BASE_NO_MEMORY;
        free(*field);
        *field = copy;
    }
    return BASE_OK;
}
