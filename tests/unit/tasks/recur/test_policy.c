/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "tasks/recur/policy.h"

static struct time_civil civil(const char *text)
{
    struct time_civil at;
    bool has_time;
    assert_true(time_civil_parse(base_sv_from(text), &at, &has_time));
    return at;
}

static int64_t wall(const char *text)
{
    return time_civil_seconds(civil(text));
}

static void the_next_one(void **state)
{
    (void)state;
    static const struct {
        enum recur_anchor anchor;
        const char *rrule, *due, *now;
        uint32_t done;
        const char *next; /* NULL: none */
    } rows[] = {
        /* Late: one step to the first after now. */
        {RECUR_ANCHOR_SCHEDULE, "FREQ=DAILY", "2026-11-20T09:00", "2026-11-24T10:00:00Z", 1,
         "2026-11-25T09:00"},
        /* Early: the one just done is not due again. */
        {RECUR_ANCHOR_SCHEDULE, "FREQ=WEEKLY;BYDAY=FR", "2026-11-27T09:00", "2026-11-24T10:00:00Z",
         1, "2026-12-04T09:00"},
        {RECUR_ANCHOR_SCHEDULE, "FREQ=DAILY;COUNT=3", "2026-11-20T09:00", "2026-11-24T10:00:00Z", 1,
         NULL},
        /* Counted from the local day: 23:30 UTC is the next day in Berlin. */
        {RECUR_ANCHOR_COMPLETION, "FREQ=DAILY;INTERVAL=3", "2026-11-20T09:00",
         "2026-11-24T23:30:00Z", 1, "2026-11-28T09:00"},
        {RECUR_ANCHOR_COMPLETION, "FREQ=MONTHLY", "2026-01-10T09:00", "2026-01-31T12:00:00Z", 1,
         "2026-02-28T09:00"},
        {RECUR_ANCHOR_COMPLETION, "FREQ=MONTHLY;INTERVAL=13", "2026-01-10T09:00",
         "2026-12-31T12:00:00Z", 1, "2028-01-31T09:00"},
        {RECUR_ANCHOR_COMPLETION, "FREQ=YEARLY", "2024-02-29T09:00", "2024-02-29T12:00:00Z", 1,
         "2025-02-28T09:00"},
        /* With BY parts the rule starts anew after the day. */
        {RECUR_ANCHOR_COMPLETION, "FREQ=WEEKLY;BYDAY=MO,TU", "2026-11-20T09:00",
         "2026-11-24T05:00:00Z", 1, "2026-11-30T09:00"},
        {RECUR_ANCHOR_COMPLETION, "FREQ=MONTHLY;BYMONTHDAY=-1", "2026-10-31T09:00",
         "2026-11-30T10:00:00Z", 1, "2026-12-31T09:00"},
        /* By hours: from the instant itself. */
        {RECUR_ANCHOR_COMPLETION, "FREQ=HOURLY;INTERVAL=4", "2026-11-20T09:00",
         "2026-11-24T10:20:30Z", 1, "2026-11-24T15:20:30"},
        /* The end counts what was dealt with. */
        {RECUR_ANCHOR_COMPLETION, "FREQ=DAILY;COUNT=3", "2026-11-20T09:00", "2026-11-24T10:00:00Z",
         2, "2026-11-25T09:00"},
        {RECUR_ANCHOR_COMPLETION, "FREQ=DAILY;COUNT=3", "2026-11-20T09:00", "2026-11-24T10:00:00Z",
         3, NULL},
        {RECUR_ANCHOR_COMPLETION, "FREQ=DAILY;UNTIL=20261124T120000Z", "2026-11-20T09:00",
         "2026-11-24T10:00:00Z", 1, NULL},
        {RECUR_ANCHOR_COMPLETION, "FREQ=DAILY;INTERVAL=2147483647", "2026-11-20T09:00",
         "2026-11-24T10:00:00Z", 1, NULL},
        {RECUR_ANCHOR_COMPLETION, "FREQ=HOURLY;INTERVAL=2147483647", "2026-11-20T09:00",
         "2026-11-24T10:00:00Z", 1, NULL},
        {RECUR_ANCHOR_COMPLETION, "FREQ=YEARLY;INTERVAL=9000", "2026-11-20T09:00",
         "2026-11-24T10:00:00Z", 1, NULL},
    };
    const struct time_zone *berlin;
    assert_int_equal(time_zone_load(SV("Europe/Berlin"), &berlin), BASE_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct recur_rule rule;
        struct recur_set set;
        struct recur_occurrence next;
        int64_t now_us;
        assert_int_equal(recur_rule_parse(base_sv_from(rows[i].rrule), &rule, NULL), BASE_OK);
        struct recur_spec spec = {.rule = &rule, .start = civil(rows[i].due), .zone = berlin};
        assert_int_equal(recur_set_init(&set, &spec), BASE_OK);
        assert_true(base_time_parse(base_sv_from(rows[i].now), &now_us));
        enum recur_result result = recur_policy_next(&set, rows[i].anchor, civil(rows[i].due),
                                                     now_us, rows[i].done, &next);
        if (result != (rows[i].next ? RECUR_FOUND : RECUR_NONE) ||
            (rows[i].next && next.wall_s != wall(rows[i].next)))
            fail_msg("row %zu: result %d", i, (int)result);
        if (rows[i].next)
            assert_int_equal(next.at_us, time_zone_instant(berlin, civil(rows[i].next), NULL));
    }
}

static void workdays_from_completion(void **state)
{
    (void)state;
    struct recur_rule rule = recur_rule_every(RECUR_DAILY, 3);
    struct recur_set set;
    struct recur_occurrence next;
    int64_t now_us;
    rule.workday = true;
    struct recur_spec spec = {.rule = &rule, .start = civil("2026-11-20T09:00")};
    assert_int_equal(recur_set_init(&set, &spec), BASE_OK);
    assert_true(base_time_parse(SV("2026-11-26T10:00:00Z"), &now_us));
    assert_int_equal(recur_policy_next(&set, RECUR_ANCHOR_COMPLETION, spec.start, now_us, 1, &next),
                     RECUR_FOUND);
    assert_int_equal(next.wall_s, wall("2026-12-01T09:00"));
}

/* A set over lists that are edited in place. */
struct edited {
    struct recur_rule rule;
    int64_t exdates[2], rdates[2];
    struct recur_dates out, in;
    struct recur_set set;
};

static void refresh(struct edited *e)
{
    struct recur_spec spec = {.rule = &e->rule,
                              .start = civil("2026-12-01T09:00"),
                              .exdates = e->exdates,
                              .exdate_count = e->out.count,
                              .rdates = e->rdates,
                              .rdate_count = e->in.count};
    assert_int_equal(recur_set_init(&e->set, &spec), BASE_OK);
}

static enum base_err move(struct edited *e, const char *from, const char *to)
{
    enum base_err err = recur_policy_move(&e->set, wall(from), wall(to), &e->out, &e->in);
    refresh(e);
    return err;
}

static enum base_err cancel(struct edited *e, const char *at)
{
    enum base_err err = recur_policy_cancel(&e->set, wall(at), &e->out, &e->in);
    refresh(e);
    return err;
}

static void moving_one(void **state)
{
    (void)state;
    struct edited e = {.rule = recur_rule_every(RECUR_DAILY, 1)};
    e.out = (struct recur_dates){e.exdates, 0, 2};
    e.in = (struct recur_dates){e.rdates, 0, 2};
    refresh(&e);
    assert_int_equal(move(&e, "2026-12-02T10:00", "2026-12-02T11:00"), BASE_NOT_FOUND);
    assert_int_equal(move(&e, "2026-12-02T09:00", "2026-12-03T09:00"), BASE_CONFLICT);
    assert_int_equal(e.out.count + e.in.count, 0);

    assert_int_equal(move(&e, "2026-12-02T09:00", "2026-12-02T18:00"), BASE_OK);
    assert_int_equal(e.out.count, 1);
    assert_int_equal(e.exdates[0], wall("2026-12-02T09:00"));
    assert_int_equal(e.in.count, 1);
    assert_int_equal(e.rdates[0], wall("2026-12-02T18:00"));

    /* Again: only the addition changes. */
    assert_int_equal(move(&e, "2026-12-02T18:00", "2026-12-02T19:00"), BASE_OK);
    assert_int_equal(e.out.count, 1);
    assert_int_equal(e.in.count, 1);
    assert_int_equal(e.rdates[0], wall("2026-12-02T19:00"));

    /* A second one, before the first. */
    assert_int_equal(move(&e, "2026-12-01T09:00", "2026-12-01T08:00"), BASE_OK);
    assert_int_equal(e.exdates[0], wall("2026-12-01T09:00"));
    assert_int_equal(e.rdates[0], wall("2026-12-01T08:00"));
    assert_int_equal(move(&e, "2026-12-05T09:00", "2026-12-05T10:00"), BASE_TOO_LARGE);
    assert_int_equal(cancel(&e, "2026-12-05T09:00"), BASE_TOO_LARGE);

    /* Back to its place: both entries vanish. */
    assert_int_equal(move(&e, "2026-12-02T19:00", "2026-12-02T09:00"), BASE_OK);
    assert_int_equal(e.out.count, 1);
    assert_int_equal(e.in.count, 1);
    assert_int_equal(e.exdates[0], wall("2026-12-01T09:00"));
    assert_int_equal(e.rdates[0], wall("2026-12-01T08:00"));

    /* Cancelled: a moved one leaves no addition behind, one of the rule an exception. */
    assert_int_equal(cancel(&e, "2026-12-01T08:00"), BASE_OK);
    assert_int_equal(e.in.count, 0);
    assert_int_equal(e.out.count, 1);
    assert_int_equal(cancel(&e, "2026-12-03T09:00"), BASE_OK);
    assert_int_equal(e.out.count, 2);
    assert_int_equal(cancel(&e, "2026-12-03T09:00"), BASE_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_one),
        cmocka_unit_test(workdays_from_completion),
        cmocka_unit_test(moving_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
