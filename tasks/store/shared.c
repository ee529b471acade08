/* SPDX-License-Identifier: Apache-2.0 */
#include "tasks/store/shared.h"

#include <stdlib.h>

#include "tasks/store/store_private.h"

enum { PARAMS_MAX = 256 * 1024 };

/* What is long over goes with the next value that comes. */
const struct pg_statement store_shared_statements[STORE_SHARED_STATEMENTS] = {
    {"shared_get", "SELECT value,etag FROM shared_state WHERE key=$1::text AND expires_at>now()"},
    {"shared_add",
     "WITH over AS (DELETE FROM shared_state WHERE key=ANY(ARRAY(SELECT key FROM shared_state"
     "  WHERE expires_at<now()-interval '1 min' AND key<>$1::text LIMIT 100 FOR UPDATE SKIP "
     "LOCKED)))"
     " INSERT INTO shared_state AS s (key,value,expires_at)"
     " VALUES ($1,$2::text,now()+$3::int4*interval '1 s') ON CONFLICT (key) DO UPDATE"
     " SET value=excluded.value,etag=excluded.etag,expires_at=excluded.expires_at"
     " WHERE s.expires_at<=now() RETURNING etag"},
    {"shared_set", "UPDATE shared_state SET value=$2::text,etag=nextval('shared_state_etag'),"
                   " expires_at=now()+$3::int4*interval '1 s'"
                   " WHERE key=$1::text AND etag=$4::int8 AND expires_at>now() RETURNING etag"},
    {"shared_remove", "DELETE FROM shared_state WHERE key=$1::text AND etag=$2::int8"
                      " AND expires_at>now() RETURNING etag"},
};

struct request {
    task_shared_fn shared;
    task_done_fn done;
    void *ctx;
};

static void finish(const struct request *request, enum base_err err, struct base_sv value,
                   int64_t etag)
{
    if (request->shared)
        request->shared(request->ctx, err, value, etag);
    else if (request->done)
        request->done(request->ctx, err);
}

static void on_row(void *ctx, enum base_err err, const PGresult *r)
{
    struct request request = *(struct request *)ctx;
    free(ctx);
    if (err == BASE_OK && PQntuples(r) == 0)
        err = request.shared ? BASE_NOT_FOUND : BASE_STALE;
    if (err == BASE_OK && request.shared)
        finish(&request, BASE_OK, pg_text(r, 0, 0), pg_int(r, 0, 1));
    else
        finish(&request, err, SV_NULL, 0);
}

static void ask(struct task_store *store, const char *statement, struct pg_params *params,
                struct request request)
{
    struct request *copy = params ? malloc(sizeof(*copy)) : NULL;
    if (!copy) {
        pg_params_free(params);
        finish(&request, BASE_NO_MEMORY, SV_NULL, 0);
        return;
    }
    *copy = request;
    store_request(store, statement, params, on_row, copy);
}

static struct pg_params *params_with(struct base_sv key)
{
    struct pg_params *params;
    if (pg_params_new(PARAMS_MAX, &params) != BASE_OK)
        return NULL;
    pg_add_text(params, key);
    return params;
}

void task_store_shared_get(struct task_store *store, struct base_sv key, task_shared_fn fn,
                           void *ctx)
{
    ask(store, "shared_get", params_with(key), (struct request){.shared = fn, .ctx = ctx});
}

void task_store_shared_put(struct task_store *store, struct base_sv key, struct base_sv value,
                           int64_t etag, int32_t ttl_s, task_done_fn fn, void *ctx)
{
    struct pg_params *params = params_with(key);
    if (params) {
        pg_add_text(params, value);
        pg_add_int4(params, ttl_s);
        if (etag)
            pg_add_int8(params, etag);
    }
    ask(store, etag ? "shared_set" : "shared_add", params,
        (struct request){.done = fn, .ctx = ctx});
}

void task_store_shared_remove(struct task_store *store, struct base_sv key, int64_t etag,
                              task_done_fn fn, void *ctx)
{
    struct pg_params *params = params_with(key);
    if (params)
        pg_add_int8(params, etag);
    ask(store, "shared_remove", params, (struct request){.done = fn, .ctx = ctx});
}
