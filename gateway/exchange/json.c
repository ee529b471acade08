/* SPDX-License-Identifier: Apache-2.0 */
/* Our own export, or an array of tasks as the API has them. */
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

/* The members before "tasks", of which the export has few and small ones. */
static enum base_err find_tasks(struct gw_reader *reader)
{
    while (here(reader) == '"') {
        json_t *key = read_value(reader);
        bool found = key && strcmp(json_string_value(key), "tasks") == 0;
        bool ok = key && take(reader, ':');
        json_decref(key);
        if (!ok)
            break;
        if (found && take(reader, '['))
            return BASE_OK;
        if (found)
            return gw_reader_fail(reader, reader->line, "\"tasks\" is not an array");
        json_t *value = read_value(reader);
        json_decref(value);
        if (!value)
            return BASE_MALFORMED;
        (void)take(reader, ',');
    }
    return gw_reader_fail(reader, reader->line, "there is no array \"tasks\"");
}

static enum base_err begin(struct gw_reader *reader)
{
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

enum base_err gw_json_next(struct gw_reader *reader, struct gw_item *ret_item)
{
    enum base_err err = reader->begun ? BASE_OK : begin(reader);
    if (err != BASE_OK)
        return err;
    bool first = !reader->begun;
    if (here(reader) == ']')
        return BASE_NOT_FOUND;
    if (!first && !take(reader, ','))
        return gw_reader_fail(reader, reader->line, "a comma or the end of the tasks is missing");
    skip_space(reader);
    ret_item->line = reader->line;
    json_t *fields = ret_item->fields = read_value(reader);
    if (!fields)
        return BASE_MALFORMED;
    if (!json_is_object(fields))
        return gw_reader_fail(reader, ret_item->line, "a task must be a JSON object");
    struct base_sv uid = text_of(fields, json_object_get(fields, "uid") ? "uid" : "id");
    struct base_sv start = text_of(fields, "series_start");
    if (!base_sv_cstr(uid, ret_item->uid, sizeof(ret_item->uid)))
        return gw_reader_fail(reader, ret_item->line, "the id is longer than 255 bytes");
    ret_item->done = base_sv_eq_c(text_of(fields, "status"), "done");
    ret_item->created_us = time_of(fields, "created_at");
    ret_item->completed_us = time_of(fields, "completed_at");
    if (start.len &&
        base_sv_cstr(text_of(fields, "due_date"), ret_item->due, sizeof(ret_item->due)))
        (void)json_object_set_new(fields, "due_date", json_stringn(start.ptr, start.len));
    if (json_is_null(json_object_get(fields, "timezone")))
        (void)json_object_del(fields, "timezone");
    drop_derived(fields);
    return BASE_OK;
}
