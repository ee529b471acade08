/* SPDX-License-Identifier: Apache-2.0 */
/* Durations as ISO 8601 text: "PT15M", "P1DT2H", "PT0S". Weeks count 7 days, days 24 hours; months
 * and years have no fixed length and are refused. */
#ifndef TIME_DURATION_H
#define TIME_DURATION_H

#include "lib/base/buf.h"

void time_duration_format(struct base_buf *buf, int64_t seconds);
/* Up to ten years, not negative. False on anything else. */
bool time_duration_parse(struct base_sv text, int64_t *ret_seconds);

#endif
