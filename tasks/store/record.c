/* SPDX-License-Identifier: Apache-2.0 */
#include "tasks/store/record.h"

#include <stdlib.h>

#include "tasks/store/store_private.h"

enum { PARAMS_MAX = 16 * 1024 };

const struct pg_statement store_record_statements[STORE_RECORD_STATEMENTS] = {
    {"records", "SELECT " STORE_TASK_COLUMNS ",coalesce(by_channel,2),coalesce(by_device,''),"
                "coalesce(by_id,''),coalesce((SELECT text FROM turn x WHERE x.user_id=k.user_id"
                " AND x.device=k.by_device AND x.client_id=k.by_id),'') FROM ("
                "SELECT (jsonb_populate_record(NULL::tasks,h.data)).* FROM task_history h"
                " WHERE h.task_id=$2::uuid AND h.user_id=$1::text AND h.version<$3::int4"
                " UNION ALL SELECT * FROM tasks WHERE id=$2 AND user_id=$1 AND version<$3) k"
                " ORDER BY version DESC LIMIT $4::int4"},
    {"pasts", "SELECT occurrence,due_local,due_at,outcome,at FROM task_occurrence"
              " WHERE task_id=$1::uuid ORDER BY occurrence DESC LIMIT $2::int4"},
    {"sweep", "SELECT trash,turns FROM sweep($1::int4,$2::int4,$3::int4)"},
    {"import_progress",
     "SELECT count(*),coalesce(sum((reply::json->>'imported')::int8),0)::int8,"
     "coalesce(sum((reply::json->>'already_there')::int8),0)::int8 FROM turn"
     " WHERE user_id=$1::text AND device=':import' AND starts_with(client_id,$2::text||':')"},
    {"feed_set", "UPDATE users SET feed=decode(nullif($2::text,''),'hex') WHERE user_id=$1::text"},
    {"feed_get", "SELECT user_id FROM users WHERE feed=decode($1::text,'hex')"},
    {"revoke", "SELECT revoke_user($1::text)"},
    {"erase", "SELECT tasks,turns,events FROM erase_user($1::text)"},
};

struct reading {
    struct base_arena *arena;
    task_records_fn records;
    task_pasts_fn pasts;
    task_swept_fn swept;
    task_erased_fn erased;
    task_done_fn done;
    task_feed_fn feed;
    task_progress_fn progress;
    void *ctx;
};

static bool ask(struct task_store *store, const char *statement, struct pg_params *params,
                const struct reading *reading, pg_done_fn fn)
{
    struct reading *copy = malloc(sizeof(*copy));
    if (!copy) {
        pg_params_free(params);
        return false;
    }
    *copy = *reading;
    store_request(store, statement, params, fn, copy);
    return true;
}

/* Of a statement whose only parameter is a text. */
static bool ask_text(struct task_store *store, const char *statement, struct base_sv text,
                     const struct reading *reading, pg_done_fn fn)
{
    struct pg_params *params;
    if (pg_params_new(PARAMS_MAX, &params) != BASE_OK)
        return false;
    pg_add_text(params, text);
    return ask(store, statement, params, reading, fn);
}

static bool decode(const PGresult *r, int row, struct base_arena *arena, struct task_record *record)
{
    enum { AFTER = STORE_TASK_COLUMN_COUNT };
    record->channel = (enum task_channel)pg_int(r, row, AFTER);
    record->device = base_arena_sv(arena, pg_text(r, row, AFTER + 1));
    record->client_id = base_arena_sv(arena, pg_text(r, row, AFTER + 2));
    record->text = base_arena_sv(arena, pg_text(r, row, AFTER + 3));
    return record->device.ptr && record->client_id.ptr && record->text.ptr &&
           store_task_decode(r, row, arena, &record->task);
}

static void on_records(void *ctx, enum base_err err, const PGresult *r)
{
    struct reading reading = *(struct reading *)ctx;
    free(ctx);
    size_t count = err == BASE_OK ? (size_t)PQntuples(r) : 0;
    struct task_record *records = base_arena_array(reading.arena, count + 1, sizeof(*records));
    for (size_t i = 0; err == BASE_OK && i < count; i++)
        if (!records || !decode(r, (int)i, reading.arena, &records[i]))
            err = BASE_NO_MEMORY;
    reading.records(reading.ctx, err, records, err == BASE_OK ? count : 0);
}

void task_store_records(struct task_store *store, struct base_sv user_id, struct base_id task,
                        int32_t before, int32_t limit, struct base_arena *arena, task_records_fn fn,
                        void *ctx)
{
    struct pg_params *params;
    bool asked = false;
    if (pg_params_new(PARAMS_MAX, &params) == BASE_OK) {
        pg_add_text(params, user_id);
        pg_add_id(params, task);
        pg_add_int4(params, before);
        pg_add_int4(params, limit);
        asked = ask(store, "records", params,
                    &(struct reading){.arena = arena, .records = fn, .ctx = ctx}, on_records);
    }
    if (!asked)
        fn(ctx, BASE_NO_MEMORY, NULL, 0);
}

static void on_pasts(void *ctx, enum base_err err, const PGresult *r)
{
    struct reading reading = *(struct reading *)ctx;
    free(ctx);
    size_t count = err == BASE_OK ? (size_t)PQntuples(r) : 0;
    struct task_past *pasts = base_arena_array(reading.arena, count + 1, sizeof(*pasts));
    if (!pasts) {
        err = BASE_NO_MEMORY;
        count = 0;
    }
    for (int i = 0; i < (int)count; i++) {
        pasts[i] = (struct task_past){.occurrence = (int32_t)pg_int(r, i, 0),
                                      .has_due = !pg_is_null(r, i, 1),
                                      .outcome = (enum task_outcome)pg_int(r, i, 3),
                                      .at_us = pg_time_us(r, i, 4)};
        if (!pasts[i].has_due)
            continue;
        pasts[i].due = time_civil_from_seconds(pg_time_us(r, i, 1) / 1000000);
        pasts[i].due_us = pg_time_us(r, i, 2);
    }
    reading.pasts(reading.ctx, err, pasts, count);
}

void task_store_pasts(struct task_store *store, struct base_id task, int32_t limit,
                      struct base_arena *arena, task_pasts_fn fn, void *ctx)
{
    struct pg_params *params;
    bool asked = false;
    if (pg_params_new(PARAMS_MAX, &params) == BASE_OK) {
        pg_add_id(params, task);
        pg_add_int4(params, limit);
        asked = ask(store, "pasts", params,
                    &(struct reading){.arena = arena, .pasts = fn, .ctx = ctx}, on_pasts);
    }
    if (!asked)
        fn(ctx, BASE_NO_MEMORY, NULL, 0);
}

static void on_swept(void *ctx, enum base_err err, const PGresult *r)
{
    struct reading reading = *(struct reading *)ctx;
    free(ctx);
    bool ok = err == BASE_OK && PQntuples(r) == 1;
    reading.swept(reading.ctx, err, ok ? pg_int(r, 0, 0) : 0, ok ? pg_int(r, 0, 1) : 0);
}

void task_store_sweep(struct task_store *store, int32_t trash_days, int32_t turns_days,
                      int32_t limit, task_swept_fn fn, void *ctx)
{
    struct pg_params *params;
    bool asked = false;
    if (pg_params_new(PARAMS_MAX, &params) == BASE_OK) {
        pg_add_int4(params, trash_days);
        pg_add_int4(params, turns_days);
        pg_add_int4(params, limit);
        asked = ask(store, "sweep", params, &(struct reading){.swept = fn, .ctx = ctx}, on_swept);
    }
    if (!asked)
        fn(ctx, BASE_NO_MEMORY, 0, 0);
}

static void on_erased(void *ctx, enum base_err err, const PGresult *r)
{
    struct reading reading = *(struct reading *)ctx;
    struct task_erased erased = {0};
    free(ctx);
    if (err == BASE_OK && PQntuples(r) == 1)
        erased = (struct task_erased){pg_int(r, 0, 0), pg_int(r, 0, 1), pg_int(r, 0, 2)};
    reading.erased(reading.ctx, err, &erased);
}

void task_store_erase(struct task_store *store, struct base_sv user_id, task_erased_fn fn,
                      void *ctx)
{
    if (!ask_text(store, "erase", user_id, &(struct reading){.erased = fn, .ctx = ctx}, on_erased))
        fn(ctx, BASE_NO_MEMORY, NULL);
}

static void on_done(void *ctx, enum base_err err, const PGresult *r)
{
    struct reading reading = *(struct reading *)ctx;
    (void)r;
    free(ctx);
    reading.done(reading.ctx, err);
}

void task_store_revoke(struct task_store *store, struct base_sv user_id, task_done_fn fn, void *ctx)
{
    if (!ask_text(store, "revoke", user_id, &(struct reading){.done = fn, .ctx = ctx}, on_done))
        fn(ctx, BASE_NO_MEMORY);
}

void task_store_set_feed(struct task_store *store, struct base_sv user_id, struct base_sv digest,
                         task_done_fn fn, void *ctx)
{
    struct pg_params *params;
    bool asked = false;
    if (pg_params_new(PARAMS_MAX, &params) == BASE_OK) {
        pg_add_text(params, user_id);
        pg_add_text(params, digest);
        asked = ask(store, "feed_set", params, &(struct reading){.done = fn, .ctx = ctx}, on_done);
    }
    if (!asked)
        fn(ctx, BASE_NO_MEMORY);
}

static void on_feed(void *ctx, enum base_err err, const PGresult *r)
{
    struct reading reading = *(struct reading *)ctx;
    free(ctx);
    if (err == BASE_OK && PQntuples(r) == 0)
        err = BASE_NOT_FOUND;
    reading.feed(reading.ctx, err, err == BASE_OK ? pg_text(r, 0, 0) : SV_NULL);
}

void task_store_feed(struct task_store *store, struct base_sv digest, task_feed_fn fn, void *ctx)
{
    if (!ask_text(store, "feed_get", digest, &(struct reading){.feed = fn, .ctx = ctx}, on_feed))
        fn(ctx, BASE_NO_MEMORY, SV_NULL);
}

static void on_progress(void *ctx, enum base_err err, const PGresult *r)
{
    struct reading reading = *(struct reading *)ctx;
    free(ctx);
    if (err == BASE_OK && pg_int(r, 0, 0) == 0)
        err = BASE_NOT_FOUND;
    bool ok = err == BASE_OK;
    reading.progress(reading.ctx, err, ok ? pg_int(r, 0, 1) : 0, ok ? pg_int(r, 0, 2) : 0);
}

void task_store_import_progress(struct task_store *store, struct base_sv user_id,
                                struct base_sv name, task_progress_fn fn, void *ctx)
{
    struct pg_params *params;
    bool asked = false;
    if (pg_params_new(PARAMS_MAX, &params) == BASE_OK) {
        pg_add_text(params, user_id);
        pg_add_text(params, name);
        asked = ask(store, "import_progress", params, &(struct reading){.progress = fn, .ctx = ctx},
                    on_progress);
    }
    if (!asked)
        fn(ctx, BASE_NO_MEMORY, 0, 0);
}
