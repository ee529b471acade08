/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a due reminder becomes: what to do with it by its lateness, and the data of the event, which
 * is what a phone shows. Pure: no clock, no I/O.
 */
#ifndef TASKS_REMINDER_EVENT_H
#define TASKS_REMINDER_EVENT_H

#include "lib/base/buf.h"
#include "lib/base/id.h"
#include "tasks/settings.h"

/* A firing joined with its task. */
struct task_firing {
    struct base_id reminder_id;
    int32_t occurrence;
    int32_t repeat;
    struct base_id task_id;
    struct base_sv user_id;
    int64_t fire_at_us;
    bool live; /* the task is open and still in this occurrence */
    struct base_sv title;
    int priority;
    int due_kind;         /* as the database has it: 0 none, 1 date, 2 floating, 3 zoned */
    int64_t due_local_us; /* wall time as if it were UTC */
    struct base_sv due_zone;
    int64_t due_at_us;
    int32_t nag_s; /* comes again so often; 0 = once */
    int rank;
    int64_t held_from_us; /* when it was due, if quiet hours held it back; else 0 */
    struct base_sv home_zone;
    struct task_quiet quiet;
};

/* Never silence, never a flood: */
enum task_firing_policy {
    TASK_FIRING_ON_TIME,
    TASK_FIRING_LATE,    /* up to 15 minutes: sent, marked late */
    TASK_FIRING_DIGEST,  /* up to 24 hours: one message for all of the user's */
    TASK_FIRING_MISSED,  /* older: only in the history */
    TASK_FIRING_CLEARED, /* nothing left to remind of */
    TASK_FIRING_HELD,    /* its user wants quiet: it waits until that ends */
    TASK_FIRING_POLICY_COUNT
};

enum task_firing_policy task_firing_policy(const struct task_firing *firing, int64_t now_us);
/* When the quiet hours end that now lies in; 0: it lies in none. */
int64_t task_quiet_until(const struct task_firing *firing, int64_t now_us);
/* The repeat of the firing that nags after this one; 0: there is none. */
int32_t task_nag_repeat(const struct task_firing *firing);

/* The data of reminder.triggered for one firing. */
void task_firing_json(struct base_buf *buf, const struct task_firing *firing, bool late,
                      int64_t now_us);
/* The data of one event for n firings of one user: why they come together. */
enum task_digest { TASK_DIGEST_AWAY, TASK_DIGEST_MISSED, TASK_DIGEST_QUIET, TASK_DIGEST_COUNT };
void task_firings_json(struct base_buf *buf, const struct task_firing *firings, size_t n,
                       enum task_digest digest, int64_t now_us);

#endif
