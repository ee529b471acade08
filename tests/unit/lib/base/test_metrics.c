/* SPDX-License-Identifier: Apache-2.0 */
/* The exposition format, to the byte, over a table of the test's own (see CMakeLists.txt). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/base/metrics.h"

static void the_exposition_is_exact(void **state)
{
    static const char *const values[] = {"plain", "a\"b\\c\nd"};
    struct base_buf buf;
    (void)state;
    base_buf_init(&buf, 100000);
    base_metrics_render(&buf); /* everything is shown before anything has happened */
    assert_non_null(strstr(buf.data, "\ntest_count_total 0\n"));
    assert_non_null(strstr(buf.data, "\ntest_time_seconds_bucket{le=\"+Inf\"} 0\n"));
    base_buf_reset(&buf);

    base_metrics_labels(BASE_M_LABELLED, values, 2);
    base_metric_inc(BASE_M_COUNTED);
    base_metric_add(BASE_M_COUNTED, 5, 2); /* has no label: one series */
    base_metric_set(BASE_M_LABELLED, 0, -7);
    base_metric_set(BASE_M_LABELLED, 99, 3); /* beyond: under the last value */
    base_metric_observe_us(BASE_M_TIMED, 0, -5);
    base_metric_observe_us(BASE_M_TIMED, 0, 1000);
    base_metric_observe_us(BASE_M_TIMED, 0, 1001);
    base_metric_observe_us(BASE_M_TIMED, 0, 11000000);
    base_metrics_render(&buf);
    assert_true(base_buf_ok(&buf));
    assert_string_equal(buf.data, "# HELP test_count_total Counts.\n"
                                  "# TYPE test_count_total counter\n"
                                  "test_count_total 3\n"
                                  "# HELP test_level Levels.\n"
                                  "# TYPE test_level gauge\n"
                                  "test_level{kind=\"plain\"} -7\n"
                                  "test_level{kind=\"a\\\"b\\\\c\\nd\"} 3\n"
                                  "# HELP test_time_seconds Times.\n"
                                  "# TYPE test_time_seconds histogram\n"
                                  "test_time_seconds_bucket{le=\"0.001\"} 2\n"
                                  "test_time_seconds_bucket{le=\"0.0025\"} 3\n"
                                  "test_time_seconds_bucket{le=\"0.005\"} 3\n"
                                  "test_time_seconds_bucket{le=\"0.01\"} 3\n"
                                  "test_time_seconds_bucket{le=\"0.025\"} 3\n"
                                  "test_time_seconds_bucket{le=\"0.05\"} 3\n"
                                  "test_time_seconds_bucket{le=\"0.1\"} 3\n"
                                  "test_time_seconds_bucket{le=\"0.25\"} 3\n"
                                  "test_time_seconds_bucket{le=\"0.5\"} 3\n"
                                  "test_time_seconds_bucket{le=\"1\"} 3\n"
                                  "test_time_seconds_bucket{le=\"2.5\"} 3\n"
                                  "test_time_seconds_bucket{le=\"5\"} 3\n"
                                  "test_time_seconds_bucket{le=\"10\"} 3\n"
                                  "test_time_seconds_bucket{le=\"+Inf\"} 4\n"
                                  "test_time_seconds_sum 11.002001\n"
                                  "test_time_seconds_count 4\n");
    assert_true(base_metric_get(BASE_M_COUNTED, 0) == 3);
    base_buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_exposition_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
