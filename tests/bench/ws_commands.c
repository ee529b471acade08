/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chat commands over many WebSocket sessions: one thread, epoll, one user for each session.
 *
 *     ws_commands PORT TOKENS SECONDS RATE TEXT
 *
 * TOKENS names a file with a token a line. RATE 0: closed loop, one command under way in each
 * session. Otherwise open loop: so many commands a second, spread over the sessions, and latency
 * counts from the moment a command was due, also when its session was still busy. TEXT may hold
 * %d, which becomes a number. One JSON line of results.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SESSIONS_MAX = 4096, IN_MAX = 1 << 20, LATENCIES_MAX = 4 << 20, BACKLOG_MAX = 4096 };

enum phase { UPGRADING, CONNECTING, READY };

struct session {
    int fd;
    enum phase phase;
    bool busy;
    double sent_at;              /* or was due */
    double backlog[BACKLOG_MAX]; /* due while it was busy */
    size_t first, last;
    size_t used;
    char *in;
};

static struct {
    struct session *sessions;
    size_t count, ready;
    int epoll;
    const char *text;
    long long number, replies, errors;
    float *latencies;
    size_t latency_count;
    bool measuring;
} load;

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

static void send_all(struct session *session, const char *data, size_t length)
{
    while (length) {
        ssize_t n = send(session->fd, data, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            continue;
        if (n <= 0)
            die("send");
        data += n;
        length -= (size_t)n;
    }
}

/* A masked text frame; a mask of zeros is a mask (RFC 6455 5.3). */
static void send_text(struct session *session, const char *text, size_t length)
{
    static char frame[8192];
    size_t head = 0;
    if (length > sizeof(frame) - 16)
        die("text too long");
    frame[head++] = (char)0x81;
    if (length < 126) {
        frame[head++] = (char)(0x80 | length);
    } else {
        frame[head++] = (char)(0x80 | 126);
        frame[head++] = (char)(length >> 8);
        frame[head++] = (char)(length & 255);
    }
    memset(frame + head, 0, 4);
    head += 4;
    memcpy(frame + head, text, length);
    send_all(session, frame, head + length);
}

static void send_command(struct session *session, double due)
{
    char text[512], frame[1024];
    long long number = load.number++;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(text, sizeof(text), load.text, (int)(number % 1000000));
#pragma GCC diagnostic pop
    int length =
        snprintf(frame, sizeof(frame), "{\"type\":\"message\",\"id\":\"c%lld-%d\",\"text\":\"%s\"}",
                 number, (int)getpid(), text);
    session->busy = true;
    session->sent_at = due;
    send_text(session, frame, (size_t)length);
}

static void send_due(struct session *session, double due)
{
    if (!session->busy) {
        send_command(session, due);
        return;
    }
    size_t next = (session->last + 1) % BACKLOG_MAX;
    if (next == session->first)
        die("a session fell too far behind");
    session->backlog[session->last] = due;
    session->last = next;
}

static bool closed_loop;

static void on_text(struct session *session, const char *text, size_t length)
{
    static const char connected[] = "{\"type\":\"connected\"", reply[] = "{\"type\":\"reply\"",
                      error[] = "{\"type\":\"error\"";
    if (length > sizeof(connected) && memcmp(text, connected, sizeof(connected) - 1) == 0) {
        session->phase = READY;
        load.ready++;
        return;
    }
    bool is_error = length > sizeof(error) && memcmp(text, error, sizeof(error) - 1) == 0;
    if (is_error && load.errors++ == 0)
        (void)fprintf(stderr, "%.*s\n", (int)length, text);
    if (!is_error && (length < sizeof(reply) || memcmp(text, reply, sizeof(reply) - 1) != 0))
        return;
    if (load.measuring) {
        load.replies += !is_error;
        if (load.latency_count < LATENCIES_MAX)
            load.latencies[load.latency_count++] = (float)(now() - session->sent_at);
    }
    session->busy = false;
    if (session->first != session->last) {
        double due = session->backlog[session->first];
        session->first = (session->first + 1) % BACKLOG_MAX;
        send_command(session, due);
    } else if (closed_loop && load.measuring) {
        send_command(session, now());
    }
}

static void on_upgraded(struct session *session, const char *token)
{
    char frame[4096];
    int length = snprintf(
        frame, sizeof(frame),
        "{\"type\":\"connect\",\"token\":\"%s\",\"device\":\"bench\",\"timezone\":\"UTC\"}", token);
    session->phase = CONNECTING;
    send_text(session, frame, (size_t)length);
}

/* Whole frames from the front of the buffer. */
static void take_frames(struct session *session, char **tokens)
{
    size_t at = 0;
    if (session->phase == UPGRADING) {
        session->in[session->used] = '\0';
        char *end = strstr(session->in, "\r\n\r\n");
        if (!end)
            return;
        if (strncmp(session->in, "HTTP/1.1 101", 12) != 0)
            die("the upgrade was refused");
        at = (size_t)(end - session->in) + 4;
        on_upgraded(session, tokens[session - load.sessions]);
    }
    while (session->used - at >= 2) {
        const unsigned char *h = (const unsigned char *)session->in + at;
        size_t head = 2, length = h[1] & 127;
        if (length == 126 && session->used - at >= 4) {
            length = (size_t)h[2] << 8 | h[3];
            head = 4;
        } else if (length == 127 && session->used - at >= 10) {
            length = 0;
            for (int i = 2; i < 10; i++)
                length = length << 8 | h[i];
            head = 10;
        } else if (length >= 126) {
            break;
        }
        if (session->used - at < head + length)
            break;
        if ((h[0] & 15) == 1)
            on_text(session, session->in + at + head, length);
        else if ((h[0] & 15) == 8)
            die("the server closed a session");
        at += head + length;
    }
    memmove(session->in, session->in + at, session->used - at);
    session->used -= at;
}

static void pump(char **tokens, int wait_ms)
{
    struct epoll_event events[256];
    int n = epoll_wait(load.epoll, events, 256, wait_ms);
    for (int i = 0; i < n; i++) {
        struct session *session = events[i].data.ptr;
        ssize_t got = recv(session->fd, session->in + session->used, IN_MAX - 1 - session->used, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            die("recv");
        if (got > 0) {
            session->used += (size_t)got;
            take_frames(session, tokens);
        }
    }
}

static void open_session(struct session *session, int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int one = 1;
    char request[256];
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    session->in = malloc(IN_MAX);
    session->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (!session->in || session->fd < 0 ||
        connect(session->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        die("connect");
    (void)setsockopt(session->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    int length = snprintf(request, sizeof(request),
                          "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: todo.v1\r\n\r\n",
                          port);
    send_all(session, request, (size_t)length);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = session};
    if (epoll_ctl(load.epoll, EPOLL_CTL_ADD, session->fd, &event) != 0)
        die("epoll_ctl");
}

static char **read_tokens(const char *path, size_t *ret_count)
{
    static char *tokens[SESSIONS_MAX];
    char line[4096];
    FILE *file = fopen(path, "r");
    if (!file)
        die(path);
    while (*ret_count < SESSIONS_MAX && fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\r\n")] = '\0';
        tokens[(*ret_count)++] = strdup(line);
    }
    (void)fclose(file);
    return tokens;
}

static int by_value(const void *a, const void *b)
{
    float left = *(const float *)a, right = *(const float *)b;
    return (left > right) - (left < right);
}

static double share(double q)
{
    if (!load.latency_count)
        return 0;
    return load.latencies[(size_t)((double)(load.latency_count - 1) * q)] * 1e3;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        (void)fprintf(stderr, "usage: ws_commands PORT TOKENS SECONDS RATE TEXT\n");
        return 2;
    }
    int port = (int)strtol(argv[1], NULL, 10);
    double seconds = strtod(argv[3], NULL), rate = strtod(argv[4], NULL);
    char **tokens = read_tokens(argv[2], &load.count);
    load.text = argv[5];
    load.sessions = calloc(load.count, sizeof(*load.sessions));
    load.latencies = malloc(LATENCIES_MAX * sizeof(*load.latencies));
    load.epoll = epoll_create1(0);
    if (!load.sessions || !load.latencies || load.epoll < 0)
        die("memory");
    for (size_t i = 0; i < load.count; i++) {
        open_session(&load.sessions[i], port);
        while (load.ready + 32 < i)
            pump(tokens, 10);
    }
    while (load.ready < load.count)
        pump(tokens, 10);
    closed_loop = rate <= 0;
    load.measuring = true;
    double start = now(), next = start;
    for (size_t i = 0; closed_loop && i < load.count; i++)
        send_command(&load.sessions[i], start);
    size_t turn = 0;
    while (now() - start < seconds) {
        double t = now();
        for (; !closed_loop && next <= t; next += 1 / rate)
            send_due(&load.sessions[turn++ % load.count], next);
        double left_ms = closed_loop ? 50 : (next - now()) * 1e3;
        pump(tokens, left_ms < 1 ? 0 : left_ms > 50 ? 50 : (int)left_ms);
    }
    double took = now() - start;
    load.measuring = false;
    for (double end = now() + 10; now() < end;) { /* let those under way end */
        size_t busy = 0;
        for (size_t i = 0; i < load.count; i++)
            busy += load.sessions[i].busy;
        if (!busy)
            break;
        pump(tokens, 10);
    }
    qsort(load.latencies, load.latency_count, sizeof(*load.latencies), by_value);
    (void)printf("{\"replies\": %lld, \"errors\": %lld, \"seconds\": %.3f, \"rate\": %.1f, "
                 "\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}\n",
                 load.replies, load.errors, took, (double)load.replies / took, share(0.5),
                 share(0.99), share(1));
    return load.errors ? 1 : 0;
}
