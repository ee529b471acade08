/* SPDX-License-Identifier: Apache-2.0 */
/* Civil arithmetic on top of lib/time, and the conventions of when a vague time is. */
#include "nlu/value/value.h"

const struct nlu_part_hours NLU_PART_HOURS[NLU_PART_COUNT] = {
    [NLU_MORNING] = {8, 12, 9},   [NLU_NOON] = {12, 13, 12},  [NLU_AFTERNOON] = {12, 16, 14},
    [NLU_EVENING] = {16, 20, 18}, [NLU_NIGHT] = {20, 24, 20}, [NLU_DAWN] = {5, 7, 5},
    [NLU_LUNCH] = {12, 14, 12},   [NLU_EARLY] = {6, 9, 7}};

int64_t nlu_days(struct time_civil civil)
{
    return time_days_from_civil(civil.year, civil.month, civil.day);
}

struct time_civil nlu_civil_of_days(int64_t days)
{
    int32_t year;
    int month, day;
    time_civil_from_days(days, &year, &month, &day);
    return (struct time_civil){.year = year, .month = (int8_t)month, .day = (int8_t)day};
}

static struct time_civil with_date(struct time_civil clock, struct time_civil date)
{
    date.hour = clock.hour;
    date.minute = clock.minute;
    date.second = clock.second;
    return date;
}

struct time_civil nlu_add_days(struct time_civil civil, int64_t days)
{
    return with_date(civil, nlu_civil_of_days(nlu_days(civil) + days));
}

struct time_civil nlu_add_months(struct time_civil civil, int64_t months)
{
    int64_t all = (int64_t)civil.year * 12 + civil.month - 1 + months;
    int64_t year = all >= 0 ? all / 12 : -((11 - all) / 12);
    civil.month = (int8_t)(all - year * 12 + 1);
    civil.year = (int32_t)year;
    int last = time_days_in_month(civil.year, civil.month);
    if (civil.day > last)
        civil.day = (int8_t)last;
    return civil;
}

struct time_civil nlu_add_seconds(struct time_civil civil, int64_t seconds)
{
    return time_civil_from_seconds(time_civil_seconds(civil) + seconds);
}

struct time_civil nlu_midnight(struct time_civil civil)
{
    civil.hour = civil.minute = civil.second = 0;
    return civil;
}

int nlu_compare(struct time_civil a, struct time_civil b)
{
    int64_t x = time_civil_seconds(a), y = time_civil_seconds(b);
    return x < y ? -1 : x > y;
}

bool nlu_valid_date(int64_t year, int64_t month, int64_t day)
{
    return year >= 1 && year <= 9998 && month >= 1 && month <= 12 && day >= 1 &&
           day <= time_days_in_month((int32_t)year, (int)month);
}

int64_t nlu_full_year(int64_t year)
{
    return year < 100 ? year + (year < 70 ? 2000 : 1900) : year;
}

void nlu_value_day(struct nlu_value *out, struct time_civil day)
{
    out->flags |= NLU_HAS_DATE;
    out->grain = NLU_DAY;
    out->from = nlu_midnight(day);
    out->to = nlu_add_days(out->from, 1);
}

void nlu_value_days(struct nlu_value *out, enum nlu_grain grain, int64_t from_days, int64_t to_days)
{
    out->flags |= NLU_HAS_DATE | NLU_RANGE;
    out->grain = grain;
    out->from = nlu_civil_of_days(from_days);
    out->to = nlu_civil_of_days(to_days);
}

int nlu_likely_hour(int hour, int part)
{
    switch (part - 1) {
    case NLU_AFTERNOON:
    case NLU_NOON:
    case NLU_LUNCH:
    case NLU_EVENING:
        return hour < 12 ? hour + 12 : hour;
    case NLU_NIGHT: /* "at 2 in the night" is early, "at 10" is late */
        return hour == 12 ? 0 : hour >= 5 ? hour + 12 : hour;
    case NLU_MORNING:
    case NLU_DAWN:
        return hour == 12 ? 0 : hour;
    default:
        return hour < 7 ? hour + 12 : hour;
    }
}

struct time_civil nlu_next_time(struct time_civil now, const struct nlu_value *time)
{
    struct time_civil at = with_date(time->from, nlu_midnight(now));
    if (nlu_compare(at, now) > 0)
        return at;
    if ((time->flags & NLU_HALF_DAY) && at.hour < 12) {
        struct time_civil later = at;
        later.hour = (int8_t)(at.hour + 12);
        if (nlu_compare(later, now) > 0)
            return later;
    }
    if ((time->flags & NLU_HALF_DAY) && at.hour == 12) {
        at.hour = 0;
    }
    return nlu_add_days(at, 1);
}

struct time_civil nlu_value_due(struct time_civil now, const struct nlu_value *value,
                                bool *ret_has_time)
{
    *ret_has_time = (value->flags & NLU_HAS_TIME) != 0;
    struct time_civil at = value->from;
    if (value->flags & NLU_NO_FROM)
        at = value->to;
    /* A week or a month that has begun is due when it ends. */
    bool running = (value->flags & NLU_RANGE) && !(value->flags & (NLU_NO_FROM | NLU_NO_TO)) &&
                   (value->flags & NLU_HAS_DATE) && !(value->flags & NLU_HAS_TIME) &&
                   value->grain >= NLU_WEEK && nlu_compare(value->from, now) < 0 &&
                   nlu_compare(now, value->to) < 0;
    if (((value->flags & NLU_END) || running) && (value->flags & NLU_RANGE)) {
        *ret_has_time = false;
        return nlu_midnight(nlu_add_seconds(value->to, -1));
    }
    if ((value->flags & NLU_PART) && value->part)
        at.hour = NLU_PART_HOURS[value->part - 1].due;
    if (!(value->flags & NLU_HAS_DATE)) {
        struct nlu_value point = *value;
        point.from = at;
        if (value->flags & NLU_RANGE)
            point.flags &= ~(unsigned)NLU_HALF_DAY;
        at = nlu_next_time(now, &point);
    }
    return at;
}
