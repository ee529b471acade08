/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection is a small state machine: waiting → resolving → connecting → preparing → up, and
 * from anywhere back to waiting with a growing delay. libpq's socket is watched by the loop; every
 * request is followed by a sync, and its result is kept until that sync is answered, because only
 * then has the transaction committed.
 */
#include "tasks/store/pg.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "tasks/store/pg_params.h"

enum { BACKOFF_FIRST_MS = 100, BACKOFF_LAST_MS = 5000, CONNECT_MS = 5000 };

enum state { WAITING, RESOLVING, CONNECTING, PREPARING, UP };

struct request {
    struct request *next;
    pg_done_fn fn;
    void *ctx;
    PGresult *result;
};

struct pg_conn {
    struct pg_options options;
    char *url;
    char *host; /* to be resolved without blocking, or NULL */
    char address[64];
    enum state state;
    PGconn *pg;
    struct base_io *io;
    int io_fd;
    struct base_timer *timer;
    int64_t backoff_ms;
    struct request *first;
    struct request **last;
    size_t in_flight;
    bool broken;    /* writing failed; the timer is about to end it */
    bool resolving; /* the answer is still to come: the memory must stay */
    bool closing;   /* freed while resolving or inside a callback */
    unsigned depth; /* of callbacks being run */
};

static void connect_begin(struct pg_conn *conn);

static void first_line(const char *text, char *dst, size_t cap)
{
    struct base_sv rest = base_sv_from(text);
    struct base_sv line = base_sv_split(&rest, '\n');
    if (!base_sv_cstr(base_sv_sub(line, 0, cap - 1), dst, cap))
        dst[0] = '\0';
}

static void dispose(struct pg_conn *conn)
{
    base_timer_free(conn->timer);
    free(conn->url);
    free(conn->host);
    free(conn);
}

/* The timer of a connection that is up watches over the request at its head. */
static void watch_answers(struct pg_conn *conn)
{
    if (conn->state != UP || conn->broken || conn->options.answer_ms == 0)
        return;
    if (conn->first)
        base_timer_start(conn->timer, conn->options.answer_ms);
    else
        base_timer_stop(conn->timer);
}

static void end_soon(struct pg_conn *conn)
{
    conn->broken = true;
    base_timer_start(conn->timer, 0);
}

/* Ends the head of the queue. Its callback may send requests or free the connection. */
static void finish_first(struct pg_conn *conn, enum base_err err, PGresult *result)
{
    struct request *request = conn->first;
    conn->first = request->next;
    if (!conn->first)
        conn->last = &conn->first;
    conn->in_flight--;
    watch_answers(conn);
    conn->depth++;
    request->fn(request->ctx, err, result);
    conn->depth--;
    PQclear(result);
    free(request);
}

static void drop_connection(struct pg_conn *conn)
{
    base_io_free(conn->io);
    conn->io = NULL;
    PQfinish(conn->pg);
    conn->pg = NULL;
    conn->state = WAITING;
    conn->broken = false;
    /* Only those that were there: a callback that asks again is refused, since we are down. */
    while (conn->first) {
        PQclear(conn->first->result);
        conn->first->result = NULL;
        finish_first(conn, BASE_UNAVAILABLE, NULL);
    }
}

static void fail(struct pg_conn *conn, const char *why)
{
    char line[256];
    bool was_up = conn->state == UP;
    first_line(why, line, sizeof(line));
    drop_connection(conn);
    if (conn->closing)
        return;
    if (was_up)
        conn->backoff_ms = BACKOFF_FIRST_MS;
    int64_t wait = conn->backoff_ms;
    conn->backoff_ms = wait * 2 > BACKOFF_LAST_MS ? BACKOFF_LAST_MS : wait * 2;
    base_timer_start(conn->timer, wait);
    if (conn->options.on_state)
        conn->options.on_state(conn->options.ctx, false, line);
}

static void watch(struct pg_conn *conn, unsigned events);

static void flush(struct pg_conn *conn)
{
    int left = PQflush(conn->pg);
    if (left >= 0)
        watch(conn, BASE_IO_READ | (left ? BASE_IO_WRITE : 0u));
    else
        end_soon(conn); /* the failure is handled from the loop, not from a caller */
}

static enum base_err result_err(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return BASE_OK;
    const char *state = pg_sqlstate(result);
    return strcmp(state, "40001") == 0 || strcmp(state, "40P01") == 0 ? BASE_CONFLICT
                                                                      : BASE_INTERNAL;
}

static void take_result(struct pg_conn *conn, PGresult *result)
{
    struct request *request = conn->first;
    if (!request) {
        PQclear(result);
        return;
    }
    if (PQresultStatus(result) != PGRES_PIPELINE_SYNC) {
        /* Of the many answers to a group of prepares, the first bad one counts. */
        if (request->result && result_err(request->result) != BASE_OK) {
            PQclear(result);
            return;
        }
        PQclear(request->result);
        request->result = result;
        return;
    }
    PQclear(result);
    result = request->result;
    request->result = NULL;
    finish_first(conn, result ? result_err(result) : BASE_INTERNAL, result);
}

static void receive(struct pg_conn *conn)
{
    if (!PQconsumeInput(conn->pg)) {
        fail(conn, PQerrorMessage(conn->pg));
        return;
    }
    bool was_null = false;
    while (conn->pg && !conn->closing && !PQisBusy(conn->pg)) {
        PGresult *result = PQgetResult(conn->pg);
        if (!result && was_null)
            break;
        was_null = !result;
        if (result)
            take_result(conn, result);
    }
    if (conn->pg && PQstatus(conn->pg) == CONNECTION_BAD)
        fail(conn, PQerrorMessage(conn->pg));
}

static BASE_MUST_CHECK enum base_err enqueue(struct pg_conn *conn, pg_done_fn fn, void *ctx)
{
    struct request *request = malloc(sizeof(*request));
    if (!request)
        return BASE_NO_MEMORY;
    *request = (struct request){.fn = fn, .ctx = ctx};
    *conn->last = request;
    conn->last = &request->next;
    if (conn->in_flight++ == 0)
        watch_answers(conn);
    return BASE_OK;
}

static void prepared(void *ctx, enum base_err err, const PGresult *result)
{
    struct pg_conn *conn = ctx;
    if (err == BASE_UNAVAILABLE)
        return;
    if (err != BASE_OK) {
        char line[256];
        first_line(PQresultErrorMessage(result), line, sizeof(line));
        if (conn->options.on_state)
            conn->options.on_state(conn->options.ctx, false, line);
        (void)shutdown(PQsocket(conn->pg), SHUT_RDWR); /* the loop sees the end and starts anew */
        return;
    }
    conn->state = UP;
    conn->backoff_ms = BACKOFF_FIRST_MS;
    base_timer_stop(conn->timer);
    if (conn->options.on_state)
        conn->options.on_state(conn->options.ctx, true, NULL);
}

static void prepare_all(struct pg_conn *conn)
{
    conn->state = PREPARING;
    (void)PQsetnonblocking(conn->pg, 1);
    bool ok = PQenterPipelineMode(conn->pg) == 1 && enqueue(conn, prepared, conn) == BASE_OK;
    for (size_t i = 0; ok && i < conn->options.statement_count; i++)
        ok = PQsendPrepare(conn->pg, conn->options.statements[i].name,
                           conn->options.statements[i].sql, 0, NULL) == 1;
    if (ok && conn->options.statement_count == 0)
        ok = PQsendQueryParams(conn->pg, "SELECT 1", 0, NULL, NULL, NULL, NULL, 1) == 1;
    if (ok && PQpipelineSync(conn->pg) == 1)
        flush(conn);
    else
        fail(conn, PQerrorMessage(conn->pg));
}

static void connect_step(struct pg_conn *conn)
{
    switch (PQconnectPoll(conn->pg)) {
    case PGRES_POLLING_OK:
        prepare_all(conn);
        break;
    case PGRES_POLLING_READING:
        watch(conn, BASE_IO_READ);
        break;
    case PGRES_POLLING_WRITING:
        watch(conn, BASE_IO_WRITE);
        break;
    default:
        fail(conn, PQerrorMessage(conn->pg));
    }
}

static void on_io(void *ctx, unsigned events)
{
    struct pg_conn *conn = ctx;
    conn->depth++;
    if (conn->state == CONNECTING) {
        connect_step(conn);
    } else {
        if (events & BASE_IO_READ)
            receive(conn);
        if (conn->pg && !conn->closing && (events & BASE_IO_WRITE))
            flush(conn);
    }
    conn->depth--;
    if (conn->closing && conn->depth == 0 && !conn->resolving)
        dispose(conn);
}

/* libpq may change its socket while it connects. */
static void watch(struct pg_conn *conn, unsigned events)
{
    int fd = PQsocket(conn->pg);
    if (!conn->io || conn->io_fd != fd) {
        base_io_free(conn->io);
        conn->io = NULL;
        if (base_io_new(conn->options.loop, fd, on_io, conn, &conn->io) != BASE_OK) {
            end_soon(conn);
            return;
        }
        conn->io_fd = fd;
    }
    base_io_set(conn->io, events);
}

/* What the server says beside its answers; libpq would write it to stderr, between our log lines.
 */
static void on_notice(void *ctx, const PGresult *result)
{
    (void)ctx;
    (void)result;
}

static void connect_start(struct pg_conn *conn)
{
    const char *keys[8];
    const char *values[8];
    size_t n = 0;
    keys[n] = "dbname", values[n++] = conn->url;
    if (conn->address[0])
        keys[n] = "hostaddr", values[n++] = conn->address;
    keys[n] = "application_name", values[n++] = conn->options.application_name;
    keys[n] = "client_encoding", values[n++] = "UTF8";
    keys[n] = "tcp_user_timeout", values[n++] = "10000";
    if (conn->options.settings)
        keys[n] = "options", values[n++] = conn->options.settings;
    keys[n] = NULL, values[n] = NULL;
    conn->pg = PQconnectStartParams(keys, values, 1);
    if (!conn->pg || PQstatus(conn->pg) == CONNECTION_BAD) {
        fail(conn, conn->pg ? PQerrorMessage(conn->pg) : "out of memory");
        return;
    }
    (void)PQsetNoticeReceiver(conn->pg, on_notice, NULL);
    conn->state = CONNECTING;
    base_timer_start(conn->timer, CONNECT_MS);
    watch(conn, BASE_IO_WRITE);
}

static void on_resolved(void *ctx, enum base_err err, const char *address)
{
    struct pg_conn *conn = ctx;
    conn->resolving = false;
    if (conn->closing) {
        dispose(conn);
        return;
    }
    if (err != BASE_OK ||
        !base_sv_cstr(base_sv_from(address), conn->address, sizeof(conn->address))) {
        char why[320];
        (void)snprintf(why, sizeof(why), "cannot resolve the host name %s", conn->host);
        fail(conn, why);
        return;
    }
    connect_start(conn);
}

static void connect_begin(struct pg_conn *conn)
{
    if (!conn->host) {
        connect_start(conn);
        return;
    }
    conn->state = RESOLVING;
    if (base_loop_resolve(conn->options.loop, conn->host, on_resolved, conn) == BASE_OK)
        conn->resolving = true;
    else
        fail(conn, "cannot start resolving the host name");
}

/* One timer serves all: the delay before a new attempt, the deadline of an attempt, a failed write,
 * a server that does not answer. */
static void on_timer(void *ctx)
{
    struct pg_conn *conn = ctx;
    switch (conn->state) {
    case WAITING:
        connect_begin(conn);
        break;
    case CONNECTING:
    case PREPARING:
        fail(conn, "timeout while connecting");
        break;
    case UP:
        fail(conn, conn->broken ? PQerrorMessage(conn->pg) : "the server does not answer");
        break;
    case RESOLVING:
        break;
    }
}

/* The host, if it is a name that libpq would look up while blocking. */
static enum base_err host_of(const char *url, char **ret_host)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &message);
    PQfreemem(message);
    if (!options)
        return BASE_INVALID;
    const char *host = NULL;
    bool has_address = false;
    for (PQconninfoOption *o = options; o->keyword; o++) {
        if (strcmp(o->keyword, "host") == 0)
            host = o->val;
        if (strcmp(o->keyword, "hostaddr") == 0)
            has_address = o->val && o->val[0];
    }
    unsigned char scratch[16];
    bool name = host && host[0] && host[0] != '/' && !strchr(host, ',') && !has_address &&
                inet_pton(AF_INET, host, scratch) != 1 && inet_pton(AF_INET6, host, scratch) != 1;
    *ret_host = name ? strdup(host) : NULL;
    bool no_memory = name && !*ret_host;
    PQconninfoFree(options);
    return no_memory ? BASE_NO_MEMORY : BASE_OK;
}

enum base_err pg_conn_new(const struct pg_options *options, struct pg_conn **ret_conn)
{
    struct pg_conn *conn = calloc(1, sizeof(*conn));
    if (!conn)
        return BASE_NO_MEMORY;
    conn->options = *options;
    conn->last = &conn->first;
    conn->backoff_ms = BACKOFF_FIRST_MS;
    conn->url = strdup(options->url);
    enum base_err err = conn->url ? host_of(conn->url, &conn->host) : BASE_NO_MEMORY;
    if (err == BASE_OK)
        err = base_timer_new(options->loop, on_timer, conn, &conn->timer);
    if (err != BASE_OK) {
        dispose(conn);
        return err;
    }
    base_timer_start(conn->timer, 0);
    *ret_conn = conn;
    return BASE_OK;
}

void pg_conn_free(struct pg_conn *conn)
{
    if (!conn)
        return;
    conn->closing = true;
    base_timer_stop(conn->timer);
    conn->depth++;
    drop_connection(conn);
    conn->depth--;
    if (conn->depth == 0 && !conn->resolving)
        dispose(conn);
}

bool pg_conn_up(const struct pg_conn *conn)
{
    return conn->state == UP;
}

size_t pg_conn_in_flight(const struct pg_conn *conn)
{
    return conn->in_flight;
}

/* After the query itself was handed to libpq. */
static enum base_err sent(struct pg_conn *conn, int ok, pg_done_fn fn, void *ctx)
{
    if (!ok)
        return BASE_UNAVAILABLE;
    enum base_err err = enqueue(conn, fn, ctx);
    if (err != BASE_OK)
        return err;
    (void)PQpipelineSync(conn->pg);
    flush(conn);
    return BASE_OK;
}

enum base_err pg_conn_query(struct pg_conn *conn, const char *statement,
                            const struct pg_params *params, pg_done_fn fn, void *ctx)
{
    if (conn->state != UP)
        return BASE_UNAVAILABLE;
    const char *values[PG_PARAMS_MAX] = {0};
    int formats[PG_PARAMS_MAX];
    int count = params ? (int)params->count : 0;
    if (params && !base_buf_ok(&params->bytes))
        return BASE_TOO_LARGE;
    for (int i = 0; i < count; i++) {
        formats[i] = 1;
        if (params->length[i] >= 0)
            values[i] = params->bytes.data ? params->bytes.data + params->offset[i] : "";
    }
    return sent(conn,
                PQsendQueryPrepared(conn->pg, statement, count, values,
                                    params ? params->length : NULL, formats, 1),
                fn, ctx);
}

enum base_err pg_conn_exec(struct pg_conn *conn, const char *sql, pg_done_fn fn, void *ctx)
{
    if (conn->state != UP)
        return BASE_UNAVAILABLE;
    return sent(conn, PQsendQueryParams(conn->pg, sql, 0, NULL, NULL, NULL, NULL, 1), fn, ctx);
}
