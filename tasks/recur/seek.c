/* SPDX-License-Identifier: Apache-2.0 */
#include "tasks/recur/seek.h"

enum { DAY_S = 86400, DAY_LAST_S = DAY_S - 1, ALL_HOURS = (1 << 24) - 1 };

static const int unit_s[] = {[RECUR_SECONDLY] = 1, [RECUR_MINUTELY] = 60, [RECUR_HOURLY] = 3600};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t recur_calendar_end(void)
{
    return time_days_from_civil(RECUR_YEAR_MAX, 12, 31) * DAY_S + DAY_LAST_S;
}

/* --- periods --- */

/* Week 0 starts in the week of the epoch, on the rule's first weekday. */
static int64_t week_first_day(const struct recur_plan *plan, int64_t week)
{
    return week * 7 - 3 + plan->days.rule.week_start;
}

/* The number of the period that holds a day; for units of days and more. */
static int64_t period_of_day(const struct recur_plan *plan, struct recur_month *month, int64_t day)
{
    if (plan->freq == RECUR_DAILY)
        return day;
    if (plan->freq == RECUR_WEEKLY)
        return floor_div(day + 3 - plan->days.rule.week_start, 7);
    recur_days_load(&plan->days, month, day);
    return plan->freq == RECUR_YEARLY ? month->year : (int64_t)month->year * 12 + month->month - 1;
}

static int64_t period_first_day(const struct recur_plan *plan, int64_t period)
{
    switch (plan->freq) {
    case RECUR_YEARLY:
        return time_days_from_civil((int32_t)period, 1, 1);
    case RECUR_MONTHLY:
        return time_days_from_civil((int32_t)floor_div(period, 12),
                                    (int)(period - floor_div(period, 12) * 12) + 1, 1);
    case RECUR_WEEKLY:
        return week_first_day(plan, period);
    default:
        return period;
    }
}

/* Beyond this no period's first day is computed: numbers would leave the calendar. */
static bool period_in_calendar(const struct recur_plan *plan, int64_t period)
{
    switch (plan->freq) {
    case RECUR_YEARLY:
        return period <= RECUR_YEAR_MAX;
    case RECUR_MONTHLY:
        return period <= (int64_t)RECUR_YEAR_MAX * 12 + 11;
    default:
        return period_first_day(plan, period) <= recur_calendar_end() / DAY_S;
    }
}

/* Moves *day up to the first day of the next period that counts, unless it lies in one. */
static bool align_day_up(const struct recur_plan *plan, struct recur_month *month, int64_t *day)
{
    if (plan->interval == 1)
        return true;
    int64_t period = period_of_day(plan, month, *day);
    int64_t off = (period - plan->base) % plan->interval;
    if (off == 0)
        return true;
    period += plan->interval - off;
    if (!period_in_calendar(plan, period))
        return false;
    *day = period_first_day(plan, period);
    return true;
}

/* Moves *day down to the last day of the previous period that counts, unless it lies in one. */
static bool align_day_down(const struct recur_plan *plan, struct recur_month *month, int64_t *day)
{
    if (plan->interval == 1)
        return true;
    int64_t period = period_of_day(plan, month, *day);
    int64_t off = (period - plan->base) % plan->interval;
    if (period < plan->base)
        return false;
    if (off == 0)
        return true;
    period -= off;
    *day = period_first_day(plan, period + 1) - 1;
    return true;
}

/* --- days of the rule --- */

static enum recur_result out_of_days(const int *steps)
{
    return *steps < 0 ? RECUR_CAP : RECUR_NONE;
}

/* The first allowed day >= *day in a period that counts. */
static enum recur_result next_day(const struct recur_plan *plan, struct recur_month *month,
                                  int64_t *day, int *steps)
{
    for (;;) {
        if (!align_day_up(plan, month, day))
            return RECUR_NONE;
        int64_t allowed = *day;
        if (!recur_days_next(&plan->days, month, &allowed, steps))
            return out_of_days(steps);
        if (allowed == *day || plan->interval == 1) {
            *day = allowed;
            return RECUR_FOUND;
        }
        *day = allowed;
        if (!align_day_up(plan, month, &allowed))
            return RECUR_NONE;
        if (allowed == *day)
            return RECUR_FOUND;
        *day = allowed;
        if (*day * DAY_S > plan->last_s)
            return RECUR_NONE;
        if (--*steps < 0)
            return RECUR_CAP;
    }
}

static enum recur_result prev_day(const struct recur_plan *plan, struct recur_month *month,
                                  int64_t *day, int *steps)
{
    int64_t floor_day = floor_div(plan->start_s, DAY_S);
    for (;;) {
        if (!align_day_down(plan, month, day) || *day < floor_day)
            return RECUR_NONE;
        int64_t allowed = *day;
        if (!recur_days_prev(&plan->days, month, &allowed, floor_day, steps))
            return out_of_days(steps);
        *day = allowed;
        if (!align_day_down(plan, month, &allowed))
            return RECUR_NONE;
        if (allowed == *day)
            return RECUR_FOUND;
        *day = allowed;
        if (--*steps < 0)
            return RECUR_CAP;
    }
}

/* --- ranks within a period, for BYSETPOS and COUNT --- */

static void period_add(struct recur_period *period, int64_t first_day, uint32_t mask)
{
    if (mask) {
        period->parts[period->part_count].first_day = first_day;
        period->parts[period->part_count].mask = mask;
        period->part_count++;
    }
}

/* The allowed days of [first_day, first_day + length), length at most 7. */
static uint32_t span_mask(const struct recur_plan *plan, struct recur_month *month,
                          int64_t first_day, int length)
{
    uint32_t mask = 0;
    for (int done = 0; done < length;) {
        recur_days_load(&plan->days, month, first_day + done);
        int64_t into = first_day + done - month->first_day;
        int here = (int)(month->length - into);
        if (here > length - done)
            here = length - done;
        mask |= (uint32_t)recur_bits_below(month->mask >> into, here) << done;
        done += here;
    }
    return mask;
}

static const struct recur_period *period_load(const struct recur_plan *plan,
                                              struct recur_cache *cache, int64_t number)
{
    struct recur_period *period = &cache->period;
    if (period->part_count && period->number == number)
        return period;
    period->number = number;
    period->part_count = 0;
    int64_t first_day = period_first_day(plan, number);
    if (plan->freq == RECUR_WEEKLY || plan->freq == RECUR_DAILY) {
        int length = plan->freq == RECUR_WEEKLY ? 7 : 1;
        period_add(period, first_day, span_mask(plan, &cache->month, first_day, length));
        return period;
    }
    int months = plan->freq == RECUR_YEARLY ? 12 : 1;
    for (int i = 0; i < months; i++) {
        recur_days_load(&plan->days, &cache->month, first_day);
        period_add(period, first_day, cache->month.mask);
        first_day += cache->month.length;
    }
    return period;
}

static int period_days(const struct recur_period *period)
{
    int days = 0;
    for (int i = 0; i < period->part_count; i++)
        days += recur_bits_count(period->parts[i].mask);
    return days;
}

/* How many of the period's days and times lie before a wall time. */
static int period_rank(const struct recur_period *period, const struct recur_times *times,
                       int64_t wall_s)
{
    int64_t day = floor_div(wall_s, DAY_S);
    int before = 0;
    int per_day = recur_times_count(times);
    for (int i = 0; i < period->part_count; i++) {
        int64_t into = day - period->parts[i].first_day;
        if (into < 0)
            break;
        uint32_t mask = period->parts[i].mask;
        before += recur_bits_count(into > 31 ? mask : recur_bits_below(mask, (int)into)) * per_day;
        if (into < 32 && recur_bits_has(mask, (int)into))
            before += recur_times_rank(times, (int)(wall_s - day * DAY_S));
    }
    return before;
}

static int64_t period_at(const struct recur_period *period, const struct recur_times *times,
                         int index)
{
    int per_day = recur_times_count(times);
    int day = index / per_day;
    int part = 0;
    for (; day >= recur_bits_count(period->parts[part].mask); part++)
        day -= recur_bits_count(period->parts[part].mask);
    return (period->parts[part].first_day + recur_bits_select(period->parts[part].mask, day)) *
               DAY_S +
           recur_times_at(times, index % per_day);
}

/* The first index >= from that BYSETPOS picks out of total, or -1. */
static int position_next(const struct recur_plan *plan, int total, int from)
{
    if (from >= total)
        return -1;
    if (!plan->positions)
        return from;
    int forward =
        from < RECUR_BITS_WORDS * 64 ? recur_bits_next(plan->days.rule.positions, from) : -1;
    if (forward >= total)
        forward = -1;
    int back = recur_bits_prev(plan->days.rule.positions_back, total - 1 - from);
    int from_back = back < 0 ? -1 : total - 1 - back;
    if (forward < 0 || from_back < 0)
        return forward < 0 ? from_back : forward;
    return forward < from_back ? forward : from_back;
}

/* The last index <= to, or -1. */
static int position_prev(const struct recur_plan *plan, int total, int to)
{
    if (to >= total)
        to = total - 1;
    if (to < 0)
        return -1;
    if (!plan->positions)
        return to;
    int forward = recur_bits_prev(plan->days.rule.positions, to);
    int back = total - 1 - to < RECUR_BITS_WORDS * 64
                   ? recur_bits_next(plan->days.rule.positions_back, total - 1 - to)
                   : -1;
    int from_back = back < 0 || back >= total ? -1 : total - 1 - back;
    return forward > from_back ? forward : from_back;
}

static int positions_from(const struct recur_plan *plan, int total, int from)
{
    if (!plan->positions)
        return from < total ? total - from : 0;
    int count = 0;
    for (int at = position_next(plan, total, from); at >= 0;
         at = position_next(plan, total, at + 1))
        count++;
    return count;
}

/* Whether BYSETPOS asks for a place that no period can have, such as the 32nd day of a month. */
static bool places_exist(const struct recur_plan *plan)
{
    static const int days_at_most[] = {
        [RECUR_DAILY] = 1, [RECUR_WEEKLY] = 7, [RECUR_MONTHLY] = 31, [RECUR_YEARLY] = 366};
    const struct recur_rule *rule = &plan->days.rule;
    struct recur_times times = plan->times;
    int days = plan->freq < RECUR_DAILY ? 1 : days_at_most[plan->freq];
    int listed = recur_bits_count(rule->month_days) + recur_bits_count(rule->month_days_back);
    if (plan->freq == RECUR_MONTHLY && listed && listed < days)
        days = listed;
    if (rule->workday)
        days = 23;
    if (plan->freq <= RECUR_HOURLY)
        times.hours = 1;
    if (plan->freq <= RECUR_MINUTELY)
        times.minutes = 1;
    if (plan->freq == RECUR_SECONDLY)
        times.seconds = 1;
    return position_next(plan, days * recur_times_count(&times), 0) >= 0;
}

/* What trying one period in vain costs: one step for each month looked at. */
static bool spend_period(const struct recur_plan *plan, int *steps)
{
    *steps -= plan->freq == RECUR_YEARLY ? 12 : 1;
    return *steps >= 0;
}

/* --- units of days and more --- */

static enum recur_result next_by_position(const struct recur_plan *plan, struct recur_cache *cache,
                                          int64_t from_s, int *steps, int64_t *ret_s)
{
    for (;;) {
        int64_t day = floor_div(from_s, DAY_S);
        enum recur_result result = next_day(plan, &cache->month, &day, steps);
        if (result != RECUR_FOUND)
            return result;
        if (day * DAY_S > plan->last_s)
            return RECUR_NONE;
        int64_t number = period_of_day(plan, &cache->month, day);
        const struct recur_period *period = period_load(plan, cache, number);
        int total = period_days(period) * recur_times_count(&plan->times);
        int at = position_next(plan, total, period_rank(period, &plan->times, from_s));
        if (at >= 0) {
            *ret_s = period_at(period, &plan->times, at);
            return RECUR_FOUND;
        }
        number += plan->interval;
        if (!period_in_calendar(plan, number))
            return RECUR_NONE;
        from_s = period_first_day(plan, number) * DAY_S;
        if (!spend_period(plan, steps))
            return RECUR_CAP;
    }
}

static enum recur_result prev_by_position(const struct recur_plan *plan, struct recur_cache *cache,
                                          int64_t to_s, int *steps, int64_t *ret_s)
{
    for (;;) {
        int64_t day = floor_div(to_s, DAY_S);
        enum recur_result result = prev_day(plan, &cache->month, &day, steps);
        if (result != RECUR_FOUND)
            return result;
        int64_t number = period_of_day(plan, &cache->month, day);
        const struct recur_period *period = period_load(plan, cache, number);
        int total = period_days(period) * recur_times_count(&plan->times);
        int at = position_prev(plan, total, period_rank(period, &plan->times, to_s + 1) - 1);
        if (at >= 0) {
            *ret_s = period_at(period, &plan->times, at);
            return RECUR_FOUND;
        }
        number -= plan->interval;
        if (number < plan->base)
            return RECUR_NONE;
        to_s = period_first_day(plan, number + 1) * DAY_S - 1;
        if (!spend_period(plan, steps))
            return RECUR_CAP;
    }
}

static enum recur_result next_by_day(const struct recur_plan *plan, struct recur_cache *cache,
                                     int64_t from_s, int *steps, int64_t *ret_s)
{
    int64_t day = floor_div(from_s, DAY_S);
    int time = recur_times_next(&plan->times, (int)(from_s - day * DAY_S));
    int64_t wanted = time < 0 ? ++day : day;
    enum recur_result result = next_day(plan, &cache->month, &day, steps);
    if (result != RECUR_FOUND)
        return result;
    if (time < 0 || day != wanted)
        time = recur_times_first(&plan->times);
    *ret_s = day * DAY_S + time;
    return RECUR_FOUND;
}

static enum recur_result prev_by_day(const struct recur_plan *plan, struct recur_cache *cache,
                                     int64_t to_s, int *steps, int64_t *ret_s)
{
    int64_t day = floor_div(to_s, DAY_S);
    int time = recur_times_prev(&plan->times, (int)(to_s - day * DAY_S));
    int64_t wanted = time < 0 ? --day : day;
    enum recur_result result = prev_day(plan, &cache->month, &day, steps);
    if (result != RECUR_FOUND)
        return result;
    if (time < 0 || day != wanted)
        time = recur_times_last(&plan->times);
    *ret_s = day * DAY_S + time;
    return RECUR_FOUND;
}

/* --- every interval-th workday --- */

static enum recur_result next_workday(const struct recur_plan *plan, int64_t from_s, int64_t *ret_s)
{
    int time = recur_times_first(&plan->times);
    int64_t index =
        recur_workday_index(plan->days.holidays, floor_div(from_s - time - 1, DAY_S) + 1);
    int64_t off = (index - plan->base) % plan->interval;
    if (off)
        index += plan->interval - off;
    if (index > recur_workday_index(NULL, floor_div(plan->last_s, DAY_S) + 1))
        return RECUR_NONE;
    *ret_s = recur_workday_at(plan->days.holidays, index) * DAY_S + time;
    return RECUR_FOUND;
}

static enum recur_result prev_workday(const struct recur_plan *plan, int64_t to_s, int64_t *ret_s)
{
    int time = recur_times_first(&plan->times);
    int64_t index = recur_workday_index(plan->days.holidays, floor_div(to_s - time, DAY_S) + 1) - 1;
    if (index < plan->base)
        return RECUR_NONE;
    index -= (index - plan->base) % plan->interval;
    *ret_s = recur_workday_at(plan->days.holidays, index) * DAY_S + time;
    return RECUR_FOUND;
}

/* --- units below the day --- */

/* What the unit that starts at of_day holds: the parts finer than the frequency. */
static struct recur_times unit_times(const struct recur_plan *plan, int of_day)
{
    struct recur_times times = plan->times;
    times.hours = UINT64_C(1) << (of_day / 3600);
    if (plan->freq <= RECUR_MINUTELY)
        times.minutes = UINT64_C(1) << (of_day / 60 % 60);
    if (plan->freq == RECUR_SECONDLY)
        times.seconds = UINT64_C(1) << (of_day % 60);
    return times;
}

/* The times at which a unit may start: the parts that limit it. */
static struct recur_times unit_starts(const struct recur_plan *plan)
{
    struct recur_times starts = plan->times;
    if (plan->freq == RECUR_HOURLY)
        starts.minutes = 1;
    if (plan->freq >= RECUR_MINUTELY)
        starts.seconds = 1;
    return starts;
}

/* The last allowed start of a unit that begins at or before *unit and at or after the first
 * period; and its mirror. Both only look at days and limits; the interval is the caller's. */
static enum recur_result limit_up(const struct recur_plan *plan, struct recur_month *month,
                                  int64_t *start_s, int *steps)
{
    struct recur_times starts = unit_starts(plan);
    int64_t day = floor_div(*start_s, DAY_S);
    int time = recur_times_next(&starts, (int)(*start_s - day * DAY_S));
    int64_t wanted = time < 0 ? ++day : day;
    if (!recur_days_next(&plan->days, month, &day, steps))
        return out_of_days(steps);
    if (time < 0 || day != wanted)
        time = recur_times_first(&starts);
    *start_s = day * DAY_S + time;
    return RECUR_FOUND;
}

static enum recur_result limit_down(const struct recur_plan *plan, struct recur_month *month,
                                    int64_t *start_s, int *steps)
{
    struct recur_times starts = unit_starts(plan);
    int64_t day = floor_div(*start_s, DAY_S);
    int time = recur_times_prev(&starts, (int)(*start_s - day * DAY_S));
    int64_t wanted = time < 0 ? --day : day;
    if (!recur_days_prev(&plan->days, month, &day, floor_div(plan->start_s, DAY_S), steps))
        return out_of_days(steps);
    if (time < 0 || day != wanted)
        time = recur_times_last(&starts);
    *start_s = day * DAY_S + time;
    return RECUR_FOUND;
}

static enum recur_result next_by_unit(const struct recur_plan *plan, struct recur_cache *cache,
                                      int64_t from_s, int *steps, int64_t *ret_s)
{
    int unit = unit_s[plan->freq];
    int64_t number = floor_div(from_s, unit);
    for (;;) {
        int64_t off = (number - plan->base) % plan->interval;
        if (off)
            number += plan->interval - off;
        int64_t start_s = number * unit;
        if (start_s > plan->last_s)
            return RECUR_NONE;
        int64_t allowed_s = start_s;
        enum recur_result result = limit_up(plan, &cache->month, &allowed_s, steps);
        if (result != RECUR_FOUND)
            return result;
        if (allowed_s == start_s) {
            int64_t day_s = floor_div(start_s, DAY_S) * DAY_S;
            struct recur_times times = unit_times(plan, (int)(start_s - day_s));
            int first = from_s > start_s ? (int)(from_s - day_s) : (int)(start_s - day_s);
            int total = recur_times_count(&times);
            int at = position_next(plan, total, recur_times_rank(&times, first));
            if (at >= 0) {
                *ret_s = day_s + recur_times_at(&times, at);
                return RECUR_FOUND;
            }
            number++;
        } else {
            number = floor_div(allowed_s, unit);
        }
        if (--*steps < 0)
            return RECUR_CAP;
    }
}

static enum recur_result prev_by_unit(const struct recur_plan *plan, struct recur_cache *cache,
                                      int64_t to_s, int *steps, int64_t *ret_s)
{
    int unit = unit_s[plan->freq];
    int64_t number = floor_div(to_s, unit);
    for (;;) {
        if (number < plan->base)
            return RECUR_NONE;
        number -= (number - plan->base) % plan->interval;
        int64_t start_s = number * unit;
        int64_t allowed_s = start_s;
        enum recur_result result = limit_down(plan, &cache->month, &allowed_s, steps);
        if (result != RECUR_FOUND)
            return result;
        if (allowed_s == start_s) {
            int64_t day_s = floor_div(start_s, DAY_S) * DAY_S;
            struct recur_times times = unit_times(plan, (int)(start_s - day_s));
            int64_t end_s = start_s + unit - 1 < to_s ? start_s + unit - 1 : to_s;
            int total = recur_times_count(&times);
            /* The times below lie all within this unit, so that a rank in it is enough. */
            int end = (int)(end_s - day_s);
            int upto = recur_times_rank(&times, end) + recur_times_has(&times, end);
            int at = position_prev(plan, total, upto - 1);
            if (at >= 0) {
                *ret_s = day_s + recur_times_at(&times, at);
                return RECUR_FOUND;
            }
            number--;
        } else {
            number = floor_div(allowed_s, unit);
        }
        if (--*steps < 0)
            return RECUR_CAP;
    }
}

/* --- the doors --- */

static enum recur_result seek_forward(const struct recur_plan *plan, struct recur_cache *cache,
                                      int64_t from_s, int *steps, int64_t *ret_s)
{
    if (plan->freq < RECUR_DAILY)
        return next_by_unit(plan, cache, from_s, steps, ret_s);
    if (plan->days.rule.workday && plan->freq == RECUR_DAILY)
        return next_workday(plan, from_s, ret_s);
    if (plan->positions)
        return next_by_position(plan, cache, from_s, steps, ret_s);
    return next_by_day(plan, cache, from_s, steps, ret_s);
}

enum recur_result recur_seek_next(const struct recur_plan *plan, struct recur_cache *cache,
                                  int64_t from_s, int *steps, int64_t *ret_s)
{
    enum recur_result end = plan->open ? RECUR_CAP : RECUR_NONE;
    if (from_s < plan->start_s)
        from_s = plan->start_s;
    if (from_s > plan->last_s)
        return end;
    int64_t found_s;
    enum recur_result result = seek_forward(plan, cache, from_s, steps, &found_s);
    if (result != RECUR_FOUND)
        return result == RECUR_NONE ? end : result;
    if (found_s > plan->last_s)
        return end;
    *ret_s = found_s;
    return RECUR_FOUND;
}

enum recur_result recur_seek_prev(const struct recur_plan *plan, struct recur_cache *cache,
                                  int64_t to_s, int *steps, int64_t *ret_s)
{
    if (to_s > plan->last_s) {
        if (plan->open)
            return RECUR_CAP;
        to_s = plan->last_s;
    }
    if (to_s < plan->start_s)
        return RECUR_NONE;
    int64_t found_s;
    enum recur_result result;
    if (plan->freq < RECUR_DAILY)
        result = prev_by_unit(plan, cache, to_s, steps, &found_s);
    else if (plan->days.rule.workday && plan->freq == RECUR_DAILY)
        result = prev_workday(plan, to_s, &found_s);
    else if (plan->positions)
        result = prev_by_position(plan, cache, to_s, steps, &found_s);
    else
        result = prev_by_day(plan, cache, to_s, steps, &found_s);
    if (result != RECUR_FOUND)
        return result;
    if (found_s < plan->start_s)
        return RECUR_NONE;
    *ret_s = found_s;
    return RECUR_FOUND;
}

/* --- compiling --- */

/* RFC 5545 3.3.10: what the rule leaves open comes from the start. */
static void complete_days(struct recur_rule *rule, struct time_civil start, int start_weekday)
{
    bool nth = false;
    for (int day = 0; day < 7; day++)
        nth |= (rule->nth[day] | rule->nth_back[day]) != 0;
    bool by_day = rule->weekdays || nth;
    bool by_number = rule->month_days || rule->month_days_back || recur_bits_any(rule->year_days) ||
                     recur_bits_any(rule->year_days_back);
    bool by_week = rule->weeks || rule->weeks_back;
    if (by_day || by_number || rule->workday)
        return;
    if (by_week) {
        if (rule->freq == RECUR_YEARLY)
            rule->weekdays = (uint8_t)(1 << start_weekday);
        return;
    }
    if (rule->freq == RECUR_WEEKLY)
        rule->weekdays = (uint8_t)(1 << start_weekday);
    if (rule->freq == RECUR_MONTHLY || rule->freq == RECUR_YEARLY)
        rule->month_days = UINT64_C(1) << (start.day - 1);
    if (rule->freq == RECUR_YEARLY && !rule->months)
        rule->months = UINT64_C(1) << (start.month - 1);
}

/* Where a rule is coarser than a part of the clock, the start says it; where it steps through that
 * part by itself, all values are allowed. */
static struct recur_times complete_times(const struct recur_rule *rule, struct time_civil start)
{
    struct recur_times times = {rule->hours, rule->minutes, rule->seconds};
    if (!times.hours)
        times.hours = rule->freq <= RECUR_HOURLY ? ALL_HOURS : UINT64_C(1) << start.hour;
    if (!times.minutes)
        times.minutes =
            rule->freq <= RECUR_MINUTELY ? (UINT64_C(1) << 60) - 1 : UINT64_C(1) << start.minute;
    if (!times.seconds)
        times.seconds =
            rule->freq == RECUR_SECONDLY ? (UINT64_C(1) << 60) - 1 : UINT64_C(1) << start.second;
    return times;
}

/* COUNT over units that no list narrows, and over workdays: the last one is a multiplication away.
 * False for other rules. */
static bool count_in_closed_form(struct recur_plan *plan, uint32_t count)
{
    static const int times_of_all_units[] = {[RECUR_SECONDLY] = 24 * 3600,
                                             [RECUR_MINUTELY] = 24 * 60,
                                             [RECUR_HOURLY] = 24,
                                             [RECUR_DAILY] = 1};
    if (plan->freq > RECUR_DAILY || plan->positions)
        return false;
    bool workdays = plan->days.rule.workday;
    bool plain =
        plan->days.every && recur_times_count(&plan->times) == times_of_all_units[plan->freq];
    if (!workdays && !plain)
        return false;
    struct recur_cache cache = {0};
    int steps = 8;
    int64_t first_s;
    if (recur_seek_next(plan, &cache, plan->start_s, &steps, &first_s) != RECUR_FOUND)
        return true;
    int64_t further, distance_s;
    int64_t last_s = recur_calendar_end();
    if (__builtin_mul_overflow((int64_t)count - 1, plan->interval, &further))
        return true; /* far beyond the calendar */
    if (plain) {
        int length_s = plan->freq == RECUR_DAILY ? DAY_S : unit_s[plan->freq];
        if (!__builtin_mul_overflow(further, (int64_t)length_s, &distance_s) &&
            distance_s < last_s - first_s)
            last_s = first_s + distance_s;
    } else if (further < last_s / DAY_S) {
        int64_t day = floor_div(first_s, DAY_S);
        int64_t index = recur_workday_index(plan->days.holidays, day) + further;
        last_s = recur_workday_at(plan->days.holidays, index) * DAY_S + (first_s - day * DAY_S);
    }
    if (last_s < plan->last_s)
        plan->last_s = last_s;
    return true;
}

/* Counts whole periods by rank until the one that holds the last occurrence. */
static void count_periods(struct recur_plan *plan, uint32_t count, int steps)
{
    struct recur_cache cache = {0};
    int64_t left = count;
    int64_t from_s = plan->start_s;
    for (;;) {
        int64_t day = floor_div(from_s, DAY_S);
        enum recur_result result = next_day(plan, &cache.month, &day, &steps);
        if (result == RECUR_NONE || day * DAY_S > plan->last_s)
            return;
        if (result == RECUR_CAP || !spend_period(plan, &steps))
            break;
        int64_t number = period_of_day(plan, &cache.month, day);
        const struct recur_period *period = period_load(plan, &cache, number);
        int total = period_days(period) * recur_times_count(&plan->times);
        int first = period_rank(period, &plan->times, from_s);
        int here = positions_from(plan, total, first);
        if (here >= left) {
            int at = position_next(plan, total, first);
            if (!plan->positions)
                at += (int)left - 1;
            else
                while (--left > 0)
                    at = position_next(plan, total, at + 1);
            int64_t last_s = period_at(period, &plan->times, at);
            if (last_s < plan->last_s)
                plan->last_s = last_s;
            return;
        }
        left -= here;
        number += plan->interval;
        if (!period_in_calendar(plan, number))
            return;
        from_s = period_first_day(plan, number) * DAY_S;
    }
    plan->last_s = from_s - 1;
    plan->open = true;
}

static void count_one_by_one(struct recur_plan *plan, uint32_t count, int steps)
{
    struct recur_cache cache = {0};
    int64_t at_s = plan->start_s - 1;
    for (uint32_t i = 0; i < count; i++) {
        int64_t next_s = at_s;
        enum recur_result result = recur_seek_next(plan, &cache, at_s + 1, &steps, &next_s);
        if (result == RECUR_NONE)
            return;
        if (result == RECUR_CAP || --steps < 0) {
            plan->open = true;
            break;
        }
        at_s = next_s;
    }
    plan->last_s = at_s;
}

void recur_plan_init(struct recur_plan *plan, const struct recur_rule *rule,
                     const struct recur_holidays *holidays, int64_t start_s, int64_t last_s,
                     int steps)
{
    struct time_civil start = time_civil_from_seconds(start_s);
    int64_t start_day = floor_div(start_s, DAY_S);
    struct recur_rule complete = *rule;
    complete_days(&complete, start, time_weekday(start_day));
    *plan = (struct recur_plan){.freq = rule->freq,
                                .interval = rule->interval,
                                .start_s = start_s,
                                .last_s = last_s,
                                .times = complete_times(rule, start)};
    recur_days_init(&plan->days, &complete, holidays);
    plan->positions = recur_bits_any(rule->positions) || recur_bits_any(rule->positions_back);
    if (!places_exist(plan)) {
        plan->last_s = start_s - 1;
        return;
    }
    struct recur_month month = {0};
    if (plan->freq < RECUR_DAILY)
        plan->base = floor_div(start_s, unit_s[plan->freq]);
    else if (rule->workday && plan->freq == RECUR_DAILY)
        plan->base = recur_workday_index(holidays, start_day);
    else
        plan->base = period_of_day(plan, &month, start_day);
    if (rule->count == 0 || count_in_closed_form(plan, rule->count))
        return;
    if (plan->freq >= RECUR_DAILY)
        count_periods(plan, rule->count, steps);
    else
        count_one_by_one(plan, rule->count, steps);
}
