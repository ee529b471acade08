/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The task: one aggregate with its due time, recurrence and reminders. A value: every view in it
 * points into the arena it was made in. Names on the wire are the API's (design: REST), the same in
 * REST, events and chat.
 */
#ifndef TASKS_TASK_H
#define TASKS_TASK_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/id.h"
#include "lib/time/zone.h"

enum {
    TASK_TITLE_MAX = 500,   /* code points */
    TASK_NOTES_MAX = 16384, /* bytes */
    TASK_TAGS_MAX = 20,
    TASK_NAME_MAX = 100, /* code points of a tag or project */
    TASK_REMINDERS_MAX = 10,
    TASK_PRIORITY_MAX = 4,
    TASK_REPEAT_STEP = 1024,
    TASK_NAGS_MAX = 1000, /* in a row */
    TASK_NAG_MIN_S = 60,
    TASK_NAG_MAX_S = 24 * 3600,
};

/* What was wrong: the API's field (JSON pointer without the slash) and a sentence. */
struct task_problem {
    const char *field;
    const char *text;
};

enum task_status { TASK_OPEN, TASK_DONE, TASK_DELETED, TASK_STATUS_COUNT };
const char *task_status_name(enum task_status status);

/* A due date is a day, a wall time wherever the user is, or a wall time in a zone. */
enum task_due_kind { TASK_DUE_NONE, TASK_DUE_DATE, TASK_DUE_FLOATING, TASK_DUE_ZONED };

struct task_due {
    enum task_due_kind kind;
    struct time_civil local; /* the truth */
    int32_t micros;          /* "in 5 seconds" is exact; never shown, kept by the database */
    struct base_sv zone;     /* zoned only */
    int64_t at_us;           /* derived: task_due_resolve */
};

struct task_reminder {
    struct base_id id;
    bool relative;
    int64_t before_s; /* relative: seconds before due */
    int64_t at_us;    /* absolute */
    int32_t nag_s;    /* comes again so often until the task is done; 0 = once */
    /* Grows by TASK_REPEAT_STEP with each snooze and reschedule, by one with each nag: a firing's
     * key is never used twice. */
    int32_t repeat;
};

/* What of the user's settings decides about dates. */
struct task_settings {
    const struct time_zone *home;
    int default_minute; /* of the day, when a date-only task reminds */
};

struct task {
    struct base_id id;
    struct base_sv user_id;
    int32_t version;
    enum task_status status;
    struct base_sv title;
    struct base_sv notes;
    int priority; /* 0 none, 1 lowest … 4 urgent */
    struct base_sv *tags;
    size_t tag_count;
    struct base_sv project;
    struct task_due due;
    struct base_sv recurrence; /* recurrence_pattern as JSON text; empty = one-off */
    struct time_civil start;   /* recurring: where the series began */
    int32_t occurrence;
    /* Derived (task_series_look_ahead): the occurrence that follows the present one, and when time
     * alone changes the task; 0 = never. */
    bool has_next;
    struct time_civil next;
    int64_t review_us;
    struct task_reminder *reminders;
    size_t reminder_count;
    struct base_id parent;
    int64_t created_us;
    int64_t updated_us;
    int64_t completed_us; /* 0 = not */
    int64_t deleted_us;
};

/* Derives at_us. A date-only task counts at its user's default time. */
void task_due_resolve(struct task_due *due, const struct task_settings *settings);

/* When a reminder of the task is to fire; false if the task has no due time to count from. */
bool task_reminder_at(const struct task *task, const struct task_reminder *reminder,
                      int64_t *ret_at_us);
/* The earliest firing after now; false if there is none. */
bool task_next_reminder(const struct task *task, int64_t now_us, int64_t *ret_at_us);

/* True when a task is past due at now: a date-only one only when its day is over. */
bool task_overdue(const struct task *task, const struct task_settings *settings, int64_t now_us);

/* The task as the API shows it, one JSON object. */
void task_json(struct base_buf *buf, const struct task *task, int64_t now_us);
/* {"title":…}[] is how the database keeps reminders; stored adds what only we need. */
void task_reminders_json(struct base_buf *buf, const struct task *task, bool stored);
BASE_MUST_CHECK enum base_err task_reminders_parse(struct base_sv json, struct base_arena *arena,
                                                   struct task_reminder **ret_reminders,
                                                   size_t *ret_count);

#endif
