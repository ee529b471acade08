/* SPDX-License-Identifier: Apache-2.0 */
/* The policy's limits and the JSON. */
#include "tasks/reminder_event.h"

#include <string.h>

#include "lib/base/json.h"
#include "lib/base/utf8.h"
#include "lib/time/zone.h"
#include "tasks/task.h"

#define SECOND_US INT64_C(1000000)
#define ON_TIME_US (60 * SECOND_US)
#define LATE_US (15 * 60 * SECOND_US)
#define DIGEST_US (24 * 3600 * SECOND_US)
#define USEFUL_US (24 * 3600 * SECOND_US)

enum { PRIORITY_NONE = 3, BODY_LINES = 10, ITEMS_MAX = 100, LINE_MAX_BYTES = 120 };

static const struct {
    const char *id;
    const char *label;
    int minutes; /* 0: the action takes no argument */
} actions[] = {
    {"complete", "Done", 0}, {"snooze", "Snooze 10 min", 10}, {"snooze", "Snooze 1 hour", 60}};

enum task_firing_policy task_firing_policy(const struct task_firing *firing, int64_t now_us)
{
    int64_t late_us = now_us - firing->fire_at_us;
    if (!firing->live)
        return TASK_FIRING_CLEARED;
    if (task_quiet_until(firing, now_us))
        return TASK_FIRING_HELD;
    return late_us <= ON_TIME_US  ? TASK_FIRING_ON_TIME
           : late_us <= LATE_US   ? TASK_FIRING_LATE
           : late_us <= DIGEST_US ? TASK_FIRING_DIGEST
                                  : TASK_FIRING_MISSED;
}

int64_t task_quiet_until(const struct task_firing *firing, int64_t now_us)
{
    const struct time_zone *zone;
    int from = firing->quiet.from;
    int to = firing->quiet.to;
    if (from == to || (firing->quiet.urgent_passes && firing->priority == TASK_PRIORITY_MAX) ||
        time_zone_load(firing->home_zone, &zone) != BASE_OK)
        return 0;
    struct time_civil local = time_zone_civil(zone, now_us);
    int minute = local.hour * 60 + local.minute;
    bool quiet = from <= to ? minute >= from && minute < to : minute >= from || minute < to;
    if (!quiet)
        return 0;
    int64_t day = time_days_from_civil(local.year, local.month, local.day) + (to <= minute);
    return time_zone_instant(zone, time_civil_from_seconds(day * 86400 + to * 60), NULL);
}

int32_t task_nag_repeat(const struct task_firing *firing)
{
    bool more = firing->nag_s && firing->live && firing->repeat % TASK_REPEAT_STEP < TASK_NAGS_MAX;
    return more ? firing->repeat + 1 : 0;
}

static struct time_civil due_civil(const struct task_firing *firing)
{
    int64_t seconds = firing->due_local_us / SECOND_US;
    if (firing->due_local_us % SECOND_US < 0)
        seconds--;
    return time_civil_from_seconds(seconds);
}

/* "Tue 24 Nov, 09:00"; only the day for a task without a time. */
static void add_due_words(struct base_buf *buf, const struct task_firing *firing)
{
    static const char days[] = "MonTueWedThuFriSatSun";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct time_civil due = due_civil(firing);
    int weekday = time_weekday(time_days_from_civil(due.year, due.month, due.day));
    base_buf_addf(buf, "%.3s %d %.3s", days + weekday * 3, due.day, months + (due.month - 1) * 3);
    if (firing->due_kind > 1)
        base_buf_addf(buf, ", %02d:%02d", due.hour, due.minute);
}

/* As the task's own JSON has them. */
static void add_due_fields(struct base_buf *buf, const struct task_firing *firing)
{
    struct base_buf text;
    if (firing->due_kind == 0)
        return;
    base_buf_init(&text, 32);
    if (firing->due_kind == 1)
        time_date_format(&text, due_civil(firing));
    else
        time_civil_format(&text, due_civil(firing));
    base_json_kv_str(buf, "due_date", base_buf_sv(&text));
    base_buf_done(&text);
    base_json_kv_opt(buf, "timezone", firing->due_zone);
    base_json_kv_time(buf, "due_at", firing->due_at_us);
}

static void add_id(struct base_buf *buf, const char *key, struct base_id id)
{
    char text[BASE_ID_TEXT + 1];
    base_id_text(id, text);
    base_json_kv_str(buf, key, base_sv_from(text));
}

/* Which firing it is: what a device sends back with its action. */
static void add_keys(struct base_buf *buf, const struct task_firing *firing)
{
    add_id(buf, "task_id", firing->task_id);
    add_id(buf, "reminder_id", firing->reminder_id);
    base_json_kv_int(buf, "occurrence", firing->occurrence);
    base_json_kv_int(buf, "repeat", firing->repeat);
}

static void add_actions(struct base_buf *buf)
{
    base_json_key(buf, "actions");
    base_json_open(buf, '[');
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        base_json_open(buf, '{');
        base_json_kv_str(buf, "id", base_sv_from(actions[i].id));
        base_json_kv_str(buf, "label", base_sv_from(actions[i].label));
        if (actions[i].minutes) {
            base_json_key(buf, "args");
            base_json_open(buf, '{');
            base_json_kv_int(buf, "minutes", actions[i].minutes);
            base_json_close(buf, '}');
        }
        base_json_close(buf, '}');
    }
    base_json_close(buf, ']');
}

static void add_body(struct base_buf *buf, struct base_buf *body)
{
    base_json_kv_str(buf, "body", base_buf_sv(body));
    base_buf_done(body);
}

void task_firing_json(struct base_buf *buf, const struct task_firing *firing, bool late,
                      int64_t now_us)
{
    struct base_buf body;
    char id[BASE_ID_TEXT + 1];
    base_buf_init(&body, 256);
    if (firing->due_kind > 0) {
        base_buf_add_c(&body, "Due ");
        add_due_words(&body, firing);
    }
    base_id_text(firing->task_id, id);
    base_json_open(buf, '{');
    base_json_kv_str(buf, "title", firing->title);
    add_body(buf, &body);
    base_json_kv_int(buf, "priority", firing->priority > 0 ? firing->priority + 1 : PRIORITY_NONE);
    base_json_kv_str(buf, "tag", base_sv_from(id));
    base_buf_init(&body, 64);
    base_buf_addf(&body, "/#/tasks/%s", id);
    base_json_kv_str(buf, "click", base_buf_sv(&body));
    base_buf_done(&body);
    base_json_kv_time(buf, "expires", now_us + USEFUL_US);
    add_actions(buf);
    add_keys(buf, firing);
    base_json_kv_time(buf, "fire_at", firing->fire_at_us);
    add_due_fields(buf, firing);
    if (late)
        base_json_kv_bool(buf, "late", true);
    base_json_close(buf, '}');
}

static int highest_priority(const struct task_firing *firings, size_t n)
{
    int highest = 0;
    for (size_t i = 0; i < n; i++) {
        int priority = firings[i].priority > 0 ? firings[i].priority + 1 : PRIORITY_NONE;
        if (priority > highest)
            highest = priority;
    }
    return highest;
}

static void add_lines(struct base_buf *body, const struct task_firing *firings, size_t n)
{
    for (size_t i = 0; i < n && i < BODY_LINES; i++) {
        if (i)
            base_buf_add_char(body, '\n');
        base_buf_add(body, base_utf8_cut(firings[i].title, LINE_MAX_BYTES));
        if (firings[i].due_kind > 0) {
            base_buf_add_c(body, " (");
            add_due_words(body, &firings[i]);
            base_buf_add_char(body, ')');
        }
    }
    if (n > BODY_LINES)
        base_buf_addf(body, "\nand %zu more", n - BODY_LINES);
}

void task_firings_json(struct base_buf *buf, const struct task_firing *firings, size_t n,
                       enum task_digest digest, int64_t now_us)
{
    static const char *const whys[TASK_DIGEST_COUNT] = {
        "while we were away", "could not be delivered in time", "from your quiet hours"};
    struct base_buf text;
    base_json_open(buf, '{');
    base_buf_init(&text, 64);
    base_buf_addf(&text, "%zu reminder%s %s", n, n == 1 ? "" : "s", whys[digest]);
    base_json_kv_str(buf, "title", base_buf_sv(&text));
    base_buf_done(&text);
    base_buf_init(&text, 4096);
    add_lines(&text, firings, n);
    add_body(buf, &text);
    base_json_kv_int(buf, "priority", highest_priority(firings, n));
    base_json_kv_str(buf, "tag", digest == TASK_DIGEST_MISSED ? SV("missed") : SV("digest"));
    base_json_kv_str(buf, "click", SV("/#/tasks"));
    base_json_kv_time(buf, "expires", now_us + USEFUL_US);
    base_json_key(buf, "actions");
    base_json_open(buf, '[');
    base_json_close(buf, ']');
    base_json_kv_bool(buf, "late", digest != TASK_DIGEST_QUIET);
    base_json_kv_bool(buf, "digest", true);
    base_json_kv_int(buf, "count", (int64_t)n);
    base_json_key(buf, "items");
    base_json_open(buf, '[');
    for (size_t i = 0; i < n && i < ITEMS_MAX; i++) {
        base_json_open(buf, '{');
        base_json_kv_str(buf, "title", firings[i].title);
        add_keys(buf, &firings[i]);
        base_json_kv_time(buf, "fire_at", firings[i].fire_at_us);
        add_due_fields(buf, &firings[i]);
        base_json_close(buf, '}');
    }
    base_json_close(buf, ']');
    base_json_close(buf, '}');
}
