/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP: from a request to its handler, by a table; and what handlers share for answering. */
#ifndef GATEWAY_HTTP_ROUTER_H
#define GATEWAY_HTTP_ROUTER_H

#include "gateway/worker.h"

/* One request on its way through a handler. Views live until it is answered. */
struct gw_call {
    struct gw_worker *worker;
    struct net_request *req;
    struct base_sv user_id; /* of routes that need a token */
    char user_text[129];
    int64_t rate_left; /* requests the user still has, and when all are there again; -1: no limit */
    int64_t rate_full_s;
    int64_t token_us;  /* when the token was issued */
    struct base_sv id; /* the path's {id} */
};

/* For net_server_handlers: the public and the internal listener; ctx is the worker. */
void gw_router_request(void *ctx, struct net_request *req);
void gw_router_internal(void *ctx, struct net_request *req);
/* A file to be imported may be long, if its sender is known. */
size_t gw_router_body_limit(void *ctx, const struct net_request *req);
/* The same on the internal listener, where a sidecar may also bring many events at once. */
size_t gw_router_internal_limit(void *ctx, const struct net_request *req);

/* All of these answer and end the call. */
void gw_call_json(struct gw_call *call, int status, struct base_sv body,
                  const struct net_header *headers, size_t count);
/* RFC 9457. field: a JSON pointer's last part, or NULL; detail NULL: the error's text. */
void gw_call_problem(struct gw_call *call, enum base_err err, const char *field,
                     const char *detail);
/* The same as an object, inside an answer. */
void gw_problem_json(struct base_buf *buf, enum base_err err, const char *field,
                     const char *detail);
/* What a client may keep and ask for again by If-None-Match, which is looked at here. */
void gw_call_cached(struct gw_call *call, const char *etag, struct base_sv body);
void gw_call_typed(struct gw_call *call, int status, const char *type, struct base_sv body,
                   const struct net_header *headers, size_t count);
void gw_call_text(struct gw_call *call, int status, const char *type, struct base_sv body);

/* me.c: the answer to /me. */
void gw_me_json(struct base_buf *buf, const struct gw_user *user);

/* Copies the call for an answer later; NULL: out of memory (and answered so). */
struct gw_call *gw_call_later(const struct gw_call *call);

/* Handlers: routes.def names them. */
#define X(method, path, handler, access) void handler(struct gw_call *call);
#include "gateway/http/routes.def"
#undef X

#endif
