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
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/ws_client.h"

enum { BACKLOG_MAX = 4096 };

struct session {
    struct ws_client client;
    bool ready, busy;
    double sent_at;              /* or was due */
    double backlog[BACKLOG_MAX]; /* due while it was busy */
    size_t first, last;
};

static struct {
    struct ws_load load;
    struct session *sessions;
    char **tokens;
    size_t count, ready;
    const char *text;
    long long number, replies, errors;
    struct ws_latencies latencies;
    bool measuring;
} bench;

static void send_command(struct session *session, double due)
{
    char text[512], frame[1024];
    long long number = bench.number++;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(text, sizeof(text), bench.text, (int)(number % 1000000));
#pragma GCC diagnostic pop
    int length =
        snprintf(frame, sizeof(frame), "{\"type\":\"message\",\"id\":\"c%lld-%d\",\"text\":\"%s\"}",
                 number, (int)getpid(), text);
    session->busy = true;
    session->sent_at = due;
    ws_send_text(&session->client, frame, (size_t)length);
}

static void send_due(struct session *session, double due)
{
    if (!session->busy) {
        send_command(session, due);
        return;
    }
    size_t next = (session->last + 1) % BACKLOG_MAX;
    if (next == session->first)
        ws_die("a session fell too far behind");
    session->backlog[session->last] = due;
    session->last = next;
}

static bool closed_loop;

static void on_text(struct ws_client *client, const char *text, size_t length)
{
    static const char connected[] = "{\"type\":\"connected\"", reply[] = "{\"type\":\"reply\"",
                      error[] = "{\"type\":\"error\"";
    struct session *session = client->ctx;
    if (length > sizeof(connected) && memcmp(text, connected, sizeof(connected) - 1) == 0) {
        session->ready = true;
        bench.ready++;
        return;
    }
    bool is_error = length > sizeof(error) && memcmp(text, error, sizeof(error) - 1) == 0;
    if (is_error && bench.errors++ == 0)
        (void)fprintf(stderr, "%.*s\n", (int)length, text);
    if (!is_error && (length < sizeof(reply) || memcmp(text, reply, sizeof(reply) - 1) != 0))
        return;
    if (bench.measuring) {
        bench.replies += !is_error;
        ws_latencies_add(&bench.latencies, ws_now() - session->sent_at);
    }
    session->busy = false;
    if (session->first != session->last) {
        double due = session->backlog[session->first];
        session->first = (session->first + 1) % BACKLOG_MAX;
        send_command(session, due);
    } else if (closed_loop && bench.measuring) {
        send_command(session, ws_now());
    }
}

static void on_open(struct ws_client *client)
{
    ws_send_connect(client, bench.tokens[client->index]);
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        (void)fprintf(stderr, "usage: ws_commands PORT TOKENS SECONDS RATE TEXT\n");
        return 2;
    }
    int port = (int)strtol(argv[1], NULL, 10);
    double seconds = strtod(argv[3], NULL), rate = strtod(argv[4], NULL);
    bench.tokens = ws_read_tokens(argv[2], &bench.count);
    bench.text = argv[5];
    bench.sessions = calloc(bench.count, sizeof(*bench.sessions));
    ws_latencies_init(&bench.latencies);
    if (!bench.sessions)
        ws_die("memory");
    ws_load_init(&bench.load, port, WS_PLAIN);
    bench.load.on_open = on_open;
    bench.load.on_text = on_text;
    for (size_t i = 0; i < bench.count; i++) {
        bench.sessions[i].client.ctx = &bench.sessions[i];
        ws_open(&bench.load, &bench.sessions[i].client, i);
        while (bench.ready + 32 < i)
            ws_pump(&bench.load, 10);
    }
    while (bench.ready < bench.count)
        ws_pump(&bench.load, 10);
    closed_loop = rate <= 0;
    bench.measuring = true;
    double start = ws_now(), next = start;
    for (size_t i = 0; closed_loop && i < bench.count; i++)
        send_command(&bench.sessions[i], start);
    size_t turn = 0;
    while (ws_now() - start < seconds) {
        double t = ws_now();
        for (; !closed_loop && next <= t; next += 1 / rate)
            send_due(&bench.sessions[turn++ % bench.count], next);
        double left_ms = closed_loop ? 50 : (next - ws_now()) * 1e3;
        ws_pump(&bench.load, left_ms < 1 ? 0 : left_ms > 50 ? 50 : (int)left_ms);
    }
    double took = ws_now() - start;
    bench.measuring = false;
    for (double end = ws_now() + 10; ws_now() < end;) { /* let those under way end */
        size_t busy = 0;
        for (size_t i = 0; i < bench.count; i++)
            busy += bench.sessions[i].busy;
        if (!busy)
            break;
        ws_pump(&bench.load, 10);
    }
    ws_latencies_sort(&bench.latencies);
    (void)printf("{\"replies\": %lld, \"errors\": %lld, \"seconds\": %.3f, \"rate\": %.1f, "
                 "\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}\n",
                 bench.replies, bench.errors, took, (double)bench.replies / took,
                 ws_latencies_at(&bench.latencies, 0.5), ws_latencies_at(&bench.latencies, 0.99),
                 ws_latencies_at(&bench.latencies, 1));
    return bench.errors ? 1 : 0;
}
