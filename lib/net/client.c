/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl's multi interface by its socket callbacks: it says which descriptors and which timeout it
 * waits for, and is told when they are ready. */
#include "lib/net/client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/net/address.h"

struct net_client {
    struct net_client_options options;
    CURLM *multi;
    struct base_timer *timer;
    struct call *first;
    bool closing;
};

struct call {
    struct net_client *client;
    struct call *next, **link;
    CURL *easy;
    struct curl_slist *headers;
    net_client_fn fn;
    void *ctx;
    char error[CURL_ERROR_SIZE];
    bool refused;
    struct base_buf answer;
    char body[];
};

struct watch {
    struct net_client *client;
    struct base_io *io;
    curl_socket_t fd;
};

static void call_end(struct call *call, int status, const char *why)
{
    *call->link = call->next;
    if (call->next)
        call->next->link = call->link;
    (void)curl_multi_remove_handle(call->client->multi, call->easy);
    call->fn(call->ctx, status, why, base_buf_sv(&call->answer));
    base_buf_done(&call->answer);
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    free(call);
}

static void collect(struct net_client *client)
{
    int left;
    for (CURLMsg *msg; (msg = curl_multi_info_read(client->multi, &left));) {
        struct call *call = NULL;
        long status = 0;
        if (msg->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        (void)curl_easy_getinfo(msg->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        if (msg->data.result == CURLE_OK)
            call_end(call, (int)status, "");
        else if (call->refused)
            call_end(call, 0, "its address is private");
        else
            call_end(call, 0, call->error[0] ? call->error : curl_easy_strerror(msg->data.result));
    }
}

static void on_io(void *ctx, unsigned events)
{
    struct watch *watch = ctx;
    struct net_client *client = watch->client;
    int running;
    int what = (events & BASE_IO_READ ? CURL_CSELECT_IN : 0) |
               (events & BASE_IO_WRITE ? CURL_CSELECT_OUT : 0);
    (void)curl_multi_socket_action(client->multi, watch->fd, what, &running);
    collect(client);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *assigned)
{
    struct net_client *client = ctx;
    struct watch *watch = assigned;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch)
            base_io_free(watch->io);
        free(watch);
        (void)curl_multi_assign(client->multi, fd, NULL);
        return 0;
    }
    if (!watch) {
        watch = calloc(1, sizeof(*watch));
        if (!watch)
            return -1;
        *watch = (struct watch){.client = client, .fd = fd};
        if (base_io_new(client->options.loop, fd, on_io, watch, &watch->io) != BASE_OK) {
            free(watch);
            return -1;
        }
        (void)curl_multi_assign(client->multi, fd, watch);
    }
    base_io_set(watch->io, (what & CURL_POLL_IN ? BASE_IO_READ : 0u) |
                               (what & CURL_POLL_OUT ? BASE_IO_WRITE : 0u));
    return 0;
}

static void on_time(void *ctx)
{
    struct net_client *client = ctx;
    int running;
    (void)curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(client);
}

static int on_timeout(CURLM *multi, long after_ms, void *ctx)
{
    struct net_client *client = ctx;
    (void)multi;
    if (after_ms < 0)
        base_timer_stop(client->timer);
    else
        base_timer_start(client->timer, after_ms);
    return 0;
}

/* After the name was resolved: whatever it led to is looked at here. */
static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct call *call = ctx;
    (void)purpose;
    if (!call->client->options.private_allowed && !net_address_is_global(&address->addr)) {
        call->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ctx: where to, or NULL for nowhere. */
static size_t on_answer(char *bytes, size_t size, size_t count, void *ctx)
{
    struct base_buf *answer = ctx;
    if (answer)
        base_buf_add(answer, base_sv(bytes, size * count));
    return !answer || base_buf_ok(answer) ? size * count : 0;
}

enum base_err net_client_new(const struct net_client_options *options,
                             struct net_client **ret_client)
{
    struct net_client *client = calloc(1, sizeof(*client));
    if (!client)
        return BASE_NO_MEMORY;
    client->options = *options;
    enum base_err err = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? BASE_OK : BASE_INTERNAL;
    client->multi = err == BASE_OK ? curl_multi_init() : NULL;
    if (!client->multi ||
        base_timer_new(options->loop, on_time, client, &client->timer) != BASE_OK) {
        net_client_free(client);
        return BASE_NO_MEMORY;
    }
    (void)curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    (void)curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    (void)curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    *ret_client = client;
    return BASE_OK;
}

void net_client_free(struct net_client *client)
{
    if (!client)
        return;
    client->closing = true;
    for (struct call *call = client->first, *next; call; call = next) {
        next = call->next;
        call_end(call, 0, "stopping");
    }
    if (client->multi)
        (void)curl_multi_cleanup(client->multi);
    base_timer_free(client->timer);
    free(client);
}

/* Headers of a request, for as long as libcurl uses them; false: no memory. */
static bool list_headers(const struct net_client_request *request, struct curl_slist **ret_list)
{
    for (size_t i = 0; i < request->header_count; i++) {
        struct curl_slist *longer = curl_slist_append(*ret_list, request->headers[i]);
        if (!longer)
            return false;
        *ret_list = longer;
    }
    return true;
}

/* body: where the request's body stays meanwhile; answer: where the other one goes, or NULL. */
static bool set_up(CURL *easy, const struct net_client_request *request, const char *body,
                   struct curl_slist *headers, long timeout_ms, char *error,
                   struct base_buf *answer)
{
    bool ok = curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error) == CURLE_OK;
    if (ok && request->body.ptr)
        ok = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body) == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request->body.len) == CURLE_OK;
    return ok && curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK;
}

static bool set_up_call(struct call *call, const struct net_client_request *request)
{
    const struct net_client_options *options = &call->client->options;
    CURL *easy = call->easy;
    return easy && list_headers(request, &call->headers) &&
           set_up(easy, request, call->body, call->headers, options->timeout_ms, call->error,
                  request->answer_max ? &call->answer : NULL) &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, options->user_agent) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, call) == CURLE_OK;
}

enum base_err net_client_send(struct net_client *client, const struct net_client_request *request,
                              net_client_fn fn, void *ctx)
{
    if (client->closing)
        return BASE_UNAVAILABLE;
    struct call *call = calloc(1, sizeof(*call) + request->body.len + 1);
    if (!call)
        return BASE_NO_MEMORY;
    call->client = client;
    call->fn = fn;
    call->ctx = ctx;
    if (request->body.len)
        memcpy(call->body, request->body.ptr, request->body.len);
    base_buf_init(&call->answer, request->answer_max);
    call->easy = curl_easy_init();
    if (set_up_call(call, request) &&
        curl_multi_add_handle(client->multi, call->easy) == CURLM_OK) {
        call->link = &client->first;
        call->next = client->first;
        if (call->next)
            call->next->link = &call->next;
        client->first = call;
        return BASE_OK;
    }
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    free(call);
    return BASE_INVALID;
}

enum base_err net_fetch(const struct net_client_request *request, long timeout_ms, int *ret_status,
                        struct base_buf *ret_body, char *why)
{
    char error[CURL_ERROR_SIZE] = "";
    long status = 0;
    struct curl_slist *headers = NULL;
    CURL *easy = curl_easy_init();
    bool ok = easy && list_headers(request, &headers) &&
              set_up(easy, request, request->body.ptr, headers, timeout_ms, error, ret_body);
    CURLcode result = ok ? curl_easy_perform(easy) : CURLE_FAILED_INIT;
    if (result == CURLE_OK)
        (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    if (result != CURLE_OK) {
        (void)snprintf(why, NET_FETCH_WHY, "%s", error[0] ? error : curl_easy_strerror(result));
        return BASE_UNAVAILABLE;
    }
    *ret_status = (int)status;
    return BASE_OK;
}
