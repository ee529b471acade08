/* SPDX-License-Identifier: Apache-2.0 */
/* Leasing tasks for review, and marking all of them when the rules of time zones changed. */
#include "tasks/store/review.h"

#include <stdlib.h>

#include "tasks/store/store_private.h"

enum { PARAMS_MAX = 1 << 20 };

const struct pg_statement store_review_statements[STORE_REVIEW_STATEMENTS] = {
    {"review_claim",
     "WITH c AS MATERIALIZED (SELECT id FROM tasks t WHERE review_at<=now()"
     " AND NOT EXISTS (SELECT FROM reminder_fire f WHERE f.task_id=t.id AND f.fire_at<=now()"
     " AND f.attempts<5) ORDER BY review_at LIMIT $1::int4 FOR NO KEY UPDATE SKIP LOCKED),"
     " k AS (UPDATE tasks SET review_at=now()+interval '30 s' WHERE id IN (SELECT id FROM c)"
     " RETURNING *)"
     " SELECT " STORE_TASK_COLUMNS ",u.zone,extract(epoch FROM u.default_time)::int4/60,now()"
     " FROM k JOIN (SELECT user_id AS owner,zone,default_time FROM users) u ON u.owner=k.user_id"
     " ORDER BY user_id,id"},
    {"review_settle", "UPDATE tasks t SET review_at=x.at"
                      " FROM unnest($1::uuid[],$2::int4[],$3::timestamptz[]) AS x(id,version,at)"
                      " WHERE t.id=x.id AND t.version=x.version AND t.id=ANY($1::uuid[])"},
    {"review_zones",
     "WITH s AS (SELECT FROM engine_state WHERE name='tzdata' AND value<$1::text),"
     " c AS MATERIALIZED (SELECT id FROM tasks WHERE EXISTS (SELECT FROM s) AND id>$2::uuid"
     "  AND status=0 AND due_kind>0 ORDER BY id LIMIT 2000),"
     " u AS (UPDATE tasks SET review_at=now() WHERE id IN (SELECT id FROM c))"
     " SELECT id FROM c ORDER BY id DESC LIMIT 1"},
    {"review_zones_done", "INSERT INTO engine_state(name,value) VALUES('tzdata',$1::text)"
                          " ON CONFLICT (name) DO UPDATE SET value=excluded.value"
                          " WHERE engine_state.value<excluded.value"},
};

/* Claiming. */

struct claim {
    struct base_arena *arena;
    task_reviews_fn fn;
    void *ctx;
};

static bool decode(const PGresult *r, int row, struct base_arena *arena,
                   struct task_reviewee *reviewee)
{
    if (!store_task_decode(r, row, arena, &reviewee->task))
        return false;
    struct task_settings *settings = &reviewee->settings;
    reviewee->now_us = pg_time_us(r, row, STORE_TASK_COLUMN_COUNT + 2);
    settings->default_minute = (int)pg_int(r, row, STORE_TASK_COLUMN_COUNT + 1);
    if (time_zone_load(pg_text(r, row, STORE_TASK_COLUMN_COUNT), &settings->home) != BASE_OK)
        settings->home = time_zone_utc();
    return true;
}

static void on_claimed(void *ctx, enum base_err err, const PGresult *r)
{
    struct claim claim = *(struct claim *)ctx;
    free(ctx);
    struct task_reviewee *tasks = NULL;
    size_t count = err == BASE_OK ? (size_t)PQntuples(r) : 0;
    if (count) {
        tasks = base_arena_array(claim.arena, count, sizeof(*tasks));
        if (!tasks)
            err = BASE_NO_MEMORY;
    }
    size_t read = 0;
    /* One that cannot be read keeps its lease and is met again when that is over. */
    for (size_t i = 0; err == BASE_OK && i < count; i++)
        read += decode(r, (int)i, claim.arena, &tasks[read]);
    claim.fn(claim.ctx, err, tasks, err == BASE_OK ? read : 0);
}

void task_store_reviews(struct task_store *store, int32_t limit, struct base_arena *arena,
                        task_reviews_fn fn, void *ctx)
{
    struct claim *claim = malloc(sizeof(*claim));
    struct pg_params *params = NULL;
    if (!claim || pg_params_new(PARAMS_MAX, &params) != BASE_OK) {
        free(claim);
        fn(ctx, BASE_NO_MEMORY, NULL, 0);
        return;
    }
    *claim = (struct claim){arena, fn, ctx};
    pg_add_int4(params, limit);
    store_request(store, "review_claim", params, on_claimed, claim);
}

/* Settling. */

struct settle {
    task_done_fn fn;
    void *ctx;
};

static void on_settled(void *ctx, enum base_err err, const PGresult *result)
{
    struct settle settle = *(struct settle *)ctx;
    (void)result;
    free(ctx);
    settle.fn(settle.ctx, err);
}

void task_store_reviewed(struct task_store *store, const struct task_reviewed *tasks, size_t count,
                         task_done_fn fn, void *ctx)
{
    struct settle *settle = malloc(sizeof(*settle));
    struct pg_params *params = NULL;
    if (!settle || pg_params_new(PARAMS_MAX, &params) != BASE_OK) {
        free(settle);
        fn(ctx, BASE_NO_MEMORY);
        return;
    }
    *settle = (struct settle){fn, ctx};
    pg_array_begin(params, PG_UUID);
    for (size_t i = 0; i < count; i++)
        pg_array_id(params, tasks[i].id);
    pg_array_end(params);
    pg_array_begin(params, PG_INT4);
    for (size_t i = 0; i < count; i++)
        pg_array_int(params, tasks[i].version);
    pg_array_end(params);
    pg_array_begin(params, PG_TIMESTAMPTZ);
    for (size_t i = 0; i < count; i++) {
        if (tasks[i].review_us)
            pg_array_time(params, tasks[i].review_us);
        else
            pg_array_null(params);
    }
    pg_array_end(params);
    store_request(store, "review_settle", params, on_settled, settle);
}

/* Time zone rules. */

struct zones {
    struct task_store *store;
    const char *version;
    task_zones_fn fn;
    void *ctx;
};

static void end_zones(struct zones *zones, enum base_err err, bool done, struct base_id after)
{
    zones->fn(zones->ctx, err, done, after);
    free(zones);
}

static void on_zones_done(void *ctx, enum base_err err, const PGresult *result)
{
    (void)result;
    end_zones(ctx, err, err == BASE_OK, (struct base_id){0});
}

static void on_marked(void *ctx, enum base_err err, const PGresult *r)
{
    struct zones *zones = ctx;
    struct pg_params *params = NULL;
    if (err != BASE_OK || PQntuples(r) > 0) {
        end_zones(zones, err, false, err == BASE_OK ? pg_id(r, 0, 0) : (struct base_id){0});
        return;
    }
    if (pg_params_new(PARAMS_MAX, &params) != BASE_OK) {
        end_zones(zones, BASE_NO_MEMORY, false, (struct base_id){0});
        return;
    }
    pg_add_text(params, base_sv_from(zones->version));
    store_request(zones->store, "review_zones_done", params, on_zones_done, zones);
}

void task_store_review_zones(struct task_store *store, const char *version, struct base_id after,
                             task_zones_fn fn, void *ctx)
{
    struct zones *zones = malloc(sizeof(*zones));
    struct pg_params *params = NULL;
    if (!zones || pg_params_new(PARAMS_MAX, &params) != BASE_OK) {
        free(zones);
        fn(ctx, BASE_NO_MEMORY, false, after);
        return;
    }
    *zones = (struct zones){store, version, fn, ctx};
    pg_add_text(params, base_sv_from(version));
    pg_add_id(params, after);
    store_request(store, "review_zones", params, on_marked, zones);
}
