/* SPDX-License-Identifier: Apache-2.0 */
/* WebSocket as a client on a raw socket sees it: handshake, messages in pieces, limits, closing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/lib/net/harness.h"

enum { MESSAGE_MAX = 70000, FLOOD_BYTES = 1000 };

static struct {
    struct harness h;
    struct net_conn *first;
    atomic_int open;
    atomic_int closed;
    atomic_int last_code;
    char authorization[100];
    char path[100];
} t;

static const struct base_sv origins[] = {{"https://todo.example", 20}};

static int on_upgrade(void *ctx, const struct net_upgrade *info)
{
    (void)ctx;
    return base_sv_eq(info->path, SV("/ws")) ? 0 : 404;
}

static void on_open(void *ctx, struct net_conn *conn, const struct net_upgrade *info)
{
    (void)ctx;
    assert_true(base_sv_cstr(info->authorization, t.authorization, sizeof(t.authorization)));
    assert_true(base_sv_cstr(info->path, t.path, sizeof(t.path)));
    assert_true(base_sv_eq(info->remote, SV("127.0.0.1")));
    net_conn_set_user(conn, &t);
    if (!t.first)
        t.first = conn;
    atomic_fetch_add(&t.open, 1);
}

static void send_text(struct net_conn *conn, struct base_sv text)
{
    struct net_msg *msg = net_msg_new_text(text);
    (void)net_conn_send(conn, msg);
    net_msg_unref(msg);
}

static void on_message(void *ctx, struct net_conn *conn, struct base_sv text)
{
    (void)ctx;
    assert_ptr_equal(net_conn_user(conn), &t);
    assert_false(net_conn_closing(conn));
    if (base_sv_eq(text, SV("bye"))) {
        net_conn_close(conn, 4401, SV("token"));
        assert_true(net_conn_closing(conn));
        return;
    }
    if (base_sv_eq(text, SV("many"))) {
        char line[20];
        for (int i = 0; i < 10000; i++)
            send_text(conn, base_sv(line, (size_t)snprintf(line, sizeof(line), "%d", i)));
        return;
    }
    send_text(conn, text);
}

static void on_close(void *ctx, struct net_conn *conn, int code)
{
    (void)ctx;
    if (conn == t.first)
        t.first = NULL;
    atomic_store(&t.last_code, code);
    atomic_fetch_add(&t.closed, 1);
}

static void prepare(void)
{
    harness_init(&t.h);
    t.h.handlers = (struct net_server_handlers){.on_upgrade = on_upgrade,
                                                .on_open = on_open,
                                                .on_message = on_message,
                                                .on_close = on_close};
    t.h.options.origins = origins;
    t.h.options.origin_count = 1;
    t.h.options.max_message_bytes = MESSAGE_MAX;
    t.h.options.max_queue_messages = 1000;
    t.h.options.max_queue_bytes = 100000;
    t.first = NULL;
    atomic_store(&t.open, 0);
    atomic_store(&t.closed, 0);
    atomic_store(&t.last_code, 0);
}

static int start(void **state)
{
    (void)state;
    prepare();
    harness_start(&t.h);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    harness_stop(&t.h);
    assert_int_equal(atomic_load(&t.open), atomic_load(&t.closed));
    assert_int_equal(net_msg_alive(), 0);
    return 0;
}

static void wait_closed(int n)
{
    struct timespec nap = {.tv_nsec = 1000000};
    for (int i = 0; i < 8000 && atomic_load(&t.closed) < n; i++)
        (void)nanosleep(&nap, NULL);
    assert_int_equal(atomic_load(&t.closed), n);
}

static void echo_and_the_handshakes_headers(void **state)
{
    (void)state;
    int fd = ws_connect(&t.h, "Authorization: Bearer a.b.c\r\nOrigin: https://todo.example\r\n");
    ws_send_text(fd, "hello");
    ws_expect(fd, "hello");
    assert_string_equal(t.authorization, "Bearer a.b.c");
    assert_string_equal(t.path, "/ws");
    ws_send_text(fd, "");
    ws_expect(fd, "");
    ws_send_text(fd, "\xc3\xa9\xf0\x9f\x98\x80");
    ws_expect(fd, "\xc3\xa9\xf0\x9f\x98\x80");
    close(fd);
    wait_closed(1);
    assert_int_equal(atomic_load(&t.last_code), NET_CLOSE_LOST);
}

static void refused(const char *path, const char *more, int status)
{
    char text[1000];
    char body[100];
    int fd = peer_connect(&t.h);
    (void)snprintf(text, sizeof(text),
                   "GET %s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Protocol: todo.v1\r\n%s\r\n",
                   path, more);
    peer_send_c(fd, text);
    assert_int_equal(http_answer(fd, text, sizeof(text), body, sizeof(body)), status);
    assert_true(peer_ended(fd));
    close(fd);
}

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define V13 "Sec-WebSocket-Version: 13\r\n"

static void bad_handshakes_are_refused(void **state)
{
    (void)state;
    refused("/other", KEY V13, 404);
    refused("/ws", V13, 400);
    refused("/ws", "Sec-WebSocket-Key: short\r\n" V13, 400);
    refused("/ws", KEY "Sec-WebSocket-Version: 8\r\n", 426);
    refused("/ws", KEY V13 "Origin: https://evil.example\r\n", 403);
    refused("/ws", KEY V13 "Origin: https://todo.example.evil\r\n", 403);
    assert_int_equal(atomic_load(&t.open), 0);
}

static void messages_come_whole_however_they_are_cut(void **state)
{
    (void)state;
    static const size_t sizes[] = {1,    125,   126,   1023,  1024,       1025,
                                   2049, 10000, 65535, 65536, MESSAGE_MAX};
    char *text = malloc(MESSAGE_MAX + 1);
    char *got = malloc(MESSAGE_MAX + 1);
    size_t len;
    int fd = ws_connect(&t.h, "");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (size_t j = 0; j < sizes[i]; j++)
            text[j] = (char)('a' + (i + j) % 26);
        ws_send(fd, 0x81, text, sizes[i]);
        assert_int_equal(ws_read(fd, got, MESSAGE_MAX + 1, &len), 0x81);
        assert_int_equal(len, sizes[i]);
        assert_memory_equal(got, text, len);
    }
    free(text);
    free(got);
    close(fd);
}

/* lws sends its pong when the socket is writable, so it may come after our messages. */
static void expect_two_and_a_pong(int fd)
{
    static const char *const texts[] = {"one two three", "next"};
    char got[100];
    size_t len;
    int pongs = 0;
    int seen = 0;
    while (pongs + seen < 3) {
        unsigned first = ws_read(fd, got, sizeof(got), &len);
        if (first == 0x8a) {
            assert_string_equal(got, "p");
            pongs++;
            continue;
        }
        assert_int_equal(first, 0x81);
        assert_true(seen < 2);
        assert_string_equal(got, texts[seen++]);
    }
    assert_int_equal(pongs, 1);
}

static void byte_by_byte_with_fragments_and_pings_between(void **state)
{
    (void)state;
    unsigned char all[500];
    size_t n = 0;
    n += ws_frame(all + n, 0x01, "one ", 4);
    n += ws_frame(all + n, 0x00, "", 0);
    n += ws_frame(all + n, 0x89, "p", 1);
    n += ws_frame(all + n, 0x00, "two ", 4);
    n += ws_frame(all + n, 0x80, "three", 5);
    n += ws_frame(all + n, 0x81, "next", 4);
    int fd = ws_connect(&t.h, "");
    for (size_t i = 0; i < n; i++)
        peer_send(fd, all + i, 1);
    expect_two_and_a_pong(fd);
    peer_send(fd, all, n); /* and all at once */
    expect_two_and_a_pong(fd);
    close(fd);
}

static void closed_with(unsigned first_byte, const void *payload, size_t len, int code)
{
    int before = atomic_load(&t.closed);
    int fd = ws_connect(&t.h, "");
    ws_send(fd, first_byte, payload, len);
    ws_expect_close(fd, code);
    ws_send(fd, 0x88, "\x03\xe8", 2);
    assert_true(peer_ended(fd));
    close(fd);
    wait_closed(before + 1);
}

static void what_is_not_wanted_closes_with_its_code(void **state)
{
    (void)state;
    char *large = calloc(1, MESSAGE_MAX + 1);
    memset(large, 'x', MESSAGE_MAX + 1);
    closed_with(0x82, "bin", 3, NET_CLOSE_BINARY);
    assert_int_equal(atomic_load(&t.last_code), NET_CLOSE_BINARY);
    closed_with(0x81, large, MESSAGE_MAX + 1, NET_CLOSE_TOO_LARGE);
    assert_int_equal(atomic_load(&t.last_code), NET_CLOSE_TOO_LARGE);
    closed_with(0x81, "bye", 3, 4401);
    assert_int_equal(atomic_load(&t.last_code), 4401);
    free(large);
    /* lws' own: bad UTF-8, bad opcode, a continuation of nothing. */
    int fd = ws_connect(&t.h, "");
    ws_send(fd, 0x81, "\xc3(", 2);
    ws_expect_close(fd, 1007);
    close(fd);
    fd = ws_connect(&t.h, "");
    ws_send(fd, 0x83, "x", 1);
    assert_true(peer_ended(fd));
    close(fd);
    wait_closed(5);
}

static void fragments_cannot_grow_past_the_limit(void **state)
{
    (void)state;
    char piece[1000];
    memset(piece, 'x', sizeof(piece));
    int fd = ws_connect(&t.h, "");
    ws_send(fd, 0x01, piece, sizeof(piece));
    for (int i = 0; i < 70; i++)
        ws_send(fd, 0x00, piece, sizeof(piece));
    ws_expect_close(fd, NET_CLOSE_TOO_LARGE);
    close(fd);
    /* A head that announces 2^62 bytes. */
    fd = ws_connect(&t.h, "");
    peer_send(fd, "\x81\xff\x40\0\0\0\0\0\0\0abcdx", 15);
    ws_expect_close(fd, NET_CLOSE_TOO_LARGE);
    close(fd);
}

static void the_peers_close_is_answered_once(void **state)
{
    (void)state;
    int fd = ws_connect(&t.h, "");
    ws_send(fd, 0x88, "\x0f\xa1zzz", 5); /* 4001 */
    ws_expect_close(fd, 4001);
    char extra;
    assert_int_equal(recv(fd, &extra, 1, 0), 0);
    close(fd);
    wait_closed(1);
    assert_int_equal(atomic_load(&t.last_code), 4001);
    fd = ws_connect(&t.h, "");
    ws_send(fd, 0x88, "", 0);
    assert_true(peer_ended(fd));
    close(fd);
    wait_closed(2);
    assert_int_equal(atomic_load(&t.last_code), NET_CLOSE_NONE);
}

static void ours_is_sent_once_and_messages_before_it(void **state)
{
    (void)state;
    int fd = ws_connect(&t.h, "");
    unsigned char both[100];
    size_t n = ws_frame(both, 0x81, "first", 5);
    n += ws_frame(both + n, 0x81, "bye", 3);
    n += ws_frame(both + n, 0x81, "never", 5);
    peer_send(fd, both, n);
    ws_expect(fd, "first");
    ws_expect_close(fd, 4401);
    ws_send(fd, 0x88, "\x11\x31", 2);
    char extra;
    assert_int_equal(recv(fd, &extra, 1, 0), 0);
    close(fd);
}

static void ten_thousand_in_order(void **state)
{
    (void)state;
    char want[20];
    int fd = ws_connect(&t.h, "");
    ws_send_text(fd, "many"); /* ten times the ring, in one turn, to a peer that reads */
    for (int i = 0; i < 10000; i++) {
        (void)snprintf(want, sizeof(want), "%d", i);
        ws_expect(fd, want);
    }
    close(fd);
}

/* Below the ring's limit each time; *ctx becomes whether the first connection had enough. */
static void flood(void *ctx)
{
    char text[FLOOD_BYTES];
    memset(text, 'f', sizeof(text));
    for (int i = 0; i < 90 && t.first; i++)
        send_text(t.first, base_sv(text, sizeof(text)));
    *(bool *)ctx = !t.first || net_conn_closing(t.first);
}

static void a_slow_reader_is_closed_while_others_go_on(void **state)
{
    (void)state;
    char got[FLOOD_BYTES + 1];
    size_t len;
    bool enough = false;
    int slow = ws_connect(&t.h, "");
    ws_send_text(slow, "x"); /* on_open has come */
    ws_expect(slow, "x");
    int other = ws_connect(&t.h, "");
    for (int i = 0; i < 1000 && !enough; i++) {
        harness_call(&t.h, flood, &enough);
        ws_send_text(other, "still here");
        ws_expect(other, "still here");
    }
    assert_true(enough);
    unsigned first;
    while ((first = ws_read(slow, got, sizeof(got), &len)) == 0x81)
        assert_int_equal(len, FLOOD_BYTES);
    assert_int_equal(first, 0x88);
    assert_int_equal((unsigned char)got[0] << 8 | (unsigned char)got[1], NET_CLOSE_SLOW);
    close(slow);
    wait_closed(1);
    assert_int_equal(atomic_load(&t.last_code), NET_CLOSE_SLOW);
    ws_send_text(other, "after");
    ws_expect(other, "after");
    close(other);
}

static void who_answers_pings_stays_and_who_does_not_goes(void **state)
{
    (void)state;
    char got[100];
    size_t len;
    prepare();
    t.h.options.ping_interval_ms = 100;
    t.h.options.pong_timeout_ms = 150;
    harness_start(&t.h);
    int alive = ws_connect(&t.h, "");
    int mute = ws_connect(&t.h, "");
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ws_read(alive, got, sizeof(got), &len), 0x89);
        ws_send(alive, 0x8a, got, len);
    }
    wait_closed(1);
    assert_int_equal(atomic_load(&t.last_code), NET_CLOSE_LOST);
    assert_int_equal(ws_read(mute, got, sizeof(got), &len), 0x89);
    assert_true(peer_ended(mute));
    ws_send_text(alive, "here");
    while (ws_read(alive, got, sizeof(got), &len) == 0x89)
        ;
    assert_string_equal(got, "here");
    close(alive);
    close(mute);
    stop(NULL);
}

static void who_never_closes_is_cut_off(void **state)
{
    (void)state;
    prepare();
    t.h.options.close_timeout_ms = 100;
    harness_start(&t.h);
    int fd = ws_connect(&t.h, "");
    ws_send_text(fd, "bye");
    ws_expect_close(fd, 4401);
    wait_closed(1);
    assert_int_equal(atomic_load(&t.last_code), 4401);
    assert_true(peer_ended(fd));
    close(fd);
    stop(NULL);
}

static void leave(void *ctx)
{
    net_server_stop_accepting(t.h.server);
    net_server_close_all(t.h.server, NET_CLOSE_RESTART, SV("restart"), *(int64_t *)ctx);
}

static void draining_closes_everybody_spread_out(void **state)
{
    (void)state;
    enum { N = 10 };
    int64_t spread_ms = 300;
    struct timespec from;
    struct timespec to;
    int fds[N];
    for (int i = 0; i < N; i++) {
        fds[i] = ws_connect(&t.h, "");
        ws_send_text(fds[i], "x");
        ws_expect(fds[i], "x");
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    harness_call(&t.h, leave, &spread_ms);
    for (int i = 0; i < N; i++) {
        ws_expect_close(fds[i], NET_CLOSE_RESTART);
        ws_send(fds[i], 0x88, "\x03\xf4", 2);
        assert_true(peer_ended(fds[i]));
        close(fds[i]);
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &to);
    assert_true((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000 >= 250);
    wait_closed(N);
}

static void only_so_many_connections(void **state)
{
    (void)state;
    prepare();
    t.h.options.max_connections = 2;
    harness_start(&t.h);
    int a = ws_connect(&t.h, "");
    int b = ws_connect(&t.h, "");
    int c = peer_connect(&t.h);
    assert_true(peer_ended(c));
    close(c);
    close(a);
    wait_closed(1);
    a = ws_connect(&t.h, "");
    ws_send_text(a, "in");
    ws_expect(a, "in");
    close(a);
    close(b);
    stop(NULL);
}

static void a_server_that_ends_closes_what_is_open(void **state)
{
    (void)state;
    prepare();
    harness_start(&t.h);
    int a = ws_connect(&t.h, "");
    ws_send_text(a, "x");
    ws_expect(a, "x");
    int b = peer_connect(&t.h);
    stop(NULL);
    assert_int_equal(atomic_load(&t.closed), 1);
    close(a);
    close(b);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(echo_and_the_handshakes_headers),
        WITH_SERVER(bad_handshakes_are_refused),
        WITH_SERVER(messages_come_whole_however_they_are_cut),
        WITH_SERVER(byte_by_byte_with_fragments_and_pings_between),
        WITH_SERVER(what_is_not_wanted_closes_with_its_code),
        WITH_SERVER(fragments_cannot_grow_past_the_limit),
        WITH_SERVER(the_peers_close_is_answered_once),
        WITH_SERVER(ours_is_sent_once_and_messages_before_it),
        WITH_SERVER(ten_thousand_in_order),
        WITH_SERVER(a_slow_reader_is_closed_while_others_go_on),
        cmocka_unit_test(who_answers_pings_stays_and_who_does_not_goes),
        cmocka_unit_test(who_never_closes_is_cut_off),
        WITH_SERVER(draining_closes_everybody_spread_out),
        cmocka_unit_test(only_so_many_connections),
        cmocka_unit_test(a_server_that_ends_closes_what_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
