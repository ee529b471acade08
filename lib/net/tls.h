/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server's certificate chain and key, read from PEM files and checked before anybody uses them.
 * What was read may be given to servers of several threads; each connection keeps what it began
 * with.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "lib/base/buf.h"

struct net_server;
struct net_tls;

/* INVALID, told in errors with the file: it cannot be read, holds no certificate or key, the two do
 * not belong together, or the certificate is not valid at now_us. Neither file may ask for a
 * password. */
BASE_MUST_CHECK enum base_err net_tls_load(const char *certificate, const char *key, int64_t now_us,
                                           struct net_tls **ret_tls, struct base_buf *errors);
struct net_tls *net_tls_ref(struct net_tls *tls);
void net_tls_unref(struct net_tls *tls);
/* When the certificate ends, in microseconds since 1970. */
int64_t net_tls_until_us(const struct net_tls *tls);

/* In the server's thread: connections from now on get this one. The server must have been made with
 * one. */
BASE_MUST_CHECK enum base_err net_server_use_tls(struct net_server *server, struct net_tls *tls);

#endif
