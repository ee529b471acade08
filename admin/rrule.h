/* SPDX-License-Identifier: Apache-2.0 */
/* One line of `todo-admin rrule`, apart from the command so that it can be tested. */
#ifndef ADMIN_RRULE_H
#define ADMIN_RRULE_H

#include "lib/base/buf.h"

/* Appends the answer to one line of input, a line itself. */
void admin_rrule_line(struct base_sv line, struct base_buf *out);

#endif
