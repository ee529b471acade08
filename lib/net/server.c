/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server: one libwebsockets context on the thread's loop, and the one callback through which
 * lws speaks. Only HTTP/1.1 and WebSocket: no extensions (permessage-deflate can be made to abort
 * the process from outside), no HTTP/2, no fallback to raw sockets.
 */
#include "lib/net/server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <uv.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/base/utf8.h"
#include "lib/net/server_private.h"

enum {
    /* Memory of each connection, and how much one read takes. With 2 KB sixteen messages that came
     * together cost half as much, but an idle session would take 4.6 KB instead of 3.7; below 1 KB
     * accepting becomes linear. */
    RX_BUFFER = 1024,
    /* Read buffer of the context; a smaller one costs twice for large frames. */
    SERVICE_BUFFER = 17000,
    WRITE_MAX = 128 * 1024,
    LWS_TIMEOUT_S = 20, /* for what only lws can see, such as its own closing handshakes */
    HEADER_BYTES_MAX = 32 * 1024,
    LOG_LINES_PER_SECOND = 5,
    LOG_LINE_MAX = 256
};

/* lws does not tell of a pong that is empty. */
static const struct base_sv ping_payload = {"?", 1};

static const char *const refused_labels[] = {
    [NET_REFUSED_LIMIT] = "limit",   [NET_REFUSED_ADDRESS] = "address",
    [NET_REFUSED_ORIGIN] = "origin", [NET_REFUSED_UPGRADE] = "upgrade",
    [NET_REFUSED_MEMORY] = "memory", [NET_REFUSED_ADOPTING] = "handshake",
};
_Static_assert(sizeof(refused_labels) / sizeof(refused_labels[0]) == NET_REFUSED_COUNT,
               "a label for each reason");
static const char *const class_labels[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};

/* connections */

static void conn_timer(void *ctx)
{
    struct net_conn *conn = ctx;
    switch (conn->phase) {
    case NET_PHASE_ANSWERING:
        net_http_kick(conn);
        break;
    case NET_PHASE_OPEN:
        net_ws_timer(conn);
        break;
    case NET_PHASE_PENDING:
        break;
    default:
        base_metric_inc(BASE_M_NET_TIMEOUTS);
        net_conn_drop(conn);
    }
}

struct net_conn *net_conn_new(struct net_server *server, const char *remote)
{
    struct net_conn *conn = calloc(1, sizeof(*conn));
    if (!conn)
        return NULL;
    conn->server = server;
    conn->timer = (struct net_wheel_timer){.fn = conn_timer, .ctx = conn};
    conn->close_code = NET_CLOSE_LOST;
    base_buf_init(&conn->message, server->options.max_message_bytes);
    memcpy(conn->remote, remote, strlen(remote) + 1);
    conn->next = server->conns;
    conn->pprev = &server->conns;
    if (conn->next)
        conn->next->pprev = &conn->next;
    server->conns = conn;
    server->conn_count++;
    base_metric_add(BASE_M_NET_CONNECTIONS, 0, 1);
    net_conn_timeout(conn, server->options.header_timeout_ms);
    return conn;
}

static void unmark(struct net_conn *conn)
{
    if (!conn->dirty_pprev)
        return;
    *conn->dirty_pprev = conn->dirty_next;
    if (conn->dirty_next)
        conn->dirty_next->dirty_pprev = conn->dirty_pprev;
    conn->dirty_pprev = NULL;
}

void net_conn_mark(struct net_conn *conn)
{
    struct net_server *server = conn->server;
    if (conn->dirty_pprev || conn->dead)
        return;
    conn->dirty_next = server->dirty;
    conn->dirty_pprev = &server->dirty;
    if (conn->dirty_next)
        conn->dirty_next->dirty_pprev = &conn->dirty_next;
    server->dirty = conn;
}

/* lws does not touch it any more. */
static void conn_gone(struct net_conn *conn)
{
    conn->dead = true;
    unmark(conn);
    net_loop_timer_stop(conn->server->options.loop, &conn->timer);
    net_http_gone(conn);
    net_ws_gone(conn);
    conn->phase = NET_PHASE_CLOSED;
}

void net_conn_free(struct net_conn *conn)
{
    struct net_server *server = conn->server;
    conn_gone(conn);
    net_out_clear(&conn->out);
    base_buf_done(&conn->message);
    *conn->pprev = conn->next;
    if (conn->next)
        conn->next->pprev = conn->pprev;
    server->conn_count--;
    net_peers_leave(server->peers, conn->remote);
    base_metric_add(BASE_M_NET_CONNECTIONS, 0, -1);
    free(conn);
}

bool net_conn_adopted(struct net_conn *conn, struct lws *wsi)
{
    if (wsi && !conn->destroyed) {
        conn->wsi = wsi;
        return true;
    }
    /* One that lws has told us of, and closes in a later turn of the loop, is freed then. */
    if (conn->destroyed || !conn->wsi)
        net_conn_free(conn);
    else
        conn_gone(conn);
    return false;
}

void net_conn_timeout(struct net_conn *conn, int64_t after_ms)
{
    net_loop_timer_start(conn->server->options.loop, &conn->timer, after_ms);
}

void net_conn_drop(struct net_conn *conn)
{
    if (conn->dropped || conn->dead || !conn->wsi)
        return;
    conn->dropped = true;
    (void)lws_rx_flow_control(conn->wsi, 1);
    (void)lws_callback_on_writable(conn->wsi);
    (void)shutdown(lws_get_socket_fd(conn->wsi), SHUT_RDWR);
}

/* libwebsockets */

/* While a vhost with TLS is made: its SSL_CTX. */
static int take_ssl_ctx(struct lws *wsi, void *ssl_ctx)
{
    struct net_server *server = lws_context_user(lws_get_context(wsi));
    server->ssl_ctx = ssl_ctx;
    return net_tls_apply(server->options.tls, ssl_ctx) ? 0 : -1;
}

enum base_err net_server_use_tls(struct net_server *server, struct net_tls *tls)
{
    if (!server->ssl_ctx || !net_tls_apply(tls, server->ssl_ctx))
        return BASE_INVALID;
    return BASE_OK;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    struct net_conn *conn = wsi ? lws_get_opaque_user_data(wsi) : NULL;
    if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS)
        return take_ssl_ctx(wsi, user);
    if (!conn)
        return 0; /* about the context or the vhost */
    if (!conn->wsi)
        conn->wsi = wsi;
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return net_http_begin(conn);
    case LWS_CALLBACK_HTTP_BODY:
        return net_http_body(conn, in, len);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        net_http_body_end(conn);
        return 0;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return net_http_writable(conn);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return net_ws_confirm(conn); /* "in" may be dangling here */
    case LWS_CALLBACK_ESTABLISHED:
        net_ws_open(conn);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        return net_ws_receive(conn, in, len);
    case LWS_CALLBACK_RECEIVE_PONG:
        conn->heard = true;
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        net_out_flush(conn);
        return 0;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return net_ws_peer_close(conn, in, len);
    case LWS_CALLBACK_RAW_ADOPT:
    case LWS_CALLBACK_RAW_RX:
        return -1;
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_RAW_CLOSE:
        conn_gone(conn);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        lws_set_opaque_user_data(wsi, NULL);
        conn->destroyed = conn->adopting;
        if (conn->adopting)
            conn_gone(conn);
        else
            net_conn_free(conn);
        return 0;
    default:
        return 0;
    }
}

/* Much of what lws calls an error is a peer's nonsense: strangers must not fill the log. The line
 * is in a buffer that all threads share, so it is copied before it is looked at. */
static void lws_said(int level, const char *line)
{
    char text[LOG_LINE_MAX];
    static atomic_llong window;
    static atomic_int lines;
    (void)level;
    long long second = base_monotonic_us() / 1000000;
    if (atomic_exchange_explicit(&window, second, memory_order_relaxed) != second)
        atomic_store_explicit(&lines, 0, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&lines, 1, memory_order_relaxed) >= LOG_LINES_PER_SECOND)
        return;
    (void)snprintf(text, sizeof(text), "%s", line);
    LOG_WARN("net.libwebsockets", LOG_SV("text", base_sv_trim(base_sv_from(text))));
}

static void init_once(void)
{
    lws_set_log_level(LLL_ERR | LLL_WARN, lws_said);
    base_metrics_labels(BASE_M_NET_REFUSED, refused_labels, NET_REFUSED_COUNT);
    base_metrics_labels(BASE_M_NET_HTTP, class_labels,
                        sizeof(class_labels) / sizeof(class_labels[0]));
}

static bool context_new(struct net_server *server)
{
    struct net_server_options *options = &server->options;
    void *loops[1] = {net_loop_uv(options->loop)};
    server->protocols[0] = (struct lws_protocols){
        .name = options->subprotocol ? options->subprotocol : "none",
        .callback = callback,
        .rx_buffer_size = RX_BUFFER,
        .tx_packet_size = WRITE_MAX,
    };
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = server->protocols,
        .pt_serv_buf_size = SERVICE_BUFFER,
        .max_http_header_data = (unsigned short)options->max_header_bytes,
        .timeout_secs = LWS_TIMEOUT_S,
        .gid = (__typeof__(info.gid))-1,
        .uid = (__typeof__(info.uid))-1,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_DISABLE_IPV6 |
                   LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME,
        .foreign_loops = loops,
        .pcontext = &server->context,
        .vhost_name = "server",
        .user = server,
    };
    if (options->tls) {
        /* No client's certificate is asked for: the system's authorities would be dead weight. */
        info.options |=
            LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
        info.ssl_cert_filepath = options->certificate_file;
        info.ssl_private_key_filepath = options->key_file;
        info.alpn = "http/1.1";
    }
    server->context = lws_create_context(&info);
    if (!server->context)
        return false;
    server->vhost = lws_create_vhost(server->context, &info);
    return server->vhost != NULL;
}

/* lws closes through the loop's own turns: first the sockets, then the handles of the context. */
static void context_free(struct net_server *server)
{
    enum { TURNS_MAX = 1000, TURNS_AFTER = 3 };
    uv_loop_t *uv = net_loop_uv(server->options.loop);
    /* A context that never saw its loop run would close handles that are not begun: libuv aborts.
     */
    (void)uv_run(uv, UV_RUN_NOWAIT);
    lws_context_destroy(server->context);
    int after = 0;
    for (int i = 0; i < TURNS_MAX && server->context && after < TURNS_AFTER; i++) {
        (void)uv_run(uv, UV_RUN_NOWAIT);
        if (!server->conns)
            after++;
    }
    if (server->context)
        lws_context_destroy(server->context);
    for (int i = 0; i < TURNS_AFTER; i++)
        (void)uv_run(uv, UV_RUN_NOWAIT);
}

/* the server */

static void flush(void *ctx)
{
    struct net_server *server = ctx;
    struct net_conn *conn;
    while ((conn = server->dirty) != NULL) {
        unmark(conn);
        if (conn->answer)
            net_http_kick(conn);
        else
            net_out_flush(conn);
    }
}

void net_server_options_init(struct net_server_options *options)
{
    *options = (struct net_server_options){
        .address = "127.0.0.1",
        .max_connections = 100000,
        .max_message_bytes = 64 * 1024,
        .max_queue_messages = 1024,
        .max_queue_bytes = 1024 * 1024,
        .max_header_bytes = 16 * 1024,
        .max_body_bytes = 1024 * 1024,
        .header_timeout_ms = 10000,
        .body_timeout_ms = 30000,
        .idle_timeout_ms = 60000,
        .ping_interval_ms = 25000,
        .pong_timeout_ms = 10000,
        .close_timeout_ms = 5000,
    };
}

enum base_err net_server_new(const struct net_server_options *options, struct base_buf *errors,
                             struct net_server **ret_server)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, init_once);
    if (options->max_header_bytes > HEADER_BYTES_MAX || options->max_message_bytes == 0) {
        base_buf_addf(errors, "max_header_bytes must be at most %d", HEADER_BYTES_MAX);
        return BASE_INVALID;
    }
    struct net_server *server = calloc(1, sizeof(*server));
    if (!server)
        return BASE_NO_MEMORY;
    server->options = *options;
    server->listener.fd = -1;
    server->ping = net_frame_new(NET_OP_PING, &ping_payload, 1);
    server->scratch = malloc(LWS_PRE + NET_OUT_CHUNK);
    if (!server->ping || !server->scratch ||
        net_peers_new(options->max_per_address, &server->peers) != BASE_OK) {
        net_server_free(server);
        return BASE_NO_MEMORY;
    }
    if (!context_new(server)) {
        base_buf_add_c(errors, "libwebsockets could not be started");
        net_server_free(server);
        return BASE_NO_MEMORY;
    }
    enum base_err err = net_loop_on_turn(options->loop, flush, server);
    if (!err)
        err = net_listener_start(server, errors);
    if (err) {
        net_server_free(server);
        return err;
    }
    *ret_server = server;
    return BASE_OK;
}

void net_server_free(struct net_server *server)
{
    if (!server)
        return;
    net_listener_stop(server);
    if (server->context)
        context_free(server);
    net_loop_off_turn(server->options.loop, flush, server);
    net_msg_unref(server->ping);
    net_peers_free(server->peers);
    free(server->scratch);
    free(server);
}

int net_server_port(const struct net_server *server)
{
    return server->listener.port;
}

size_t net_server_connections(const struct net_server *server)
{
    return server->conn_count;
}

size_t net_server_websockets(const struct net_server *server)
{
    return server->websocket_count;
}

void net_server_stop_accepting(struct net_server *server)
{
    server->draining = true;
    net_listener_stop(server);
    for (struct net_conn *conn = server->conns; conn; conn = conn->next)
        if (conn->phase == NET_PHASE_IDLE)
            net_conn_drop(conn);
}

void net_server_close_all(struct net_server *server, int code, struct base_sv reason,
                          int64_t spread_ms)
{
    reason = base_utf8_cut(reason, sizeof(server->leave_text));
    if (reason.len)
        memcpy(server->leave_text, reason.ptr, reason.len);
    server->leave_reason = base_sv(server->leave_text, reason.len);
    server->leave_code = code;
    int64_t total = (int64_t)server->websocket_count;
    int64_t i = 0;
    for (struct net_conn *conn = server->conns; conn; conn = conn->next) {
        if (conn->phase != NET_PHASE_OPEN)
            continue;
        conn->leaving = true;
        net_conn_timeout(conn, i++ * spread_ms / total);
    }
}
