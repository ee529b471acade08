/* SPDX-License-Identifier: Apache-2.0 */
/* Between tls.c and server.c. */
#ifndef NET_TLS_PRIVATE_H
#define NET_TLS_PRIVATE_H

#include <stdbool.h>

#include "lib/net/tls.h"

/* ssl_ctx: an SSL_CTX *. Its certificate, chain and key become these; what it protects by is set.
 */
bool net_tls_apply(const struct net_tls *tls, void *ssl_ctx);

#endif
