/* SPDX-License-Identifier: Apache-2.0 */
/* Matching, tokens, and the shape of answers. */
#include "gateway/http/router.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/http/files.h"
#include "lib/base/json.h"
#include "lib/base/log.h"

enum access { USER, OPEN, INTERNAL };
enum { PROBLEM_MAX = 8192, HEADERS_MAX = 16, SECURITY = 3 };

static const struct {
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

static void respond(struct gw_call *call, int status, const char *type,
                    const struct net_header *more, size_t count, struct base_sv body)
{
    struct net_header headers[HEADERS_MAX] = {
        {SV("X-Content-Type-Options"), SV("nosniff")}, {SV("Referrer-Policy"), SV("no-referrer")},
        {SV("X-Frame-Options"), SV("DENY")},           {SV("Cache-Control"), SV("no-store")},
        {SV("Content-Type"), base_sv_from(type)},
    };
    size_t n = 5;
    for (size_t i = 0; i < count && n < HEADERS_MAX; i++)
        headers[n++] = more[i];
    net_respond(call->req, status, headers, n, body);
}

void gw_call_json(struct gw_call *call, int status, struct base_sv body,
                  const struct net_header *headers, size_t count)
{
    respond(call, status, "application/json", headers, count, body);
}

void gw_call_text(struct gw_call *call, int status, const char *type, struct base_sv body)
{
    respond(call, status, type, NULL, 0, body);
}

void gw_call_problem(struct gw_call *call, enum base_err err, const char *field, const char *detail)
{
    struct base_buf buf;
    char text[128];
    int status = base_err_http(err);
    base_buf_init(&buf, PROBLEM_MAX);
    (void)snprintf(text, sizeof(text), "/problems/%s", base_err_code(err));
    base_json_open(&buf, '{');
    base_json_kv_str(&buf, "type", base_sv_from(text));
    base_json_kv_str(&buf, "title", base_sv_from(base_err_text(err)));
    base_json_kv_int(&buf, "status", status);
    base_json_kv_str(&buf, "detail", base_sv_from(detail ? detail : base_err_text(err)));
    if (field) {
        (void)snprintf(text, sizeof(text), "/%s", field);
        base_json_kv_str(&buf, "pointer", base_sv_from(text));
    }
    base_json_close(&buf, '}');
    const struct net_header challenge = {SV("WWW-Authenticate"), SV("Bearer realm=\"todo\"")};
    const struct net_header later = {SV("Retry-After"), SV("1")};
    bool wait = status == 503 || status == 429;
    respond(call, status, "application/problem+json", status == 401 ? &challenge : &later,
            status == 401 || wait, base_buf_sv(&buf));
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

static bool authenticate(struct gw_call *call)
{
    const struct gw_shared *shared = call->worker->shared;
    struct auth_claims claims;
    const char *why;
    struct base_sv token = net_request_header(call->req, SV("authorization"));
    bool bearer = token.len > 7 && base_sv_eq_i(base_sv_sub(token, 0, 7), SV("bearer "));
    token = bearer ? base_sv_trim(base_sv_sub(token, 7, token.len)) : SV_NULL;
    enum base_err err =
        auth_verify(shared->keys, &shared->policy, token, gw_now_us(call->worker), &claims, &why);
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

static void dispatch(struct gw_worker *worker, struct net_request *req, bool internal)
{
    struct gw_call call = {.worker = worker, .req = req};
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
        if (routes[i].access != USER || authenticate(&call))
            routes[i].handle(&call);
        return;
    }
    if (known)
        gw_call_problem(&call, BASE_METHOD, NULL, NULL);
    else if (internal || !base_sv_eq_c(asked, "GET") || !gw_files_serve(worker->shared->files, req))
        gw_call_problem(&call, BASE_NOT_FOUND, NULL, "there is nothing at this address");
}

void gw_router_request(void *ctx, struct net_request *req)
{
    dispatch(ctx, req, false);
}

void gw_router_internal(void *ctx, struct net_request *req)
{
    dispatch(ctx, req, true);
}
