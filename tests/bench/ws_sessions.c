/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What many sessions cost a server: it opens them, sends what the work asks for, and reads the
 * server's processor time (/proc/PID/task/…/schedstat) and memory around the measured seconds.
 *
 *     ws_sessions PORT PID WIRE TOKENS COUNT ACTIVE SECONDS WORK [ARGUMENT…]
 *
 * WIRE is ws, wss or mqtt. TOKENS names a file with a token a line, used in turn, with which a
 * session begins; "-": the bare server, which knows none. Of the COUNT sessions ACTIVE work:
 *
 *     ping N          N pings are under way in each, closed loop
 *     publish R B     one further session sends B bytes to all others, R times a second
 *     burst N B       … N times at once
 *     listen N        count the events that somebody else causes, until N have come in each
 *     idle            nothing is sent
 *     stuck           like listen, but those that are not active do not read
 *
 * The first ten events of a session do not count for latencies. One JSON line: messages, CPU
 * microseconds a message, latencies, memory a session.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/ws_client.h"

enum { OPENING = 64, WARM_EVENTS = 10 };

struct session {
    struct ws_client client;
    bool ready;
    double sent_at; /* the first of the pings under way */
    size_t answered;
    long long events;
};

static struct {
    struct ws_load load;
    struct session *sessions;
    size_t count, active, ready;
    char **tokens;
    size_t token_count;
    bool measuring;
    const char *work;
    size_t in_flight;
    long long messages;
    struct ws_latencies latencies;
} bench;

static const char PING[] = "{\"type\":\"ping\"}";

/* ---- the server ---- */

/* Seconds that all threads of the process have run. */
static double cpu_s(int pid)
{
    char path[64];
    double total = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *dir = opendir(path);
    if (!dir)
        ws_die(path);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char file[400];
        unsigned long long ns = 0;
        (void)snprintf(file, sizeof(file), "%s/%s/schedstat", path, entry->d_name);
        FILE *in = entry->d_name[0] == '.' ? NULL : fopen(file, "r");
        if (in && fscanf(in, "%llu", &ns) == 1)
            total += (double)ns / 1e9;
        if (in)
            (void)fclose(in);
    }
    (void)closedir(dir);
    return total;
}

static double rss_kb(int pid)
{
    char path[64];
    long pages = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/statm", pid);
    FILE *in = fopen(path, "r");
    if (!in || fscanf(in, "%*d %ld", &pages) != 1)
        ws_die(path);
    (void)fclose(in);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1024;
}

/* ---- sessions ---- */

static void on_open(struct ws_client *client)
{
    struct session *session = client->ctx;
    if (bench.token_count == 0) {
        session->ready = true;
        bench.ready++;
        return;
    }
    ws_send_connect(client, bench.tokens[client->index % bench.token_count]);
}

static void send_pings(struct session *session)
{
    static char burst[64 * (sizeof(PING) + 5)];
    size_t length = 0;
    for (size_t i = 0; i < bench.in_flight; i++) {
        burst[length++] = (char)0x81;
        burst[length++] = (char)(0x80 | (sizeof(PING) - 1));
        memset(burst + length, 0, 4);
        memcpy(burst + length + 4, PING, sizeof(PING) - 1);
        length += sizeof(PING) + 3;
    }
    session->sent_at = ws_now();
    session->answered = 0;
    ws_send_raw(&session->client, burst, length);
}

/* A number of seconds since 1970 behind this key, in what the driver wrote. */
static void note_age(const char *text, size_t length)
{
    static const char KEY[] = "\"at\":";
    const char *at = memmem(text, length, KEY, sizeof(KEY) - 1);
    struct timespec t;
    if (!at)
        return;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    ws_latencies_add(&bench.latencies, (double)t.tv_sec + (double)t.tv_nsec / 1e9 -
                                           strtod(at + sizeof(KEY) - 1, NULL));
}

static void on_text(struct ws_client *client, const char *text, size_t length)
{
    static const char CONNECTED[] = "{\"type\":\"connected\"";
    struct session *session = client->ctx;
    if (!session->ready) {
        session->ready =
            length > sizeof(CONNECTED) && !memcmp(text, CONNECTED, sizeof(CONNECTED) - 1);
        bench.ready += session->ready;
        return;
    }
    if (!bench.measuring)
        return;
    bench.messages++;
    session->events++;
    if (strcmp(bench.work, "ping") != 0) {
        if (session->events > WARM_EVENTS)
            note_age(text, length);
    } else if (++session->answered == bench.in_flight) {
        ws_latencies_add(&bench.latencies, ws_now() - session->sent_at);
        send_pings(session);
    }
}

static void open_all(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct session *session = &bench.sessions[i];
        session->client.ctx = session;
        ws_open(&bench.load, &session->client, i);
        while (bench.ready + OPENING < i)
            ws_pump(&bench.load, 10);
    }
    while (bench.ready < count)
        ws_pump(&bench.load, 10);
}

/* ---- works ---- */

static void pump_for(double seconds)
{
    for (double end = ws_now() + seconds, left; (left = end - ws_now()) > 0;)
        ws_pump(&bench.load, left > 0.05 ? 50 : (int)(left * 1e3) + 1);
}

static size_t format_publish(char *text, size_t size)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    int n = snprintf(text, size, "!{\"at\":%lld.%06ld,\"pad\":\"", (long long)t.tv_sec,
                     t.tv_nsec / 1000);
    memset(text + n, 'x', size - (size_t)n);
    return size;
}

static void publish(struct ws_client *publisher, size_t times, size_t bytes)
{
    char text[4096];
    for (size_t i = 0; i < times; i++)
        ws_send_text(publisher, text,
                     format_publish(text, bytes < sizeof(text) ? bytes : sizeof(text)));
}

static void publish_at(struct ws_client *publisher, double rate, size_t bytes, double seconds)
{
    double start = ws_now(), next = start;
    while (ws_now() - start < seconds) {
        for (; next <= ws_now(); next += 1 / rate)
            publish(publisher, 1, bytes);
        double left_ms = (next - ws_now()) * 1e3;
        ws_pump(&bench.load, left_ms < 1 ? 0 : (int)left_ms);
    }
    pump_for(0.5);
}

/* Until so many messages have come to each, or the seconds are over. */
static void listen_for(long long wanted, double seconds)
{
    long long all = wanted * (long long)bench.active;
    for (double end = ws_now() + seconds; ws_now() < end && (!wanted || bench.messages < all);)
        ws_pump(&bench.load, 50);
}

static void work(double seconds, char **arguments, int count)
{
    double first = count > 0 ? strtod(arguments[0], NULL) : 0;
    size_t bytes = count > 1 ? strtoul(arguments[1], NULL, 10) : 0;
    struct ws_client *publisher = &bench.sessions[bench.count - 1].client;
    if (!strcmp(bench.work, "ping")) {
        bench.in_flight = (size_t)first;
        for (size_t i = 0; i < bench.active; i++)
            send_pings(&bench.sessions[i * (bench.count / bench.active)]);
        pump_for(seconds);
    } else if (!strcmp(bench.work, "publish")) {
        publish_at(publisher, first, bytes, seconds);
    } else if (!strcmp(bench.work, "burst")) {
        publish(publisher, (size_t)first, bytes);
        listen_for((long long)first, seconds);
    } else if (!strcmp(bench.work, "idle")) {
        pump_for(seconds);
    } else {
        (void)printf("ready\n"); /* for the driver to begin */
        (void)fflush(stdout);
        listen_for((long long)first, seconds);
    }
}

static enum ws_wire wire_of(const char *name)
{
    return !strcmp(name, "mqtt") ? WS_MQTT : !strcmp(name, "wss") ? WS_TLS : WS_PLAIN;
}

int main(int argc, char **argv)
{
    if (argc < 9) {
        (void)fprintf(stderr,
                      "usage: ws_sessions PORT PID WIRE TOKENS COUNT ACTIVE SECONDS WORK …\n");
        return 2;
    }
    struct rlimit files = {200000, 200000};
    (void)setrlimit(RLIMIT_NOFILE, &files);
    int pid = (int)strtol(argv[2], NULL, 10);
    double seconds = strtod(argv[7], NULL);
    ws_load_init(&bench.load, (int)strtol(argv[1], NULL, 10), wire_of(argv[3]));
    bench.load.on_open = on_open;
    bench.load.on_text = on_text;
    if (strcmp(argv[4], "-") != 0)
        bench.tokens = ws_read_tokens(argv[4], &bench.token_count);
    bench.count = strtoul(argv[5], NULL, 10);
    bench.active = strtoul(argv[6], NULL, 10);
    bench.work = argv[8];
    bench.sessions = calloc(bench.count, sizeof(*bench.sessions));
    ws_latencies_init(&bench.latencies);
    if (!bench.sessions || !bench.count || !bench.active)
        ws_die("memory");
    double memory = rss_kb(pid);
    open_all(bench.count);
    memory = rss_kb(pid) - memory;
    for (size_t i = bench.active; !strcmp(bench.work, "stuck") && i < bench.count; i++)
        (void)epoll_ctl(bench.load.epoll, EPOLL_CTL_DEL, bench.sessions[i].client.fd, NULL);
    bench.measuring = true;
    double before = cpu_s(pid), start = ws_now();
    work(seconds, argv + 9, argc - 9);
    double spent = cpu_s(pid) - before, took = ws_now() - start;
    ws_latencies_sort(&bench.latencies);
    (void)printf("{\"messages\": %lld, \"seconds\": %.3f, \"cpu_s\": %.4f, \"cpu_us\": %.3f, "
                 "\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"session_kb\": %.2f}\n",
                 bench.messages, took, spent,
                 spent * 1e6 / (double)(bench.messages ? bench.messages : 1),
                 ws_latencies_at(&bench.latencies, 0.5), ws_latencies_at(&bench.latencies, 0.99),
                 memory / (double)bench.count);
    return 0;
}
