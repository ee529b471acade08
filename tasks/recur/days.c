/* SPDX-License-Identifier: Apache-2.0 */
#include "tasks/recur/days.h"

enum { CYCLE_MONTHS = 400 * 12 }; /* after which weekdays and leap years repeat */

void recur_days_init(struct recur_days *days, const struct recur_rule *rule,
                     const struct recur_holidays *holidays)
{
    *days = (struct recur_days){
        .rule = *rule,
        .holidays = holidays,
        .months = rule->months ? rule->months : (1U << 12) - 1,
        .nth_of_year = rule->freq == RECUR_YEARLY && !rule->months,
        .by_month_day = rule->month_days || rule->month_days_back,
        .by_week = rule->weeks || rule->weeks_back,
        .by_year_day = recur_bits_any(rule->year_days) || recur_bits_any(rule->year_days_back),
    };
    for (int day = 0; day < 7; day++)
        if (rule->nth[day] | rule->nth_back[day])
            days->nth_days |= (uint8_t)(1 << day);
    days->by_day = rule->weekdays || days->nth_days;
    days->every = !rule->months && !days->by_month_day && !days->by_day && !days->by_week &&
                  !days->by_year_day && !rule->workday;
}

/* A year as day numbers. */
struct year {
    int64_t first_day;
    int length;
};

static struct year year_of(int32_t number)
{
    int64_t first = time_days_from_civil(number, 1, 1);
    return (struct year){first, (int)(time_days_from_civil(number + 1, 1, 1) - first)};
}

static uint32_t month_day_mask(const struct recur_rule *rule, int length)
{
    return (uint32_t)rule->month_days | recur_bits_reverse((uint32_t)rule->month_days_back, length);
}

/* The seven bits of the weekdays, repeated from the month's first weekday on. */
static uint32_t weekday_mask(uint8_t weekdays, int first_weekday)
{
    uint64_t week = ((uint64_t)weekdays | (uint64_t)weekdays << 7) >> first_weekday & 0x7f;
    return (uint32_t)(week * UINT64_C(0x10204081));
}

/* "2MO", "-1FR" within a span of days (the month, or the year); bits of those that fall into the
 * month, which starts at `offset` within the span. */
static uint32_t nth_mask(const struct recur_days *days, int span_weekday, int span_length,
                         int offset, int month_length)
{
    uint32_t mask = 0;
    for (int weekday = 0; weekday < 7; weekday++) {
        if (!(days->nth_days >> weekday & 1))
            continue;
        int first = (weekday - span_weekday + 7) % 7;
        int count = (span_length - 1 - first) / 7 + 1;
        for (uint64_t set = recur_bits_below(days->rule.nth[weekday], count); set; set &= set - 1) {
            int at = first + 7 * recur_bits_lowest(set) - offset;
            if (at >= 0 && at < month_length)
                mask |= 1U << at;
        }
        for (uint64_t set = recur_bits_below(days->rule.nth_back[weekday], count); set;
             set &= set - 1) {
            int at = first + 7 * (count - 1 - recur_bits_lowest(set)) - offset;
            if (at >= 0 && at < month_length)
                mask |= 1U << at;
        }
    }
    return mask;
}

static uint32_t year_day_mask(const struct recur_rule *rule, struct year year, int offset,
                              int month_length)
{
    uint32_t forward = recur_bits_slice(rule->year_days, offset, month_length);
    uint32_t back =
        recur_bits_slice(rule->year_days_back, year.length - offset - month_length, month_length);
    return forward | recur_bits_reverse(back, month_length);
}

/* ISO 8601 with any first weekday: a week belongs to the year that holds its fourth day. */
static uint32_t week_mask(const struct recur_rule *rule, const struct recur_month *month,
                          struct year year)
{
    uint32_t mask = 0;
    int into_week = (time_weekday(month->first_day) - rule->week_start + 7) % 7;
    for (int start = -into_week; start < month->length; start += 7) {
        int64_t fourth = month->first_day + start + 3;
        struct year of = year;
        if (fourth < year.first_day)
            of = year_of(month->year - 1);
        else if (fourth >= year.first_day + year.length)
            of = year_of(month->year + 1);
        int of_year = (int)(fourth - of.first_day);
        if (!recur_bits_has(rule->weeks, of_year / 7) &&
            !recur_bits_has(rule->weeks_back, (of.length - 1 - of_year) / 7))
            continue;
        uint32_t week = 0x7f;
        mask |= start < 0 ? week >> -start : week << start;
    }
    return mask;
}

static uint32_t month_mask(const struct recur_days *days, const struct recur_month *month)
{
    const struct recur_rule *rule = &days->rule;
    uint32_t mask = (uint32_t)((UINT64_C(1) << month->length) - 1);
    if (days->every)
        return mask;
    if (!recur_bits_has(days->months, month->month - 1))
        return 0;
    if (rule->workday)
        return recur_workday_mask(days->holidays, month->first_day, month->length);
    if (days->by_month_day)
        mask &= month_day_mask(rule, month->length);
    bool of_year = days->by_week || days->by_year_day || (days->nth_days && days->nth_of_year);
    struct year year = of_year ? year_of(month->year) : (struct year){0};
    int offset = (int)(month->first_day - year.first_day);
    if (days->by_day) {
        uint32_t by_day = weekday_mask(rule->weekdays, time_weekday(month->first_day));
        if (days->nth_days && days->nth_of_year)
            by_day |=
                nth_mask(days, time_weekday(year.first_day), year.length, offset, month->length);
        else if (days->nth_days)
            by_day |=
                nth_mask(days, time_weekday(month->first_day), month->length, 0, month->length);
        mask &= by_day;
    }
    if (days->by_year_day)
        mask &= year_day_mask(rule, year, offset, month->length);
    if (days->by_week)
        mask &= week_mask(rule, month, year);
    return mask;
}

static void evaluate(const struct recur_days *days, struct recur_month *month)
{
    month->length = time_days_in_month(month->year, month->month);
    month->mask = month_mask(days, month);
}

void recur_days_load(const struct recur_days *days, struct recur_month *month, int64_t day)
{
    if (day >= month->first_day && day < month->first_day + month->length)
        return;
    int of_month;
    time_civil_from_days(day, &month->year, &month->month, &of_month);
    month->first_day = day - of_month + 1;
    evaluate(days, month);
}

/* To the next month that BYMONTH allows. */
static void step_forward(const struct recur_days *days, struct recur_month *month)
{
    uint64_t later = recur_bits_from(days->months, month->month);
    bool next_is_adjacent = later && recur_bits_lowest(later) == month->month;
    int64_t adjacent = month->first_day + month->length;
    month->year += !later;
    month->month = recur_bits_lowest(later ? later : days->months) + 1;
    month->first_day =
        next_is_adjacent ? adjacent : time_days_from_civil(month->year, month->month, 1);
    evaluate(days, month);
}

static void step_back(const struct recur_days *days, struct recur_month *month)
{
    uint64_t earlier = recur_bits_below(days->months, month->month - 1);
    month->year -= !earlier;
    month->month = recur_bits_highest(earlier ? earlier : days->months) + 1;
    month->first_day = time_days_from_civil(month->year, month->month, 1);
    evaluate(days, month);
}

bool recur_days_next(const struct recur_days *days, struct recur_month *month, int64_t *day,
                     int *steps)
{
    if (days->every)
        return true;
    recur_days_load(days, month, *day);
    int first_bit = (int)(*day - month->first_day);
    for (int tried = 0; tried <= CYCLE_MONTHS; tried++) {
        uint32_t left = (uint32_t)recur_bits_from(month->mask, first_bit);
        if (left) {
            *day = month->first_day + recur_bits_lowest(left);
            return true;
        }
        if (--*steps < 0)
            return false;
        step_forward(days, month);
        if (month->year > RECUR_YEAR_MAX)
            return false;
        first_bit = 0;
    }
    *steps = -1;
    return false;
}

bool recur_days_prev(const struct recur_days *days, struct recur_month *month, int64_t *day,
                     int64_t floor_day, int *steps)
{
    if (days->every)
        return *day >= floor_day;
    recur_days_load(days, month, *day);
    int last_bit = (int)(*day - month->first_day);
    for (int tried = 0; tried <= CYCLE_MONTHS; tried++) {
        uint32_t left = (uint32_t)recur_bits_below(month->mask, last_bit + 1);
        if (left) {
            *day = month->first_day + recur_bits_highest(left);
            return *day >= floor_day;
        }
        if (month->first_day <= floor_day)
            return false;
        if (--*steps < 0)
            return false;
        step_back(days, month);
        last_bit = 31;
    }
    *steps = -1;
    return false;
}
