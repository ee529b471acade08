/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A round: ask when the next row is due; if it is, BEGIN and claim; build the events; write
 * receipts and outbox and COMMIT. The transaction spans one round trip of ours, during which only
 * claimed rows of the queue are locked.
 *
 * What is more than 15 minutes late comes after an outage. It is claimed by user, so that each gets
 * one digest, and by one process at a time (an advisory lock of the transaction); rounds for it
 * take turns with rounds for what is due now.
 */
#include "tasks/store/fire.h"

#include <stdlib.h>

#include "tasks/store/fire_batch.h"

enum {
    BATCH_MAX = 500,
    LATE_ROWS = FIRE_BATCH_MAX,
    LATE_USERS = 200,
    ATTEMPTS = 5,
    IDLE_MS = 50, /* a new reminder that is due at once waits this long at most */
    RETRY_MS = 200,
    LATE_AGAIN_MS = 500,
    OVERDUE_MS = 10000,
    PARAMS_MAX = 64 * 1024 * 1024
};
#define LATE_US (INT64_C(15) * 60 * 1000000)
/* "todofire" in ASCII. */
#define LATE_LOCK "8389754737003262565"

enum state { DOWN, WAITING, ASKING, CLAIMING, SETTLING, FAILING };

#define DUE_SQL                                                                                    \
    "SELECT (extract(epoch FROM fire_at - clock_timestamp()) * 1000000)::int8 FROM reminder_fire"  \
    " WHERE attempts < 5 ORDER BY fire_at LIMIT 1"

#define TAKE_SQL                                                                                   \
    " d AS (DELETE FROM reminder_fire f WHERE ctid = ANY(ARRAY(SELECT ctid FROM c)) RETURNING "    \
    "f.*)"                                                                                         \
    " SELECT " FIRE_BATCH_COLUMNS " FROM d LEFT JOIN tasks t ON t.id = d.task_id"                  \
    " LEFT JOIN users u ON u.user_id = d.user_id"                                                  \
    " ORDER BY d.user_id, d.fire_at, d.reminder_id"

#define CLAIM_SQL                                                                                  \
    "WITH c AS MATERIALIZED (SELECT ctid FROM reminder_fire"                                       \
    "  WHERE fire_at <= now() AND fire_at > now() - interval '15 min' AND attempts < 5"            \
    "  ORDER BY fire_at, rank LIMIT $1::int4 FOR UPDATE SKIP LOCKED)," TAKE_SQL

/* All that is late of a few users, those who have waited longest. The sum hides fire_at from the
 * index by time: by user is the way in, or each user would cost a walk through all that is late. */
#define CLAIM_LATE_SQL                                                                             \
    "WITH l AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(" LATE_LOCK ") AS ok),"              \
    " u AS MATERIALIZED (SELECT DISTINCT user_id FROM (SELECT user_id FROM reminder_fire"          \
    "  WHERE (SELECT ok FROM l) AND fire_at <= now() - interval '15 min' AND attempts < 5"         \
    "  ORDER BY fire_at LIMIT $2::int4) AS x),"                                                    \
    " c AS MATERIALIZED (SELECT f.ctid FROM u JOIN reminder_fire f"                                \
    "  ON f.user_id = u.user_id AND f.fire_at + interval '0' <= now() - interval '15 min'"         \
    "  AND f.attempts < 5"                                                                         \
    "  LIMIT $1::int4 FOR UPDATE OF f SKIP LOCKED)," TAKE_SQL

#define OVERDUE_SQL                                                                                \
    "SELECT count(*) FROM (SELECT 1 FROM reminder_fire WHERE fire_at <= now() LIMIT 10000) AS x"

#define FAIL_SQL                                                                                   \
    "UPDATE reminder_fire SET attempts = attempts + 1 WHERE reminder_id = $1::uuid"                \
    " AND occurrence = $2::int4 AND repeat = $3::int4 RETURNING attempts"

const struct pg_statement fire_statements[FIRE_STATEMENTS] = {
    {"fire_due", DUE_SQL},
    {"fire_claim", CLAIM_SQL},
    {"fire_claim_late", CLAIM_LATE_SQL},
    {"fire_settle", FIRE_BATCH_SETTLE_SQL},
    {"fire_fail", FAIL_SQL},
    {"fire_overdue", OVERDUE_SQL},
};

struct task_fire {
    struct task_fire_options options;
    struct pg_conn *conn;
    struct pg_params *params;
    struct base_timer *timer;
    enum state state;
    bool stopped;
    bool late_round;
    bool was_late;  /* the last claim was for late rows: the next is for those due now */
    int late_users; /* in a late round */
    int alone;      /* rows to be claimed one by one, after a batch failed */
    int64_t late_again_us;
    int64_t overdue_at_us;
    struct fire_batch batch;
    char why[256]; /* the last round failed */
};

static void round_begin(void *ctx);

static void wait_ms(struct task_fire *fire, int64_t after_ms)
{
    fire->state = WAITING;
    fire_batch_clear(&fire->batch);
    base_timer_start(fire->timer, after_ms);
}

static void report(struct task_fire *fire, const char *why)
{
    if (fire->options.on_state)
        fire->options.on_state(fire->options.ctx, true, why);
}

static void ignore(void *ctx, enum base_err err, const PGresult *result)
{
    (void)ctx;
    (void)err;
    (void)result;
}

/* Failure. */

static void on_failed_noted(void *ctx, enum base_err err, const PGresult *result)
{
    struct task_fire *fire = ctx;
    if (err == BASE_UNAVAILABLE)
        return;
    if (err == BASE_OK && PQntuples(result) == 1 && pg_int(result, 0, 0) >= ATTEMPTS &&
        fire->options.on_set_aside)
        fire->options.on_set_aside(fire->options.ctx, &fire->batch.firings[0], fire->why);
    wait_ms(fire, RETRY_MS);
}

static void note_failed(struct task_fire *fire)
{
    const struct task_firing *firing = &fire->batch.firings[0];
    pg_params_reset(fire->params);
    pg_add_id(fire->params, firing->reminder_id);
    pg_add_int4(fire->params, firing->occurrence);
    pg_add_int4(fire->params, firing->repeat);
    fire->state = FAILING;
    if (pg_conn_query(fire->conn, "fire_fail", fire->params, on_failed_noted, fire) != BASE_OK)
        wait_ms(fire, RETRY_MS);
}

/* The transaction cannot go on. Rows of a failed batch are then claimed one by one, which finds the
 * one that is to blame. */
static void round_failed(struct task_fire *fire, enum base_err err, const char *why)
{
    if (err == BASE_UNAVAILABLE)
        return; /* on_state comes */
    if (pg_conn_exec(fire->conn, "ROLLBACK", ignore, NULL) != BASE_OK)
        return;
    if (err == BASE_CONFLICT) {
        wait_ms(fire, 0);
        return;
    }
    report(fire, why);
    (void)base_sv_cstr(base_sv_sub(base_sv_from(why), 0, sizeof(fire->why) - 1), fire->why,
                       sizeof(fire->why));
    if (fire->batch.count == 1) {
        note_failed(fire);
        return;
    }
    fire->alone = fire->batch.count ? (int)fire->batch.count : 1;
    wait_ms(fire, RETRY_MS);
}

/* Settling. */

static void on_settled(void *ctx, enum base_err err, const PGresult *result)
{
    struct task_fire *fire = ctx;
    if (err == BASE_OK)
        fire_batch_settled(&fire->batch, result);
    else
        round_failed(fire, err, result ? PQresultErrorMessage(result) : "");
}

static void on_committed(void *ctx, enum base_err err, const PGresult *result)
{
    struct task_fire *fire = ctx;
    if (fire->state != SETTLING || err == BASE_UNAVAILABLE)
        return;
    if (err != BASE_OK) {
        round_failed(fire, err, result ? PQresultErrorMessage(result) : "");
        return;
    }
    if (fire->batch.count && fire->options.on_fired)
        fire->options.on_fired(fire->options.ctx, fire->batch.fired, fire->batch.count);
    if (fire->alone > 0)
        fire->alone--;
    wait_ms(fire, 0);
}

static void settle(struct task_fire *fire, const PGresult *claimed)
{
    if (fire_batch_read(&fire->batch, claimed) != BASE_OK) {
        round_failed(fire, BASE_TOO_LARGE, "the events of a batch do not fit");
        return;
    }
    fire_batch_bind(&fire->batch, fire->params);
    fire->state = SETTLING;
    if (pg_conn_query(fire->conn, "fire_settle", fire->params, on_settled, fire) != BASE_OK ||
        pg_conn_exec(fire->conn, "COMMIT", on_committed, fire) != BASE_OK)
        round_failed(fire, BASE_INTERNAL, "the batch could not be sent");
}

/* Claiming. */

static void on_claimed(void *ctx, enum base_err err, const PGresult *result)
{
    struct task_fire *fire = ctx;
    fire_batch_clear(&fire->batch);
    if (err != BASE_OK) {
        round_failed(fire, err, result ? PQresultErrorMessage(result) : "");
        return;
    }
    size_t rows = (size_t)PQntuples(result);
    bool cut = fire->late_round && rows == LATE_ROWS && fire->late_users > 1;
    if (cut) /* nobody's digest is cut in two: fewer users, then */
        fire->late_users = (fire->late_users + 3) / 4;
    else if (fire->late_round && rows == 0)
        fire->late_again_us = base_loop_now_us(fire->options.loop) + LATE_AGAIN_MS * INT64_C(1000);
    if (rows == 0 || cut) {
        if (pg_conn_exec(fire->conn, "ROLLBACK", ignore, NULL) == BASE_OK)
            wait_ms(fire, cut ? 0 : IDLE_MS);
        return;
    }
    if (fire->late_round)
        fire->late_users = fire->late_users * 2 > LATE_USERS ? LATE_USERS : fire->late_users * 2;
    settle(fire, result);
}

static void claim(struct task_fire *fire, bool late)
{
    int limit = late ? LATE_ROWS : fire->options.batch;
    pg_params_reset(fire->params);
    pg_add_int4(fire->params, fire->alone > 0 ? 1 : limit);
    if (late)
        pg_add_int4(fire->params, fire->late_users);
    fire->late_round = fire->was_late = late;
    fire->state = CLAIMING;
    if (pg_conn_exec(fire->conn, "BEGIN", ignore, NULL) != BASE_OK ||
        pg_conn_query(fire->conn, late ? "fire_claim_late" : "fire_claim", fire->params, on_claimed,
                      fire) != BASE_OK)
        wait_ms(fire, RETRY_MS);
}

static void on_due(void *ctx, enum base_err err, const PGresult *result)
{
    struct task_fire *fire = ctx;
    if (err == BASE_UNAVAILABLE)
        return;
    if (err != BASE_OK) {
        report(fire, PQresultErrorMessage(result));
        wait_ms(fire, RETRY_MS);
        return;
    }
    int64_t due_us = PQntuples(result) ? pg_int(result, 0, 0) : INT64_MAX;
    if (fire->stopped || due_us > IDLE_MS * 1000) {
        wait_ms(fire, IDLE_MS);
    } else if (due_us > 0) {
        wait_ms(fire, due_us / 1000 + 1);
    } else {
        bool late_now = due_us < -LATE_US && !fire->was_late &&
                        base_loop_now_us(fire->options.loop) >= fire->late_again_us;
        claim(fire, late_now);
    }
}

static void on_overdue(void *ctx, enum base_err err, const PGresult *result)
{
    struct task_fire *fire = ctx;
    if (err == BASE_OK && fire->options.on_overdue)
        fire->options.on_overdue(fire->options.ctx, pg_int(result, 0, 0));
}

static void round_begin(void *ctx)
{
    struct task_fire *fire = ctx;
    int64_t now = base_loop_now_us(fire->options.loop);
    if (fire->state != WAITING || fire->stopped)
        return;
    if (now >= fire->overdue_at_us &&
        pg_conn_query(fire->conn, "fire_overdue", NULL, on_overdue, fire) == BASE_OK)
        fire->overdue_at_us = now + OVERDUE_MS * INT64_C(1000);
    fire->state = ASKING;
    if (pg_conn_query(fire->conn, "fire_due", NULL, on_due, fire) != BASE_OK)
        wait_ms(fire, RETRY_MS);
}

static void on_state(void *ctx, bool up, const char *error)
{
    struct task_fire *fire = ctx;
    fire->alone = 0;
    if (up)
        wait_ms(fire, 0);
    else
        fire->state = DOWN;
    if (fire->options.on_state)
        fire->options.on_state(fire->options.ctx, up, error);
}

bool task_fire_up(const struct task_fire *fire)
{
    return fire->state != DOWN;
}

void task_fire_stop(struct task_fire *fire)
{
    fire->stopped = true;
}

bool task_fire_idle(const struct task_fire *fire)
{
    return fire->state <= ASKING;
}

void task_fire_free(struct task_fire *fire)
{
    if (!fire)
        return;
    fire->options.on_state = NULL;
    pg_conn_free(fire->conn);
    pg_params_free(fire->params);
    base_timer_free(fire->timer);
    fire_batch_done(&fire->batch);
    free(fire);
}

enum base_err task_fire_new(const struct task_fire_options *options, struct task_fire **ret_fire)
{
    struct task_fire *fire = calloc(1, sizeof(*fire));
    if (!fire)
        return BASE_NO_MEMORY;
    fire->options = *options;
    if (fire->options.batch > BATCH_MAX)
        fire->options.batch = BATCH_MAX;
    fire->late_users = LATE_USERS;
    fire_batch_init(&fire->batch);
    enum base_err err = pg_params_new(PARAMS_MAX, &fire->params);
    if (err == BASE_OK)
        err = base_timer_new(options->loop, round_begin, fire, &fire->timer);
    struct pg_options pg = {.loop = options->loop,
                            .url = options->url,
                            .application_name = "todo-scheduler",
                            .settings = "-c enable_seqscan=off -c jit=off"
                                        " -c idle_in_transaction_session_timeout=10000",
                            .statements = fire_statements,
                            .statement_count = FIRE_STATEMENTS,
                            .on_state = on_state,
                            .ctx = fire};
    if (err == BASE_OK)
        err = pg_conn_new(&pg, &fire->conn);
    if (err != BASE_OK) {
        task_fire_free(fire);
        return err;
    }
    *ret_fire = fire;
    return BASE_OK;
}
