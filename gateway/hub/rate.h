/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A quota per minute that refills steadily (GCRA: one number to keep). A burst may take the whole
 * quota at once.
 */
#ifndef GATEWAY_HUB_RATE_H
#define GATEWAY_HUB_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct gw_rate {
    int64_t full_us; /* when all of the quota is there again */
};

/* Takes one of quota (1 or more) a minute. left: how many more there are now; full_s: seconds until
 * all are. False: none was left. */
static inline bool gw_rate_take(struct gw_rate *rate, int64_t quota, int64_t now_us,
                                int64_t *ret_left, int64_t *ret_full_s)
{
    const int64_t window_us = INT64_C(60000000);
    int64_t each_us = window_us / quota;
    int64_t full_us = rate->full_us > now_us ? rate->full_us : now_us;
    bool passes = full_us + each_us - now_us <= window_us;
    if (passes)
        full_us += each_us;
    rate->full_us = full_us;
    *ret_left = (window_us - (full_us - now_us)) / each_us;
    *ret_full_s = (full_us - now_us + 999999) / 1000000;
    return passes;
}

#endif
