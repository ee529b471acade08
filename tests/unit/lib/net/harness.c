/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/lib/net/harness.h"

static void *thread_main(void *ctx)
{
    struct harness *h = ctx;
    net_loop_run(h->loop);
    return NULL;
}

void harness_init(struct harness *h)
{
    *h = (struct harness){0};
    net_server_options_init(&h->options);
    h->options.subprotocol = "todo.v1";
}

void harness_start(struct harness *h)
{
    struct base_buf errors;
    base_buf_init(&errors, 1000);
    assert_int_equal(net_loop_new(&h->loop), BASE_OK);
    h->options.loop = h->loop;
    h->options.handlers = &h->handlers;
    h->options.ctx = h->ctx;
    if (net_server_new(&h->options, &errors, &h->server))
        fail_msg("%.*s", SV_FMT(base_buf_sv(&errors)));
    base_buf_done(&errors);
    h->port = net_server_port(h->server);
    assert_true(h->port > 0);
    assert_int_equal(pthread_create(&h->thread, NULL, thread_main, h), 0);
}

void harness_stop(struct harness *h)
{
    net_loop_stop(h->loop);
    pthread_join(h->thread, NULL);
    net_server_free(h->server);
    net_loop_free(h->loop);
}

struct call {
    base_call_fn fn;
    void *ctx;
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool is_done;
};

static void call_run(void *ctx)
{
    struct call *call = ctx;
    call->fn(call->ctx);
    pthread_mutex_lock(&call->lock);
    call->is_done = true;
    pthread_cond_signal(&call->done);
    pthread_mutex_unlock(&call->lock);
}

void harness_call(struct harness *h, base_call_fn fn, void *ctx)
{
    struct call call = {
        .fn = fn, .ctx = ctx, .lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};
    assert_int_equal(base_loop_post(net_loop_base(h->loop), call_run, &call), BASE_OK);
    pthread_mutex_lock(&call.lock);
    while (!call.is_done)
        pthread_cond_wait(&call.done, &call.lock);
    pthread_mutex_unlock(&call.lock);
}

int peer_connect(const struct harness *h)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)h->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

void peer_send(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n <= 0)
            fail_msg("send: %s", strerror(errno));
        at += n;
        len -= (size_t)n;
    }
}

void peer_send_c(int fd, const char *text)
{
    peer_send(fd, text, strlen(text));
}

void peer_read(int fd, void *dst, size_t len)
{
    char *at = dst;
    while (len) {
        ssize_t n = recv(fd, at, len, 0);
        if (n <= 0)
            fail_msg("recv: %s, %zu bytes missing", n ? strerror(errno) : "ended", len);
        at += n;
        len -= (size_t)n;
    }
}

size_t peer_read_head(int fd, char *dst, size_t cap)
{
    size_t len = 0;
    while (len < 4 || memcmp(dst + len - 4, "\r\n\r\n", 4) != 0) {
        assert_true(len + 1 < cap);
        peer_read(fd, dst + len++, 1);
    }
    dst[len] = '\0';
    return len;
}

bool peer_ended(int fd)
{
    char bin[4096];
    ssize_t n;
    while ((n = recv(fd, bin, sizeof(bin), 0)) > 0)
        ;
    return n == 0 || errno == ECONNRESET;
}

int http_answer(int fd, char *head, size_t head_cap, char *body, size_t body_cap)
{
    peer_read_head(fd, head, head_cap);
    static const char start[] = "HTTP/1.1 ";
    assert_memory_equal(head, start, sizeof(start) - 1);
    int status = (int)strtol(head + sizeof(start) - 1, NULL, 10);
    const char *length = strstr(head, "Content-Length: ");
    size_t len = length ? strtoul(length + 16, NULL, 10) : 0;
    assert_true(len < body_cap);
    peer_read(fd, body, len);
    body[len] = '\0';
    return status;
}

int ws_connect(const struct harness *h, const char *more_headers)
{
    char text[2048];
    int fd = peer_connect(h);
    (void)snprintf(text, sizeof(text),
                   "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                   "Connection: keep-alive, Upgrade\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Protocol: other, todo.v1\r\n%s\r\n",
                   more_headers);
    peer_send_c(fd, text);
    peer_read_head(fd, text, sizeof(text));
    assert_memory_equal(text, "HTTP/1.1 101", 12);
    /* The answer RFC 6455 gives for its sample key. */
    assert_non_null(strcasestr(text, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_non_null(strcasestr(text, "Sec-WebSocket-Protocol: todo.v1\r\n"));
    assert_null(strcasestr(text, "Extensions"));
    return fd;
}

size_t ws_frame(unsigned char *dst, unsigned first_byte, const void *payload, size_t len)
{
    static const unsigned char mask[4] = {0x12, 0x34, 0x56, 0x78};
    size_t head = 2;
    dst[0] = (unsigned char)first_byte;
    if (len < 126) {
        dst[1] = (unsigned char)(0x80 | len);
    } else if (len < 65536) {
        dst[1] = 0x80 | 126;
        dst[2] = (unsigned char)(len >> 8);
        dst[3] = (unsigned char)len;
        head = 4;
    } else {
        dst[1] = 0x80 | 127;
        for (int i = 0; i < 8; i++)
            dst[2 + i] = (unsigned char)((uint64_t)len >> (56 - 8 * i));
        head = 10;
    }
    memcpy(dst + head, mask, 4);
    head += 4;
    for (size_t i = 0; i < len; i++)
        dst[head + i] = (unsigned char)(((const unsigned char *)payload)[i] ^ mask[i & 3]);
    return head + len;
}

void ws_send(int fd, unsigned first_byte, const void *payload, size_t len)
{
    unsigned char *frame = malloc(len + 14);
    size_t n = ws_frame(frame, first_byte, payload, len);
    peer_send(fd, frame, n);
    free(frame);
}

void ws_send_text(int fd, const char *text)
{
    ws_send(fd, 0x81, text, strlen(text));
}

unsigned ws_read(int fd, char *dst, size_t cap, size_t *ret_len)
{
    unsigned char head[10];
    peer_read(fd, head, 2);
    uint64_t len = head[1];
    assert_true(len < 128); /* a server does not mask */
    if (len >= 126) {
        size_t more = len == 126 ? 2 : 8;
        peer_read(fd, head + 2, more);
        len = 0;
        for (size_t i = 0; i < more; i++)
            len = len << 8 | head[2 + i];
    }
    assert_true(len < cap);
    peer_read(fd, dst, (size_t)len);
    dst[len] = '\0';
    *ret_len = (size_t)len;
    return head[0];
}

void ws_expect(int fd, const char *text)
{
    size_t cap = strlen(text) + 200;
    char *got = malloc(cap);
    size_t len;
    unsigned first = ws_read(fd, got, cap, &len);
    assert_int_equal(first, 0x81);
    assert_string_equal(got, text);
    free(got);
}

void ws_expect_close(int fd, int code)
{
    char got[200];
    size_t len;
    assert_int_equal(ws_read(fd, got, sizeof(got), &len), 0x88);
    assert_true(len >= 2);
    assert_int_equal((unsigned char)got[0] << 8 | (unsigned char)got[1], code);
}
