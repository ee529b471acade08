/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands: pure functions from a task as it is to a task as it shall be, with everything that
 * follows from that: which firings are to come, which occurrence is closed, which events tell of
 * it. Nothing here touches the database; tasks/store commits a change with a compare-and-set on the
 * version it was made from.
 */
#ifndef TASKS_COMMAND_H
#define TASKS_COMMAND_H

#include "lib/base/trace.h"
#include "tasks/event.h"
#include "tasks/task.h"

struct task_context {
    struct base_sv user_id;
    int64_t now_us;
    struct task_settings settings;
    const struct base_trace *trace; /* or NULL */
    struct base_arena *arena;       /* everything made lives here */
};

enum task_field {
    TASK_F_TITLE = 1,
    TASK_F_NOTES = 2,
    TASK_F_PRIORITY = 4,
    TASK_F_TAGS = 8,
    TASK_F_PROJECT = 16,
    TASK_F_DUE = 32,
    TASK_F_RECURRENCE = 64,
    TASK_F_REMINDERS = 128,
    TASK_F_PARENT = 256,
};

/* New values of the fields named in set. */
struct task_patch {
    unsigned set; /* task_field bits */
    struct base_sv title, notes, project, recurrence;
    int priority;
    struct base_sv *tags;
    size_t tag_count;
    struct task_due due;
    struct task_reminder *reminders; /* ids that the task has not = new */
    size_t reminder_count;
    struct base_id parent; /* null: it becomes a task of its own */
};

struct task_fire {
    struct base_id reminder_id;
    int32_t occurrence;
    int32_t repeat;
    int32_t nag_s; /* as the reminder's */
    int64_t at_us;
};

enum task_outcome { TASK_OUT_NONE, TASK_OUT_COMPLETED, TASK_OUT_SKIPPED, TASK_OUT_MISSED };

struct task_change {
    const struct task *before; /* NULL: the task is new */
    struct task *after;        /* version = before's + 1 */
    bool refire;               /* the task's waiting firings are replaced by fires */
    struct task_fire *fires;
    size_t fire_count;
    enum task_outcome outcome; /* of before's occurrence, when this closes it */
    struct task_event_row *events;
    size_t event_count;
};

struct task_event_row {
    int type;
    struct base_sv payload;
};

/* UNPROCESSABLE or INVALID with *ret_problem for what the user can mend; CONFLICT when the task's
 * status does not allow it (completing a done one). */
BASE_MUST_CHECK enum base_err task_create(const struct task_context *ctx,
                                          const struct task_patch *patch,
                                          struct task_change *ret_change,
                                          struct task_problem *ret_problem);
/* A task from somewhere else, with what it was there. A series begins at the patch's due time; due
 * is the occurrence that it had come to. */
struct task_imported {
    struct base_id id;
    bool done;
    bool has_due;
    struct task_due due;
    int64_t created_us, completed_us; /* 0: not known, now */
};
BASE_MUST_CHECK enum base_err task_import(const struct task_context *ctx,
                                          const struct task_patch *patch,
                                          const struct task_imported *imported,
                                          struct task_change *ret_change,
                                          struct task_problem *ret_problem);
BASE_MUST_CHECK enum base_err task_update(const struct task_context *ctx, const struct task *task,
                                          const struct task_patch *patch,
                                          struct task_change *ret_change,
                                          struct task_problem *ret_problem);
/* A recurring task moves on to its next occurrence instead of ending. */
BASE_MUST_CHECK enum base_err task_complete(const struct task_context *ctx, const struct task *task,
                                            struct task_change *ret_change,
                                            struct task_problem *ret_problem);
BASE_MUST_CHECK enum base_err task_skip(const struct task_context *ctx, const struct task *task,
                                        struct task_change *ret_change,
                                        struct task_problem *ret_problem);
BASE_MUST_CHECK enum base_err task_reopen(const struct task_context *ctx, const struct task *task,
                                          struct task_change *ret_change,
                                          struct task_problem *ret_problem);
BASE_MUST_CHECK enum base_err task_delete(const struct task_context *ctx, const struct task *task,
                                          struct task_change *ret_change,
                                          struct task_problem *ret_problem);
/* Its reminder comes again at that time. */
BASE_MUST_CHECK enum base_err task_snooze(const struct task_context *ctx, const struct task *task,
                                          int64_t until_us, struct task_change *ret_change,
                                          struct task_problem *ret_problem);
/* Takes a fired reminder off every screen; the task stays as it is. */
BASE_MUST_CHECK enum base_err task_dismiss(const struct task_context *ctx, const struct task *task,
                                           struct task_change *ret_change,
                                           struct task_problem *ret_problem);
/* What time alone changes, when review_us has come or the rules of its zone have: the due time is
 * derived anew, and a series whose next occurrence begins rolls on, the present one missed. OK and
 * ret_change->after NULL: nothing but review_us, which *ret_review_us tells. */
BASE_MUST_CHECK enum base_err task_review(const struct task_context *ctx, const struct task *task,
                                          struct task_change *ret_change, int64_t *ret_review_us);
/* Back to what it was: the fields of was, a new version, firings anew. was's status decides open or
 * not. */
BASE_MUST_CHECK enum base_err task_restore(const struct task_context *ctx, const struct task *task,
                                           const struct task *was, struct task_change *ret_change,
                                           struct task_problem *ret_problem);

#endif
