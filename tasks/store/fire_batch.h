/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The claimed rows of one round and what becomes of them: receipts, events, and rows that go back
 * into the queue (held by quiet hours, or to nag). Inside the store only.
 */
#ifndef TASKS_STORE_FIRE_BATCH_H
#define TASKS_STORE_FIRE_BATCH_H

#include "lib/base/arena.h"
#include "tasks/store/fire.h"
#include "tasks/store/pg.h"

enum { FIRE_BATCH_MAX = 2000 };

/* What every claim returns of a row, in the order in which fire_batch_read takes it. */
#define FIRE_BATCH_COLUMNS                                                                         \
    "d.reminder_id, d.occurrence, d.repeat, d.task_id, d.user_id, d.fire_at, now(),"               \
    " coalesce(t.status = 0 AND t.occurrence = d.occurrence, false), coalesce(t.title, ''),"       \
    " coalesce(t.priority, 0), coalesce(t.due_kind, 0), t.due_local, coalesce(t.due_zone, ''),"    \
    " t.due_at, d.nag_s, d.rank, d.held_from, coalesce(u.zone, ''),"                               \
    " coalesce(extract(epoch FROM u.quiet_from)::int4 / 60, 0),"                                   \
    " coalesce(extract(epoch FROM u.quiet_to)::int4 / 60, 0), coalesce(u.quiet_urgent, false)"

/* Takes what fire_batch_bind binds. RETURNING tells which receipts are new; only their events are
 * made, and only they nag. */
#define FIRE_BATCH_SETTLE_SQL                                                                      \
    "WITH r AS MATERIALIZED (INSERT INTO receipt(reminder_id, occurrence, repeat, task_id,"        \
    "  user_id, event_id, state, due_at, held_until, fired_at)"                                    \
    "  SELECT x.*, now() FROM unnest($1::uuid[], $2::int4[], $3::int4[], $4::uuid[], $5::text[],"  \
    "   $6::uuid[], $7::int2[], $8::timestamptz[], $9::timestamptz[]) AS x"                        \
    "  ON CONFLICT DO NOTHING RETURNING event_id),"                                                \
    " o AS (INSERT INTO outbox(user_id, type, payload)"                                            \
    "  SELECT e.user_id, e.type, e.payload"                                                        \
    "  FROM unnest($10::uuid[], $11::text[], $12::int2[], $13::text[]) WITH ORDINALITY"            \
    "   AS e(event_id, user_id, type, payload, nr)"                                                \
    "  WHERE (e.event_id IN (SELECT event_id FROM r)) IS TRUE ORDER BY e.nr),"                     \
    " q AS (INSERT INTO reminder_fire(reminder_id, occurrence, repeat, task_id, user_id, fire_at," \
    "  nag_s, rank, held_from)"                                                                    \
    "  SELECT y.reminder_id, y.occurrence, y.repeat, y.task_id, y.user_id, y.fire_at, y.nag_s,"    \
    "   y.rank, y.held_from FROM unnest($14::uuid[], $15::int4[], $16::int4[], $17::uuid[],"       \
    "   $18::text[], $19::timestamptz[], $20::int4[], $21::int2[], $22::timestamptz[],"            \
    "   $23::uuid[]) AS y(reminder_id, occurrence, repeat, task_id, user_id, fire_at, nag_s,"      \
    "   rank, held_from, after)"                                                                   \
    "  WHERE (y.after IS NULL OR y.after IN (SELECT event_id FROM r)) IS TRUE"                     \
    "  ON CONFLICT DO NOTHING)"                                                                    \
    " SELECT event_id FROM r"

/* fire.c */
#define FIRE_STATEMENTS 6
extern const struct pg_statement fire_statements[FIRE_STATEMENTS];

struct fire_event {
    struct base_id id;
    struct base_sv user_id;
    int type;
    size_t offset, length; /* in payloads */
};

/* A row for the queue. */
struct fire_again {
    const struct task_firing *of;
    int32_t repeat;
    int64_t at_us;
    int64_t held_from_us; /* 0: not held */
    struct base_id after; /* only if that event's receipt is new; null: in any case */
};

struct fire_batch {
    int64_t now_us; /* the database's, in this transaction */
    /* Texts are in the arena, so that they live until the commit. */
    struct base_arena arena;
    struct task_firing firings[FIRE_BATCH_MAX];
    struct task_fired fired[FIRE_BATCH_MAX];
    struct fire_event events[FIRE_BATCH_MAX];
    struct fire_again again[FIRE_BATCH_MAX];
    size_t count, event_count, again_count;
    struct base_buf payload; /* one event: the JSON writer puts a comma after what stands before */
    struct base_buf payloads;
};

void fire_batch_init(struct fire_batch *batch);
void fire_batch_done(struct fire_batch *batch);
void fire_batch_clear(struct fire_batch *batch);

/* Takes the claimed rows and decides about each. TOO_LARGE: the events do not fit. */
BASE_MUST_CHECK enum base_err fire_batch_read(struct fire_batch *batch, const PGresult *result);
void fire_batch_bind(const struct fire_batch *batch, struct pg_params *params);
/* What the settling returned: keeps of fired only those whose receipt was new (another process may
 * have been first) and those that are held. */
void fire_batch_settled(struct fire_batch *batch, const PGresult *result);

#endif
