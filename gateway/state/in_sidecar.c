/* SPDX-License-Identifier: Apache-2.0 */
/* Dapr's state API (https://docs.dapr.io/reference/api/state_api/). Reading goes by the bulk call,
 * whose answer has the etag in its body. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/state/state.h"
#include "lib/base/json.h"
#include "lib/base/log.h"

enum {
    CALL_MS = 10000,
    PATH_MAX_BYTES = 512,
    BODY_MAX = 2 * GW_STATE_VALUE_MAX,
    COMPONENT_MAX = 100
};

struct in_sidecar {
    struct gw_state base;
    struct dapr_client *client;
    char component[COMPONENT_MAX + 1];
};

struct request {
    gw_state_get_fn get;
    gw_state_done_fn done;
    void *ctx;
};

static void state_get(struct gw_state *base, struct base_sv key, gw_state_get_fn fn, void *ctx);

static void state_free(struct gw_state *base)
{
    struct in_sidecar *state = (struct in_sidecar *)base;
    dapr_client_free(state->client);
    free(state);
}

static void finish(struct request *request, enum base_err err, struct base_sv value,
                   struct base_sv etag)
{
    struct request copy = *request;
    free(request);
    if (copy.get)
        copy.get(copy.ctx, err, value, etag);
    else
        copy.done(copy.ctx, err);
}

/* A write with an etag that is not the last one is answered 409; but see on_added. */
static enum base_err err_of(int status, const char *why, struct base_sv body)
{
    if (status >= 200 && status < 300)
        return BASE_OK;
    if (status == 409)
        return BASE_STALE;
    LOG_WARN("state.failed", LOG_INT("status", status),
             LOG_SV("why", status ? base_sv_sub(body, 0, 300) : base_sv_from(why)));
    return BASE_UNAVAILABLE;
}

static void on_written(void *ctx, int status, const char *why, struct base_sv body)
{
    finish(ctx, err_of(status, why, body), SV_NULL, SV_NULL);
}

static void on_read(void *ctx, int status, const char *why, struct base_sv body)
{
    enum base_err err = err_of(status, why, body);
    json_t *root = err == BASE_OK && body.len ? json_loadb(body.ptr, body.len, 0, NULL) : NULL;
    const json_t *item = json_array_get(root, 0);
    const json_t *data = json_object_get(item, "data");
    const json_t *etag = json_object_get(item, "etag");
    if (err == BASE_OK && !json_is_object(item))
        err = BASE_UNAVAILABLE;
    else if (err == BASE_OK && (!json_is_string(data) || !json_is_string(etag)))
        err = json_object_get(item, "error") ? BASE_UNAVAILABLE : BASE_NOT_FOUND;
    finish(ctx, err, base_sv(json_string_value(data), json_string_length(data)),
           base_sv(json_string_value(etag), json_string_length(etag)));
    json_decref(root);
}

static void ask(struct in_sidecar *state, const struct dapr_call *call, struct request request,
                net_client_fn fn)
{
    struct request *copy = malloc(sizeof(*copy));
    enum base_err err = copy ? BASE_OK : BASE_NO_MEMORY;
    if (copy) {
        *copy = request;
        err = dapr_client_call(state->client, call, fn, copy);
    }
    if (err == BASE_OK)
        return;
    free(copy);
    if (request.get)
        request.get(request.ctx, err, SV_NULL, SV_NULL);
    else
        request.done(request.ctx, err);
}

static void state_get(struct gw_state *base, struct base_sv key, gw_state_get_fn fn, void *ctx)
{
    struct in_sidecar *state = (struct in_sidecar *)base;
    char path[PATH_MAX_BYTES];
    struct base_buf body;
    (void)snprintf(path, sizeof(path), "/v1.0/state/%s/bulk", state->component);
    base_buf_init(&body, BODY_MAX);
    base_json_open(&body, '{');
    base_json_key(&body, "keys");
    base_json_open(&body, '[');
    base_json_str(&body, key);
    base_json_close(&body, ']');
    base_json_close(&body, '}');
    ask(state,
        &(struct dapr_call){
            .method = "POST", .path = path, .body = base_buf_sv(&body), .answer_max = BODY_MAX},
        (struct request){.get = fn, .ctx = ctx}, on_read);
    base_buf_done(&body);
}

/* One without an etag, of a key that is there already, is answered 500 by some stores (PostgreSQL's
 * among them), as is any other failure: looking tells them apart. */
struct adding {
    struct in_sidecar *state;
    gw_state_done_fn done;
    void *ctx;
    char key[GW_STATE_KEY_MAX + 1];
};

static void on_looked(void *ctx, enum base_err err, struct base_sv value, struct base_sv etag)
{
    struct adding adding = *(struct adding *)ctx;
    (void)value;
    (void)etag;
    free(ctx);
    adding.done(adding.ctx, err == BASE_OK ? BASE_STALE : BASE_UNAVAILABLE);
}

static void on_added(void *ctx, enum base_err err)
{
    struct adding *adding = ctx;
    if (err == BASE_UNAVAILABLE) {
        state_get(&adding->state->base, base_sv_from(adding->key), on_looked, adding);
        return;
    }
    adding->done(adding->ctx, err);
    free(adding);
}

static void state_put(struct gw_state *base, struct base_sv key, struct base_sv value,
                      struct base_sv etag, int32_t ttl_s, gw_state_done_fn fn, void *ctx)
{
    struct in_sidecar *state = (struct in_sidecar *)base;
    char path[PATH_MAX_BYTES];
    char ttl[16];
    struct base_buf body;
    if (!etag.len) {
        struct adding *adding = calloc(1, sizeof(*adding));
        if (!adding || !base_sv_cstr(key, adding->key, sizeof(adding->key))) {
            free(adding);
            fn(ctx, BASE_NO_MEMORY);
            return;
        }
        adding->state = state;
        adding->done = fn;
        adding->ctx = ctx;
        fn = on_added;
        ctx = adding;
    }
    (void)snprintf(path, sizeof(path), "/v1.0/state/%s", state->component);
    (void)snprintf(ttl, sizeof(ttl), "%d", ttl_s);
    base_buf_init(&body, BODY_MAX);
    base_json_open(&body, '[');
    base_json_open(&body, '{');
    base_json_kv_str(&body, "key", key);
    base_json_kv_str(&body, "value", value);
    base_json_kv_opt(&body, "etag", etag);
    base_json_kv_raw(&body, "options",
                     SV("{\"concurrency\":\"first-write\",\"consistency\":\"strong\"}"));
    base_json_key(&body, "metadata");
    base_json_open(&body, '{');
    base_json_kv_str(&body, "ttlInSeconds", base_sv_from(ttl));
    base_json_close(&body, '}');
    base_json_close(&body, '}');
    base_json_close(&body, ']');
    if (base_buf_ok(&body))
        ask(state,
            &(struct dapr_call){
                .method = "POST", .path = path, .body = base_buf_sv(&body), .answer_max = BODY_MAX},
            (struct request){.done = fn, .ctx = ctx}, on_written);
    else
        fn(ctx, BASE_TOO_LARGE);
    base_buf_done(&body);
}

static void state_remove(struct gw_state *base, struct base_sv key, struct base_sv etag,
                         gw_state_done_fn fn, void *ctx)
{
    struct in_sidecar *state = (struct in_sidecar *)base;
    char path[PATH_MAX_BYTES];
    char match[128];
    (void)snprintf(path, sizeof(path), "/v1.0/state/%s/%.*s?concurrency=first-write",
                   state->component, SV_FMT(base_sv_sub(key, 0, GW_STATE_KEY_MAX)));
    (void)snprintf(match, sizeof(match), "If-Match: %.*s", SV_FMT(base_sv_sub(etag, 0, 100)));
    ask(state,
        &(struct dapr_call){
            .method = "DELETE", .path = path, .header = match, .answer_max = BODY_MAX},
        (struct request){.done = fn, .ctx = ctx}, on_written);
}

static const struct gw_state_vtable vtable = {
    .free = state_free, .get = state_get, .put = state_put, .remove = state_remove};

enum base_err gw_state_in_sidecar(const struct dapr_settings *settings, struct base_loop *loop,
                                  const char *component, struct gw_state **ret_state)
{
    struct in_sidecar *state = calloc(1, sizeof(*state));
    if (!state)
        return BASE_NO_MEMORY;
    state->base.vtable = &vtable;
    enum base_err err =
        base_sv_cstr(base_sv_from(component), state->component, sizeof(state->component))
            ? dapr_client_new(settings, loop, CALL_MS, &state->client)
            : BASE_INVALID;
    if (err != BASE_OK) {
        free(state);
        return err;
    }
    *ret_state = &state->base;
    return BASE_OK;
}
