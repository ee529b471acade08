/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tasks/recur/recur.h"

static int64_t day(const char *text)
{
    struct time_civil civil;
    bool has_time;
    assert_true(time_civil_parse(base_sv_from(text), &civil, &has_time));
    return time_days_from_civil(civil.year, civil.month, civil.day);
}

/* Christmas 2026 is Thursday to Saturday; a Sunday and a double are dropped. */
static struct recur_holidays christmas(int64_t days[6])
{
    static const char *const texts[] = {"2027-01-01", "2026-12-25", "2026-12-24",
                                        "2026-12-26", "2026-12-25", "2026-12-27"};
    for (int i = 0; i < 6; i++)
        days[i] = day(texts[i]);
    return recur_holidays_init(days, 6);
}

static void a_list_is_put_in_order(void **state)
{
    (void)state;
    int64_t days[6];
    struct recur_holidays holidays = christmas(days);
    assert_int_equal(holidays.count, 3);
    assert_int_equal(holidays.days[0], day("2026-12-24"));
    assert_int_equal(holidays.days[1], day("2026-12-25"));
    assert_int_equal(holidays.days[2], day("2027-01-01"));
    assert_int_equal(recur_holidays_init(NULL, 0).count, 0);
}

static void days_and_numbers(void **state)
{
    (void)state;
    int64_t days[6];
    struct recur_holidays holidays = christmas(days);
    assert_true(recur_workday_is(&holidays, day("2026-12-23")));
    assert_false(recur_workday_is(&holidays, day("2026-12-24")));
    assert_true(recur_workday_is(NULL, day("2026-12-24")));
    assert_false(recur_workday_is(NULL, day("2026-12-26")));
    /* Walking day by day, the numbers grow by one with every workday, and lead back. */
    for (int pass = 0; pass < 2; pass++) {
        const struct recur_holidays *list = pass ? &holidays : NULL;
        int64_t number = recur_workday_index(list, day("1960-01-01"));
        for (int64_t d = day("1960-01-01"); d < day("2040-01-01"); d++) {
            assert_int_equal(recur_workday_index(list, d), number);
            if (recur_workday_is(list, d)) {
                assert_int_equal(recur_workday_at(list, number), d);
                number++;
            }
        }
    }
}

static void adding(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        int64_t n;
        const char *plain, *with_holidays;
    } rows[] = {
        {"2026-12-23", 1, "2026-12-24", "2026-12-28"},
        {"2026-12-23", 7, "2027-01-01", "2027-01-06"},
        {"2026-12-23", 0, "2026-12-23", "2026-12-23"},
        {"2026-12-24", 0, "2026-12-24", "2026-12-28"},
        {"2026-12-26", 1, "2026-12-28", "2026-12-28"},
        {"2026-12-28", -1, "2026-12-25", "2026-12-23"},
        {"2026-12-27", -1, "2026-12-25", "2026-12-23"},
        {"2026-12-01", 261, "2027-12-01", "2027-12-06"},
    };
    int64_t days[6];
    struct recur_holidays holidays = christmas(days);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(recur_workday_add(NULL, day(rows[i].from), rows[i].n), day(rows[i].plain));
        assert_int_equal(recur_workday_add(&holidays, day(rows[i].from), rows[i].n),
                         day(rows[i].with_holidays));
    }
}

static void places_in_the_month(void **state)
{
    (void)state;
    int64_t days[6];
    struct recur_holidays holidays = christmas(days);
    int64_t found = 0;
    assert_true(recur_workday_nth(NULL, 2026, 8, 1, &found));
    assert_int_equal(found, day("2026-08-03"));
    assert_true(recur_workday_nth(NULL, 2026, 8, -1, &found));
    assert_int_equal(found, day("2026-08-31"));
    assert_true(recur_workday_nth(&holidays, 2027, 1, 1, &found));
    assert_int_equal(found, day("2027-01-04"));
    assert_true(recur_workday_nth(&holidays, 2026, 12, 18, &found));
    assert_int_equal(found, day("2026-12-28"));
    assert_true(recur_workday_nth(&holidays, 2026, 12, -21, &found));
    assert_int_equal(found, day("2026-12-01"));
    assert_false(recur_workday_nth(&holidays, 2026, 12, 22, &found));
    assert_false(recur_workday_nth(&holidays, 2026, 12, -22, &found));
    assert_false(recur_workday_nth(&holidays, 2026, 12, 0, &found));
}

static void expect(struct recur_spec *spec, const char *const *texts, int count)
{
    struct recur_set set;
    struct recur_iter iter;
    struct recur_occurrence found;
    assert_int_equal(recur_set_init(&set, spec), BASE_OK);
    recur_iter_init(&iter, &set, INT64_MIN);
    for (int i = 0; i < count; i++) {
        assert_int_equal(recur_iter_next(&iter, &found), RECUR_FOUND);
        assert_int_equal(found.wall_s, day(texts[i]) * 86400 + 9 * 3600);
        if (i == 0)
            continue;
        assert_int_equal(recur_last_until(&set, found.wall_s - 1, &found), RECUR_FOUND);
        assert_int_equal(found.wall_s, day(texts[i - 1]) * 86400 + 9 * 3600);
    }
}

static void rules_in_workdays(void **state)
{
    (void)state;
    int64_t days[6];
    struct recur_holidays holidays = christmas(days);
    struct recur_rule rule = recur_rule_every(RECUR_DAILY, 3);
    struct recur_spec spec = {.rule = &rule, .start = {2026, 12, 19, 9, 0, 0}};
    rule.workday = true;
    /* The start is a Saturday: counting begins with Monday. */
    expect(&spec, (const char *[]){"2026-12-21", "2026-12-24", "2026-12-29", "2027-01-01"}, 4);
    spec.holidays = &holidays;
    expect(&spec, (const char *[]){"2026-12-21", "2026-12-28", "2026-12-31", "2027-01-06"}, 4);

    rule = recur_rule_every(RECUR_MONTHLY, 1);
    rule.workday = true;
    rule.positions[0] = 1;
    rule.positions_back[0] = 1;
    expect(&spec, (const char *[]){"2026-12-31", "2027-01-04", "2027-01-29", "2027-02-01"}, 4);

    rule = recur_rule_every(RECUR_DAILY, 2);
    rule.workday = true;
    rule.count = 3;
    struct recur_set set;
    struct recur_occurrence found;
    assert_int_equal(recur_set_init(&set, &spec), BASE_OK);
    assert_int_equal(recur_last_until(&set, INT64_MAX, &found), RECUR_FOUND);
    assert_int_equal(found.wall_s, day("2026-12-29") * 86400 + 9 * 3600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_put_in_order),
        cmocka_unit_test(days_and_numbers),
        cmocka_unit_test(adding),
        cmocka_unit_test(places_in_the_month),
        cmocka_unit_test(rules_in_workdays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
