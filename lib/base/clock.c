/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, and instants as RFC 3339 text. Civil dates by Howard Hinnant's days_from_civil scheme. */
#include "lib/base/clock.h"

#include <time.h>

/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z. */
static const int64_t FIRST_SECOND = -62135596800, LAST_SECOND = 253402300799;

static int64_t system_now_us(const struct base_clock *clock)
{
    (void)clock;
    struct timespec ts;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

const struct base_clock base_clock_system = {system_now_us};

static int64_t fixed_now_us(const struct base_clock *clock)
{
    return ((const struct base_clock_fixed *)(const void *)clock)->at_us;
}

void base_clock_fixed_init(struct base_clock_fixed *fixed, int64_t at_us)
{
    *fixed = (struct base_clock_fixed){.clock = {fixed_now_us}, .at_us = at_us};
}

int64_t base_monotonic_us(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void civil_from_days(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t yoe = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = yoe + era * 400 + (*month <= 2);
}

void base_time_format(struct base_buf *buf, int64_t at_us)
{
    int64_t seconds = at_us / 1000000;
    int64_t micros = at_us % 1000000;
    if (micros < 0) {
        micros += 1000000;
        seconds--;
    }
    int64_t days = seconds / 86400;
    int64_t of_day = seconds % 86400;
    if (of_day < 0) {
        of_day += 86400;
        days--;
    }
    int64_t year;
    int month;
    int day;
    civil_from_days(days, &year, &month, &day);
    base_buf_add_digits(buf, year, 4);
    base_buf_add_char(buf, '-');
    base_buf_add_digits(buf, month, 2);
    base_buf_add_char(buf, '-');
    base_buf_add_digits(buf, day, 2);
    base_buf_add_char(buf, 'T');
    base_buf_add_digits(buf, of_day / 3600, 2);
    base_buf_add_char(buf, ':');
    base_buf_add_digits(buf, of_day / 60 % 60, 2);
    base_buf_add_char(buf, ':');
    base_buf_add_digits(buf, of_day % 60, 2);
    if (micros / 1000) {
        base_buf_add_char(buf, '.');
        base_buf_add_digits(buf, micros / 1000, 3);
    }
    base_buf_add_char(buf, 'Z');
}

/* Reads exactly n digits at *at and advances. */
static bool digits(struct base_sv text, size_t *at, int n, int *ret_value)
{
    if (text.len - *at < (size_t)n)
        return false;
    int value = 0;
    for (int i = 0; i < n; i++) {
        char c = text.ptr[*at + (size_t)i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *at += (size_t)n;
    *ret_value = value;
    return true;
}

static bool literal(struct base_sv text, size_t *at, const char *any_of)
{
    if (*at >= text.len || !strchr(any_of, text.ptr[*at]) || text.ptr[*at] == '\0')
        return false;
    (*at)++;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool fraction(struct base_sv text, size_t *at, int *ret_micros)
{
    *ret_micros = 0;
    if (!literal(text, at, "."))
        return true;
    int n = 0;
    for (; *at < text.len && text.ptr[*at] >= '0' && text.ptr[*at] <= '9'; (*at)++, n++)
        if (n < 6)
            *ret_micros = *ret_micros * 10 + (text.ptr[*at] - '0');
    for (int i = n; i < 6; i++)
        *ret_micros *= 10;
    return n >= 1 && n <= 9;
}

static bool offset(struct base_sv text, size_t *at, int *ret_seconds)
{
    *ret_seconds = 0;
    if (literal(text, at, "Zz"))
        return true;
    int sign = *at < text.len && text.ptr[*at] == '-' ? -1 : 1;
    int hours;
    int minutes;
    if (!literal(text, at, "+-") || !digits(text, at, 2, &hours) || !literal(text, at, ":") ||
        !digits(text, at, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool base_time_parse(struct base_sv text, int64_t *ret_at_us)
{
    size_t at = 0;
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
    int micros;
    int shift;
    if (!digits(text, &at, 4, &year) || !literal(text, &at, "-") || !digits(text, &at, 2, &month) ||
        !literal(text, &at, "-") || !digits(text, &at, 2, &day) || !literal(text, &at, "Tt ") ||
        !digits(text, &at, 2, &hour) || !literal(text, &at, ":") ||
        !digits(text, &at, 2, &minute) || !literal(text, &at, ":") ||
        !digits(text, &at, 2, &second) || !fraction(text, &at, &micros) ||
        !offset(text, &at, &shift) || at != text.len)
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) ||
        hour > 23 || minute > 59 || second > 60)
        return false;
    int64_t seconds =
        days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    /* An offset may lead out of the years that can be written. */
    if (seconds - shift < FIRST_SECOND || seconds - shift > LAST_SECOND)
        return false;
    *ret_at_us = (seconds - shift) * 1000000 + micros;
    return true;
}
