/* SPDX-License-Identifier: Apache-2.0 */
/* How many connections each address has open, up to a limit for each. One thread's. */
#ifndef NET_PEERS_H
#define NET_PEERS_H

#include "lib/base/err.h"
#include "lib/base/sv.h"

struct net_peers;

/* limit: of one address; 0: there is none, and nothing is counted. */
BASE_MUST_CHECK enum base_err net_peers_new(size_t limit, struct net_peers **ret_peers);
void net_peers_free(struct net_peers *peers);

/* False: the address has its limit already, or there is no memory; nothing was counted then. Of an
 * IPv6 address the first 64 bits count (RFC 6177: a site has at least that many). */
BASE_MUST_CHECK bool net_peers_enter(struct net_peers *peers, const char *address);
void net_peers_leave(struct net_peers *peers, const char *address);
/* Addresses with a connection. */
size_t net_peers_count(const struct net_peers *peers);

#endif
