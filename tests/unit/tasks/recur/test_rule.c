/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tasks/recur/rule.h"

static void prints_in_canonical_form(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"FREQ=DAILY", "FREQ=DAILY"},
        {"rrule:freq=daily;interval=1", "FREQ=DAILY"},
        {" RRULE:COUNT=3;FREQ=WEEKLY;BYDAY=fr,MO,FR ", "FREQ=WEEKLY;BYDAY=MO,FR;COUNT=3"},
        {"FREQ=MONTHLY;BYMONTHDAY=-1,+15,1;WKST=MO", "FREQ=MONTHLY;BYMONTHDAY=1,15,-1"},
        {"FREQ=YEARLY;BYDAY=-1SU,20MO,TU;BYMONTH=10,3",
         "FREQ=YEARLY;BYMONTH=3,10;BYDAY=20MO,TU,-1SU"},
        {"FREQ=YEARLY;BYYEARDAY=366,-366,200;BYWEEKNO=-53,1",
         "FREQ=YEARLY;BYWEEKNO=1,-53;BYYEARDAY=200,366,-366"},
        {"FREQ=HOURLY;BYSECOND=60,0;BYMINUTE=59;BYHOUR=23,0;INTERVAL=5",
         "FREQ=HOURLY;INTERVAL=5;BYHOUR=0,23;BYMINUTE=59;BYSECOND=0,59"},
        {"FREQ=DAILY;UNTIL=20261224", "FREQ=DAILY;UNTIL=20261224"},
        {"FREQ=DAILY;UNTIL=20261224t090000", "FREQ=DAILY;UNTIL=20261224T090000"},
        {"FREQ=DAILY;UNTIL=20261224T090000Z;WKST=SU", "FREQ=DAILY;WKST=SU;UNTIL=20261224T090000Z"},
        {"FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1,2,-366",
         "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=2,-1,-366"},
        {"FREQ=SECONDLY;INTERVAL=2147483647", "FREQ=SECONDLY;INTERVAL=2147483647"},
    };
    struct base_buf text;
    base_buf_init(&text, 512);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct recur_rule rule;
        assert_int_equal(recur_rule_parse(base_sv_from(rows[i][0]), &rule, NULL), BASE_OK);
        base_buf_reset(&text);
        recur_rule_print(&text, &rule);
        assert_string_equal(text.data, rows[i][1]);
    }
    base_buf_done(&text);
}

static void refuses_and_names_the_part(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum base_err err;
        const char *part;
    } rows[] = {
        {"", BASE_MALFORMED, "FREQ"},
        {"RRULE:", BASE_MALFORMED, "FREQ"},
        {"INTERVAL=2", BASE_MALFORMED, "FREQ"},
        {"FREQ=", BASE_MALFORMED, "FREQ"},
        {"FREQ=FORTNIGHTLY", BASE_MALFORMED, "FREQ"},
        {"FREQ=DAILY;FREQ=DAILY", BASE_MALFORMED, "FREQ"},
        {"FREQ=DAILY;", BASE_MALFORMED, "RRULE"},
        {"FREQ=DAILY;;COUNT=1", BASE_MALFORMED, "RRULE"},
        {"FREQ=DAILY;COUNT", BASE_MALFORMED, "COUNT"},
        {"FREQ=DAILY;COUNT=0", BASE_MALFORMED, "COUNT"},
        {"FREQ=DAILY;COUNT=2147483648", BASE_MALFORMED, "COUNT"},
        {"FREQ=DAILY;INTERVAL=-1", BASE_MALFORMED, "INTERVAL"},
        {"FREQ=DAILY;INTERVAL=1.5", BASE_MALFORMED, "INTERVAL"},
        {"FREQ=DAILY;UNTIL=20260229", BASE_MALFORMED, "UNTIL"},
        {"FREQ=DAILY;UNTIL=2026-12-24", BASE_MALFORMED, "UNTIL"},
        {"FREQ=DAILY;UNTIL=20261224T250000Z", BASE_MALFORMED, "UNTIL"},
        {"FREQ=DAILY;UNTIL=20261224T09000Z", BASE_MALFORMED, "UNTIL"},
        {"FREQ=DAILY;UNTIL=20261224T090000+01", BASE_MALFORMED, "UNTIL"},
        {"FREQ=DAILY;WKST=1", BASE_MALFORMED, "WKST"},
        {"FREQ=DAILY;BYDAY=", BASE_MALFORMED, "BYDAY"},
        {"FREQ=DAILY;BYDAY=MO,", BASE_MALFORMED, "BYDAY"},
        {"FREQ=MONTHLY;BYDAY=0MO", BASE_MALFORMED, "BYDAY"},
        {"FREQ=MONTHLY;BYDAY=54MO", BASE_MALFORMED, "BYDAY"},
        {"FREQ=MONTHLY;BYDAY=--1MO", BASE_MALFORMED, "BYDAY"},
        {"FREQ=DAILY;BYHOUR=24", BASE_MALFORMED, "BYHOUR"},
        {"FREQ=DAILY;BYHOUR=-1", BASE_MALFORMED, "BYHOUR"},
        {"FREQ=DAILY;BYMINUTE=60", BASE_MALFORMED, "BYMINUTE"},
        {"FREQ=DAILY;BYSECOND=61", BASE_MALFORMED, "BYSECOND"},
        {"FREQ=DAILY;BYMONTH=0", BASE_MALFORMED, "BYMONTH"},
        {"FREQ=DAILY;BYMONTH=13", BASE_MALFORMED, "BYMONTH"},
        {"FREQ=DAILY;BYMONTHDAY=0", BASE_MALFORMED, "BYMONTHDAY"},
        {"FREQ=DAILY;BYMONTHDAY=-32", BASE_MALFORMED, "BYMONTHDAY"},
        {"FREQ=YEARLY;BYYEARDAY=367", BASE_MALFORMED, "BYYEARDAY"},
        {"FREQ=YEARLY;BYWEEKNO=54", BASE_MALFORMED, "BYWEEKNO"},
        {"FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0", BASE_MALFORMED, "BYSETPOS"},
        {"FREQ=DAILY;BYEASTER=0", BASE_MALFORMED, "BYEASTER"},
        {"FREQ=DAILY;X\xc3\x28=1", BASE_MALFORMED, "RRULE"},
        {"FREQ=DAILY;COUNT=1;UNTIL=20261224", BASE_UNPROCESSABLE, "COUNT"},
        {"FREQ=WEEKLY;BYDAY=1MO", BASE_UNPROCESSABLE, "BYDAY"},
        {"FREQ=DAILY;BYDAY=-1MO", BASE_UNPROCESSABLE, "BYDAY"},
        {"FREQ=MONTHLY;BYSETPOS=1", BASE_UNPROCESSABLE, "BYSETPOS"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct recur_rule rule = {.interval = 77};
        struct recur_error error = {.part = ""};
        enum base_err err = recur_rule_parse(base_sv_from(rows[i].text), &rule, &error);
        if (err != rows[i].err || strcmp(error.part, rows[i].part) != 0 || !error.why[0])
            fail_msg("%s: %s, part \"%s\"", rows[i].text, base_err_code(err), error.part);
        assert_int_equal(rule.interval, 77);
    }
    assert_int_equal(recur_rule_parse(SV("FREQ=DAILY\0;"), &(struct recur_rule){0}, NULL),
                     BASE_MALFORMED);
}

static void too_long_a_text(void **state)
{
    (void)state;
    char text[RECUR_TEXT_MAX + 2];
    struct recur_rule rule;
    struct recur_error error;
    memset(text, ' ', sizeof(text));
    memcpy(text, "FREQ=DAILY", 10);
    assert_int_equal(recur_rule_parse(base_sv(text, RECUR_TEXT_MAX), &rule, &error), BASE_OK);
    assert_int_equal(recur_rule_parse(base_sv(text, RECUR_TEXT_MAX + 1), &rule, &error),
                     BASE_TOO_LARGE);
}

/* No prefix of a rule reads beyond its end (the sanitizers watch) or leaves the result half done.
 */
static void every_prefix(void **state)
{
    (void)state;
    struct base_sv whole = SV("RRULE:FREQ=YEARLY;INTERVAL=2;BYMONTH=1,12;BYWEEKNO=-1;BYYEARDAY=100;"
                              "BYMONTHDAY=31;BYDAY=-53SU,MO;BYHOUR=9;BYMINUTE=30;BYSECOND=0;"
                              "BYSETPOS=-1;WKST=SU;UNTIL=20261224T090000Z");
    for (size_t len = 0; len <= whole.len; len++) {
        char *copy = test_malloc(len ? len : 1);
        struct recur_rule rule = {.interval = 77};
        memcpy(copy, whole.ptr, len);
        bool accepted = recur_rule_parse(base_sv(copy, len), &rule, NULL) == BASE_OK;
        assert_int_equal(rule.interval == 77, !accepted);
        test_free(copy);
        if (len == whole.len)
            assert_true(accepted);
    }
}

static void spacing(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {
        {"FREQ=SECONDLY", 1},
        {"FREQ=SECONDLY;INTERVAL=300", 300},
        {"FREQ=SECONDLY;BYSECOND=0", 60},
        {"FREQ=SECONDLY;BYSECOND=0;BYMINUTE=0,20,40", 1200},
        {"FREQ=SECONDLY;BYSECOND=0;BYMINUTE=0;BYHOUR=9", 86400},
        {"FREQ=MINUTELY;INTERVAL=5", 300},
        {"FREQ=MINUTELY;INTERVAL=5;BYSECOND=0,30", 30},
        {"FREQ=MINUTELY;BYMINUTE=0,30", 1800},
        {"FREQ=MINUTELY;BYMINUTE=58,1", 180},
        {"FREQ=MINUTELY;BYMINUTE=0", 3600},
        {"FREQ=HOURLY", 3600},
        {"FREQ=HOURLY;INTERVAL=3;BYMINUTE=0,10", 600},
        {"FREQ=HOURLY;BYHOUR=9,12,18", 10800},
        {"FREQ=DAILY", 86400},
        {"FREQ=DAILY;INTERVAL=3", 259200},
        {"FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0", 3600},
        {"FREQ=DAILY;BYHOUR=23,1", 7200},
        {"FREQ=DAILY;BYHOUR=9;BYMINUTE=0,4", 240},
        {"FREQ=WEEKLY", 604800},
        {"FREQ=WEEKLY;BYDAY=MO,TU", 86400},
        {"FREQ=MONTHLY", 28 * 86400},
        {"FREQ=YEARLY;INTERVAL=2", 730 * 86400},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct recur_rule rule;
        assert_int_equal(recur_rule_parse(base_sv_from(rows[i].text), &rule, NULL), BASE_OK);
        if (recur_rule_min_spacing(&rule) != rows[i].seconds)
            fail_msg("%s: %lld", rows[i].text, (long long)recur_rule_min_spacing(&rule));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_in_canonical_form),
        cmocka_unit_test(refuses_and_names_the_part),
        cmocka_unit_test(too_long_a_text),
        cmocka_unit_test(every_prefix),
        cmocka_unit_test(spacing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
