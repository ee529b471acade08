/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket: handshake, whole messages in, close handshake, pings. lws hands messages over in
 * pieces of its own choosing, so they are joined here and their limit is kept here. Our own frames
 * bypass its framing, the close frame too: on libuv its own way of closing sends none.
 */
#include "lib/base/metrics.h"
#include "lib/base/utf8.h"
#include "lib/net/server_private.h"

enum { MESSAGE_KEEP = 4096 };

/* The headers live in the server's scratch buffer, which only a flush uses otherwise. */
struct arena {
    char *at;
    size_t room;
};

static struct base_sv header(struct net_conn *conn, struct arena *arena, enum lws_token_indexes h)
{
    struct base_sv text = net_http_copy(conn->wsi, h, arena->at, arena->room);
    if (text.len) {
        arena->at += text.len + 1;
        arena->room -= text.len + 1;
    }
    return text;
}

static void upgrade_info(struct net_conn *conn, struct arena *arena, struct net_upgrade *info)
{
    *arena = (struct arena){(char *)conn->server->scratch, NET_OUT_CHUNK};
    *info = (struct net_upgrade){
        .path = header(conn, arena, WSI_TOKEN_GET_URI),
        .origin = header(conn, arena, WSI_TOKEN_ORIGIN),
        .subprotocols = header(conn, arena, WSI_TOKEN_PROTOCOL),
        .authorization = header(conn, arena, WSI_TOKEN_HTTP_AUTHORIZATION),
        .user_agent = header(conn, arena, WSI_TOKEN_HTTP_USER_AGENT),
        .forwarded_for = header(conn, arena, WSI_TOKEN_X_FORWARDED_FOR),
        .remote = net_conn_remote(conn),
    };
}

static int refuse(struct net_conn *conn, int status, const char *more, enum net_refused reason)
{
    char *answer = (char *)conn->server->scratch + LWS_PRE;
    size_t len = net_http_refusal(status, more, answer, NET_OUT_CHUNK);
    base_metric_add(BASE_M_NET_REFUSED, reason, 1);
    base_metric_add(BASE_M_NET_HTTP, (size_t)status / 100 - 1, 1);
    (void)lws_write(conn->wsi, (unsigned char *)answer, len, LWS_WRITE_RAW);
    return -1;
}

static bool origin_allowed(const struct net_server_options *options, struct base_sv origin)
{
    if (!origin.len)
        return true;
    for (size_t i = 0; i < options->origin_count; i++)
        if (base_sv_eq(options->origins[i], SV("*")) || base_sv_eq_i(options->origins[i], origin))
            return true;
    return false;
}

int net_ws_confirm(struct net_conn *conn)
{
    const struct net_server_options *options = &conn->server->options;
    struct arena arena;
    struct net_upgrade info;
    upgrade_info(conn, &arena, &info);
    struct base_sv upgrade = header(conn, &arena, WSI_TOKEN_UPGRADE);
    struct base_sv key = header(conn, &arena, WSI_TOKEN_KEY);
    struct base_sv version = header(conn, &arena, WSI_TOKEN_VERSION);
    struct base_sv protocol = header(conn, &arena, WSI_TOKEN_HTTP);
    if (!base_sv_eq_i(upgrade, SV("websocket")))
        return -1; /* h2c, or lws has answered an unknown one already */
    /* RFC 6455, section 4.2.1: at least HTTP/1.1. */
    if (!info.path.len || key.len != 24 || !base_sv_ends(protocol, SV("1.1")))
        return refuse(conn, 400, "", NET_REFUSED_UPGRADE);
    if (!base_sv_eq(version, SV("13")))
        return refuse(conn, 426, "Sec-WebSocket-Version: 13\r\n", NET_REFUSED_UPGRADE);
    if (!options->handlers->on_upgrade)
        return refuse(conn, 404, "", NET_REFUSED_UPGRADE);
    if (conn->server->draining)
        return refuse(conn, 503, "Retry-After: 1\r\n", NET_REFUSED_UPGRADE);
    if (!origin_allowed(options, info.origin))
        return refuse(conn, 403, "", NET_REFUSED_ORIGIN);
    int status = options->handlers->on_upgrade(options->ctx, &info);
    return status ? refuse(conn, status, "", NET_REFUSED_UPGRADE) : 0;
}

void net_ws_open(struct net_conn *conn)
{
    struct net_server *server = conn->server;
    struct arena arena;
    struct net_upgrade info;
    upgrade_info(conn, &arena, &info);
    conn->phase = NET_PHASE_OPEN;
    conn->opened = true;
    server->websocket_count++;
    base_metric_add(BASE_M_NET_WEBSOCKETS, 0, 1);
    net_conn_timeout(conn, server->options.ping_interval_ms);
    server->options.handlers->on_open(server->options.ctx, conn, &info);
}

static void deliver(struct net_conn *conn, struct base_sv text)
{
    const struct net_server_options *options = &conn->server->options;
    base_metric_inc(BASE_M_NET_MESSAGES_IN);
    base_metric_add(BASE_M_NET_BYTES_IN, 0, (int64_t)text.len);
    options->handlers->on_message(options->ctx, conn, text);
}

int net_ws_receive(struct net_conn *conn, const char *bytes, size_t len)
{
    const struct net_server_options *options = &conn->server->options;
    struct base_buf *message = &conn->message;
    conn->heard = true;
    if (conn->phase != NET_PHASE_OPEN)
        return 0;
    if (lws_is_first_fragment(conn->wsi)) {
        base_buf_reset(message);
        if (lws_frame_is_binary(conn->wsi)) {
            net_conn_close(conn, NET_CLOSE_BINARY, SV("text only"));
            return 0;
        }
    }
    size_t more = lws_remaining_packet_payload(conn->wsi);
    if (message->len + len > options->max_message_bytes ||
        more > options->max_message_bytes - message->len - len) {
        base_metric_inc(BASE_M_NET_OVERSIZE);
        base_buf_done(message);
        net_conn_close(conn, NET_CLOSE_TOO_LARGE, SV("message too large"));
        return 0;
    }
    bool last = !more && lws_is_final_fragment(conn->wsi);
    if (last && !message->len) {
        deliver(conn, base_sv(bytes, len));
        return 0;
    }
    base_buf_add(message, base_sv(bytes, len));
    if (!base_buf_ok(message)) {
        net_conn_drop(conn); /* out of memory */
        return 0;
    }
    if (!last)
        return 0;
    deliver(conn, base_buf_sv(message));
    base_buf_reset(message);
    if (message->cap > MESSAGE_KEEP) {
        base_buf_done(message);
        base_buf_init(message, options->max_message_bytes);
    }
    return 0;
}

/* RFC 6455, sections 5.5.1 and 7.4, with what IANA has registered since. 0: nothing is wrong. */
static int close_error(int code, const unsigned char *payload, size_t len)
{
    if (len == 0)
        return 0;
    bool known = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                 (code >= 3000 && code <= 4999);
    if (!known)
        return NET_CLOSE_PROTOCOL;
    return base_utf8_valid(base_sv((const char *)payload + 2, len - 2)) ? 0 : NET_CLOSE_TEXT;
}

int net_ws_peer_close(struct net_conn *conn, const unsigned char *payload, size_t len)
{
    if (conn->phase == NET_PHASE_CLOSING && !conn->out.count)
        return -1; /* the answer to ours: done, without an echo by lws */
    net_out_clear(&conn->out);
    int code = len >= 2 ? payload[0] << 8 | payload[1] : NET_CLOSE_NONE;
    int wrong = close_error(code, payload, len);
    if (wrong) {
        net_conn_close(conn, wrong, SV("close frame"));
        net_out_flush(conn);
        return -1; /* lws would send back what came */
    }
    conn->phase = NET_PHASE_CLOSED;
    conn->close_code = code;
    net_conn_timeout(conn, conn->server->options.close_timeout_ms);
    return 0;
}

/* One timer is all: silence is met by a ping, silence after a ping by the end. */
void net_ws_timer(struct net_conn *conn)
{
    const struct net_server_options *options = &conn->server->options;
    if (conn->leaving) {
        net_conn_close(conn, conn->server->leave_code, conn->server->leave_reason);
        return;
    }
    if (conn->heard) {
        conn->heard = conn->pinged = false;
        net_conn_timeout(conn, options->ping_interval_ms);
        return;
    }
    if (conn->pinged || !net_out_push(conn, conn->server->ping, false)) {
        base_metric_inc(BASE_M_NET_TIMEOUTS);
        net_conn_drop(conn);
        return;
    }
    conn->pinged = true;
    net_conn_mark(conn);
    net_conn_timeout(conn, options->pong_timeout_ms);
}

void net_ws_gone(struct net_conn *conn)
{
    struct net_server *server = conn->server;
    if (!conn->opened)
        return;
    conn->opened = false;
    conn->phase = NET_PHASE_CLOSED;
    server->websocket_count--;
    base_metric_add(BASE_M_NET_WEBSOCKETS, 0, -1);
    server->options.handlers->on_close(server->options.ctx, conn, conn->close_code);
}

/* what connections offer */

void net_conn_set_user(struct net_conn *conn, void *user)
{
    conn->user = user;
}

void *net_conn_user(const struct net_conn *conn)
{
    return conn->user;
}

struct base_sv net_conn_remote(const struct net_conn *conn)
{
    return base_sv_from(conn->remote);
}

bool net_conn_closing(const struct net_conn *conn)
{
    return conn->phase != NET_PHASE_OPEN;
}

void net_conn_close(struct net_conn *conn, int code, struct base_sv reason)
{
    if (conn->phase != NET_PHASE_OPEN)
        return;
    struct net_msg *frame = net_frame_new_close(code, reason);
    conn->phase = NET_PHASE_CLOSING;
    conn->close_code = code;
    net_conn_timeout(conn, conn->server->options.close_timeout_ms);
    if (frame && net_out_push(conn, frame, false))
        net_conn_mark(conn);
    else
        net_conn_drop(conn);
    net_msg_unref(frame);
}

/* It did not keep up: what waits is dropped, because it can fetch that again when it comes back. */
static enum base_err too_slow(struct net_conn *conn)
{
    base_metric_inc(BASE_M_NET_SLOW_CLOSED);
    net_out_clear(&conn->out);
    net_conn_close(conn, NET_CLOSE_SLOW, SV("too slow"));
    return BASE_OVERLOADED;
}

enum base_err net_conn_send(struct net_conn *conn, struct net_msg *msg)
{
    if (conn->phase != NET_PHASE_OPEN)
        return BASE_UNAVAILABLE;
    if (conn->lagging && net_msg_over_limit())
        return too_slow(conn);
    if (!net_out_push(conn, msg, true)) {
        /* Much in one turn is no fault of the peer: it counts as slow when lws cannot write. */
        while (conn->out.count && !conn->lagging && !conn->dropped)
            net_out_flush(conn);
        if (!net_out_push(conn, msg, true))
            return too_slow(conn);
    }
    net_conn_mark(conn);
    return BASE_OK;
}
