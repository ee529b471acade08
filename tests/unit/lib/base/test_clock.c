/* SPDX-License-Identifier: Apache-2.0 */
/* Instants as RFC 3339 text, and the clock a test sets by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/clock.h"

static void text_and_instant_agree(void **state)
{
    static const struct {
        const char *text;
        int64_t at_us;
        const char *canonical;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"},
        {"2026-11-24T09:00:00Z", 1795510800000000, "2026-11-24T09:00:00Z"},
        {"2026-11-24t10:30:00.5+01:30", 1795510800500000, "2026-11-24T09:00:00.500Z"},
        {"2026-11-24 09:00:00.123456789z", 1795510800123456, "2026-11-24T09:00:00.123Z"},
        {"2026-11-23T23:00:00-10:00", 1795510800000000, "2026-11-24T09:00:00Z"},
        {"2024-02-29T23:59:60Z", 1709251200000000, "2024-03-01T00:00:00Z"},
        {"2000-02-29T00:00:00Z", 951782400000000, "2000-02-29T00:00:00Z"},
        {"1969-12-31T23:59:59.999999Z", -1, "1969-12-31T23:59:59.999Z"},
        {"0001-01-01T00:00:00Z", -62135596800000000, "0001-01-01T00:00:00Z"},
        {"9999-12-31T23:59:59Z", 253402300799000000, "9999-12-31T23:59:59Z"},
        {"9999-12-31T23:59:59.999+00:00", 253402300799999000, "9999-12-31T23:59:59.999Z"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t at_us = 42;
        struct base_buf buf;
        base_buf_init(&buf, 64);
        assert_true(base_time_parse(base_sv_from(rows[i].text), &at_us));
        assert_true(at_us == rows[i].at_us);
        base_time_format(&buf, at_us);
        assert_string_equal(buf.data, rows[i].canonical);
        base_buf_done(&buf);
    }
}

static void what_is_no_instant_is_refused(void **state)
{
    static const char *const bad[] = {
        "2026-11-24",
        "2026-11-24T09:00Z",
        "2026-11-24T09:00:00",
        "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:59:59+01:00",
        "9999-12-31T23:00:00-01:00",
        "9999-12-31T23:59:60Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.1234567890Z",
        "2026-1-01T00:00:00Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+0100",
        "2026-01-01T00:00:00ZZ",
        " 2026-01-01T00:00:00Z",
        "-026-01-01T00:00:00Z",
    };
    int64_t at_us = 42;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(base_time_parse(base_sv_from(bad[i]), &at_us));
    assert_true(at_us == 42);
}

static void no_prefix_is_an_instant(void **state)
{
    struct base_sv text = SV("2026-11-24T09:00:00.123+01:00");
    int64_t at_us;
    (void)state;
    for (size_t n = 0; n < text.len; n++)
        assert_false(base_time_parse(base_sv_sub(text, 0, n), &at_us));
    assert_true(base_time_parse(text, &at_us));
}

static void a_fixed_clock_stands_still(void **state)
{
    struct base_clock_fixed fixed;
    (void)state;
    base_clock_fixed_init(&fixed, 5);
    assert_true(base_clock_now_us(&fixed.clock) == 5);
    fixed.at_us = 9;
    assert_true(base_clock_now_us(&fixed.clock) == 9);
    assert_true(base_clock_now_us(&base_clock_system) > 1700000000000000);
    int64_t before = base_monotonic_us();
    assert_true(base_monotonic_us() >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_instant_agree),
        cmocka_unit_test(what_is_no_instant_is_refused),
        cmocka_unit_test(no_prefix_is_an_instant),
        cmocka_unit_test(a_fixed_clock_stands_still),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
