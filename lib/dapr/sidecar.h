/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Dapr sidecar beside this process: where it is, the two tokens, and calls to its HTTP API
 * (https://docs.dapr.io/reference/api/). One token is ours for the sidecar (dapr-api-token of
 * requests to it), the other the sidecar's for us (the same header of requests from it).
 */
#ifndef DAPR_SIDECAR_H
#define DAPR_SIDECAR_H

#include "lib/net/client.h"
#include "lib/net/server.h"

/* Texts are the caller's and must live as long as what is made from this. */
struct dapr_settings {
    const char *url;       /* http://127.0.0.1:3500, without a path */
    const char *token;     /* DAPR_API_TOKEN; empty: the sidecar asks for none */
    const char *app_token; /* APP_API_TOKEN; empty: whoever reaches the internal listener passes */
    int64_t wait_ms;       /* how long a start waits for the sidecar */
};

/* Where a setting is empty, what Dapr's injector puts into the environment (DAPR_HTTP_ENDPOINT or
 * DAPR_HTTP_PORT, DAPR_API_TOKEN, APP_API_TOKEN) takes its place. url_text: for the address then
 * made, DAPR_URL_MAX bytes that live as long as the settings. */
enum { DAPR_URL_MAX = 256 };
void dapr_settings_complete(struct dapr_settings *settings, char *url_text);

/* Blocks until the sidecar can be called, for settings->wait_ms at most; then UNAVAILABLE, told in
 * errors. Whether we ourselves can be called already does not matter. */
BASE_MUST_CHECK enum base_err dapr_wait(const struct dapr_settings *settings,
                                        struct base_buf *errors);

/* One GET that blocks: for a program that starts. As net_fetch. */
BASE_MUST_CHECK enum base_err dapr_fetch(const struct dapr_settings *settings, const char *path,
                                         long timeout_ms, int *ret_status,
                                         struct base_buf *ret_body, char *why);

/* A request from our sidecar, or one that it vouches for: it bears the app's token. */
bool dapr_from_sidecar(const struct dapr_settings *settings, const struct net_request *req);

/* Calls from a loop; everything belongs to its thread. */
struct dapr_client;

BASE_MUST_CHECK enum base_err dapr_client_new(const struct dapr_settings *settings,
                                              struct base_loop *loop, long timeout_ms,
                                              struct dapr_client **ret_client);
void dapr_client_free(struct dapr_client *client);

struct dapr_call {
    const char *method;
    const char *path;        /* "/v1.0/…", percent-encoded */
    const char *traceparent; /* NULL: none */
    const char *header;      /* one more, "Name: value"; NULL: none */
    struct base_sv body;     /* JSON */
    size_t answer_max;
};

/* As net_client_send. */
BASE_MUST_CHECK enum base_err dapr_client_call(struct dapr_client *client,
                                               const struct dapr_call *call, net_client_fn fn,
                                               void *ctx);

#endif
