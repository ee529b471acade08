/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least a WebSocket server can do, as the limit that bench realtime measures against: one
 * thread, epoll, one read and one write a turn, no checks. It answers any text frame with a pong
 * frame as the gateway does, and hands a text that begins with "!" on to all other connections;
 * what came together goes out together.
 *
 *     ws_bare           prints its port
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IN_MAX = 256 * 1024, OUT_MAX = 4 << 20, PEERS_MAX = 100000, EVENTS_MAX = 512 };

struct peer {
    int fd;
    bool upgraded;
    char *rest;
    size_t rest_len, index;
};

static struct peer *peers[PEERS_MAX];
static size_t peer_count;
static char out[OUT_MAX], all[OUT_MAX];
static size_t out_len, all_len;
static const char PONG[] = "{\"type\":\"pong\"}";

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void send_all(const struct peer *peer, const char *data, size_t length)
{
    while (length) {
        ssize_t n = send(peer->fd, data, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd room = {.fd = peer->fd, .events = POLLOUT};
            (void)poll(&room, 1, -1);
            continue;
        }
        if (n <= 0)
            return; /* its end is read later */
        data += n;
        length -= (size_t)n;
    }
}

static size_t put_frame(char *at, const char *text, size_t length)
{
    size_t head = 0;
    at[head++] = (char)0x81;
    if (length < 126) {
        at[head++] = (char)length;
    } else {
        at[head++] = 126;
        at[head++] = (char)(length >> 8);
        at[head++] = (char)(length & 255);
    }
    memcpy(at + head, text, length);
    return head + length;
}

static size_t upgrade(struct peer *peer, char *data, size_t size)
{
    static const char KEY[] = "Sec-WebSocket-Key: ",
                      GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char *end = memmem(data, size, "\r\n\r\n", 4), *key = memmem(data, size, KEY, sizeof(KEY) - 1);
    char text[64], accept[32], answer[256];
    unsigned char digest[SHA_DIGEST_LENGTH];
    if (!end || !key)
        return 0;
    memcpy(text, key + sizeof(KEY) - 1, 24);
    memcpy(text + 24, GUID, sizeof(GUID));
    (void)SHA1((unsigned char *)text, 24 + sizeof(GUID) - 1, digest);
    (void)EVP_EncodeBlock((unsigned char *)accept, digest, sizeof(digest));
    int n =
        snprintf(answer, sizeof(answer),
                 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: todo.v1\r\n\r\n",
                 accept);
    send_all(peer, answer, (size_t)n);
    peer->upgraded = true;
    return (size_t)(end - data) + 4;
}

/* Unmasks and answers the frame at the start; how long it was, 0 if it is not whole. */
static size_t take_frame(char *data, size_t size)
{
    const unsigned char *h = (const unsigned char *)data;
    if (size < 6)
        return 0;
    size_t length = h[1] & 127, head = length == 126 ? 8 : 6;
    if (length == 126)
        length = (size_t)h[2] << 8 | h[3];
    if (size < head + length)
        return 0;
    for (size_t i = 0; i < length; i++)
        data[head + i] = (char)(data[head + i] ^ data[head - 4 + (i & 3)]);
    if (length && data[head] == '!')
        all_len += put_frame(all + all_len, data + head, length);
    else if ((h[0] & 15) == 1)
        out_len += put_frame(out + out_len, PONG, sizeof(PONG) - 1);
    return head + length;
}

static void end(struct peer *peer)
{
    (void)close(peer->fd);
    peers[peer->index] = peers[--peer_count];
    peers[peer->index]->index = peer->index;
    free(peer->rest);
    free(peer);
}

static void serve(struct peer *peer)
{
    static char in[2 * IN_MAX];
    size_t size = peer->rest_len, at = 0, n;
    if (size)
        memcpy(in, peer->rest, size);
    ssize_t got = recv(peer->fd, in + size, IN_MAX, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        end(peer);
        return;
    }
    size += (size_t)got;
    out_len = all_len = 0;
    if (!peer->upgraded)
        at = upgrade(peer, in, size);
    while (peer->upgraded && (n = take_frame(in + at, size - at)) > 0)
        at += n;
    if (out_len)
        send_all(peer, out, out_len);
    for (size_t i = 0; all_len && i < peer_count; i++)
        if (peers[i] != peer && peers[i]->upgraded)
            send_all(peers[i], all, all_len);
    free(peer->rest);
    peer->rest_len = size - at;
    peer->rest = peer->rest_len ? malloc(peer->rest_len) : NULL;
    if (peer->rest)
        memcpy(peer->rest, in + at, peer->rest_len);
}

static void accept_one(int epoll, int listener)
{
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    struct peer *peer = fd < 0 || peer_count == PEERS_MAX ? NULL : calloc(1, sizeof(*peer));
    if (!peer)
        return;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    peer->fd = fd;
    peer->index = peer_count;
    peers[peer_count++] = peer;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
    (void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int main(void)
{
    struct rlimit files = {200000, 200000};
    (void)setrlimit(RLIMIT_NOFILE, &files);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
        listen(listener, 4096) != 0 || getsockname(listener, (struct sockaddr *)&at, &length) != 0)
        die("listen");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS_MAX];
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0)
        die("epoll");
    (void)printf("%d\n", ntohs(at.sin_port));
    (void)fflush(stdout);
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr)
                serve(events[i].data.ptr);
            else
                accept_one(epoll, listener);
        }
    }
}
