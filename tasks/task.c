/* SPDX-License-Identifier: Apache-2.0 */
/* The task's derived values and its JSON. */
#include "tasks/task.h"

#include <jansson.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/time/duration.h"

static const char *const status_names[] = {"open", "done", "deleted"};
_Static_assert(sizeof(status_names) / sizeof(status_names[0]) == TASK_STATUS_COUNT, "a name each");

const char *task_status_name(enum task_status status)
{
    return (unsigned)status < TASK_STATUS_COUNT ? status_names[status] : "";
}

void task_due_resolve(struct task_due *due, const struct task_settings *settings)
{
    const struct time_zone *zone = settings->home;
    struct time_civil local = due->local;
    if (due->kind == TASK_DUE_NONE)
        return;
    if (due->kind == TASK_DUE_DATE) {
        local.hour = (int8_t)(settings->default_minute / 60);
        local.minute = (int8_t)(settings->default_minute % 60);
        local.second = 0;
    }
    if (due->kind == TASK_DUE_ZONED && time_zone_load(due->zone, &zone) != BASE_OK)
        zone = settings->home;
    due->at_us = time_zone_instant(zone, local, NULL) + due->micros;
}

bool task_reminder_at(const struct task *task, const struct task_reminder *reminder,
                      int64_t *ret_at_us)
{
    if (!reminder->relative) {
        *ret_at_us = reminder->at_us;
        return true;
    }
    if (task->due.kind == TASK_DUE_NONE)
        return false;
    *ret_at_us = task->due.at_us - reminder->before_s * 1000000;
    return true;
}

bool task_next_reminder(const struct task *task, int64_t now_us, int64_t *ret_at_us)
{
    bool found = false;
    if (task->status != TASK_OPEN)
        return false;
    for (size_t i = 0; i < task->reminder_count; i++) {
        int64_t at;
        if (!task_reminder_at(task, &task->reminders[i], &at) || at <= now_us)
            continue;
        if (!found || at < *ret_at_us)
            *ret_at_us = at;
        found = true;
    }
    return found;
}

bool task_overdue(const struct task *task, const struct task_settings *settings, int64_t now_us)
{
    if (task->status != TASK_OPEN || task->due.kind == TASK_DUE_NONE)
        return false;
    if (task->due.kind != TASK_DUE_DATE)
        return task->due.at_us < now_us;
    struct time_civil today = time_zone_civil(settings->home, now_us);
    const struct time_civil *due = &task->due.local;
    return time_days_from_civil(due->year, due->month, due->day) <
           time_days_from_civil(today.year, today.month, today.day);
}

void task_reminders_json(struct base_buf *buf, const struct task *task, bool stored)
{
    base_json_open(buf, '[');
    for (size_t i = 0; i < task->reminder_count; i++) {
        const struct task_reminder *reminder = &task->reminders[i];
        char id[BASE_ID_TEXT + 1];
        base_id_text(reminder->id, id);
        base_json_open(buf, '{');
        base_json_kv_str(buf, "id", base_sv_from(id));
        if (reminder->relative) {
            char text[32];
            struct base_buf duration;
            base_buf_init(&duration, sizeof(text) - 1);
            time_duration_format(&duration, reminder->before_s);
            base_json_kv_str(buf, "before", base_buf_sv(&duration));
            base_buf_done(&duration);
        } else {
            base_json_kv_time(buf, "at", reminder->at_us);
        }
        if (reminder->nag_s)
            base_json_kv_int(buf, "nag_minutes", reminder->nag_s / 60);
        if (stored && reminder->repeat)
            base_json_kv_int(buf, "repeat", reminder->repeat);
        base_json_close(buf, '}');
    }
    base_json_close(buf, ']');
}

static struct base_sv json_text(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return base_sv(json_string_value(value), json_string_length(value));
}

enum base_err task_reminders_parse(struct base_sv json, struct base_arena *arena,
                                   struct task_reminder **ret_reminders, size_t *ret_count)
{
    json_t *list = json_loadb(json.ptr, json.len, 0, NULL);
    size_t count = json_array_size(list);
    struct task_reminder *reminders = NULL;
    enum base_err err = json_is_array(list) ? BASE_OK : BASE_MALFORMED;
    if (err == BASE_OK && count) {
        reminders = base_arena_array(arena, count, sizeof(*reminders));
        err = reminders ? BASE_OK : BASE_NO_MEMORY;
    }
    for (size_t i = 0; err == BASE_OK && i < count; i++) {
        const json_t *item = json_array_get(list, i);
        struct base_sv before = json_text(item, "before");
        reminders[i].relative = before.len > 0;
        reminders[i].nag_s = (int32_t)json_integer_value(json_object_get(item, "nag_minutes")) * 60;
        reminders[i].repeat = (int32_t)json_integer_value(json_object_get(item, "repeat"));
        bool ok =
            base_id_parse(json_text(item, "id"), &reminders[i].id) &&
            (reminders[i].relative ? time_duration_parse(before, &reminders[i].before_s)
                                   : base_time_parse(json_text(item, "at"), &reminders[i].at_us));
        err = ok ? BASE_OK : BASE_MALFORMED;
    }
    json_decref(list);
    if (err == BASE_OK) {
        *ret_reminders = reminders;
        *ret_count = count;
    }
    return err;
}

static void local_json(struct base_buf *buf, enum task_due_kind kind, struct time_civil local)
{
    struct base_buf text;
    base_buf_init(&text, 32);
    if (kind == TASK_DUE_DATE)
        time_date_format(&text, local);
    else
        time_civil_format(&text, local);
    base_json_str(buf, base_buf_sv(&text));
    base_buf_done(&text);
}

static void due_json(struct base_buf *buf, const struct task_due *due)
{
    base_json_key(buf, "due_date");
    if (due->kind == TASK_DUE_NONE) {
        base_json_null(buf);
        return;
    }
    local_json(buf, due->kind, due->local);
    base_json_kv_opt(buf, "timezone", due->zone);
    base_json_kv_time(buf, "due_at", due->at_us);
}

static void time_or_null(struct base_buf *buf, const char *key, bool set, int64_t at_us)
{
    base_json_key(buf, key);
    if (set)
        base_json_time(buf, at_us);
    else
        base_json_null(buf);
}

void task_json(struct base_buf *buf, const struct task *task, int64_t now_us)
{
    char id[BASE_ID_TEXT + 1];
    base_id_text(task->id, id);
    base_json_open(buf, '{');
    base_json_kv_str(buf, "id", base_sv_from(id));
    base_json_kv_int(buf, "version", task->version);
    base_json_kv_str(buf, "title", task->title);
    base_json_kv_str(buf, "notes", task->notes);
    base_json_kv_str(buf, "status", base_sv_from(task_status_name(task->status)));
    base_json_key(buf, "priority");
    if (task->priority)
        base_json_int(buf, task->priority);
    else
        base_json_null(buf);
    base_json_key(buf, "tags");
    base_json_open(buf, '[');
    for (size_t i = 0; i < task->tag_count; i++)
        base_json_str(buf, task->tags[i]);
    base_json_close(buf, ']');
    base_json_key(buf, "project");
    if (task->project.len)
        base_json_str(buf, task->project);
    else
        base_json_null(buf);
    base_json_key(buf, "parent_id");
    if (base_id_is_null(task->parent)) {
        base_json_null(buf);
    } else {
        base_id_text(task->parent, id);
        base_json_str(buf, base_sv_from(id));
    }
    due_json(buf, &task->due);
    int64_t next = 0;
    bool has_next = task_next_reminder(task, now_us, &next);
    time_or_null(buf, "reminder_time", has_next, next);
    base_json_key(buf, "reminders");
    task_reminders_json(buf, task, false);
    base_json_kv_bool(buf, "is_recurring", task->recurrence.len > 0);
    base_json_key(buf, "recurrence_pattern");
    if (task->recurrence.len)
        base_json_raw(buf, task->recurrence);
    else
        base_json_null(buf);
    base_json_key(buf, "next_occurrence");
    if (task->has_next)
        local_json(buf, task->due.kind, task->next);
    else
        base_json_null(buf);
    base_json_kv_int(buf, "occurrence", task->occurrence);
    base_json_kv_time(buf, "created_at", task->created_us);
    base_json_kv_time(buf, "updated_at", task->updated_us);
    time_or_null(buf, "completed_at", task->completed_us != 0, task->completed_us);
    base_json_close(buf, '}');
}
