/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections and requests. A request goes to the connection with the fewest others before it; when
 * none is up it waits in arrival order. A lost connection gives its requests back, they go out
 * again until their deadline: every statement of the store may be repeated.
 */
#include "tasks/store/store.h"

#include <stdlib.h>

#include "tasks/store/store_private.h"

const char *const task_channel_names[TASK_CHANNEL_COUNT] = {"chat", "action", "rest", "engine"};

enum {
    SWEEP_MS = 250,
    STATEMENTS = STORE_TURN_STATEMENTS + STORE_READ_STATEMENTS + STORE_REVIEW_STATEMENTS +
                 STORE_RECEIPT_STATEMENTS + STORE_RECORD_STATEMENTS + STORE_WEBHOOK_STATEMENTS +
                 STORE_SHARED_STATEMENTS,
    PENDING_MAX = 100000,
    ANSWER_MS = 16000
};

/*
 * Hash joins and index scans only: estimates for arrays are so low that nested loops over two
 * arrays would be chosen, which grow with the square of the batch; and so low for lists with
 * filters that all of a user's tasks would be read and sorted, where an index has the order.
 */
#define SETTINGS                                                                                   \
    "-c jit=off -c enable_nestloop=off -c enable_seqscan=off -c enable_bitmapscan=off -c "         \
    "plan_cache_mode=force_generic_plan "                                                          \
    "-c idle_in_transaction_session_timeout=10s -c statement_timeout=15s -c lock_timeout=5s"

struct task_store {
    struct task_store_options options;
    struct pg_statement statements[STATEMENTS];
    struct pg_conn *conns[STORE_CONNECTIONS];
    struct base_timer *sweep;
    struct store_op *first;
    struct store_op **last;
    size_t pending;
    struct store_turns *turns;
    bool ready;
    bool closing;
};

struct base_loop *store_loop(struct task_store *store)
{
    return store->options.loop;
}

struct store_turns *store_turns_of(struct task_store *store)
{
    return store->turns;
}

struct pg_conn *store_conn(struct task_store *store, size_t i)
{
    return store->conns[i];
}

static struct pg_conn *least_busy(const struct task_store *store)
{
    struct pg_conn *best = NULL;
    for (size_t i = 0; i < STORE_CONNECTIONS; i++) {
        struct pg_conn *conn = store->conns[i];
        if (conn && pg_conn_up(conn) &&
            (!best || pg_conn_in_flight(conn) < pg_conn_in_flight(best)))
            best = conn;
    }
    return best;
}

static void op_end(struct store_op *op, enum base_err err, const PGresult *result)
{
    op->store->pending--;
    op->fn(op->ctx, err, result);
    pg_params_free(op->params);
    free(op);
}

static void op_wait(struct store_op *op)
{
    *op->store->last = op;
    op->store->last = &op->next;
}

static void op_done(void *ctx, enum base_err err, const PGresult *result)
{
    struct store_op *op = ctx;
    bool again = (err == BASE_UNAVAILABLE || err == BASE_CONFLICT) && !op->store->closing &&
                 base_loop_now_us(op->store->options.loop) < op->deadline_us;
    if (again)
        op_wait(op);
    else
        op_end(op, err, result);
}

static void op_send(struct store_op *op)
{
    struct pg_conn *conn = least_busy(op->store);
    enum base_err err =
        conn ? pg_conn_query(conn, op->statement, op->params, op_done, op) : BASE_UNAVAILABLE;
    if (err == BASE_UNAVAILABLE)
        op_wait(op);
    else if (err != BASE_OK)
        op_end(op, err, NULL);
}

void store_request(struct task_store *store, const char *statement, struct pg_params *params,
                   pg_done_fn fn, void *ctx)
{
    struct store_op *op = calloc(1, sizeof(*op));
    if (!op || store->pending >= PENDING_MAX) {
        free(op);
        pg_params_free(params);
        fn(ctx, op ? BASE_OVERLOADED : BASE_NO_MEMORY, NULL);
        return;
    }
    *op = (struct store_op){
        .store = store,
        .statement = statement,
        .params = params,
        .deadline_us = base_loop_now_us(store->options.loop) + (int64_t)STORE_DEADLINE_MS * 1000,
        .fn = fn,
        .ctx = ctx,
    };
    store->pending++;
    op_send(op);
}

/* Takes the whole waiting list, so that what waits again is not tried again in the same round. */
static struct store_op *take_waiting(struct task_store *store)
{
    struct store_op *list = store->first;
    store->first = NULL;
    store->last = &store->first;
    return list;
}

static void resend(struct task_store *store)
{
    for (struct store_op *op = take_waiting(store), *next; op; op = next) {
        next = op->next;
        op->next = NULL;
        op_send(op);
    }
}

static void on_sweep(void *ctx)
{
    struct task_store *store = ctx;
    int64_t now = base_loop_now_us(store->options.loop);
    for (struct store_op *op = take_waiting(store), *next; op; op = next) {
        next = op->next;
        op->next = NULL;
        if (op->deadline_us <= now)
            op_end(op, BASE_UNAVAILABLE, NULL);
        else
            op_send(op);
    }
    store_turns_expire(store->turns, now);
    store_turns_send(store->turns);
    base_timer_start(store->sweep, SWEEP_MS);
}

static void on_state(void *ctx, bool up, const char *error)
{
    struct task_store *store = ctx;
    bool ready = least_busy(store) != NULL;
    if (up) {
        resend(store);
        store_turns_send(store->turns);
    }
    if (ready == store->ready && (ready || !error))
        return;
    store->ready = ready;
    if (store->options.on_state)
        store->options.on_state(store->options.ctx, ready, error);
}

static void gather_statements(struct pg_statement *to)
{
    static const struct {
        const struct pg_statement *statements;
        size_t count;
    } files[] = {{store_turn_statements, STORE_TURN_STATEMENTS},
                 {store_read_statements, STORE_READ_STATEMENTS},
                 {store_review_statements, STORE_REVIEW_STATEMENTS},
                 {store_receipt_statements, STORE_RECEIPT_STATEMENTS},
                 {store_record_statements, STORE_RECORD_STATEMENTS},
                 {store_webhook_statements, STORE_WEBHOOK_STATEMENTS},
                 {store_shared_statements, STORE_SHARED_STATEMENTS}};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        for (size_t k = 0; k < files[i].count; k++)
            *to++ = files[i].statements[k];
}

enum base_err task_store_new(const struct task_store_options *options,
                             struct task_store **ret_store)
{
    struct task_store *store = calloc(1, sizeof(*store));
    if (!store)
        return BASE_NO_MEMORY;
    store->options = *options;
    store->last = &store->first;
    gather_statements(store->statements);
    enum base_err err = store_turns_new(store, &store->turns);
    if (err == BASE_OK)
        err = base_timer_new(options->loop, on_sweep, store, &store->sweep);
    for (size_t i = 0; err == BASE_OK && i < STORE_CONNECTIONS; i++)
        err = pg_conn_new(&(struct pg_options){.loop = options->loop,
                                               .url = options->url,
                                               .application_name = options->application_name,
                                               .settings = SETTINGS,
                                               .answer_ms = ANSWER_MS,
                                               .statements = store->statements,
                                               .statement_count = STATEMENTS,
                                               .on_state = on_state,
                                               .ctx = store},
                          &store->conns[i]);
    if (err != BASE_OK) {
        task_store_free(store);
        return err;
    }
    base_timer_start(store->sweep, SWEEP_MS);
    *ret_store = store;
    return BASE_OK;
}

void task_store_free(struct task_store *store)
{
    if (!store)
        return;
    store->closing = true;
    for (size_t i = 0; i < STORE_CONNECTIONS; i++) {
        pg_conn_free(store->conns[i]);
        store->conns[i] = NULL;
    }
    /* A callback may ask again (a user's next turn begins when the one before it ends); with no
     * connection left that waits here, too, and is ended in its turn. */
    while (store->turns && task_store_pending(store) > 0) {
        for (struct store_op *op = take_waiting(store), *next; op; op = next) {
            next = op->next;
            op_end(op, BASE_UNAVAILABLE, NULL);
        }
        store_turns_expire(store->turns, INT64_MAX);
    }
    store_turns_free(store->turns);
    base_timer_free(store->sweep);
    free(store);
}

bool task_store_ready(const struct task_store *store)
{
    return store->ready;
}

size_t task_store_pending(const struct task_store *store)
{
    return store->pending + store_turns_pending(store->turns);
}
