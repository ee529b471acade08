/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses are everybody's: what a user may make a server connect to. */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* False for loopback, private, link-local, shared, multicast, documentation and reserved addresses
 * (RFC 6890 and its registries), also when an IPv6 address holds one of IPv4. */
bool net_address_is_global(const struct sockaddr *address);

#endif
