/* SPDX-License-Identifier: Apache-2.0 */
/* Commands as pure functions: the task afterwards, its firings, its events, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "tasks/command.h"

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)

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

static struct task_due due(enum task_due_kind kind, const char *local, const char *zone)
{
    struct task_due made = {.kind = kind, .zone = base_sv_from(zone)};
    bool has_time;
    assert_true(time_civil_parse(base_sv_from(local), &made.local, &has_time));
    return made;
}

/* A task due at 18:00 in Berlin (17:00 UTC) with a reminder half an hour before. */
static const struct task *sample(struct world *w)
{
    static struct task_reminder reminder = {.relative = true, .before_s = 1800};
    struct task_patch patch = {.set = TASK_F_TITLE | TASK_F_DUE | TASK_F_REMINDERS,
                               .title = SV("Call Ann"),
                               .due = due(TASK_DUE_ZONED, "2026-11-24T18:00:00", "Europe/Berlin"),
                               .reminders = &reminder,
                               .reminder_count = 1};
    assert_int_equal(task_create(&w->ctx, &patch, &w->change, &w->problem), BASE_OK);
    return w->change.after;
}

static json_t *event(const struct world *w, size_t i)
{
    assert_true(i < w->change.event_count);
    json_t *json = json_loadb(w->change.events[i].payload.ptr, w->change.events[i].payload.len,
                              JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "specversion")), "1.0");
    assert_string_equal(json_string_value(json_object_get(json, "userid")), "ann");
    assert_string_equal(json_string_value(json_object_get(json, "type")),
                        task_event_name(w->change.events[i].type));
    return json;
}

static void expect_events(const struct world *w, size_t n, const int *types)
{
    assert_int_equal(w->change.event_count, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(w->change.events[i].type, types[i]);
        json_decref(event(w, i));
    }
}
#define EXPECT_EVENTS(w, ...)                                                                      \
    expect_events(w, sizeof((int[]){__VA_ARGS__}) / sizeof(int), (const int[]){__VA_ARGS__})

/* renewals: how often the firing's time was decided anew. */
static void expect_fire(const struct world *w, size_t i, const char *at, int32_t occurrence,
                        int32_t renewals)
{
    assert_true(i < w->change.fire_count);
    assert_int_equal(w->change.fires[i].at_us, instant(at));
    assert_int_equal(w->change.fires[i].occurrence, occurrence);
    assert_int_equal(w->change.fires[i].repeat, renewals * TASK_REPEAT_STEP);
}

static void create_makes_version_one(void **state)
{
    struct world *w = *state;
    const struct task *task = sample(w);
    assert_int_equal(task->version, 1);
    assert_int_equal(task->status, TASK_OPEN);
    assert_int_equal(task->occurrence, 1);
    assert_false(base_id_is_null(task->id));
    assert_int_equal(task->due.at_us, instant("2026-11-24T17:00:00Z"));
    assert_int_equal(task->created_us, w->ctx.now_us);
    assert_int_equal(task->updated_us, w->ctx.now_us);
    assert_null(w->change.before);
    assert_true(w->change.refire);
    assert_int_equal(w->change.fire_count, 1);
    expect_fire(w, 0, "2026-11-24T16:30:00Z", 1, 0);
    assert_true(base_id_eq(w->change.fires[0].reminder_id, task->reminders[0].id));
    EXPECT_EVENTS(w, TASK_EVENT_TASK_CREATED);
    json_t *json = event(w, 0), *data = json_object_get(json, "data");
    assert_string_equal(json_string_value(json_object_get(json, "subject")),
                        json_string_value(json_object_get(data, "id")));
    assert_string_equal(json_string_value(json_object_get(data, "due_date")),
                        "2026-11-24T18:00:00");
    assert_string_equal(json_string_value(json_object_get(data, "timezone")), "Europe/Berlin");
    assert_string_equal(json_string_value(json_object_get(data, "reminder_time")),
                        "2026-11-24T16:30:00Z");
    json_decref(json);
}

static void a_day_reminds_at_the_default_time(void **state)
{
    struct world *w = *state;
    struct task_patch patch = {.set = TASK_F_TITLE | TASK_F_DUE,
                               .title = SV("  Taxes \t"),
                               .due = due(TASK_DUE_DATE, "2026-12-01", "Asia/Tokyo")};
    assert_int_equal(task_create(&w->ctx, &patch, &w->change, &w->problem), BASE_OK);
    assert_true(base_sv_eq(w->change.after->title, SV("Taxes")));
    assert_int_equal(w->change.after->due.at_us, instant("2026-12-01T08:00:00Z"));
    assert_int_equal(w->change.after->due.zone.len, 0);
    assert_false(w->change.refire);
}

static char *repeated(struct world *w, const char *unit, size_t n)
{
    size_t len = strlen(unit);
    char *text = base_arena_alloc(&w->arena, n * len + 1);
    for (size_t i = 0; i < n; i++)
        memcpy(text + i * len, unit, len);
    return text;
}

static void expect_problem(struct world *w, const struct task_patch *patch, const char *field)
{
    w->problem = (struct task_problem){NULL, NULL};
    assert_int_equal(task_create(&w->ctx, patch, &w->change, &w->problem), BASE_UNPROCESSABLE);
    assert_string_equal(w->problem.field, field);
    assert_true(strlen(w->problem.text) > 10);
}

static void titles_have_limits(void **state)
{
    struct world *w = *state;
    struct task_patch patch = {.set = TASK_F_TITLE};
    expect_problem(w, &(struct task_patch){.set = TASK_F_NOTES}, "title");
    static const struct base_sv bad[] = {SV(""),      SV(" \t "),  SV("two\nlines"), SV("\x01"),
                                         SV("\x7f."), SV("a\xff"), SV("\xc0\xaf"),   SV("a\0b")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        patch.title = bad[i];
        expect_problem(w, &patch, "title");
    }
    patch.title = base_sv_from(repeated(w, "ü", 501));
    expect_problem(w, &patch, "title");
    patch.title = base_sv_from(repeated(w, "ü", 500));
    assert_int_equal(task_create(&w->ctx, &patch, &w->change, &w->problem), BASE_OK);
}

static void other_fields_have_limits(void **state)
{
    struct world *w = *state;
    struct task_patch patch = {.set = TASK_F_TITLE | TASK_F_NOTES, .title = SV("x")};
    patch.notes = base_sv_from(repeated(w, "n", 16385));
    expect_problem(w, &patch, "notes");
    patch.notes = SV("bell \a");
    expect_problem(w, &patch, "notes");
    patch.set = TASK_F_TITLE | TASK_F_PRIORITY;
    patch.priority = 5;
    expect_problem(w, &patch, "priority");
    patch.priority = -1;
    expect_problem(w, &patch, "priority");
    patch.set = TASK_F_TITLE | TASK_F_PROJECT;
    patch.project = SV("a,b");
    expect_problem(w, &patch, "project");
    patch.project = base_sv_from(repeated(w, "p", 101));
    expect_problem(w, &patch, "project");
    patch.set = TASK_F_TITLE | TASK_F_DUE;
    patch.due = due(TASK_DUE_ZONED, "2026-11-24T18:00:00", "Mars/Olympus");
    expect_problem(w, &patch, "timezone");
    patch.due = due(TASK_DUE_DATE, "2200-01-01", NULL);
    expect_problem(w, &patch, "due_date");
    patch.due = (struct task_due){.kind = TASK_DUE_DATE, .local = {2026, 2, 30, 0, 0, 0}};
    expect_problem(w, &patch, "due_date");
}

static void tags_are_counted_and_told_apart(void **state)
{
    struct world *w = *state;
    struct base_sv tags[21] = {SV("Home"), SV("home"), SV("work")};
    struct task_patch patch = {
        .set = TASK_F_TITLE | TASK_F_TAGS, .title = SV("x"), .tags = tags, .tag_count = 3};
    assert_int_equal(task_create(&w->ctx, &patch, &w->change, &w->problem), BASE_OK);
    assert_int_equal(w->change.after->tag_count, 2);
    assert_true(base_sv_eq(w->change.after->tags[0], SV("Home")));
    assert_true(base_sv_eq(w->change.after->tags[1], SV("work")));
    patch.tag_count = 21;
    expect_problem(w, &patch, "tags");
    patch.tag_count = 4;
    tags[3] = SV(" spaced");
    expect_problem(w, &patch, "tags");
}

static void reminders_have_limits(void **state)
{
    struct world *w = *state;
    struct task_reminder reminders[11] = {{.relative = true, .before_s = 60}};
    struct task_patch patch = {.set = TASK_F_TITLE | TASK_F_REMINDERS,
                               .title = SV("x"),
                               .reminders = reminders,
                               .reminder_count = 1};
    expect_problem(w, &patch, "reminders");
    patch.reminder_count = 11;
    expect_problem(w, &patch, "reminders");
}

static void past_firings_are_left_out(void **state)
{
    struct world *w = *state;
    struct task_reminder reminders[] = {{.at_us = w->ctx.now_us - 61 * SECOND},
                                        {.at_us = w->ctx.now_us - 60 * SECOND},
                                        {.at_us = w->ctx.now_us + SECOND}};
    struct task_patch patch = {.set = TASK_F_TITLE | TASK_F_REMINDERS,
                               .title = SV("x"),
                               .reminders = reminders,
                               .reminder_count = 3};
    assert_int_equal(task_create(&w->ctx, &patch, &w->change, &w->problem), BASE_OK);
    assert_int_equal(w->change.fire_count, 2);
    expect_fire(w, 0, "2026-11-24T07:59:00Z", 1, 0);
    expect_fire(w, 1, "2026-11-24T08:00:01Z", 1, 0);
}

static void update_changes_what_it_names(void **state)
{
    struct world *w = *state;
    const struct task *task = sample(w);
    struct task_patch patch = {.set = TASK_F_PRIORITY, .title = SV("not this"), .priority = 4};
    w->ctx.now_us += SECOND;
    assert_int_equal(task_update(&w->ctx, task, &patch, &w->change, &w->problem), BASE_OK);
    assert_int_equal(w->change.after->version, 2);
    assert_int_equal(w->change.after->priority, 4);
    assert_true(base_sv_eq(w->change.after->title, SV("Call Ann")));
    assert_int_equal(w->change.after->updated_us, task->created_us + SECOND);
    assert_false(w->change.refire);
    assert_int_equal(task->version, 1);
    assert_int_equal(task->priority, 0);
    EXPECT_EVENTS(w, TASK_EVENT_TASK_UPDATED);
}

static void a_new_due_time_moves_its_reminders(void **state)
{
    struct world *w = *state;
    const struct task *task = sample(w);
    struct task_patch patch = {.set = TASK_F_DUE,
                               .due = due(TASK_DUE_FLOATING, "2026-11-25T10:00:00", NULL)};
    assert_int_equal(task_update(&w->ctx, task, &patch, &w->change, &w->problem), BASE_OK);
    assert_true(w->change.refire);
    expect_fire(w, 0, "2026-11-25T08:30:00Z", 1, 1);
    assert_true(base_id_eq(w->change.fires[0].reminder_id, task->reminders[0].id));
    EXPECT_EVENTS(w, TASK_EVENT_TASK_UPDATED);
    /* Without a due time its reminder has nothing to count from. */
    patch.due.kind = TASK_DUE_NONE;
    assert_int_equal(task_update(&w->ctx, task, &patch, &w->change, &w->problem),
                     BASE_UNPROCESSABLE);
    assert_string_equal(w->problem.field, "due_date");
}

static void a_shown_reminder_is_cleared_when_moved(void **state)
{
    struct world *w = *state;
    const struct task *task = sample(w);
    struct task_patch patch = {.set = TASK_F_DUE,
                               .due = due(TASK_DUE_FLOATING, "2026-11-25T10:00:00", NULL)};
    w->ctx.now_us = instant("2026-11-24T16:30:00Z");
    assert_int_equal(task_update(&w->ctx, task, &patch, &w->change, &w->problem), BASE_OK);
    EXPECT_EVENTS(w, TASK_EVENT_TASK_UPDATED, TASK_EVENT_REMINDER_CLEARED);
    json_t *json = event(w, 1), *data = json_object_get(json, "data");
    assert_string_equal(json_string_value(json_object_get(data, "reason")), "rescheduled");
    assert_string_equal(json_string_value(json_object_get(data, "tag")),
                        json_string_value(json_object_get(json, "subject")));
    json_decref(json);
}

/* A firing's key is (reminder, occurrence, repeat) and must never come twice, whatever ids and
 * counters a client sends. */
static void reminders_given_again_keep_counting(void **state)
{
    struct world *w = *state;
    const struct task *task = sample(w);
    struct base_id known = task->reminders[0].id;
    struct task_reminder reminders[3] = {{.id = known, .relative = true, .before_s = 60},
                                         {.id = known, .relative = true, .before_s = 120},
                                         {.relative = true, .before_s = 180, .repeat = 7}};
    struct task_patch patch = {
        .set = TASK_F_REMINDERS, .reminders = reminders, .reminder_count = 3};
    assert_true(base_id_parse(SV("01a20b71-fbbb-7003-bf1e-911f2c0609a9"), &reminders[2].id));
    for (int32_t round = 1; round <= 3; round++) {
        assert_int_equal(task_update(&w->ctx, task, &patch, &w->change, &w->problem), BASE_OK);
        task = w->change.after;
        assert_int_equal(task->reminder_count, 3);
        assert_true(base_id_eq(task->reminders[0].id, known));
        assert_false(base_id_eq(task->reminders[1].id, known));
        assert_false(base_id_eq(task->reminders[2].id, reminders[2].id));
        expect_fire(w, 0, "2026-11-24T16:59:00Z", 1, round);
        expect_fire(w, 1, "2026-11-24T16:58:00Z", 1, 1);
        expect_fire(w, 2, "2026-11-24T16:57:00Z", 1, 1);
    }
}

static void complete_ends_a_task_once(void **state)
{
    struct world *w = *state;
    const struct task *task = sample(w);
    w->ctx.now_us = instant("2026-11-24T16:45:00Z");
    assert_int_equal(task_complete(&w->ctx, task, &w->change, &w->problem), BASE_OK);
    task = w->change.after;
    assert_int_equal(task->status, TASK_DONE);
    assert_int_equal(task->completed_us, w->ctx.now_us);
    assert_int_equal(w->change.outcome, TASK_OUT_COMPLETED);
    assert_true(w->change.refire);
    assert_int_equal(w->change.fire_count, 0);
    EXPECT_EVENTS(w, TASK_EVENT_TASK_COMPLETED, TASK_EVENT_REMINDER_CLEARED);
    assert_int_equal(task_complete(&w->ctx, task, &w->change, &w->problem), BASE_CONFLICT);
    assert_string_equal(w->problem.field, "status");
}

static void reopen_brings_its_firings_back(void **state)
{
    struct world *w = *state;
    const struct task *task = sample(w);
    assert_int_equal(task_reopen(&w->ctx, task, &w->change, &w->problem), BASE_CONFLICT);
    assert_int_equal(task_complete(&w->ctx, task, &w->change, &w->problem), BASE_OK);
    EXPECT_EVENTS(w, TASK_EVENT_TASK_COMPLETED);
    int32_t repeat = w->change.after->reminders[0].repeat;
    assert_int_equal(task_reopen(&w->ctx, w->change.after, &w->change, &w->problem), BASE_OK);
    assert_int_equal(w->change.after->status, TASK_OPEN);
    assert_int_equal(w->change.after->completed_us, 0);
    assert_int_equal(w->change.after->version, 3);
    expect_fire(w, 0, "2026-11-24T16:30:00Z", 1, repeat / TASK_REPEAT_STEP + 1);
    EXPECT_EVENTS(w, TASK_EVENT_TASK_UPDATED);
}

static void delete_is_final_for_all_but_reopen(void **state)
{
    struct world *w = *state;
    const struct task *task = sample(w);
    struct task_patch patch = {.set = TASK_F_PRIORITY};
    assert_int_equal(task_delete(&w->ctx, task, &w->change, &w->problem), BASE_OK);
    task = w->change.after;
    assert_int_equal(task->status, TASK_DELETED);
    assert_int_equal(task->deleted_us, w->ctx.now_us);
    assert_int_equal(w->change.fire_count, 0);
    assert_true(w->change.refire);
    EXPECT_EVENTS(w, TASK_EVENT_TASK_DELETED);
    assert_int_equal(task_delete(&w->ctx, task, &w->change, &w->problem), BASE_NOT_FOUND);
    assert_int_equal(task_complete(&w->ctx, task, &w->change, &w->problem), BASE_NOT_FOUND);
    assert_int_equal(task_update(&w->ctx, task, &patch, &w->change, &w->problem), BASE_NOT_FOUND);
    assert_int_equal(task_snooze(&w->ctx, task, w->ctx.now_us + 1, &w->change, &w->problem),
                     BASE_CONFLICT);
    assert_int_equal(task_reopen(&w->ctx, task, &w->change, &w->problem), BASE_OK);
    assert_int_equal(w->change.after->deleted_us, 0);
}

static void snooze_moves_the_reminder_that_rang(void **state)
{
    struct world *w = *state;
    const struct task *task = sample(w);
    w->ctx.now_us = instant("2026-11-24T16:31:00Z");
    assert_int_equal(task_snooze(&w->ctx, task, w->ctx.now_us, &w->change, &w->problem),
                     BASE_UNPROCESSABLE);
    assert_string_equal(w->problem.field, "until");
    assert_int_equal(task_snooze(&w->ctx, task, w->ctx.now_us + HOUR, &w->change, &w->problem),
                     BASE_OK);
    assert_int_equal(w->change.after->reminder_count, 1);
    assert_false(w->change.after->reminders[0].relative);
    assert_true(task->reminders[0].relative);
    expect_fire(w, 0, "2026-11-24T17:31:00Z", 1, 1);
    EXPECT_EVENTS(w, TASK_EVENT_TASK_UPDATED, TASK_EVENT_REMINDER_CLEARED);
}

static void snooze_gives_a_reminder_to_a_task_without(void **state)
{
    struct world *w = *state;
    struct task_patch patch = {.set = TASK_F_TITLE, .title = SV("x")};
    assert_int_equal(task_create(&w->ctx, &patch, &w->change, &w->problem), BASE_OK);
    const struct task *task = w->change.after;
    assert_int_equal(task_snooze(&w->ctx, task, w->ctx.now_us + HOUR, &w->change, &w->problem),
                     BASE_OK);
    assert_int_equal(task->reminder_count, 0);
    assert_int_equal(w->change.fire_count, 1);
    assert_int_equal(w->change.fires[0].at_us, w->ctx.now_us + HOUR);
    EXPECT_EVENTS(w, TASK_EVENT_TASK_UPDATED);
}

static void dismiss_needs_something_to_dismiss(void **state)
{
    struct world *w = *state;
    const struct task *task = sample(w);
    assert_int_equal(task_dismiss(&w->ctx, task, &w->change, &w->problem), BASE_CONFLICT);
    w->ctx.now_us = instant("2026-11-24T16:30:00Z");
    assert_int_equal(task_dismiss(&w->ctx, task, &w->change, &w->problem), BASE_OK);
    assert_false(w->change.refire);
    EXPECT_EVENTS(w, TASK_EVENT_REMINDER_CLEARED);
}

static void restore_brings_fields_back_and_counters_on(void **state)
{
    struct world *w = *state;
    const struct task *first = sample(w);
    w->ctx.now_us = instant("2026-11-24T16:31:00Z");
    assert_int_equal(task_snooze(&w->ctx, first, w->ctx.now_us + HOUR, &w->change, &w->problem),
                     BASE_OK);
    const struct task *snoozed = w->change.after;
    w->ctx.now_us = instant("2026-11-24T16:00:00Z");
    assert_int_equal(task_restore(&w->ctx, snoozed, first, &w->change, &w->problem), BASE_OK);
    assert_int_equal(w->change.after->version, 3);
    assert_true(w->change.after->reminders[0].relative);
    expect_fire(w, 0, "2026-11-24T16:30:00Z", 1, 2);
    assert_ptr_equal(w->change.before, snoozed);
    /* A closed occurrence's number is not used again either. */
    struct task moved = *snoozed;
    moved.occurrence = 5;
    assert_int_equal(task_restore(&w->ctx, &moved, first, &w->change, &w->problem), BASE_OK);
    assert_int_equal(w->change.after->occurrence, 6);
    expect_fire(w, 0, "2026-11-24T16:30:00Z", 6, 1);
    EXPECT_EVENTS(w, TASK_EVENT_TASK_UPDATED);
}

static void skip_is_for_series(void **state)
{
    struct world *w = *state;
    const struct task *task = sample(w);
    assert_int_equal(task_skip(&w->ctx, task, &w->change, &w->problem), BASE_CONFLICT);
    assert_string_equal(w->problem.field, "is_recurring");
}

/* Wherever memory ends, the command says so and the caller's change stays as it was. */
static void running_out_of_memory_is_an_error(void **state)
{
    struct world *w = *state;
    struct task_patch patch = {.set = TASK_F_TITLE, .title = SV("x")};
    const struct task_change untouched = {.fire_count = 77};
    enum base_err err = BASE_NO_MEMORY;
    size_t failures = 0;
    for (size_t max = 0; err == BASE_NO_MEMORY && max < 64 * 1024; max += 16, failures++) {
        struct base_arena small;
        struct task_context ctx = w->ctx;
        base_arena_init(&small, max);
        ctx.arena = &small;
        w->change = untouched;
        err = task_create(&ctx, &patch, &w->change, &w->problem);
        if (err != BASE_OK)
            assert_int_equal(w->change.fire_count, 77);
        base_arena_done(&small);
    }
    assert_int_equal(err, BASE_OK);
    assert_true(failures > 10);
}

static void overdue_is_by_day_for_days(void **state)
{
    struct world *w = *state;
    struct task task = {.due = due(TASK_DUE_DATE, "2026-11-24", NULL)};
    task_due_resolve(&task.due, &w->ctx.settings);
    assert_false(task_overdue(&task, &w->ctx.settings, instant("2026-11-24T22:59:59Z")));
    assert_true(task_overdue(&task, &w->ctx.settings, instant("2026-11-24T23:00:00Z")));
    task.due = due(TASK_DUE_ZONED, "2026-11-24T18:00:00", "Europe/Berlin");
    task_due_resolve(&task.due, &w->ctx.settings);
    assert_false(task_overdue(&task, &w->ctx.settings, instant("2026-11-24T17:00:00Z")));
    assert_true(task_overdue(&task, &w->ctx.settings, instant("2026-11-24T17:00:01Z")));
    task.status = TASK_DONE;
    assert_false(task_overdue(&task, &w->ctx.settings, instant("2027-01-01T00:00:00Z")));
}

static void stored_reminders_come_back(void **state)
{
    struct world *w = *state;
    struct task task = *sample(w);
    struct task_reminder list[2] = {
        task.reminders[0],
        {.id = base_id_new(1), .at_us = instant("2026-11-25T08:00:00Z"), .repeat = 3}};
    struct task_reminder *back;
    struct base_buf buf;
    size_t count;
    task.reminders = list;
    task.reminder_count = 2;
    base_buf_init(&buf, 4096);
    task_reminders_json(&buf, &task, true);
    assert_int_equal(task_reminders_parse(base_buf_sv(&buf), &w->arena, &back, &count), BASE_OK);
    assert_int_equal(count, 2);
    assert_true(back[0].relative && base_id_eq(back[0].id, list[0].id));
    assert_int_equal(back[0].before_s, 1800);
    assert_false(back[1].relative);
    assert_int_equal(back[1].at_us, list[1].at_us);
    assert_int_equal(back[1].repeat, 3);
    for (size_t n = 0; n < buf.len; n++)
        assert_int_equal(task_reminders_parse(base_sv(buf.data, n), &w->arena, &back, &count),
                         BASE_MALFORMED);
    base_buf_done(&buf);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(create_makes_version_one),
        TEST(a_day_reminds_at_the_default_time),
        TEST(titles_have_limits),
        TEST(other_fields_have_limits),
        TEST(tags_are_counted_and_told_apart),
        TEST(reminders_have_limits),
        TEST(past_firings_are_left_out),
        TEST(update_changes_what_it_names),
        TEST(a_new_due_time_moves_its_reminders),
        TEST(a_shown_reminder_is_cleared_when_moved),
        TEST(reminders_given_again_keep_counting),
        TEST(complete_ends_a_task_once),
        TEST(reopen_brings_its_firings_back),
        TEST(delete_is_final_for_all_but_reopen),
        TEST(snooze_moves_the_reminder_that_rang),
        TEST(snooze_gives_a_reminder_to_a_task_without),
        TEST(dismiss_needs_something_to_dismiss),
        TEST(restore_brings_fields_back_and_counters_on),
        TEST(skip_is_for_series),
        TEST(running_out_of_memory_is_an_error),
        TEST(overdue_is_by_day_for_days),
        TEST(stored_reminders_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
