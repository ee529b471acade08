/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State that all gateways share for a while: sign-in codes. Values are short texts, each with an
 * etag that changes with every write and an end. The first write wins: who writes or removes says
 * which etag was seen, and STALE tells that somebody was faster; get it anew and decide again.
 *
 * Kept in PostgreSQL (in_database.c), or where the bus is dapr in the sidecar's state store
 * (in_sidecar.c). A dialogue's state is not here: it is committed with the turn it belongs to.
 * Everything belongs to the worker's thread.
 */
#ifndef GATEWAY_STATE_STATE_H
#define GATEWAY_STATE_STATE_H

#include "lib/dapr/sidecar.h"
#include "tasks/store/shared.h"

enum { GW_STATE_KEY_MAX = 128, GW_STATE_VALUE_MAX = 64 * 1024 };

/* Valid during the callback. NOT_FOUND: there is none, or its time is over. */
typedef void (*gw_state_get_fn)(void *ctx, enum base_err err, struct base_sv value,
                                struct base_sv etag);
typedef void (*gw_state_done_fn)(void *ctx, enum base_err err);

struct gw_state;

struct gw_state_vtable {
    void (*free)(struct gw_state *state);
    void (*get)(struct gw_state *state, struct base_sv key, gw_state_get_fn fn, void *ctx);
    void (*put)(struct gw_state *state, struct base_sv key, struct base_sv value,
                struct base_sv etag, int32_t ttl_s, gw_state_done_fn fn, void *ctx);
    void (*remove)(struct gw_state *state, struct base_sv key, struct base_sv etag,
                   gw_state_done_fn fn, void *ctx);
};

struct gw_state {
    const struct gw_state_vtable *vtable;
};

BASE_MUST_CHECK enum base_err gw_state_in_database(struct task_store *store,
                                                   struct gw_state **ret_state);
/* component: the name of the state store. */
BASE_MUST_CHECK enum base_err gw_state_in_sidecar(const struct dapr_settings *settings,
                                                  struct base_loop *loop, const char *component,
                                                  struct gw_state **ret_state);

/* Calls under way end with UNAVAILABLE, or with the store. NULL is fine. */
static inline void gw_state_free(struct gw_state *state)
{
    if (state)
        state->vtable->free(state);
}

/* Keys: 1 to GW_STATE_KEY_MAX of a-z 0-9 - _. fn is called once, perhaps from inside the call. */
static inline void gw_state_get(struct gw_state *state, struct base_sv key, gw_state_get_fn fn,
                                void *ctx)
{
    state->vtable->get(state, key, fn, ctx);
}

/* etag: of what is replaced; empty: there must be none yet. */
static inline void gw_state_put(struct gw_state *state, struct base_sv key, struct base_sv value,
                                struct base_sv etag, int32_t ttl_s, gw_state_done_fn fn, void *ctx)
{
    state->vtable->put(state, key, value, etag, ttl_s, fn, ctx);
}

static inline void gw_state_remove(struct gw_state *state, struct base_sv key, struct base_sv etag,
                                   gw_state_done_fn fn, void *ctx)
{
    state->vtable->remove(state, key, etag, fn, ctx);
}

#endif
