/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/dapr/sidecar.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PROBE_MS = 1000, PROBE_AGAIN_MS = 100, HEADER_MAX = 1024, TARGET_MAX = 1024 };

struct dapr_client {
    const char *url;
    char token[HEADER_MAX];
    struct net_client *client;
};

static const char *or_environment(const char *value, const char *variable)
{
    const char *given = value[0] ? NULL : getenv(variable);
    return given ? given : value;
}

void dapr_settings_complete(struct dapr_settings *settings, char *url_text)
{
    const char *port = getenv("DAPR_HTTP_PORT");
    settings->token = or_environment(settings->token, "DAPR_API_TOKEN");
    settings->app_token = or_environment(settings->app_token, "APP_API_TOKEN");
    settings->url = or_environment(settings->url, "DAPR_HTTP_ENDPOINT");
    if (settings->url[0])
        return;
    (void)snprintf(url_text, DAPR_URL_MAX, "http://127.0.0.1:%.8s", port ? port : "3500");
    settings->url = url_text;
}

static bool token_line(const char *token, char line[HEADER_MAX])
{
    int n = snprintf(line, HEADER_MAX, "dapr-api-token: %s", token);
    return n > 0 && n < HEADER_MAX;
}

enum base_err dapr_fetch(const struct dapr_settings *settings, const char *path, long timeout_ms,
                         int *ret_status, struct base_buf *ret_body, char *why)
{
    char target[TARGET_MAX];
    char line[HEADER_MAX];
    const char *const headers[] = {line};
    int n = snprintf(target, sizeof(target), "%s%s", settings->url, path);
    if (n >= (int)sizeof(target) || !token_line(settings->token, line)) {
        (void)snprintf(why, NET_FETCH_WHY, "its address or token is too long");
        return BASE_INVALID;
    }
    return net_fetch(
        &(struct net_client_request){
            .method = "GET", .url = target, .headers = headers, .header_count = 1},
        timeout_ms, ret_status, ret_body, why);
}

enum base_err dapr_wait(const struct dapr_settings *settings, struct base_buf *errors)
{
    char why[NET_FETCH_WHY] = "";
    struct base_buf body;
    base_buf_init(&body, 4096);
    for (int64_t left_ms = settings->wait_ms;; left_ms -= PROBE_AGAIN_MS) {
        int status = 0;
        base_buf_reset(&body);
        bool answered = dapr_fetch(settings, "/v1.0/healthz/outbound", PROBE_MS, &status, &body,
                                   why) == BASE_OK;
        if (answered && status >= 200 && status < 300) {
            base_buf_done(&body);
            return BASE_OK;
        }
        if (answered)
            (void)snprintf(why, sizeof(why), "it answered %d", status);
        if (left_ms <= 0)
            break;
        (void)nanosleep(&(struct timespec){.tv_nsec = PROBE_AGAIN_MS * 1000000L}, NULL);
    }
    base_buf_done(&body);
    base_buf_addf(errors, "the Dapr sidecar at %s is not ready after %lld ms: %s\n", settings->url,
                  (long long)settings->wait_ms, why);
    return BASE_UNAVAILABLE;
}

bool dapr_from_sidecar(const struct dapr_settings *settings, const struct net_request *req)
{
    struct base_sv want = base_sv_from(settings->app_token);
    struct base_sv have = net_request_header(req, SV("dapr-api-token"));
    return want.len == 0 ||
           (have.len == want.len && CRYPTO_memcmp(have.ptr, want.ptr, want.len) == 0);
}

enum base_err dapr_client_new(const struct dapr_settings *settings, struct base_loop *loop,
                              long timeout_ms, struct dapr_client **ret_client)
{
    struct dapr_client *client = calloc(1, sizeof(*client));
    if (!client)
        return BASE_NO_MEMORY;
    client->url = settings->url;
    enum base_err err = token_line(settings->token, client->token) ? BASE_OK : BASE_INVALID;
    if (err == BASE_OK)
        err = net_client_new(&(struct net_client_options){.loop = loop,
                                                          .private_allowed = true,
                                                          .timeout_ms = timeout_ms,
                                                          .user_agent = "todo-chatbot"},
                             &client->client);
    if (err != BASE_OK) {
        free(client);
        return err;
    }
    *ret_client = client;
    return BASE_OK;
}

void dapr_client_free(struct dapr_client *client)
{
    if (!client)
        return;
    net_client_free(client->client);
    explicit_bzero(client->token, sizeof(client->token));
    free(client);
}

enum base_err dapr_client_call(struct dapr_client *client, const struct dapr_call *call,
                               net_client_fn fn, void *ctx)
{
    char target[TARGET_MAX];
    char trace[128];
    const char *headers[5] = {client->token, "Content-Type: application/json", "Expect:"};
    size_t count = 3;
    int n = snprintf(target, sizeof(target), "%s%s", client->url, call->path);
    if (n < 0 || n >= (int)sizeof(target))
        return BASE_TOO_LARGE;
    if (call->traceparent) {
        (void)snprintf(trace, sizeof(trace), "traceparent: %s", call->traceparent);
        headers[count++] = trace;
    }
    if (call->header)
        headers[count++] = call->header;
    return net_client_send(client->client,
                           &(struct net_client_request){.method = call->method,
                                                        .url = target,
                                                        .headers = headers,
                                                        .header_count = count,
                                                        .body = call->body,
                                                        .answer_max = call->answer_max},
                           fn, ctx);
}
