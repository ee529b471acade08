/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The firing of due reminders. Any number of processes may run it: rows are claimed with SKIP
 * LOCKED, and in one transaction they leave the queue, their receipts are written and their events
 * go to the outbox. The receipt's key is what makes a firing happen once: where the receipt is
 * there already, no event is made. The time is the database's; this process' clock has no say.
 *
 * A row that keeps failing is tried alone, and set aside after some attempts, so that it holds up
 * nobody else.
 */
#ifndef TASKS_STORE_FIRE_H
#define TASKS_STORE_FIRE_H

#include "lib/base/loop.h"
#include "lib/base/trace.h"
#include "tasks/reminder_event.h"

struct task_fire;

struct task_fired {
    enum task_firing_policy policy;
    struct base_id reminder_id;
    struct base_id task_id;
    struct base_id event_id;
    struct base_sv user_id;
    int32_t occurrence, repeat;
    int64_t late_us;
    struct base_trace trace; /* of the event */
};

struct task_fire_options {
    struct base_loop *loop;
    const char *url;
    int batch; /* rows a round, at most 500 */
    /* After the commit; valid during the call. */
    void (*on_fired)(void *ctx, const struct task_fired *fired, size_t n);
    /* A row was tried too often: it stays in the queue, but is not tried again (todo-admin dlq).
     * Valid during the call. */
    void (*on_set_aside)(void *ctx, const struct task_firing *firing, const char *why);
    /* Every ten seconds: rows whose time has come, counted up to 10,000. */
    void (*on_overdue)(void *ctx, int64_t count);
    /* The connection came up, was lost, or a statement failed (why tells; it is tried again). */
    void (*on_state)(void *ctx, bool up, const char *why);
    void *ctx;
};

BASE_MUST_CHECK enum base_err task_fire_new(const struct task_fire_options *options,
                                            struct task_fire **ret_fire);
/* A claim under way is rolled back by the database. */
void task_fire_free(struct task_fire *fire);

bool task_fire_up(const struct task_fire *fire);
/* No new round begins. */
void task_fire_stop(struct task_fire *fire);
/* No claim is under way. */
bool task_fire_idle(const struct task_fire *fire);

#endif
