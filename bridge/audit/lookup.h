/* SPDX-License-Identifier: Apache-2.0 */
/* Finds a record in a log that may be large: its lines are in the order of their offsets. Blocks.
 */
#ifndef BRIDGE_AUDIT_LOOKUP_H
#define BRIDGE_AUDIT_LOOKUP_H

#include <sys/types.h>

#include "lib/base/buf.h"

/* The line of this offset in the first size bytes of the file, without its end, in line (which is
 * emptied first). NOT_FOUND; UNAVAILABLE with errno: it cannot be read, or is no log. */
BASE_MUST_CHECK enum base_err audit_lookup(int fd, off_t size, int64_t offset,
                                           struct base_buf *line);

#endif
