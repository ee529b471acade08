/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 and WebSocket server on one loop, over libwebsockets. One server per thread and
 * address: each has its own SO_REUSEPORT listener and shares nothing with the others. Everything
 * here belongs to the loop's thread, except messages (msg.h).
 *
 * What callers rely on: callbacks never come from inside net_conn_send(), net_conn_close() or
 * net_respond(); a connection lives from on_open until on_close returns, and on_close comes exactly
 * once; a request lives until it is answered, even if its client has gone.
 *
 * A connection serves one request at a time; pipelined ones are answered in order, but one with a
 * body that was sent ahead of the answer before it ends the connection unanswered (see request.c).
 * Chunked requests get 411; POST, PUT and PATCH without Content-Length have no body and end it.
 */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include "lib/base/buf.h"
#include "lib/net/loop.h"
#include "lib/net/msg.h"
#include "lib/net/tls.h"

struct net_server;
struct net_conn;
struct net_request;

/* The close codes the server itself uses; applications add 4000 to 4999. */
enum net_close {
    NET_CLOSE_NORMAL = 1000,
    NET_CLOSE_GOING_AWAY = 1001,
    NET_CLOSE_PROTOCOL = 1002,
    NET_CLOSE_BINARY = 1003, /* only text is spoken here */
    NET_CLOSE_NONE = 1005,   /* on_close only: the peer gave no code */
    NET_CLOSE_LOST = 1006,   /* on_close only: the connection broke */
    NET_CLOSE_TEXT = 1007,   /* not UTF-8 */
    NET_CLOSE_POLICY = 1008,
    NET_CLOSE_TOO_LARGE = 1009,
    NET_CLOSE_RESTART = 1012,
    NET_CLOSE_SLOW = 1013, /* it did not read its messages fast enough; it may resume */
};

struct net_header {
    struct base_sv name;
    struct base_sv value;
};

/* A WebSocket handshake. Views hold during the callback only; absent headers are empty. */
struct net_upgrade {
    struct base_sv path; /* percent-decoded, without the query */
    struct base_sv origin;
    struct base_sv subprotocols; /* as offered */
    struct base_sv authorization;
    struct base_sv user_agent;
    struct base_sv forwarded_for;
    struct base_sv remote; /* numeric address of the peer */
};

struct net_server_handlers {
    /* How long a body this request may bring, known by its headers only; a longer one gets 413. 0:
     * max_body_bytes of the options. NULL: that for all. */
    size_t (*body_limit)(void *ctx, const struct net_request *req);
    /* A whole request; answer it once by net_respond(), now or later. */
    void (*on_request)(void *ctx, struct net_request *req);
    /* 0 accepts, otherwise the HTTP status of the refusal. NULL: no WebSocket here (404). The
     * Origin has been checked already. */
    int (*on_upgrade)(void *ctx, const struct net_upgrade *info);
    void (*on_open)(void *ctx, struct net_conn *conn, const struct net_upgrade *info);
    /* A whole text message, valid UTF-8; the view holds during the call. Never after
     * net_conn_close() or a full ring. */
    void (*on_message)(void *ctx, struct net_conn *conn, struct base_sv text);
    /* code: what the peer sent, or what we closed with, or NET_CLOSE_LOST. */
    void (*on_close)(void *ctx, struct net_conn *conn, int code);
};

struct net_server_options {
    struct net_loop *loop;
    const char *address;     /* numeric, IPv4 or IPv6 */
    int port;                /* 0: any free one, see net_server_port() */
    const char *subprotocol; /* chosen when offered; NULL: none */
    /* Exact values of the Origin header that may open WebSockets, "*" for all; a handshake without
     * Origin is no browser's and passes. The array must live as long as the server. */
    const struct base_sv *origins;
    size_t origin_count;
    size_t max_connections; /* of all kinds; more are closed at once */
    size_t max_per_address; /* of them; 0: no limit */
    size_t max_message_bytes;
    size_t max_queue_messages; /* waiting per connection: one more closes it with 1013 */
    size_t max_queue_bytes;
    size_t max_header_bytes;   /* of one request, all headers together */
    size_t max_body_bytes;     /* of one request (413) */
    int64_t header_timeout_ms; /* from accept to the first request's last header */
    int64_t body_timeout_ms;
    int64_t idle_timeout_ms; /* HTTP keep-alive, until the next request's last header */
    int64_t ping_interval_ms;
    int64_t pong_timeout_ms;  /* silence after a ping until the connection counts as lost */
    int64_t close_timeout_ms; /* for the peer's half of the closing handshake */
    /* TLS with what was loaded from these files; NULL: none. */
    struct net_tls *tls;
    const char *certificate_file, *key_file;
    const struct net_server_handlers *handlers;
    void *ctx;
};

/* Defaults for all but loop, handlers and ctx: 127.0.0.1, any port, no origin. */
void net_server_options_init(struct net_server_options *options);

/* On failure (BASE_CONFLICT: the port is in use) errors says what and where. The strings of the
 * options must live as long as the server. */
BASE_MUST_CHECK enum base_err net_server_new(const struct net_server_options *options,
                                             struct base_buf *errors,
                                             struct net_server **ret_server);
/* Outside net_loop_run() only. Closes what is open without a handshake; on_close is called for
 * each. Requests not answered yet stay valid until they are. NULL is fine. */
void net_server_free(struct net_server *server);

int net_server_port(const struct net_server *server);
/* Open sockets of all kinds. */
size_t net_server_connections(const struct net_server *server);
/* Of them WebSockets, from on_open to on_close. */
size_t net_server_websockets(const struct net_server *server);

/* Draining: no new connections, and answers from here on end their HTTP connection. */
void net_server_stop_accepting(struct net_server *server);
/* Closes every WebSocket, spread evenly over the time so that clients do not return all at once. */
void net_server_close_all(struct net_server *server, int code, struct base_sv reason,
                          int64_t spread_ms);

/* WebSocket connections */

void net_conn_set_user(struct net_conn *conn, void *user);
void *net_conn_user(const struct net_conn *conn);
/* Numeric address of the peer; lives as long as the connection. */
struct base_sv net_conn_remote(const struct net_conn *conn);

/* Puts the message into the connection's ring; it is written at the end of the loop's turn,
 * together with the turn's other messages. Takes its own reference.
 * BASE_OVERLOADED: the ring was full, the connection is now closing with 1013.
 * BASE_UNAVAILABLE: it is closing already. Callers may ignore both: on_close follows. */
enum base_err net_conn_send(struct net_conn *conn, struct net_msg *msg);

/* Messages waiting are sent before the close frame. reason: at most 123 bytes, cut otherwise. */
void net_conn_close(struct net_conn *conn, int code, struct base_sv reason);
bool net_conn_closing(const struct net_conn *conn);

/* HTTP requests. Views live until the request is answered. */

struct base_sv net_request_method(const struct net_request *req);
/* Percent-decoded, without the query; "/a/../b" has become "/b". */
struct base_sv net_request_path(const struct net_request *req);
struct base_sv net_request_body(const struct net_request *req);
struct base_sv net_request_remote(const struct net_request *req);
/* By lower-case name; the empty view with ptr NULL if absent or not among those kept:
 * see net_request_header_names in request.c. */
struct base_sv net_request_header(const struct net_request *req, struct base_sv name);
/* The i-th argument of the query, percent-decoded, as "name=value"; ptr NULL after the last. */
struct base_sv net_request_arg_at(const struct net_request *req, size_t i);
/* The value of the first argument of that name; ptr NULL if there is none. */
struct base_sv net_request_arg(const struct net_request *req, struct base_sv name);
/* The client has gone: nobody will read the answer (net_respond() is still due). */
bool net_request_gone(const struct net_request *req);
void net_request_set_user(struct net_request *req, void *user);
void *net_request_user(const struct net_request *req);

/* Answers and frees the request; exactly once. Content-Length, Date and Connection are added; a
 * header whose value holds a line break or NUL is left out. A HEAD gets its length without body. */
void net_respond(struct net_request *req, int status, const struct net_header *headers, size_t n,
                 struct base_sv body);

#endif
