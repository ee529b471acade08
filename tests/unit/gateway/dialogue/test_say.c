/* SPDX-License-Identifier: Apache-2.0 */
/* Phrases, times and durations in words; places in a list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/dialogue/handler.h"
#include "lib/base/clock.h"

static const struct time_zone *berlin(void)
{
    const struct time_zone *zone;
    assert_int_equal(time_zone_load(SV("Europe/Berlin"), &zone), BASE_OK);
    return zone;
}

static int64_t instant(const char *text)
{
    int64_t at = 0;
    assert_true(base_time_parse(base_sv_from(text), &at));
    return at;
}

static void assert_said(struct base_buf *buf, const char *want)
{
    assert_true(base_buf_ok(buf));
    assert_string_equal(buf->data, want);
    base_buf_done(buf);
}

static void test_phrases(void **state)
{
    struct base_buf buf;
    (void)state;
    base_buf_init(&buf, 1000);
    GW_SAY(&buf, GW_EN, SAY_AT, SV("%2"), SV("9%")); /* what is filled in is not read again */
    assert_said(&buf, "%2 at 9%");
    base_buf_init(&buf, 1000);
    GW_SAY(&buf, GW_DE, SAY_AT, SV("morgen"), SV("09:00"));
    assert_said(&buf, "morgen um 09:00");
    assert_int_equal(gw_language(SV("de-AT")), GW_DE);
    assert_int_equal(gw_language(SV("DE")), GW_DE);
    assert_int_equal(gw_language(SV("fr")), GW_EN);
    assert_int_equal(gw_language(SV_NULL), GW_EN);
}

static void test_instants(void **state)
{
    static const struct {
        const char *at, *en, *de;
    } rows[] = {
        {"2026-11-24T10:00:00Z", "today at 11:00", "heute um 11:00"},
        {"2026-11-23T23:30:00Z", "today at 00:30", "heute um 00:30"},
        {"2026-11-25T08:00:00Z", "tomorrow at 09:00", "morgen um 09:00"},
        {"2026-11-23T08:00:00Z", "yesterday at 09:00", "gestern um 09:00"},
        {"2026-11-27T13:00:00Z", "Fri 27 Nov at 14:00", "Fr 27. Nov. um 14:00"},
        {"2027-01-04T08:00:00Z", "Mon 4 Jan 2027 at 09:00", "Mo 4. Jan. 2027 um 09:00"},
        {"2028-03-12T08:00:00Z", "12 Mar 2028 at 09:00", "12. März 2028 um 09:00"},
        {"2026-11-24T08:01:30Z", "today at 09:01:30",
         "heute um 09:01:30"}, /* near: seconds count */
        {"2026-11-24T08:20:30Z", "today at 09:20", "heute um 09:20"},
    };
    int64_t now = instant("2026-11-24T08:00:00Z");
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (int language = 0; language < GW_LANGUAGE_COUNT; language++) {
            struct base_buf buf;
            base_buf_init(&buf, 200);
            gw_say_instant(&buf, (enum gw_language)language, instant(rows[i].at), berlin(), now);
            assert_said(&buf, language == GW_DE ? rows[i].de : rows[i].en);
        }
}

static void test_due_elsewhere(void **state)
{
    struct task_due due = {.kind = TASK_DUE_ZONED,
                           .local = {.year = 2026, .month = 11, .day = 24, .hour = 15},
                           .zone = SV("America/New_York")};
    struct base_buf buf;
    (void)state;
    base_buf_init(&buf, 200);
    gw_say_due(&buf, GW_EN, &due, berlin(), instant("2026-11-24T08:00:00Z"));
    assert_said(&buf, "today at 15:00 (America/New_York)");
    due.kind = TASK_DUE_DATE;
    base_buf_init(&buf, 200);
    gw_say_due(&buf, GW_EN, &due, berlin(), instant("2026-11-24T08:00:00Z"));
    assert_said(&buf, "today");
}

static void test_durations(void **state)
{
    static const struct {
        int64_t seconds;
        const char *en, *de;
    } rows[] = {{45, "45 s", "45 s"},    {900, "15 min", "15 Min."}, {5400, "90 min", "90 Min."},
                {7200, "2 h", "2 Std."}, {86400, "1 d", "1 Tg."},    {1209600, "2 wk", "2 Wo."}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (int language = 0; language < GW_LANGUAGE_COUNT; language++) {
            struct base_buf buf;
            base_buf_init(&buf, 200);
            gw_say_duration(&buf, (enum gw_language)language, rows[i].seconds);
            assert_said(&buf, language == GW_DE ? rows[i].de : rows[i].en);
        }
}

static void test_places(void **state)
{
    static const struct {
        const char *text;
        int number;
    } rows[] = {
        {"2", 2},
        {"#2", 2},
        {"2.", 2},
        {"the second one", 2},
        {"The Third", 3},
        {"number 4", 4},
        {"last one", -1},
        {"die zweite", 2},
        {"der letzte", -1},
        {"the 2nd one", 2},
        {"first please!", 1},
        {"task 12", 12},
        {"", 0},
        {"the", 0},
        {"buy 2 apples", 0},
        {"2 3", 0},
        {"0", 0},
        {"-1", 0},
        {"99999999999999999999", 0},
        {"2x", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(gw_choice_number(base_sv_from(rows[i].text)), rows[i].number);
}

static void test_words(void **state)
{
    struct base_sv words[4];
    (void)state;
    assert_int_equal(gw_choice_words(SV("the meeting with \"Anna\""), words, 4), 2);
    assert_true(base_sv_eq_c(words[0], "meeting"));
    assert_true(base_sv_eq_c(words[1], "Anna"));
    assert_int_equal(gw_choice_words(SV("the one"), words, 4), 2); /* nothing else was said */
    assert_int_equal(gw_choice_words(SV("b c d e f"), words, 4), 4);
    assert_int_equal(gw_choice_words(SV("..."), words, 4), 0);
    assert_true(gw_choice_is_it(SV("it to")));
    assert_false(gw_choice_is_it(SV("it support")));
    assert_false(gw_choice_is_it(SV("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phrases),       cmocka_unit_test(test_instants),
        cmocka_unit_test(test_due_elsewhere), cmocka_unit_test(test_durations),
        cmocka_unit_test(test_places),        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
