/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the server share: listener.c accepts, request.c speaks HTTP, ws.c WebSocket,
 * out.c writes, server.c joins them with libwebsockets. Nothing of this is seen outside lib/net.
 *
 * libwebsockets' timers are a sorted list that only its own events serve, so every timeout here is
 * ours. And it is never told to close a connection from outside its callbacks: a connection to be
 * dropped has its socket shut down, which lws then meets as if the peer had left (net_conn_drop).
 */
#ifndef NET_SERVER_PRIVATE_H
#define NET_SERVER_PRIVATE_H

#include <libwebsockets.h>
#include <netinet/in.h>

#include "lib/net/frame.h"
#include "lib/net/peers.h"
#include "lib/net/server.h"
#include "lib/net/tls_private.h"

enum net_phase {
    NET_PHASE_HEADERS,   /* the first request's headers are awaited */
    NET_PHASE_IDLE,      /* keep-alive: the next request's */
    NET_PHASE_BODY,      /* a request's body is awaited */
    NET_PHASE_PENDING,   /* a request waits for its answer */
    NET_PHASE_ANSWERING, /* the answer is being written */
    NET_PHASE_OPEN,      /* WebSocket */
    NET_PHASE_CLOSING,   /* our close frame is in the ring or sent */
    NET_PHASE_CLOSED,    /* the peer's close frame came, or it is lost */
};

enum net_refused {
    NET_REFUSED_LIMIT,
    NET_REFUSED_ADDRESS,
    NET_REFUSED_ORIGIN,
    NET_REFUSED_UPGRADE,
    NET_REFUSED_MEMORY,
    NET_REFUSED_ADOPTING, /* lws did not take it: no TLS where there must be, or no memory */
    NET_REFUSED_COUNT
};

/* The ring of messages waiting. Grows up to the limits and is given back when it runs empty. */
struct net_out {
    struct net_msg **slots;
    size_t cap; /* a power of two */
    size_t first;
    size_t count;
    size_t bytes;
};

struct net_answer {
    size_t len;
    size_t at;
    bool close;           /* the connection ends with it */
    unsigned char data[]; /* LWS_PRE bytes of room, then len bytes */
};

struct net_conn {
    struct net_server *server;
    struct lws *wsi;
    struct net_conn *next;
    struct net_conn **pprev;
    struct net_conn *dirty_next;
    struct net_conn **dirty_pprev; /* NULL: not dirty */
    void *user;
    struct net_wheel_timer timer;
    enum net_phase phase;
    int close_code;
    bool adopting;  /* lws is still making it */
    bool destroyed; /* while it did, it gave up */
    bool dead;      /* lws has let it go */
    bool opened;    /* on_open was called, on_close was not */
    bool heard;     /* something came since the timer fired last */
    bool pinged;    /* a ping waits for its pong */
    bool lagging;   /* lws holds the rest of an earlier write */
    bool dropped;   /* its socket was shut down */
    bool pipelined; /* the next request may have been read together with the last one */
    bool leaving;   /* the timer stands for its turn in net_server_close_all() */
    struct net_out out;
    struct base_buf message; /* a message that came in pieces */
    struct net_request *request;
    struct net_answer *answer;
    int64_t answer_until_us;
    char remote[INET6_ADDRSTRLEN]; /* counted in the server's peers */
};

struct net_server {
    struct net_server_options options;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct lws_protocols protocols[2];
    void *ssl_ctx; /* the vhost's SSL_CTX; NULL: no TLS */
    struct net_conn *conns;
    struct net_conn *dirty;
    struct net_msg *ping;
    unsigned char *scratch; /* where a turn's messages are joined */
    size_t conn_count;
    size_t websocket_count;
    struct net_peers *peers;
    bool draining;
    int leave_code;
    struct base_sv leave_reason;
    char leave_text[NET_CONTROL_MAX];
    struct {
        int fd; /* -1: not listening */
        int port;
        struct base_io *io;
        struct net_wheel_timer pause; /* out of descriptors: try again later */
    } listener;
};

/* listener.c */
enum base_err net_listener_start(struct net_server *server, struct base_buf *errors);
void net_listener_stop(struct net_server *server);

/* server.c */
/* The caller has entered remote into the peers; net_conn_free takes it out again. */
struct net_conn *net_conn_new(struct net_server *server, const char *remote);
void net_conn_free(struct net_conn *conn);
/* What lws_adopt… returned. False: it does not want it, and conn is gone or will be. */
bool net_conn_adopted(struct net_conn *conn, struct lws *wsi);
void net_conn_mark(struct net_conn *conn);
void net_conn_drop(struct net_conn *conn);
void net_conn_timeout(struct net_conn *conn, int64_t after_ms);

/* out.c */
enum { NET_OUT_CHUNK = 64 * 1024 };
/* Takes its own reference. False: no memory or, for messages, above the limits. */
bool net_out_push(struct net_conn *conn, struct net_msg *msg, bool limited);
void net_out_clear(struct net_out *out);
/* Writes what fits. */
void net_out_flush(struct net_conn *conn);

/* ws.c */
int net_ws_confirm(struct net_conn *conn);
void net_ws_open(struct net_conn *conn);
int net_ws_receive(struct net_conn *conn, const char *bytes, size_t len);
int net_ws_peer_close(struct net_conn *conn, const unsigned char *payload, size_t len);
void net_ws_timer(struct net_conn *conn);
void net_ws_gone(struct net_conn *conn);

/* request.c */
int net_http_begin(struct net_conn *conn);
int net_http_body(struct net_conn *conn, const char *bytes, size_t len);
void net_http_body_end(struct net_conn *conn);
int net_http_writable(struct net_conn *conn);
void net_http_kick(struct net_conn *conn);
void net_http_gone(struct net_conn *conn);
/* One header as text, into dst with a NUL; the empty view if absent, too long or unwanted. */
struct base_sv net_http_copy(struct lws *wsi, enum lws_token_indexes token, char *dst, size_t cap);
/* A whole answer without content. */
size_t net_http_refusal(int status, const char *more, char *dst, size_t cap);

#endif
