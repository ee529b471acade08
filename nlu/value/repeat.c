/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Repetitions. Rules mention them piece by piece ("every friday", "at nine", "until june"); one
 * action adds any piece to the set so far, so that the order of the pieces does not matter.
 */
#include "nlu/value/repeat.h"

#include "nlu/value/action.h"

enum { WEEK = 7, ALL_DAYS = 0x7f, FIRST_SEARCH_DAYS = 366 * 9, INTERVAL_MAX = 1000 };

static uint64_t rank_bit(int64_t rank)
{
    if (rank >= 1 && rank <= 31)
        return UINT64_C(1) << rank;
    if (rank <= -1 && rank >= -31)
        return UINT64_C(1) << (32 - rank);
    return 0;
}

/* A list: what a holds and one more member, w (weekday), o (rank or day) or m (month). */
static bool mask(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *a = nlu_arg_value(eval, 'a'), *b = nlu_arg_value(eval, 'b');
    uint64_t bits = (a ? (uint64_t)a->n : 0) | (b ? (uint64_t)b->n : 0);
    if (eval->args[NLU_KEY('w')].set)
        bits |= UINT64_C(1) << (nlu_arg_n(eval, 'w', 0) % WEEK);
    if (eval->args[NLU_KEY('m')].set)
        bits |= UINT64_C(1) << (nlu_arg_n(eval, 'm', 0) % 13);
    if (eval->args[NLU_KEY('o')].set) {
        uint64_t bit = rank_bit(nlu_arg_n(eval, 'o', 0));
        if (!bit)
            return false;
        bits |= bit;
    }
    bits |= (uint64_t)nlu_arg_n(eval, 'n', 0);
    out->n = (int64_t)bits;
    return true;
}

/* All weekdays from w to v */
static bool mask_range(struct nlu_eval *eval, struct nlu_value *out)
{
    int64_t from = nlu_arg_n(eval, 'w', 0), to = nlu_arg_n(eval, 'v', 0);
    for (int64_t d = from;; d = (d + 1) % WEEK) {
        out->n |= INT64_C(1) << d;
        if (d == to)
            return true;
    }
}

static bool add_times(struct nlu_set *set, const struct nlu_value *t)
{
    if ((t->flags & NLU_PART)) {
        set->part = t->part;
        return true;
    }
    if (!(t->flags & NLU_HAS_TIME) || set->time_count == NLU_SET_TIMES)
        return false;
    set->half_day = (t->flags & NLU_HALF_DAY) != 0;
    set->times[set->time_count++] = t->from;
    return true;
}

static bool add_exdate(struct nlu_set *set, struct time_civil at, bool has_time)
{
    if (set->exdate_count == NLU_SET_EXDATES)
        return false;
    set->exdates[set->exdate_count++] = (struct nlu_exdate){at, has_time};
    return true;
}

static bool except_weekdays(struct nlu_set *set, uint64_t weekdays)
{
    uint64_t left = (set->weekdays ? set->weekdays : ALL_DAYS) & ~weekdays;
    if (!left || (!set->weekdays && set->freq != NLU_DAY) || set->ranks)
        return false;
    if (set->freq == NLU_DAY && set->interval == 1)
        set->freq = NLU_WEEK;
    set->weekdays = (uint8_t)left;
    return true;
}

static bool except(struct nlu_eval *eval, struct nlu_set *set, const struct nlu_value *x)
{
    if (!(x->flags & NLU_HAS_DATE))
        return false;
    if ((x->flags & NLU_WEEKDAY) && (x->flags & NLU_HAS_TIME) && set->time_count == 0)
        set->times[set->time_count++] = x->from; /* "every day but sunday at 8" */
    if (x->flags & NLU_WEEKDAY)
        return except_weekdays(set, UINT64_C(1) << time_weekday(nlu_days(x->from)));
    struct nlu_exdate *copy =
        base_arena_array(eval->arena, NLU_SET_EXDATES, sizeof(struct nlu_exdate));
    if (!copy)
        return false;
    if (set->exdate_count)
        memcpy(copy, set->exdates, set->exdate_count * sizeof(*copy));
    set->exdates = copy;
    if (x->flags & NLU_HAS_TIME)
        return add_exdate(set, x->from, true);
    int64_t to = nlu_days(x->to);
    for (int64_t d = nlu_days(x->from); d < to; d++) {
        if (!add_exdate(set, nlu_civil_of_days(d), false))
            return false;
    }
    return true;
}

static void spread_units(struct nlu_set *set)
{
    switch (set->freq) {
    case NLU_FORTNIGHT:
        set->freq = NLU_WEEK;
        set->interval *= 2;
        break;
    case NLU_QUARTER:
        set->freq = NLU_MONTH;
        set->interval *= 3;
        break;
    case NLU_WEEKEND:
        set->freq = NLU_WEEK;
        set->weekdays = 0x60;
        break;
    case NLU_DECADE:
        set->freq = NLU_YEAR;
        set->interval *= 10;
        break;
    default:
        break;
    }
}

/* "every 90 minutes": a length as unit and interval */
static bool set_length(struct nlu_set *s, const struct nlu_value *length)
{
    static const struct {
        enum nlu_grain grain;
        int64_t seconds;
    } SIZES[] = {
        {NLU_WEEK, 604800}, {NLU_DAY, 86400}, {NLU_HOUR, 3600}, {NLU_MINUTE, 60}, {NLU_SECOND, 1}};
    int64_t n = 0;
    if (length->months && length->seconds)
        return false;
    if (length->months) {
        bool years = length->grain >= NLU_YEAR && length->months % 12 == 0;
        s->freq = years ? NLU_YEAR : NLU_MONTH;
        n = years ? length->months / 12 : length->months;
    }
    for (size_t i = 0; n == 0 && i < sizeof(SIZES) / sizeof(*SIZES); i++) {
        if ((SIZES[i].grain <= length->grain) && length->seconds % SIZES[i].seconds == 0) {
            s->freq = SIZES[i].grain;
            n = length->seconds / SIZES[i].seconds;
        }
    }
    s->interval = (int)n;
    return n >= 1 && n <= INTERVAL_MAX;
}

/* A calendar date as part of a repetition: its day and month, or its month alone */
static bool set_date(struct nlu_set *s, const struct nlu_value *z)
{
    if (!(z->flags & NLU_HAS_DATE) || (z->flags & NLU_WEEKDAY))
        return false;
    if (z->grain == NLU_MONTH) {
        s->months |= (uint16_t)(1U << z->from.month);
        return true;
    }
    if (z->grain != NLU_DAY || (z->flags & NLU_HAS_TIME) || s->freq < NLU_MONTH)
        return false;
    s->months |= (uint16_t)(1U << z->from.month);
    s->month_days |= rank_bit(z->from.day);
    return true;
}

static bool add_unit(const struct nlu_eval *eval, struct nlu_set *s)
{
    const struct nlu_value *j = nlu_arg_value(eval, 'j');
    if (eval->args[NLU_KEY('u')].set)
        s->freq = (enum nlu_grain)nlu_arg_n(eval, 'u', NLU_DAY);
    if (eval->args[NLU_KEY('i')].set) {
        int64_t i = nlu_arg_n(eval, 'i', 1);
        if (i < 1 || i > INTERVAL_MAX)
            return false;
        s->interval = (int)i;
    }
    if (j && !set_length(s, j))
        return false;
    if (nlu_arg_n(eval, 'b', 0) == 4) { /* twice a year */
        if (s->freq != NLU_YEAR || s->interval != 1)
            return false;
        s->freq = NLU_MONTH;
        s->interval = 6;
    }
    spread_units(s);
    return true;
}

/* w a mask of weekdays, y one weekday, r and o ranks of them, g and d days of the month (q=1: from
 * the end), k a month */
static bool add_days(const struct nlu_eval *eval, struct nlu_set *s)
{
    int64_t sign = nlu_arg_n(eval, 'q', 0) ? -1 : 1;
    static const char RANKS[] = {'r', 'o'}, DAYS[] = {'g', 'd'};
    s->weekdays |= (uint8_t)nlu_arg_n(eval, 'w', 0);
    if (eval->args[NLU_KEY('y')].set)
        s->weekdays |= (uint8_t)(1U << (nlu_arg_n(eval, 'y', 0) % WEEK));
    if (eval->args[NLU_KEY('k')].set)
        s->months |= (uint16_t)(1U << (nlu_arg_n(eval, 'k', 1) % 13));
    for (int i = 0; i < 2; i++) {
        int64_t rank = nlu_arg_n(eval, RANKS[i], 0), day = nlu_arg_n(eval, DAYS[i], 0);
        if ((rank && !rank_bit(rank * sign)) || (day && !rank_bit(day * sign)))
            return false;
        s->ranks |= rank_bit(rank * sign);
        s->month_days |= rank_bit(day * sign);
    }
    return true;
}

/* c how often, e until, s from when, l for how long */
static bool add_limits(const struct nlu_eval *eval, struct nlu_set *s)
{
    const struct nlu_value *e = nlu_arg_value(eval, 'e'), *start = nlu_arg_value(eval, 's'),
                           *l = nlu_arg_value(eval, 'l');
    int64_t c = nlu_arg_n(eval, 'c', 0);
    if (c < 0 || c > 100000 || (e && !(e->flags & NLU_HAS_DATE)) ||
        (start && !(start->flags & NLU_HAS_DATE)))
        return false;
    if (c)
        s->count = (int)c;
    if (e) {
        s->has_until = true;
        s->until = e->from;
        if (!(e->flags & NLU_HAS_TIME)) {
            s->until.hour = 23;
            s->until.minute = s->until.second = 59;
        }
    }
    if (start) {
        s->has_start = true;
        s->start = start->from;
        if ((start->flags & NLU_HAS_TIME) && !(start->flags & NLU_PART) && s->time_count == 0)
            s->times[s->time_count++] = start->from;
        if (nlu_arg_n(eval, 'b', 0) == 3) { /* from … to … */
            s->has_until = true;
            s->until = start->to;
        }
    }
    if (l && (l->flags & NLU_HAS_DATE) && l->n == 1) { /* "for the next month": a month */
        struct nlu_value *one = BASE_ARENA_NEW(eval->arena, struct nlu_value);
        if (!one)
            return false;
        one->grain = l->grain;
        one->months = l->grain == NLU_YEAR ? 12 : l->grain == NLU_MONTH ? 1 : 0;
        one->seconds = l->grain == NLU_WEEK ? 604800 : 0;
        s->length = one;
    } else if (l && (l->flags & NLU_HAS_DATE)) {
        s->has_until = true;
        s->until = nlu_add_seconds(l->to, -1);
    } else if (l) {
        s->length = l;
    }
    return true;
}

/* t and v times, h an hour, p a part of the day */
static bool add_clock(const struct nlu_eval *eval, struct nlu_set *s)
{
    const struct nlu_value *t = nlu_arg_value(eval, 't'), *v = nlu_arg_value(eval, 'v');
    if ((t && !add_times(s, t)) || (v && !add_times(s, v)))
        return false;
    if (eval->args[NLU_KEY('p')].set)
        s->part = (int)nlu_arg_n(eval, 'p', 0) + 1;
    if (eval->args[NLU_KEY('h')].set) {
        int64_t h = nlu_arg_n(eval, 'h', 0);
        if (s->time_count == 0 || s->time_count == NLU_SET_TIMES || h > 23)
            return false;
        s->times[s->time_count++] = (struct time_civil){.hour = (int8_t)h};
    }
    return true;
}

/* Adds to the set a, or to a new one of unit u or length j, every i. x and n are exceptions (b=1:
 * only if there is one already), z a date, f says "after completion". */
static bool set(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *a = nlu_arg_value(eval, 'a'), *x = nlu_arg_value(eval, 'x'),
                           *z = nlu_arg_value(eval, 'z');
    struct nlu_set *s = BASE_ARENA_NEW(eval->arena, struct nlu_set);
    if (!s || (nlu_arg_n(eval, 'b', 0) == 1 && (!a || !a->set || !a->set->exdate_count)))
        return false;
    if (a && a->set)
        *s = *a->set;
    else
        *s = (struct nlu_set){.freq = z ? NLU_YEAR : NLU_DAY, .interval = 1};
    if (!add_unit(eval, s) || !add_days(eval, s) || !add_limits(eval, s) || !add_clock(eval, s))
        return false;
    if ((z && !set_date(s, z)) || (x && !except(eval, s, x)) ||
        (eval->args[NLU_KEY('n')].set && !except_weekdays(s, (uint64_t)nlu_arg_n(eval, 'n', 0))))
        return false;
    if (nlu_arg_n(eval, 'f', 0))
        s->after_completion = true;
    *out = (struct nlu_value){.flags = NLU_SET, .grain = s->freq, .n = s->weekdays, .set = s};
    return true;
}

const struct nlu_action NLU_REPEAT_ACTIONS[] = {
    {"mask", mask}, {"mask.range", mask_range}, {"set", set}, {NULL, NULL}};

/* ---- from the pieces to a rule ---- */

static bool fits_month_day(const struct nlu_set *s, struct time_civil day)
{
    int last = time_days_in_month(day.year, day.month);
    return s->month_days & (rank_bit(day.day) | rank_bit(day.day - last - 1));
}

static bool fits_rank(const struct nlu_set *s, struct time_civil day)
{
    if (__builtin_popcount(s->weekdays) > 1) { /* BYSETPOS within the month */
        int last = time_days_in_month(day.year, day.month), before = 0, all = 0;
        int64_t first = nlu_days(day) - day.day + 1;
        for (int i = 0; i < last; i++) {
            if ((s->weekdays >> time_weekday(first + i)) & 1) {
                all++;
                before += i < day.day;
            }
        }
        return s->ranks & (rank_bit(before) | rank_bit(before - all - 1));
    }
    if (s->freq == NLU_YEAR && !s->months)
        return true; /* counted over the year: the first one is good enough to start with */
    int last = time_days_in_month(day.year, day.month);
    return s->ranks & (rank_bit((day.day + 6) / WEEK) | rank_bit(-((last - day.day) / WEEK + 1)));
}

static bool fits(const struct nlu_set *s, struct time_civil day)
{
    if (s->months && !((s->months >> day.month) & 1))
        return false;
    if (s->weekdays && !((s->weekdays >> time_weekday(nlu_days(day))) & 1))
        return false;
    if (s->ranks && s->weekdays && !fits_rank(s, day))
        return false;
    if (s->month_days && !fits_month_day(s, day))
        return false;
    for (size_t i = 0; i < s->exdate_count; i++) {
        if (!s->exdates[i].has_time && nlu_days(s->exdates[i].at) == nlu_days(day))
            return false;
    }
    return true;
}

static struct time_civil one_period_later(const struct nlu_set *s, struct time_civil at)
{
    switch (s->freq) {
    case NLU_DAY:
        return nlu_add_days(at, s->interval);
    case NLU_WEEK:
        return nlu_add_days(at, WEEK * s->interval);
    case NLU_MONTH:
        return nlu_add_months(at, s->interval);
    default:
        return nlu_add_months(at, INT64_C(12) * s->interval);
    }
}

static void settle_times(struct nlu_set *s)
{
    for (int i = 0; i < s->time_count; i++) {
        if ((s->half_day && s->times[i].hour <= 12) || s->part)
            s->times[i].hour = s->half_day || s->times[i].hour == 0
                                   ? (int8_t)(nlu_likely_hour(s->times[i].hour, s->part) % 24)
                                   : s->times[i].hour;
    }
    if (s->time_count == 0 && s->part)
        s->times[s->time_count++] = (struct time_civil){.hour = NLU_PART_HOURS[s->part - 1].due};
    s->half_day = false;
    s->part = 0;
    for (int i = 1; i < s->time_count; i++) {
        for (int j = i; j > 0 && s->times[j].hour * 60 + s->times[j].minute <
                                     s->times[j - 1].hour * 60 + s->times[j - 1].minute;
             j--) {
            struct time_civil swap = s->times[j];
            s->times[j] = s->times[j - 1];
            s->times[j - 1] = swap;
        }
    }
}

static struct time_civil first_day(const struct nlu_set *s, struct time_civil now)
{
    struct time_civil start = nlu_midnight(s->has_start ? s->start : now);
    struct time_civil clock = s->time_count ? s->times[s->time_count - 1] : start;
    bool selects = s->weekdays || s->months || s->month_days;
    int64_t days = nlu_days(start);
    for (int64_t i = 0; i < FIRST_SEARCH_DAYS; i++) {
        struct time_civil day = nlu_civil_of_days(days + i);
        if (s->months && !((s->months >> day.month) & 1)) {
            i += time_days_in_month(day.year, day.month) - day.day;
            continue;
        }
        struct time_civil at = day;
        at.hour = clock.hour;
        at.minute = clock.minute;
        bool past = s->time_count && nlu_compare(at, now) < 0;
        if (past && !selects)
            return one_period_later(s, day);
        if (!past && fits(s, day))
            return day;
    }
    return start;
}

void nlu_set_settle(struct nlu_set *set_value, struct time_civil now, struct time_civil *ret_first,
                    bool *ret_has_time)
{
    struct nlu_set *s = set_value;
    settle_times(s);
    *ret_has_time = s->time_count > 0;
    if (s->freq < NLU_DAY && !s->has_start) {
        int64_t size = s->freq == NLU_HOUR ? 3600 : s->freq == NLU_MINUTE ? 60 : 1;
        *ret_first = s->time_count ? first_day(s, now) : nlu_add_seconds(now, size * s->interval);
        *ret_has_time = true;
        if (s->time_count) {
            ret_first->hour = s->times[0].hour;
            ret_first->minute = s->times[0].minute;
        }
    } else {
        *ret_first = first_day(s, now);
        bool today = nlu_days(*ret_first) == nlu_days(now);
        for (int i = s->time_count - 1; i >= 0; i--) {
            struct time_civil at = *ret_first;
            at.hour = s->times[i].hour;
            at.minute = s->times[i].minute;
            at.second = s->times[i].second;
            if (i < s->time_count - 1 && today && nlu_compare(at, now) < 0)
                break;
            *ret_first = at;
        }
    }
    while (s->has_until && s->has_start && nlu_compare(s->until, s->start) < 0)
        s->until = nlu_add_months(s->until, 12);
    if (s->length && !s->has_until) {
        struct time_civil from = s->has_start ? s->start : nlu_midnight(now);
        s->has_until = true;
        s->until = nlu_add_seconds(nlu_add_months(from, s->length->months), s->length->seconds);
        if (s->length->grain >= NLU_DAY) {
            s->until.hour = 23;
            s->until.minute = s->until.second = 59;
        }
    }
}

static void format_list(struct base_buf *out, const char *key, uint64_t bits)
{
    bool first = true;
    for (int i = 1; i < 64; i++) {
        if (!((bits >> i) & 1))
            continue;
        base_buf_add_c(out, first ? key : ",");
        base_buf_add_int(out, i < 32 ? i : 32 - i);
        first = false;
    }
}

static void format_weekdays(struct base_buf *out, const struct nlu_set *s)
{
    static const char *const NAMES[WEEK] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};
    bool as_position = s->ranks && __builtin_popcount(s->weekdays) > 1;
    bool first = true;
    for (int rank = 0; rank < 64; rank++) {
        bool plain = !s->ranks || as_position;
        if (plain ? rank > 0 : !((s->ranks >> rank) & 1))
            continue;
        for (int d = 0; d < WEEK; d++) {
            if (!((s->weekdays >> d) & 1))
                continue;
            base_buf_add_c(out, first ? ";BYDAY=" : ",");
            if (!plain)
                base_buf_add_int(out, rank < 32 ? rank : 32 - rank);
            base_buf_add_c(out, NAMES[d]);
            first = false;
        }
    }
    if (as_position)
        format_list(out, ";BYSETPOS=", s->ranks);
}

static void format_times(struct base_buf *out, const struct nlu_set *s)
{
    if (s->time_count < 2)
        return;
    for (int i = 0; i < s->time_count; i++) {
        base_buf_add_c(out, i ? "," : ";BYHOUR=");
        base_buf_add_int(out, s->times[i].hour);
    }
    base_buf_addf(out, ";BYMINUTE=%d", s->times[0].minute);
}

void nlu_set_format(struct base_buf *out, const struct nlu_set *set_value)
{
    const struct nlu_set *s = set_value;
    static const char *const FREQS[] = {
        [NLU_SECOND] = "SECONDLY", [NLU_MINUTE] = "MINUTELY", [NLU_HOUR] = "HOURLY",
        [NLU_DAY] = "DAILY",       [NLU_WEEK] = "WEEKLY",     [NLU_MONTH] = "MONTHLY",
        [NLU_YEAR] = "YEARLY"};
    base_buf_addf(out, "FREQ=%s", FREQS[s->freq]);
    if (s->interval > 1)
        base_buf_addf(out, ";INTERVAL=%d", s->interval);
    format_list(out, ";BYMONTH=", s->months);
    format_list(out, ";BYMONTHDAY=", s->month_days);
    format_weekdays(out, s);
    format_times(out, s);
    if (s->count)
        base_buf_addf(out, ";COUNT=%d", s->count);
    else if (s->has_until)
        base_buf_addf(out, ";UNTIL=%04d%02d%02dT%02d%02d%02d", s->until.year, s->until.month,
                      s->until.day, s->until.hour, s->until.minute, s->until.second);
}
