/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The relay's half in the database. Of all processes that run it one is leader, by a lock that
 * lives and dies with its session. The leader gives each event of the outbox its user's next
 * number, moves it to the events table, and hands it over after the commit, in the order of ids,
 * each at least once: from the saved cursor on after a start.
 *
 * Why one leader: numbering inside the commands' own transactions would make every command of a
 * user wait for the one before it, and a stalled one stall them all. Why it must be the session
 * that holds the lock: so that a former leader can never number after its successor has begun.
 */
#ifndef TASKS_STORE_RELAY_H
#define TASKS_STORE_RELAY_H

#include "lib/base/id.h"
#include "lib/base/loop.h"

struct task_relay;

/* Valid during on_events. */
struct task_relay_event {
    int64_t id; /* grows from event to event */
    struct base_sv user_id;
    int64_t user_seq;
    int type;
    struct base_sv payload; /* without userseq */
};

struct task_relay_stats {
    int64_t age_us; /* of the oldest event without a number, held users aside */
    int64_t depth;  /* about how many there are */
    int64_t
        blocker; /* when they are old: the server process that holds the oldest snapshot, or 0 */
};

struct task_relay_options {
    struct base_loop *loop;
    const char *url;
    int batch;     /* events a round, at most */
    int keep_days; /* how long events stay in the history, at least 7 */
    void (*on_leader)(void *ctx, bool leader);
    void (*on_events)(void *ctx, const struct task_relay_event *events, size_t n);
    void (*on_stats)(void *ctx, const struct task_relay_stats *stats);
    /* The connection came up, was lost, or a statement failed (why tells; it is tried again). */
    void (*on_state)(void *ctx, bool up, const char *why);
    void *ctx;
};

BASE_MUST_CHECK enum base_err task_relay_new(const struct task_relay_options *options,
                                             struct task_relay **ret_relay);
void task_relay_free(struct task_relay *relay);

bool task_relay_up(const struct task_relay *relay);
bool task_relay_leads(const struct task_relay *relay);
/* While held no further events are handed over or numbered. */
void task_relay_hold(struct task_relay *relay, bool held);
/* These users' events, and only theirs, wait without a number from now on. Copied. */
void task_relay_hold_users(struct task_relay *relay, const struct base_sv *users, size_t n);
/* The history's old days go now, not with the next round of chores an hour on. */
void task_relay_sweep(struct task_relay *relay);

/* Everything up to and including the event id is published. Saved soon; only the newest counts. */
void task_relay_save(struct task_relay *relay, int64_t id);
/* These reminder events are published: notes it in their receipts. */
void task_relay_published(struct task_relay *relay, const struct base_id *events, size_t n);
/* Hands over again everything after the saved cursor. */
void task_relay_restart(struct task_relay *relay);
/* Nothing is under way in the database and everything asked to be saved is. */
bool task_relay_idle(const struct task_relay *relay);

#endif
