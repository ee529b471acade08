/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversations with the dialogue alone: a small store in memory answers its reads, and what it
 * remembers goes through its text form from line to line, as it does through the database.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "gateway/dialogue/dialogue.h"
#include "lib/base/clock.h"

enum { ROWS_MAX = 400 };

static struct nlu *nlu;
static struct nlu_scratch *scratch;

/* Tuesday, 24 November 2026, 09:00 in Berlin. */
static struct world {
    struct base_arena arena;
    struct task *rows[ROWS_MAX]; /* every version of every task, oldest first */
    size_t row_count;
    struct base_buf state;
    int64_t now_us;
    const struct time_zone *zone;
    enum gw_language language;
    struct gw_dialogue *d; /* the last turn */
    struct task_receipt receipts[4];
    size_t receipt_count;
} world;

static int setup(void **state)
{
    (void)state;
    memset(&world, 0, sizeof(world));
    base_arena_init(&world.arena, 256 << 20);
    base_buf_init(&world.state, GW_STATE_MAX);
    assert_true(base_time_parse(SV("2026-11-24T08:00:00Z"), &world.now_us));
    assert_int_equal(time_zone_load(SV("Europe/Berlin"), &world.zone), BASE_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (world.d)
        gw_dialogue_done(world.d);
    base_buf_done(&world.state);
    base_arena_done(&world.arena);
    return 0;
}

/* The store. */

static bool is_newest(size_t i)
{
    for (size_t k = i + 1; k < world.row_count; k++)
        if (base_id_eq(world.rows[k]->id, world.rows[i]->id))
            return false;
    return true;
}

static bool contains_i(struct base_sv text, struct base_sv word)
{
    for (size_t i = 0; i + word.len <= text.len; i++)
        if (base_sv_eq_i(base_sv_sub(text, i, i + word.len), word))
            return true;
    return false;
}

static bool matches(const struct task *task, const struct task_query *q)
{
    bool listed = q->id_count == 0;
    bool tagged = q->tag.len == 0;
    for (size_t i = 0; i < q->id_count; i++)
        listed = listed || base_id_eq(q->ids[i], task->id);
    for (size_t i = 0; i < task->tag_count; i++)
        tagged = tagged || base_sv_eq_i(task->tags[i], q->tag);
    for (size_t i = 0; i < q->word_count; i++)
        if (!contains_i(task->title, q->words[i]))
            return false;
    bool has_due = task->due.kind != TASK_DUE_NONE;
    return q->statuses & (1u << task->status) && listed && tagged &&
           (!q->has_from || (has_due && task->due.at_us >= q->from_us)) &&
           (!q->has_to || (has_due && task->due.at_us < q->to_us)) &&
           (!q->overdue || (has_due && task->due.at_us < q->overdue_us)) &&
           (q->priority == 0 || q->priority == task->priority);
}

static size_t find(const struct task_query *q, struct task *out)
{
    size_t count = 0;
    for (size_t i = 0; i < world.row_count; i++)
        if (is_newest(i) && matches(world.rows[i], q) && count < (size_t)q->limit)
            out[count++] = *world.rows[i];
    return count;
}

static size_t was(const struct gw_dialogue *d, struct task *out)
{
    size_t count = 0;
    for (size_t i = 0; i < world.row_count; i++)
        for (size_t k = 0; k < d->version_count; k++)
            if (base_id_eq(world.rows[i]->id, d->versions[k].id) &&
                world.rows[i]->version == d->versions[k].version)
                out[count++] = *world.rows[i];
    return count;
}

/* One turn. */

static void run(struct base_sv text, const struct gw_action *action)
{
    if (world.d)
        gw_dialogue_done(world.d);
    struct gw_dialogue *d = BASE_ARENA_NEW(&world.arena, struct gw_dialogue);
    assert_non_null(d);
    world.d = d;
    assert_int_equal(gw_talk_parse(base_buf_sv(&world.state), &world.arena, &d->talk), BASE_OK);
    d->arena = &world.arena;
    d->nlu = nlu;
    d->scratch = scratch;
    d->text = text;
    if (action)
        d->action = *action;
    d->at_us = world.now_us;
    d->zone = world.zone;
    d->language = world.language;
    d->ctx = (struct task_context){.user_id = SV("ann"),
                                   .now_us = world.now_us,
                                   .settings = {world.zone, 540},
                                   .arena = &world.arena};
    enum gw_step step = gw_dialogue_begin(d);
    while (step != GW_ANSWERED) {
        if (step == GW_SET) {
            struct task_problem problem;
            assert_int_equal(task_settings_check(&d->setting, &problem), BASE_OK);
            step = gw_dialogue_set(d);
            continue;
        }
        if (step == GW_RECEIPTS) {
            step = gw_dialogue_receipts(d, world.receipts, world.receipt_count);
            continue;
        }
        struct task *tasks = base_arena_array(&world.arena, ROWS_MAX, sizeof(*tasks));
        size_t count = step == GW_FIND ? find(&d->query, tasks) : was(d, tasks);
        step = gw_dialogue_found(d, tasks, count);
    }
    if (d->failure != BASE_OK)
        return;
    for (size_t i = 0; i < d->change_count; i++) {
        assert_true(world.row_count < ROWS_MAX);
        world.rows[world.row_count++] = d->changes[i].after;
    }
    if (!d->undone)
        gw_talk_remember(&d->talk, d->arena, d->changes, d->change_count);
    base_buf_reset(&world.state);
    gw_talk_format(&world.state, &d->talk);
    assert_true(base_buf_ok(&world.state));
    world.now_us += 1000000;
}

/* Says a line; the answer must be exactly that. */
static void say(const char *line, const char *want)
{
    run(base_sv_from(line), NULL);
    assert_true(base_buf_ok(&world.d->reply.text));
    assert_string_equal(world.d->reply.text.data, want);
}

static void act(enum gw_verb verb, const char *want)
{
    run(SV_NULL, &(struct gw_action){.verb = verb, .yes = true});
    assert_string_equal(world.d->reply.text.data, want);
}

static size_t open_tasks(void)
{
    size_t count = 0;
    for (size_t i = 0; i < world.row_count; i++)
        count += is_newest(i) && world.rows[i]->status == TASK_OPEN;
    return count;
}

/* Conversations. */

static void test_create(void **state)
{
    (void)state;
    say("buy milk tomorrow", "Added: buy milk, tomorrow");
    say("remind me to call mum tomorrow at 9", "OK, I'll remind you: call mum, tomorrow at 09:00");
    say("buy bread", "Added: buy bread");
    assert_string_equal(world.d->reply.intent, "task.create");
    assert_int_equal(world.d->reply.task_count, 1);
    assert_string_equal(world.d->reply.suggestions[0].action, "undo");
    assert_int_equal(open_tasks(), 3);
}

static void test_repeats_and_reminders(void **state)
{
    (void)state;
    say("pay rent every 1st of the month",
        "Added: pay rent, Tue 1 Dec · repeats every month on the 1st");
    say("take vitamins every day at 10, remind me 15 minutes before",
        "Added: take vitamins, today at 10:00 · repeats every day · reminder 15 min before");
}

static void test_list_and_numbers(void **state)
{
    (void)state;
    say("what's due today?", "Nothing there.");
    say("add task alpha", "Added: alpha");
    say("add task beta", "Added: beta");
    say("show my tasks", "2 tasks:\n1. alpha\n2. beta");
    say("delete the second one", "Deleted: beta");
    say("done 1", "Done: alpha");
    say("undo", "Undone: alpha");
    say("done 9", "There is no task number 9 in the last list.");
    assert_int_equal(open_tasks(), 1);
}

static void test_it(void **state)
{
    (void)state;
    say("buy milk tomorrow", "Added: buy milk, tomorrow");
    say("move it to monday", "Changed: buy milk, Mon 30 Nov");
    say("done with it", "Done: buy milk");
    say("undo", "Undone: buy milk");
    say("undo", "Undone: buy milk");
    say("undo", "Undone: buy milk");
    say("undo", "There is nothing to undo.");
    assert_int_equal(open_tasks(), 0); /* what was made is gone again */
}

static void test_half_a_time(void **state)
{
    (void)state;
    say("lunch with Tom on friday at 12:00", "Added: lunch with Tom, Fri 27 Nov at 12:00");
    say("move the lunch to 13:30", "Changed: lunch with Tom, Fri 27 Nov at 13:30");
    say("move it to monday", "Changed: lunch with Tom, Mon 30 Nov at 13:30");
    say("remind me about it 10 minutes before",
        "Changed: lunch with Tom, Mon 30 Nov at 13:30 · reminder 10 min before");
    assert_int_equal(world.d->changes[0].after->reminder_count, 1);
    assert_int_equal(world.d->changes[0].after->reminders[0].before_s, 600);
}

static void ask_which_milk(void)
{
    say("add task buy milk", "Added: buy milk");
    say("add task buy oat milk", "Added: buy oat milk");
    say("done with milk", "Which one do you mean?\n1. buy milk\n2. buy oat milk");
    assert_int_equal(open_tasks(), 2);
}

static void test_choose_by_place(void **state)
{
    (void)state;
    ask_which_milk();
    say("the second one", "Done: buy oat milk");
}

static void test_choose_by_number(void **state)
{
    (void)state;
    ask_which_milk();
    say("2", "Done: buy oat milk");
}

static void test_choose_by_words(void **state)
{
    (void)state;
    ask_which_milk();
    say("the purple one", "Which task do you mean? Say its name or its number.");
    say("the oat one", "Done: buy oat milk"); /* the question had stayed open */
}

static void test_choose_by_button(void **state)
{
    (void)state;
    ask_which_milk();
    run(SV_NULL, &(struct gw_action){.verb = GW_CHOOSE, .task = world.rows[1]->id});
    assert_string_equal(world.d->reply.text.data, "Done: buy oat milk");
}

static void test_exact_title_wins(void **state)
{
    (void)state;
    ask_which_milk();
    say("done with buy milk", "Done: buy milk");
}

static void test_confirm(void **state)
{
    (void)state;
    say("add task alpha", "Added: alpha");
    say("add task beta", "Added: beta");
    say("clear all", "Delete 2 tasks? This can be undone.");
    assert_int_equal(open_tasks(), 2);
    say("no", "OK, I left it.");
    say("yes", "There was no question open. Say \"help\" for examples.");
    say("clear all", "Delete 2 tasks? This can be undone.");
    say("yes", "2 tasks deleted.");
    assert_int_equal(open_tasks(), 0);
    say("undo", "Undone: the change of 2 tasks.");
    assert_int_equal(open_tasks(), 2);
    say("clear all", "Delete 2 tasks? This can be undone.");
    act(GW_CONFIRM, "2 tasks deleted.");
    act(GW_UNDO, "Undone: the change of 2 tasks.");
    say("delete all tasks", "Delete 2 tasks? This can be undone."); /* not the one spoken of last */
}

/* "all" means all that the rest of the line says. */
static void test_all_keeps_its_filter(void **state)
{
    (void)state;
    say("add task alpha", "Added: alpha");
    say("buy milk tomorrow", "Added: buy milk, tomorrow");
    run(SV("delete all"), NULL);
    struct nlu_command *command = &world.d->command;
    assert_int_equal(command->target.ref, NLU_REF_ALL);
    assert_false(world.d->query.has_from);
    assert_int_equal(world.d->query.limit, GW_CHANGES_MAX);
}

static void test_past_time(void **state)
{
    (void)state;
    say("remind me to pay bills yesterday at 5pm",
        "yesterday at 17:00 is already over. When should it be?");
    assert_int_equal(open_tasks(), 0);
    say("tomorrow at 10", "OK, I'll remind you: pay bills, tomorrow at 10:00");
    assert_int_equal(open_tasks(), 1);
}

static void test_question_dropped(void **state)
{
    (void)state;
    ask_which_milk();
    say("buy bread tomorrow", "Added: buy bread, tomorrow");
    say("2", "I didn't get that. Say \"help\" for examples.");
    assert_int_equal(open_tasks(), 3);
}

static void test_undo_after_change(void **state)
{
    (void)state;
    say("add task alpha", "Added: alpha");
    struct task *newer = BASE_ARENA_NEW(&world.arena, struct task);
    *newer = *world.rows[0];
    newer->version++;
    world.rows[world.row_count++] = newer; /* by somebody else */
    say("undo", "That was changed since, it can't be undone any more.");
    assert_int_equal(open_tasks(), 1);
}

static void test_german(void **state)
{
    (void)state;
    say("add task alpha", "Added: alpha");
    world.language = GW_DE;
    run(SV_NULL, &(struct gw_action){.verb = GW_COMPLETE, .task = world.rows[0]->id});
    assert_string_equal(world.d->reply.text.data, "Erledigt: alpha");
    assert_true(base_sv_eq_c(world.d->reply.suggestions[0].label, "Rückgängig"));
    act(GW_UNDO, "Rückgängig gemacht: alpha");
    run(SV_NULL, &(struct gw_action){.verb = GW_SNOOZE, .task = world.rows[0]->id, .minutes = 10});
    assert_string_equal(world.d->reply.text.data, "Verschoben: alpha, heute um 09:10");
}

/* A button gets an error, not a sentence; nothing changes. */
static void test_action_errors(void **state)
{
    (void)state;
    struct base_id unknown = base_id_new(world.now_us);
    run(SV_NULL, &(struct gw_action){.verb = GW_COMPLETE, .task = unknown});
    assert_int_equal(world.d->failure, BASE_NOT_FOUND);
    say("add task alpha", "Added: alpha");
    struct base_id alpha = world.rows[0]->id;
    run(SV_NULL, &(struct gw_action){.verb = GW_SKIP, .task = alpha});
    assert_true(world.d->failure != BASE_OK);
    assert_int_equal(world.row_count, 1);
    run(SV_NULL, &(struct gw_action){.verb = GW_COMPLETE, .task = alpha});
    assert_int_equal(world.d->failure, BASE_OK);
    run(SV_NULL, &(struct gw_action){.verb = GW_COMPLETE, .task = alpha});
    assert_int_equal(world.d->failure, BASE_CONFLICT);
}

static void test_small_talk(void **state)
{
    (void)state;
    say("hi", "Hi! What should I remember for you?");
    say("thanks", "You're welcome!");
    say("bye", "See you!");
    assert_int_equal(world.row_count, 0);
}

/* Memory. */

static void test_state_round_trip(void **state)
{
    struct gw_talk talk = {0};
    struct gw_talk back;
    struct base_buf first;
    struct base_buf second;
    (void)state;
    talk.has_it = true;
    talk.it = base_id_new(1);
    talk.listed_count = GW_LISTED_MAX;
    for (size_t i = 0; i < GW_LISTED_MAX; i++)
        talk.listed[i] = base_id_new((int64_t)i);
    talk.ask = GW_ASK_DUE;
    talk.asked_text = SV("\"buy\"\n\\milk ü");
    talk.undo_count = 2;
    struct gw_undo_task first_turn[] = {{base_id_new(5), 7, 6}};
    struct gw_undo_task second_turn[] = {{base_id_new(6), 1, 0}, {base_id_new(7), 2, 0}};
    talk.undo[0] = (struct gw_undo){.tasks = first_turn, .count = 1};
    talk.undo[1] = (struct gw_undo){.tasks = second_turn, .count = 2};
    base_buf_init(&first, GW_STATE_MAX);
    base_buf_init(&second, GW_STATE_MAX);
    gw_talk_format(&first, &talk);
    assert_int_equal(gw_talk_parse(base_buf_sv(&first), &world.arena, &back), BASE_OK);
    gw_talk_format(&second, &back);
    assert_true(base_buf_ok(&second));
    assert_string_equal(first.data, second.data);
    assert_int_equal(back.undo_count, 0);
    gw_talk_load_undo(&back, &world.arena);
    assert_int_equal(back.undo_count, 2);
    assert_int_equal(back.undo[1].tasks[1].version, 2);
    assert_int_equal(back.undo[0].tasks[0].former, 6);
    assert_true(base_sv_eq(back.asked_text, talk.asked_text));
    /* Every prefix is only a memory lost. */
    for (size_t len = 0; len < first.len; len++)
        assert_int_equal(gw_talk_parse(base_sv(first.data, len), &world.arena, &back), BASE_OK);
    base_buf_done(&first);
    base_buf_done(&second);
}

/* What the receipts say, newest first. */
static void test_why(void **state)
{
    const int64_t hour = INT64_C(3600) * 1000000;
    (void)state;
    say("remind me to take the pills at 7pm",
        "OK, I'll remind you: take the pills, today at 19:00");
    say("why did you not remind me of the pills?",
        "There is no reminder on record for take the pills.");
    world.receipt_count = 2;
    world.receipts[0] = (struct task_receipt){.due_us = world.now_us + 10 * hour};
    world.receipts[1] = (struct task_receipt){.state = TASK_RECEIPT_FIRED,
                                              .due_us = world.now_us - hour,
                                              .fired_us = world.now_us - hour,
                                              .delivered_us = world.now_us,
                                              .acked_us = world.now_us};
    say("why didn't you remind me of the pills?",
        "I reminded you of take the pills today at 08:00. One of your devices showed it.\n"
        "take the pills reminds you today at 19:00.");
    world.receipts[0].held_until_us = world.now_us + 11 * hour;
    world.receipt_count = 1;
    say("why didn't you remind me of the pills?",
        "Your quiet hours hold the reminder of take the pills back until today at 20:00.");
    world.receipts[0] = (struct task_receipt){.state = TASK_RECEIPT_LATE,
                                              .due_us = world.now_us - 2 * hour,
                                              .fired_us = world.now_us - hour};
    say("why did it remind me so late of the pills?",
        "The reminder of take the pills was due today at 07:00 but went out today at 08:00: the "
        "server was away. No window of yours was open then; a phone may have got it.");
}

static void test_settings(void **state)
{
    (void)state;
    say("set my time zone to new york",
        "Your time zone is America/New_York now. Days and times without a zone follow it.");
    assert_int_equal(world.d->setting.set, TASK_S_ZONE);
    say("my timezone is Atlantis",
        "I don't know the time zone of Atlantis. Try a city, or a name such as Europe/Berlin.");
    say("quiet hours from 10pm to 7am", "No reminders from 22:00 to 07:00: they wait until then.");
    assert_int_equal(world.d->setting.quiet.from, 22 * 60);
    say("turn off quiet hours", "Quiet hours are off.");
    assert_int_equal(world.d->setting.set, TASK_S_QUIET);
    say("set my default time to 8:30am", "Tasks without a time remind you at 08:30 now.");
    say("set the language to German", "Ab jetzt auf Deutsch.");
}

static void test_undo_is_bounded(void **state)
{
    struct gw_talk talk = {0};
    struct task task = {.version = 1};
    struct task_change change = {.after = &task};
    struct task_change many[GW_UNDO_TASKS_MAX + 1];
    (void)state;
    for (int i = 1; i <= GW_UNDO_MAX + 5; i++) {
        task.version = i;
        gw_talk_remember(&talk, &world.arena, &change, 1);
    }
    assert_int_equal(talk.undo_count, GW_UNDO_MAX);
    assert_int_equal(talk.undo[0].tasks[0].version, GW_UNDO_MAX + 5);
    assert_int_equal(talk.undo[GW_UNDO_MAX - 1].tasks[0].version, 6);
    for (size_t i = 0; i <= GW_UNDO_TASKS_MAX; i++)
        many[i] = change;
    gw_talk_remember(&talk, &world.arena, many, GW_UNDO_TASKS_MAX + 1);
    assert_int_equal(talk.undo[0].count, 1); /* too many to be taken back */
}

#define TALK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TALK(test_create),
        TALK(test_repeats_and_reminders),
        TALK(test_list_and_numbers),
        TALK(test_it),
        TALK(test_half_a_time),
        TALK(test_choose_by_place),
        TALK(test_choose_by_number),
        TALK(test_choose_by_words),
        TALK(test_choose_by_button),
        TALK(test_exact_title_wins),
        TALK(test_confirm),
        TALK(test_why),
        TALK(test_settings),
        TALK(test_all_keeps_its_filter),
        TALK(test_past_time),
        TALK(test_question_dropped),
        TALK(test_undo_after_change),
        TALK(test_german),
        TALK(test_action_errors),
        TALK(test_small_talk),
        TALK(test_state_round_trip),
        TALK(test_undo_is_bounded),
    };
    struct base_buf errors;
    base_buf_init(&errors, 1 << 16);
    if (nlu_new(NULL, &nlu, &errors) != BASE_OK || nlu_scratch_new(nlu, &scratch) != BASE_OK)
        return 1;
    base_buf_done(&errors);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    nlu_scratch_free(scratch);
    nlu_free(nlu);
    return failed;
}
