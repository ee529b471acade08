/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "tasks/recur/recur.h"

/* A rule, its set and the text of its answers. */
struct series {
    struct recur_rule rule;
    struct recur_spec spec;
    struct recur_set set;
    char text[2048];
};

static int64_t wall(const char *text)
{
    struct time_civil civil;
    bool has_time;
    assert_true(time_civil_parse(base_sv_from(text), &civil, &has_time));
    return time_civil_seconds(civil);
}

static int64_t instant(const char *text)
{
    int64_t at_us;
    assert_true(base_time_parse(base_sv_from(text), &at_us));
    return at_us;
}

static void make(struct series *series, const char *rrule, const char *start, const char *zone)
{
    bool has_time;
    assert_int_equal(recur_rule_parse(base_sv_from(rrule), &series->rule, NULL), BASE_OK);
    assert_true(time_civil_parse(base_sv_from(start), &series->spec.start, &has_time));
    series->spec.rule = &series->rule;
    series->spec.all_day = !has_time;
    if (zone)
        assert_int_equal(time_zone_load(base_sv_from(zone), &series->spec.zone), BASE_OK);
    assert_int_equal(recur_set_init(&series->set, &series->spec), BASE_OK);
}

/* "2026-03-29T02:30:00=2026-03-29T01:30:00Z", "none" or "cap". */
static const char *show(struct series *series, enum recur_result result,
                        const struct recur_occurrence *found)
{
    if (result != RECUR_FOUND)
        return result == RECUR_NONE ? "none" : "cap";
    struct base_buf buf;
    base_buf_init(&buf, sizeof(series->text) - 1);
    time_civil_format(&buf, found->wall);
    base_buf_add_char(&buf, '=');
    base_time_format(&buf, found->at_us);
    memcpy(series->text, buf.data, buf.len + 1);
    base_buf_done(&buf);
    return series->text;
}

static const char *after(struct series *series, const char *at)
{
    struct recur_occurrence found;
    enum recur_result result = recur_next_after(&series->set, instant(at), &found);
    return show(series, result, &found);
}

static const char *before(struct series *series, const char *at, int n)
{
    struct recur_occurrence found;
    enum recur_result result = recur_nth_before(&series->set, instant(at), n, &found);
    return show(series, result, &found);
}

/* All occurrences, at most 12, as dates (or times) joined by blanks. */
static const char *all(struct series *series)
{
    struct recur_iter iter;
    struct recur_occurrence found;
    struct base_buf buf;
    base_buf_init(&buf, sizeof(series->text) - 1);
    recur_iter_init(&iter, &series->set, INT64_MIN);
    enum recur_result result = RECUR_FOUND;
    for (int i = 0; i < 12 && (result = recur_iter_next(&iter, &found)) == RECUR_FOUND; i++) {
        if (i)
            base_buf_add_char(&buf, ' ');
        if (series->spec.all_day)
            time_date_format(&buf, found.wall);
        else
            time_civil_format(&buf, found.wall);
    }
    if (result == RECUR_CAP)
        base_buf_add_c(&buf, " cap");
    memcpy(series->text, buf.data ? buf.data : "", buf.len + 1);
    base_buf_done(&buf);
    return series->text;
}

static void the_neighbours_of_an_instant(void **state)
{
    (void)state;
    struct series s = {0};
    make(&s, "FREQ=WEEKLY;BYDAY=MO,WE", "2026-11-23T09:00", "Europe/Berlin");
    assert_string_equal(after(&s, "2000-01-01T00:00:00Z"),
                        "2026-11-23T09:00:00=2026-11-23T08:00:00Z");
    assert_string_equal(after(&s, "2026-11-23T07:59:59.999999Z"),
                        "2026-11-23T09:00:00=2026-11-23T08:00:00Z");
    assert_string_equal(after(&s, "2026-11-23T08:00:00Z"),
                        "2026-11-25T09:00:00=2026-11-25T08:00:00Z");
    assert_string_equal(after(&s, "9999-12-31T00:00:00Z"), "none");
    assert_string_equal(before(&s, "2026-11-23T08:00:00Z", 1), "none");
    assert_string_equal(before(&s, "2026-11-23T08:00:00.000001Z", 1),
                        "2026-11-23T09:00:00=2026-11-23T08:00:00Z");
    assert_string_equal(before(&s, "2326-11-25T08:00:00Z", 3),
                        "2326-11-17T09:00:00=2326-11-17T08:00:00Z");
    assert_string_equal(before(&s, "2026-12-03T00:00:00Z", 4),
                        "2026-11-23T09:00:00=2026-11-23T08:00:00Z");
    assert_string_equal(before(&s, "2026-12-03T00:00:00Z", 5), "none");
    assert_string_equal(before(&s, "2026-12-03T00:00:00Z", RECUR_NTH_MAX + 1), "cap");
}

/* 02:00 to 03:00 does not exist on 29 March: those wall times come an hour later. */
static void around_a_gap(void **state)
{
    (void)state;
    struct series s = {0};
    make(&s, "FREQ=MINUTELY;INTERVAL=45", "2026-03-29T01:30", "Europe/Berlin");
    /* Wall: 01:30, 02:15 (= 03:15), 03:00, 03:45. By instant 03:00 comes before 02:15. */
    assert_string_equal(after(&s, "2026-03-29T00:30:00Z"),
                        "2026-03-29T03:00:00=2026-03-29T01:00:00Z");
    assert_string_equal(after(&s, "2026-03-29T01:00:00Z"),
                        "2026-03-29T02:15:00=2026-03-29T01:15:00Z");
    assert_string_equal(after(&s, "2026-03-29T01:15:00Z"),
                        "2026-03-29T03:45:00=2026-03-29T01:45:00Z");
    assert_string_equal(before(&s, "2026-03-29T01:45:00Z", 1),
                        "2026-03-29T02:15:00=2026-03-29T01:15:00Z");
    assert_string_equal(before(&s, "2026-03-29T01:45:00Z", 2),
                        "2026-03-29T03:00:00=2026-03-29T01:00:00Z");
    assert_string_equal(before(&s, "2026-03-29T01:45:00Z", 3),
                        "2026-03-29T01:30:00=2026-03-29T00:30:00Z");
    assert_string_equal(after(&s, "2026-03-29T01:45:00Z"),
                        "2026-03-29T04:30:00=2026-03-29T02:30:00Z");
}

/* The clock shows 02:00 to 03:00 twice on 25 October: the first counts. */
static void around_an_overlap(void **state)
{
    (void)state;
    struct series s = {0};
    make(&s, "FREQ=MINUTELY;INTERVAL=30", "2026-10-25T01:00", "Europe/Berlin");
    assert_string_equal(after(&s, "2026-10-25T00:00:00Z"),
                        "2026-10-25T02:30:00=2026-10-25T00:30:00Z");
    assert_string_equal(after(&s, "2026-10-25T00:30:00Z"),
                        "2026-10-25T03:00:00=2026-10-25T02:00:00Z");
    /* In the second pass, 02:30 is over. */
    assert_string_equal(after(&s, "2026-10-25T01:10:00Z"),
                        "2026-10-25T03:00:00=2026-10-25T02:00:00Z");
    assert_string_equal(before(&s, "2026-10-25T01:10:00Z", 1),
                        "2026-10-25T02:30:00=2026-10-25T00:30:00Z");
    assert_string_equal(before(&s, "2026-10-25T02:00:00Z", 2),
                        "2026-10-25T02:00:00=2026-10-25T00:00:00Z");
}

static void a_day_that_never_was(void **state)
{
    (void)state;
    struct series s = {0};
    make(&s, "FREQ=DAILY", "2011-12-29T12:00", "Pacific/Apia");
    /* The 30th, which Samoa left out, and the 31st are one instant, and one occurrence. */
    assert_string_equal(after(&s, "2011-12-29T22:00:00Z"),
                        "2011-12-30T12:00:00=2011-12-30T22:00:00Z");
    assert_string_equal(after(&s, "2011-12-30T22:00:00Z"),
                        "2012-01-01T12:00:00=2011-12-31T22:00:00Z");
}

static void exceptions_and_additions(void **state)
{
    (void)state;
    struct series s = {0};
    int64_t exdates[] = {wall("2026-12-03T09:00"), wall("2026-12-02T09:00"),
                         wall("2026-12-03T09:00")};
    int64_t exdays[] = {wall("2026-12-05") / 86400};
    int64_t rdates[] = {wall("2026-12-04T18:00"), wall("2026-11-30T18:00")};
    s.spec.exdates = exdates;
    s.spec.exdate_count = recur_times_sort(exdates, 3);
    s.spec.exdays = exdays;
    s.spec.exday_count = 1;
    s.spec.rdates = rdates;
    s.spec.rdate_count = recur_times_sort(rdates, 2);
    assert_int_equal(s.spec.exdate_count, 2);
    make(&s, "FREQ=DAILY;COUNT=6", "2026-12-01T09:00", NULL);
    assert_string_equal(all(&s), "2026-11-30T18:00:00 2026-12-01T09:00:00 2026-12-04T09:00:00 "
                                 "2026-12-04T18:00:00 2026-12-06T09:00:00");
    assert_string_equal(after(&s, "2026-12-01T09:00:00Z"),
                        "2026-12-04T09:00:00=2026-12-04T09:00:00Z");
    assert_string_equal(before(&s, "2026-12-06T09:00:00Z", 3),
                        "2026-12-01T09:00:00=2026-12-01T09:00:00Z");
    assert_true(recur_is_occurrence(&s.set, wall("2026-12-04T18:00")));
    assert_false(recur_is_occurrence(&s.set, wall("2026-12-05T09:00")));
    assert_false(recur_is_occurrence(&s.set, wall("2026-12-04T18:01")));

    s.spec.rule = NULL;
    assert_int_equal(recur_set_init(&s.set, &s.spec), BASE_OK);
    assert_string_equal(all(&s), "2026-11-30T18:00:00 2026-12-04T18:00:00");
}

static void all_day(void **state)
{
    (void)state;
    struct series s = {0};
    make(&s, "FREQ=MONTHLY;BYMONTHDAY=31;BYHOUR=9;UNTIL=20270401", "2026-12-01", NULL);
    assert_string_equal(all(&s), "2026-12-31 2027-01-31 2027-03-31");
    make(&s, "FREQ=DAILY;UNTIL=20261203T000000Z", "2026-12-01", NULL);
    assert_string_equal(all(&s), "2026-12-01 2026-12-02 2026-12-03");

    struct recur_rule hourly = recur_rule_every(RECUR_HOURLY, 1);
    s.spec.rule = &hourly;
    assert_int_equal(recur_set_init(&s.set, &s.spec), BASE_UNPROCESSABLE);
}

static void the_last_of_count(void **state)
{
    (void)state;
    static const struct {
        const char *rrule, *start, *last;
    } rows[] = {
        {"FREQ=DAILY;COUNT=1000000", "2026-11-24T09:00", "4764-10-20T09:00"},
        {"FREQ=DAILY;INTERVAL=7;COUNT=3", "2026-11-24T09:00", "2026-12-08T09:00"},
        {"FREQ=DAILY;BYHOUR=9,18;COUNT=4", "2026-11-24T10:00", "2026-11-26T09:00"},
        {"FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=5", "2026-11-24T09:00", "2026-12-04T09:00"},
        {"FREQ=MONTHLY;BYMONTHDAY=31;COUNT=8", "2026-01-31T09:00", "2027-01-31T09:00"},
        {"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1;COUNT=3", "2026-12-02T09:00",
         "2027-01-29T09:00"},
        {"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=20", "2024-02-29T09:00", "2104-02-29T09:00"},
        {"FREQ=HOURLY;INTERVAL=5;COUNT=100000", "2026-11-24T09:00", "2083-12-08T12:00"},
        {"FREQ=MINUTELY;INTERVAL=10;BYHOUR=9;COUNT=13", "2026-11-24T09:00", "2026-11-26T09:00"},
        {"FREQ=SECONDLY;COUNT=86401", "2026-11-24T09:00", "2026-11-25T09:00"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct series s = {0};
        struct recur_occurrence found;
        make(&s, rows[i].rrule, rows[i].start, NULL);
        assert_int_equal(recur_last_until(&s.set, INT64_MAX, &found), RECUR_FOUND);
        if (found.wall_s != wall(rows[i].last))
            fail_msg("%s: %d-%d-%d %d:%02d", rows[i].rrule, (int)found.wall.year, found.wall.month,
                     found.wall.day, found.wall.hour, found.wall.minute);
        assert_int_equal(recur_first_from(&s.set, found.wall_s + 1, &found), RECUR_NONE);
    }
}

/* More than can be counted within the cap: what was counted is answered, the rest is not "none". */
static void count_beyond_the_cap(void **state)
{
    (void)state;
    struct series s = {0};
    int64_t rdate = wall("9000-01-01");
    struct recur_occurrence found;
    s.spec.rdates = &rdate;
    s.spec.rdate_count = 1;
    make(&s, "FREQ=HOURLY;BYHOUR=9;COUNT=100000", "2026-11-24T09:00", NULL);
    assert_int_equal(recur_first_from(&s.set, wall("2028-02-29"), &found), RECUR_FOUND);
    assert_int_equal(found.wall_s, wall("2028-02-29T09:00"));
    assert_int_equal(recur_first_from(&s.set, wall("2200-01-01"), &found), RECUR_CAP);
    assert_int_equal(recur_last_until(&s.set, wall("9999-01-01"), &found), RECUR_CAP);
}

static void none_is_known_soon(void **state)
{
    (void)state;
    static const char *const rules[] = {
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",       "FREQ=MONTHLY;BYMONTHDAY=30;BYMONTH=2",
        "FREQ=DAILY;BYMONTHDAY=31;BYMONTH=4,6,9,11", "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MINUTELY;INTERVAL=2;BYMINUTE=1",       "FREQ=DAILY;INTERVAL=14;BYDAY=MO",
        "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",         "FREQ=MONTHLY;INTERVAL=12;BYSETPOS=9;BYDAY=MO",
        "FREQ=YEARLY;BYDAY=1TU,-1TU;BYSETPOS=-22",   "FREQ=SECONDLY;INTERVAL=86400;BYHOUR=8",
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        struct series s = {0};
        clock_t begin = clock();
        make(&s, rules[i], "2026-11-24T09:00", "Europe/Berlin");
        const char *next = after(&s, "2026-11-24T08:00:00Z");
        const char *last = before(&s, "2500-11-24T08:00:00Z", 1);
        /* A millisecond each; the rest is for sanitizers and neighbours. */
        assert_true(clock() - begin < CLOCKS_PER_SEC / 10);
        assert_true(strcmp(next, "cap") == 0 || strcmp(next, "none") == 0);
        assert_true(strcmp(last, "cap") == 0 || strcmp(last, "none") == 0);
    }
}

static void iteration_from_the_middle(void **state)
{
    (void)state;
    struct series s = {0};
    struct recur_iter iter;
    struct recur_occurrence found;
    make(&s, "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29", "2024-02-29T23:59:59", NULL);
    recur_iter_init(&iter, &s.set, wall("2090-01-01"));
    assert_int_equal(recur_iter_next(&iter, &found), RECUR_FOUND);
    assert_int_equal(found.wall_s, wall("2092-02-29T23:59:59"));
    assert_int_equal(recur_iter_next(&iter, &found), RECUR_FOUND);
    assert_int_equal(found.wall_s, wall("2096-02-29T23:59:59"));
    assert_int_equal(recur_iter_next(&iter, &found), RECUR_FOUND);
    assert_int_equal(found.wall_s, wall("2104-02-29T23:59:59"));
}

/* Instants through the iterator's remembered offset are those of single questions. */
static void iteration_across_changes(void **state)
{
    (void)state;
    struct series s = {0};
    struct recur_iter iter;
    struct recur_occurrence found;
    enum time_kind kind;
    make(&s, "FREQ=MINUTELY;INTERVAL=15", "2026-03-20T00:00", "Australia/Lord_Howe");
    recur_iter_init(&iter, &s.set, INT64_MIN);
    int gaps = 0;
    int overlaps = 0;
    for (int i = 0; i < 366 * 96; i++) {
        assert_int_equal(recur_iter_next(&iter, &found), RECUR_FOUND);
        if (found.at_us != time_zone_instant(s.spec.zone, found.wall, &kind) || found.kind != kind)
            fail_msg("at step %d", i);
        gaps += kind == TIME_GAP;
        overlaps += kind == TIME_OVERLAP;
    }
    assert_int_equal(gaps, 2);
    assert_int_equal(overlaps, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_neighbours_of_an_instant),
        cmocka_unit_test(around_a_gap),
        cmocka_unit_test(around_an_overlap),
        cmocka_unit_test(a_day_that_never_was),
        cmocka_unit_test(exceptions_and_additions),
        cmocka_unit_test(all_day),
        cmocka_unit_test(the_last_of_count),
        cmocka_unit_test(count_beyond_the_cap),
        cmocka_unit_test(none_is_known_soon),
        cmocka_unit_test(iteration_from_the_middle),
        cmocka_unit_test(iteration_across_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
