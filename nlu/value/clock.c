/* SPDX-License-Identifier: Apache-2.0 */
/* Actions for times of day. */
#include "nlu/value/action.h"

static bool set_clock(struct nlu_value *out, int64_t hour, int64_t minute, int64_t second)
{
    if (hour == 24 && minute == 0 && second == 0)
        hour = 0;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return false;
    out->flags |= NLU_HAS_TIME;
    out->grain = second ? NLU_SECOND : minute ? NLU_MINUTE : NLU_HOUR;
    out->from = out->to = (struct time_civil){
        .hour = (int8_t)hour, .minute = (int8_t)minute, .second = (int8_t)second};
    return true;
}

/* h, i, s as on a 24-hour clock unless x=12 says that the half of the day is open. */
static bool clock_time(struct nlu_eval *eval, struct nlu_value *out)
{
    int64_t hour = nlu_arg_n(eval, 'h', 0);
    if (!set_clock(out, hour, nlu_arg_n(eval, 'i', 0), nlu_arg_n(eval, 's', 0)))
        return false;
    if (nlu_arg_n(eval, 'x', 24) == 12 && hour >= 1 && hour <= 12)
        out->flags |= NLU_HALF_DAY;
    return true;
}

/* "930": the last two digits are minutes */
static bool digits(struct nlu_eval *eval, struct nlu_value *out)
{
    int64_t n = nlu_arg_n(eval, 'n', 0);
    if (!set_clock(out, n / 100, n % 100, 0))
        return false;
    if (nlu_arg_n(eval, 'x', 24) == 12 && n >= 100 && n < 1300)
        out->flags |= NLU_HALF_DAY;
    return true;
}

static bool apply_half(struct nlu_value *out, int64_t half)
{
    if (out->from.hour > 12)
        return half == 12; /* "17:00 pm" happens */
    if (out->from.hour == 0 && half == 12)
        return false;
    out->from.hour = (int8_t)(out->from.hour % 12 + half);
    out->to = out->from;
    out->flags &= ~(unsigned)NLU_HALF_DAY;
    return true;
}

/* t or h:i, and p = 0 for am, 12 for pm */
static bool half_day(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *time = nlu_arg_value(eval, 't');
    if (time)
        *out = *time;
    else if (nlu_arg_n(eval, 'h', -1) > 12 ||
             !set_clock(out, nlu_arg_n(eval, 'h', -1), nlu_arg_n(eval, 'i', 0),
                        nlu_arg_n(eval, 's', 0)))
        return false;
    return apply_half(out, nlu_arg_n(eval, 'p', 0));
}

/* "twenty past six": o minutes, or q quarters, d = 1 after or -1 before hour t or h */
static bool offset(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *time = nlu_arg_value(eval, 't'), *minutes = nlu_arg_value(eval, 'm');
    if (time && (time->flags & NLU_HAS_TIME)) {
        *out = *time;
    } else {
        int64_t hour = nlu_arg_n(eval, 'h', -1);
        if (hour < 1 || !set_clock(out, hour, 0, 0))
            return false;
        if (hour <= 12)
            out->flags |= NLU_HALF_DAY;
    }
    int64_t by =
        minutes ? minutes->seconds / 60 : nlu_arg_n(eval, 'o', nlu_arg_n(eval, 'q', 0) * 15);
    if (by < 1 || by > 59 || out->from.minute != 0)
        return false;
    int64_t total = out->from.hour * 60 + by * nlu_arg_n(eval, 'd', 1);
    if (total <= 0 && (out->flags & NLU_HALF_DAY))
        total += 720;
    total = (total + 1440) % 1440;
    if ((out->flags & NLU_HALF_DAY) && total >= 720 + 60)
        total -= 720;
    out->from.hour = (int8_t)(total / 60);
    out->from.minute = (int8_t)(total % 60);
    if (out->from.hour == 0)
        out->flags &= ~(unsigned)NLU_HALF_DAY;
    out->to = out->from;
    out->grain = NLU_MINUTE;
    return true;
}

/* "in the morning": a stretch of hours; l=1 without the first two, l=2 without the last two */
static bool part(struct nlu_eval *eval, struct nlu_value *out)
{
    int64_t p = nlu_arg_n(eval, 'p', -1);
    if (p < 0 || p >= NLU_PART_COUNT)
        return false;
    out->flags |= NLU_HAS_TIME | NLU_RANGE | NLU_PART;
    out->grain = NLU_HOUR;
    out->part = (int)p + 1;
    int from = NLU_PART_HOURS[p].from, to = NLU_PART_HOURS[p].to;
    int64_t half = nlu_arg_n(eval, 'l', 0);
    out->from = (struct time_civil){.hour = (int8_t)(half == 1 ? from + 2 : from)};
    out->to = (struct time_civil){.hour = (int8_t)(half == 2 ? to - 2 : to)};
    if (out->to.hour == 24)
        out->to = (struct time_civil){.hour = 23, .minute = 59, .second = 59};
    return true;
}

/* t in a part p of the day: settles which half */
static bool in_part(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *time = nlu_arg_value(eval, 't'), *part_value = nlu_arg_value(eval, 'p');
    if (!time || !part_value)
        return false;
    *out = *time;
    if ((time->flags & NLU_HALF_DAY) && !(time->flags & NLU_RANGE)) {
        out->from.hour = (int8_t)(nlu_likely_hour(time->from.hour, part_value->part) % 24);
        out->to = out->from;
    }
    out->flags &= ~(unsigned)NLU_HALF_DAY;
    if (part_value->flags & NLU_HAS_DATE) {
        struct time_civil date = part_value->from;
        bool past_midnight = part_value->part - 1 >= NLU_EVENING && time->from.hour == 12;
        date.hour = past_midnight ? 0 : out->from.hour;
        date.minute = out->from.minute;
        date.second = out->from.second;
        out->from = out->to = past_midnight ? nlu_add_days(date, 1) : date;
        out->flags |= NLU_HAS_DATE;
    }
    return true;
}

/* A part p of the day d, of today when d is absent, n days on: "tonight", "friday morning" */
static bool part_of_day(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *d = nlu_arg_value(eval, 'd');
    if (!part(eval, out) || (d && (!(d->flags & NLU_HAS_DATE) || d->grain != NLU_DAY)))
        return false;
    struct time_civil day = nlu_midnight(d ? d->from : eval->now);
    day = nlu_add_days(day, nlu_arg_n(eval, 'n', 0));
    out->flags |= NLU_HAS_DATE;
    day.hour = out->from.hour;
    out->from = day;
    day.hour = out->to.hour;
    day.minute = out->to.minute;
    day.second = out->to.second;
    out->to = day;
    return true;
}

/* The part of the day that p already is, moved to the day d */
static bool part_on(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *p = nlu_arg_value(eval, 'p'), *d = nlu_arg_value(eval, 'd');
    if (!p || !d || d->grain != NLU_DAY)
        return false;
    *out = *p;
    int64_t by = nlu_days(d->from) - nlu_days(p->from);
    if (!(p->flags & NLU_HAS_DATE))
        by = nlu_days(d->from) - nlu_days((struct time_civil){.year = 0});
    out->flags |= NLU_HAS_DATE;
    out->from = nlu_add_days(p->from, by);
    out->to = nlu_add_days(p->to, by);
    return (p->flags & NLU_HAS_DATE) != 0;
}

/* The part p of a day, moved to the same weekday of the week d */
static bool part_of_week(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *p = nlu_arg_value(eval, 'p'), *d = nlu_arg_value(eval, 'd');
    if (!p || !d || d->grain != NLU_WEEK || !(p->flags & NLU_HAS_DATE))
        return false;
    int64_t days = nlu_days(p->from);
    int64_t by = nlu_days(d->from) + time_weekday(days) - days;
    *out = *p;
    out->from = nlu_add_days(p->from, by);
    out->to = nlu_add_days(p->to, by);
    return true;
}

/* t written with digits only: both halves of the day are open */
static bool open_half(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *t = nlu_arg_value(eval, 't');
    if (!t)
        return false;
    *out = *t;
    if (t->from.hour >= 1 && t->from.hour <= 12)
        out->flags |= NLU_HALF_DAY;
    return true;
}

/* y-m-d h:i:s */
static bool datetime(struct nlu_eval *eval, struct nlu_value *out)
{
    int64_t y = nlu_arg_n(eval, 'y', 0), m = nlu_arg_n(eval, 'm', 0), d = nlu_arg_n(eval, 'd', 0);
    if (!clock_time(eval, out) || !nlu_valid_date(y, m, d))
        return false;
    out->flags |= NLU_HAS_DATE;
    out->from.year = (int32_t)y;
    out->from.month = (int8_t)m;
    out->from.day = (int8_t)d;
    out->to = out->from;
    return true;
}

/* "17.30": hours and minutes, or a day and a month; kept as four digits */
static bool dotted(struct nlu_eval *eval, struct nlu_value *out)
{
    out->n = nlu_arg_n(eval, 'a', 0) * 100 + nlu_arg_n(eval, 'b', 0);
    return true;
}

/* IANA zones that rule files name by row. */
static const char *const ZONES[] = {"",
                                    "UTC",
                                    "Europe/London",
                                    "America/New_York",
                                    "America/Chicago",
                                    "America/Denver",
                                    "America/Los_Angeles",
                                    "Europe/Paris",
                                    "Europe/London",
                                    "Asia/Tokyo",
                                    "Europe/Berlin",
                                    "Europe/London",
                                    "Europe/Paris",
                                    "Asia/Tokyo",
                                    "Asia/Shanghai",
                                    "Australia/Sydney",
                                    "Asia/Kolkata",
                                    "Europe/Moscow",
                                    "Asia/Dubai",
                                    "Asia/Singapore",
                                    "Europe/Zurich",
                                    "Europe/Vienna",
                                    "Europe/Madrid",
                                    "Europe/Rome",
                                    "Europe/Amsterdam",
                                    "Europe/Istanbul"};

/* The time t on the clocks of zone z; whoever uses the result converts. */
static bool zoned(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *time = nlu_arg_value(eval, 't');
    int64_t z = nlu_arg_n(eval, 'z', 0);
    if (!time || z < 1 || z >= (int64_t)(sizeof(ZONES) / sizeof(*ZONES)))
        return false;
    *out = *time;
    out->zone = base_sv_from(ZONES[z]);
    return true;
}

const struct nlu_action NLU_CLOCK_ACTIONS[] = {{"clock", clock_time},
                                               {"clock.digits", digits},
                                               {"clock.half", half_day},
                                               {"clock.offset", offset},
                                               {"part", part},
                                               {"part.clock", in_part},
                                               {"zoned", zoned},
                                               {"dotted", dotted},
                                               {"clock.open", open_half},
                                               {"datetime", datetime},
                                               {"part.day", part_of_day},
                                               {"part.on", part_on},
                                               {"part.week", part_of_week},
                                               {NULL, NULL}};
