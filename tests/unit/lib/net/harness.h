/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server in a thread of its own and blocking raw sockets to talk to it, with time-outs, so that a
 * test can send exactly the bytes it means and fails instead of hanging.
 */
#ifndef TESTS_NET_HARNESS_H
#define TESTS_NET_HARNESS_H

#include <pthread.h>
#include <stdatomic.h>

#include "lib/net/server.h"

struct harness {
    struct net_server_options options; /* change between harness_init() and harness_start() */
    struct net_server_handlers handlers;
    struct net_loop *loop;
    struct net_server *server;
    pthread_t thread;
    int port;
    void *ctx;
};

void harness_init(struct harness *h);
void harness_start(struct harness *h);
void harness_stop(struct harness *h);
/* Runs fn(ctx) in the loop's thread and waits for it. */
void harness_call(struct harness *h, base_call_fn fn, void *ctx);

int peer_connect(const struct harness *h);
void peer_send(int fd, const void *bytes, size_t len);
void peer_send_c(int fd, const char *text);
/* Reads exactly len bytes; fails the test otherwise. */
void peer_read(int fd, void *dst, size_t len);
/* Reads up to a blank line; returns the length. dst gets a NUL. */
size_t peer_read_head(int fd, char *dst, size_t cap);
/* True if the server ends the connection within the time-out; what comes before is thrown away. */
bool peer_ended(int fd);

/* One answer: its head and its body; returns the status. */
int http_answer(int fd, char *head, size_t head_cap, char *body, size_t body_cap);

/* WebSocket */
int ws_connect(const struct harness *h, const char *more_headers);
/* A masked frame into dst; returns its length. */
size_t ws_frame(unsigned char *dst, unsigned first_byte, const void *payload, size_t len);
void ws_send(int fd, unsigned first_byte, const void *payload, size_t len);
void ws_send_text(int fd, const char *text);
/* Reads one frame; returns its first byte. dst gets a NUL. */
unsigned ws_read(int fd, char *dst, size_t cap, size_t *ret_len);
/* Expects exactly this text next. */
void ws_expect(int fd, const char *text);
/* Expects a close frame with this code next. */
void ws_expect_close(int fd, int code);

#endif
