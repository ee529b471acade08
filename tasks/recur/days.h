/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which days a rule allows, a month at a time as a mask of bits. Every BY part that speaks of days
 * is a filter here, also those the RFC calls expanding: a period expands to all of its days, and
 * the filters thin them out. Inside the recurrence engine only.
 */
#ifndef RECUR_DAYS_H
#define RECUR_DAYS_H

#include "tasks/recur/rule.h"
#include "tasks/recur/workday.h"

enum { RECUR_YEAR_MAX = 9999 };

struct recur_days {
    struct recur_rule rule; /* with what the start supplies filled in */
    const struct recur_holidays *holidays;
    uint64_t months;  /* never empty */
    bool every;       /* no filter at all */
    uint8_t nth_days; /* weekdays that have numbers */
    bool nth_of_year; /* the numbers count within the year, not the month */
    bool by_month_day, by_day, by_week, by_year_day;
};

/* One month, evaluated; length 0 = none yet. */
struct recur_month {
    int64_t first_day;
    int32_t year;
    int month;
    int length;
    uint32_t mask;
};

void recur_days_init(struct recur_days *days, const struct recur_rule *rule,
                     const struct recur_holidays *holidays);

/* Makes *month the one that holds day; nothing to do if it is already. */
void recur_days_load(const struct recur_days *days, struct recur_month *month, int64_t day);

/* The first allowed day >= *day into *day. False when the calendar ends, when *steps runs out (one
 * is taken for each month looked at), or when a whole cycle of the calendar has none. */
bool recur_days_next(const struct recur_days *days, struct recur_month *month, int64_t *day,
                     int *steps);
/* The last allowed day <= *day, not before floor_day. */
bool recur_days_prev(const struct recur_days *days, struct recur_month *month, int64_t *day,
                     int64_t floor_day, int *steps);

#endif
