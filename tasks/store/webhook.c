/* SPDX-License-Identifier: Apache-2.0 */
#include "tasks/store/webhook.h"

#include <stdlib.h>

#include "tasks/store/store_private.h"

enum { PARAMS_MAX = 64 * 1024, QUEUE_PARAMS_MAX = 16 * 1024 * 1024, CLAIM_MAX = 64 };

const struct pg_statement store_webhook_statements[STORE_WEBHOOK_STATEMENTS] = {
    {"hook_add", "INSERT INTO webhook(id,user_id,url,secret,types)"
                 " SELECT $2::uuid,$1::text,$3::text,$4::text,string_to_array($5::text,',')"
                 " WHERE (SELECT count(*) FROM webhook WHERE user_id=$1)<$6::int4 RETURNING id"},
    {"hook_remove", "DELETE FROM webhook WHERE user_id=$1::text AND id=$2::uuid RETURNING id"},
    {"hook_list", "SELECT id,url,array_to_string(types,','),created_at,delivered,failures,"
                  "last_error,disabled FROM webhook WHERE user_id=$1::text ORDER BY id"},
    {"hook_queue",
     "INSERT INTO webhook_delivery(hook_id,event_id,payload) SELECT h.id,e.id,e.payload"
     " FROM unnest($1::text[],$2::text[],$3::uuid[],$4::text[]) AS e(user_id,type,id,payload)"
     " JOIN webhook h ON h.user_id=e.user_id WHERE NOT h.disabled AND h.user_id=ANY($1::text[])"
     " AND (h.types='{}' OR e.type=ANY(h.types)) ON CONFLICT DO NOTHING"},
    {"hook_claim",
     "WITH w AS MATERIALIZED (SELECT hook_id,event_id,next_at FROM webhook_delivery"
     "  WHERE next_at<=now() ORDER BY next_at LIMIT 1000),"
     " r AS MATERIALIZED (SELECT hook_id,event_id FROM (SELECT *,row_number() OVER"
     "  (PARTITION BY hook_id ORDER BY next_at) AS nr FROM w) x WHERE nr<=4"
     "  ORDER BY next_at LIMIT $1::int4),"
     " c AS MATERIALIZED (SELECT d.hook_id,d.event_id FROM webhook_delivery d JOIN r"
     "  USING (hook_id,event_id) WHERE d.next_at<=now() FOR UPDATE OF d SKIP LOCKED),"
     " u AS (UPDATE webhook_delivery d SET attempts=attempts+1,next_at=now()+interval '1 min'"
     "  FROM c WHERE d.hook_id=c.hook_id AND d.event_id=c.event_id"
     "  RETURNING d.hook_id,d.event_id,d.payload,d.attempts)"
     " SELECT u.hook_id,u.event_id,h.user_id,h.url,h.secret,u.payload,u.attempts"
     " FROM u JOIN webhook h ON h.id=u.hook_id WHERE NOT h.disabled"},
    {"hook_settle",
     "WITH h AS (UPDATE webhook SET delivered=delivered+($3::int4=0)::int4,"
     "  failures=CASE WHEN $3=0 THEN 0 ELSE failures+1 END,last_error=$5::text,"
     "  disabled=disabled OR $3=3 WHERE id=$1::uuid),"
     " d AS (DELETE FROM webhook_delivery WHERE hook_id=$1 AND event_id=$2::uuid AND $3<>1)"
     " UPDATE webhook_delivery SET next_at=now()+$4::int4*interval '1 s'"
     " WHERE hook_id=$1 AND event_id=$2 AND $3=1"},
};

struct request {
    task_done_fn done;
    task_hooks_fn hooks;
    task_due_fn due;
    void *ctx;
    enum base_err none; /* what no row means; OK: nothing */
};

static void ask(struct task_store *store, const char *statement, struct pg_params *params,
                struct request request, pg_done_fn fn)
{
    struct request *copy = params ? malloc(sizeof(*copy)) : NULL;
    if (copy) {
        *copy = request;
        store_request(store, statement, params, fn, copy);
        return;
    }
    pg_params_free(params);
    if (request.done)
        request.done(request.ctx, BASE_NO_MEMORY);
    else if (request.hooks)
        request.hooks(request.ctx, BASE_NO_MEMORY, NULL, 0);
    else if (request.due)
        request.due(request.ctx, BASE_NO_MEMORY, NULL, 0);
}

static struct pg_params *new_params(size_t most)
{
    struct pg_params *params;
    return pg_params_new(most, &params) == BASE_OK ? params : NULL;
}

static void on_done(void *ctx, enum base_err err, const PGresult *r)
{
    struct request request = *(struct request *)ctx;
    free(ctx);
    if (err == BASE_OK && request.none != BASE_OK && PQntuples(r) == 0)
        err = request.none;
    request.done(request.ctx, err);
}

void task_store_hook_add(struct task_store *store, struct base_sv user_id,
                         const struct task_hook *hook, task_done_fn fn, void *ctx)
{
    struct pg_params *params = new_params(PARAMS_MAX);
    if (params) {
        pg_add_text(params, user_id);
        pg_add_id(params, hook->id);
        pg_add_text(params, hook->url);
        pg_add_text(params, hook->secret);
        pg_add_text(params, hook->types);
        pg_add_int4(params, TASK_HOOKS_MAX);
    }
    ask(store, "hook_add", params, (struct request){.done = fn, .ctx = ctx, .none = BASE_CONFLICT},
        on_done);
}

void task_store_hook_remove(struct task_store *store, struct base_sv user_id, struct base_id id,
                            task_done_fn fn, void *ctx)
{
    struct pg_params *params = new_params(PARAMS_MAX);
    if (params) {
        pg_add_text(params, user_id);
        pg_add_id(params, id);
    }
    ask(store, "hook_remove", params,
        (struct request){.done = fn, .ctx = ctx, .none = BASE_NOT_FOUND}, on_done);
}

static void on_hooks(void *ctx, enum base_err err, const PGresult *r)
{
    struct request request = *(struct request *)ctx;
    struct task_hook hooks[TASK_HOOKS_MAX];
    size_t count = 0;
    free(ctx);
    for (int i = 0; err == BASE_OK && i < PQntuples(r) && count < TASK_HOOKS_MAX; i++)
        hooks[count++] = (struct task_hook){.id = pg_id(r, i, 0),
                                            .url = pg_text(r, i, 1),
                                            .types = pg_text(r, i, 2),
                                            .created_us = pg_time_us(r, i, 3),
                                            .delivered = pg_int(r, i, 4),
                                            .failures = pg_int(r, i, 5),
                                            .last_error = pg_text(r, i, 6),
                                            .disabled = pg_int(r, i, 7) != 0};
    request.hooks(request.ctx, err, hooks, count);
}

void task_store_hooks(struct task_store *store, struct base_sv user_id, task_hooks_fn fn, void *ctx)
{
    struct pg_params *params = new_params(PARAMS_MAX);
    if (params)
        pg_add_text(params, user_id);
    ask(store, "hook_list", params, (struct request){.hooks = fn, .ctx = ctx}, on_hooks);
}

void task_store_hook_queue(struct task_store *store, const struct task_hook_event *events,
                           size_t count, task_done_fn fn, void *ctx)
{
    struct pg_params *params = new_params(QUEUE_PARAMS_MAX);
    if (params) {
        pg_array_begin(params, PG_TEXT);
        for (size_t i = 0; i < count; i++)
            pg_array_text(params, events[i].user_id);
        pg_array_end(params);
        pg_array_begin(params, PG_TEXT);
        for (size_t i = 0; i < count; i++)
            pg_array_text(params, events[i].type);
        pg_array_end(params);
        pg_array_begin(params, PG_UUID);
        for (size_t i = 0; i < count; i++)
            pg_array_id(params, events[i].id);
        pg_array_end(params);
        pg_array_begin(params, PG_TEXT);
        for (size_t i = 0; i < count; i++)
            pg_array_text(params, events[i].payload);
        pg_array_end(params);
    }
    ask(store, "hook_queue", params, (struct request){.done = fn, .ctx = ctx}, on_done);
}

static void on_due(void *ctx, enum base_err err, const PGresult *r)
{
    struct request request = *(struct request *)ctx;
    struct task_delivery_due due[CLAIM_MAX];
    size_t count = 0;
    free(ctx);
    for (int i = 0; err == BASE_OK && i < PQntuples(r) && count < CLAIM_MAX; i++)
        due[count++] = (struct task_delivery_due){.hook = pg_id(r, i, 0),
                                                  .event = pg_id(r, i, 1),
                                                  .user_id = pg_text(r, i, 2),
                                                  .url = pg_text(r, i, 3),
                                                  .secret = pg_text(r, i, 4),
                                                  .payload = pg_text(r, i, 5),
                                                  .attempts = (int32_t)pg_int(r, i, 6)};
    request.due(request.ctx, err, due, count);
}

void task_store_hook_claim(struct task_store *store, int32_t limit, task_due_fn fn, void *ctx)
{
    struct pg_params *params = new_params(PARAMS_MAX);
    if (params)
        pg_add_int4(params, limit < CLAIM_MAX ? limit : CLAIM_MAX);
    ask(store, "hook_claim", params, (struct request){.due = fn, .ctx = ctx}, on_due);
}

void task_store_hook_settle(struct task_store *store, struct base_id hook, struct base_id event,
                            enum task_hook_outcome outcome, int32_t after_s, struct base_sv error,
                            task_done_fn fn, void *ctx)
{
    struct pg_params *params = new_params(PARAMS_MAX);
    if (params) {
        pg_add_id(params, hook);
        pg_add_id(params, event);
        pg_add_int4(params, (int32_t)outcome);
        pg_add_int4(params, after_s);
        pg_add_text(params, error);
    }
    ask(store, "hook_settle", params, (struct request){.done = fn, .ctx = ctx}, on_done);
}
