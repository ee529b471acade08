/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks on their way out: what is written here, the readers read back as it was. */
#ifndef GATEWAY_EXCHANGE_WRITER_H
#define GATEWAY_EXCHANGE_WRITER_H

#include "tasks/task.h"

/* A whole iCalendar (RFC 5545) is begin, todos, end. Zones are named as in the IANA database. */
void gw_ical_begin(struct base_buf *buf);
void gw_ical_todo(struct base_buf *buf, const struct task *task, int64_t now_us);
void gw_ical_end(struct base_buf *buf);

/* The API's task with what only an export tells. */
void gw_export_json(struct base_buf *buf, const struct task *task, int64_t now_us);

#endif
