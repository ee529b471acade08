/* SPDX-License-Identifier: Apache-2.0 */
/* A task as its series: what completing, skipping, snoozing and undoing do to a recurring one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "tasks/command.h"

#define HOUR (3600 * INT64_C(1000000))
#define DAILY "{\"frequency\":\"daily\"}"

struct world {
    struct base_arena arena;
    struct task_context ctx;
    struct task_change change;
    struct task_problem problem;
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

static struct task_patch patch_of(enum task_due_kind kind, const char *local, const char *pattern)
{
    static struct task_reminder reminder;
    struct task_patch patch = {.set =
                                   TASK_F_TITLE | TASK_F_DUE | TASK_F_RECURRENCE | TASK_F_REMINDERS,
                               .title = SV("Water the plants"),
                               .recurrence = base_sv_from(pattern),
                               .due = {.kind = kind, .zone = SV("Europe/Berlin")},
                               .reminders = &reminder,
                               .reminder_count = 1};
    bool has_time;
    reminder = (struct task_reminder){.relative = true, .before_s = 1800};
    assert_true(kind == TASK_DUE_NONE ||
                time_civil_parse(base_sv_from(local), &patch.due.local, &has_time));
    return patch;
}

static const struct task *create(struct world *w, const char *local, const char *pattern)
{
    struct task_patch patch = patch_of(TASK_DUE_ZONED, local, pattern);
    assert_int_equal(task_create(&w->ctx, &patch, &w->change, &w->problem), BASE_OK);
    return w->change.after;
}

static void expect_due(const struct task *task, const char *local, const char *at)
{
    struct base_buf buf;
    base_buf_init(&buf, 64);
    time_civil_format(&buf, task->due.local);
    assert_string_equal(buf.data, local);
    assert_int_equal(task->due.at_us, instant(at));
    base_buf_done(&buf);
}

static void expect_events(const struct world *w, size_t n, const int *types)
{
    assert_int_equal(w->change.event_count, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(w->change.events[i].type, types[i]);
}
#define EXPECT_EVENTS(w, ...)                                                                      \
    expect_events(w, sizeof((int[]){__VA_ARGS__}) / sizeof(int), (const int[]){__VA_ARGS__})

static void expect_generated(const struct world *w, size_t i, const char *reason, int closed)
{
    json_t *json =
        json_loadb(w->change.events[i].payload.ptr, w->change.events[i].payload.len, 0, NULL);
    const json_t *data = json_object_get(json, "data");
    assert_string_equal(json_string_value(json_object_get(data, "reason")), reason);
    assert_int_equal(json_integer_value(json_object_get(data, "closed_occurrence")), closed);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(data, "task"), "occurrence")),
        closed + 1);
    json_decref(json);
}

static void completing_moves_on(void **state)
{
    struct world *w = *state;
    const struct task *task = create(w, "2026-11-24T18:00:00", DAILY);
    expect_due(task, "2026-11-24T18:00:00", "2026-11-24T17:00:00Z");
    w->ctx.now_us = instant("2026-11-24T16:45:00Z");
    assert_int_equal(task_complete(&w->ctx, task, &w->change, &w->problem), BASE_OK);
    const struct task *after = w->change.after;
    assert_int_equal(after->status, TASK_OPEN);
    assert_int_equal(after->occurrence, 2);
    assert_int_equal(after->completed_us, 0);
    assert_true(base_id_eq(after->id, task->id));
    assert_int_equal(w->change.outcome, TASK_OUT_COMPLETED);
    expect_due(after, "2026-11-25T18:00:00", "2026-11-25T17:00:00Z");
    assert_int_equal(w->change.fire_count, 1);
    assert_int_equal(w->change.fires[0].at_us, instant("2026-11-25T16:30:00Z"));
    assert_int_equal(w->change.fires[0].occurrence, 2);
    EXPECT_EVENTS(w, TASK_EVENT_TASK_COMPLETED, TASK_EVENT_RECURRING_GENERATED,
                  TASK_EVENT_REMINDER_CLEARED);
    expect_generated(w, 1, "completed", 1);
}

static void nothing_piles_up(void **state)
{
    struct world *w = *state;
    const struct task *task = create(w, "2026-11-24T18:00:00", DAILY);
    w->ctx.now_us = instant("2026-11-28T12:00:00Z");
    assert_int_equal(task_complete(&w->ctx, task, &w->change, &w->problem), BASE_OK);
    assert_int_equal(w->change.after->occurrence, 2);
    expect_due(w->change.after, "2026-11-28T18:00:00", "2026-11-28T17:00:00Z");
}

static void wall_time_stays_when_clocks_change(void **state)
{
    struct world *w = *state;
    w->ctx.now_us = instant("2026-10-24T08:00:00Z");
    const struct task *task = create(w, "2026-10-24T18:00:00", DAILY);
    expect_due(task, "2026-10-24T18:00:00", "2026-10-24T16:00:00Z");
    assert_int_equal(task_complete(&w->ctx, task, &w->change, &w->problem), BASE_OK);
    expect_due(w->change.after, "2026-10-25T18:00:00", "2026-10-25T17:00:00Z");
}

static void a_start_beside_the_rule_moves_to_it(void **state)
{
    struct world *w = *state;
    const char *fridays = "{\"frequency\":\"weekly\",\"by_day\":[\"FR\"]}";
    const struct task *task = create(w, "2026-11-24T18:00:00", fridays);
    expect_due(task, "2026-11-27T18:00:00", "2026-11-27T17:00:00Z");
    /* "every friday" without a time. */
    struct task_patch patch = patch_of(TASK_DUE_NONE, NULL, fridays);
    patch.set = TASK_F_TITLE | TASK_F_RECURRENCE;
    assert_int_equal(task_create(&w->ctx, &patch, &w->change, &w->problem), BASE_OK);
    assert_int_equal(w->change.after->due.kind, TASK_DUE_DATE);
    expect_due(w->change.after, "2026-11-27T00:00:00", "2026-11-27T08:00:00Z");
}

static void a_counted_series_ends(void **state)
{
    struct world *w = *state;
    const struct task *task =
        create(w, "2026-11-24T18:00:00", "{\"frequency\":\"daily\",\"ends\":{\"count\":2}}");
    assert_int_equal(task_complete(&w->ctx, task, &w->change, &w->problem), BASE_OK);
    assert_int_equal(w->change.after->status, TASK_OPEN);
    assert_int_equal(task_complete(&w->ctx, w->change.after, &w->change, &w->problem), BASE_OK);
    assert_int_equal(w->change.after->status, TASK_DONE);
    assert_int_equal(w->change.after->occurrence, 2);
    assert_int_equal(w->change.fire_count, 0);
    EXPECT_EVENTS(w, TASK_EVENT_TASK_COMPLETED);
}

static void skipping_closes_without_completing(void **state)
{
    struct world *w = *state;
    const struct task *task = create(w, "2026-11-24T18:00:00", DAILY);
    assert_int_equal(task_skip(&w->ctx, task, &w->change, &w->problem), BASE_OK);
    assert_int_equal(w->change.outcome, TASK_OUT_SKIPPED);
    expect_due(w->change.after, "2026-11-25T18:00:00", "2026-11-25T17:00:00Z");
    EXPECT_EVENTS(w, TASK_EVENT_TASK_UPDATED, TASK_EVENT_RECURRING_GENERATED);
    expect_generated(w, 1, "skipped", 1);
}

static void a_completion_anchor_counts_from_the_day_it_was_done(void **state)
{
    struct world *w = *state;
    const struct task *task =
        create(w, "2026-11-24T18:00:00",
               "{\"frequency\":\"daily\",\"interval\":3,\"anchor\":\"completion\"}");
    w->ctx.now_us = instant("2026-11-26T12:00:00Z");
    assert_int_equal(task_complete(&w->ctx, task, &w->change, &w->problem), BASE_OK);
    expect_due(w->change.after, "2026-11-29T18:00:00", "2026-11-29T17:00:00Z");
}

/* The snooze is of this occurrence; the rule's own reminder is there again at the next. */
static void a_snooze_does_not_outlive_its_occurrence(void **state)
{
    struct world *w = *state;
    const struct task *task = create(w, "2026-11-24T18:00:00", DAILY);
    w->ctx.now_us = instant("2026-11-24T16:31:00Z");
    assert_int_equal(task_snooze(&w->ctx, task, w->ctx.now_us + HOUR, &w->change, &w->problem),
                     BASE_OK);
    task = w->change.after;
    assert_int_equal(task->reminder_count, 2);
    assert_true(task->reminders[0].relative);
    assert_int_equal(w->change.fires[w->change.fire_count - 1].at_us, w->ctx.now_us + HOUR);
    assert_int_equal(task_complete(&w->ctx, task, &w->change, &w->problem), BASE_OK);
    assert_int_equal(w->change.after->reminder_count, 1);
    assert_int_equal(w->change.fire_count, 1);
    assert_int_equal(w->change.fires[0].at_us, instant("2026-11-25T16:30:00Z"));
    assert_true(base_id_eq(w->change.fires[0].reminder_id, task->reminders[0].id));
}

static void undo_does_not_use_a_number_again(void **state)
{
    struct world *w = *state;
    const struct task *task = create(w, "2026-11-24T18:00:00", DAILY);
    assert_int_equal(task_complete(&w->ctx, task, &w->change, &w->problem), BASE_OK);
    const struct task *next = w->change.after;
    assert_int_equal(task_restore(&w->ctx, next, task, &w->change, &w->problem), BASE_OK);
    assert_int_equal(w->change.after->occurrence, 3);
    assert_int_equal(w->change.fires[0].occurrence, 3);
    expect_due(w->change.after, "2026-11-24T18:00:00", "2026-11-24T17:00:00Z");
}

static void patterns_that_cannot_be(void **state)
{
    static const char *const bad[] = {
        "{",
        "[]",
        "{}",
        "{\"frequency\":\"sometimes\"}",
        "{\"frequency\":\"minutely\"}",
        "{\"frequency\":\"minutely\",\"interval\":4}",
        "{\"frequency\":\"daily\",\"interval\":0}",
        "{\"frequency\":\"yearly\",\"by_month\":[2],\"by_month_day\":[30]}",
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct task_patch patch = patch_of(TASK_DUE_ZONED, "2026-11-24T18:00:00", bad[i]);
        if (task_create(&w->ctx, &patch, &w->change, &w->problem) != BASE_UNPROCESSABLE)
            fail_msg("accepted: %s", bad[i]);
        assert_string_equal(w->problem.field, "recurrence_pattern");
        assert_true(strlen(w->problem.text) > 10);
    }
    /* Five minutes apart is near enough, a day has no hours. */
    (void)create(w, "2026-11-24T18:00:00", "{\"frequency\":\"minutely\",\"interval\":5}");
    struct task_patch patch = patch_of(TASK_DUE_DATE, "2026-11-24", "{\"frequency\":\"hourly\"}");
    assert_int_equal(task_create(&w->ctx, &patch, &w->change, &w->problem), BASE_UNPROCESSABLE);
}

static void dropping_the_rule_keeps_the_task(void **state)
{
    struct world *w = *state;
    const struct task *task = create(w, "2026-11-24T18:00:00", DAILY);
    struct task_patch patch = {.set = TASK_F_RECURRENCE};
    assert_int_equal(task_update(&w->ctx, task, &patch, &w->change, &w->problem), BASE_OK);
    assert_int_equal(w->change.after->recurrence.len, 0);
    assert_int_equal(task_complete(&w->ctx, w->change.after, &w->change, &w->problem), BASE_OK);
    assert_int_equal(w->change.after->status, TASK_DONE);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(completing_moves_on),
        TEST(nothing_piles_up),
        TEST(wall_time_stays_when_clocks_change),
        TEST(a_start_beside_the_rule_moves_to_it),
        TEST(a_counted_series_ends),
        TEST(skipping_closes_without_completing),
        TEST(a_completion_anchor_counts_from_the_day_it_was_done),
        TEST(a_snooze_does_not_outlive_its_occurrence),
        TEST(undo_does_not_use_a_number_again),
        TEST(patterns_that_cannot_be),
        TEST(dropping_the_rule_keeps_the_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
