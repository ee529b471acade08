/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "tasks/reminder_event.h"
#include "tasks/task.h"

#define TASK "01a20b71-fbbb-7003-bf1e-911f2c0609a9"
#define REMINDER "82798a04-5644-4e91-8d7f-311f530fac97"
#define SECOND INT64_C(1000000)

static struct task_firing sample(const char *title)
{
    struct task_firing firing = {.occurrence = 3,
                                 .repeat = 1,
                                 .user_id = SV("alice"),
                                 .live = true,
                                 .title = base_sv_from(title),
                                 .priority = 4,
                                 .due_kind = 3,
                                 .due_zone = SV("Europe/Berlin")};
    assert_true(base_id_parse(SV(TASK), &firing.task_id));
    assert_true(base_id_parse(SV(REMINDER), &firing.reminder_id));
    assert_true(base_time_parse(SV("2026-11-24T09:00:00Z"), &firing.due_local_us));
    assert_true(base_time_parse(SV("2026-11-24T08:00:00Z"), &firing.due_at_us));
    firing.fire_at_us = firing.due_at_us;
    return firing;
}

static void lateness_decides(void **state)
{
    static const struct {
        int64_t late_s;
        enum task_firing_policy policy;
    } rows[] = {{-1, TASK_FIRING_ON_TIME},        {0, TASK_FIRING_ON_TIME},
                {60, TASK_FIRING_ON_TIME},        {61, TASK_FIRING_LATE},
                {900, TASK_FIRING_LATE},          {901, TASK_FIRING_DIGEST},
                {86400, TASK_FIRING_DIGEST},      {86401, TASK_FIRING_MISSED},
                {86400 * 365, TASK_FIRING_MISSED}};
    struct task_firing firing = sample("x");
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(task_firing_policy(&firing, firing.fire_at_us + rows[i].late_s * SECOND),
                         rows[i].policy);
    firing.live = false;
    assert_int_equal(task_firing_policy(&firing, firing.fire_at_us), TASK_FIRING_CLEARED);
}

static void one_reminder_is_what_a_phone_shows(void **state)
{
    struct task_firing firing = sample("Call \"Ann\"");
    struct base_buf buf;
    (void)state;
    base_buf_init(&buf, 4096);
    task_firing_json(&buf, &firing, true, firing.fire_at_us + 120 * SECOND);
    assert_true(base_buf_ok(&buf));
    assert_string_equal(
        buf.data,
        "{\"title\":\"Call \\\"Ann\\\"\",\"body\":\"Due Tue 24 Nov, 09:00\",\"priority\":5,"
        "\"tag\":\"" TASK "\",\"click\":\"/#/tasks/" TASK "\",\"expires\":\"2026-11-25T08:02:00Z\","
        "\"actions\":[{\"id\":\"complete\",\"label\":\"Done\"},"
        "{\"id\":\"snooze\",\"label\":\"Snooze 10 min\",\"args\":{\"minutes\":10}},"
        "{\"id\":\"snooze\",\"label\":\"Snooze 1 hour\",\"args\":{\"minutes\":60}}],"
        "\"task_id\":\"" TASK "\",\"reminder_id\":\"" REMINDER "\",\"occurrence\":3,\"repeat\":1,"
        "\"fire_at\":\"2026-11-24T08:00:00Z\",\"due_date\":\"2026-11-24T09:00:00\","
        "\"timezone\":\"Europe/Berlin\",\"due_at\":\"2026-11-24T08:00:00Z\",\"late\":true}");
    base_buf_done(&buf);
}

static void without_a_due_time_or_priority(void **state)
{
    struct task_firing firing = sample("x");
    struct base_buf buf;
    (void)state;
    firing.due_kind = 0;
    firing.priority = 0;
    base_buf_init(&buf, 4096);
    task_firing_json(&buf, &firing, false, firing.fire_at_us);
    assert_non_null(strstr(buf.data, "\"body\":\"\",\"priority\":3,"));
    assert_null(strstr(buf.data, "due_date"));
    assert_null(strstr(buf.data, "late"));
    base_buf_done(&buf);
}

static void a_day_is_shown_without_a_time(void **state)
{
    struct task_firing firing = sample("x");
    struct base_buf buf;
    (void)state;
    firing.due_kind = 1;
    firing.due_local_us = -1; /* the last day before 1970 */
    base_buf_init(&buf, 4096);
    task_firing_json(&buf, &firing, false, firing.fire_at_us);
    assert_non_null(strstr(buf.data, "\"body\":\"Due Wed 31 Dec\""));
    assert_non_null(strstr(buf.data, "\"due_date\":\"1969-12-31\""));
    base_buf_done(&buf);
}

static void a_digest_is_bounded_and_counts_all(void **state)
{
    enum { N = 150 };
    static struct task_firing firings[N];
    struct base_buf buf;
    size_t items = 0;
    (void)state;
    for (size_t i = 0; i < N; i++)
        firings[i] = sample("Water the plants");
    firings[7].priority = 2;
    base_buf_init(&buf, 256 * 1024);
    task_firings_json(&buf, firings, N, TASK_DIGEST_AWAY, firings[0].fire_at_us);
    assert_true(base_buf_ok(&buf));
    assert_non_null(strstr(buf.data, "{\"title\":\"150 reminders while we were away\""));
    assert_non_null(strstr(buf.data, "\\nand 140 more\",\"priority\":5,\"tag\":\"digest\""));
    assert_non_null(strstr(buf.data, "\"late\":true,\"digest\":true,\"count\":150,\"items\":["));
    for (const char *at = buf.data; (at = strstr(at, "\"reminder_id\"")); at++)
        items++;
    assert_int_equal(items, 100);
    base_buf_reset(&buf);
    task_firings_json(&buf, firings, 2, TASK_DIGEST_MISSED, firings[0].fire_at_us);
    assert_non_null(strstr(buf.data, "\"tag\":\"missed\""));
    base_buf_done(&buf);
}

static void quiet_hours_hold(void **state)
{
    static const struct {
        int from, to;
        const char *now; /* Berlin is an hour ahead of UTC */
        const char *until;
    } rows[] = {
        {22 * 60, 7 * 60, "2026-11-24T20:59:59Z", NULL},
        {22 * 60, 7 * 60, "2026-11-24T21:00:00Z", "2026-11-25T06:00:00Z"},
        {22 * 60, 7 * 60, "2026-11-25T05:59:59Z", "2026-11-25T06:00:00Z"},
        {22 * 60, 7 * 60, "2026-11-25T06:00:00Z", NULL},
        {13 * 60, 14 * 60 + 30, "2026-11-25T12:10:00Z", "2026-11-25T13:30:00Z"},
        {13 * 60, 14 * 60 + 30, "2026-11-25T13:30:00Z", NULL},
        {0, 0, "2026-11-24T23:00:00Z", NULL},
        /* the night in which the clocks go forward */
        {22 * 60, 7 * 60, "2026-03-28T23:00:00Z", "2026-03-29T05:00:00Z"},
    };
    struct task_firing firing = sample("x");
    firing.home_zone = SV("Europe/Berlin");
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t now_us, until_us = 0;
        assert_true(base_time_parse(base_sv_from(rows[i].now), &now_us));
        assert_true(!rows[i].until || base_time_parse(base_sv_from(rows[i].until), &until_us));
        firing.quiet.from = rows[i].from;
        firing.quiet.to = rows[i].to;
        firing.fire_at_us = now_us;
        firing.quiet.urgent_passes = false;
        assert_int_equal(task_quiet_until(&firing, now_us), until_us);
        assert_int_equal(task_firing_policy(&firing, now_us),
                         until_us ? TASK_FIRING_HELD : TASK_FIRING_ON_TIME);
        firing.quiet.urgent_passes = true; /* and it is urgent */
        assert_int_equal(task_firing_policy(&firing, now_us), TASK_FIRING_ON_TIME);
    }
    firing.live = false;
    assert_int_equal(task_firing_policy(&firing, firing.fire_at_us), TASK_FIRING_CLEARED);
}

static void nagging_counts_and_ends(void **state)
{
    struct task_firing firing = sample("x");
    (void)state;
    firing.repeat = 2 * TASK_REPEAT_STEP;
    assert_int_equal(task_nag_repeat(&firing), 0);
    firing.nag_s = 600;
    assert_int_equal(task_nag_repeat(&firing), 2 * TASK_REPEAT_STEP + 1);
    firing.repeat += TASK_NAGS_MAX;
    assert_int_equal(task_nag_repeat(&firing), 0);
    firing.repeat = 0;
    firing.live = false;
    assert_int_equal(task_nag_repeat(&firing), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lateness_decides),
        cmocka_unit_test(one_reminder_is_what_a_phone_shows),
        cmocka_unit_test(without_a_due_time_or_priority),
        cmocka_unit_test(a_day_is_shown_without_a_time),
        cmocka_unit_test(a_digest_is_bounded_and_counts_all),
        cmocka_unit_test(quiet_hours_hold),
        cmocka_unit_test(nagging_counts_and_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
