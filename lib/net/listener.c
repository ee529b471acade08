/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listening socket, our own: lws as Debian builds it cannot share a port between threads. At
 * most 64 connections are taken each time it is ready, so that a flood of them cannot starve those
 * who are in.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/metrics.h"
#include "lib/net/server_private.h"

enum { ACCEPT_BATCH = 64, BACKLOG = 4096, PAUSE_MS = 100 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static void address_text(const union address *address, char *dst, socklen_t cap)
{
    const struct in6_addr *v6 = &address->v6.sin6_addr;
    dst[0] = '\0';
    if (address->any.sa_family == AF_INET)
        (void)inet_ntop(AF_INET, &address->v4.sin_addr, dst, cap);
    else if (IN6_IS_ADDR_V4MAPPED(v6))
        (void)inet_ntop(AF_INET, &v6->s6_addr[12], dst, cap);
    else
        (void)inet_ntop(AF_INET6, v6, dst, cap);
}

static void take(struct net_server *server, int fd, const union address *peer)
{
    char remote[INET6_ADDRSTRLEN];
    int on = 1;
    base_metric_inc(BASE_M_NET_ACCEPTED);
    if (server->conn_count >= server->options.max_connections) {
        base_metric_add(BASE_M_NET_REFUSED, NET_REFUSED_LIMIT, 1);
        (void)close(fd);
        return;
    }
    address_text(peer, remote, sizeof(remote));
    if (!net_peers_enter(server->peers, remote)) {
        base_metric_add(BASE_M_NET_REFUSED, NET_REFUSED_ADDRESS, 1);
        (void)close(fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    struct net_conn *conn = net_conn_new(server, remote);
    if (!conn) {
        net_peers_leave(server->peers, remote);
        base_metric_add(BASE_M_NET_REFUSED, NET_REFUSED_MEMORY, 1);
        (void)close(fd);
        return;
    }
    lws_adopt_desc_t desc = {
        .vh = server->vhost,
        .type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP | LWS_ADOPT_ALLOW_SSL,
        .fd.sockfd = fd,
        .opaque = conn,
    };
    conn->adopting = true;
    struct lws *wsi = lws_adopt_descriptor_vhost_via_info(&desc);
    conn->adopting = false;
    if (!net_conn_adopted(conn, wsi)) /* the descriptor is closed already, or will be by lws */
        base_metric_add(BASE_M_NET_REFUSED, NET_REFUSED_ADOPTING, 1);
}

static void ready(void *ctx, unsigned events)
{
    struct net_server *server = ctx;
    (void)events;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        union address peer = {0};
        socklen_t len = sizeof(peer);
        int fd = accept4(server->listener.fd, &peer.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take(server, fd, &peer);
            continue;
        }
        if (errno == ECONNABORTED || errno == EINTR)
            continue;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            base_metric_add(BASE_M_NET_REFUSED, NET_REFUSED_MEMORY, 1);
            base_io_set(server->listener.io, 0);
            net_loop_timer_start(server->options.loop, &server->listener.pause, PAUSE_MS);
        }
        return;
    }
}

static void resume(void *ctx)
{
    struct net_server *server = ctx;
    base_io_set(server->listener.io, BASE_IO_READ);
}

static bool parse_address(const char *text, int port, union address *ret_address,
                          socklen_t *ret_len)
{
    union address address = {0};
    if (inet_pton(AF_INET, text, &address.v4.sin_addr) == 1) {
        address.v4.sin_family = AF_INET;
        address.v4.sin_port = htons((uint16_t)port);
        *ret_len = sizeof(address.v4);
    } else if (inet_pton(AF_INET6, text, &address.v6.sin6_addr) == 1) {
        address.v6.sin6_family = AF_INET6;
        address.v6.sin6_port = htons((uint16_t)port);
        *ret_len = sizeof(address.v6);
    } else {
        return false;
    }
    *ret_address = address;
    return true;
}

static enum base_err failed(struct base_buf *errors, const struct net_server_options *options,
                            const char *what, int error)
{
    base_buf_addf(errors, "%s on %s port %d: %s", what, options->address, options->port,
                  error == EADDRINUSE ? "the port is in use" : strerror(error));
    return error == EADDRINUSE ? BASE_CONFLICT : BASE_INVALID;
}

enum base_err net_listener_start(struct net_server *server, struct base_buf *errors)
{
    const struct net_server_options *options = &server->options;
    union address address;
    socklen_t len;
    int on = 1;
    if (options->port < 0 || options->port > 65535 ||
        !parse_address(options->address, options->port, &address, &len)) {
        base_buf_addf(errors, "cannot listen on %s port %d: not a numeric address and port",
                      options->address, options->port);
        return BASE_INVALID;
    }
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return failed(errors, options, "cannot make a socket to listen", errno);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0 ||
        bind(fd, &address.any, len) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, &address.any, &len) < 0) {
        enum base_err err = failed(errors, options, "cannot listen", errno);
        (void)close(fd);
        return err;
    }
    enum base_err err =
        base_io_new(net_loop_base(options->loop), fd, ready, server, &server->listener.io);
    if (err) {
        (void)close(fd);
        return err;
    }
    server->listener.fd = fd;
    server->listener.port =
        ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
    server->listener.pause = (struct net_wheel_timer){.fn = resume, .ctx = server};
    base_io_set(server->listener.io, BASE_IO_READ);
    return BASE_OK;
}

void net_listener_stop(struct net_server *server)
{
    if (server->listener.fd < 0)
        return;
    net_loop_timer_stop(server->options.loop, &server->listener.pause);
    base_io_free(server->listener.io);
    (void)close(server->listener.fd);
    server->listener.io = NULL;
    server->listener.fd = -1;
}
