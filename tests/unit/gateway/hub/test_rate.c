/* SPDX-License-Identifier: Apache-2.0 */
/* The quota: a burst of all of it, then as fast as it refills, and what is said of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/hub/rate.h"

#define SECOND INT64_C(1000000)

static void test_a_burst_takes_all(void **state)
{
    struct gw_rate rate = {0};
    int64_t left, full_s;
    (void)state;
    for (int64_t i = 1; i <= 60; i++) {
        assert_true(gw_rate_take(&rate, 60, 1000 * SECOND, &left, &full_s));
        assert_int_equal(left, 60 - i);
        assert_int_equal(full_s, i);
    }
    assert_false(gw_rate_take(&rate, 60, 1000 * SECOND, &left, &full_s));
    assert_int_equal(left, 0);
    assert_int_equal(full_s, 60);
}

static void test_it_refills_steadily(void **state)
{
    struct gw_rate rate = {0};
    int64_t left, full_s;
    int passed = 0;
    (void)state;
    /* Ten minutes of ten tries a second, with a quota of 60 a minute: 60 at once and one a second.
     */
    for (int64_t now = 0; now < 600 * SECOND; now += SECOND / 10)
        passed += gw_rate_take(&rate, 60, now, &left, &full_s);
    assert_in_range(passed, 658, 660);
    assert_true(gw_rate_take(&rate, 60, 700 * SECOND, &left, &full_s));
    assert_int_equal(left, 59);
    assert_int_equal(full_s, 1);
}

static void test_extremes(void **state)
{
    struct gw_rate rate = {0};
    int64_t left, full_s;
    (void)state;
    assert_true(gw_rate_take(&rate, 1, 5, &left, &full_s));
    assert_false(gw_rate_take(&rate, 1, 6, &left, &full_s));
    assert_int_equal(full_s, 60);
    rate = (struct gw_rate){0};
    for (int i = 0; i < 1000000; i++)
        assert_true(gw_rate_take(&rate, 1000000, 0, &left, &full_s));
    assert_false(gw_rate_take(&rate, 1000000, 0, &left, &full_s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_takes_all),
        cmocka_unit_test(test_it_refills_steadily),
        cmocka_unit_test(test_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
