/* SPDX-License-Identifier: Apache-2.0 */
/* The timer wheel against a list of times: each fires once, in order, never early. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/net/wheel.h"

struct probe {
    struct net_wheel_timer timer;
    struct net_wheel *wheel;
    int64_t want_ms;
    int64_t fired_ms;
    int fired;
    struct probe *stops;
    struct probe *starts;
};

static void fire(void *ctx)
{
    struct probe *probe = ctx;
    probe->fired++;
    probe->fired_ms = probe->wheel->now_ms;
    if (probe->stops)
        net_wheel_stop(probe->wheel, &probe->stops->timer);
    if (probe->starts)
        net_wheel_start(probe->wheel, &probe->starts->timer, probe->starts->want_ms);
}

static void probe_init(struct probe *probe, struct net_wheel *wheel, int64_t want_ms)
{
    *probe =
        (struct probe){.timer = {.fn = fire, .ctx = probe}, .wheel = wheel, .want_ms = want_ms};
}

static void fires_each_at_its_millisecond(void **state)
{
    (void)state;
    enum { N = 5000 };
    struct net_wheel wheel;
    struct probe *probes = calloc(N, sizeof(*probes));
    uint64_t seed = 42;
    int64_t start_ms = 123456789;
    net_wheel_init(&wheel, start_ms);
    for (int i = 0; i < N; i++) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        int64_t after_ms = (int64_t)(seed >> 33) % (i % 3 ? 100000 : 50000000);
        probe_init(&probes[i], &wheel, start_ms + 1 + after_ms);
        net_wheel_start(&wheel, &probes[i].timer, probes[i].want_ms);
    }
    assert_int_equal(wheel.count, N);
    for (int i = 0; i < N; i += 7)
        net_wheel_stop(&wheel, &probes[i].timer);
    /* In steps of what the wheel asks for, and now and then far beyond. */
    int steps = 0;
    while (wheel.count) {
        int64_t next_ms = net_wheel_next_ms(&wheel);
        assert_true(next_ms > wheel.now_ms);
        net_wheel_advance(&wheel, steps++ % 5 ? next_ms : next_ms + 1000);
    }
    for (int i = 0; i < N; i++) {
        assert_int_equal(probes[i].fired, i % 7 ? 1 : 0);
        if (i % 7)
            assert_int_equal(probes[i].fired_ms, probes[i].want_ms);
    }
    assert_int_equal(net_wheel_next_ms(&wheel), -1);
    free(probes);
}

static void past_means_the_next_millisecond(void **state)
{
    (void)state;
    struct net_wheel wheel;
    struct probe probe;
    net_wheel_init(&wheel, 1000);
    probe_init(&probe, &wheel, 0);
    net_wheel_start(&wheel, &probe.timer, 5);
    net_wheel_advance(&wheel, 1000);
    assert_int_equal(probe.fired, 0);
    net_wheel_advance(&wheel, 1001);
    assert_int_equal(probe.fired, 1);
}

static void callbacks_may_stop_and_start_others(void **state)
{
    (void)state;
    struct net_wheel wheel;
    struct probe a;
    struct probe b;
    struct probe later;
    net_wheel_init(&wheel, 0);
    probe_init(&a, &wheel, 50);
    probe_init(&b, &wheel, 50);
    probe_init(&later, &wheel, 60);
    a.stops = &b;
    b.stops = &a;
    a.starts = b.starts = &later;
    net_wheel_start(&wheel, &a.timer, 50);
    net_wheel_start(&wheel, &b.timer, 50);
    net_wheel_advance(&wheel, 55);
    assert_int_equal(a.fired + b.fired, 1);
    assert_int_equal(later.fired, 0);
    net_wheel_advance(&wheel, 100000);
    assert_int_equal(later.fired, 1);
    assert_int_equal(later.fired_ms, 60);
    assert_int_equal(wheel.count, 0);
}

static void moving_a_timer_forgets_the_old_time(void **state)
{
    (void)state;
    struct net_wheel wheel;
    struct probe probe;
    net_wheel_init(&wheel, 0);
    probe_init(&probe, &wheel, 0);
    for (int64_t at_ms = 10; at_ms < 100000; at_ms *= 3) {
        net_wheel_start(&wheel, &probe.timer, at_ms);
        assert_true(net_wheel_running(&probe.timer));
    }
    net_wheel_advance(&wheel, 65609);
    assert_int_equal(probe.fired, 0);
    net_wheel_advance(&wheel, 65610);
    assert_int_equal(probe.fired, 1);
    assert_false(net_wheel_running(&probe.timer));
    net_wheel_start(&wheel, &probe.timer, INT64_MAX);
    assert_true(net_wheel_next_ms(&wheel) > 65610);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires_each_at_its_millisecond),
        cmocka_unit_test(past_means_the_next_millisecond),
        cmocka_unit_test(callbacks_may_stop_and_start_others),
        cmocka_unit_test(moving_a_timer_forgets_the_old_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
