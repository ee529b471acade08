/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP as a client on a raw socket sees it, its abuses included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/lib/net/harness.h"

enum { BIG = 5 * 1024 * 1024 };

static struct {
    struct harness h;
    struct net_request *kept;
    atomic_int requests;
    char big[BIG];
} t;

static void text(struct net_request *req, int status, struct base_sv body)
{
    const struct net_header headers[] = {{SV("Content-Type"), SV("text/plain")},
                                         {SV("X-Bad"), SV("a\r\nInjected: 1")}};
    net_respond(req, status, headers, 2, body);
}

static void on_request(void *ctx, struct net_request *req)
{
    char out[1000];
    struct base_sv path = net_request_path(req);
    (void)ctx;
    atomic_fetch_add(&t.requests, 1);
    if (base_sv_eq(path, SV("/keep"))) {
        t.kept = req;
        return;
    }
    if (base_sv_eq(path, SV("/big"))) {
        text(req, 200, base_sv(t.big, sizeof(t.big)));
        return;
    }
    if (base_sv_eq(path, SV("/body"))) {
        text(req, 200, net_request_body(req));
        return;
    }
    if (base_sv_eq(path, SV("/none"))) {
        net_respond(req, 204, NULL, 0, SV(""));
        return;
    }
    int n = snprintf(
        out, sizeof(out), "%.*s %.*s q=%.*s n=%.*s auth=%.*s key=%.*s trace=%.*s %.*s",
        SV_FMT(net_request_method(req)), SV_FMT(path), SV_FMT(net_request_arg(req, SV("q"))),
        SV_FMT(net_request_arg_at(req, 1)), SV_FMT(net_request_header(req, SV("authorization"))),
        SV_FMT(net_request_header(req, SV("idempotency-key"))),
        SV_FMT(net_request_header(req, SV("traceparent"))), SV_FMT(net_request_remote(req)));
    text(req, 200, base_sv(out, (size_t)n));
}

static int start(void **state)
{
    (void)state;
    harness_init(&t.h);
    t.h.handlers.on_request = on_request;
    t.h.options.max_body_bytes = 100000;
    t.h.options.max_header_bytes = 4096;
    t.h.options.header_timeout_ms = 300;
    t.h.options.idle_timeout_ms = 2000;
    t.h.options.body_timeout_ms = 1000;
    for (size_t i = 0; i < BIG; i++)
        t.big[i] = (char)('a' + i % 26);
    t.kept = NULL;
    atomic_store(&t.requests, 0);
    harness_start(&t.h);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    harness_stop(&t.h);
    return 0;
}

static char head[8192];
static char body[200000];

static int answer(int fd)
{
    return http_answer(fd, head, sizeof(head), body, sizeof(body));
}

static void the_parts_of_a_request_arrive(void **state)
{
    (void)state;
    int fd = peer_connect(&t.h);
    peer_send_c(fd, "GET /a/../b%20c?q=x%26y&n=2 HTTP/1.1\r\nHost: h\r\n"
                    "Authorization: Bearer abc\r\nIdempotency-Key:  k1 \r\n"
                    "traceparent: 00-ab\r\n\r\n");
    assert_int_equal(answer(fd), 200);
    assert_string_equal(body, "GET /b c q=x&y n=n=2 auth=Bearer abc key=k1 trace=00-ab 127.0.0.1");
    assert_non_null(strstr(head, "\r\nDate: "));
    assert_non_null(strstr(head, "Content-Type: text/plain\r\n"));
    assert_null(strstr(head, "Injected"));
    assert_null(strstr(head, "X-Bad"));
    close(fd);
}

static void every_method_and_keep_alive(void **state)
{
    (void)state;
    static const char *const names[] = {"GET", "DELETE", "OPTIONS", "POST", "PUT", "PATCH"};
    char line[200];
    char want[200];
    int fd = peer_connect(&t.h);
    for (size_t i = 0; i < 6; i++) {
        (void)snprintf(line, sizeof(line), "%s /m HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
                       names[i]);
        peer_send_c(fd, line);
        assert_int_equal(answer(fd), 200);
        (void)snprintf(want, sizeof(want), "%s /m q= n= auth= key= trace= 127.0.0.1", names[i]);
        assert_string_equal(body, want);
    }
    peer_send_c(fd, "GET /none HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(answer(fd), 204);
    assert_null(strstr(head, "Content-Length"));
    peer_send_c(fd, "HEAD /m HTTP/1.1\r\nHost: h\r\n\r\nGET /last HTTP/1.1\r\nHost: h\r\n"
                    "Connection: close\r\n\r\n");
    peer_read_head(fd, head, sizeof(head));
    assert_non_null(strstr(head, "Content-Length: 41\r\n"));
    assert_int_equal(answer(fd), 200);
    assert_memory_equal(body, "GET /last", 9);
    assert_non_null(strstr(head, "Connection: close\r\n"));
    assert_true(peer_ended(fd));
    close(fd);
}

static void bodies_come_whole_byte_by_byte(void **state)
{
    (void)state;
    static const char request[] = "POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n"
                                  "hello world";
    int fd = peer_connect(&t.h);
    for (size_t i = 0; i < sizeof(request) - 1; i++)
        peer_send(fd, request + i, 1);
    assert_int_equal(answer(fd), 200);
    assert_string_equal(body, "hello world");
    /* The largest one, in one piece with what comes after it. */
    char *big = malloc(101000);
    int n = snprintf(big, 1000, "PUT /body HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
    memset(big + n, 'z', 100000);
    peer_send(fd, big, (size_t)n + 100000);
    peer_send_c(fd, "GET /after HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(answer(fd), 200);
    assert_int_equal(strlen(body), 100000);
    assert_int_equal(answer(fd), 200);
    assert_memory_equal(body, "GET /after", 10);
    free(big);
    close(fd);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    enum { N = 1000 };
    static char all[N * 60];
    size_t len = 0;
    for (int i = 0; i < N; i++)
        len += (size_t)snprintf(all + len, sizeof(all) - len, "%s /p%d HTTP/1.1\r\nHost: h\r\n\r\n",
                                i % 2 ? "DELETE" : "GET", i);
    int fd = peer_connect(&t.h);
    peer_send(fd, all, len);
    for (int i = 0; i < N; i++) {
        char want[40];
        int n = snprintf(want, sizeof(want), "%s /p%d q", i % 2 ? "DELETE" : "GET", i);
        assert_int_equal(answer(fd), 200);
        assert_memory_equal(body, want, (size_t)n);
    }
    assert_int_equal(atomic_load(&t.requests), N);
    close(fd);
}

static void a_pipelined_body_is_never_mistaken(void **state)
{
    (void)state;
    static const char post[] = "POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";
    int fd = peer_connect(&t.h);
    peer_send_c(fd, "GET /a HTTP/1.1\r\nHost: h\r\n\r\nPOST /body HTTP/1.1\r\nHost: h\r\n"
                    "Content-Length: 5\r\n\r\nhello");
    assert_int_equal(answer(fd), 200);
    assert_true(peer_ended(fd));
    assert_int_equal(atomic_load(&t.requests), 1);
    close(fd);
    /* One after the other is the usual way and works for ever. */
    fd = peer_connect(&t.h);
    for (int i = 0; i < 50; i++) {
        peer_send_c(fd, post);
        assert_int_equal(answer(fd), 200);
        assert_string_equal(body, "hello");
    }
    close(fd);
}

static void refuse(const char *request, int status)
{
    int fd = peer_connect(&t.h);
    peer_send_c(fd, request);
    if (status)
        assert_int_equal(answer(fd), status);
    if (!peer_ended(fd))
        fail_msg("still open after: %s", request);
    close(fd);
}

static void bad_framing_is_refused(void **state)
{
    (void)state;
    refuse("POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 100001\r\n\r\n", 413);
    refuse("POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", 400);
    refuse("POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: -5\r\n\r\n", 400);
    refuse("POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 5x\r\n\r\nabcde", 400);
    refuse("POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
           400);
    refuse("POST /body HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411);
    refuse("POST /body HTTP/1.1\r\nHost: h\r\n\r\n", 200); /* no length: nothing, then the end */
    refuse("BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n", 0);
    refuse("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 0);
    refuse("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0);
    refuse("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
           "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n",
           0);
    refuse("GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
           404); /* this server has no on_upgrade */
    refuse("\r\n\x16\x03\x01garbage\r\n\r\n", 0);
    assert_int_equal(atomic_load(&t.requests), 1);
}

static void too_long_headers_end_the_connection(void **state)
{
    (void)state;
    char *request = malloc(20000);
    int n = snprintf(request, 20000, "GET / HTTP/1.1\r\nHost: h\r\nCookie: ");
    memset(request + n, 'c', 10000);
    memcpy(request + n + 10000, "\r\n\r\n", 5);
    int fd = peer_connect(&t.h);
    peer_send_c(fd, request);
    assert_true(peer_ended(fd));
    assert_int_equal(atomic_load(&t.requests), 0);
    close(fd);
    free(request);
}

static void silence_in_the_headers_ends_the_connection(void **state)
{
    (void)state;
    refuse("", 0);
    refuse("GET / HT", 0);
    /* An unknown last header that begins like a known one makes lws wait for ever. */
    refuse("GET / HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n", 0);
}

static void silence_in_the_body_ends_the_connection(void **state)
{
    (void)state;
    refuse("POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc", 0);
    assert_int_equal(atomic_load(&t.requests), 0);
}

static void a_large_answer_reaches_a_slow_reader(void **state)
{
    (void)state;
    struct timespec nap = {.tv_nsec = 2000000};
    char *got = malloc(BIG);
    int fd = peer_connect(&t.h);
    int small = 16384;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    /* The second request waits unread meanwhile and must not spin the loop. */
    peer_send_c(fd, "GET /big HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n");
    peer_read_head(fd, head, sizeof(head));
    for (size_t at = 0; at < BIG; at += BIG / 64) {
        (void)nanosleep(&nap, NULL);
        peer_read(fd, got + at, BIG / 64);
    }
    assert_memory_equal(got, t.big, BIG);
    assert_int_equal(answer(fd), 200);
    assert_memory_equal(body, "GET /next", 9);
    close(fd);
    free(got);
}

static int64_t cpu_us(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000) +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void connections(void *ctx)
{
    *(size_t *)ctx = net_server_connections(t.h.server);
}

static void who_never_reads_is_dropped_without_spinning(void **state)
{
    (void)state;
    struct timespec wait = {.tv_nsec = 700000000};
    size_t open = 1;
    int fd = peer_connect(&t.h);
    peer_send_c(fd, "GET /big HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n");
    int64_t before_us = cpu_us();
    (void)nanosleep(&wait, NULL);
    assert_true(cpu_us() - before_us < 300000);
    harness_call(&t.h, connections, &open);
    assert_int_equal(open, 1); /* body_timeout_ms is a second */
    for (int i = 0; i < 10 && open; i++) {
        (void)nanosleep(&wait, NULL);
        harness_call(&t.h, connections, &open);
    }
    assert_int_equal(open, 0);
    assert_int_equal(atomic_load(&t.requests), 1);
    close(fd);
}

static void respond_kept(void *ctx)
{
    (void)ctx;
    assert_non_null(t.kept);
    text(t.kept, 200, SV("late"));
    t.kept = NULL;
}

static void wait_requests(int n)
{
    struct timespec nap = {.tv_nsec = 1000000};
    for (int i = 0; i < 5000 && atomic_load(&t.requests) < n; i++)
        (void)nanosleep(&nap, NULL);
    assert_int_equal(atomic_load(&t.requests), n);
}

static void answers_may_come_late(void **state)
{
    (void)state;
    struct timespec wait = {.tv_nsec = 500000000};
    int fd = peer_connect(&t.h);
    peer_send_c(fd, "POST /keep HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"
                    "GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
    wait_requests(1);
    int64_t before_us = cpu_us();
    (void)nanosleep(&wait, NULL);
    assert_true(cpu_us() - before_us < 200000); /* waiting costs nothing */
    harness_call(&t.h, respond_kept, NULL);
    assert_int_equal(answer(fd), 200);
    assert_string_equal(body, "late");
    assert_int_equal(answer(fd), 200);
    assert_memory_equal(body, "GET /next", 9);
    close(fd);
}

static void a_late_answer_to_nobody_is_dropped(void **state)
{
    (void)state;
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    int fd = peer_connect(&t.h);
    peer_send_c(fd, "GET /keep HTTP/1.1\r\nHost: h\r\n\r\n");
    wait_requests(1);
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
    harness_call(&t.h, respond_kept, NULL);
    fd = peer_connect(&t.h); /* the server lives */
    peer_send_c(fd, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(answer(fd), 200);
    close(fd);
}

static void a_request_outlives_its_server(void **state)
{
    (void)state;
    start(NULL);
    int fd = peer_connect(&t.h);
    peer_send_c(fd, "GET /keep HTTP/1.1\r\nHost: h\r\n\r\n");
    wait_requests(1);
    harness_stop(&t.h);
    assert_non_null(t.kept);
    assert_true(net_request_gone(t.kept));
    assert_true(base_sv_eq(net_request_path(t.kept), SV("/keep")));
    respond_kept(NULL);
    close(fd);
}

static void expect_continue_is_answered(void **state)
{
    (void)state;
    int fd = peer_connect(&t.h);
    peer_send_c(fd, "POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                    "Expect: 100-continue\r\n\r\n");
    peer_read_head(fd, head, sizeof(head));
    assert_string_equal(head, "HTTP/1.1 100 Continue\r\n\r\n");
    peer_send_c(fd, "abc");
    assert_int_equal(answer(fd), 200);
    assert_string_equal(body, "abc");
    close(fd);
}

static void drain(void *ctx)
{
    (void)ctx;
    net_server_stop_accepting(t.h.server);
}

static void draining_finishes_what_is_under_way(void **state)
{
    (void)state;
    int busy = peer_connect(&t.h);
    int idle = peer_connect(&t.h);
    peer_send_c(idle, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(answer(idle), 200);
    peer_send_c(busy, "GET /keep HTTP/1.1\r\nHost: h\r\n\r\n");
    wait_requests(2);
    harness_call(&t.h, drain, NULL);
    assert_true(peer_ended(idle));
    harness_call(&t.h, respond_kept, NULL);
    assert_int_equal(answer(busy), 200);
    assert_string_equal(body, "late");
    assert_non_null(strstr(head, "Connection: close\r\n"));
    assert_true(peer_ended(busy));
    close(idle);
    close(busy);
}

static void a_bad_address_is_an_error_with_words(void **state)
{
    (void)state;
    struct net_loop *loop = NULL;
    struct net_server *server = NULL;
    struct net_server_options options;
    struct base_buf errors;
    assert_int_equal(net_loop_new(&loop), BASE_OK);
    base_buf_init(&errors, 500);
    net_server_options_init(&options);
    options.loop = loop;
    options.handlers = &t.h.handlers;
    options.address = "localhost";
    assert_int_equal(net_server_new(&options, &errors, &server), BASE_INVALID);
    assert_true(base_sv_eq(base_buf_sv(&errors), SV("cannot listen on localhost port 0: not a "
                                                    "numeric address and port")));
    /* A port taken by somebody who does not share it. */
    int taken = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    assert_int_equal(bind(taken, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(taken, 1), 0);
    assert_int_equal(getsockname(taken, (struct sockaddr *)&at, &len), 0);
    options.address = "127.0.0.1";
    options.port = ntohs(at.sin_port);
    base_buf_reset(&errors);
    assert_int_equal(net_server_new(&options, &errors, &server), BASE_CONFLICT);
    char want[100];
    int n = snprintf(want, sizeof(want), "cannot listen on 127.0.0.1 port %d: the port is in use",
                     options.port);
    assert_true(base_sv_eq(base_buf_sv(&errors), base_sv(want, (size_t)n)));
    close(taken);
    /* Two servers share one when both mean to, also on one loop. */
    struct net_server *second = NULL;
    options.port = 0;
    assert_int_equal(net_server_new(&options, &errors, &server), BASE_OK);
    options.port = net_server_port(server);
    assert_int_equal(net_server_new(&options, &errors, &second), BASE_OK);
    assert_int_equal(net_server_port(second), options.port);
    net_server_free(second);
    net_server_free(server);
    base_buf_done(&errors);
    net_loop_free(loop);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(the_parts_of_a_request_arrive),
        WITH_SERVER(every_method_and_keep_alive),
        WITH_SERVER(bodies_come_whole_byte_by_byte),
        WITH_SERVER(pipelined_requests_are_answered_in_order),
        WITH_SERVER(a_pipelined_body_is_never_mistaken),
        WITH_SERVER(bad_framing_is_refused),
        WITH_SERVER(too_long_headers_end_the_connection),
        WITH_SERVER(silence_in_the_headers_ends_the_connection),
        WITH_SERVER(silence_in_the_body_ends_the_connection),
        WITH_SERVER(a_large_answer_reaches_a_slow_reader),
        WITH_SERVER(who_never_reads_is_dropped_without_spinning),
        WITH_SERVER(answers_may_come_late),
        WITH_SERVER(a_late_answer_to_nobody_is_dropped),
        WITH_SERVER(expect_continue_is_answered),
        WITH_SERVER(draining_finishes_what_is_under_way),
        cmocka_unit_test(a_request_outlives_its_server),
        cmocka_unit_test(a_bad_address_is_an_error_with_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
