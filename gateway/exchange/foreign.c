/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks of Tasks.org's backup and of Google's takeout, in the API's words. */
#include <stdio.h>
#include <string.h>

#include "gateway/exchange/reader.h"
#include "lib/base/clock.h"
#include "lib/time/duration.h"

static struct base_sv text_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return base_sv(json_string_value(value), json_string_length(value));
}

static int64_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void set_text(json_t *fields, const char *key, struct base_sv text)
{
    if (text.len)
        (void)json_object_set_new(fields, key, json_stringn(text.ptr, text.len));
}

/* Tasks.org. Times are milliseconds since 1970, 0 is none; a due date has a time if its seconds
 * are not 0. */

static void add_tags(json_t *fields, const json_t *list)
{
    size_t i;
    const json_t *tag;
    json_t *tags = json_array();
    json_array_foreach(list, i, tag)
    {
        struct base_sv name = text_of(tag, "name");
        if (name.len)
            (void)json_array_append_new(tags, json_stringn(name.ptr, name.len));
    }
    (void)json_object_set_new(fields, "tags", tags);
}

static void add_recurrence(json_t *fields, const json_t *task)
{
    struct base_sv rule = text_of(task, "recurrence");
    if (base_sv_starts(rule, SV("RRULE:")))
        rule = base_sv_sub(rule, 6, rule.len);
    if (!rule.len)
        return;
    json_t *pattern = json_pack("{s:s,s:s%}", "frequency", "custom", "rrule", rule.ptr, rule.len);
    if (number_of(task, "repeatFrom") == 1)
        (void)json_object_set_new(pattern, "anchor", json_string("completion"));
    (void)json_object_set_new(fields, "recurrence_pattern", pattern);
}

/* Type 0: at a time; type 2: counted from the due time. */
static void add_alarm(json_t *reminders, const json_t *alarm)
{
    struct base_buf text;
    int64_t time_ms = number_of(alarm, "time");
    int64_t type = number_of(alarm, "type");
    base_buf_init(&text, 64);
    if (type == 0 && time_ms > 0)
        base_time_format(&text, time_ms * 1000);
    else if (type == 2 && time_ms <= 0)
        time_duration_format(&text, -time_ms / 1000);
    if (text.len)
        (void)json_array_append_new(
            reminders, json_pack("{s:s%}", type == 0 ? "at" : "before", text.data, text.len));
    base_buf_done(&text);
}

enum base_err gw_tasks_org_item(const json_t *entry, struct gw_item *ret_item)
{
    static const int priorities[] = {4, 3, 2};
    const json_t *task = json_object_get(entry, "task");
    json_t *fields = ret_item->fields;
    json_t *reminders = json_array();
    int64_t due_ms = number_of(task, "dueDate");
    int64_t theirs = json_object_get(task, "priority") ? number_of(task, "priority") : 3;
    size_t i;
    const json_t *alarm;
    json_array_foreach(json_object_get(entry, "alarms"), i, alarm)
    {
        add_alarm(reminders, alarm);
    }
    (void)json_object_set_new(fields, "reminders", reminders);
    if (!text_of(task, "title").len || number_of(task, "deletionDate"))
        return BASE_NOT_FOUND;
    (void)base_sv_cstr(text_of(task, "remoteId"), ret_item->uid, sizeof(ret_item->uid));
    set_text(fields, "title", text_of(task, "title"));
    set_text(fields, "notes", text_of(task, "notes"));
    if (theirs >= 0 && theirs < 3)
        (void)json_object_set_new(fields, "priority", json_integer(priorities[theirs]));
    add_tags(fields, json_object_get(entry, "tags"));
    add_recurrence(fields, task);
    ret_item->due_us = due_ms / 60000 * 60000 * 1000;
    ret_item->due_has_time = due_ms % 60000 != 0;
    ret_item->created_us = number_of(task, "creationDate") * 1000;
    ret_item->completed_us = number_of(task, "completionDate") * 1000;
    ret_item->done = ret_item->completed_us != 0;
    return BASE_OK;
}

/* Google: a due date is a day, whatever time stands behind it. */
enum base_err gw_google_item(const json_t *entry, struct gw_item *ret_item)
{
    json_t *fields = ret_item->fields;
    struct base_sv due = text_of(entry, "due");
    if (!text_of(entry, "title").len || json_is_true(json_object_get(entry, "deleted")))
        return BASE_NOT_FOUND;
    (void)base_sv_cstr(text_of(entry, "id"), ret_item->uid, sizeof(ret_item->uid));
    set_text(fields, "title", text_of(entry, "title"));
    set_text(fields, "notes", text_of(entry, "notes"));
    if (due.len >= 10)
        set_text(fields, "due_date", base_sv_sub(due, 0, 10));
    ret_item->done = base_sv_eq_c(text_of(entry, "status"), "completed");
    if (!base_time_parse(text_of(entry, "completed"), &ret_item->completed_us))
        ret_item->completed_us = 0;
    return BASE_OK;
}
