/* SPDX-License-Identifier: Apache-2.0 */
/* What time alone does to a task: series that roll on, zones that change; moved occurrences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "tasks/command.h"

#define FRIDAYS "{\"frequency\":\"weekly\",\"by_day\":[\"FR\"]}"
#define DAILY "{\"frequency\":\"daily\"}"
#define EARLY_S 30

struct world {
    struct base_arena arena;
    struct task_context ctx;
    struct task_change change;
    struct task_problem problem;
    const struct task *task;
};

static int64_t instant(const char *text)
{
    int64_t at = 0;
    assert_true(base_time_parse(base_sv_from(text), &at));
    return at;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    base_arena_init(&w->arena, 8 << 20);
    w->ctx = (struct task_context){.user_id = SV("ann"),
                                   .now_us = instant("2026-11-24T08:00:00Z"),
                                   .settings = {NULL, 540},
                                   .arena = &w->arena};
    assert_int_equal(time_zone_load(SV("Europe/Berlin"), &w->ctx.settings.home), BASE_OK);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    base_arena_done(&w->arena);
    free(w);
    return 0;
}

static struct task_due due_of(const char *local)
{
    bool has_time;
    struct task_due due = {.zone = SV("Europe/Berlin")};
    assert_true(time_civil_parse(base_sv_from(local), &due.local, &has_time));
    due.kind = has_time ? TASK_DUE_ZONED : TASK_DUE_DATE;
    return due;
}

static void create(struct world *w, const char *due, const char *pattern, int64_t before_s)
{
    struct task_reminder reminder = {.relative = true, .before_s = before_s};
    struct task_patch patch = {.set =
                                   TASK_F_TITLE | TASK_F_DUE | TASK_F_RECURRENCE | TASK_F_REMINDERS,
                               .title = SV("Water the plants"),
                               .recurrence = base_sv_from(pattern),
                               .due = due_of(due),
                               .reminders = &reminder,
                               .reminder_count = 1};
    assert_int_equal(task_create(&w->ctx, &patch, &w->change, &w->problem), BASE_OK);
    w->task = w->change.after;
}

static void expect_due(const struct world *w, const char *local)
{
    struct base_buf buf;
    base_buf_init(&buf, 64);
    time_civil_format(&buf, w->task->due.local);
    assert_string_equal(buf.data, local);
    base_buf_done(&buf);
}

/* Looks at the task at a time; true if that changed it. */
static bool review_at(struct world *w, const char *now)
{
    int64_t review_us;
    w->ctx.now_us = instant(now);
    assert_int_equal(task_review(&w->ctx, w->task, &w->change, &review_us), BASE_OK);
    if (w->change.after)
        w->task = w->change.after;
    else
        assert_true(review_us == 0 || review_us > w->ctx.now_us);
    return w->change.after != NULL;
}

static void an_ignored_friday_does_not_silence_the_next(void **state)
{
    struct world *w = *state;
    create(w, "2026-11-27T09:00:00", FRIDAYS, 0);
    assert_int_equal(w->task->review_us, instant("2026-12-04T08:00:00Z") - EARLY_S * 1000000LL);
    assert_false(review_at(w, "2026-12-04T07:59:29Z"));
    expect_due(w, "2026-11-27T09:00:00");
    assert_true(review_at(w, "2026-12-04T07:59:30Z"));
    expect_due(w, "2026-12-04T09:00:00");
    assert_int_equal(w->change.outcome, TASK_OUT_MISSED);
    assert_int_equal(w->task->occurrence, 2);
    assert_int_equal(w->change.fire_count, 1);
    assert_int_equal(w->change.fires[0].at_us, instant("2026-12-04T08:00:00Z"));
    assert_int_equal(w->change.fires[0].occurrence, 2);
    assert_int_equal(w->change.event_count, 3);
    assert_int_equal(w->change.events[0].type, TASK_EVENT_TASK_UPDATED);
    assert_int_equal(w->change.events[1].type, TASK_EVENT_RECURRING_GENERATED);
    assert_int_equal(w->change.events[2].type, TASK_EVENT_REMINDER_CLEARED);
    assert_non_null(strstr(w->change.events[1].payload.ptr, "\"reason\":\"rolled\""));
    assert_false(review_at(w, "2026-12-04T08:00:01Z"));
}

/* Three weeks away: one step to the newest one, told of however late it is. */
static void an_outage_is_caught_up_in_one_step(void **state)
{
    struct world *w = *state;
    create(w, "2026-11-27T09:00:00", FRIDAYS, 0);
    assert_true(review_at(w, "2026-12-19T12:00:00Z"));
    expect_due(w, "2026-12-18T09:00:00");
    assert_int_equal(w->task->occurrence, 2);
    assert_int_equal(w->change.fire_count, 1);
    assert_int_equal(w->change.fires[0].at_us, instant("2026-12-18T08:00:00Z"));
    assert_int_equal(w->task->review_us, instant("2026-12-25T08:00:00Z") - EARLY_S * 1000000LL);
}

static void a_reminder_ahead_of_its_occurrence_rolls_it_on(void **state)
{
    struct world *w = *state;
    create(w, "2026-11-27T09:00:00", FRIDAYS, 86400);
    assert_true(review_at(w, "2026-12-03T07:59:30Z"));
    expect_due(w, "2026-12-04T09:00:00");
    assert_int_equal(w->change.fires[0].at_us, instant("2026-12-03T08:00:00Z"));
}

/* A day ahead of every day: it cannot come before the present one is over. */
static void a_lead_as_long_as_the_interval(void **state)
{
    struct world *w = *state;
    create(w, "2026-11-27T09:00:00", DAILY, 86400);
    assert_false(review_at(w, "2026-11-27T12:00:00Z"));
    assert_true(review_at(w, "2026-11-28T07:59:45Z"));
    expect_due(w, "2026-11-28T09:00:00");
    assert_int_equal(w->change.fires[0].at_us, w->ctx.now_us);
}

static void a_day_begins_at_midnight(void **state)
{
    struct world *w = *state;
    create(w, "2026-11-27", DAILY, 0);
    assert_int_equal(w->task->review_us, instant("2026-11-27T23:00:00Z") - EARLY_S * 1000000LL);
    assert_true(review_at(w, "2026-11-27T23:00:00Z"));
    expect_due(w, "2026-11-28T00:00:00");
    assert_int_equal(w->change.fires[0].at_us, instant("2026-11-28T08:00:00Z"));
}

static void what_waits_to_be_done_never_rolls(void **state)
{
    struct world *w = *state;
    create(w, "2026-11-27T09:00:00", "{\"frequency\":\"daily\",\"anchor\":\"completion\"}", 0);
    assert_int_equal(w->task->review_us, 0);
    assert_false(w->task->has_next);
    assert_false(review_at(w, "2026-12-27T12:00:00Z"));
    create(w, "2026-12-28T09:00:00", "{\"frequency\":\"daily\",\"ends\":{\"count\":1}}", 0);
    assert_int_equal(w->task->review_us, 0);
}

static void another_home_zone_moves_days_but_not_zoned_times(void **state)
{
    struct world *w = *state;
    create(w, "2026-11-27", DAILY, 0);
    assert_int_equal(time_zone_load(SV("America/New_York"), &w->ctx.settings.home), BASE_OK);
    assert_true(review_at(w, "2026-11-25T12:00:00Z"));
    expect_due(w, "2026-11-27T00:00:00");
    assert_int_equal(w->task->due.at_us, instant("2026-11-27T14:00:00Z"));
    assert_int_equal(w->change.fires[0].at_us, instant("2026-11-27T14:00:00Z"));
    assert_int_equal(w->change.outcome, TASK_OUT_NONE);
    create(w, "2026-11-27T09:00:00", DAILY, 0);
    assert_int_equal(time_zone_load(SV("Asia/Tokyo"), &w->ctx.settings.home), BASE_OK);
    assert_false(review_at(w, "2026-11-25T12:00:00Z"));
}

/* Moving one occurrence. */

static void move(struct world *w, const char *due)
{
    struct task_patch patch = {.set = TASK_F_DUE, .due = due_of(due)};
    assert_int_equal(task_update(&w->ctx, w->task, &patch, &w->change, &w->problem), BASE_OK);
    w->task = w->change.after;
}

static void complete(struct world *w)
{
    assert_int_equal(task_complete(&w->ctx, w->task, &w->change, &w->problem), BASE_OK);
    w->task = w->change.after;
}

static void a_moved_occurrence_does_not_come_again(void **state)
{
    struct world *w = *state;
    create(w, "2026-11-27T09:00:00", FRIDAYS, 0);
    move(w, "2026-11-26T15:00:00"); /* earlier */
    expect_due(w, "2026-11-26T15:00:00");
    assert_non_null(strstr(w->task->recurrence.ptr, "\"exceptions\":[\"2026-11-27T09:00:00\"]"));
    complete(w);
    expect_due(w, "2026-12-04T09:00:00");
    move(w, "2026-12-06T15:00:00"); /* later, and once more */
    move(w, "2026-12-07T15:00:00");
    assert_non_null(strstr(w->task->recurrence.ptr, "\"2026-12-07T15:00:00\"]"));
    complete(w);
    expect_due(w, "2026-12-11T09:00:00");
    assert_int_equal(w->task->start.day, 27);
}

static void moved_back_nothing_is_left_of_it(void **state)
{
    struct world *w = *state;
    create(w, "2026-11-27T09:00:00", FRIDAYS, 0);
    struct base_sv before = w->task->recurrence;
    move(w, "2026-11-28T09:00:00");
    move(w, "2026-11-27T09:00:00");
    assert_true(base_sv_eq(w->task->recurrence, before));
}

static void moved_onto_another_they_become_one(void **state)
{
    struct world *w = *state;
    create(w, "2026-11-27T09:00:00", DAILY, 0);
    move(w, "2026-11-28T09:00:00");
    complete(w);
    expect_due(w, "2026-11-29T09:00:00");
}

/* From a day to a time of day: that is the whole series. */
static void another_kind_of_time_starts_anew(void **state)
{
    struct world *w = *state;
    create(w, "2026-11-27", FRIDAYS, 0);
    move(w, "2026-11-27T17:00:00");
    complete(w);
    expect_due(w, "2026-12-04T17:00:00");
}

/* Nagging. */

static void nagging_ends_with_a_snooze_or_done(void **state)
{
    struct world *w = *state;
    struct task_reminder reminder = {.relative = true, .nag_s = 600};
    create(w, "2026-11-24T10:00:00", "", 0);
    struct task_patch patch = {
        .set = TASK_F_REMINDERS, .reminders = &reminder, .reminder_count = 1};
    assert_int_equal(task_update(&w->ctx, w->task, &patch, &w->change, &w->problem), BASE_OK);
    w->task = w->change.after;
    assert_int_equal(w->change.fires[0].nag_s, 600);
    /* 25 minutes later something else about its reminders changes: it goes on nagging. */
    w->ctx.now_us = instant("2026-11-24T09:25:00Z");
    reminder.id = w->task->reminders[0].id;
    assert_int_equal(task_update(&w->ctx, w->task, &patch, &w->change, &w->problem), BASE_OK);
    assert_int_equal(w->change.fire_count, 1);
    assert_int_equal(w->change.fires[0].at_us, instant("2026-11-24T09:30:00Z"));
    w->task = w->change.after;
    int64_t until_us = instant("2026-11-24T12:00:00Z");
    assert_int_equal(task_snooze(&w->ctx, w->task, until_us, &w->change, &w->problem), BASE_OK);
    assert_int_equal(w->change.fire_count, 1);
    assert_int_equal(w->change.fires[0].at_us, until_us);
    assert_int_equal(w->change.fires[0].nag_s, 600);
    w->task = w->change.after;
    complete(w);
    assert_int_equal(w->change.fire_count, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_ignored_friday_does_not_silence_the_next),
        TEST(an_outage_is_caught_up_in_one_step),
        TEST(a_reminder_ahead_of_its_occurrence_rolls_it_on),
        TEST(a_lead_as_long_as_the_interval),
        TEST(a_day_begins_at_midnight),
        TEST(what_waits_to_be_done_never_rolls),
        TEST(another_home_zone_moves_days_but_not_zoned_times),
        TEST(a_moved_occurrence_does_not_come_again),
        TEST(moved_back_nothing_is_left_of_it),
        TEST(moved_onto_another_they_become_one),
        TEST(another_kind_of_time_starts_anew),
        TEST(nagging_ends_with_a_snooze_or_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
