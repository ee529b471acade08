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
    struct post *first;
};

struct post {
    struct net_client *client;
    struct post *next, **link;
    CURL *easy;
    struct curl_slist *headers;
    net_client_fn fn;
    void *ctx;
    char error[CURL_ERROR_SIZE];
    bool refused;
    struct base_buf answer; /* of a GET */
    char body[];
};

struct watch {
    struct net_client *client;
    struct base_io *io;
    curl_socket_t fd;
};

static void post_end(struct post *post, int status, const char *why)
{
    *post->link = post->next;
    if (post->next)
        post->next->link = post->link;
    (void)curl_multi_remove_handle(post->client->multi, post->easy);
    post->fn(post->ctx, status, why, base_buf_sv(&post->answer));
    base_buf_done(&post->answer);
    curl_easy_cleanup(post->easy);
    curl_slist_free_all(post->headers);
    free(post);
}

static void collect(struct net_client *client)
{
    int left;
    for (CURLMsg *msg; (msg = curl_multi_info_read(client->multi, &left));) {
        struct post *post = NULL;
        long status = 0;
        if (msg->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&post);
        (void)curl_easy_getinfo(msg->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        if (msg->data.result == CURLE_OK)
            post_end(post, (int)status, "");
        else if (post->refused)
            post_end(post, 0, "its address is private");
        else
            post_end(post, 0, post->error[0] ? post->error : curl_easy_strerror(msg->data.result));
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
    struct post *post = ctx;
    (void)purpose;
    if (!post->client->options.private_allowed && !net_address_is_global(&address->addr)) {
        post->refused = true;
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
    for (struct post *post = client->first, *next; post; post = next) {
        next = post->next;
        post_end(post, 0, "stopping");
    }
    if (client->multi)
        (void)curl_multi_cleanup(client->multi);
    base_timer_free(client->timer);
    free(client);
}

static bool set_common(CURL *easy, const char *url, long timeout_ms, char *error,
                       struct base_buf *answer)
{
    return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error) == CURLE_OK;
}

static bool set_up(struct post *post, const char *url, struct base_buf *answer)
{
    const struct net_client_options *options = &post->client->options;
    CURL *easy = post->easy;
    return set_common(easy, url, options->timeout_ms, post->error, answer) &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, options->user_agent) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, post) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, post) == CURLE_OK;
}

static struct post *post_new(struct net_client *client, struct base_sv body, net_client_fn fn,
                             void *ctx)
{
    struct post *post = calloc(1, sizeof(*post) + body.len + 1);
    if (!post)
        return NULL;
    post->client = client;
    post->fn = fn;
    post->ctx = ctx;
    if (body.len)
        memcpy(post->body, body.ptr, body.len);
    post->easy = curl_easy_init();
    return post;
}

/* Takes the post; ok: it is set up. */
static enum base_err post_begin(struct post *post, bool ok)
{
    struct net_client *client = post->client;
    if (ok && curl_multi_add_handle(client->multi, post->easy) == CURLM_OK) {
        post->link = &client->first;
        post->next = client->first;
        if (post->next)
            post->next->link = &post->next;
        client->first = post;
        return BASE_OK;
    }
    curl_easy_cleanup(post->easy);
    curl_slist_free_all(post->headers);
    base_buf_done(&post->answer);
    free(post);
    return BASE_INVALID;
}

enum base_err net_client_post(struct net_client *client, const char *url,
                              const char *const *headers, size_t header_count, struct base_sv body,
                              net_client_fn fn, void *ctx)
{
    struct post *post = post_new(client, body, fn, ctx);
    if (!post)
        return BASE_NO_MEMORY;
    bool ok = post->easy != NULL;
    for (size_t i = 0; ok && i < header_count; i++) {
        struct curl_slist *longer = curl_slist_append(post->headers, headers[i]);
        ok = longer != NULL;
        post->headers = longer ? longer : post->headers;
    }
    ok = ok && set_up(post, url, NULL) &&
         curl_easy_setopt(post->easy, CURLOPT_HTTPHEADER, post->headers) == CURLE_OK &&
         curl_easy_setopt(post->easy, CURLOPT_POSTFIELDS, &post->body[0]) == CURLE_OK &&
         curl_easy_setopt(post->easy, CURLOPT_POSTFIELDSIZE, (long)body.len) == CURLE_OK;
    return post_begin(post, ok);
}

enum base_err net_client_get(struct net_client *client, const char *url, size_t body_max,
                             net_client_fn fn, void *ctx)
{
    struct post *post = post_new(client, SV_NULL, fn, ctx);
    if (!post)
        return BASE_NO_MEMORY;
    base_buf_init(&post->answer, body_max);
    return post_begin(post, post->easy && set_up(post, url, &post->answer));
}

enum base_err net_fetch(const char *url, long timeout_ms, struct base_buf *ret_body, char *why)
{
    char error[CURL_ERROR_SIZE] = "";
    long status = 0;
    CURL *easy = curl_easy_init();
    bool ok = easy && set_common(easy, url, timeout_ms, error, ret_body);
    CURLcode result = ok ? curl_easy_perform(easy) : CURLE_FAILED_INIT;
    if (result == CURLE_OK)
        (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(easy);
    if (result == CURLE_OK && status == 200)
        return BASE_OK;
    if (result == CURLE_OK)
        (void)snprintf(why, NET_FETCH_WHY, "it answered %ld", status);
    else
        (void)snprintf(why, NET_FETCH_WHY, "%s", error[0] ? error : curl_easy_strerror(result));
    return BASE_UNAVAILABLE;
}
