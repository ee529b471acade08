/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions for holidays that move: the n-th weekday of a month, a distance from Easter, and days of
 * the Hebrew and the Islamic calendar. Those two begin at sunset; the date given is that of the
 * evening, as on wall calendars ("begins at sundown").
 */
#include "nlu/value/action.h"

enum { WEEK = 7, YEAR_MIN = 1600, YEAR_MAX = 9000 };

struct nlu_holiday {
    const struct reckoning *by;
    int32_t month, rank, weekday; /* of NTH_WEEKDAY; month and rank (the day) of ISLAMIC */
    int32_t offset, length;       /* days */
};

struct reckoning {
    /* The year, as this reckoning counts them, of a day; and a holiday's day in such a year. */
    int64_t (*year_of)(int64_t days);
    int64_t (*day_in)(const struct nlu_holiday *h, int64_t year);
};

static int64_t civil_year(int64_t days)
{
    return nlu_civil_of_days(days).year;
}

/* ---- the civil calendar and Easter ---- */

static int64_t nth_weekday_in(const struct nlu_holiday *h, int64_t year)
{
    int32_t y = (int32_t)year;
    if (h->rank > 0) {
        int64_t first = time_days_from_civil(y, h->month, 1);
        return first + (h->weekday - time_weekday(first) + WEEK) % WEEK + WEEK * (h->rank - 1);
    }
    int64_t last = time_days_from_civil(y, h->month, time_days_in_month(y, h->month));
    return last - (time_weekday(last) - h->weekday + WEEK) % WEEK + WEEK * (h->rank + 1);
}

static int64_t easter_in(const struct nlu_holiday *h, int64_t year)
{
    (void)h;
    int y = (int)year, a = y % 19, b = y / 100, c = y % 100, d = b / 4, e = b % 4, f = (b + 8) / 25,
        g = (b - f + 1) / 3, k = (19 * a + b - d - g + 15) % 30, i = c / 4, j = c % 4,
        l = (32 + 2 * e + 2 * i - k - j) % 7, m = (a + 11 * k + 22 * l) / 451,
        n = k + l - 7 * m + 114;
    return time_days_from_civil(y, n / 31, n % 31 + 1);
}

/* Of the Eastern churches: the Julian reckoning, 13 days behind in this century and the last */
static int64_t orthodox_easter_in(const struct nlu_holiday *h, int64_t year)
{
    (void)h;
    int y = (int)year, a = y % 4, b = y % 7, c = y % 19, d = (19 * c + 15) % 30,
        e = (2 * a + 4 * b - d + 34) % 7;
    return time_days_from_civil(y, (d + e + 114) / 31, (d + e + 114) % 31 + 1) + 13;
}

/* ---- the Hebrew calendar: mean new moons and four postponements ---- */

enum {
    HEBREW_EPOCH = -2092590,      /* the day before 1 Tishri of the year 1 */
    HEBREW_YEAR_AT_AUTUMN = 3761, /* that begins in the autumn of civil year 0 */
    PARTS_PER_DAY = 25920,        /* of 1/1080 hour */
    PASSOVER_TO_NEW_YEAR = 163,   /* days, always */
    LONG_YEAR_MOD = 5,            /* 355 and 385 days: Heshvan has 30 */
    NEW_YEAR_TO_HANUKKAH = 83,
    TU_BISHVAT_TO_PASSOVER = 59,
    LEAP_MONTH = 30
};

static int64_t new_moon_days(int64_t year)
{
    int64_t months = (235 * year - 234) / 19;
    int64_t days = 29 * months + (12084 + 13753 * months) / PARTS_PER_DAY;
    return days + (3 * (days + 1) % WEEK < 3); /* not on a Sunday, Wednesday or Friday */
}

static int64_t hebrew_new_year(int64_t year)
{
    int64_t before = new_moon_days(year - 1), at = new_moon_days(year),
            after = new_moon_days(year + 1);
    int64_t delay = after - at == 356    ? 2
                    : at - before == 382 ? 1
                                         : 0; /* no year so long or short */
    return HEBREW_EPOCH + at + delay;
}

static int64_t rosh_hashanah_in(const struct nlu_holiday *h, int64_t year)
{
    (void)h;
    return hebrew_new_year(year + HEBREW_YEAR_AT_AUTUMN);
}

static int64_t passover_in(const struct nlu_holiday *h, int64_t year)
{
    return rosh_hashanah_in(h, year) - PASSOVER_TO_NEW_YEAR;
}

static int64_t hanukkah_in(const struct nlu_holiday *h, int64_t year)
{
    int64_t begins = rosh_hashanah_in(h, year);
    int64_t length = rosh_hashanah_in(h, year + 1) - begins;
    return begins + NEW_YEAR_TO_HANUKKAH + (length % 10 == LONG_YEAR_MOD);
}

static int64_t tu_bishvat_in(const struct nlu_holiday *h, int64_t year)
{
    bool leap = rosh_hashanah_in(h, year) - rosh_hashanah_in(h, year - 1) > 380;
    return passover_in(h, year) - TU_BISHVAT_TO_PASSOVER - (leap ? LEAP_MONTH : 0);
}

/* 27 Nisan, moved off the days next to a Sabbath */
static int64_t shoah_day_in(const struct nlu_holiday *h, int64_t year)
{
    int64_t at = passover_in(h, year) + 12;
    int weekday = time_weekday(at);
    return at + (weekday == 6) - (weekday == 4);
}

/* 5 Iyar, moved so that neither it nor its eve touches a Sabbath */
static int64_t israel_day_in(const struct nlu_holiday *h, int64_t year)
{
    int64_t at = passover_in(h, year) + 20;
    int weekday = time_weekday(at);
    return at + (weekday == 0) - (weekday == 4 ? 1 : weekday == 5 ? 2 : 0);
}

/* 9 Av; a fast is not kept on a Sabbath */
static int64_t tisha_bav_in(const struct nlu_holiday *h, int64_t year)
{
    int64_t at = passover_in(h, year) + 112;
    return at + (time_weekday(at) == 5);
}

/* ---- the Islamic calendar as computed: 11 leap years in 30; what is sighted may differ by a day
 */

enum { ISLAMIC_EPOCH = -492148, ISLAMIC_CYCLE_DAYS = 10631, ISLAMIC_CYCLE_YEARS = 30 };

static int64_t islamic_year(int64_t days)
{
    return (days - ISLAMIC_EPOCH) * ISLAMIC_CYCLE_YEARS / ISLAMIC_CYCLE_DAYS + 1;
}

static int64_t islamic_day_in(const struct nlu_holiday *h, int64_t year)
{
    return ISLAMIC_EPOCH + (year - 1) * 354 + (3 + 11 * year) / ISLAMIC_CYCLE_YEARS +
           29 * (h->month - 1) + h->month / 2 + h->rank - 1;
}

enum reckoned {
    EASTER,
    ORTHODOX_EASTER,
    ROSH_HASHANAH,
    PASSOVER,
    HANUKKAH,
    TU_BISHVAT,
    SHOAH_DAY,
    ISRAEL_DAY,
    TISHA_BAV,
    NTH_WEEKDAY,
    ISLAMIC
};

static const struct reckoning RECKONINGS[] = {
    [EASTER] = {civil_year, easter_in},
    [ORTHODOX_EASTER] = {civil_year, orthodox_easter_in},
    [ROSH_HASHANAH] = {civil_year, rosh_hashanah_in},
    [PASSOVER] = {civil_year, passover_in},
    [HANUKKAH] = {civil_year, hanukkah_in},
    [TU_BISHVAT] = {civil_year, tu_bishvat_in},
    [SHOAH_DAY] = {civil_year, shoah_day_in},
    [ISRAEL_DAY] = {civil_year, israel_day_in},
    [TISHA_BAV] = {civil_year, tisha_bav_in},
    [NTH_WEEKDAY] = {civil_year, nth_weekday_in},
    [ISLAMIC] = {islamic_year, islamic_day_in},
};

/* The first time that h comes on the day from or later */
static bool settle(const struct nlu_holiday *h, int64_t from, struct nlu_value *out)
{
    int64_t year = civil_year(from);
    if (year < YEAR_MIN || year > YEAR_MAX)
        return false;
    year = h->by->year_of(from) - 1;
    int64_t at = h->by->day_in(h, year) + h->offset;
    while (at < from)
        at = h->by->day_in(h, ++year) + h->offset;
    out->holiday = h;
    if (h->length > 1)
        nlu_value_days(out, NLU_DAY, at, at + h->length);
    else
        nlu_value_day(out, nlu_civil_of_days(at));
    return true;
}

static bool next_to_come(struct nlu_eval *eval, struct nlu_value *out, struct nlu_holiday holiday)
{
    struct nlu_holiday *kept = BASE_ARENA_NEW(eval->arena, struct nlu_holiday);
    if (!kept)
        return false;
    *kept = holiday;
    out->flags |= NLU_NO_YEAR;
    return settle(kept, nlu_days(eval->now), out);
}

/* o days from the feast x (enum reckoned), n days long */
static bool feast(struct nlu_eval *eval, struct nlu_value *out)
{
    int64_t x = nlu_arg_n(eval, 'x', EASTER);
    if (x < EASTER || x > TISHA_BAV)
        return false;
    return next_to_come(eval, out,
                        (struct nlu_holiday){.by = &RECKONINGS[x],
                                             .offset = (int32_t)nlu_arg_n(eval, 'o', 0),
                                             .length = (int32_t)nlu_arg_n(eval, 'n', 1)});
}

/* The o-th weekday w of month m, and n days more */
static bool nth_in_month(struct nlu_eval *eval, struct nlu_value *out)
{
    return next_to_come(eval, out,
                        (struct nlu_holiday){.by = &RECKONINGS[NTH_WEEKDAY],
                                             .month = (int32_t)nlu_arg_n(eval, 'm', 1),
                                             .rank = (int32_t)nlu_arg_n(eval, 'o', 1),
                                             .weekday = (int32_t)nlu_arg_n(eval, 'w', 0),
                                             .offset = (int32_t)nlu_arg_n(eval, 'n', 0)});
}

/* Day d of the Islamic month m, o days from it, n days long */
static bool islamic(struct nlu_eval *eval, struct nlu_value *out)
{
    return next_to_come(eval, out,
                        (struct nlu_holiday){.by = &RECKONINGS[ISLAMIC],
                                             .month = (int32_t)nlu_arg_n(eval, 'm', 1),
                                             .rank = (int32_t)nlu_arg_n(eval, 'd', 1),
                                             .offset = (int32_t)nlu_arg_n(eval, 'o', 0),
                                             .length = (int32_t)nlu_arg_n(eval, 'n', 1)});
}

/* The same holiday or date a in the year y, that of r, or k years from its own ("last easter") */
static bool in_year(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *a = nlu_arg_value(eval, 'a'), *r = nlu_arg_value(eval, 'r');
    if (!a || !(a->flags & NLU_HAS_DATE) || (r && r->grain != NLU_YEAR))
        return false;
    int64_t y = r ? r->from.year : nlu_full_year(nlu_arg_n(eval, 'y', 0));
    if (eval->args[NLU_KEY('k')].set) {
        if (!(a->flags & NLU_NO_YEAR))
            return false;
        y = a->from.year + nlu_arg_n(eval, 'k', 0);
    }
    if (!nlu_valid_date(y, a->from.month, a->from.day))
        return false;
    if (a->holiday)
        return settle(a->holiday, time_days_from_civil((int32_t)y, 1, 1), out);
    *out = *a;
    int64_t length = nlu_days(a->to) - nlu_days(a->from);
    out->flags &= ~(unsigned)NLU_NO_YEAR;
    out->from.year = (int32_t)y;
    out->to = nlu_add_days(out->from, length);
    return true;
}

/* The weekend next to the day a, with that day: "labor day weekend" */
static bool weekend_around(struct nlu_eval *eval, struct nlu_value *out)
{
    const struct nlu_value *a = nlu_arg_value(eval, 'a');
    if (!a || !a->holiday)
        return false;
    int64_t at = nlu_days(a->from), weekday = time_weekday(at);
    int64_t saturday = at - weekday + 5 - (weekday < 2 ? WEEK : 0);
    nlu_value_days(out, NLU_WEEKEND, at < saturday ? at : saturday,
                   at > saturday + 1 ? at + 1 : saturday + 2);
    return true;
}

const struct nlu_action NLU_HOLIDAY_ACTIONS[] = {
    {"feast", feast},       {"holiday.nth", nth_in_month},      {"islamic", islamic},
    {"date.year", in_year}, {"weekend.around", weekend_around}, {NULL, NULL}};
