/* SPDX-License-Identifier: Apache-2.0 */
#include "tasks/recur/policy.h"

enum { DAY_S = 86400 };
static const int64_t SECOND_US = 1000000;

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static void occurrence_at(const struct recur_set *set, int64_t wall_s,
                          struct recur_occurrence *ret_occurrence)
{
    const struct time_zone *zone = set->spec.zone ? set->spec.zone : time_zone_utc();
    ret_occurrence->wall_s = wall_s;
    ret_occurrence->wall = time_civil_from_seconds(wall_s);
    ret_occurrence->at_us = time_zone_instant(zone, ret_occurrence->wall, &ret_occurrence->kind);
}

static int64_t add_months(int64_t day, int64_t months)
{
    int32_t year;
    int month;
    int of_month;
    time_civil_from_days(day, &year, &month, &of_month);
    int64_t total = (int64_t)year * 12 + month - 1 + months;
    int64_t new_year = floor_div(total, 12);
    if (new_year > RECUR_YEAR_MAX)
        return recur_calendar_end() / DAY_S + 1;
    int new_month = (int)(total - new_year * 12) + 1;
    int length = time_days_in_month((int32_t)new_year, new_month);
    return time_days_from_civil((int32_t)new_year, new_month,
                                of_month < length ? of_month : length);
}

/* The day on which a plain rule falls due again after a day. */
static int64_t add_interval(const struct recur_set *set, int64_t day)
{
    const struct recur_rule *rule = set->spec.rule;
    if (rule->workday)
        return recur_workday_add(set->spec.holidays, day, rule->interval);
    switch (rule->freq) {
    case RECUR_YEARLY:
        return add_months(day, (int64_t)rule->interval * 12);
    case RECUR_MONTHLY:
        return add_months(day, rule->interval);
    case RECUR_WEEKLY:
        return day + (int64_t)rule->interval * 7;
    default:
        return day + rule->interval;
    }
}

/* The rule without its end, begun anew on a day, after that day. */
static enum recur_result restart(const struct recur_set *set, int64_t day, int64_t of_day,
                                 int64_t *ret_s)
{
    struct recur_rule rule = *set->spec.rule;
    rule.count = 0;
    rule.until_kind = RECUR_UNTIL_NONE;
    struct recur_spec spec = {.rule = &rule,
                              .start = time_civil_from_seconds(day * DAY_S + of_day),
                              .all_day = set->spec.all_day,
                              .holidays = set->spec.holidays};
    struct recur_set fresh;
    struct recur_occurrence next;
    if (recur_set_init(&fresh, &spec) != BASE_OK)
        return RECUR_NONE;
    enum recur_result result = recur_first_from(&fresh, (day + 1) * DAY_S, &next);
    if (result == RECUR_FOUND)
        *ret_s = next.wall_s;
    return result;
}

static enum recur_result after_completion(const struct recur_set *set, struct time_civil due,
                                          int64_t now_us, uint32_t done,
                                          struct recur_occurrence *ret_occurrence)
{
    static const int64_t unit_us[] = {[RECUR_SECONDLY] = 1000000,
                                      [RECUR_MINUTELY] = 60 * 1000000L,
                                      [RECUR_HOURLY] = 3600 * 1000000L};
    const struct recur_rule *rule = set->spec.rule;
    const struct time_zone *zone = set->spec.zone ? set->spec.zone : time_zone_utc();
    if (!rule || (rule->count && done >= rule->count))
        return RECUR_NONE;
    /* Without COUNT, the plan's end is UNTIL's or the calendar's. */
    int64_t last_s = rule->count ? recur_calendar_end() : set->plan.last_s;
    struct recur_occurrence next;
    if (rule->freq < RECUR_DAILY) {
        next.at_us = now_us - now_us % SECOND_US + (int64_t)rule->interval * unit_us[rule->freq];
        next.wall = time_zone_civil(zone, next.at_us);
        next.wall_s = time_civil_seconds(next.wall);
        next.kind = TIME_UNIQUE;
    } else {
        int64_t day = floor_div(time_civil_seconds(time_zone_civil(zone, now_us)), DAY_S);
        int64_t of_day = due.hour * 3600 + due.minute * 60 + due.second;
        int64_t wall_s = add_interval(set, day) * DAY_S + of_day;
        if (recur_rule_has_parts(rule) || (rule->workday && rule->freq == RECUR_MONTHLY)) {
            enum recur_result result = restart(set, day, of_day, &wall_s);
            if (result != RECUR_FOUND)
                return result;
        }
        if (wall_s > last_s)
            return RECUR_NONE;
        occurrence_at(set, wall_s, &next);
    }
    if (next.wall_s > last_s)
        return RECUR_NONE;
    *ret_occurrence = next;
    return RECUR_FOUND;
}

enum recur_result recur_policy_next(const struct recur_set *set, enum recur_anchor anchor,
                                    struct time_civil due, int64_t now_us, uint32_t done,
                                    struct recur_occurrence *ret_occurrence)
{
    if (anchor == RECUR_ANCHOR_COMPLETION)
        return after_completion(set, due, now_us, done, ret_occurrence);
    struct recur_occurrence dealt_with;
    occurrence_at(set, time_civil_seconds(due), &dealt_with);
    return recur_next_after(set, dealt_with.at_us > now_us ? dealt_with.at_us : now_us,
                            ret_occurrence);
}

/* --- edits of the lists --- */

static size_t place_of(const struct recur_dates *dates, int64_t value)
{
    size_t at = 0;
    while (at < dates->count && dates->values[at] < value)
        at++;
    return at;
}

static bool holds(const struct recur_dates *dates, int64_t value)
{
    size_t at = place_of(dates, value);
    return at < dates->count && dates->values[at] == value;
}

static void remove_value(struct recur_dates *dates, int64_t value)
{
    size_t at = place_of(dates, value);
    dates->count--;
    for (; at < dates->count; at++)
        dates->values[at] = dates->values[at + 1];
}

static void insert_value(struct recur_dates *dates, int64_t value)
{
    size_t at = place_of(dates, value);
    for (size_t i = dates->count; i > at; i--)
        dates->values[i] = dates->values[i - 1];
    dates->values[at] = value;
    dates->count++;
}

/* Whether the rule itself, without the lists, says the time. */
static bool is_of_rule(const struct recur_set *set, int64_t at_s)
{
    struct recur_set bare = *set;
    bare.spec.exdate_count = bare.spec.exday_count = bare.spec.rdate_count = 0;
    return bare.spec.rule && recur_is_occurrence(&bare, at_s);
}

enum base_err recur_policy_cancel(const struct recur_set *set, int64_t at_s,
                                  struct recur_dates *exdates, struct recur_dates *rdates)
{
    if (!recur_is_occurrence(set, at_s))
        return BASE_NOT_FOUND;
    bool except = is_of_rule(set, at_s);
    if (except && exdates->count == exdates->capacity)
        return BASE_TOO_LARGE;
    if (holds(rdates, at_s))
        remove_value(rdates, at_s);
    if (except)
        insert_value(exdates, at_s);
    return BASE_OK;
}

enum base_err recur_policy_move(const struct recur_set *set, int64_t from_s, int64_t to_s,
                                struct recur_dates *exdates, struct recur_dates *rdates)
{
    if (!recur_is_occurrence(set, from_s))
        return BASE_NOT_FOUND;
    if (recur_is_occurrence(set, to_s))
        return BASE_CONFLICT;
    bool back = holds(exdates, to_s) && is_of_rule(set, to_s);
    bool added = holds(rdates, from_s);
    bool except = is_of_rule(set, from_s);
    if ((except && !back && exdates->count == exdates->capacity) ||
        (!back && !added && rdates->count == rdates->capacity))
        return BASE_TOO_LARGE;
    if (added)
        remove_value(rdates, from_s);
    if (back)
        remove_value(exdates, to_s);
    else
        insert_value(rdates, to_s);
    if (except)
        insert_value(exdates, from_s);
    return BASE_OK;
}
