/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API's recurrence_pattern: a rule, its anchor and its lists of exceptions as JSON.
 *
 *     {"frequency": "minutely|hourly|daily|weekly|monthly|yearly|custom", "interval": 2,
 *      "by_day": ["MO", "-1FR"], "by_month_day": [1, -1], "by_month", "by_week_no", "by_year_day",
 *      "by_hour", "by_minute", "by_second", "by_set_pos": […], "week_start": "MO",
 *      "ends": {"count": 10} or {"until": "2026-12-24"}, "exceptions": ["2026-12-24", …],
 *      "additions": ["2026-12-27T09:00:00"], "anchor": "schedule|completion", "rrule": "FREQ=…"}
 *
 * "custom" brings an rrule of its own, or counts in workdays: {"unit": "workday", "interval": 3},
 * or with "nth": [1, -1] the first and the last workday of the month; their rrule is null. Where an
 * rrule stands beside other fields they must agree, so that what was read can be sent back.
 * Written is the canonical form, with every frequency by its name and the rrule beside it.
 */
#ifndef RECUR_PATTERN_H
#define RECUR_PATTERN_H

#include <jansson.h>

#include "lib/base/arena.h"
#include "tasks/recur/policy.h"

enum {
    RECUR_PATTERN_TEXT_MAX = 64 * 1024,
    RECUR_EXCEPTIONS_MAX = 1000, /* of each kind */
    RECUR_SPACING_MIN_S = 300,   /* nothing closer than five minutes */
};

struct recur_pattern {
    struct recur_rule rule;
    enum recur_anchor anchor;
    /* Ascending, without doubles; in the arena. */
    int64_t *exdates; /* "exceptions" with a time */
    size_t exdate_count;
    int64_t *exdays; /* "exceptions" without */
    size_t exday_count;
    int64_t *rdates; /* "additions" */
    size_t rdate_count;
};

/* MALFORMED (not this shape), UNPROCESSABLE (means something impossible, or comes too often),
 * NO_MEMORY; *ret_error names the field, and the part of the rrule. */
BASE_MUST_CHECK enum base_err recur_pattern_read(const json_t *json, struct base_arena *arena,
                                                 struct recur_pattern *ret_pattern,
                                                 struct recur_error *ret_error);
/* The same from text; TOO_LARGE above RECUR_PATTERN_TEXT_MAX. */
BASE_MUST_CHECK enum base_err recur_pattern_parse(struct base_sv text, struct base_arena *arena,
                                                  struct recur_pattern *ret_pattern,
                                                  struct recur_error *ret_error);
void recur_pattern_write(struct base_buf *buf, const struct recur_pattern *pattern);

/* Rule and lists as a spec; start, zone and all_day are left to the caller. The pattern must
 * outlive it. */
struct recur_spec recur_pattern_spec(const struct recur_pattern *pattern);

#endif
