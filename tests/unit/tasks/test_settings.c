/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "tasks/settings.h"

static void times_of_day(void **state)
{
    static const char *const bad[] = {"",       "9:00",  "24:00", "12:60", "1200", "12:0",
                                      "12:000", "ab:cd", "-1:00", "12 00", "/0:00"};
    int minute = -1;
    (void)state;
    for (int i = 0; i < TASK_MINUTES_OF_DAY; i++) {
        struct base_buf text;
        base_buf_init(&text, 8);
        task_time_of_day_format(&text, i);
        assert_true(task_time_of_day_parse(base_buf_sv(&text), &minute));
        assert_int_equal(minute, i);
        base_buf_done(&text);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(task_time_of_day_parse(base_sv_from(bad[i]), &minute));
}

static void each_value_is_checked(void **state)
{
    static const struct {
        struct task_settings_patch patch;
        const char *field; /* NULL: fine */
    } rows[] = {
        {{.set = TASK_S_ZONE, .zone = {"Europe/Berlin", 13}}, NULL},
        {{.set = TASK_S_ZONE, .zone = {"Mars/Base", 9}}, "timezone"},
        {{.set = TASK_S_LOCALE, .locale = {"de", 2}}, NULL},
        {{.set = TASK_S_LOCALE, .locale = {"tlh", 3}}, "language"},
        {{.set = TASK_S_DEFAULT_TIME, .default_minute = 1439}, NULL},
        {{.set = TASK_S_DEFAULT_TIME, .default_minute = 1440}, "default_time"},
        {{.set = TASK_S_QUIET, .quiet = {1320, 420, false}}, NULL},
        {{.set = TASK_S_QUIET, .quiet = {-1, 420, false}}, "quiet_hours"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct task_problem problem = {0};
        enum base_err err = task_settings_check(&rows[i].patch, &problem);
        assert_int_equal(err, rows[i].field ? BASE_UNPROCESSABLE : BASE_OK);
        if (rows[i].field)
            assert_string_equal(problem.field, rows[i].field);
    }
}

static void places_have_zones(void **state)
{
    static const char *const rows[][2] = {{"Europe/Paris", "Europe/Paris"},
                                          {"berlin", "Europe/Berlin"},
                                          {"New York", "America/New_York"},
                                          {"los angeles", "America/Los_Angeles"},
                                          {"Tokyo ", "Asia/Tokyo"},
                                          {"buenos aires", "America/Buenos_Aires"},
                                          {"UTC", "UTC"},
                                          {"my couch", ""},
                                          {"../../etc/passwd", ""},
                                          {"", ""}};
    struct base_arena arena;
    (void)state;
    base_arena_init(&arena, 4096);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct base_sv zone = task_zone_of_place(base_sv_from(rows[i][0]), &arena);
        if (!base_sv_eq_c(zone, rows[i][1]))
            fail_msg("%s: %.*s", rows[i][0], SV_FMT(zone));
    }
    base_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(times_of_day),
                                       cmocka_unit_test(each_value_is_checked),
                                       cmocka_unit_test(places_have_zones)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
