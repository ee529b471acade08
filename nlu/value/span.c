/* SPDX-License-Identifier: Apache-2.0 */
/* Actions that join values: a date and a time, two ends of a stretch, "before" and "after". */
#include "nlu/value/action.h"

static bool dated(const struct nlu_value *v)
{
    return v && (v->flags & NLU_HAS_DATE);
}

static bool timed(const struct nlu_value *v)
{
    return v && (v->flags & NLU_HAS_TIME);
}

static struct time_civil at_clock(struct time_civil date, struct time_civil clock)
{
    date.hour = clock.hour;
    date.minute = clock.minute;
    date.second = clock.second;
    return date;
}

static int likely(const struct nlu_value *time, struct time_civil clock, int part)
{
    return (time->flags & NLU_HALF_DAY) ? nlu_likely_hour(clock.hour, part) % 24 : clock.hour;
}

/* d a date (perhaps with a part of the day), t a time of day (perhaps a stretch) */
static bool join(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *d = nlu_arg_value(eval, 'd'), *t = nlu_arg_value(eval, 't');
    if (!dated(d) || !timed(t) || (timed(d) && !(d->flags & NLU_PART)) || dated(t))
        return false;
    *out = *t;
    out->flags |= NLU_HAS_DATE | (d->flags & (NLU_PAST | NLU_NO_YEAR | NLU_WEEKDAY));
    out->zone = t->zone;
    struct time_civil from = t->from, to = t->to;
    int part = d->part ? d->part : t->part;
    if ((t->flags & NLU_HALF_DAY) && (t->flags & NLU_RANGE)) {
        bool late = part - 1 == NLU_AFTERNOON || part - 1 == NLU_EVENING || part - 1 == NLU_NIGHT;
        from.hour = (int8_t)(late && from.hour < 12 ? from.hour + 12 : from.hour);
        to.hour = (int8_t)(late && to.hour < 12 ? to.hour + 12 : to.hour);
    } else if (t->flags & NLU_HALF_DAY) {
        from.hour = (int8_t)likely(t, from, part);
        to = from;
    }
    out->part = part;
    out->from = at_clock(d->from, from);
    out->to = at_clock(d->from, to);
    if (d->part - 1 == NLU_EVENING || d->part - 1 == NLU_NIGHT) {
        if ((t->flags & NLU_HALF_DAY) && t->from.hour == 12)
            out->from = out->to = nlu_add_days(nlu_midnight(out->from), 1);
    }
    if ((t->flags & NLU_RANGE) && nlu_compare(out->to, out->from) <= 0)
        out->to = nlu_add_days(out->to, 1);
    if ((d->flags & NLU_RANGE) && d->grain >= NLU_DAY && nlu_days(d->to) - nlu_days(d->from) > 1 &&
        !(t->flags & NLU_RANGE)) { /* "18-19 march at 7pm": on both ends */
        out->to = at_clock(nlu_add_days(d->to, -1), from);
        if (d->grain == NLU_DAY)
            out->flags |= NLU_RANGE;
    }
    out->flags &= ~(unsigned)NLU_HALF_DAY;
    return true;
}

/* Times of day a–b: am or pm said at one end may count for the other. */
static bool clock_range(struct nlu_value *out, const struct nlu_value *a, const struct nlu_value *b)
{
    *out = *a;
    out->flags = NLU_HAS_TIME | NLU_RANGE | (a->flags & b->flags & NLU_HALF_DAY);
    out->from = a->from;
    out->to = b->from;
    if (b->flags & NLU_RANGE)
        out->to = b->to;
    bool open_a = a->flags & NLU_HALF_DAY, open_b = b->flags & NLU_HALF_DAY;
    if (open_a && !open_b) {
        int h = a->from.hour % 12;
        int limit = b->from.hour * 60 + b->from.minute;
        out->from.hour = (int8_t)(h + 12);
        if ((h + 12) * 60 + a->from.minute > limit || b->from.hour < 12)
            out->from.hour = (int8_t)h;
    } else if (!open_a && open_b) {
        out->to.hour = (int8_t)(b->from.hour % 12);
        if (out->to.hour * 60 + out->to.minute <= a->from.hour * 60 + a->from.minute)
            out->to.hour = (int8_t)(out->to.hour + 12);
    } else if (open_a && open_b) {
        if (a->from.hour == 12 && b->from.hour < 12)
            out->to.hour = (int8_t)(b->from.hour + 12);
        else if (b->from.hour < a->from.hour)
            out->to.hour = (int8_t)(b->from.hour + 12);
        else if (b->from.hour < 7) {
            out->from.hour = (int8_t)(a->from.hour + 12);
            out->to.hour = (int8_t)(b->from.hour + 12);
        }
    }
    return true;
}

/* from a to b, both ends of the same kind after what one says has been lent to the other */
static bool range(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *a = nlu_arg_value(eval, 'a'), *b = nlu_arg_value(eval, 'b');
    if (!a || !b || ((a->flags | b->flags) & (NLU_SET | NLU_NO_FROM | NLU_NO_TO)))
        return false;
    if (timed(a) && timed(b) && !dated(a) && !dated(b))
        return clock_range(out, a, b);
    if (timed(a) && timed(b) && dated(a) != dated(b)) {
        const struct nlu_value *d = dated(a) ? a : b;
        struct nlu_value x = *a, y = *b;
        *out = *d;
        out->from = dated(a) ? a->from : at_clock(b->from, a->from);
        out->to = dated(b) ? b->from : at_clock(a->from, b->from);
        if (!dated(a) && (x.flags & NLU_HALF_DAY) && out->from.hour + 12 <= out->to.hour)
            out->from.hour = (int8_t)(out->from.hour + 12);
        if (!dated(b) && (y.flags & NLU_HALF_DAY) && nlu_compare(out->to, out->from) <= 0 &&
            out->to.hour < 12)
            out->to.hour = (int8_t)(out->to.hour + 12);
        out->flags |= NLU_RANGE;
        if (nlu_compare(out->to, out->from) < 0)
            out->to = nlu_add_days(out->to, 1);
        out->grain = NLU_HOUR;
        return true;
    }
    if (!dated(a) || !dated(b))
        return false;
    *out = *a;
    out->flags |= NLU_RANGE | (b->flags & NLU_HAS_TIME);
    if ((a->flags & b->flags & NLU_NOW))
        return false;
    /* Up to a month or a year is up to its first day; up to a day or a week includes it. */
    bool to_start = timed(b) || (b->grain >= NLU_MONTH && !(b->flags & NLU_END));
    struct time_civil from = a->from, to = to_start ? b->from : b->to;
    if ((b->flags & NLU_WEEKDAY) && nlu_compare(to, from) <= 0)
        to = nlu_add_days(to, 7 * ((nlu_days(from) - nlu_days(to)) / 7 + 1));
    if ((b->flags & NLU_WEEKDAY) && nlu_days(to) - nlu_days(from) > 8)
        to = nlu_add_days(to, -7 * ((nlu_days(to) - nlu_days(from) - 1) / 7));
    if ((a->flags & NLU_NO_YEAR) && !(b->flags & NLU_NO_YEAR)) {
        from.year = to.year;
        if (nlu_compare(from, to) > 0)
            from.year--;
    } else if ((b->flags & NLU_NO_YEAR) && nlu_compare(to, from) <= 0) {
        to = nlu_add_months(to, 12);
    } else if (a->grain == NLU_DAY && b->grain == NLU_DAY && nlu_compare(to, from) <= 0) {
        return false;
    }
    struct time_civil ended = nlu_add_months(to, -12);
    if ((a->flags & b->flags & NLU_NO_YEAR) && b->grain == NLU_DAY &&
        nlu_compare(ended, nlu_midnight(eval->now)) > 0) {
        from = nlu_add_months(from, -12); /* it has begun and goes on */
        to = ended;
    }
    out->from = from;
    out->to = to;
    return true;
}

/* The stretch that starts at a and lasts d */
static bool lasting(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *a = nlu_arg_value(eval, 'a'), *d = nlu_arg_value(eval, 'd');
    if (!a || !d || !(a->flags & (NLU_HAS_DATE | NLU_HAS_TIME)))
        return false;
    *out = *a;
    if (!dated(a)) { /* a stretch of any day, if it ends on it */
        int64_t end = time_civil_seconds(at_clock(
                          (struct time_civil){.year = 1970, .month = 1, .day = 1}, a->from)) +
                      d->seconds;
        if (d->months || end >= 86400)
            return false;
        out->from.hour = (int8_t)likely(a, a->from, 0);
        out->to = at_clock(out->from, time_civil_from_seconds(end));
        out->flags = (out->flags | NLU_RANGE) & ~(unsigned)NLU_HALF_DAY;
        return true;
    }
    out->flags |= NLU_RANGE;
    out->to = nlu_add_seconds(nlu_add_months(out->from, d->months), d->seconds);
    if (d->grain < NLU_DAY)
        out->flags |= NLU_HAS_TIME;
    return true;
}

/* by the end of something: from now until then */
static bool by(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *a = nlu_arg_value(eval, 'a');
    if (!a)
        return false;
    *out = *a;
    if (!(a->flags & NLU_END))
        return true;
    out->flags |= NLU_RANGE | NLU_HAS_TIME;
    out->to = a->flags & NLU_RANGE ? a->to : nlu_add_days(nlu_midnight(a->from), 1);
    out->from = eval->now;
    return true;
}

/* before (k=-1), by (k=0), after or since (k=1) a */
static bool open_end(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *a = nlu_arg_value(eval, 'a');
    int64_t k = nlu_arg_n(eval, 'k', -1);
    if (!a || !(a->flags & (NLU_HAS_DATE | NLU_HAS_TIME)) ||
        (a->flags & (NLU_NO_FROM | NLU_NO_TO)) ||
        (a->flags & (NLU_RANGE | NLU_HAS_TIME | NLU_PART)) == (NLU_RANGE | NLU_HAS_TIME))
        return false;
    *out = *a;
    out->flags |= k > 0 ? NLU_NO_TO : NLU_NO_FROM;
    if (k > 0) {
        out->from = (a->flags & NLU_RANGE) && nlu_arg_n(eval, 'x', 0) ? a->to : a->from;
    } else {
        bool whole = (a->flags & NLU_RANGE) && (k == 0 || (a->flags & NLU_END));
        out->to = whole ? a->to : a->from;
        out->flags &= ~(unsigned)NLU_END;
    }
    return true;
}

/* "friday before 5pm" (k=-1), "friday after 5pm" (k=1) */
static bool open_join(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *d = nlu_arg_value(eval, 'd');
    if (d && (d->flags & NLU_RANGE)) {
        struct nlu_value first = *d;
        first.flags &= ~(unsigned)NLU_RANGE;
        first.grain = NLU_DAY;
        eval->args[NLU_KEY('d')].value = &first;
        if (!join(eval, out))
            return false;
    } else if (!join(eval, out)) {
        return false;
    }
    out->flags |= nlu_arg_n(eval, 'k', -1) > 0 ? NLU_NO_TO : NLU_NO_FROM;
    return true;
}

/* the date a of day, in the month of the stretch b: "from the 13th to the 15th of July" */
static bool borrow_month(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *b = nlu_arg_value(eval, 'b');
    int64_t d = nlu_arg_n(eval, 'd', 0);
    if (!dated(b) || b->grain != NLU_DAY)
        return false;
    struct time_civil from = b->from;
    if (d > from.day)
        from = nlu_add_months(nlu_civil_of_days(nlu_days(from) - from.day + 1), -1);
    if (!nlu_valid_date(from.year, from.month, d))
        return false;
    from.day = (int8_t)d;
    *out = *b;
    out->flags |= NLU_RANGE;
    out->grain = NLU_DAY;
    out->from = from;
    return true;
}

/* the day d after the date a, in its month: "July 13 to 15" */
static bool extend(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *a = nlu_arg_value(eval, 'a');
    int64_t d = nlu_arg_n(eval, 'd', 0);
    if (!dated(a) || a->grain != NLU_DAY || timed(a))
        return false;
    struct time_civil from = a->from, to;
    if (nlu_arg_n(eval, 'y', 0))
        from.year = (int32_t)nlu_full_year(nlu_arg_n(eval, 'y', 0));
    to = from;
    if (d <= to.day)
        to = nlu_add_months(nlu_civil_of_days(nlu_days(to) - to.day + 1), 1);
    if (!nlu_valid_date(to.year, to.month, d))
        return false;
    to.day = (int8_t)d;
    *out = *a;
    out->flags |= NLU_RANGE;
    out->from = from;
    out->to = nlu_add_days(to, 1);
    return true;
}

/* "tomorrow, 13/04/21": two ways to say a day; the second, more exact one counts */
static bool prefer(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *a = nlu_arg_value(eval, 'a'), *b = nlu_arg_value(eval, 'b');
    if (!dated(a) || !dated(b) || a->grain != NLU_DAY || b->grain != NLU_DAY ||
        (a->flags & NLU_RELATIVE) == (b->flags & NLU_RELATIVE))
        return false;
    *out = a->flags & NLU_RELATIVE ? *b : *a;
    return true;
}

/* a moment a and the date b it is on */
static bool moment_on(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *a = nlu_arg_value(eval, 'a'), *b = nlu_arg_value(eval, 'b');
    if (!dated(a) || !dated(b) || b->grain != NLU_DAY || (a->flags & (NLU_RANGE | NLU_NOW)))
        return false;
    *out = *a;
    out->from = out->to = at_clock(b->from, a->from);
    return true;
}

/* the weekday a in the week of b: "monday two weeks from now" */
static bool weekday_near(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *a = nlu_arg_value(eval, 'a'), *b = nlu_arg_value(eval, 'b');
    if (!dated(a) || !dated(b) || !(a->flags & NLU_WEEKDAY) || b->grain < NLU_DAY)
        return false;
    int64_t days = nlu_days(b->from);
    nlu_value_day(out,
                  nlu_civil_of_days(days - time_weekday(days) + time_weekday(nlu_days(a->from))));
    return true;
}

const struct nlu_action NLU_SPAN_ACTIONS[] = {{"join", join},
                                              {"range", range},
                                              {"lasting", lasting},
                                              {"open", open_end},
                                              {"range.month", borrow_month},
                                              {"range.extend", extend},
                                              {"prefer", prefer},
                                              {"weekday.near", weekday_near},
                                              {"dt.on", moment_on},
                                              {"open.join", open_join},
                                              {"by", by},
                                              {NULL, NULL}};
