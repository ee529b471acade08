/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/exchange/writer.h"

#include <jansson.h>
#include <stdlib.h>

#include "lib/base/json.h"
#include "lib/base/utf8.h"
#include "lib/time/duration.h"

enum { LINE_MAX = 75, CONTENT_MAX = 128 * 1024 };

/* RFC 5545 3.1: a line is at most 75 bytes and goes on behind a blank; characters stay whole. */
static void add_line(struct base_buf *buf, struct base_sv line)
{
    size_t room = LINE_MAX;
    while (line.len > room) {
        size_t cut = room;
        while (cut > 1 && ((unsigned char)line.ptr[cut] & 0xc0) == 0x80)
            cut--;
        base_buf_add(buf, base_sv_sub(line, 0, cut));
        base_buf_add_c(buf, "\r\n ");
        line = base_sv_sub(line, cut, line.len);
        room = LINE_MAX - 1;
    }
    base_buf_add(buf, line);
    base_buf_add_c(buf, "\r\n");
}

static void line(struct base_buf *buf, const char *name, struct base_sv value)
{
    struct base_buf content;
    base_buf_init(&content, CONTENT_MAX);
    base_buf_add_c(&content, name);
    base_buf_add(&content, value);
    add_line(buf, base_buf_sv(&content));
    base_buf_done(&content);
}

/* 3.3.11 */
static void text_line(struct base_buf *buf, const char *name, struct base_sv text)
{
    struct base_buf escaped;
    base_buf_init(&escaped, CONTENT_MAX);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\\' || c == ',' || c == ';')
            base_buf_add_char(&escaped, '\\');
        if (c == '\n')
            base_buf_add_c(&escaped, "\\n");
        else
            base_buf_add_char(&escaped, c);
    }
    line(buf, name, base_buf_sv(&escaped));
    base_buf_done(&escaped);
}

static void add_wall(struct base_buf *buf, struct time_civil wall, bool day_only)
{
    base_buf_addf(buf, "%04d%02d%02d", wall.year, wall.month, wall.day);
    if (!day_only)
        base_buf_addf(buf, "T%02d%02d%02d", wall.hour, wall.minute, wall.second);
}

static void when_line(struct base_buf *buf, const char *name, const struct task_due *due,
                      struct time_civil wall)
{
    struct base_buf content;
    bool utc = base_sv_eq_c(due->zone, "UTC");
    base_buf_init(&content, 256);
    base_buf_add_c(&content, name);
    if (due->kind == TASK_DUE_DATE)
        base_buf_add_c(&content, ";VALUE=DATE");
    else if (due->kind == TASK_DUE_ZONED && !utc)
        base_buf_addf(&content, ";TZID=%.*s", SV_FMT(due->zone));
    base_buf_add_char(&content, ':');
    add_wall(&content, wall, due->kind == TASK_DUE_DATE);
    if (due->kind == TASK_DUE_ZONED && utc)
        base_buf_add_char(&content, 'Z');
    add_line(buf, base_buf_sv(&content));
    base_buf_done(&content);
}

static void instant_line(struct base_buf *buf, const char *name, int64_t at_us)
{
    struct base_buf content;
    base_buf_init(&content, 64);
    add_wall(&content, time_civil_from_seconds(at_us / 1000000), false);
    base_buf_add_char(&content, 'Z');
    line(buf, name, base_buf_sv(&content));
    base_buf_done(&content);
}

static void rule_lines(struct base_buf *buf, const struct task *task)
{
    json_t *pattern = json_loadb(task->recurrence.ptr, task->recurrence.len, 0, NULL);
    const json_t *rule = json_object_get(pattern, "rrule");
    if (json_is_string(rule))
        line(buf, "RRULE:", base_sv(json_string_value(rule), json_string_length(rule)));
    text_line(buf, "X-TODO-RECURRENCE:", task->recurrence);
    json_decref(pattern);
}

static void alarm_lines(struct base_buf *buf, const struct task *task,
                        const struct task_reminder *reminder)
{
    struct base_buf text;
    base_buf_init(&text, 64);
    line(buf, "BEGIN:VALARM", SV_NULL);
    line(buf, "ACTION:DISPLAY", SV_NULL);
    text_line(buf, "DESCRIPTION:", task->title);
    if (reminder->relative) {
        if (reminder->before_s)
            base_buf_add_char(&text, '-');
        time_duration_format(&text, reminder->before_s);
        line(buf, "TRIGGER;RELATED=END:", base_buf_sv(&text));
    } else {
        instant_line(buf, "TRIGGER;VALUE=DATE-TIME:", reminder->at_us);
    }
    if (reminder->nag_s) {
        base_buf_reset(&text);
        base_buf_add_int(&text, reminder->nag_s / 60);
        line(buf, "X-TODO-NAG:", base_buf_sv(&text));
    }
    line(buf, "END:VALARM", SV_NULL);
    base_buf_done(&text);
}

void gw_ical_begin(struct base_buf *buf)
{
    line(buf, "BEGIN:VCALENDAR", SV_NULL);
    line(buf, "VERSION:2.0", SV_NULL);
    line(buf, "PRODID:-//Todo Chatbot//Todo Chatbot//EN", SV_NULL);
}

void gw_ical_end(struct base_buf *buf)
{
    line(buf, "END:VCALENDAR", SV_NULL);
}

void gw_ical_todo(struct base_buf *buf, const struct task *task, int64_t now_us)
{
    static const char *const priorities[] = {NULL, "7", "5", "3", "1"};
    char id[BASE_ID_TEXT + 1];
    bool recurs = task->recurrence.len && task->due.kind;
    base_id_text(task->id, id);
    line(buf, "BEGIN:VTODO", SV_NULL);
    line(buf, "UID:", base_sv_from(id));
    instant_line(buf, "DTSTAMP:", now_us);
    instant_line(buf, "CREATED:", task->created_us);
    instant_line(buf, "LAST-MODIFIED:", task->updated_us);
    text_line(buf, "SUMMARY:", task->title);
    if (task->notes.len)
        text_line(buf, "DESCRIPTION:", task->notes);
    if (task->priority)
        line(buf, "PRIORITY:", base_sv_from(priorities[task->priority]));
    for (size_t i = 0; i < task->tag_count; i++)
        text_line(buf, "CATEGORIES:", task->tags[i]);
    if (task->project.len)
        text_line(buf, "X-TODO-PROJECT:", task->project);
    if (recurs) {
        when_line(buf, "DTSTART", &task->due, task->start);
        rule_lines(buf, task);
    }
    if (task->due.kind)
        when_line(buf, "DUE", &task->due, task->due.local);
    line(buf, task->status == TASK_DONE ? "STATUS:COMPLETED" : "STATUS:NEEDS-ACTION", SV_NULL);
    if (task->completed_us)
        instant_line(buf, "COMPLETED:", task->completed_us);
    for (size_t i = 0; i < task->reminder_count; i++)
        alarm_lines(buf, task, &task->reminders[i]);
    line(buf, "END:VTODO", SV_NULL);
}

void gw_export_json(struct base_buf *buf, const struct task *task, int64_t now_us)
{
    struct base_buf start;
    task_json(buf, task, now_us);
    if (!task->recurrence.len || !task->due.kind || buf->failed)
        return;
    buf->len--; /* its closing brace */
    base_buf_init(&start, 32);
    if (task->due.kind == TASK_DUE_DATE)
        time_date_format(&start, task->start);
    else
        time_civil_format(&start, task->start);
    base_buf_addf(buf, ",\"series_start\":\"%.*s\"}", SV_FMT(base_buf_sv(&start)));
    base_buf_done(&start);
}
