/* SPDX-License-Identifier: Apache-2.0 */
/* Actions for calendar dates and stretches of whole days. Future first: a date without a year is
 * the next one to come. Weeks start on Monday. */
#include "nlu/value/action.h"

enum { WEEK = 7, SEARCH_MONTHS = 30 };

enum { LAST = -1, BARE = 0, THIS = 1, NEXT = 2 };

static int64_t today(const struct nlu_eval *eval)
{
    return nlu_days(eval->now);
}

static int64_t week_start(int64_t days)
{
    return days - time_weekday(days);
}

/* n days from today */
static bool day(struct nlu_eval *eval, struct nlu_value *out)
{
    nlu_value_day(out, nlu_civil_of_days(today(eval) + nlu_arg_n(eval, 'n', 0)));
    out->flags |= NLU_RELATIVE;
    return true;
}

static bool now(struct nlu_eval *eval, struct nlu_value *out)
{
    out->flags = NLU_HAS_DATE | NLU_HAS_TIME | NLU_NOW;
    out->grain = NLU_SECOND;
    out->from = out->to = eval->now;
    return true;
}

static int64_t weekday_days(const struct nlu_eval *eval, int64_t weekday, int64_t which)
{
    int64_t base = today(eval), monday = week_start(base);
    int64_t ahead = (weekday - time_weekday(base) + WEEK) % WEEK;
    if (which == NEXT)
        return monday + WEEK + weekday;
    if (which == LAST)
        return base - (ahead == 0 ? WEEK : WEEK - ahead);
    return base + (ahead == 0 && which == BARE ? WEEK : ahead);
}

/* w, k: last, bare, this, next; o weeks further */
static bool weekday(struct nlu_eval *eval, struct nlu_value *out)
{
    int64_t which = nlu_arg_n(eval, 'k', BARE);
    int64_t days = weekday_days(eval, nlu_arg_n(eval, 'w', 0), which);
    nlu_value_day(out, nlu_civil_of_days(days + WEEK * nlu_arg_n(eval, 'o', 0)));
    out->flags |= NLU_RELATIVE;
    if (which == BARE)
        out->flags |= NLU_WEEKDAY;
    if (which == LAST)
        out->flags |= NLU_PAST;
    return true;
}

/* "three fridays from now" */
static bool weekday_count(struct nlu_eval *eval, struct nlu_value *out)
{
    int64_t n = nlu_arg_n(eval, 'n', 1);
    if (n < 1 || n > 1000)
        return false;
    bool past = nlu_arg_n(eval, 's', 1) < 0;
    int64_t first = weekday_days(eval, nlu_arg_n(eval, 'w', 0), past ? LAST : BARE);
    nlu_value_day(out, nlu_civil_of_days(first + (past ? -WEEK : WEEK) * (n - 1)));
    if (past)
        out->flags |= NLU_PAST;
    return true;
}

static bool date_of(struct nlu_eval *eval, struct nlu_value *out, int64_t year, int64_t month,
                    int64_t day_of_month)
{
    bool said = year >= 0;
    year = said ? nlu_full_year(year) : eval->now.year;
    if (!said) {
        if (month == 2 && day_of_month == 29) {
            while (!nlu_valid_date(year, 2, 29))
                year++;
        }
        if (!nlu_valid_date(year, month, day_of_month))
            return false;
        if (time_days_from_civil((int32_t)year, (int)month, (int)day_of_month) < today(eval))
            year += month == 2 && day_of_month == 29 ? 4 : 1;
        out->flags |= NLU_NO_YEAR;
    }
    if (!nlu_valid_date(year, month, day_of_month))
        return false;
    nlu_value_day(out, (struct time_civil){.year = (int32_t)year,
                                           .month = (int8_t)month,
                                           .day = (int8_t)day_of_month});
    return true;
}

/* d, m and perhaps y */
static bool date(struct nlu_eval *eval, struct nlu_value *out)
{
    return date_of(eval, out, nlu_arg_n(eval, 'y', -1), nlu_arg_n(eval, 'm', 0),
                   nlu_arg_n(eval, 'd', 0));
}

/* A day that no month has: nothing of it may pass for a date. */
static bool date_impossible(struct nlu_eval *eval, struct nlu_value *out)
{
    int64_t d = nlu_arg_n(eval, 'd', 0), m = nlu_arg_n(eval, 'm', 0), y = nlu_arg_n(eval, 'y', -1);
    (void)out;
    return !nlu_valid_date(y >= 0 ? nlu_full_year(y) : 2000, m, d) && d < 100;
}

/* "3 feb 82": a year of two digits that can be no day or hour */
static bool date_short(struct nlu_eval *eval, struct nlu_value *out)
{
    int64_t y = nlu_arg_n(eval, 'y', 0);
    return y > 23 && y < 100 && date(eval, out);
}

/* a/b and perhaps y: month first unless that is impossible; x=1: day first */
static bool date_pair(struct nlu_eval *eval, struct nlu_value *out)
{
    int64_t a = nlu_arg_n(eval, 'a', 0), b = nlu_arg_n(eval, 'b', 0),
            year = nlu_arg_n(eval, 'y', -1);
    bool day_first = nlu_arg_n(eval, 'x', 0) == 1;
    struct nlu_value clean = *out;
    if (date_of(eval, out, year, day_first ? b : a, day_first ? a : b))
        return true;
    *out = clean;
    return date_of(eval, out, year, day_first ? a : b, day_first ? b : a);
}

/* "5.12" as kept by the action dotted */
static bool date_dot(struct nlu_eval *eval, struct nlu_value *out)
{
    int64_t n = nlu_arg_n(eval, 'n', 0);
    eval->args[NLU_KEY('a')] = (struct nlu_arg){.set = true, .n = n / 100};
    eval->args[NLU_KEY('b')] = (struct nlu_arg){.set = true, .n = n % 100};
    return date_pair(eval, out);
}

/* "7.6" as a decimal number, in thousandths: the 6th of July */
static bool date_frac(struct nlu_eval *eval, struct nlu_value *out)
{
    int64_t n = nlu_arg_n(eval, 'n', 0);
    eval->args[NLU_KEY('a')] = (struct nlu_arg){.set = true, .n = n / 1000};
    eval->args[NLU_KEY('b')] = (struct nlu_arg){.set = true, .n = n % 1000 / 100};
    return n % 100 == 0 && date_pair(eval, out);
}

/* "the 25th", with w "friday the 25th": the next such day */
static bool day_of_month(struct nlu_eval *eval, struct nlu_value *out)
{
    int64_t d = nlu_arg_n(eval, 'd', 0), w = nlu_arg_n(eval, 'w', -1);
    struct time_civil month = eval->now;
    month.day = 1;
    for (int i = 0; d >= 1 && d <= 31 && i < SEARCH_MONTHS; i++) {
        if (nlu_valid_date(month.year, month.month, d)) {
            struct time_civil at = month;
            at.day = (int8_t)d;
            if (nlu_days(at) >= today(eval) && (w < 0 || time_weekday(nlu_days(at)) == w)) {
                nlu_value_day(out, at);
                return true;
            }
        }
        month = nlu_add_months(month, 1);
    }
    return false;
}

static void month_range(struct nlu_value *out, int64_t year, int64_t month, int months)
{
    struct time_civil from = {.year = (int32_t)year, .month = (int8_t)month, .day = 1};
    nlu_value_days(out,
                   months == 1   ? NLU_MONTH
                   : months == 3 ? NLU_QUARTER
                                 : NLU_YEAR,
                   nlu_days(from), nlu_days(nlu_add_months(from, months)));
}

/* m, perhaps y; k as for weekdays */
static bool month(struct nlu_eval *eval, struct nlu_value *out)
{
    int64_t m = nlu_arg_n(eval, 'm', 0), y = nlu_arg_n(eval, 'y', -1),
            which = nlu_arg_n(eval, 'k', BARE);
    if (m < 1 || m > 12)
        return false;
    if (y >= 0) {
        y = nlu_full_year(y);
    } else {
        y = eval->now.year;
        if (which == NEXT)
            y += m <= eval->now.month ? 1 : 0;
        else if (which == LAST)
            y -= m >= eval->now.month ? 1 : 0;
        else
            y += m < eval->now.month ? 1 : 0;
        out->flags |= NLU_NO_YEAR;
    }
    if (y < 1 || y > 9990)
        return false;
    month_range(out, y, m, 1);
    return true;
}

static bool year(struct nlu_eval *eval, struct nlu_value *out)
{
    int64_t y = nlu_arg_n(eval, 'y', 0);
    if (y < 1900 || y > 2199)
        return false;
    month_range(out, y, 1, 12);
    return true;
}

/* u with k: last week, this month, next year; n units further */
static bool unit(struct nlu_eval *eval, struct nlu_value *out)
{
    enum nlu_grain u = (enum nlu_grain)nlu_arg_n(eval, 'u', NLU_DAY);
    int64_t which = nlu_arg_n(eval, 'k', THIS);
    const struct nlu_value *d = nlu_arg_value(eval, 'd');
    if (d) { /* "upcoming two weeks" */
        u = d->grain;
        eval->args[NLU_KEY('n')] = (struct nlu_arg){.set = true, .n = d->n};
    }
    int64_t step = (which == NEXT) - (which == LAST) + nlu_arg_n(eval, 'n', 0);
    out->n = step;
    int64_t base = today(eval);
    if (step < -10000 || step > 10000)
        return false;
    switch (u) {
    case NLU_SECOND:
    case NLU_MINUTE:
    case NLU_HOUR: {
        int64_t size = u == NLU_HOUR ? 3600 : u == NLU_MINUTE ? 60 : 1;
        out->flags |= NLU_HAS_DATE | NLU_HAS_TIME | NLU_RANGE;
        out->grain = u;
        out->from = nlu_add_seconds(eval->now, (step > 0 ? step - 1 : step) * size);
        out->to = nlu_add_seconds(out->from, size);
        return true;
    }
    case NLU_DAY:
        nlu_value_day(out, nlu_civil_of_days(base + step));
        return true;
    case NLU_WEEKEND: {
        int64_t saturday = week_start(base) + 5 + WEEK * step;
        nlu_value_days(out, NLU_WEEKEND, saturday, saturday + 2);
        return true;
    }
    case NLU_WEEK:
        nlu_value_days(out, u, week_start(base) + WEEK * step,
                       week_start(base) + WEEK * (step + 1));
        return true;
    case NLU_FORTNIGHT:
        nlu_value_days(out, u, week_start(base) + 2 * WEEK * step,
                       week_start(base) + 2 * WEEK * (step + 1));
        return true;
    case NLU_MONTH: {
        struct time_civil first = eval->now;
        first.day = 1;
        first = nlu_add_months(first, step);
        month_range(out, first.year, first.month, 1);
        return true;
    }
    case NLU_QUARTER: {
        struct time_civil first = eval->now;
        first.day = 1;
        first = nlu_add_months(first, 3 * step - (first.month - 1) % 3);
        month_range(out, first.year, first.month, 3);
        return true;
    }
    case NLU_YEAR:
        month_range(out, eval->now.year + step, 1, 12);
        return true;
    default: { /* decade, century */
        int64_t size = u == NLU_DECADE ? 10 : 100;
        int64_t first = eval->now.year - eval->now.year % size + step * size;
        nlu_value_days(out, u, time_days_from_civil((int32_t)first, 1, 1),
                       time_days_from_civil((int32_t)(first + size), 1, 1));
        return true;
    }
    }
}

/* The stretch r, or the present unit u when there is none. */
static bool stretch(struct nlu_eval *eval, struct nlu_value *ret_r)
{
    const struct nlu_value *r = nlu_arg_value(eval, 'r');
    if (r && !(r->flags & NLU_HAS_DATE))
        return false;
    if (r) {
        *ret_r = *r;
        return true;
    }
    *ret_r = (struct nlu_value){0};
    return unit(eval, ret_r);
}

/* The first (p=0), middle or last (p=2) part of a stretch: "early next week", "end of march". Its
 * end is a deadline: the last day. */
static bool third_of(struct nlu_eval *eval, struct nlu_value *out)
{
    struct nlu_value r;
    int64_t p = nlu_arg_n(eval, 'p', 0);
    if (!stretch(eval, &r) || p < 0 || p > 4)
        return false;
    if (p >= 3) { /* later in it: its second half, as far as that is to come; earlier: its first */
        int64_t from = nlu_days(r.from), half = (from + nlu_days(r.to)) / 2;
        if (r.grain == NLU_YEAR)
            half = nlu_days(nlu_add_months(r.from, 6));
        if (r.grain <= NLU_DAY)
            return false;
        if (p == 3)
            nlu_value_days(out, r.grain, half > today(eval) ? half : today(eval), nlu_days(r.to));
        else
            nlu_value_days(out, r.grain, from, half < today(eval) ? half : today(eval));
        return p == 3 || nlu_compare(out->from, out->to) < 0;
    }
    if (r.grain == NLU_DAY) {
        nlu_value_day(out, r.from);
        if (p == 2) {
            out->flags |= NLU_HAS_TIME | NLU_END;
            out->from.hour = 23;
            out->from.minute = out->from.second = 59;
        }
        return p != 1;
    }
    int64_t from = nlu_days(r.from), to = nlu_days(r.to);
    struct time_civil start = nlu_civil_of_days(from);
    int64_t cuts[4] = {from, from + (to - from) / 3, to - (to - from) / 3, to};
    if (r.grain == NLU_WEEK) {
        cuts[1] = from + 3;
        cuts[2] = to - 3;
    } else if (r.grain == NLU_MONTH) {
        cuts[1] = from + 10;
        cuts[2] = from + 20;
    } else if (r.grain == NLU_YEAR) {
        cuts[1] = nlu_days(nlu_add_months(start, 3));
        cuts[2] = nlu_days(nlu_add_months(start, 8));
    }
    nlu_value_days(out, r.grain, cuts[p], cuts[p + 1]);
    if (p == 2)
        out->flags |= NLU_END;
    return true;
}

static bool nth_weekday(struct nlu_eval *eval, struct nlu_value *out);

/* "the first Monday of the month": of this one, or if that is over of the next */
static bool nth_weekday_of_unit(struct nlu_eval *eval, struct nlu_value *out)
{
    for (int64_t which = THIS; which <= NEXT; which++) {
        struct nlu_value stretch = {0};
        eval->args[NLU_KEY('k')] = (struct nlu_arg){.set = true, .n = which};
        if (!unit(eval, &stretch))
            return false;
        eval->args[NLU_KEY('r')] = (struct nlu_arg){.set = true, .value = &stretch};
        if (nth_weekday(eval, out) && nlu_days(out->from) >= today(eval))
            return true;
    }
    return false;
}

/* The o-th (-1 = last) weekday w in the stretch r, or else in the unit u */
static bool nth_weekday(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *r = nlu_arg_value(eval, 'r');
    int64_t o = nlu_arg_n(eval, 'o', 1), w = nlu_arg_n(eval, 'w', 0);
    if (!r && nlu_arg_n(eval, 'u', 0))
        return nth_weekday_of_unit(eval, out);
    if (!r || !(r->flags & NLU_HAS_DATE) || o == 0)
        return false;
    int64_t from = nlu_days(r->from), to = nlu_days(r->to), at;
    if (o > 0)
        at = from + (w - time_weekday(from) + WEEK) % WEEK + WEEK * (o - 1);
    else
        at = to - 1 - (time_weekday(to - 1) - w + WEEK) % WEEK + WEEK * (o + 1);
    if (at < from || at >= to)
        return false;
    if (at < today(eval) && (r->flags & NLU_NO_YEAR)) {
        struct nlu_value next = *r;
        next.from = nlu_add_months(r->from, 12);
        next.to = nlu_add_months(r->to, 12);
        next.flags &= ~(unsigned)NLU_NO_YEAR;
        eval->args[NLU_KEY('r')].value = &next;
        return nth_weekday(eval, out);
    }
    nlu_value_day(out, nlu_civil_of_days(at));
    return true;
}

static bool is_workday(int64_t days)
{
    return time_weekday(days) < 5;
}

/* The o-th day of the stretch r; b=1: working days only */
static bool nth_day(struct nlu_eval *eval, struct nlu_value *out)
{
    struct nlu_value r;
    int64_t o = nlu_arg_n(eval, 'o', 1), n = o < 0 ? -o : o;
    bool working = nlu_arg_n(eval, 'b', 0) == 1;
    if (!stretch(eval, &r) || n < 1 || n > 366)
        return false;
    int64_t from = nlu_days(r.from), to = nlu_days(r.to), step = o > 0 ? 1 : -1;
    for (int64_t at = o > 0 ? from : to - 1; at >= from && at < to; at += step) {
        if (working && !is_workday(at))
            continue;
        if (--n == 0) {
            nlu_value_day(out, nlu_civil_of_days(at));
            return true;
        }
    }
    return false;
}

/* The o-th unit u (a week, a quarter) of the stretch r */
static bool nth_unit(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *r = nlu_arg_value(eval, 'r');
    struct nlu_value this_year = {0};
    int64_t o = nlu_arg_n(eval, 'o', 1) * nlu_arg_n(eval, 'k', 1);
    enum nlu_grain u = (enum nlu_grain)nlu_arg_n(eval, 'u', NLU_WEEK);
    month_range(&this_year, nlu_arg_n(eval, 'y', eval->now.year), 1, 12);
    if (!r)
        r = &this_year;
    if (!(r->flags & NLU_HAS_DATE) || o == 0 || o > (u == NLU_QUARTER ? 4 : 60))
        return false;
    if (u == NLU_QUARTER || u == NLU_MONTH) {
        int size = u == NLU_MONTH ? 1 : 3;
        struct time_civil first = nlu_add_months(r->from, (o > 0 ? o - 1 : 12 / size + o) * size);
        month_range(out, first.year, first.month, size);
        return true;
    }
    if (u != NLU_WEEK)
        return false;
    /* A week belongs to the month or year that holds its Thursday. */
    int64_t first = week_start(nlu_days(r->from) + 3);
    int64_t last = week_start(nlu_days(r->to) - 4);
    int64_t at = o > 0 ? first + WEEK * (o - 1) : last + WEEK * (o + 1);
    nlu_value_days(out, NLU_WEEK, at, at + WEEK);
    return true;
}

/* The first units of the stretch r, as many as d says, or with k=-1 the last */
static bool nth_units(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *d = nlu_arg_value(eval, 'd');
    struct nlu_value end = {0};
    if (!d || d->n < 1)
        return false;
    eval->args[NLU_KEY('u')] = (struct nlu_arg){.set = true, .n = d->grain};
    eval->args[NLU_KEY('o')] = (struct nlu_arg){.set = true, .n = d->n};
    if (!nth_unit(eval, &end))
        return false;
    eval->args[NLU_KEY('o')].n = 1;
    if (!nth_unit(eval, out))
        return false;
    if (nlu_compare(end.from, out->from) < 0)
        out->from = end.from;
    else
        out->to = end.to;
    return true;
}

/* The o-th of the weekday w after the date a */
static bool weekday_after(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *a = nlu_arg_value(eval, 'a');
    const struct nlu_value *w = nlu_arg_value(eval, 'w');
    int64_t o = nlu_arg_n(eval, 'o', 1);
    if (!a || !w || !(w->flags & NLU_WEEKDAY) || o < 1 || o > 100)
        return false;
    int64_t first = nlu_days(a->from) + 1;
    int64_t ahead = (time_weekday(nlu_days(w->from)) - time_weekday(first) + WEEK) % WEEK;
    nlu_value_day(out, nlu_civil_of_days(first + ahead + WEEK * (o - 1)));
    return true;
}

/* The o-th weekend (by its Saturday) of the stretch r */
static bool nth_weekend(struct nlu_eval *eval, struct nlu_value *out)
{
    eval->args[NLU_KEY('w')] = (struct nlu_arg){.set = true, .n = 5};
    if (!nth_weekday(eval, out))
        return false;
    int64_t saturday = nlu_days(out->from);
    *out = (struct nlu_value){0};
    nlu_value_days(out, NLU_WEEKEND, saturday, saturday + 2);
    return true;
}

/* The day w within the week r */
static bool in_week(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *r = nlu_arg_value(eval, 'r');
    if (!r || r->grain != NLU_WEEK)
        return false;
    nlu_value_day(out, nlu_add_days(r->from, nlu_arg_n(eval, 'w', 0)));
    return true;
}

/* The week around the date a */
static bool week_of(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *a = nlu_arg_value(eval, 'a');
    if (!a || !(a->flags & NLU_HAS_DATE))
        return false;
    int64_t monday = week_start(nlu_days(a->from));
    nlu_value_days(out, NLU_WEEK, monday, monday + WEEK);
    return true;
}

/* The week around the next d-th of a month */
static bool week_of_day(struct nlu_eval *eval, struct nlu_value *out)
{
    struct nlu_value day_value = {0};
    if (!day_of_month(eval, &day_value))
        return false;
    eval->args[NLU_KEY('a')] = (struct nlu_arg){.set = true, .value = &day_value};
    return week_of(eval, out);
}

/* n days after the date a */
static bool shift_day(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *a = nlu_arg_value(eval, 'a');
    if (!a || a->grain != NLU_DAY)
        return false;
    nlu_value_day(out, nlu_add_days(a->from, nlu_arg_n(eval, 'n', 0)));
    return true;
}

/* The present time of day on the date d */
static bool at_this_time(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *d = nlu_arg_value(eval, 'd');
    if (!d || d->grain != NLU_DAY)
        return false;
    nlu_value_day(out, d->from);
    out->flags |= NLU_HAS_TIME;
    out->from.hour = eval->now.hour;
    out->from.minute = eval->now.minute;
    out->to = out->from;
    return true;
}

/* The last moment of the day a */
static bool end_of_day(struct nlu_eval *eval, struct nlu_value *out)
{
    eval->args[NLU_KEY('r')] = eval->args[NLU_KEY('a')];
    eval->args[NLU_KEY('p')] = (struct nlu_arg){.set = true, .n = 2};
    return third_of(eval, out);
}

/* The rest of the day d from its noon on, as far as that is to come; due on that day */
static bool later_on(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *d = nlu_arg_value(eval, 'd');
    if (!d || d->grain != NLU_DAY || !(d->flags & NLU_RELATIVE) || (d->flags & NLU_RANGE))
        return false;
    *out = *d;
    out->flags |= NLU_HAS_TIME | NLU_RANGE | NLU_END;
    out->from.hour = 12;
    if (nlu_compare(out->from, eval->now) < 0)
        out->from = eval->now;
    return nlu_compare(out->from, out->to) < 0;
}

/* The length d after (s=1) or before (s=-1) a, or now; working days with b=1 */
static bool shift(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *d = nlu_arg_value(eval, 'd'), *a = nlu_arg_value(eval, 'a');
    int64_t sign = nlu_arg_n(eval, 's', 1);
    if (!d || (a && !(a->flags & (NLU_HAS_DATE | NLU_HAS_TIME))))
        return false;
    if (d->grain == NLU_WEEKEND && !a && sign > 0 && d->n > 0) {
        int64_t saturday = week_start(today(eval)) + 5 + WEEK * (d->n - 1);
        nlu_value_days(out, NLU_WEEKEND, saturday, saturday + 2);
        return true;
    }
    struct time_civil base = eval->now;
    bool dated = true;
    if (a && (a->flags & NLU_HAS_DATE))
        base = a->from;
    else if (a)
        base = nlu_next_time(eval->now, a);
    if (a && !(a->flags & (NLU_HAS_TIME)))
        dated = d->grain < NLU_DAY || d->seconds % 86400 != 0;
    else
        dated = d->grain < NLU_DAY || (a && (a->flags & NLU_HAS_TIME));
    struct time_civil at = nlu_add_months(base, sign * d->months);
    at = nlu_add_seconds(at, sign * d->seconds);
    if (at.year < 1 || at.year > 9990)
        return false;
    if (!dated) {
        nlu_value_day(out, at);
    } else {
        out->flags |= NLU_HAS_DATE | NLU_HAS_TIME;
        out->grain = d->grain;
        out->from = out->to = at;
    }
    if (sign < 0 && !a)
        out->flags |= NLU_PAST;
    return true;
}

/* n working days from today */
static bool workdays(struct nlu_eval *eval, struct nlu_value *out)
{
    int64_t n = nlu_arg_n(eval, 'n', 1), at = today(eval);
    if (n < 0 || n > 2000)
        return false;
    while (n > 0)
        n -= is_workday(++at);
    nlu_value_day(out, nlu_civil_of_days(at));
    return true;
}

/* "next three months", "last two weeks" (n is negative): counted in whole ones, from the next that
 * begins, or up to the one that is */
static bool whole_units(struct nlu_eval *eval, struct nlu_value *out, enum nlu_grain u, int64_t n)
{
    if (u < NLU_DAY) {
        int64_t size = u == NLU_HOUR ? 3600 : u == NLU_MINUTE ? 60 : 1;
        int64_t start = (time_civil_seconds(eval->now) / size + 1) * size;
        out->flags |= NLU_HAS_DATE | NLU_HAS_TIME | NLU_RANGE;
        out->grain = u;
        out->from = time_civil_from_seconds(start);
        out->to = time_civil_from_seconds(start + n * size);
        return true;
    }
    struct nlu_value last;
    memset(eval->args, 0, sizeof(eval->args));
    eval->args[NLU_KEY('u')] = (struct nlu_arg){.set = true, .n = u};
    eval->args[NLU_KEY('n')] = (struct nlu_arg){.set = true, .n = n};
    last = (struct nlu_value){0};
    if (!unit(eval, &last))
        return false;
    eval->args[NLU_KEY('n')].n = n > 0 ? 1 : -1;
    if (!unit(eval, out))
        return false;
    if (n > 0)
        out->to = last.to;
    else
        out->from = last.from;
    out->n = n > 0 ? n : -n;
    return true;
}

/* "the next three days" (s=1), "the last two weeks" (s=-1): n units u, or the length d */
static bool units(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *d = nlu_arg_value(eval, 'd');
    int64_t n = d ? d->n : nlu_arg_n(eval, 'n', 1), sign = nlu_arg_n(eval, 's', 1);
    enum nlu_grain u = d ? d->grain : (enum nlu_grain)nlu_arg_n(eval, 'u', NLU_DAY);
    if (n < 1 || n > 10000)
        return false;
    bool whole = nlu_arg_n(eval, 'x', 0) && u != NLU_DAY && u != NLU_WEEKEND;
    bool counted_back = d && sign < 0 && (u == NLU_WEEK || u == NLU_YEAR);
    if (whole || counted_back || u == NLU_QUARTER)
        return whole_units(eval, out, u, sign * n);
    out->grain = u;
    if (u < NLU_DAY) {
        int64_t span = n * (u == NLU_HOUR ? 3600 : u == NLU_MINUTE ? 60 : 1);
        out->flags |= NLU_HAS_DATE | NLU_HAS_TIME | NLU_RANGE;
        out->from = sign > 0 ? eval->now : nlu_add_seconds(eval->now, -span);
        out->to = sign > 0 ? nlu_add_seconds(eval->now, span) : eval->now;
        return true;
    }
    struct time_civil base = nlu_civil_of_days(today(eval) + (sign > 0 ? 1 : 0));
    struct time_civil other;
    if (u <= NLU_FORTNIGHT)
        other = nlu_add_days(base, sign * n * (u == NLU_DAY ? 1 : u == NLU_FORTNIGHT ? 14 : WEEK));
    else
        other = nlu_add_months(base, sign * n * (u == NLU_MONTH ? 1 : u == NLU_QUARTER ? 3 : 12));
    nlu_value_days(out, u, nlu_days(sign > 0 ? base : other), nlu_days(sign > 0 ? other : base));
    return true;
}

const struct nlu_action NLU_DATE_ACTIONS[] = {{"day", day},
                                              {"now", now},
                                              {"weekday", weekday},
                                              {"weekday.count", weekday_count},
                                              {"date", date},
                                              {"date.pair", date_pair},
                                              {"date.dom", day_of_month},
                                              {"month", month},
                                              {"year", year},
                                              {"unit", unit},

                                              {"unit.third", third_of},
                                              {"nth.weekday", nth_weekday},
                                              {"nth.day", nth_day},
                                              {"nth.unit", nth_unit},
                                              {"nth.units", nth_units},
                                              {"weekday.after", weekday_after},
                                              {"nth.weekend", nth_weekend},
                                              {"unit.ahead", unit},
                                              {"date.dot", date_dot},
                                              {"date.frac", date_frac},
                                              {"date.impossible", date_impossible},
                                              {"shift.day", shift_day},
                                              {"date.now", at_this_time},
                                              {"date.short", date_short},
                                              {"week.day", in_week},
                                              {"week.of", week_of},
                                              {"shift", shift},
                                              {"workdays", workdays},
                                              {"units", units},
                                              {"week.dom", week_of_day},
                                              {"date.eod", end_of_day},
                                              {"date.later", later_on},
                                              {NULL, NULL}};
