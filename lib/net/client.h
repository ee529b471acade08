/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP requests to others, over libcurl, without blocking the loop. Only http and https, no
 * redirects, no proxies, no cookies.
 * Everything belongs to the loop's thread.
 */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H

#include "lib/base/buf.h"
#include "lib/base/loop.h"

struct net_client;

struct net_client_options {
    struct base_loop *loop;
    bool private_allowed; /* addresses that are not everybody's (lib/net/address.h) */
    long timeout_ms;      /* of a whole request */
    const char *user_agent;
};

BASE_MUST_CHECK enum base_err net_client_new(const struct net_client_options *options,
                                             struct net_client **ret_client);
/* Requests under way end with UNAVAILABLE. NULL is fine. */
void net_client_free(struct net_client *client);

struct net_client_request {
    const char *method; /* "GET", "POST" … */
    const char *url;
    const char *const *headers; /* "Name: value" */
    size_t header_count;
    struct base_sv body;
    size_t answer_max; /* bytes of the answer's body; 0: it is thrown away, however long it is */
};

/* status: of the answer; 0 and why if there was none, or its body was longer than it may be. body
 * and why are valid during the call. */
typedef void (*net_client_fn)(void *ctx, int status, const char *why, struct base_sv body);

/* Everything is copied; fn is called once, never from inside the call. UNAVAILABLE: the client is
 * being freed. */
BASE_MUST_CHECK enum base_err net_client_send(struct net_client *client,
                                              const struct net_client_request *request,
                                              net_client_fn fn, void *ctx);

/* The same, waiting for the answer: for a program that starts. UNAVAILABLE: there was none; why: at
 * least NET_FETCH_WHY bytes. */
enum { NET_FETCH_WHY = 300 };
BASE_MUST_CHECK enum base_err net_fetch(const struct net_client_request *request, long timeout_ms,
                                        int *ret_status, struct base_buf *ret_body, char *why);

#endif
