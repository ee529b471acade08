/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One GET again and again over kept connections, open loop: one thread, epoll.
 *
 *     http_load PORT PATH TOKENS CONNECTIONS SECONDS RATE
 *
 * TOKENS names a file with a token a line; each request takes the next one. So many requests a
 * second become due; latency counts from then, also when all connections were still busy. One JSON
 * line of results.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { IN_MAX = 1 << 20, TOKENS_MAX = 4096, TOKEN_MAX = 1024, CONNECTIONS_MAX = 512 };

struct conn {
    int fd;
    double due; /* of the request under way; 0: none is */
    size_t used;
    char in[IN_MAX];
};

static char tokens[TOKENS_MAX][TOKEN_MAX];
static size_t token_count, next_token;
/* In turn, so that none stays idle for so long that it is closed. */
static struct conn *free_ring[CONNECTIONS_MAX];
static size_t free_first, free_count;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void add_free(struct conn *conn)
{
    free_ring[(free_first + free_count++) % CONNECTIONS_MAX] = conn;
}

static struct conn *take_free(void)
{
    struct conn *conn = free_ring[free_first];
    free_first = (free_first + 1) % CONNECTIONS_MAX;
    free_count--;
    return conn;
}

static void open_conn(struct conn *conn, int port, int epoll)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
    conn->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (conn->fd < 0 || connect(conn->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        die("connect");
    (void)setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, conn->fd, &event) < 0)
        die("epoll_ctl");
    add_free(conn);
}

static void ask(struct conn *conn, const char *path, double due)
{
    char request[TOKEN_MAX + 512];
    int length = snprintf(request, sizeof(request),
                          "GET %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n\r\n",
                          path, tokens[next_token++ % token_count]);
    conn->due = due;
    if (send(conn->fd, request, (size_t)length, MSG_NOSIGNAL) != length)
        die("send");
}

/* True when the whole answer is there. */
static int answered(const struct conn *conn)
{
    const char *end = memmem(conn->in, conn->used, "\r\n\r\n", 4);
    const char *length = memmem(conn->in, conn->used, "Content-Length: ", 16);
    if (!end || !length)
        return 0;
    return conn->used >= (size_t)(end + 4 - conn->in) + strtoul(length + 16, NULL, 10);
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void read_tokens(const char *name)
{
    FILE *file = fopen(name, "r");
    if (!file)
        die(name);
    while (token_count < TOKENS_MAX && fgets(tokens[token_count], TOKEN_MAX, file)) {
        tokens[token_count][strcspn(tokens[token_count], "\n")] = '\0';
        token_count++;
    }
    (void)fclose(file);
}

int main(int argc, char **argv)
{
    if (argc != 7)
        return 2;
    int port = (int)strtol(argv[1], NULL, 10), epoll = epoll_create1(0);
    size_t conns = strtoul(argv[4], NULL, 10);
    double seconds = strtod(argv[5], NULL), rate = strtod(argv[6], NULL);
    size_t total = (size_t)(seconds * rate), sent = 0, done = 0, errors = 0, bytes = 0;
    float *latencies = calloc(total + 1, sizeof(*latencies));
    struct conn *all = calloc(conns, sizeof(*all));
    read_tokens(argv[3]);
    if (!all || !latencies || conns > CONNECTIONS_MAX || token_count == 0)
        return 1;
    for (size_t i = 0; i < conns; i++)
        open_conn(&all[i], port, epoll);
    double start = now();
    while (done < total && now() < start + seconds * 3) {
        struct epoll_event events[64];
        while (free_count && sent < total && start + (double)sent / rate <= now()) {
            ask(take_free(), argv[2], start + (double)sent / rate);
            sent++;
        }
        int n = epoll_wait(epoll, events, 64, free_count && sent < total ? 0 : 1);
        for (int i = 0; i < n; i++) {
            struct conn *conn = events[i].data.ptr;
            ssize_t got = recv(conn->fd, conn->in + conn->used, IN_MAX - conn->used, 0);
            if (got <= 0)
                die("recv");
            conn->used += (size_t)got;
            if (!answered(conn))
                continue;
            errors += memcmp(conn->in, "HTTP/1.1 200", 12) != 0;
            bytes += conn->used;
            latencies[done++] = (float)((now() - conn->due) * 1000);
            conn->used = 0;
            add_free(conn);
        }
    }
    double took = now() - start;
    qsort(latencies, done, sizeof(*latencies), by_value);
    printf("{\"rate\":%.1f,\"done\":%zu,\"errors\":%zu,\"bytes\":%zu,\"p50_ms\":%.3f,\"p99_ms\":%."
           "3f}\n",
           (double)done / took, done, errors, done ? bytes / done : 0,
           done ? (double)latencies[done / 2] : 0, done ? (double)latencies[done * 99 / 100] : 0);
    return done == total && errors == 0 ? 0 : 1;
}
