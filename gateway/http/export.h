/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GATEWAY_HTTP_EXPORT_H
#define GATEWAY_HTTP_EXPORT_H

#include "gateway/http/router.h"

/* Answers the call with all tasks of its user that have one of the statuses (TASK_QUERY_*), as
 * iCalendar or as our own JSON with everything else that is stored. */
void gw_export(struct gw_call *call, bool ical, unsigned statuses);

#endif
