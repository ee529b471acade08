/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calendar's arithmetic. Days are counted from 1 March, so that the leap day comes last and the
 * months' lengths follow one linear formula; 400 years are one cycle of 146,097 days.
 */
#include "lib/time/civil.h"

enum {
    DAY_S = 86400,
    CYCLE_DAYS = 146097,
    EPOCH_FROM_MARCH = 719468, /* days from 0000-03-01 to 1970-01-01 */
};

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b < 0);
}

int64_t time_days_from_civil(int32_t year, int month, int day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t cycle = floor_div(y, 400);
    int64_t of_cycle = y - cycle * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return cycle * CYCLE_DAYS + of_cycle * 365 + of_cycle / 4 - of_cycle / 100 + of_year -
           EPOCH_FROM_MARCH;
}

void time_civil_from_days(int64_t days, int32_t *ret_year, int *ret_month, int *ret_day)
{
    int64_t cycle = floor_div(days + EPOCH_FROM_MARCH, CYCLE_DAYS);
    uint32_t of_cycle = (uint32_t)(days + EPOCH_FROM_MARCH - cycle * CYCLE_DAYS);
    uint32_t year =
        (of_cycle - of_cycle / 1460 + of_cycle / 36524 - of_cycle / (CYCLE_DAYS - 1)) / 365;
    uint32_t of_year = of_cycle - (365 * year + year / 4 - year / 100);
    uint32_t month = (5 * of_year + 2) / 153;
    *ret_day = (int)(of_year - (153 * month + 2) / 5) + 1;
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = (int32_t)(cycle * 400 + year + (month >= 10));
}

int time_days_in_month(int32_t year, int month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

int time_weekday(int64_t days)
{
    return (int)(((days + 3) % 7 + 7) % 7);
}

int64_t time_civil_seconds(struct time_civil civil)
{
    return time_days_from_civil(civil.year, civil.month, civil.day) * DAY_S + civil.hour * 3600 +
           civil.minute * 60 + civil.second;
}

struct time_civil time_civil_from_seconds(int64_t seconds)
{
    int64_t days = floor_div(seconds, DAY_S);
    int of_day = (int)(seconds - days * DAY_S);
    int32_t year;
    int month;
    int day;
    time_civil_from_days(days, &year, &month, &day);
    return (struct time_civil){.year = year,
                               .month = (int8_t)month,
                               .day = (int8_t)day,
                               .hour = (int8_t)(of_day / 3600),
                               .minute = (int8_t)(of_day / 60 % 60),
                               .second = (int8_t)(of_day % 60)};
}

bool time_civil_valid(struct time_civil civil)
{
    return civil.year >= 1 && civil.year <= 9999 && civil.month >= 1 && civil.month <= 12 &&
           civil.day >= 1 && civil.day <= time_days_in_month(civil.year, civil.month) &&
           civil.hour >= 0 && civil.hour <= 23 && civil.minute >= 0 && civil.minute <= 59 &&
           civil.second >= 0 && civil.second <= 59;
}

void time_date_format(struct base_buf *buf, struct time_civil civil)
{
    base_buf_add_digits(buf, civil.year, 4);
    base_buf_add_char(buf, '-');
    base_buf_add_digits(buf, civil.month, 2);
    base_buf_add_char(buf, '-');
    base_buf_add_digits(buf, civil.day, 2);
}

void time_civil_format(struct base_buf *buf, struct time_civil civil)
{
    time_date_format(buf, civil);
    base_buf_add_char(buf, 'T');
    base_buf_add_digits(buf, civil.hour, 2);
    base_buf_add_char(buf, ':');
    base_buf_add_digits(buf, civil.minute, 2);
    base_buf_add_char(buf, ':');
    base_buf_add_digits(buf, civil.second, 2);
}

/* Cuts n digits off the front. */
static bool take_digits(struct base_sv *text, size_t n, int *ret_value)
{
    if (text->len < n)
        return false;
    int value = 0;
    for (size_t i = 0; i < n; i++) {
        if (text->ptr[i] < '0' || text->ptr[i] > '9')
            return false;
        value = value * 10 + (text->ptr[i] - '0');
    }
    *text = base_sv_sub(*text, n, text->len);
    *ret_value = value;
    return true;
}

static bool take_char(struct base_sv *text, char c)
{
    if (text->len == 0 || text->ptr[0] != c)
        return false;
    *text = base_sv_sub(*text, 1, text->len);
    return true;
}

static bool take_fraction(struct base_sv *text)
{
    int digit;
    if (!take_char(text, '.'))
        return true;
    if (!take_digits(text, 1, &digit))
        return false;
    while (take_digits(text, 1, &digit))
        ;
    return true;
}

bool time_civil_parse(struct base_sv text, struct time_civil *ret_civil, bool *ret_has_time)
{
    int year;
    int month;
    int day;
    int hour = 0;
    int minute = 0;
    int second = 0;
    if (!take_digits(&text, 4, &year) || !take_char(&text, '-') || !take_digits(&text, 2, &month) ||
        !take_char(&text, '-') || !take_digits(&text, 2, &day))
        return false;
    bool has_time = text.len > 0;
    if (has_time) {
        if ((!take_char(&text, 'T') && !take_char(&text, ' ')) || !take_digits(&text, 2, &hour) ||
            !take_char(&text, ':') || !take_digits(&text, 2, &minute))
            return false;
        if (take_char(&text, ':') && (!take_digits(&text, 2, &second) || !take_fraction(&text)))
            return false;
        if (text.len > 0)
            return false;
    }
    struct time_civil civil = {year,         (int8_t)month,  (int8_t)day,
                               (int8_t)hour, (int8_t)minute, (int8_t)second};
    if (!time_civil_valid(civil))
        return false;
    *ret_civil = civil;
    *ret_has_time = has_time;
    return true;
}
