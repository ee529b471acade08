/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: a rule with its start, compiled; from any wall time it finds the neighbouring
 * occurrence by arithmetic, in either direction. It knows nothing of zones or exceptions:
 * wall time is a count of seconds on a clock without zone (time_civil_seconds).
 * Inside the recurrence engine only.
 *
 * A rule's occurrences: time is cut into periods (of the frequency's unit; every interval-th one
 * counts, from the start's on). A period holds the days the filters allow, times the times of day;
 * BYSETPOS picks from that by rank.
 */
#ifndef RECUR_SEEK_H
#define RECUR_SEEK_H

#include "tasks/recur/days.h"
#include "tasks/recur/times.h"

enum recur_result {
    RECUR_FOUND,
    RECUR_NONE, /* the rule has ended (COUNT, UNTIL) or the calendar has (year 9999) */
    RECUR_CAP,  /* none within the cap on steps */
};

struct recur_plan {
    struct recur_days days;
    struct recur_times times;
    enum recur_freq freq;
    int64_t interval;
    int64_t base; /* number of the start's period */
    int64_t start_s;
    int64_t last_s; /* no occurrence after it */
    bool open;      /* whether there are more after last_s is not known: counting met the cap */
    bool positions;
};

/* The days of one period, for ranks: a list of months (a part of one for a week or a day). */
struct recur_period {
    int64_t number; /* of the period; valid if part_count is not 0 */
    int part_count;
    struct {
        int64_t first_day;
        uint32_t mask;
    } parts[12];
};

/* What a search leaves behind for the next one nearby. Zero it once; it may be lost at any time. */
struct recur_cache {
    struct recur_month month;
    struct recur_period period;
};

/* COUNT is resolved into last_s here, within steps. */
void recur_plan_init(struct recur_plan *plan, const struct recur_rule *rule,
                     const struct recur_holidays *holidays, int64_t start_s, int64_t last_s,
                     int steps);

/* The first occurrence >= from_s; the last one <= to_s. steps is used up. */
enum recur_result recur_seek_next(const struct recur_plan *plan, struct recur_cache *cache,
                                  int64_t from_s, int *steps, int64_t *ret_s);
enum recur_result recur_seek_prev(const struct recur_plan *plan, struct recur_cache *cache,
                                  int64_t to_s, int *steps, int64_t *ret_s);

/* The last second of the last day we know. */
int64_t recur_calendar_end(void);

#endif
