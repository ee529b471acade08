/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a WebSocket message costs the server: CPU time of the server's thread per echo of 64 bytes,
 * and per delivery of a fan-out of 200 bytes. Clients are plain sockets in this process.
 *
 *     net_echo [CONNECTIONS [IN_FLIGHT [ROUNDS]]]
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/net/server.h"

enum { ECHO_BYTES = 64, FANOUT_BYTES = 200, FRAME_MAX = 512 };

struct bench {
    struct net_loop *loop;
    struct net_server *server;
    struct net_conn **conns;
    size_t conn_count;
    pthread_t thread;
    int *fds;
    size_t n;
    atomic_size_t open;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int on_upgrade(void *ctx, const struct net_upgrade *info)
{
    (void)ctx;
    (void)info;
    return 0;
}

static void on_open(void *ctx, struct net_conn *conn, const struct net_upgrade *info)
{
    struct bench *bench = ctx;
    (void)info;
    bench->conns[bench->conn_count++] = conn;
    atomic_store(&bench->open, bench->conn_count);
}

static void on_message(void *ctx, struct net_conn *conn, struct base_sv text)
{
    (void)ctx;
    struct net_msg *msg = net_msg_new_text(text);
    (void)net_conn_send(conn, msg);
    net_msg_unref(msg);
}

static void on_close(void *ctx, struct net_conn *conn, int code)
{
    (void)ctx;
    (void)conn;
    (void)code;
}

static void fan_out(void *ctx)
{
    struct bench *bench = ctx;
    char text[FANOUT_BYTES];
    memset(text, 'f', sizeof(text));
    struct net_msg *msg = net_msg_new_text(base_sv(text, sizeof(text)));
    for (size_t i = 0; i < bench->conn_count; i++)
        (void)net_conn_send(bench->conns[i], msg);
    net_msg_unref(msg);
}

static void *serve(void *ctx)
{
    net_loop_run(((struct bench *)ctx)->loop);
    return NULL;
}

static int connect_one(int port)
{
    static const char handshake[] = "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                                    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char head[1000];
    size_t len = 0;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
        send(fd, handshake, sizeof(handshake) - 1, 0) < 0)
        die("connect");
    while (len < 4 || memcmp(head + len - 4, "\r\n\r\n", 4) != 0)
        if (len == sizeof(head) || recv(fd, head + len++, 1, 0) != 1)
            die("handshake");
    return fd;
}

static void read_all(int fd, size_t len)
{
    static char bin[65536];
    while (len) {
        ssize_t n = recv(fd, bin, len < sizeof(bin) ? len : sizeof(bin), 0);
        if (n <= 0)
            die("recv");
        len -= (size_t)n;
    }
}

static double thread_us(pthread_t thread)
{
    clockid_t clock;
    struct timespec at;
    if (pthread_getcpuclockid(thread, &clock) != 0 || clock_gettime(clock, &at) != 0)
        die("clock");
    return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static double echo(struct bench *bench, size_t in_flight, size_t rounds)
{
    unsigned char *burst = calloc(in_flight, ECHO_BYTES + 6);
    for (size_t i = 0; i < in_flight; i++) {
        unsigned char *frame = burst + i * (ECHO_BYTES + 6);
        frame[0] = 0x81;
        frame[1] = 0x80 | ECHO_BYTES;
        memset(frame + 2, 0x20, 4); /* masks 'E' into 'e' */
        memset(frame + 6, 'E', ECHO_BYTES);
    }
    double before_us = thread_us(bench->thread);
    for (size_t r = 0; r < rounds; r++) {
        for (size_t i = 0; i < bench->n; i++)
            if (send(bench->fds[i], burst, in_flight * (ECHO_BYTES + 6), 0) < 0)
                die("send");
        for (size_t i = 0; i < bench->n; i++)
            read_all(bench->fds[i], in_flight * (ECHO_BYTES + 2));
    }
    free(burst);
    return (thread_us(bench->thread) - before_us) / (double)(rounds * bench->n * in_flight);
}

static double deliver(struct bench *bench, size_t rounds)
{
    double before_us = thread_us(bench->thread);
    for (size_t r = 0; r < rounds; r++) {
        if (base_loop_post(net_loop_base(bench->loop), fan_out, bench))
            die("post");
        for (size_t i = 0; i < bench->n; i++)
            read_all(bench->fds[i], FANOUT_BYTES + 4);
    }
    return (thread_us(bench->thread) - before_us) / (double)(rounds * bench->n);
}

static size_t argument(int argc, char **argv, int i, size_t otherwise)
{
    return argc > i ? strtoul(argv[i], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    static const struct net_server_handlers handlers = {.on_upgrade = on_upgrade,
                                                        .on_open = on_open,
                                                        .on_message = on_message,
                                                        .on_close = on_close};
    struct net_server_options options;
    struct base_buf errors;
    struct bench bench = {.n = argument(argc, argv, 1, 100)};
    size_t in_flight = argument(argc, argv, 2, 1);
    size_t rounds = argument(argc, argv, 3, 2000);
    bench.fds = calloc(bench.n, sizeof(int));
    bench.conns = calloc(bench.n, sizeof(struct net_conn *));
    base_buf_init(&errors, 500);
    net_server_options_init(&options);
    options.handlers = &handlers;
    options.ctx = &bench;
    if (!bench.fds || !bench.conns || net_loop_new(&bench.loop))
        die("memory");
    options.loop = bench.loop;
    if (net_server_new(&options, &errors, &bench.server)) {
        (void)fprintf(stderr, "%.*s\n", SV_FMT(base_buf_sv(&errors)));
        return 1;
    }
    int port = net_server_port(bench.server);
    if (pthread_create(&bench.thread, NULL, serve, &bench) != 0)
        die("thread");
    for (size_t i = 0; i < bench.n; i++)
        bench.fds[i] = connect_one(port);
    while (atomic_load(&bench.open) < bench.n)
        (void)usleep(1000);
    (void)printf("%zu connections, %zu in flight: %.2f us of CPU per echo of %d bytes\n", bench.n,
                 in_flight, echo(&bench, in_flight, rounds), ECHO_BYTES);
    (void)printf("%zu connections: %.2f us of CPU per delivery of %d bytes\n", bench.n,
                 deliver(&bench, rounds), FANOUT_BYTES);
    net_loop_stop(bench.loop);
    (void)pthread_join(bench.thread, NULL);
    net_server_free(bench.server);
    net_loop_free(bench.loop);
    for (size_t i = 0; i < bench.n; i++)
        (void)close(bench.fds[i]);
    free(bench.fds);
    free(bench.conns);
    return 0;
}
