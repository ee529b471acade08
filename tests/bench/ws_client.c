/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/ws_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_MAX = 256 * 1024,
    REST_MAX = 1 << 20,
    EVENTS_MAX = 256,
    LATENCIES_MAX = 4 << 20,
    TOKENS_MAX = 20000
};

_Noreturn void ws_die(const char *what)
{
    perror(what);
    exit(1);
}

double ws_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void ws_latencies_init(struct ws_latencies *latencies)
{
    latencies->count = 0;
    latencies->ms = malloc(LATENCIES_MAX * sizeof(*latencies->ms));
    if (!latencies->ms)
        ws_die("memory");
}

void ws_latencies_add(struct ws_latencies *latencies, double seconds)
{
    if (latencies->count < LATENCIES_MAX)
        latencies->ms[latencies->count++] = (float)(seconds * 1e3);
}

static int by_value(const void *a, const void *b)
{
    float left = *(const float *)a, right = *(const float *)b;
    return (left > right) - (left < right);
}

void ws_latencies_sort(struct ws_latencies *latencies)
{
    qsort(latencies->ms, latencies->count, sizeof(*latencies->ms), by_value);
}

double ws_latencies_at(const struct ws_latencies *latencies, double q)
{
    if (!latencies->count)
        return 0;
    return (double)latencies->ms[(size_t)((double)(latencies->count - 1) * q)];
}

char **ws_read_tokens(const char *path, size_t *ret_count)
{
    char line[4096];
    char **tokens = calloc(TOKENS_MAX, sizeof(*tokens));
    FILE *file = fopen(path, "r");
    if (!tokens || !file)
        ws_die(path);
    while (*ret_count < TOKENS_MAX && fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\r\n")] = '\0';
        tokens[(*ret_count)++] = strdup(line);
    }
    (void)fclose(file);
    return tokens;
}

void ws_load_init(struct ws_load *load, int port, enum ws_wire wire)
{
    load->port = port;
    load->wire = wire;
    load->epoll = epoll_create1(0);
    if (load->epoll < 0)
        ws_die("epoll_create1");
    if (wire != WS_TLS)
        return;
    load->tls = SSL_CTX_new(TLS_client_method());
    if (!load->tls)
        ws_die("SSL_CTX_new");
    SSL_CTX_set_verify(load->tls, SSL_VERIFY_NONE, NULL); /* the bench's own certificate */
}

static ssize_t read_some(struct ws_client *client, char *data, size_t size)
{
    if (!client->tls)
        return recv(client->fd, data, size, MSG_DONTWAIT);
    int n = SSL_read(client->tls, data, (int)size);
    if (n > 0)
        return n;
    errno = SSL_get_error(client->tls, n) == SSL_ERROR_WANT_READ ? EAGAIN : EPROTO;
    return -1;
}

void ws_send_raw(struct ws_client *client, const char *data, size_t length)
{
    while (length) {
        ssize_t n = client->tls ? SSL_write(client->tls, data, (int)length)
                                : send(client->fd, data, length, MSG_NOSIGNAL);
        if (n <= 0 && client->tls && SSL_get_error(client->tls, (int)n) == SSL_ERROR_WANT_WRITE)
            continue;
        if (n <= 0)
            ws_die("send");
        data += n;
        length -= (size_t)n;
    }
}

static void send_frame(struct ws_client *client, int opcode, const char *text, size_t length)
{
    static char frame[8192];
    size_t head = 0;
    if (length > sizeof(frame) - 16)
        ws_die("text too long");
    frame[head++] = (char)(0x80 | opcode);
    if (length < 126) {
        frame[head++] = (char)(0x80 | length);
    } else {
        frame[head++] = (char)(0x80 | 126);
        frame[head++] = (char)(length >> 8);
        frame[head++] = (char)(length & 255);
    }
    memset(frame + head, 0, 4); /* a mask of zeros is a mask (RFC 6455 5.3) */
    head += 4;
    memcpy(frame + head, text, length);
    ws_send_raw(client, frame, head + length);
}

/* MQTT 3.1.1 2.2.3: seven bits a byte */
static size_t put_remaining(char *at, size_t length)
{
    size_t n = 0;
    do {
        at[n] = (char)((length & 127) | (length > 127 ? 128 : 0));
        length >>= 7;
    } while (at[n++] & 128);
    return n;
}

static void send_packet(struct ws_client *client, int type, const char *body, size_t length)
{
    static char packet[8192];
    packet[0] = (char)type;
    size_t head = 1 + put_remaining(packet + 1, length);
    if (head + length > sizeof(packet))
        ws_die("packet too long");
    memcpy(packet + head, body, length);
    ws_send_raw(client, packet, head + length);
}

void ws_send_text(struct ws_client *client, const char *text, size_t length)
{
    static char body[8192];
    if (client->wire != WS_MQTT) {
        send_frame(client, 1, text, length);
        return;
    }
    if (length > sizeof(body) - 7)
        ws_die("text too long");
    memcpy(body, "\0\5bench", 7);
    memcpy(body + 7, text, length);
    send_packet(client, 0x30, body, length + 7);
}

void ws_send_connect(struct ws_client *client, const char *token)
{
    char frame[4096];
    int length = snprintf(
        frame, sizeof(frame),
        "{\"type\":\"connect\",\"token\":\"%s\",\"device\":\"bench\",\"timezone\":\"UTC\"}", token);
    ws_send_text(client, frame, (size_t)length);
}

static void greet(struct ws_load *load, struct ws_client *client)
{
    char text[256];
    if (load->wire == WS_MQTT) {
        int n = snprintf(text + 12, sizeof(text) - 12, "b%zu", client->index);
        memcpy(text, "\0\4MQTT\4\2\0\0\0", 11);
        text[11] = (char)n;
        send_packet(client, 0x10, text, 12 + (size_t)n);
        send_packet(client, 0x82, "\0\1\0\5bench\0", 10);
        return;
    }
    int length = snprintf(text, sizeof(text),
                          "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: todo.v1\r\n\r\n",
                          load->port);
    ws_send_raw(client, text, (size_t)length);
}

void ws_open(struct ws_load *load, struct ws_client *client, size_t index)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load->port)};
    int one = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->wire = load->wire;
    client->index = index;
    client->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        ws_die("connect");
    (void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (load->tls) {
        client->tls = SSL_new(load->tls);
        if (!client->tls || !SSL_set_fd(client->tls, client->fd) || SSL_connect(client->tls) != 1)
            ws_die("TLS");
        SSL_set_mode(client->tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
        (void)fcntl(client->fd, F_SETFL, O_NONBLOCK);
    }
    greet(load, client);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, client->fd, &event) != 0)
        ws_die("epoll_ctl");
}

/* How long the frame at the start is, 0 while that is not known; where its payload begins. */
static size_t ws_frame(const unsigned char *h, size_t have, size_t *ret_head)
{
    size_t length = h[1] & 127, bytes = length == 126 ? 2 : length == 127 ? 8 : 0;
    *ret_head = 2 + bytes;
    if (have < *ret_head)
        return 0;
    if (bytes)
        length = 0;
    for (size_t i = 0; i < bytes; i++)
        length = length << 8 | h[2 + i];
    return *ret_head + length;
}

static size_t mqtt_packet(const unsigned char *h, size_t have, size_t *ret_head)
{
    size_t length = 0;
    for (size_t i = 1; i < have && i < 5; i++) {
        length |= (size_t)(h[i] & 127) << (7 * (i - 1));
        *ret_head = i + 1;
        if (!(h[i] & 128))
            return *ret_head + length;
    }
    return 0;
}

static void take(struct ws_load *load, struct ws_client *client, const char *frame, size_t head,
                 size_t length)
{
    int first = (unsigned char)frame[0];
    if (client->wire == WS_MQTT) {
        if (first >> 4 == 9) {
            client->open = true;
            load->on_open(client);
        } else if (first >> 4 == 3) {
            load->on_text(client, frame + head + 7, length - head - 7);
        }
    } else if ((first & 15) == 1) {
        load->on_text(client, frame + head, length - head);
    } else if ((first & 15) == 9) {
        send_frame(client, 10, frame + head, length - head);
    } else if ((first & 15) == 8) {
        errno = ECONNRESET;
        ws_die("the server closed a connection");
    }
}

/* Whole frames from the front; how much that was. */
static size_t take_frames(struct ws_load *load, struct ws_client *client, char *data, size_t size)
{
    size_t at = 0;
    if (!client->open && client->wire != WS_MQTT) {
        char *end = memmem(data, size, "\r\n\r\n", 4);
        if (!end)
            return 0;
        if (strncmp(data, "HTTP/1.1 101", 12) != 0)
            ws_die("the upgrade was refused");
        at = (size_t)(end - data) + 4;
        client->open = true;
        load->on_open(client);
    }
    while (size - at >= 2) {
        size_t head = 0;
        const unsigned char *h = (const unsigned char *)data + at;
        size_t length = client->wire == WS_MQTT ? mqtt_packet(h, size - at, &head)
                                                : ws_frame(h, size - at, &head);
        if (length == 0 || size - at < length)
            break;
        take(load, client, data + at, head, length);
        at += length;
    }
    return at;
}

static void read_client(struct ws_load *load, struct ws_client *client)
{
    static char data[REST_MAX + READ_MAX];
    size_t size = client->rest_len;
    if (size)
        memcpy(data, client->rest, size);
    ssize_t n = read_some(client, data + size, READ_MAX);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        ws_die("recv");
    size += (size_t)n;
    size_t taken = take_frames(load, client, data, size);
    client->rest_len = size - taken;
    free(client->rest);
    client->rest = client->rest_len ? malloc(client->rest_len) : NULL;
    if (client->rest_len > REST_MAX || (client->rest_len && !client->rest))
        ws_die("memory");
    if (client->rest_len)
        memcpy(client->rest, data + taken, client->rest_len);
}

void ws_pump(struct ws_load *load, int wait_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int n = epoll_wait(load->epoll, events, EVENTS_MAX, wait_ms);
    for (int i = 0; i < n; i++) {
        struct ws_client *client = events[i].data.ptr;
        do
            read_client(load, client);
        while (client->tls && SSL_pending(client->tls) > 0);
    }
}
