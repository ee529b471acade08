/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The injected clock. Whatever needs the time of day takes a clock (or the instant itself) as an
 * argument; only main() and tests choose which one. Instants are microseconds since 1970 UTC.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#include "lib/base/buf.h"

struct base_clock {
    /* Wall time in microseconds since the epoch, UTC. */
    int64_t (*now_us)(const struct base_clock *clock);
};

/* The machine's real-time clock. */
extern const struct base_clock base_clock_system;

/* A clock a test sets by hand; embed it and pass &fixed.clock. */
struct base_clock_fixed {
    struct base_clock clock;
    int64_t at_us;
};
void base_clock_fixed_init(struct base_clock_fixed *fixed, int64_t at_us);

static inline int64_t base_clock_now_us(const struct base_clock *clock)
{
    return clock->now_us(clock);
}

/* CLOCK_MONOTONIC in microseconds: for durations, never shown to anybody. */
int64_t base_monotonic_us(void);

/* RFC 3339 in UTC with 'Z': "2026-11-24T09:00:00Z", with milliseconds where they are not zero.
 * The instant must lie in the years 1 to 9999. */
void base_time_format(struct base_buf *buf, int64_t at_us);
/* RFC 3339 with any offset, fraction of 1 to 9 digits (cut to microseconds). A leap second becomes
 * the second after it. False on anything else, and where the instant lies in no year from 1 to
 * 9999 of UTC, so that what was read can be written. */
bool base_time_parse(struct base_sv text, int64_t *ret_at_us);

#endif
