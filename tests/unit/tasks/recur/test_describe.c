/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tasks/recur/describe.h"

static const struct {
    const char *rrule, *english, *german;
} rows[] = {
    {"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20261224",
     "every 2 weeks on Mon and Wed until 24 Dec", "alle 2 Wochen am Mo und Mi bis 24. Dez."},
    {"FREQ=DAILY", "every day", "jeden Tag"},
    {"FREQ=DAILY;INTERVAL=3;COUNT=10", "every 3 days, 10 times", "alle 3 Tage, 10-mal"},
    {"FREQ=DAILY;COUNT=1", "every day, once", "jeden Tag, einmal"},
    {"FREQ=DAILY;UNTIL=20270101T000000Z", "every day until 1 Jan 2027",
     "jeden Tag bis 1. Jan. 2027"},
    {"FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every weekday (Mon to Fri)",
     "jeden Wochentag (Mo bis Fr)"},
    {"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR", "every 2 weeks on Mon, Tue, Wed, Thu and Fri",
     "alle 2 Wochen am Mo, Di, Mi, Do und Fr"},
    {"FREQ=WEEKLY;BYDAY=SU;WKST=SU", "every week on Sun, weeks from Sun",
     "jede Woche am So, Wochen ab So"},
    {"FREQ=MONTHLY;BYMONTHDAY=1,15,31", "every month on the 1st, 15th and 31st",
     "jeden Monat am 1., 15. und 31."},
    {"FREQ=MONTHLY;BYMONTHDAY=-1", "every month on the last day", "jeden Monat am letzten Tag"},
    {"FREQ=MONTHLY;BYMONTHDAY=-2", "every month on the 2nd-to-last day",
     "jeden Monat am vorletzten Tag"},
    {"FREQ=MONTHLY;BYMONTHDAY=-10", "every month on the 10th-to-last day",
     "jeden Monat am 10.-letzten Tag"},
    {"FREQ=MONTHLY;BYMONTHDAY=2,3,11,12,13,22,23",
     "every month on the 2nd, 3rd, 11th, 12th, 13th, 22nd and 23rd",
     "jeden Monat am 2., 3., 11., 12., 13., 22. und 23."},
    {"FREQ=MONTHLY;BYDAY=2TU,-1FR", "every month on the 2nd Tue and last Fri",
     "jeden Monat am 2. Di und letzten Fr"},
    {"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "every month on the last weekday",
     "jeden Monat am letzten Wochentag"},
    {"FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1,-1",
     "every month on Mon and Tue, only the 1st and last of these",
     "jeden Monat am Mo und Di, davon nur am 1. und letzten"},
    {"FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24", "every year on 24 Dec", "jedes Jahr am 24. Dez."},
    {"FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU", "every year on the last Sun in Mar and Oct",
     "jedes Jahr am letzten So im März und Okt."},
    {"FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "every year on Mon in week 20",
     "jedes Jahr am Mo in KW 20"},
    {"FREQ=YEARLY;BYYEARDAY=100,-1", "every year on the 100th and last day of the year",
     "jedes Jahr am 100. und letzten Tag des Jahres"},
    {"FREQ=DAILY;BYHOUR=9,18;BYMINUTE=0", "every day at 09:00 and 18:00",
     "jeden Tag um 09:00 und 18:00"},
    {"FREQ=HOURLY;BYMINUTE=0,30;BYHOUR=9", "every hour in hours 9 at minutes 0 and 30",
     "jede Stunde in den Stunden 9 zu den Minuten 0 und 30"},
    {"FREQ=MINUTELY;INTERVAL=15", "every 15 minutes", "alle 15 Minuten"},
};

static void in_both_languages(void **state)
{
    (void)state;
    struct base_buf text;
    base_buf_init(&text, 512);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct recur_rule rule;
        assert_int_equal(recur_rule_parse(base_sv_from(rows[i].rrule), &rule, NULL), BASE_OK);
        base_buf_reset(&text);
        recur_describe(&text, &rule, RECUR_ENGLISH, 2026);
        assert_string_equal(text.data, rows[i].english);
        base_buf_reset(&text);
        recur_describe(&text, &rule, RECUR_GERMAN, 2026);
        assert_string_equal(text.data, rows[i].german);
    }
    base_buf_done(&text);
}

static void workdays(void **state)
{
    (void)state;
    static const struct {
        enum recur_freq freq;
        uint32_t interval;
        const char *english, *german;
    } cases[] = {
        {RECUR_DAILY, 1, "every workday", "jeden Arbeitstag"},
        {RECUR_DAILY, 3, "every 3 workdays", "alle 3 Arbeitstage"},
        {RECUR_MONTHLY, 1, "every month on the 1st and last workday",
         "jeden Monat am 1. und letzten Arbeitstag"},
    };
    struct base_buf text;
    base_buf_init(&text, 512);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct recur_rule rule = recur_rule_every(cases[i].freq, cases[i].interval);
        rule.workday = true;
        rule.positions[0] = rule.positions_back[0] = cases[i].freq == RECUR_MONTHLY;
        base_buf_reset(&text);
        recur_describe(&text, &rule, RECUR_ENGLISH, 0);
        assert_string_equal(text.data, cases[i].english);
        base_buf_reset(&text);
        recur_describe(&text, &rule, RECUR_GERMAN, 0);
        assert_string_equal(text.data, cases[i].german);
    }
    base_buf_done(&text);
}

static void languages(void **state)
{
    (void)state;
    assert_int_equal(recur_language_of(SV("de")), RECUR_GERMAN);
    assert_int_equal(recur_language_of(SV("de-AT")), RECUR_GERMAN);
    assert_int_equal(recur_language_of(SV("DE_de")), RECUR_GERMAN);
    assert_int_equal(recur_language_of(SV("den")), RECUR_ENGLISH);
    assert_int_equal(recur_language_of(SV("en-GB")), RECUR_ENGLISH);
    assert_int_equal(recur_language_of(SV_NULL), RECUR_ENGLISH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_both_languages),
        cmocka_unit_test(workdays),
        cmocka_unit_test(languages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
