/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many client connections in one thread and one epoll, for load generators: WebSocket, plain or in
 * TLS, or MQTT 3.1.1. Errors end the program: a bench that went on would measure something else.
 */
#ifndef BENCH_WS_CLIENT_H
#define BENCH_WS_CLIENT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

enum ws_wire { WS_PLAIN, WS_TLS, WS_MQTT };

struct ws_client {
    int fd;
    SSL *tls;
    enum ws_wire wire;
    bool open; /* upgraded, or subscribed */
    size_t index;
    char *rest; /* the begun frame, when one is cut */
    size_t rest_len;
    void *ctx;
};

struct ws_load {
    int epoll, port;
    enum ws_wire wire;
    SSL_CTX *tls;
    /* The connection is open; and a text frame, or an MQTT message, came. */
    void (*on_open)(struct ws_client *client);
    void (*on_text)(struct ws_client *client, const char *text, size_t length);
};

/* How long things took, in ms; beyond LATENCIES_MAX they are not kept. */
struct ws_latencies {
    float *ms;
    size_t count;
};
void ws_latencies_init(struct ws_latencies *latencies);
void ws_latencies_add(struct ws_latencies *latencies, double seconds);
/* Before the first ws_latencies_at. */
void ws_latencies_sort(struct ws_latencies *latencies);
/* What the share q of them stays below; 0 if there are none. */
double ws_latencies_at(const struct ws_latencies *latencies, double q);

/* The tokens of a file, a line each. */
char **ws_read_tokens(const char *path, size_t *ret_count);

/* Prints errno's reason and exits. */
_Noreturn void ws_die(const char *what);
/* Seconds of the monotonic clock. */
double ws_now(void);
void ws_load_init(struct ws_load *load, int port, enum ws_wire wire);
/* Connects and asks for the upgrade; MQTT: subscribes to "bench". */
void ws_open(struct ws_load *load, struct ws_client *client, size_t index);
void ws_send_raw(struct ws_client *client, const char *data, size_t length);
/* A masked text frame; MQTT: a message to "bench". */
void ws_send_text(struct ws_client *client, const char *text, size_t length);
/* The frame that a session of the gateway begins with. */
void ws_send_connect(struct ws_client *client, const char *token);
/* Whatever has come, for at most so many milliseconds. */
void ws_pump(struct ws_load *load, int wait_ms);

#endif
