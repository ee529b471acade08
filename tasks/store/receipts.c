/* SPDX-License-Identifier: Apache-2.0 */
#include "tasks/store/receipts.h"

#include <stdlib.h>

#include "tasks/store/store_private.h"

enum { PARAMS_MAX = 256 * 1024 };

const struct pg_statement store_receipt_statements[STORE_RECEIPT_STATEMENTS] = {
    {"receipts",
     "SELECT reminder_id,occurrence,repeat,state,due_at,held_until,fired_at,published_at,"
     "delivered_at,acked_at FROM receipt WHERE task_id=$2::uuid AND user_id=$1::text"
     " UNION ALL SELECT reminder_id,occurrence,repeat,0::int2,coalesce(held_from,fire_at),"
     "CASE WHEN held_from IS NOT NULL THEN fire_at END,NULL,NULL,NULL,NULL"
     " FROM reminder_fire WHERE task_id=$2 AND user_id=$1"
     " ORDER BY due_at DESC,repeat DESC LIMIT 50"},
    {"receipts_delivered",
     "UPDATE receipt r SET delivered_at=x.at FROM unnest($1::uuid[],$2::timestamptz[]) AS x(id,at)"
     " WHERE r.event_id=x.id AND r.event_id=ANY($1::uuid[]) AND r.delivered_at IS NULL"},
};

struct reading {
    struct base_arena *arena;
    task_receipts_fn fn;
    void *ctx;
};

static int64_t time_or_0(const PGresult *r, int row, int column)
{
    return pg_is_null(r, row, column) ? 0 : pg_time_us(r, row, column);
}

static void on_receipts(void *ctx, enum base_err err, const PGresult *r)
{
    struct reading reading = *(struct reading *)ctx;
    free(ctx);
    struct task_receipt *receipts = NULL;
    size_t count = err == BASE_OK ? (size_t)PQntuples(r) : 0;
    if (count) {
        receipts = base_arena_array(reading.arena, count, sizeof(*receipts));
        if (!receipts) {
            err = BASE_NO_MEMORY;
            count = 0;
        }
    }
    for (int i = 0; i < (int)count; i++)
        receipts[i] = (struct task_receipt){.reminder = pg_id(r, i, 0),
                                            .occurrence = (int32_t)pg_int(r, i, 1),
                                            .repeat = (int32_t)pg_int(r, i, 2),
                                            .state = (enum task_receipt_state)pg_int(r, i, 3),
                                            .due_us = pg_time_us(r, i, 4),
                                            .held_until_us = time_or_0(r, i, 5),
                                            .fired_us = time_or_0(r, i, 6),
                                            .published_us = time_or_0(r, i, 7),
                                            .delivered_us = time_or_0(r, i, 8),
                                            .acked_us = time_or_0(r, i, 9)};
    reading.fn(reading.ctx, err, receipts, count);
}

void task_store_receipts(struct task_store *store, struct base_sv user_id, struct base_id task,
                         struct base_arena *arena, task_receipts_fn fn, void *ctx)
{
    struct reading *reading = malloc(sizeof(*reading));
    struct pg_params *params = NULL;
    if (!reading || pg_params_new(PARAMS_MAX, &params) != BASE_OK) {
        free(reading);
        fn(ctx, BASE_NO_MEMORY, NULL, 0);
        return;
    }
    *reading = (struct reading){arena, fn, ctx};
    pg_add_text(params, user_id);
    pg_add_id(params, task);
    store_request(store, "receipts", params, on_receipts, reading);
}

static void ignore(void *ctx, enum base_err err, const PGresult *result)
{
    (void)ctx;
    (void)err;
    (void)result;
}

void task_store_delivered(struct task_store *store, const struct task_delivery *deliveries,
                          size_t count)
{
    struct pg_params *params = NULL;
    if (pg_params_new(PARAMS_MAX, &params) != BASE_OK)
        return;
    pg_array_begin(params, PG_UUID);
    for (size_t i = 0; i < count; i++)
        pg_array_id(params, deliveries[i].event);
    pg_array_end(params);
    pg_array_begin(params, PG_TIMESTAMPTZ);
    for (size_t i = 0; i < count; i++)
        pg_array_time(params, deliveries[i].at_us);
    pg_array_end(params);
    store_request(store, "receipts_delivered", params, ignore, NULL);
}
