/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own export, an array of tasks as the API has them, a backup of Tasks.org
 * ({"data":{"tasks":…}}) or Google's takeout ({"items":[{"items":…}]}, a list of lists). Each is
 * read element by element.
 */
#include <string.h>

#include "gateway/exchange/reader.h"
#include "lib/base/clock.h"

static void skip_space(struct gw_reader *reader)
{
    size_t at = reader->at;
    while (at < reader->text.len && strchr(" \t\r\n", reader->text.ptr[at]) && reader->text.ptr[at])
        at++;
    gw_reader_move(reader, at);
}

static char here(struct gw_reader *reader)
{
    skip_space(reader);
    return reader->at < reader->text.len ? reader->text.ptr[reader->at] : '\0';
}

static bool take(struct gw_reader *reader, char c)
{
    if (here(reader) != c)
        return false;
    reader->at++;
    return true;
}

/* One value from where the reader stands. */
static json_t *read_value(struct gw_reader *reader)
{
    json_error_t error;
    skip_space(reader);
    size_t most = reader->text.len - reader->at;
    if (most > GW_ITEM_MAX)
        most = GW_ITEM_MAX;
    size_t flags = JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY | JSON_REJECT_DUPLICATES;
    json_t *value = json_loadb(reader->text.ptr + reader->at, most, flags, &error);
    if (value)
        gw_reader_move(reader, reader->at + (size_t)error.position);
    else
        (void)gw_reader_fail(reader, reader->line + (size_t)(error.line > 0 ? error.line - 1 : 0),
                             error.text);
    return value;
}

/* Takes "key": of an object; false: there is none, or it is broken. */
static bool take_key(struct gw_reader *reader, char *dst, size_t cap)
{
    if (here(reader) != '"')
        return false;
    json_t *key = read_value(reader);
    bool ok = key &&
              base_sv_cstr(base_sv(json_string_value(key), json_string_length(key)), dst, cap) &&
              take(reader, ':');
    json_decref(key);
    return ok;
}

static bool skip_value(struct gw_reader *reader)
{
    json_t *value = read_value(reader);
    json_decref(value);
    (void)take(reader, ',');
    return value != NULL;
}

/* Google: into the next list that has tasks, from within the array of lists. */
static bool enter_list(struct gw_reader *reader)
{
    char key[64];
    for (size_t before = SIZE_MAX; reader->at != before;) {
        before = reader->at;
        (void)take(reader, '{');
        while (take_key(reader, key, sizeof(key))) {
            if (strcmp(key, "items") == 0 && take(reader, '['))
                return true;
            if (!skip_value(reader))
                return false;
        }
        (void)take(reader, '}');
        (void)take(reader, ',');
    }
    return false;
}

/* From the end of a list to the next. */
static bool next_list(struct gw_reader *reader)
{
    if (reader->kind != GW_JSON_GOOGLE || !take(reader, ']'))
        return false;
    (void)take(reader, ',');
    if (take(reader, '}'))
        (void)take(reader, ',');
    return enter_list(reader);
}

/* The members before the tasks, of which files have few and small ones. */
static enum base_err find_tasks(struct gw_reader *reader)
{
    char key[64];
    while (take_key(reader, key, sizeof(key))) {
        if (strcmp(key, "tasks") == 0 && take(reader, '['))
            return BASE_OK;
        if (strcmp(key, "data") == 0 && take(reader, '{')) {
            reader->kind = GW_JSON_TASKS_ORG;
            continue;
        }
        if (strcmp(key, "items") == 0 && take(reader, '[')) {
            reader->kind = GW_JSON_GOOGLE;
            return enter_list(reader) ? BASE_OK : BASE_NOT_FOUND;
        }
        if (!skip_value(reader))
            return BASE_MALFORMED;
    }
    return gw_reader_fail(reader, reader->line, "there is no array \"tasks\"");
}

static enum base_err begin(struct gw_reader *reader)
{
    reader->kind = GW_JSON_OURS;
    if (take(reader, '['))
        return BASE_OK;
    if (take(reader, '{'))
        return find_tasks(reader);
    return gw_reader_fail(reader, reader->line,
                          "this is neither an export nor an array of tasks in JSON");
}

static struct base_sv text_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return base_sv(json_string_value(value), json_string_length(value));
}

static int64_t time_of(const json_t *object, const char *key)
{
    int64_t at_us;
    return base_time_parse(text_of(object, key), &at_us) ? at_us : 0;
}

/* What the API shows but does not take; reminders get new ids. */
static void drop_derived(json_t *fields)
{
    static const char *const derived[] = {
        "id",         "version",      "status",       "due_at",          "reminder_time",
        "updated_at", "is_recurring", "occurrence",   "next_occurrence", "created_at",
        "uid",        "completed_at", "series_start", "parent_id"};
    size_t i;
    json_t *reminder;
    for (size_t k = 0; k < sizeof(derived) / sizeof(derived[0]); k++)
        (void)json_object_del(fields, derived[k]);
    json_array_foreach(json_object_get(fields, "reminders"), i, reminder)
    {
        (void)json_object_del(reminder, "id");
    }
}

static enum base_err our_item(struct gw_reader *reader, struct gw_item *item)
{
    json_t *fields = item->fields;
    struct base_sv uid = text_of(fields, json_object_get(fields, "uid") ? "uid" : "id");
    struct base_sv start = text_of(fields, "series_start");
    if (!base_sv_cstr(uid, item->uid, sizeof(item->uid)))
        return gw_reader_fail(reader, item->line, "the id is longer than 255 bytes");
    item->done = base_sv_eq_c(text_of(fields, "status"), "done");
    item->created_us = time_of(fields, "created_at");
    item->completed_us = time_of(fields, "completed_at");
    if (start.len && base_sv_cstr(text_of(fields, "due_date"), item->due, sizeof(item->due)))
        (void)json_object_set_new(fields, "due_date", json_stringn(start.ptr, start.len));
    if (json_is_null(json_object_get(fields, "timezone")))
        (void)json_object_del(fields, "timezone");
    drop_derived(fields);
    return BASE_OK;
}

/* An element as an item; NOT_FOUND: it is left out. */
static enum base_err read_item(struct gw_reader *reader, json_t *entry, struct gw_item *item)
{
    if (!json_is_object(entry))
        return gw_reader_fail(reader, item->line, "a task must be a JSON object");
    if (reader->kind == GW_JSON_OURS) {
        item->fields = json_incref(entry);
        return our_item(reader, item);
    }
    item->fields = json_object();
    return reader->kind == GW_JSON_GOOGLE ? gw_google_item(entry, item)
                                          : gw_tasks_org_item(entry, item);
}

enum base_err gw_json_next(struct gw_reader *reader, struct gw_item *ret_item)
{
    bool first = !reader->begun;
    enum base_err err = first ? begin(reader) : BASE_OK;
    while (err == BASE_OK) {
        if (here(reader) == ']') {
            if (!next_list(reader))
                return BASE_NOT_FOUND;
            first = true;
            continue;
        }
        if (!first && !take(reader, ','))
            return gw_reader_fail(reader, reader->line,
                                  "a comma or the end of the tasks is missing");
        first = false;
        skip_space(reader);
        *ret_item = (struct gw_item){.line = reader->line};
        json_t *entry = read_value(reader);
        if (!entry)
            return BASE_MALFORMED;
        err = read_item(reader, entry, ret_item);
        json_decref(entry);
        if (err != BASE_NOT_FOUND)
            return err;
        json_decref(ret_item->fields);
        ret_item->fields = NULL;
        err = BASE_OK;
    }
    return err;
}
