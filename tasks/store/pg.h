/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One PostgreSQL connection in pipeline mode inside the caller's event loop. Requests go out as
 * they come and are answered in order, each in a transaction of its own (it ends with a sync). The
 * connection makes itself, prepares its statements, and comes back by itself with backoff when it
 * is lost; requests that were on the wire then end with UNAVAILABLE and the outcome is unknown,
 * requests made while it is down are refused at once.
 *
 * Everything belongs to the loop's thread. Only tasks/store/ sees libpq.
 */
#ifndef TASKS_STORE_PG_H
#define TASKS_STORE_PG_H

#include <libpq-fe.h>

#include "lib/base/buf.h"
#include "lib/base/id.h"
#include "lib/base/loop.h"

struct pg_conn;

/* Prepared on each new connection. Parameters are binary where pg_params says so, results are
 * binary. */
struct pg_statement {
    const char *name;
    const char *sql;
};

struct pg_options {
    struct base_loop *loop;
    const char *url; /* postgresql://… or key=value; copied */
    const char *application_name;
    const char *settings; /* session settings as for PGOPTIONS ("-c jit=off"), or NULL */
    /* A server that answers nothing for so long counts as lost (it may be stopped while its host
     * still takes our bytes). Longer than statement_timeout; 0: wait for ever. */
    int64_t answer_ms;
    const struct pg_statement *statements; /* must stay */
    size_t statement_count;
    /* The connection became usable, or was lost; error is libpq's text (first line). NULL if not
     * wanted. */
    void (*on_state)(void *ctx, bool up, const char *error);
    void *ctx;
};

BASE_MUST_CHECK enum base_err pg_conn_new(const struct pg_options *options,
                                          struct pg_conn **ret_conn);
/* Requests in flight end with UNAVAILABLE before it returns. */
void pg_conn_free(struct pg_conn *conn);

bool pg_conn_up(const struct pg_conn *conn);
/* Requests sent and not yet answered. */
size_t pg_conn_in_flight(const struct pg_conn *conn);

/* Parameters of one request, built in order. */
struct pg_params;
BASE_MUST_CHECK enum base_err pg_params_new(size_t max_bytes, struct pg_params **ret_params);
void pg_params_free(struct pg_params *params);
void pg_params_reset(struct pg_params *params);
void pg_add_text(struct pg_params *params, struct base_sv text);
void pg_add_null(struct pg_params *params);
void pg_add_int4(struct pg_params *params, int32_t value);
void pg_add_int8(struct pg_params *params, int64_t value);
void pg_add_id(struct pg_params *params, struct base_id id);
void pg_add_time(struct pg_params *params,
                 int64_t at_us); /* timestamptz, or timestamp of local microseconds */

/* One-dimensional arrays: begin, elements of that type, end. */
enum pg_type {
    PG_INT2 = 21,
    PG_INT4 = 23,
    PG_INT8 = 20,
    PG_TEXT = 25,
    PG_UUID = 2950,
    PG_TIMESTAMP = 1114,
    PG_TIMESTAMPTZ = 1184,
    PG_BOOL = 16
};
void pg_array_begin(struct pg_params *params, enum pg_type type);
void pg_array_text(struct pg_params *params, struct base_sv text);
void pg_array_null(struct pg_params *params);
void pg_array_int(struct pg_params *params,
                  int64_t value); /* of INT2, INT4, INT8 as begun; BOOL: 0 or 1 */
void pg_array_id(struct pg_params *params, struct base_id id);
void pg_array_time(struct pg_params *params, int64_t at_us);
void pg_array_end(struct pg_params *params);

/* result: PGRES_TUPLES_OK or PGRES_COMMAND_OK when err is OK; on an SQL error it carries the
 * SQLSTATE (pg_sqlstate) and err is INTERNAL, or CONFLICT for serialisation failures and deadlocks;
 * NULL when the connection was lost. Valid during the call only. The callback may send further
 * requests. */
typedef void (*pg_done_fn)(void *ctx, enum base_err err, const PGresult *result);

/* UNAVAILABLE: not connected, nothing was sent and fn is never called. params may be NULL; they are
 * copied to libpq and can be reused at once. */
BASE_MUST_CHECK enum base_err pg_conn_query(struct pg_conn *conn, const char *statement,
                                            const struct pg_params *params, pg_done_fn fn,
                                            void *ctx);
/* Plain SQL without parameters (begin, commit, listen …). */
BASE_MUST_CHECK enum base_err pg_conn_exec(struct pg_conn *conn, const char *sql, pg_done_fn fn,
                                           void *ctx);

/* Reading binary results. */
bool pg_is_null(const PGresult *result, int row, int column);
struct base_sv pg_text(const PGresult *result, int row, int column);
int64_t pg_int(const PGresult *result, int row, int column); /* int2, int4, int8, bool */
struct base_id pg_id(const PGresult *result, int row, int column);
int64_t pg_time_us(const PGresult *result, int row, int column); /* since 1970 */
const char *pg_sqlstate(const PGresult *result);

#endif
