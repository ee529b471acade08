/* SPDX-License-Identifier: Apache-2.0 */
/* Content-Encoding: gzip (RFC 1952). */
#ifndef GATEWAY_HTTP_GZIP_H
#define GATEWAY_HTTP_GZIP_H

#include "lib/base/buf.h"

/* Appends the packed text. False: it does not fit, or would not be shorter. */
bool gw_gzip(struct base_sv text, struct base_buf *packed);

#endif
