/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The times of a day that a rule allows: every combination of an hour, a minute and a second of
 * three sets. Neighbours and ranks by bit arithmetic, so that 86,400 of them cost as much as one.
 */
#ifndef RECUR_TIMES_H
#define RECUR_TIMES_H

#include "tasks/recur/bits.h"

struct recur_times {
    uint64_t hours, minutes, seconds; /* none is empty */
};

static inline int recur_times_compose(int hour, int minute, int second)
{
    return hour * 3600 + minute * 60 + second;
}

static inline int recur_times_first(const struct recur_times *times)
{
    return recur_times_compose(recur_bits_lowest(times->hours), recur_bits_lowest(times->minutes),
                               recur_bits_lowest(times->seconds));
}

static inline int recur_times_last(const struct recur_times *times)
{
    return recur_times_compose(recur_bits_highest(times->hours), recur_bits_highest(times->minutes),
                               recur_bits_highest(times->seconds));
}

static inline bool recur_times_has(const struct recur_times *times, int of_day)
{
    return recur_bits_has(times->hours, of_day / 3600) &&
           recur_bits_has(times->minutes, of_day / 60 % 60) &&
           recur_bits_has(times->seconds, of_day % 60);
}

/* The first time >= of_day (a second of the day), or -1. */
static inline int recur_times_next(const struct recur_times *times, int of_day)
{
    int hour = of_day / 3600;
    int minute = of_day / 60 % 60;
    if (recur_bits_has(times->hours, hour)) {
        if (recur_bits_has(times->minutes, minute)) {
            uint64_t seconds = recur_bits_from(times->seconds, of_day % 60);
            if (seconds)
                return recur_times_compose(hour, minute, recur_bits_lowest(seconds));
        }
        uint64_t minutes = recur_bits_from(times->minutes, minute + 1);
        if (minutes)
            return recur_times_compose(hour, recur_bits_lowest(minutes),
                                       recur_bits_lowest(times->seconds));
    }
    uint64_t hours = recur_bits_from(times->hours, hour + 1);
    if (!hours)
        return -1;
    return recur_times_compose(recur_bits_lowest(hours), recur_bits_lowest(times->minutes),
                               recur_bits_lowest(times->seconds));
}

/* The last time <= of_day, or -1. */
static inline int recur_times_prev(const struct recur_times *times, int of_day)
{
    int hour = of_day / 3600;
    int minute = of_day / 60 % 60;
    if (recur_bits_has(times->hours, hour)) {
        if (recur_bits_has(times->minutes, minute)) {
            uint64_t seconds = recur_bits_below(times->seconds, of_day % 60 + 1);
            if (seconds)
                return recur_times_compose(hour, minute, recur_bits_highest(seconds));
        }
        uint64_t minutes = recur_bits_below(times->minutes, minute);
        if (minutes)
            return recur_times_compose(hour, recur_bits_highest(minutes),
                                       recur_bits_highest(times->seconds));
    }
    uint64_t hours = recur_bits_below(times->hours, hour);
    if (!hours)
        return -1;
    return recur_times_compose(recur_bits_highest(hours), recur_bits_highest(times->minutes),
                               recur_bits_highest(times->seconds));
}

static inline int recur_times_count(const struct recur_times *times)
{
    return recur_bits_count(times->hours) * recur_bits_count(times->minutes) *
           recur_bits_count(times->seconds);
}

/* How many lie before of_day. */
static inline int recur_times_rank(const struct recur_times *times, int of_day)
{
    int hour = of_day / 3600;
    int minute = of_day / 60 % 60;
    int per_minute = recur_bits_count(times->seconds);
    int per_hour = recur_bits_count(times->minutes) * per_minute;
    int rank = recur_bits_count(recur_bits_below(times->hours, hour)) * per_hour;
    if (!recur_bits_has(times->hours, hour))
        return rank;
    rank += recur_bits_count(recur_bits_below(times->minutes, minute)) * per_minute;
    if (!recur_bits_has(times->minutes, minute))
        return rank;
    return rank + recur_bits_count(recur_bits_below(times->seconds, of_day % 60));
}

/* The index-th, counted from 0. */
static inline int recur_times_at(const struct recur_times *times, int index)
{
    int per_minute = recur_bits_count(times->seconds);
    int per_hour = recur_bits_count(times->minutes) * per_minute;
    return recur_times_compose(recur_bits_select(times->hours, index / per_hour),
                               recur_bits_select(times->minutes, index % per_hour / per_minute),
                               recur_bits_select(times->seconds, index % per_minute));
}

#endif
