/* SPDX-License-Identifier: Apache-2.0 */
/* Matching, tokens, and the shape of answers. */
#include "gateway/http/router.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bridge/bus/dapr.h"
#include "gateway/http/files.h"
#include "gateway/http/gzip.h"
#include "gateway/hub/hub.h"
#include "gateway/keyring.h"
#include "gateway/link/link.h"
#include "lib/base/json.h"
#include "lib/base/log.h"

enum access { USER, OPEN, INTERNAL };
enum {
    PROBLEM_MAX = 8192,
    HEADERS_MAX = 24,
    GZIP_FROM = 1024,
    LIST_MAX = 128,
    IMPORT_MAX = 64 * 1024 * 1024
};

static const struct route {
    struct base_sv method;
    struct base_sv path;
    void (*handle)(struct gw_call *call);
    enum access access;
} routes[] = {
#define X(method, path, handler, access)                                                           \
    {{#method, sizeof(#method) - 1}, {path, sizeof(path) - 1}, handler, access},
#include "gateway/http/routes.def"
#undef X
};

/* An answer's headers while they are gathered. */
struct heads {
    struct net_header list[HEADERS_MAX];
    size_t count;
};

static void add(struct heads *heads, struct base_sv name, struct base_sv value)
{
    if (heads->count < HEADERS_MAX)
        heads->list[heads->count++] = (struct net_header){name, value};
}

static bool origin_allowed(const struct gw_shared *shared, struct base_sv origin)
{
    for (size_t i = 0; origin.len && i < shared->origin_count; i++)
        if (base_sv_eq(shared->origins[i], origin) || base_sv_eq_c(shared->origins[i], "*"))
            return true;
    return false;
}

/* CORS (Fetch standard): the origins that may open WebSockets may also read answers. No cookies are
 * used, so credentials are never allowed. */
static void add_cors(struct heads *heads, const struct gw_call *call)
{
    struct base_sv origin = net_request_header(call->req, SV("origin"));
    add(heads, SV("Vary"), SV("Origin, Accept-Encoding"));
    if (!origin_allowed(call->worker->shared, origin))
        return;
    add(heads, SV("Access-Control-Allow-Origin"), origin);
    add(heads, SV("Access-Control-Expose-Headers"),
        SV("ETag, Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After"));
}

static bool takes_gzip(const struct gw_call *call, struct base_sv body)
{
    struct base_sv accepts = net_request_header(call->req, SV("accept-encoding"));
    return body.len >= GZIP_FROM && accepts.len && memmem(accepts.ptr, accepts.len, "gzip", 4);
}

void gw_call_typed(struct gw_call *call, int status, const char *type, struct base_sv body,
                   const struct net_header *headers, size_t count)
{
    struct heads heads = {0};
    struct base_buf packed;
    char policy[48];
    char left[48];
    bool cached = false;
    add(&heads, SV("X-Content-Type-Options"), SV("nosniff"));
    add(&heads, SV("Referrer-Policy"), SV("no-referrer"));
    add(&heads, SV("X-Frame-Options"), SV("DENY"));
    if (call->worker->shared->config->tls_certificate[0])
        add(&heads, SV("Strict-Transport-Security"), SV("max-age=31536000"));
    if (body.len)
        add(&heads, SV("Content-Type"), base_sv_from(type));
    add_cors(&heads, call);
    if (call->rate_left >= 0) {
        int64_t quota = call->worker->shared->config->user_rate;
        (void)snprintf(policy, sizeof(policy), "\"user\";q=%" PRId64 ";w=60", quota);
        (void)snprintf(left, sizeof(left), "\"user\";r=%" PRId64 ";t=%" PRId64, call->rate_left,
                       call->rate_full_s);
        add(&heads, SV("RateLimit-Policy"), base_sv_from(policy));
        add(&heads, SV("RateLimit"), base_sv_from(left));
    }
    for (size_t i = 0; i < count; i++) {
        cached = cached || base_sv_eq_c(headers[i].name, "Cache-Control");
        add(&heads, headers[i].name, headers[i].value);
    }
    if (!cached)
        add(&heads, SV("Cache-Control"), SV("no-store"));
    base_buf_init(&packed, body.len + 1024);
    if (takes_gzip(call, body) && gw_gzip(body, &packed)) {
        add(&heads, SV("Content-Encoding"), SV("gzip"));
        body = base_buf_sv(&packed);
    }
    net_respond(call->req, status, heads.list, heads.count, body);
    base_buf_done(&packed);
}

void gw_call_json(struct gw_call *call, int status, struct base_sv body,
                  const struct net_header *headers, size_t count)
{
    gw_call_typed(call, status, "application/json", body, headers, count);
}

void gw_call_text(struct gw_call *call, int status, const char *type, struct base_sv body)
{
    gw_call_typed(call, status, type, body, NULL, 0);
}

/* RFC 9110 13.1.2: a list of tags, or "*"; the weak comparison. */
static bool has_tag(struct base_sv list, struct base_sv etag)
{
    while (list.ptr) {
        struct base_sv tag = base_sv_trim(base_sv_split(&list, ','));
        if (base_sv_starts(tag, SV("W/")))
            tag = base_sv_sub(tag, 2, tag.len);
        if (base_sv_eq(tag, etag) || base_sv_eq_c(tag, "*"))
            return true;
    }
    return false;
}

void gw_call_cached(struct gw_call *call, const char *etag, struct base_sv body)
{
    const struct net_header headers[] = {{SV("ETag"), base_sv_from(etag)},
                                         {SV("Cache-Control"), SV("private, no-cache")}};
    if (has_tag(net_request_header(call->req, SV("if-none-match")), base_sv_from(etag)))
        gw_call_json(call, 304, SV_NULL, headers, 2);
    else
        gw_call_json(call, 200, body, headers, 2);
}

void gw_problem_json(struct base_buf *buf, enum base_err err, const char *field, const char *detail)
{
    char text[128];
    (void)snprintf(text, sizeof(text), "/problems/%s", base_err_code(err));
    base_json_open(buf, '{');
    base_json_kv_str(buf, "type", base_sv_from(text));
    base_json_kv_str(buf, "title", base_sv_from(base_err_text(err)));
    base_json_kv_int(buf, "status", base_err_http(err));
    base_json_kv_str(buf, "detail", base_sv_from(detail ? detail : base_err_text(err)));
    if (field) {
        (void)snprintf(text, sizeof(text), "/%s", field);
        base_json_kv_str(buf, "pointer", base_sv_from(text));
    }
    base_json_close(buf, '}');
}

void gw_call_problem(struct gw_call *call, enum base_err err, const char *field, const char *detail)
{
    struct base_buf buf;
    int status = base_err_http(err);
    base_buf_init(&buf, PROBLEM_MAX);
    gw_problem_json(&buf, err, field, detail);
    const struct net_header challenge = {SV("WWW-Authenticate"), SV("Bearer realm=\"todo\"")};
    const struct net_header later = {SV("Retry-After"), SV("1")};
    bool wait = status == 503 || status == 429;
    gw_call_typed(call, status, "application/problem+json", base_buf_sv(&buf),
                  status == 401 ? &challenge : &later, status == 401 || wait);
    base_buf_done(&buf);
}

struct gw_call *gw_call_later(const struct gw_call *call)
{
    struct gw_call *copy = malloc(sizeof(*copy));
    if (!copy) {
        struct gw_call now = *call;
        gw_call_problem(&now, BASE_NO_MEMORY, NULL, NULL);
        return NULL;
    }
    *copy = *call;
    copy->user_id = base_sv(copy->user_text, call->user_id.len);
    return copy;
}

/* Segment by segment; {id} takes one that is not empty. */
static bool matches(struct base_sv pattern, struct base_sv path, struct base_sv *ret_id)
{
    while (pattern.ptr && path.ptr) {
        struct base_sv want = base_sv_split(&pattern, '/');
        struct base_sv have = base_sv_split(&path, '/');
        if (base_sv_eq_c(want, "{id}") && have.len)
            *ret_id = have;
        else if (!base_sv_eq(want, have))
            return false;
    }
    return !pattern.ptr && !path.ptr;
}

static enum base_err verify(const struct gw_worker *worker, const struct net_request *req,
                            struct auth_claims *ret_claims, const char **ret_why)
{
    struct base_sv token = net_request_header(req, SV("authorization"));
    bool bearer = token.len > 7 && base_sv_eq_i(base_sv_sub(token, 0, 7), SV("bearer "));
    token = bearer ? base_sv_trim(base_sv_sub(token, 7, token.len)) : SV_NULL;
    return auth_verify(gw_keys_of(worker->keys), &worker->shared->policy, token, gw_now_us(worker),
                       ret_claims, ret_why);
}

static bool authenticate(struct gw_call *call)
{
    struct auth_claims claims;
    const char *why;
    enum base_err err = verify(call->worker, call->req, &claims, &why);
    if (err != BASE_OK) {
        LOG_INFO("http.refused", LOG_ERR(err), LOG_STR("why", why),
                 LOG_SV("remote", net_request_remote(call->req)));
        gw_call_problem(call, err, NULL, NULL);
        return false;
    }
    memcpy(call->user_text, claims.subject, sizeof(call->user_text));
    call->user_id = base_sv_from(call->user_text);
    call->token_us = claims.issued_us;
    return true;
}

size_t gw_router_body_limit(void *ctx, const struct net_request *req)
{
    struct gw_worker *worker = ctx;
    struct auth_claims claims;
    const char *why;
    if (!base_sv_eq_c(net_request_path(req), "/api/v1/import") ||
        verify(worker, req, &claims, &why) != BASE_OK)
        return 0;
    return IMPORT_MAX;
}

static bool is_sidecars(const struct net_request *req)
{
    return base_sv_starts(net_request_path(req), SV("/dapr/"));
}

size_t gw_router_internal_limit(void *ctx, const struct net_request *req)
{
    const struct gw_worker *worker = ctx;
    if (!is_sidecars(req))
        return gw_router_body_limit(ctx, req);
    return worker->shared->config->bus == BUS_KIND_DAPR &&
                   dapr_from_sidecar(&worker->shared->dapr, req)
               ? bus_dapr_body_limit()
               : 0;
}

/* What a path can do: Allow of RFC 9110 10.2.1. False: there is nothing there. */
static bool list_methods(struct base_sv path, bool internal, struct base_buf *methods)
{
    struct base_sv id;
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        bool here = internal ? routes[i].access != OPEN : routes[i].access != INTERNAL;
        if (!here || !matches(routes[i].path, path, &id))
            continue;
        if (methods->len)
            base_buf_add_c(methods, ", ");
        base_buf_add(methods, routes[i].method);
        if (base_sv_eq_c(routes[i].method, "GET"))
            base_buf_add_c(methods, ", HEAD");
    }
    if (methods->len == 0)
        return false;
    base_buf_add_c(methods, ", OPTIONS");
    return true;
}

/* OPTIONS, which is also what a browser asks before a call from another origin; no token needed. */
static void answer_options(struct gw_call *call, struct base_sv methods)
{
    struct net_header headers[4] = {{SV("Allow"), methods}};
    size_t count = 1;
    if (origin_allowed(call->worker->shared, net_request_header(call->req, SV("origin")))) {
        headers[count++] = (struct net_header){SV("Access-Control-Allow-Methods"), methods};
        headers[count++] = (struct net_header){
            SV("Access-Control-Allow-Headers"),
            SV("Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, Prefer, "
               "traceparent")};
        headers[count++] = (struct net_header){SV("Access-Control-Max-Age"), SV("7200")};
    }
    gw_call_json(call, 204, SV_NULL, headers, count);
}

/* The path is known, the method is not among its own. */
static void answer_other_method(struct gw_call *call, struct base_sv method, bool internal)
{
    struct base_buf methods;
    base_buf_init(&methods, LIST_MAX);
    (void)list_methods(net_request_path(call->req), internal, &methods);
    if (base_sv_eq_c(method, "OPTIONS")) {
        answer_options(call, base_buf_sv(&methods));
    } else {
        struct base_buf body;
        const struct net_header allow = {SV("Allow"), base_buf_sv(&methods)};
        base_buf_init(&body, PROBLEM_MAX);
        gw_problem_json(&body, BASE_METHOD, NULL, NULL);
        gw_call_typed(call, 405, "application/problem+json", base_buf_sv(&body), &allow, 1);
        base_buf_done(&body);
    }
    base_buf_done(&methods);
}

/* One request of the user's quota; answered if none is left. */
static bool within_rate(struct gw_call *call)
{
    struct gw_user *user = gw_hub_user(call->worker->hub, call->user_id);
    int64_t quota = call->worker->shared->config->user_rate;
    if (!user || quota == 0) {
        gw_user_unref(user);
        return true; /* a handler says that there is no memory */
    }
    bool passes =
        gw_rate_take(&user->rate, quota, base_monotonic_us(), &call->rate_left, &call->rate_full_s);
    gw_user_unref(user);
    if (!passes)
        gw_call_problem(call, BASE_RATE_LIMITED, NULL,
                        "this user's requests of a minute are used up");
    return passes;
}

/* A user's request on the internal listener has come through a sidecar, by service invocation. */
static bool vouched_for(struct gw_call *call, bool internal)
{
    if (!internal || dapr_from_sidecar(&call->worker->shared->dapr, call->req))
        return true;
    gw_call_problem(call, BASE_UNAUTHENTICATED, NULL,
                    "the app's token is needed as well: dapr-api-token");
    return false;
}

static void dispatch(struct gw_worker *worker, struct net_request *req, bool internal)
{
    struct gw_call call = {.worker = worker, .req = req, .rate_left = -1};
    struct base_sv path = net_request_path(req);
    struct base_sv method = net_request_method(req);
    struct base_sv asked = base_sv_eq_c(method, "HEAD") ? SV("GET") : method;
    bool known = false;
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        bool here = internal ? routes[i].access != OPEN : routes[i].access != INTERNAL;
        if (!here || !matches(routes[i].path, path, &call.id))
            continue;
        known = true;
        if (!base_sv_eq(routes[i].method, asked))
            continue;
        if (routes[i].access != USER ||
            (vouched_for(&call, internal) && authenticate(&call) && within_rate(&call)))
            routes[i].handle(&call);
        return;
    }
    if (known)
        answer_other_method(&call, method, internal);
    else if (internal || !base_sv_eq_c(asked, "GET") || !gw_files_serve(worker->shared->files, req))
        gw_call_problem(&call, BASE_NOT_FOUND, NULL, "there is nothing at this address");
}

void gw_router_request(void *ctx, struct net_request *req)
{
    dispatch(ctx, req, false);
}

void gw_router_internal(void *ctx, struct net_request *req)
{
    if (is_sidecars(req))
        gw_link_serve(req);
    else
        dispatch(ctx, req, true);
}
