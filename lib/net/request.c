/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 requests and answers. lws parses; framing rules it is lax about are kept here (one
 * decimal Content-Length, no chunked requests), and a request is copied out of it at once, so it
 * may outlive its connection.
 *
 * Reading is switched off while a request waits or is answered, or a pipelining client would spin
 * the loop: lws leaves readable sockets unread then. But with reading off it also ignores that a
 * socket has become writable. Hence net_http_kick(): both are switched on only when a write will
 * succeed, and a client too slow to take its answer is looked at every few milliseconds instead.
 *
 * Pipelined requests are served, except those with a body: when lws 4.1 has such a request in its
 * own buffer, it takes the request's headers for the body. Their connection is closed unanswered,
 * as HTTP allows, and the client sends them again.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/metrics.h"
#include "lib/net/server_private.h"

enum { ARGS_MAX = 32, KICK_MS = 20 };

static const struct {
    const char *name;
    enum lws_token_indexes token;
} methods[] = {
    {"GET", WSI_TOKEN_GET_URI},         {"POST", WSI_TOKEN_POST_URI},
    {"PUT", WSI_TOKEN_PUT_URI},         {"PATCH", WSI_TOKEN_PATCH_URI},
    {"DELETE", WSI_TOKEN_DELETE_URI},   {"HEAD", WSI_TOKEN_HEAD_URI},
    {"OPTIONS", WSI_TOKEN_OPTIONS_URI},
};

enum { NO_TOKEN = -1 };

/* The headers kept of a request. Without a token: lws does not know the name. */
static const struct {
    const char *name;
    int token;
} net_request_header_names[] = {
    {"host", WSI_TOKEN_HOST},
    {"authorization", WSI_TOKEN_HTTP_AUTHORIZATION},
    {"origin", WSI_TOKEN_ORIGIN},
    {"content-type", WSI_TOKEN_HTTP_CONTENT_TYPE},
    {"content-length", WSI_TOKEN_HTTP_CONTENT_LENGTH},
    {"if-match", WSI_TOKEN_HTTP_IF_MATCH},
    {"if-none-match", WSI_TOKEN_HTTP_IF_NONE_MATCH},
    {"if-modified-since", WSI_TOKEN_HTTP_IF_MODIFIED_SINCE},
    {"accept", WSI_TOKEN_HTTP_ACCEPT},
    {"accept-encoding", WSI_TOKEN_HTTP_ACCEPT_ENCODING},
    {"accept-language", WSI_TOKEN_HTTP_ACCEPT_LANGUAGE},
    {"user-agent", WSI_TOKEN_HTTP_USER_AGENT},
    {"referer", WSI_TOKEN_HTTP_REFERER},
    {"x-forwarded-for", WSI_TOKEN_X_FORWARDED_FOR},
    {"cookie", WSI_TOKEN_HTTP_COOKIE},
    {"access-control-request-headers", WSI_TOKEN_HTTP_AC_REQUEST_HEADERS},
    {"access-control-request-method", NO_TOKEN},
    {"idempotency-key", NO_TOKEN},
    {"prefer", NO_TOKEN},
    {"traceparent", NO_TOKEN},
    {"tracestate", NO_TOKEN},
    {"dapr-api-token", NO_TOKEN},
    {"x-request-id", NO_TOKEN},
    {"x-forwarded-proto", NO_TOKEN},
    {"x-forwarded-host", NO_TOKEN},
    {"sec-fetch-site", NO_TOKEN},
    {"sec-fetch-mode", NO_TOKEN},
};
enum { HEADER_COUNT = sizeof(net_request_header_names) / sizeof(net_request_header_names[0]) };

struct net_request {
    struct net_conn *conn; /* NULL: the client has gone */
    void *user;
    struct base_sv method;
    struct base_sv path;
    struct base_sv headers[HEADER_COUNT];
    struct base_sv args[ARGS_MAX];
    size_t arg_count;
    struct base_buf body;
    bool head;
    bool close; /* the connection must end with the answer */
    char remote[INET6_ADDRSTRLEN];
    size_t used;
    size_t cap;
    char text[]; /* what the views point into */
};

static const struct {
    int status;
    const char *text;
} status_texts[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {207, "Multi-Status"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

static const char *status_text(int status)
{
    for (size_t i = 0; i < sizeof(status_texts) / sizeof(status_texts[0]); i++)
        if (status_texts[i].status == status)
            return status_texts[i].text;
    return "";
}

/* reading */

struct base_sv net_http_copy(struct lws *wsi, enum lws_token_indexes token, char *dst, size_t cap)
{
    int len = cap > 1 ? lws_hdr_total_length(wsi, token) : 0;
    if (len <= 0 || (size_t)len >= cap || lws_hdr_copy(wsi, dst, (int)cap, token) < 0)
        return SV_NULL;
    return base_sv(dst, (size_t)len);
}

static int header_length(struct lws *wsi, size_t i)
{
    const char *name = net_request_header_names[i].name;
    char colon[40];
    if (net_request_header_names[i].token != NO_TOKEN)
        return lws_hdr_total_length(wsi, (enum lws_token_indexes)net_request_header_names[i].token);
    int len = snprintf(colon, sizeof(colon), "%s:", name);
    return lws_hdr_custom_length(wsi, colon, len);
}

/* len bytes and a NUL of the request's own text, as a view. */
static struct base_sv take(struct net_request *req, size_t len)
{
    struct base_sv view = {req->text + req->used, len};
    req->used += len + 1;
    return view;
}

static void copy_header(struct net_request *req, struct lws *wsi, size_t i)
{
    int len = header_length(wsi, i);
    if (len <= 0 || req->used + (size_t)len + 1 > req->cap)
        return;
    char *dst = req->text + req->used;
    int room = len + 1;
    int copied;
    if (net_request_header_names[i].token != NO_TOKEN) {
        copied =
            lws_hdr_copy(wsi, dst, room, (enum lws_token_indexes)net_request_header_names[i].token);
    } else {
        char colon[40];
        int n = snprintf(colon, sizeof(colon), "%s:", net_request_header_names[i].name);
        copied = lws_hdr_custom_copy(wsi, dst, room, colon, n);
    }
    if (copied < 0)
        return;
    req->headers[i] = base_sv_trim(take(req, (size_t)copied));
}

static void copy_args(struct net_request *req, struct lws *wsi)
{
    for (int i = 0; i < ARGS_MAX; i++) {
        int len = lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (len <= 0 || req->used + (size_t)len + 1 > req->cap)
            return;
        char *dst = req->text + req->used;
        if (lws_hdr_copy_fragment(wsi, dst, len + 1, WSI_TOKEN_HTTP_URI_ARGS, i) < 0)
            return;
        req->args[req->arg_count++] = take(req, (size_t)len);
    }
}

static struct net_request *request_new(struct net_conn *conn)
{
    struct lws *wsi = conn->wsi;
    size_t m = 0;
    while (m < sizeof(methods) / sizeof(methods[0]) &&
           lws_hdr_total_length(wsi, methods[m].token) <= 0)
        m++;
    if (m == sizeof(methods) / sizeof(methods[0]))
        return NULL;
    size_t cap = (size_t)lws_hdr_total_length(wsi, methods[m].token) + 1;
    for (size_t i = 0; i < HEADER_COUNT; i++) {
        int len = header_length(wsi, i);
        if (len > 0)
            cap += (size_t)len + 1;
    }
    for (int i = 0; i < ARGS_MAX; i++)
        cap += (size_t)lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i) + 1;
    struct net_request *req = calloc(1, sizeof(*req) + cap);
    if (!req)
        return NULL;
    req->conn = conn;
    req->cap = cap;
    req->method = base_sv_from(methods[m].name);
    req->head = methods[m].token == WSI_TOKEN_HEAD_URI;
    req->path = net_http_copy(wsi, methods[m].token, req->text, cap);
    req->used = req->path.len + 1;
    for (size_t i = 0; i < HEADER_COUNT; i++)
        copy_header(req, wsi, i);
    copy_args(req, wsi);
    memcpy(req->remote, conn->remote, sizeof(req->remote));
    return req;
}

static void request_free(struct net_request *req)
{
    base_buf_done(&req->body);
    free(req);
}

static bool wants_close(struct lws *wsi)
{
    char text[128];
    struct base_sv version = net_http_copy(wsi, WSI_TOKEN_HTTP, text, sizeof(text));
    if (!base_sv_ends(version, SV("1.1")))
        return true;
    struct base_sv rest = net_http_copy(wsi, WSI_TOKEN_CONNECTION, text, sizeof(text));
    while (rest.ptr)
        if (base_sv_eq_i(base_sv_trim(base_sv_split(&rest, ',')), SV("close")))
            return true;
    return false;
}

static void respond_problem(struct net_request *req, int status)
{
    char body[128];
    const struct net_header type = {SV("Content-Type"), SV("application/problem+json")};
    int len =
        snprintf(body, sizeof(body), "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d}",
                 status_text(status), status);
    req->close = true;
    net_respond(req, status, &type, 1, base_sv(body, (size_t)len));
}

static void pause_reading(struct net_conn *conn)
{
    conn->phase = NET_PHASE_PENDING;
    net_loop_timer_stop(conn->server->options.loop, &conn->timer);
    (void)lws_rx_flow_control(conn->wsi, 0);
}

static void dispatch(struct net_conn *conn)
{
    const struct net_server_options *options = &conn->server->options;
    pause_reading(conn);
    base_metric_add(BASE_M_NET_BYTES_IN, 0, (int64_t)conn->request->body.len);
    if (options->handlers->on_request)
        options->handlers->on_request(options->ctx, conn->request);
    else
        respond_problem(conn->request, 404);
}

static int refuse(struct net_conn *conn, int status)
{
    pause_reading(conn);
    respond_problem(conn->request, status);
    return 0;
}

static size_t body_limit(const struct net_conn *conn)
{
    const struct net_server_options *options = &conn->server->options;
    size_t limit = options->handlers->body_limit
                       ? options->handlers->body_limit(options->ctx, conn->request)
                       : 0;
    return limit ? limit : options->max_body_bytes;
}

int net_http_begin(struct net_conn *conn)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct lws *wsi = conn->wsi;
    struct net_request *req = request_new(conn);
    if (!req)
        return -1;
    conn->request = req;
    req->close = wants_close(wsi);
    lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);

    struct base_sv length_text = net_request_header(req, SV("content-length"));
    int64_t length = 0;
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
        return refuse(conn, 411);
    if (length_text.ptr && (length_text.ptr[0] < '0' || length_text.ptr[0] > '9' ||
                            !base_sv_int64(length_text, &length)))
        return refuse(conn, 400);
    size_t most = body_limit(conn);
    base_buf_init(&req->body, most);
    if ((uint64_t)length > most) {
        base_metric_inc(BASE_M_NET_OVERSIZE);
        return refuse(conn, 413);
    }
    /* For these lws would take whatever follows as the body of unknown length. */
    if (!length_text.ptr && (lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI) ||
                             lws_hdr_total_length(wsi, WSI_TOKEN_PUT_URI) ||
                             lws_hdr_total_length(wsi, WSI_TOKEN_PATCH_URI)))
        req->close = true;
    if (length == 0) {
        dispatch(conn);
        return 0;
    }
    if (conn->pipelined)
        return -1;
    conn->phase = NET_PHASE_BODY;
    net_conn_timeout(conn, conn->server->options.body_timeout_ms);
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_EXPECT) > 0) {
        unsigned char *bytes = conn->server->scratch + LWS_PRE;
        memcpy(bytes, go_on, sizeof(go_on) - 1);
        if (lws_write(wsi, bytes, sizeof(go_on) - 1, LWS_WRITE_RAW) < 0)
            return -1;
    }
    return 0;
}

int net_http_body(struct net_conn *conn, const char *bytes, size_t len)
{
    if (conn->phase != NET_PHASE_BODY)
        return 0; /* of a request that was refused already */
    base_buf_add(&conn->request->body, base_sv(bytes, len));
    return base_buf_ok(&conn->request->body) ? 0 : -1;
}

/* lws may say this more than once when requests are pipelined. */
void net_http_body_end(struct net_conn *conn)
{
    if (conn->phase == NET_PHASE_BODY)
        dispatch(conn);
}

/* answering */

size_t net_http_refusal(int status, const char *more, char *dst, size_t cap)
{
    int n = snprintf(dst, cap, "HTTP/1.1 %d %s\r\nContent-Length: 0\r\n%sConnection: close\r\n\r\n",
                     status, status_text(status), more);
    return n > 0 && (size_t)n < cap ? (size_t)n : 0;
}

static bool plain(struct base_sv text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '\r' || text.ptr[i] == '\n' || text.ptr[i] == '\0')
            return false;
    return true;
}

static void put_head(struct base_buf *out, const struct net_request *req, int status,
                     const struct net_header *headers, size_t n, size_t body_len)
{
    char date[40];
    struct tm tm;
    time_t now = time(NULL);
    (void)gmtime_r(&now, &tm);
    (void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    base_buf_addf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, status_text(status), date);
    for (size_t i = 0; i < n; i++)
        if (plain(headers[i].name) && plain(headers[i].value))
            base_buf_addf(out, "%.*s: %.*s\r\n", SV_FMT(headers[i].name), SV_FMT(headers[i].value));
    if (status != 204 && status != 304)
        base_buf_addf(out, "Content-Length: %zu\r\n", body_len);
    if (req->close)
        base_buf_add_c(out, "Connection: close\r\n");
    base_buf_add_c(out, "\r\n");
}

static struct net_answer *answer_new(const struct net_request *req, int status,
                                     const struct net_header *headers, size_t n,
                                     struct base_sv body)
{
    struct base_buf head;
    struct net_answer *answer = NULL;
    size_t body_len = body.len;
    base_buf_init(&head, (size_t)64 * 1024);
    put_head(&head, req, status, headers, n, body_len);
    if (req->head || status == 204 || status == 304)
        body_len = 0;
    if (base_buf_ok(&head))
        answer = malloc(sizeof(*answer) + LWS_PRE + head.len + body_len);
    if (answer) {
        *answer = (struct net_answer){.len = head.len + body_len, .close = req->close};
        memcpy(answer->data + LWS_PRE, head.data, head.len);
        if (body_len)
            memcpy(answer->data + LWS_PRE + head.len, body.ptr, body_len);
    }
    base_buf_done(&head);
    return answer;
}

void net_respond(struct net_request *req, int status, const struct net_header *headers, size_t n,
                 struct base_sv body)
{
    struct net_conn *conn = req->conn;
    if (conn) {
        if (conn->server->draining)
            req->close = true;
        base_metric_add(BASE_M_NET_HTTP, (size_t)status / 100 - 1, 1);
        conn->request = NULL;
        conn->answer = answer_new(req, status, headers, n, body);
        conn->phase = NET_PHASE_ANSWERING;
        conn->answer_until_us = base_monotonic_us() + conn->server->options.body_timeout_ms * 1000;
        if (conn->answer)
            net_conn_mark(conn);
        else
            net_conn_drop(conn);
    }
    request_free(req);
}

static bool writable(struct net_conn *conn)
{
    struct pollfd fd = {.fd = lws_get_socket_fd(conn->wsi), .events = POLLOUT};
    return poll(&fd, 1, 0) > 0;
}

void net_http_kick(struct net_conn *conn)
{
    if (conn->dropped)
        return;
    if (base_monotonic_us() > conn->answer_until_us) {
        base_metric_inc(BASE_M_NET_TIMEOUTS);
        net_conn_drop(conn);
        return;
    }
    bool now = writable(conn);
    (void)lws_rx_flow_control(conn->wsi, now);
    if (now)
        (void)lws_callback_on_writable(conn->wsi);
    net_conn_timeout(conn, KICK_MS);
}

static int answered(struct net_conn *conn)
{
    bool close = conn->answer->close || conn->server->draining;
    /* Says 0 if any connection has something in lws' buffer; then it is most likely this one. */
    conn->pipelined = lws_service_adjust_timeout(conn->server->context, 1, 0) == 0;
    free(conn->answer);
    conn->answer = NULL;
    conn->phase = NET_PHASE_IDLE;
    net_conn_timeout(conn, conn->server->options.idle_timeout_ms);
    if (close || lws_http_transaction_completed(conn->wsi))
        return -1;
    lws_set_timeout(conn->wsi, NO_PENDING_TIMEOUT, 0); /* ours is running */
    return 0;
}

int net_http_writable(struct net_conn *conn)
{
    struct net_answer *answer = conn->answer;
    if (conn->dropped)
        return -1;
    if (!answer)
        return 0;
    while (answer->at < answer->len && !lws_partial_buffered(conn->wsi)) {
        size_t n = answer->len - answer->at;
        if (n > NET_OUT_CHUNK)
            n = NET_OUT_CHUNK;
        if (lws_write(conn->wsi, answer->data + LWS_PRE + answer->at, n, LWS_WRITE_RAW) < 0)
            return -1;
        answer->at += n;
        base_metric_add(BASE_M_NET_BYTES_OUT, 0, (int64_t)n);
        conn->answer_until_us = base_monotonic_us() + conn->server->options.body_timeout_ms * 1000;
    }
    if (!lws_partial_buffered(conn->wsi) && writable(conn))
        return answered(conn);
    (void)lws_rx_flow_control(conn->wsi, 0);
    net_conn_timeout(conn, KICK_MS);
    return 0;
}

void net_http_gone(struct net_conn *conn)
{
    if (conn->request && conn->phase == NET_PHASE_PENDING)
        conn->request->conn = NULL; /* its owner still has it */
    else if (conn->request)
        request_free(conn->request);
    conn->request = NULL;
    free(conn->answer);
    conn->answer = NULL;
}

/* what requests offer */

struct base_sv net_request_method(const struct net_request *req)
{
    return req->method;
}

struct base_sv net_request_path(const struct net_request *req)
{
    return req->path;
}

struct base_sv net_request_body(const struct net_request *req)
{
    return base_buf_sv(&req->body);
}

struct base_sv net_request_remote(const struct net_request *req)
{
    return base_sv_from(req->remote);
}

struct base_sv net_request_header(const struct net_request *req, struct base_sv name)
{
    for (size_t i = 0; i < HEADER_COUNT; i++)
        if (base_sv_eq_c(name, net_request_header_names[i].name))
            return req->headers[i];
    return SV_NULL;
}

struct base_sv net_request_arg_at(const struct net_request *req, size_t i)
{
    return i < req->arg_count ? req->args[i] : SV_NULL;
}

struct base_sv net_request_arg(const struct net_request *req, struct base_sv name)
{
    for (size_t i = 0; i < req->arg_count; i++) {
        struct base_sv rest = req->args[i];
        if (base_sv_eq(base_sv_split(&rest, '='), name))
            return rest.ptr ? rest : SV("");
    }
    return SV_NULL;
}

bool net_request_gone(const struct net_request *req)
{
    return req->conn == NULL;
}

void net_request_set_user(struct net_request *req, void *user)
{
    req->user = user;
}

void *net_request_user(const struct net_request *req)
{
    return req->user;
}
