/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "gateway/state/state.h"

struct in_database {
    struct gw_state base;
    struct task_store *store;
};

struct reading {
    gw_state_get_fn fn;
    void *ctx;
};

static void state_free(struct gw_state *base)
{
    free(base);
}

static void on_value(void *ctx, enum base_err err, struct base_sv value, int64_t etag)
{
    struct reading reading = *(struct reading *)ctx;
    char text[24] = "";
    struct base_buf digits = {.data = text, .cap = sizeof(text), .max = sizeof(text) - 1};
    free(ctx);
    if (err == BASE_OK)
        base_buf_add_int(&digits, etag);
    reading.fn(reading.ctx, err, value, base_buf_sv(&digits));
}

static void state_get(struct gw_state *base, struct base_sv key, gw_state_get_fn fn, void *ctx)
{
    struct in_database *state = (struct in_database *)base;
    struct reading *reading = malloc(sizeof(*reading));
    if (!reading) {
        fn(ctx, BASE_NO_MEMORY, SV_NULL, SV_NULL);
        return;
    }
    *reading = (struct reading){fn, ctx};
    task_store_shared_get(state->store, key, on_value, reading);
}

static void state_put(struct gw_state *base, struct base_sv key, struct base_sv value,
                      struct base_sv etag, int32_t ttl_s, gw_state_done_fn fn, void *ctx)
{
    struct in_database *state = (struct in_database *)base;
    int64_t number = 0;
    if (etag.len && !base_sv_int64(etag, &number))
        fn(ctx, BASE_STALE);
    else
        task_store_shared_put(state->store, key, value, number, ttl_s, fn, ctx);
}

static void state_remove(struct gw_state *base, struct base_sv key, struct base_sv etag,
                         gw_state_done_fn fn, void *ctx)
{
    struct in_database *state = (struct in_database *)base;
    int64_t number;
    if (!base_sv_int64(etag, &number))
        fn(ctx, BASE_STALE);
    else
        task_store_shared_remove(state->store, key, number, fn, ctx);
}

static const struct gw_state_vtable vtable = {
    .free = state_free, .get = state_get, .put = state_put, .remove = state_remove};

enum base_err gw_state_in_database(struct task_store *store, struct gw_state **ret_state)
{
    struct in_database *state = calloc(1, sizeof(*state));
    if (!state)
        return BASE_NO_MEMORY;
    *state = (struct in_database){.base.vtable = &vtable, .store = store};
    *ret_state = &state->base;
    return BASE_OK;
}
