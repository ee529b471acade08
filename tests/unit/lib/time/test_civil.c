/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/time/civil.h"

static void known_days(void **state)
{
    (void)state;
    assert_int_equal(time_days_from_civil(1970, 1, 1), 0);
    assert_int_equal(time_days_from_civil(1969, 12, 31), -1);
    assert_int_equal(time_days_from_civil(2000, 2, 29), 11016);
    assert_int_equal(time_days_from_civil(2026, 11, 24), 20781);
    assert_int_equal(time_days_from_civil(1, 1, 1), -719162);
    assert_int_equal(time_days_from_civil(9999, 12, 31), 2932896);
    assert_int_equal(time_weekday(0), 3);
    assert_int_equal(time_weekday(-4), 6);
    assert_int_equal(time_weekday(-3), 0);
    assert_int_equal(time_weekday(time_days_from_civil(2026, 11, 24)), 1);
}

/* Walks the calendar as a person would, and expects the arithmetic to follow. */
static void every_day_of_the_calendar(void **state)
{
    (void)state;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = time_days_from_civil(-401, 1, 1);
    int weekday = time_weekday(days);
    for (int32_t year = -401; year <= 10001; year++) {
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (int month = 1; month <= 12; month++) {
            int length = lengths[month - 1] + (month == 2 && leap);
            if (time_days_in_month(year, month) != length)
                fail_msg("%d-%d has %d days", (int)year, month, time_days_in_month(year, month));
            for (int day = 1; day <= length; day++, days++, weekday = (weekday + 1) % 7) {
                int32_t y;
                int m;
                int d;
                time_civil_from_days(days, &y, &m, &d);
                if (y != year || m != month || d != day ||
                    time_days_from_civil(year, month, day) != days || time_weekday(days) != weekday)
                    fail_msg("day %lld: %d-%d-%d, expected %d-%d-%d", (long long)days, (int)y, m, d,
                             (int)year, month, day);
            }
        }
    }
}

static void seconds_both_ways(void **state)
{
    (void)state;
    static const struct {
        struct time_civil civil;
        int64_t seconds;
    } rows[] = {
        {{1970, 1, 1, 0, 0, 0}, 0},
        {{1969, 12, 31, 23, 59, 59}, -1},
        {{2026, 11, 24, 9, 30, 15}, 1795512615},
        {{1, 1, 1, 0, 0, 0}, -62135596800},
        {{9999, 12, 31, 23, 59, 59}, 253402300799},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(time_civil_seconds(rows[i].civil), rows[i].seconds);
        struct time_civil back = time_civil_from_seconds(rows[i].seconds);
        assert_int_equal(back.year, rows[i].civil.year);
        assert_int_equal(back.month, rows[i].civil.month);
        assert_int_equal(back.day, rows[i].civil.day);
        assert_int_equal(back.hour, rows[i].civil.hour);
        assert_int_equal(back.minute, rows[i].civil.minute);
        assert_int_equal(back.second, rows[i].civil.second);
    }
}

static void validity(void **state)
{
    (void)state;
    assert_true(time_civil_valid((struct time_civil){2028, 2, 29, 23, 59, 59}));
    assert_true(time_civil_valid((struct time_civil){1, 1, 1, 0, 0, 0}));
    static const struct time_civil wrong[] = {
        {0, 1, 1, 0, 0, 0},     {10000, 1, 1, 0, 0, 0}, {2026, 0, 1, 0, 0, 0},
        {2026, 13, 1, 0, 0, 0}, {2026, 2, 29, 0, 0, 0}, {2100, 2, 29, 0, 0, 0},
        {2026, 4, 31, 0, 0, 0}, {2026, 1, 0, 0, 0, 0},  {2026, 1, 1, 24, 0, 0},
        {2026, 1, 1, -1, 0, 0}, {2026, 1, 1, 0, 60, 0}, {2026, 1, 1, 0, 0, 60},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(time_civil_valid(wrong[i]));
}

static void text_both_ways(void **state)
{
    (void)state;
    static const struct {
        struct base_sv text;
        const char *prints;
        bool has_time;
    } rows[] = {
        {SV("2026-11-24T09:05:07"), "2026-11-24T09:05:07", true},
        {SV("2026-11-24 09:05"), "2026-11-24T09:05:00", true},
        {SV("2026-11-24T09:05:07.123456789"), "2026-11-24T09:05:07", true},
        {SV("0001-01-01"), "0001-01-01T00:00:00", false},
        {SV("9999-12-31T23:59:59"), "9999-12-31T23:59:59", true},
    };
    struct base_buf buf;
    base_buf_init(&buf, 64);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct time_civil civil;
        bool has_time = !rows[i].has_time;
        assert_true(time_civil_parse(rows[i].text, &civil, &has_time));
        assert_int_equal(has_time, rows[i].has_time);
        base_buf_reset(&buf);
        time_civil_format(&buf, civil);
        assert_string_equal(buf.data, rows[i].prints);
        base_buf_reset(&buf);
        time_date_format(&buf, civil);
        assert_memory_equal(buf.data, rows[i].prints, 10);
        assert_int_equal(buf.len, 10);
    }
    base_buf_done(&buf);
}

static void text_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "2026",
        "2026-11",
        "2026-11-2",
        "2026-11-31",
        "2026-11-24T",
        "2026/11/24",
        "2026-11-24T09",
        "26-11-24",
        "2026-11-24T09:5",
        "2026-11-24 ",
        "2026-11-24T09:05:",
        " 2026-11-24",
        "2026-11-24T09:05:07.",
        "+026-11-24",
        "2026-11-24T09:05:07Z",
        "0000-01-01",
        "2026-11-24T09:05:07+01:00",
        "2026-13-01",
        "2026-11-24T24:00:00",
        "2026-11-24x",
        "2026-11-24T09:05:60",
        "2026-11-24t09:05",
        "2026-11-24T09:05.5",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct time_civil civil = {.year = 77};
        bool has_time = true;
        if (time_civil_parse(base_sv_from(wrong[i]), &civil, &has_time))
            fail_msg("accepted: %s", wrong[i]);
        assert_int_equal(civil.year, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_days),        cmocka_unit_test(every_day_of_the_calendar),
        cmocka_unit_test(seconds_both_ways), cmocka_unit_test(validity),
        cmocka_unit_test(text_both_ways),    cmocka_unit_test(text_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
