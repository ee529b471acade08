/* SPDX-License-Identifier: Apache-2.0 */
/* Messages and the commands they must become, field by field. Written on Wednesday, 11 March 2026,
 * at 9:30. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "nlu/nlu.h"

static struct nlu *nlu;
static struct nlu_scratch *scratch;
static struct base_arena arena;

static int set_up(void **state)
{
    (void)state;
    base_arena_init(&arena, 1 << 20);
    return nlu_new(NULL, &nlu, NULL) != BASE_OK || nlu_scratch_new(nlu, &scratch) != BASE_OK;
}

static int tear_down(void **state)
{
    (void)state;
    nlu_scratch_free(scratch);
    nlu_free(nlu);
    base_arena_done(&arena);
    return 0;
}

static struct nlu_result parse(const char *text)
{
    struct time_civil now = {.year = 2026, .month = 3, .day = 11, .hour = 9, .minute = 30};
    struct nlu_input input = {.text = base_sv_from(text),
                              .zone = time_zone_utc(),
                              .now_us = time_zone_instant(time_zone_utc(), now, NULL)};
    struct nlu_result result = {0};
    base_arena_reset(&arena);
    assert_int_equal(nlu_parse(nlu, scratch, &input, &arena, &result), BASE_OK);
    assert_true(result.command_count >= 1);
    return result;
}

static void assert_sv(struct base_sv found, const char *expected)
{
    char text[256] = "";
    assert_true(found.len == 0 || base_sv_cstr(found, text, sizeof(text)));
    assert_string_equal(text, expected);
}

static void assert_when(const struct nlu_when *when, const char *expected)
{
    struct base_buf buf;
    base_buf_init(&buf, 64);
    if (when->set && when->has_time)
        time_civil_format(&buf, when->at);
    else if (when->set)
        time_date_format(&buf, when->at);
    assert_sv(base_buf_sv(&buf), expected);
    base_buf_done(&buf);
}

static void tasks_are_read_whole(void **state)
{
    (void)state;
    static const struct {
        const char *text, *intent, *title, *due, *rrule;
        int priority;
    } CASES[] = {
        {"remind me to call mum tomorrow at 9", "reminder.set", "call mum", "2026-03-12T09:00:00",
         "", 0},
        {"remind me to stretch in 5 seconds", "reminder.set", "stretch", "2026-03-11T09:30:05", "",
         0},
        {"buy milk on friday", "task.create", "buy milk", "2026-03-13", "", 0},
        {"add task water the plants", "task.create", "water the plants", "", "", 0},
        {"tomorrow remind me to email the landlord about the boiler", "reminder.set",
         "email the landlord about the boiler", "2026-03-12", "", 0},
        {"finish the report by thursday 5pm p1 #work", "task.create", "finish the report",
         "2026-03-12T17:00:00", "", 4},
        {"write the monday newsletter draft by friday", "task.create",
         "write the monday newsletter draft", "2026-03-13", "", 0},
        {"take out the trash every monday and thursday at 7am", "task.create", "take out the trash",
         "2026-03-12T07:00:00", "FREQ=WEEKLY;BYDAY=MO,TH", 0},
        {"rent every month on the last day at 8am", "task.create", "rent", "2026-03-31T08:00:00",
         "FREQ=MONTHLY;BYMONTHDAY=-1", 0},
        {"water the plants every 3 days", "task.create", "water the plants", "2026-03-11",
         "FREQ=DAILY;INTERVAL=3", 0},
        {"urgent: call the bank today at 4:30 pm", "task.create", "call the bank",
         "2026-03-11T16:30:00", "", 4},
        {"Eat more kale this month", "task.create", "Eat more kale", "2026-03-31", "", 0},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        struct nlu_result result = parse(CASES[i].text);
        const struct nlu_command *c = &result.commands[0];
        (void)printf("  %s\n", CASES[i].text);
        assert_string_equal(nlu_intent_name(c->intent), CASES[i].intent);
        assert_sv(c->fields.title, CASES[i].title);
        assert_when(&c->fields.due, CASES[i].due);
        assert_sv(c->fields.rrule, CASES[i].rrule);
        assert_int_equal(c->fields.priority, CASES[i].priority);
    }
}

static void titles_stay_whole(void **state)
{
    (void)state;
    static const char *const TITLES[] = {
        "Marathon training plan",
        "monitor Monday.com",
        "paprika",
        "read 'Sunday Times'",
        "watch the march of the penguins",
        "ask about the second floor",
        "order 12 eggs",
        "look at 9 houses",
        "fix bug 404 on example.com/today",
    };
    for (size_t i = 0; i < sizeof(TITLES) / sizeof(*TITLES); i++) {
        struct nlu_result result = parse(TITLES[i]);
        assert_sv(result.commands[0].fields.title, TITLES[i]);
        assert_false(result.commands[0].fields.due.set);
    }
}

static void existing_tasks_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *intent, *target;
        enum nlu_ref ref;
        int number;
    } CASES[] = {
        {"done", "task.complete", "", NLU_REF_NONE, 0},
        {"done with milk", "task.complete", "milk", NLU_REF_NONE, 0},
        {"complete 2", "task.complete", "", NLU_REF_NONE, 2},
        {"check off bananas from my grocery list", "task.complete", "bananas", NLU_REF_NONE, 0},
        {"delete milk", "task.delete", "milk", NLU_REF_NONE, 0},
        {"delete the second one", "task.delete", "", NLU_REF_NONE, 2},
        {"delete the last one", "task.delete", "", NLU_REF_NONE, -1},
        {"delete everything", "task.delete", "", NLU_REF_ALL, 0},
        {"move it to friday", "task.update", "", NLU_REF_LAST, 0},
        {"rename task 3 to buy oat milk", "task.update", "", NLU_REF_NONE, 3},
        {"skip yoga this tuesday", "occurrence.skip", "yoga", NLU_REF_NONE, 0},
        {"stop reminding me about the pills", "reminder.cancel", "the pills", NLU_REF_NONE, 0},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        struct nlu_result result = parse(CASES[i].text);
        const struct nlu_command *c = &result.commands[0];
        (void)printf("  %s\n", CASES[i].text);
        assert_string_equal(nlu_intent_name(c->intent), CASES[i].intent);
        assert_sv(c->target.text, CASES[i].target);
        assert_int_equal(c->target.ref, CASES[i].ref);
        assert_int_equal(c->target.number, CASES[i].number);
    }
}

static void talk_is_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *intent;
    } CASES[] = {
        {"help", "help"},
        {"undo", "undo"},
        {"yes", "dialog.yes"},
        {"no, thanks", "dialog.no"},
        {"never mind", "dialog.cancel"},
        {"hello there", "chat.greet"},
        {"thanks a lot", "chat.thanks"},
        {"goodbye", "chat.bye"},
        {"snooze 10 minutes", "reminder.snooze"},
        {"why didn't you remind me?", "why"},
        {"set my time zone to Europe/Berlin", "settings"},
        {"what's due today", "task.list"},
        {"list my tasks", "task.list"},
        {"what's the weather tomorrow at 5pm", "out_of_scope"},
        {"play some jazz", "out_of_scope"},
        {"remind me who wrote hamlet", "out_of_scope"},
        {"every monday is a nightmare lol", "out_of_scope"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        (void)printf("  %s\n", CASES[i].text);
        struct nlu_result result = parse(CASES[i].text);
        assert_string_equal(nlu_intent_name(result.commands[0].intent), CASES[i].intent);
    }
}

static void extras_are_found(void **state)
{
    (void)state;
    struct nlu_result r =
        parse("dentist friday 3pm #health #kids +Family, remind me an hour before");
    const struct nlu_fields *f = &r.commands[0].fields;
    assert_int_equal(f->tag_count, 2);
    assert_sv(f->tags[0], "health");
    assert_sv(f->tags[1], "kids");
    assert_sv(f->project, "Family");
    assert_int_equal(f->reminder_count, 1);
    assert_true(f->reminders[0].relative);
    assert_int_equal(f->reminders[0].before_s, 3600);
    assert_when(&f->due, "2026-03-13T15:00:00");

    r = parse("yoga every tuesday at 6pm except march 24");
    assert_int_equal(r.commands[0].fields.exdate_count, 1);
    assert_when(&r.commands[0].fields.exdates[0], "2026-03-24");

    r = parse("mow the lawn every 2 weeks after i finish");
    assert_int_equal(r.commands[0].fields.anchor, NLU_ANCHOR_COMPLETION);

    r = parse("snooze for an hour");
    assert_int_equal(r.commands[0].fields.snooze_s, 3600);
}

static void tasks_in_one_line_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct {
            const char *intent, *title, *due;
        } tasks[3];
    } CASES[] = {
        {"remind me to call mum tomorrow at 9 and to feed the cat at 10",
         {{"reminder.set", "call mum", "2026-03-12T09:00:00"},
          {"reminder.set", "feed the cat", "2026-03-12T10:00:00"}}},
        {"call mum at 3pm and pick up the kids at 5pm and then cook dinner at 7pm",
         {{"task.create", "call mum", "2026-03-11T15:00:00"},
          {"task.create", "pick up the kids", "2026-03-11T17:00:00"},
          {"task.create", "cook dinner", "2026-03-11T19:00:00"}}},
        {"buy milk tomorrow, remind me to pay rent on friday",
         {{"task.create", "buy milk", "2026-03-12"}, {"reminder.set", "pay rent", "2026-03-13"}}},
        {"tomorrow call mum and on friday write the report",
         {{"task.create", "call mum", "2026-03-12"},
          {"task.create", "write the report", "2026-03-13"}}},
        {"remind me to buy milk and call the plumber tomorrow",
         {{"reminder.set", "buy milk and call the plumber", "2026-03-12"}}},
        {"add milk and eggs to my shopping list", {{"task.create", "milk and eggs", ""}}},
        {"add task call Bob tomorrow 9am and remind me 30 minutes before",
         {{"task.create", "call Bob", "2026-03-12T09:00:00"}}},
        {"erinnere mich morgen um 9 an den Zahnarzt und erinnere mich am Freitag an den Müll",
         {{"reminder.set", "Zahnarzt", "2026-03-12T09:00:00"},
          {"reminder.set", "Müll", "2026-03-13"}}},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        struct nlu_result r = parse(CASES[i].text);
        print_message("%s\n", CASES[i].text);
        size_t wanted = 0;
        while (wanted < 3 && CASES[i].tasks[wanted].intent)
            wanted++;
        assert_int_equal(r.command_count, wanted);
        for (size_t k = 0; k < wanted; k++) {
            assert_string_equal(nlu_intent_name(r.commands[k].intent), CASES[i].tasks[k].intent);
            assert_sv(r.commands[k].fields.title, CASES[i].tasks[k].title);
            assert_when(&r.commands[k].fields.due, CASES[i].tasks[k].due);
        }
    }
}

static void notes_stand_behind_a_dash(void **state)
{
    (void)state;
    static const struct {
        const char *text, *title, *notes;
    } CASES[] = {
        {"call mum tomorrow - ask about the trip", "call mum", "ask about the trip"},
        {"add task write the report — use last year's template", "write the report",
         "use last year's template"},
        {"add task work - finish it", "work - finish it", ""},
        {"add task follow-up with Anna", "follow-up with Anna", ""},
        {"add task one two - three four - five six", "one two - three four - five six", ""},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        struct nlu_result r = parse(CASES[i].text);
        assert_sv(r.commands[0].fields.title, CASES[i].title);
        assert_sv(r.commands[0].fields.notes, CASES[i].notes);
    }
}

static void lines_are_tasks_of_their_own(void **state)
{
    (void)state;
    struct nlu_result r = parse("- buy milk tomorrow\n- call the bank on friday\n");
    assert_int_equal(r.command_count, 2);
    assert_sv(r.commands[0].fields.title, "buy milk");
    assert_when(&r.commands[0].fields.due, "2026-03-12");
    assert_sv(r.commands[1].fields.title, "call the bank");
    assert_when(&r.commands[1].fields.due, "2026-03-13");
    assert_int_equal(r.span_count, 2);
    assert_int_equal(r.spans[1].start, 36);
}

static void half_understood_is_said(void **state)
{
    (void)state;
    struct nlu_result r = parse("water the cactus every blue moon");
    assert_int_equal(r.commands[0].fields.rrule.len, 0);
    assert_int_equal(r.warning_count, 1);
    assert_non_null(strstr(r.warnings[0].ptr, "every blue moon"));
}

static void spans_point_into_the_text(void **state)
{
    (void)state;
    struct nlu_result r = parse("caf\xc3\xa9 with J\xc3\xb6rg tomorrow at 9");
    assert_int_equal(r.span_count, 1);
    assert_int_equal(r.spans[0].start, 17);
    assert_int_equal(r.spans[0].end, 30);
    assert_sv(r.spans[0].value, "2026-03-12T09:00:00");
}

static void the_zone_decides_what_today_is(void **state)
{
    (void)state;
    const struct time_zone *zone;
    struct time_civil utc = {.year = 2026, .month = 3, .day = 11, .hour = 23, .minute = 30};
    assert_int_equal(time_zone_load(SV("Asia/Tokyo"), &zone), BASE_OK);
    struct nlu_input input = {.text = SV("buy milk today"),
                              .zone = zone,
                              .now_us = time_zone_instant(time_zone_utc(), utc, NULL)};
    struct nlu_result result = {0};
    base_arena_reset(&arena);
    assert_int_equal(nlu_parse(nlu, scratch, &input, &arena, &result), BASE_OK);
    assert_when(&result.commands[0].fields.due, "2026-03-12");
}

/* The first evening, as almanacs give it. */
static void moving_feasts_fall_on_their_days(void **state)
{
    (void)state;
    static const struct {
        const char *text, *due;
    } CASES[] = {
        {"do it on rosh hashanah 2024", "2024-10-02"},
        {"do it on rosh hashanah 2025", "2025-09-22"},
        {"do it on yom kippur 2027", "2027-10-10"},
        {"do it on passover 2024", "2024-04-22"},
        {"do it on passover 2025", "2025-04-12"},
        {"do it on passover 2027", "2027-04-21"},
        {"do it on hanukkah 2024", "2024-12-25"},
        {"do it on hanukkah 2025", "2025-12-14"},
        {"do it on purim 2024", "2024-03-23"},
        {"do it on purim 2025", "2025-03-13"},
        {"do it on tu bishvat 2024", "2024-01-24"},
        {"do it on tu bishvat 2025", "2025-02-12"},
        {"do it on yom haatzmaut 2024", "2024-05-13"},
        {"do it on yom haatzmaut 2025", "2025-04-30"},
        {"do it on tisha b'av 2024", "2024-08-12"},
        {"do it on tisha b'av 2025", "2025-08-02"},
        {"do it on eid al-fitr 2024", "2024-04-10"},
        {"do it on eid al-fitr 2018", "2018-06-15"},
        {"do it on easter 2024", "2024-03-31"},
        {"do it on orthodox easter 2024", "2024-05-05"},
        {"do it on thanksgiving 2025", "2025-11-27"},
        {"do it on memorial day 2025", "2025-05-26"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        struct nlu_result result = parse(CASES[i].text);
        print_message("%s\n", CASES[i].text);
        assert_when(&result.commands[0].fields.due, CASES[i].due);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moving_feasts_fall_on_their_days),
        cmocka_unit_test(tasks_are_read_whole),
        cmocka_unit_test(titles_stay_whole),
        cmocka_unit_test(existing_tasks_are_named),
        cmocka_unit_test(talk_is_told_apart),
        cmocka_unit_test(extras_are_found),
        cmocka_unit_test(lines_are_tasks_of_their_own),
        cmocka_unit_test(tasks_in_one_line_are_told_apart),
        cmocka_unit_test(notes_stand_behind_a_dash),
        cmocka_unit_test(half_understood_is_said),
        cmocka_unit_test(spans_point_into_the_text),
        cmocka_unit_test(the_zone_decides_what_today_is),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
