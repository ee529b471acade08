/* SPDX-License-Identifier: Apache-2.0 */
/*
 * States: DOWN (no connection) → FOLLOWING (asks for the lock) → PREPARING (partitions) → READING
 * (the cursor, then published history after it) → NUMBERING. One round is under way at a time; the
 * next begins when the loop gets round to it, at once while there is work and after 2 to 20 ms when
 * there was none. Polling, because NOTIFY takes a lock of the whole server at each commit.
 *
 * Deleted rows stay in the outbox's index until they are vacuumed, and while somebody's long
 * transaction lasts each look at its beginning walks over all of them. So a round looks behind the
 * row that was the newest a moment ago; every FROM_START_MS one looks from the beginning, for what
 * was committed long after it got its id.
 */
#include "tasks/store/relay.h"

#include <stdlib.h>

#include "tasks/store/pg.h"

enum {
    POLL_FIRST_MS = 2,
    POLL_LAST_MS = 20,
    POLLS_BEFORE_SLOWER = 50,
    FOLLOW_MS = 500,
    RETRY_MS = 200,
    SAVE_MS = 50,
    STATS_MS = 1000,
    PARTITIONS_MS = 3600 * 1000,
    DAYS_AHEAD = 3,
    MARK_MS = 15,
    FROM_START_MS = 100,
    PUBLISHED_MAX = 4096,
    PARAMS_MAX = 1 << 20
};

enum state { DOWN, FOLLOWING, PREPARING, CURSOR, READING, NUMBERING };

/* "todo relay" in ASCII, first eight. */
#define LEADER_LOCK "8389754737010108261"

#define NUMBER_SQL                                                                                 \
    "WITH d AS MATERIALIZED (DELETE FROM outbox WHERE ctid = ANY(ARRAY("                           \
    "  SELECT ctid FROM outbox WHERE id > $2::int8 AND user_id <> ALL($3::text[])"                 \
    "  ORDER BY id LIMIT $1::int4))"                                                               \
    "  RETURNING id, user_id, type, payload),"                                                     \
    " g AS MATERIALIZED (SELECT user_id, count(*) AS n, array_agg(id ORDER BY id) AS i,"           \
    "  array_agg(type ORDER BY id) AS t, array_agg(payload ORDER BY id) AS p"                      \
    "  FROM d GROUP BY user_id),"                                                                  \
    " b AS (UPDATE users u SET seq = u.seq + g.n FROM g WHERE u.user_id = g.user_id"               \
    "  RETURNING u.user_id, u.seq - g.n AS base, g.i, g.t, g.p),"                                  \
    " e AS (INSERT INTO events(user_id, user_seq, type, payload)"                                  \
    "  SELECT b.user_id, b.base + x.nr, x.t, x.p"                                                  \
    "  FROM b, unnest(b.i, b.t, b.p) WITH ORDINALITY AS x(i, t, p, nr) ORDER BY x.i"               \
    "  RETURNING id, user_id, user_seq, type, payload)"                                            \
    " SELECT e.*, (SELECT max(id) FROM d) FROM e"

/* How long the events of the outbox have waited; if long, who may be in the way: an old snapshot
 * keeps dead rows alive. */
#define STATS_SQL                                                                                  \
    "WITH o AS (SELECT (SELECT created_at FROM outbox WHERE id > $1::int8"                         \
    "   AND user_id <> ALL($2::text[]) ORDER BY id LIMIT 1) AS oldest,"                            \
    "  (SELECT max(id) - min(id) + 1 FROM outbox WHERE id > $1) AS depth)"                         \
    " SELECT coalesce((extract(epoch FROM now() - oldest) * 1000000)::int8, 0),"                   \
    "  coalesce(depth, 0)::int8,"                                                                  \
    "  CASE WHEN oldest < now() - interval '5 s' THEN (SELECT pid::int8 FROM pg_stat_activity"     \
    "   WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()"                                \
    "   ORDER BY age(backend_xmin) DESC LIMIT 1) END FROM o"

static const struct pg_statement statements[] = {
    {"relay_lead", "SELECT pg_try_advisory_lock(" LEADER_LOCK ")"},
    {"relay_cursor", "SELECT position FROM relay_cursor WHERE name = 'bus'"},
    {"relay_read", "SELECT id, user_id, user_seq, type, payload FROM events WHERE id > $1::int8"
                   " ORDER BY id LIMIT $2::int4"},
    {"relay_number", NUMBER_SQL},
    {"relay_save", "UPDATE relay_cursor SET position = $1::int8"
                   " WHERE name = 'bus' AND position < $1::int8"},
    {"relay_published", "UPDATE receipt SET published_at = now()"
                        " WHERE event_id = ANY($1::uuid[]) AND published_at IS NULL"},
    {"relay_stats", STATS_SQL},
    {"relay_partitions", "SELECT made, dropped FROM events_partitions($1::int4, $2::int4)"},
};

struct task_relay {
    struct task_relay_options options;
    struct pg_conn *conn;
    struct pg_params *params;
    struct task_relay_event *events;
    struct base_timer *poll;
    struct base_timer *chores; /* saving, receipts, statistics, partitions */
    enum state state;
    bool held;
    bool under_way; /* the round's statement */
    bool restart;
    int empty_rounds;
    int64_t read_to; /* READING: the last id handed over */
    /* Rows of the outbox: all that was committed up to low is gone, but for late ones. */
    int64_t low, mark, newest;
    int64_t mark_at_us, from_start_at_us;
    struct base_buf held_users; /* their names, each ended by a zero byte */
    int64_t save_wanted, save_sent, saved;
    struct base_id published[PUBLISHED_MAX];
    size_t published_count;
    size_t chores_under_way;
    int64_t stats_at_us, partitions_at_us;
};

static void step(void *ctx);

static void enter(struct task_relay *relay, enum state state, int64_t after_ms)
{
    bool led = task_relay_leads(relay);
    relay->state = state;
    relay->under_way = false;
    base_timer_start(relay->poll, after_ms);
    bool leads = task_relay_leads(relay);
    if (led != leads && relay->options.on_leader)
        relay->options.on_leader(relay->options.ctx, leads);
}

static void report(struct task_relay *relay, const PGresult *result)
{
    if (relay->options.on_state && result)
        relay->options.on_state(relay->options.ctx, true, PQresultErrorMessage(result));
}

/* True if the answer can be used. A lost connection is dealt with by on_state. */
static bool answered(struct task_relay *relay, enum base_err err, const PGresult *result)
{
    relay->under_way = false;
    if (err == BASE_OK)
        return true;
    if (err == BASE_UNAVAILABLE)
        return false;
    if (err != BASE_CONFLICT)
        report(relay, result);
    base_timer_start(relay->poll, RETRY_MS);
    return false;
}

static void hand_over(struct task_relay *relay, const PGresult *result)
{
    int rows = PQntuples(result);
    for (int i = 0; i < rows; i++)
        relay->events[i] = (struct task_relay_event){.id = pg_int(result, i, 0),
                                                     .user_id = pg_text(result, i, 1),
                                                     .user_seq = pg_int(result, i, 2),
                                                     .type = (int)pg_int(result, i, 3),
                                                     .payload = pg_text(result, i, 4)};
    if (rows > 0)
        relay->options.on_events(relay->options.ctx, relay->events, (size_t)rows);
}

static void on_lead(void *ctx, enum base_err err, const PGresult *result)
{
    struct task_relay *relay = ctx;
    if (!answered(relay, err, result))
        return;
    if (pg_int(result, 0, 0))
        enter(relay, PREPARING, 0);
    else
        base_timer_start(relay->poll, FOLLOW_MS);
}

static void on_prepared(void *ctx, enum base_err err, const PGresult *result)
{
    struct task_relay *relay = ctx;
    relay->under_way = false;
    if (err == BASE_UNAVAILABLE)
        return;
    /* Without partitions events go to the default one: worth a word, not worth stopping for. */
    if (err != BASE_OK)
        report(relay, result);
    relay->partitions_at_us = base_loop_now_us(relay->options.loop) + PARTITIONS_MS * INT64_C(1000);
    enter(relay, CURSOR, 0);
}

static void on_cursor(void *ctx, enum base_err err, const PGresult *result)
{
    struct task_relay *relay = ctx;
    if (!answered(relay, err, result))
        return;
    relay->read_to = PQntuples(result) == 1 ? pg_int(result, 0, 0) : 0;
    relay->save_wanted = relay->save_sent = relay->saved = relay->read_to;
    relay->restart = false;
    enter(relay, READING, 0);
}

static void on_read(void *ctx, enum base_err err, const PGresult *result)
{
    struct task_relay *relay = ctx;
    if (!answered(relay, err, result))
        return;
    int rows = PQntuples(result);
    if (rows > 0)
        relay->read_to = pg_int(result, rows - 1, 0);
    if (rows < relay->options.batch)
        enter(relay, NUMBERING, 0);
    else
        base_timer_start(relay->poll, 0);
    hand_over(relay, result);
}

static void move_mark(struct task_relay *relay)
{
    int64_t now = base_loop_now_us(relay->options.loop);
    if (now < relay->mark_at_us)
        return;
    relay->low = relay->mark;
    relay->mark = relay->newest;
    relay->mark_at_us = now + MARK_MS * INT64_C(1000);
}

static void on_numbered(void *ctx, enum base_err err, const PGresult *result)
{
    struct task_relay *relay = ctx;
    if (!answered(relay, err, result))
        return;
    int rows = PQntuples(result);
    relay->empty_rounds = rows ? 0 : relay->empty_rounds + 1;
    if (rows && pg_int(result, 0, 5) > relay->newest)
        relay->newest = pg_int(result, 0, 5);
    move_mark(relay);
    if (rows == relay->options.batch)
        step(relay); /* the database works on the next round while these are published */
    else
        base_timer_start(relay->poll, rows                                        ? 0
                                      : relay->empty_rounds > POLLS_BEFORE_SLOWER ? POLL_LAST_MS
                                                                                  : POLL_FIRST_MS);
    hand_over(relay, result);
}

static void ask(struct task_relay *relay, const char *statement, pg_done_fn fn)
{
    if (pg_conn_query(relay->conn, statement, relay->params, fn, relay) == BASE_OK)
        relay->under_way = true;
    else
        base_timer_start(relay->poll, RETRY_MS);
}

static int64_t begin_behind(struct task_relay *relay)
{
    int64_t now = base_loop_now_us(relay->options.loop);
    if (now < relay->from_start_at_us)
        return relay->low;
    relay->from_start_at_us = now + FROM_START_MS * INT64_C(1000);
    return 0;
}

static void add_held_users(struct task_relay *relay)
{
    struct base_sv rest = base_buf_sv(&relay->held_users);
    pg_array_begin(relay->params, PG_TEXT);
    while (rest.len) {
        struct base_sv user = base_sv_from(rest.ptr);
        pg_array_text(relay->params, user);
        rest = base_sv_sub(rest, user.len + 1, rest.len);
    }
    pg_array_end(relay->params);
}

/* The next round. */
static void step(void *ctx)
{
    struct task_relay *relay = ctx;
    if (relay->under_way || relay->state == DOWN)
        return;
    if (relay->restart && relay->state > CURSOR) {
        enter(relay, CURSOR, 0);
        return;
    }
    pg_params_reset(relay->params);
    switch (relay->state) {
    case FOLLOWING:
        ask(relay, "relay_lead", on_lead);
        break;
    case PREPARING:
        pg_add_int4(relay->params, DAYS_AHEAD);
        pg_add_int4(relay->params, relay->options.keep_days);
        ask(relay, "relay_partitions", on_prepared);
        break;
    case CURSOR:
        ask(relay, "relay_cursor", on_cursor);
        break;
    case READING:
        pg_add_int8(relay->params, relay->read_to);
        pg_add_int4(relay->params, relay->options.batch);
        if (!relay->held)
            ask(relay, "relay_read", on_read);
        break;
    case NUMBERING:
        pg_add_int4(relay->params, relay->options.batch);
        pg_add_int8(relay->params, begin_behind(relay));
        add_held_users(relay);
        if (!relay->held)
            ask(relay, "relay_number", on_numbered);
        break;
    case DOWN:
        break;
    }
}

/* Chores: small statements beside the rounds, on the same connection so that they are fenced by the
 * same lock. */

static void chore_done(struct task_relay *relay, enum base_err err, const PGresult *result)
{
    relay->chores_under_way--;
    if (err != BASE_OK && err != BASE_UNAVAILABLE)
        report(relay, result);
}

static void on_saved(void *ctx, enum base_err err, const PGresult *result)
{
    struct task_relay *relay = ctx;
    chore_done(relay, err, result);
    if (err == BASE_OK)
        relay->saved = relay->save_sent;
    else
        relay->save_sent = relay->saved;
}

static void on_chore(void *ctx, enum base_err err, const PGresult *result)
{
    chore_done(ctx, err, result);
}

static void on_stats(void *ctx, enum base_err err, const PGresult *result)
{
    struct task_relay *relay = ctx;
    chore_done(relay, err, result);
    if (err != BASE_OK || !relay->options.on_stats)
        return;
    struct task_relay_stats stats = {.age_us = pg_int(result, 0, 0),
                                     .depth = pg_int(result, 0, 1),
                                     .blocker =
                                         pg_is_null(result, 0, 2) ? 0 : pg_int(result, 0, 2)};
    relay->options.on_stats(relay->options.ctx, &stats);
}

static bool chore(struct task_relay *relay, const char *statement, pg_done_fn fn)
{
    bool ok = pg_conn_query(relay->conn, statement, relay->params, fn, relay) == BASE_OK;
    if (ok)
        relay->chores_under_way++;
    return ok;
}

static void send_save(struct task_relay *relay)
{
    if (relay->save_wanted == relay->save_sent)
        return;
    pg_params_reset(relay->params);
    pg_add_int8(relay->params, relay->save_wanted);
    if (chore(relay, "relay_save", on_saved))
        relay->save_sent = relay->save_wanted;
}

static void send_published(struct task_relay *relay)
{
    if (relay->published_count == 0)
        return;
    pg_params_reset(relay->params);
    pg_array_begin(relay->params, PG_UUID);
    for (size_t i = 0; i < relay->published_count; i++)
        pg_array_id(relay->params, relay->published[i]);
    pg_array_end(relay->params);
    if (chore(relay, "relay_published", on_chore))
        relay->published_count = 0;
}

static void send_stats(struct task_relay *relay, int64_t now)
{
    if (now < relay->stats_at_us)
        return;
    pg_params_reset(relay->params);
    pg_add_int8(relay->params, relay->low);
    add_held_users(relay);
    if (chore(relay, "relay_stats", on_stats))
        relay->stats_at_us = now + STATS_MS * INT64_C(1000);
}

static void on_chores(void *ctx)
{
    struct task_relay *relay = ctx;
    int64_t now = base_loop_now_us(relay->options.loop);
    base_timer_start(relay->chores, SAVE_MS);
    if (!task_relay_leads(relay))
        return;
    send_save(relay);
    send_published(relay);
    send_stats(relay, now);
    if (now >= relay->partitions_at_us) {
        pg_params_reset(relay->params);
        pg_add_int4(relay->params, DAYS_AHEAD);
        pg_add_int4(relay->params, relay->options.keep_days);
        relay->partitions_at_us = now + PARTITIONS_MS * INT64_C(1000);
        (void)chore(relay, "relay_partitions", on_chore);
    }
}

void task_relay_sweep(struct task_relay *relay)
{
    relay->partitions_at_us = 0;
}

static void on_state(void *ctx, bool up, const char *error)
{
    struct task_relay *relay = ctx;
    relay->restart = false;
    relay->published_count = 0;
    relay->low = relay->mark = relay->newest = relay->from_start_at_us = 0;
    enter(relay, up ? FOLLOWING : DOWN, 0);
    if (relay->options.on_state)
        relay->options.on_state(relay->options.ctx, up, error);
}

bool task_relay_up(const struct task_relay *relay)
{
    return relay->state != DOWN;
}

bool task_relay_leads(const struct task_relay *relay)
{
    return relay->state >= CURSOR;
}

void task_relay_hold(struct task_relay *relay, bool held)
{
    if (relay->held && !held)
        base_timer_start(relay->poll, 0);
    relay->held = held;
}

void task_relay_hold_users(struct task_relay *relay, const struct base_sv *users, size_t n)
{
    base_buf_reset(&relay->held_users);
    for (size_t i = 0; i < n; i++) {
        base_buf_add(&relay->held_users, users[i]);
        base_buf_add_char(&relay->held_users, '\0');
    }
    relay->from_start_at_us = 0; /* who is let go has rows behind the mark */
}

void task_relay_save(struct task_relay *relay, int64_t id)
{
    if (id > relay->save_wanted)
        relay->save_wanted = id;
}

void task_relay_published(struct task_relay *relay, const struct base_id *events, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (relay->published_count == PUBLISHED_MAX)
            send_published(relay);
        if (relay->published_count < PUBLISHED_MAX)
            relay->published[relay->published_count++] = events[i];
    }
}

void task_relay_restart(struct task_relay *relay)
{
    relay->restart = true;
    base_timer_start(relay->poll, 0);
}

bool task_relay_idle(const struct task_relay *relay)
{
    return !task_relay_leads(relay) ||
           (!relay->under_way && relay->chores_under_way == 0 && relay->published_count == 0 &&
            relay->saved == relay->save_wanted);
}

void task_relay_free(struct task_relay *relay)
{
    if (!relay)
        return;
    relay->options.on_state = NULL;
    pg_conn_free(relay->conn);
    pg_params_free(relay->params);
    base_timer_free(relay->poll);
    base_timer_free(relay->chores);
    base_buf_done(&relay->held_users);
    free(relay->events);
    free(relay);
}

enum base_err task_relay_new(const struct task_relay_options *options,
                             struct task_relay **ret_relay)
{
    struct task_relay *relay = calloc(1, sizeof(*relay));
    if (!relay)
        return BASE_NO_MEMORY;
    relay->options = *options;
    base_buf_init(&relay->held_users, PARAMS_MAX / 2);
    relay->events = calloc((size_t)options->batch, sizeof(*relay->events));
    enum base_err err = relay->events ? BASE_OK : BASE_NO_MEMORY;
    if (err == BASE_OK)
        err = pg_params_new(PARAMS_MAX, &relay->params);
    if (err == BASE_OK)
        err = base_timer_new(options->loop, step, relay, &relay->poll);
    if (err == BASE_OK)
        err = base_timer_new(options->loop, on_chores, relay, &relay->chores);
    struct pg_options pg = {.loop = options->loop,
                            .url = options->url,
                            .application_name = "todo-relay",
                            /* The tables are nearly empty most of the time and their statistics
                             * mislead the planner. */
                            .settings = "-c enable_seqscan=off -c jit=off",
                            .statements = statements,
                            .statement_count = sizeof(statements) / sizeof(statements[0]),
                            .on_state = on_state,
                            .ctx = relay};
    if (err == BASE_OK)
        err = pg_conn_new(&pg, &relay->conn);
    if (err != BASE_OK) {
        task_relay_free(relay);
        return err;
    }
    base_timer_start(relay->chores, SAVE_MS);
    *ret_relay = relay;
    return BASE_OK;
}
