/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tasks/recur/pattern.h"

static void written_in_canonical_form(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"{\"frequency\":\"daily\"}", "{\"frequency\":\"daily\",\"interval\":1,\"anchor\":"
                                      "\"schedule\",\"rrule\":\"FREQ=DAILY\"}"},
        {"{\"frequency\":\"weekly\",\"interval\":2,\"by_day\":[\"WE\",\"MO\"],\"week_start\":"
         "\"SU\","
         "\"ends\":{\"until\":\"2026-12-24\"},\"anchor\":\"completion\"}",
         "{\"frequency\":\"weekly\",\"interval\":2,\"by_day\":[\"MO\",\"WE\"],\"week_start\":"
         "\"SU\","
         "\"ends\":{\"until\":\"2026-12-24\"},\"anchor\":\"completion\","
         "\"rrule\":\"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;WKST=SU;UNTIL=20261224\"}"},
        {"{\"frequency\":\"monthly\",\"by_month_day\":[-1,15],\"by_hour\":[9],\"by_minute\":[30],"
         "\"ends\":{\"count\":10},\"rrule\":null}",
         "{\"frequency\":\"monthly\",\"interval\":1,\"by_month_day\":[15,-1],\"by_hour\":[9],"
         "\"by_minute\":[30],\"ends\":{\"count\":10},\"anchor\":\"schedule\","
         "\"rrule\":\"FREQ=MONTHLY;BYMONTHDAY=15,-1;BYHOUR=9;BYMINUTE=30;COUNT=10\"}"},
        {"{\"frequency\":\"custom\",\"rrule\":\"FREQ=MONTHLY;BYDAY=-1FR;BYSETPOS=1\","
         "\"exceptions\":[\"2026-12-25T09:00\",\"2026-11-27\",\"2026-12-25T09:00:00\"],"
         "\"additions\":[\"2026-12-23T09:00:00\"]}",
         "{\"frequency\":\"monthly\",\"interval\":1,\"by_day\":[\"-1FR\"],\"by_set_pos\":[1],"
         "\"exceptions\":[\"2026-11-27\",\"2026-12-25T09:00:00\"],"
         "\"additions\":[\"2026-12-23T09:00:00\"],\"anchor\":\"schedule\","
         "\"rrule\":\"FREQ=MONTHLY;BYDAY=-1FR;BYSETPOS=1\"}"},
        {"{\"frequency\":\"custom\",\"unit\":\"workday\",\"interval\":3}",
         "{\"frequency\":\"custom\",\"unit\":\"workday\",\"interval\":3,\"anchor\":\"schedule\","
         "\"rrule\":null}"},
        {"{\"unit\":\"workday\",\"nth\":[-1,1],\"frequency\":\"custom\"}",
         "{\"frequency\":\"custom\",\"unit\":\"workday\",\"interval\":1,\"nth\":[1,-1],"
         "\"anchor\":\"schedule\",\"rrule\":null}"},
        {"{\"frequency\":\"yearly\",\"by_week_no\":[20],\"by_year_day\":[140],\"by_month\":[5],"
         "\"ends\":{\"until\":\"2026-12-24T18:00:00+01:00\"}}",
         "{\"frequency\":\"yearly\",\"interval\":1,\"by_month\":[5],\"by_week_no\":[20],"
         "\"by_year_day\":[140],\"ends\":{\"until\":\"2026-12-24T17:00:00Z\"},"
         "\"anchor\":\"schedule\",\"rrule\":\"FREQ=YEARLY;BYMONTH=5;BYWEEKNO=20;BYYEARDAY=140;"
         "UNTIL=20261224T170000Z\"}"},
        {"{\"frequency\":\"custom\",\"rrule\":\"FREQ=SECONDLY;INTERVAL=600\"}",
         "{\"frequency\":\"custom\",\"interval\":600,\"anchor\":\"schedule\","
         "\"rrule\":\"FREQ=SECONDLY;INTERVAL=600\"}"},
        {"{\"frequency\":\"weekly\",\"ends\":{\"count\":3},\"rrule\":\"FREQ=WEEKLY;BYDAY=MO\"}",
         "{\"frequency\":\"weekly\",\"interval\":1,\"by_day\":[\"MO\"],\"ends\":{\"count\":3},"
         "\"anchor\":\"schedule\",\"rrule\":\"FREQ=WEEKLY;BYDAY=MO;COUNT=3\"}"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct base_arena arena;
        struct base_buf buf;
        struct recur_pattern pattern;
        struct recur_error error = {.part = ""};
        base_arena_init(&arena, 1 << 16);
        base_buf_init(&buf, 4096);
        enum base_err err = recur_pattern_parse(base_sv_from(rows[i][0]), &arena, &pattern, &error);
        if (err)
            fail_msg("%s: %s %s", rows[i][0], error.part, error.why);
        recur_pattern_write(&buf, &pattern);
        assert_string_equal(buf.data, rows[i][1]);
        /* And it reads back. */
        assert_int_equal(recur_pattern_parse(base_buf_sv(&buf), &arena, &pattern, &error), BASE_OK);
        base_buf_reset(&buf);
        recur_pattern_write(&buf, &pattern);
        assert_string_equal(buf.data, rows[i][1]);
        base_buf_done(&buf);
        base_arena_done(&arena);
    }
}

static void refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum base_err err;
        const char *part;
    } rows[] = {
        {"", BASE_MALFORMED, "recurrence_pattern"},
        {"[]", BASE_MALFORMED, "recurrence_pattern"},
        {"{}", BASE_MALFORMED, "frequency"},
        {"{\"frequency\":\"secondly\"}", BASE_MALFORMED, "frequency"},
        {"{\"frequency\":\"Daily\"}", BASE_MALFORMED, "frequency"},
        {"{\"frequency\":7}", BASE_MALFORMED, "frequency"},
        {"{\"frequency\":\"daily\",\"frequency\":\"daily\"}", BASE_MALFORMED, "recurrence_pattern"},
        {"{\"frequency\":\"daily\",\"often\":1}", BASE_MALFORMED, "often"},
        {"{\"frequency\":\"daily\",\"interval\":0}", BASE_MALFORMED, "interval"},
        {"{\"frequency\":\"daily\",\"interval\":\"2\"}", BASE_MALFORMED, "interval"},
        {"{\"frequency\":\"daily\",\"interval\":1.5}", BASE_MALFORMED, "interval"},
        {"{\"frequency\":\"weekly\",\"by_day\":\"MO\"}", BASE_MALFORMED, "by_day"},
        {"{\"frequency\":\"weekly\",\"by_day\":[\"MO\",\"XX\"]}", BASE_MALFORMED, "by_day[1]"},
        {"{\"frequency\":\"weekly\",\"by_day\":[\"2MO\"]}", BASE_UNPROCESSABLE, "by_day"},
        {"{\"frequency\":\"monthly\",\"by_month_day\":[1,0]}", BASE_MALFORMED, "by_month_day[1]"},
        {"{\"frequency\":\"monthly\",\"by_month_day\":[32]}", BASE_MALFORMED, "by_month_day[0]"},
        {"{\"frequency\":\"monthly\",\"by_set_pos\":[1]}", BASE_UNPROCESSABLE, "by_set_pos"},
        {"{\"frequency\":\"daily\",\"by_hour\":[-1]}", BASE_MALFORMED, "by_hour[0]"},
        {"{\"frequency\":\"daily\",\"week_start\":\"2MO\"}", BASE_MALFORMED, "week_start"},
        {"{\"frequency\":\"daily\",\"ends\":5}", BASE_MALFORMED, "ends"},
        {"{\"frequency\":\"daily\",\"ends\":{}}", BASE_MALFORMED, "ends"},
        {"{\"frequency\":\"daily\",\"ends\":{\"count\":1,\"until\":\"2026-12-24\"}}",
         BASE_MALFORMED, "ends"},
        {"{\"frequency\":\"daily\",\"ends\":{\"count\":0}}", BASE_MALFORMED, "ends.count"},
        {"{\"frequency\":\"daily\",\"ends\":{\"until\":\"2026-02-30\"}}", BASE_MALFORMED,
         "ends.until"},
        {"{\"frequency\":\"daily\",\"exceptions\":[\"2026-12-24\",\"x\"]}", BASE_MALFORMED,
         "exceptions[1]"},
        {"{\"frequency\":\"daily\",\"additions\":[\"2026-12-24\"]}", BASE_MALFORMED,
         "additions[0]"},
        {"{\"frequency\":\"daily\",\"anchor\":\"done\"}", BASE_MALFORMED, "anchor"},
        {"{\"frequency\":\"daily\",\"unit\":\"workday\"}", BASE_MALFORMED, "unit"},
        {"{\"frequency\":\"custom\",\"unit\":\"week\"}", BASE_MALFORMED, "unit"},
        {"{\"frequency\":\"custom\"}", BASE_MALFORMED, "rrule"},
        {"{\"frequency\":\"custom\",\"rrule\":null}", BASE_MALFORMED, "rrule"},
        {"{\"frequency\":\"custom\",\"rrule\":\"FREQ=WEEKLY;BYDAY=XX\"}", BASE_MALFORMED, "rrule"},
        {"{\"frequency\":\"daily\",\"nth\":[1]}", BASE_MALFORMED, "nth"},
        {"{\"frequency\":\"custom\",\"unit\":\"workday\",\"nth\":[24]}", BASE_MALFORMED, "nth[0]"},
        {"{\"frequency\":\"custom\",\"unit\":\"workday\",\"by_day\":[\"MO\"]}", BASE_UNPROCESSABLE,
         "unit"},
        {"{\"frequency\":\"daily\",\"rrule\":\"FREQ=WEEKLY\"}", BASE_UNPROCESSABLE, "frequency"},
        {"{\"frequency\":\"weekly\",\"by_day\":[\"MO\"],\"rrule\":\"FREQ=WEEKLY;BYDAY=TU\"}",
         BASE_UNPROCESSABLE, "by_day"},
        {"{\"frequency\":\"custom\",\"by_hour\":[9],\"rrule\":\"FREQ=WEEKLY;BYHOUR=10\"}",
         BASE_UNPROCESSABLE, "by_hour"},
        {"{\"frequency\":\"custom\",\"ends\":{\"count\":2},\"rrule\":\"FREQ=DAILY;COUNT=3\"}",
         BASE_UNPROCESSABLE, "ends"},
        {"{\"frequency\":\"minutely\",\"interval\":4}", BASE_UNPROCESSABLE, "interval"},
        {"{\"frequency\":\"hourly\",\"by_minute\":[0,4]}", BASE_UNPROCESSABLE, "interval"},
        {"{\"frequency\":\"custom\",\"rrule\":\"FREQ=SECONDLY\"}", BASE_UNPROCESSABLE, "rrule"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct base_arena arena;
        struct recur_pattern pattern = {.exdate_count = 77};
        struct recur_error error = {.part = ""};
        base_arena_init(&arena, 1 << 16);
        enum base_err err =
            recur_pattern_parse(base_sv_from(rows[i].json), &arena, &pattern, &error);
        if (err != rows[i].err || strcmp(error.part, rows[i].part) != 0 || !error.why[0])
            fail_msg("%s: %s, \"%s\": %s", rows[i].json, base_err_code(err), error.part, error.why);
        assert_int_equal(pattern.exdate_count, 77);
        base_arena_done(&arena);
    }
}

static void limits(void **state)
{
    (void)state;
    static char text[RECUR_PATTERN_TEXT_MAX + 2];
    struct base_arena arena;
    struct recur_pattern pattern;
    struct recur_error error;
    memset(text, ' ', sizeof(text));
    base_arena_init(&arena, 16);
    assert_int_equal(
        recur_pattern_parse(base_sv(text, RECUR_PATTERN_TEXT_MAX + 1), &arena, &pattern, &error),
        BASE_TOO_LARGE);
    /* An arena that is exhausted. */
    assert_int_equal(
        recur_pattern_parse(SV("{\"frequency\":\"daily\",\"exceptions\":[\"2026-12-24\"]}"), &arena,
                            &pattern, &error),
        BASE_NO_MEMORY);
    base_arena_done(&arena);
}

static void every_prefix(void **state)
{
    (void)state;
    struct base_sv whole =
        SV("{\"frequency\":\"monthly\",\"by_day\":[\"-1FR\"],\"ends\":{\"until\":\"2026-12-24\"},"
           "\"exceptions\":[\"2026-11-27\"],\"anchor\":\"completion\",\"rrule\":null}");
    for (size_t len = 0; len <= whole.len; len++) {
        struct base_arena arena;
        struct recur_pattern pattern;
        struct recur_error error;
        char *copy = test_malloc(len ? len : 1);
        memcpy(copy, whole.ptr, len);
        base_arena_init(&arena, 1 << 16);
        assert_int_equal(recur_pattern_parse(base_sv(copy, len), &arena, &pattern, &error),
                         len == whole.len ? BASE_OK : BASE_MALFORMED);
        base_arena_done(&arena);
        test_free(copy);
    }
}

static void becomes_a_spec(void **state)
{
    (void)state;
    struct base_arena arena;
    struct recur_pattern pattern;
    struct recur_error error;
    struct recur_set set;
    struct recur_occurrence found;
    base_arena_init(&arena, 1 << 16);
    assert_int_equal(
        recur_pattern_parse(SV("{\"frequency\":\"daily\",\"exceptions\":[\"2026-12-02\","
                               "\"2026-12-03T09:00:00\"],\"additions\":[\"2026-12-03T10:00:00\"]}"),
                            &arena, &pattern, &error),
        BASE_OK);
    struct recur_spec spec = recur_pattern_spec(&pattern);
    spec.start = (struct time_civil){2026, 12, 1, 9, 0, 0};
    assert_int_equal(recur_set_init(&set, &spec), BASE_OK);
    assert_int_equal(recur_first_from(&set, time_civil_seconds(spec.start) + 1, &found),
                     RECUR_FOUND);
    assert_int_equal(found.wall.day, 3);
    assert_int_equal(found.wall.hour, 10);
    base_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_in_canonical_form),
        cmocka_unit_test(refused_by_name),
        cmocka_unit_test(limits),
        cmocka_unit_test(every_prefix),
        cmocka_unit_test(becomes_a_spec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
