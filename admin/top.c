/* SPDX-License-Identifier: Apache-2.0 */
/* todo-admin top: what gateways and bridges are doing, from their metrics, again and again. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "admin/args.h"
#include "admin/command.h"
#include "lib/base/buf.h"
#include "lib/time/duration.h"

enum { PAGE_MAX = 4 * 1024 * 1024, SOURCES_MAX = 32, TIMEOUT_S = 3 };

enum kind { AMOUNT, RATE };

/* A row adds up all series of a metric whose labels hold a text, over all processes. */
static const struct row {
    const char *title; /* NULL: a heading, in metric */
    const char *metric, *labels;
    enum kind kind;
} rows[] = {
    {NULL, "gateways", NULL, AMOUNT},
    {"connections", "todo_net_connections", "", AMOUNT},
    {"sessions", "todo_gateway_sessions", "", AMOUNT},
    {"commands", "todo_gateway_turns_total", "", RATE},
    {"  of them refused", "todo_gateway_errors_total", "", RATE},
    {"HTTP answers", "todo_net_http_responses_total", "", RATE},
    {"  of them 5xx", "todo_net_http_responses_total", "\"5xx\"", RATE},
    {"events from the bus", "todo_gateway_events_total", "", RATE},
    {"messages sent", "todo_net_messages_sent_total", "", RATE},
    {"slow clients closed", "todo_net_slow_closed_total", "", RATE},
    {NULL, "bridges", NULL, AMOUNT},
    {"events without a number", "todo_relay_outbox_depth", "", AMOUNT},
    {"  age of the oldest, s", "todo_relay_outbox_age_seconds", "", AMOUNT},
    {"records published", "todo_relay_published_total", "", RATE},
    {"reminders fired", "todo_scheduler_fired_total", "", RATE},
    {"reminders overdue", "todo_scheduler_overdue", "", AMOUNT},
    {"MQTT messages", "todo_mqtt_published_total", "", RATE},
    {"webhooks delivered", "todo_webhook_deliveries_total", "\"delivered\"", RATE},
    {"webhooks failed", "todo_webhook_deliveries_total", "\"failed\"", RATE},
    {"connections lost", "todo_bridge_connections_lost_total", "", RATE},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

struct top {
    CURL *curl;
    struct base_buf page;
    double now[ROWS], before[ROWS];
    double at, before_at;
    size_t answered, asked;
    char wrong[CURL_ERROR_SIZE + 300];
};

static size_t on_bytes(char *bytes, size_t size, size_t count, void *ctx)
{
    struct top *top = ctx;
    base_buf_add(&top->page, base_sv(bytes, size * count));
    return base_buf_ok(&top->page) ? size * count : 0;
}

/* "name{labels} value" */
static void add_line(struct top *top, struct base_sv line)
{
    size_t brace = base_sv_find(line, '{');
    size_t blank = base_sv_find(line, ' ');
    size_t close = base_sv_find(line, '}');
    bool labelled = brace < blank;
    struct base_sv name = base_sv_sub(line, 0, labelled ? brace : blank);
    struct base_sv labels = labelled ? base_sv_sub(line, brace, close) : SV_NULL;
    char value[64];
    if (!base_sv_cstr(base_sv_trim(base_sv_sub(line, labelled ? close + 1 : blank, line.len)),
                      value, sizeof(value)))
        return;
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].title && base_sv_eq_c(name, rows[i].metric) &&
            (!rows[i].labels[0] || (labels.len && memmem(labels.ptr, labels.len, rows[i].labels,
                                                         strlen(rows[i].labels)))))
            top->now[i] += strtod(value, NULL);
}

static void read_source(struct top *top, struct base_sv url)
{
    char text[512];
    char error[CURL_ERROR_SIZE] = "";
    base_buf_reset(&top->page);
    top->asked++;
    bool ok = base_sv_cstr(url, text, sizeof(text)) &&
              curl_easy_setopt(top->curl, CURLOPT_URL, text) == CURLE_OK &&
              curl_easy_setopt(top->curl, CURLOPT_ERRORBUFFER, error) == CURLE_OK &&
              curl_easy_perform(top->curl) == CURLE_OK;
    (void)curl_easy_setopt(top->curl, CURLOPT_ERRORBUFFER, NULL);
    if (!ok) {
        (void)snprintf(top->wrong, sizeof(top->wrong), "%.*s: %s", SV_FMT(url), error);
        return;
    }
    top->answered++;
    struct base_sv rest = base_buf_sv(&top->page);
    while (rest.len) {
        struct base_sv line = base_sv_split(&rest, '\n');
        if (line.len && line.ptr[0] != '#')
            add_line(top, line);
    }
}

static double clock_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void look(struct top *top, const char *urls)
{
    struct base_sv rest = base_sv_from(urls);
    memcpy(top->before, top->now, sizeof(top->now));
    memset(top->now, 0, sizeof(top->now));
    top->before_at = top->at;
    top->at = clock_s();
    top->answered = top->asked = 0;
    top->wrong[0] = '\0';
    while (rest.ptr && top->asked < SOURCES_MAX)
        read_source(top, base_sv_trim(base_sv_split(&rest, ',')));
}

static void print(const struct top *top)
{
    double took = top->at - top->before_at;
    (void)printf("%zu of %zu processes answered%s%s\n", top->answered, top->asked,
                 top->wrong[0] ? "; " : "", top->wrong);
    for (size_t i = 0; i < ROWS; i++) {
        if (!rows[i].title)
            (void)printf("%s\n", rows[i].metric);
        else if (rows[i].kind == RATE)
            (void)printf("  %-26s %12.1f /s\n", rows[i].title,
                         top->now[i] > top->before[i] ? (top->now[i] - top->before[i]) / took : 0);
        else
            (void)printf("  %-26s %12.6g\n", rows[i].title, top->now[i]);
    }
}

int admin_top(int argc, char **argv)
{
    const char *urls = "http://127.0.0.1:8081/metrics,http://127.0.0.1:9102/metrics";
    const char *interval = "PT2S", *times = "0";
    const struct admin_option options[] = {
        {"--urls", &urls, "TODO_METRICS_URLS", false, "where their metrics are, comma-separated"},
        {"--interval", &interval, NULL, false, "between two looks, such as PT2S"},
        {"--times", &times, NULL, false, "how often to look; 0: until interrupted"},
    };
    int status;
    int64_t wait_s, most;
    struct top top = {.curl = NULL};
    if (!admin_args_parse(options, sizeof(options) / sizeof(options[0]), argc, argv, &status))
        return status;
    if (!time_duration_parse(base_sv_from(interval), &wait_s) || wait_s < 1 || wait_s > 3600 ||
        !base_sv_int64(base_sv_from(times), &most) || most < 0) {
        (void)fputs("todo-admin top: --interval is from PT1S to PT1H, --times a number\n", stderr);
        return ADMIN_USAGE;
    }
    top.curl = curl_easy_init();
    if (!top.curl)
        return ADMIN_FAILED;
    (void)curl_easy_setopt(top.curl, CURLOPT_WRITEFUNCTION, on_bytes);
    (void)curl_easy_setopt(top.curl, CURLOPT_WRITEDATA, &top);
    (void)curl_easy_setopt(top.curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    (void)curl_easy_setopt(top.curl, CURLOPT_FAILONERROR, 1L);
    base_buf_init(&top.page, PAGE_MAX);
    look(&top, urls); /* rates need two looks */
    for (int64_t i = 0; (most == 0 || i < most) && top.answered; i++) {
        (void)sleep((unsigned)wait_s);
        look(&top, urls);
        if (isatty(STDOUT_FILENO))
            (void)fputs("\033[H\033[J", stdout);
        print(&top);
        (void)fflush(stdout);
    }
    bool ok = top.answered > 0;
    if (!ok)
        (void)fprintf(stderr, "todo-admin top: nobody answers; %s\n", top.wrong);
    curl_easy_cleanup(top.curl);
    base_buf_done(&top.page);
    return ok ? ADMIN_OK : ADMIN_FAILED;
}
