/* SPDX-License-Identifier: Apache-2.0 */
/* ISO 8601 durations: exact values, and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/time/duration.h"

static void values(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
        const char *canonical;
    } rows[] = {
        {"PT0S", 0, "PT0S"},
        {"P0D", 0, "PT0S"},
        {"PT1S", 1, "PT1S"},
        {"PT90S", 90, "PT1M30S"},
        {"PT15M", 900, "PT15M"},
        {"PT1H30M", 5400, "PT1H30M"},
        {"P1D", 86400, "P1D"},
        {"PT24H", 86400, "P1D"},
        {"P1DT2H", 93600, "P1DT2H"},
        {"P1DT2H3M4S", 93784, "P1DT2H3M4S"},
        {"P2W", 1209600, "P14D"},
        {"PT000000001S", 1, "PT1S"},
        {"P3660D", 316224000, "P3660D"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t seconds = -1;
        struct base_buf buf;
        base_buf_init(&buf, 64);
        assert_true(time_duration_parse(base_sv_from(rows[i].text), &seconds));
        assert_int_equal(seconds, rows[i].seconds);
        time_duration_format(&buf, seconds);
        assert_string_equal(buf.data, rows[i].canonical);
        base_buf_done(&buf);
    }
}

static void what_is_none(void **state)
{
    static const char *const bad[] = {
        "",       "P",      "PT",           "T1H",           "1H",          "PT1",    "P1",
        "P1H",    "P1M",    "P1Y",          "PT1D",          "PT1W",        "PT1S1M", "PT1M1H",
        "PT1H1H", "P1DT",   "PT1HT1M",      "PT-1S",         "-PT1S",       "P-1D",   "PT1.5S",
        "PT1,5S", "pt1s",   " PT1S",        "PT1S ",         "PT 1S",       "P1D2H",  "PT+1S",
        "P3661D", "PT0x1S", "PT316224001S", "PT9999999999S", "P999999999W", "P1W1W",  "PTT1S",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t seconds = 42;
        if (time_duration_parse(base_sv_from(bad[i]), &seconds))
            fail_msg("\"%s\" was read as %lld s", bad[i], (long long)seconds);
        assert_int_equal(seconds, 42);
    }
}

static void each_prefix(void **state)
{
    struct base_sv text = SV("P1DT2H3M4S");
    (void)state;
    for (size_t n = 0; n < text.len; n++) {
        int64_t seconds;
        bool whole = n == 3 || n == 6 || n == 8; /* P1D, P1DT2H, P1DT2H3M */
        assert_int_equal(time_duration_parse(base_sv_sub(text, 0, n), &seconds), whole);
    }
}

static void every_length_comes_back(void **state)
{
    (void)state;
    for (int64_t seconds = 0; seconds < 10 * 366 * 86400; seconds += 7919) {
        int64_t back = -1;
        struct base_buf buf;
        base_buf_init(&buf, 64);
        time_duration_format(&buf, seconds);
        assert_true(time_duration_parse(base_buf_sv(&buf), &back));
        assert_int_equal(back, seconds);
        base_buf_done(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(what_is_none),
        cmocka_unit_test(each_prefix),
        cmocka_unit_test(every_length_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
