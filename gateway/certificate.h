/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificate of the public listeners: read at start, and anew when one of its files changes.
 * What does not pass net_tls_load changes nothing: the last good one stays, and the log says why.
 * Open connections never notice.
 */
#ifndef GATEWAY_CERTIFICATE_H
#define GATEWAY_CERTIFICATE_H

#include "gateway/config.h"
#include "lib/net/tls.h"

struct gw_certificate;
struct gw_worker;

/* NULL in *ret_certificate where no TLS is wanted. */
BASE_MUST_CHECK enum base_err gw_certificate_new(const struct gw_config *config,
                                                 struct gw_certificate **ret_certificate,
                                                 struct base_buf *errors);
/* The one that was read first; for making the servers. NULL for NULL. */
struct net_tls *gw_certificate_tls(const struct gw_certificate *certificate);
/* Looks for newer ones in the first worker's loop. */
BASE_MUST_CHECK enum base_err gw_certificate_begin(struct gw_certificate *certificate,
                                                   struct gw_worker *const *workers, size_t count);
/* SIGHUP: looks at once. In the first worker's thread. NULL is fine. */
void gw_certificate_look(struct gw_certificate *certificate);
/* Before the workers go, when their loops do not run any more. NULL is fine. */
void gw_certificate_free(struct gw_certificate *certificate);

#endif
