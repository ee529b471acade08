/* SPDX-License-Identifier: Apache-2.0 */
/* The store's contract on a real PostgreSQL: TODO_DATABASE_URL names it; without it the test is
 * skipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "tasks/store/migrate.h"
#include "tasks/store/store.h"
#include "tests/support/poll_loop.h"

enum { WAIT_MS = 5000 };

struct tester {
    struct base_loop *loop;
    struct task_store *store;
    struct base_arena arena;
    char user[64];
    bool ready;
    bool done;
    enum base_err err;
    char reply[256];
    struct task *tasks;
    size_t task_count;
    int64_t head;
    struct task_settings settings;
};

static void on_state(void *ctx, bool ready, const char *error)
{
    struct tester *t = ctx;
    if (error)
        print_message("store: %s\n", error);
    t->ready = ready;
}

static void on_user(void *ctx, enum base_err err, const struct task_user *user)
{
    struct tester *t = ctx;
    t->err = err;
    if (err == BASE_OK) {
        t->head = user->head;
        t->settings = user->settings;
    }
    t->done = true;
}

static void on_turn(void *ctx, enum base_err err, struct base_sv stored)
{
    struct tester *t = ctx;
    t->err = err;
    assert_true(base_sv_cstr(stored, t->reply, sizeof(t->reply)));
    t->done = true;
}

static void on_tasks(void *ctx, enum base_err err, struct task *tasks, size_t count)
{
    struct tester *t = ctx;
    t->err = err;
    t->tasks = tasks;
    t->task_count = count;
    t->done = true;
}

static void await(struct tester *t)
{
    assert_true(poll_loop_until(t->loop, &t->done, WAIT_MS));
    t->done = false;
}

static int setup(void **state)
{
    static int number;
    const char *url = getenv("TODO_DATABASE_URL");
    struct tester *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    *state = t;
    if (!url)
        return 0;
    struct base_buf errors;
    base_buf_init(&errors, 4096);
    int from;
    int to;
    if (task_migrate(url, &from, &to, &errors) != BASE_OK)
        fail_msg("%s", errors.data);
    base_buf_done(&errors);
    base_arena_init(&t->arena, 1 << 24);
    (void)snprintf(t->user, sizeof(t->user), "store-%lld-%d", (long long)base_monotonic_us(),
                   number++);
    t->loop = poll_loop_new();
    struct task_store_options options = {
        .loop = t->loop, .url = url, .application_name = "test", .on_state = on_state, .ctx = t};
    assert_int_equal(task_store_new(&options, &t->store), BASE_OK);
    assert_true(poll_loop_until(t->loop, &t->ready, WAIT_MS));
    task_store_user(t->store, base_sv_from(t->user), SV("Europe/Berlin"), on_user, t);
    await(t);
    assert_int_equal(t->err, BASE_OK);
    return 0;
}

static int teardown(void **state)
{
    struct tester *t = *state;
    if (t->store) {
        task_store_free(t->store);
        poll_loop_free(t->loop);
        base_arena_done(&t->arena);
    }
    free(t);
    return 0;
}

static struct tester *tester_of(void **state)
{
    struct tester *t = *state;
    if (!t->store)
        skip();
    return t;
}

static struct task_context context(struct tester *t)
{
    return (struct task_context){.user_id = base_sv_from(t->user),
                                 .now_us = base_clock_now_us(&base_clock_system),
                                 .settings = t->settings,
                                 .arena = &t->arena};
}

static struct task_turn turn_of(struct tester *t, const char *id, uint64_t hash,
                                const struct task_change *change)
{
    return (struct task_turn){.user_id = base_sv_from(t->user),
                              .device = SV("phone"),
                              .client_id = base_sv_from(id),
                              .hash = hash,
                              .at_us = base_clock_now_us(&base_clock_system),
                              .text = SV("text"),
                              .reply = SV("{\"type\":\"reply\"}"),
                              .changes = change,
                              .change_count = change ? 1 : 0,
                              .dialogue_version = -1};
}

static struct task_change created(struct tester *t, const char *title)
{
    struct task_context ctx = context(t);
    struct task_change change;
    struct task_problem problem;
    struct task_reminder reminder = {.relative = true, .before_s = 900};
    struct base_sv tags[] = {SV("home"), SV("é,")};
    struct task_patch patch = {
        .set = TASK_F_TITLE | TASK_F_DUE | TASK_F_REMINDERS | TASK_F_TAGS | TASK_F_PRIORITY,
        .title = base_sv_from(title),
        .priority = 3,
        .tags = tags,
        .tag_count = 1,
        .due = {.kind = TASK_DUE_ZONED,
                .local = {2126, 11, 25, 9, 30, 0},
                .zone = SV("Europe/Berlin")},
        .reminders = &reminder,
        .reminder_count = 1,
    };
    assert_int_equal(task_create(&ctx, &patch, &change, &problem), BASE_OK);
    return change;
}

static void find(struct tester *t, const struct task_query *query)
{
    task_store_find(t->store, query, &t->arena, on_tasks, t);
    await(t);
    assert_int_equal(t->err, BASE_OK);
}

static void test_what_is_committed_is_read_back(void **state)
{
    struct tester *t = tester_of(state);
    struct task_change change = created(t, "call mum");
    struct task_turn turn = turn_of(t, "m1", 7, &change);
    task_store_commit(t->store, &turn, on_turn, t);
    await(t);
    assert_int_equal(t->err, BASE_OK);
    assert_string_equal(t->reply, "");
    find(t, &(struct task_query){.user_id = base_sv_from(t->user), .statuses = TASK_QUERY_OPEN});
    assert_int_equal(t->task_count, 1);
    const struct task *task = &t->tasks[0];
    assert_true(base_id_eq(task->id, change.after->id));
    assert_true(base_sv_eq_c(task->title, "call mum"));
    assert_int_equal(task->version, 1);
    assert_int_equal(task->priority, 3);
    assert_int_equal(task->tag_count, 1);
    assert_true(base_sv_eq_c(task->tags[0], "home"));
    assert_int_equal(task->due.kind, TASK_DUE_ZONED);
    assert_int_equal(task->due.local.year, 2126);
    assert_int_equal(task->due.local.minute, 30);
    assert_true(base_sv_eq_c(task->due.zone, "Europe/Berlin"));
    assert_int_equal(task->due.at_us, change.after->due.at_us);
    assert_int_equal(task->reminder_count, 1);
    assert_int_equal(task->reminders[0].before_s, 900);
}

static void test_the_same_key_gives_the_first_reply_and_does_nothing(void **state)
{
    struct tester *t = tester_of(state);
    struct task_change first = created(t, "once");
    struct task_turn turn = turn_of(t, "m1", 7, &first);
    turn.reply = SV("first");
    task_store_commit(t->store, &turn, on_turn, t);
    await(t);
    struct task_change second = created(t, "twice");
    struct task_turn again = turn_of(t, "m1", 7, &second);
    task_store_commit(t->store, &again, on_turn, t);
    await(t);
    assert_int_equal(t->err, BASE_OK);
    assert_string_equal(t->reply, "first");
    find(t, &(struct task_query){.user_id = base_sv_from(t->user), .statuses = TASK_QUERY_OPEN});
    assert_int_equal(t->task_count, 1);
}

static void test_the_same_key_with_other_content_is_refused(void **state)
{
    struct tester *t = tester_of(state);
    struct task_turn turn = turn_of(t, "m1", 7, NULL);
    task_store_commit(t->store, &turn, on_turn, t);
    await(t);
    struct task_turn other = turn_of(t, "m1", 8, NULL);
    task_store_commit(t->store, &other, on_turn, t);
    await(t);
    assert_int_equal(t->err, BASE_ID_REUSED);
}

static void test_a_stale_version_changes_nothing(void **state)
{
    struct tester *t = tester_of(state);
    struct task_context ctx = context(t);
    struct task_problem problem;
    struct task_change change = created(t, "milk");
    struct task_turn turn = turn_of(t, "m1", 1, &change);
    task_store_commit(t->store, &turn, on_turn, t);
    await(t);
    struct task_change done;
    assert_int_equal(task_complete(&ctx, change.after, &done, &problem), BASE_OK);
    struct task_turn complete = turn_of(t, "m2", 2, &done);
    task_store_commit(t->store, &complete, on_turn, t);
    await(t);
    assert_int_equal(t->err, BASE_OK);
    struct task_change deleted;
    assert_int_equal(task_delete(&ctx, change.after, &deleted, &problem), BASE_OK);
    struct task_turn stale = turn_of(t, "m3", 3, &deleted);
    task_store_commit(t->store, &stale, on_turn, t);
    await(t);
    assert_int_equal(t->err, BASE_STALE);
    find(t, &(struct task_query){.user_id = base_sv_from(t->user), .statuses = TASK_QUERY_DONE});
    assert_int_equal(t->task_count, 1);
    assert_int_equal(t->tasks[0].version, 2);
    struct task_version was = {change.after->id, 1};
    task_store_was(t->store, base_sv_from(t->user), &was, 1, &t->arena, on_tasks, t);
    await(t);
    assert_int_equal(t->err, BASE_OK);
    assert_int_equal(t->task_count, 1);
    assert_int_equal(t->tasks[0].status, TASK_OPEN);
    assert_int_equal(t->tasks[0].reminders[0].before_s, 900);
}

static void test_a_dialogue_changed_elsewhere_is_stale(void **state)
{
    struct tester *t = tester_of(state);
    struct task_turn turn = turn_of(t, "m1", 1, NULL);
    turn.dialogue_version = 0;
    turn.dialogue_state = SV("{\"it\":1}");
    task_store_commit(t->store, &turn, on_turn, t);
    await(t);
    assert_int_equal(t->err, BASE_OK);
    struct task_turn late = turn_of(t, "m2", 2, NULL);
    late.dialogue_version = 0;
    task_store_commit(t->store, &late, on_turn, t);
    await(t);
    assert_int_equal(t->err, BASE_STALE);
}

struct many {
    size_t ok;
    size_t left;
    bool done;
};

static void on_many(void *ctx, enum base_err err, struct base_sv stored)
{
    struct many *many = ctx;
    (void)stored;
    many->ok += err == BASE_OK;
    many->done = --many->left == 0;
}

static void test_a_thousand_turns_go_in_batches(void **state)
{
    enum { N = 1000 };
    struct tester *t = tester_of(state);
    struct many many = {.left = N};
    struct task_turn *turns = calloc(N, sizeof(*turns));
    struct task_change *changes = calloc(N, sizeof(*changes));
    char(*ids)[16] = calloc(N, sizeof(*ids));
    assert_true(turns && changes && ids);
    for (int i = 0; i < N; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "m%d", i);
        changes[i] = created(t, ids[i]);
        turns[i] = turn_of(t, ids[i], 1, &changes[i]);
        task_store_commit(t->store, &turns[i], on_many, &many);
    }
    assert_true(poll_loop_until(t->loop, &many.done, WAIT_MS));
    assert_int_equal(many.ok, N);
    find(t, &(struct task_query){
                .user_id = base_sv_from(t->user), .statuses = TASK_QUERY_OPEN, .limit = 1000});
    assert_int_equal(t->task_count, 1000);
    free(turns);
    free(changes);
    free(ids);
}

static void test_queries_filter(void **state)
{
    struct tester *t = tester_of(state);
    struct task_change a = created(t, "Buy Milk 100%");
    struct task_turn turn = turn_of(t, "m1", 1, &a);
    task_store_commit(t->store, &turn, on_turn, t);
    await(t);
    struct base_sv user = base_sv_from(t->user);
    struct base_sv words[] = {SV("MILK"), SV("0%")};
    struct base_sv wrong[] = {SV("mi_k")};
    struct {
        struct task_query query;
        size_t count;
    } rows[] = {
        {{.words = words, .word_count = 2}, 1},
        {{.words = wrong, .word_count = 1}, 0},
        {{.tag = SV("HOME")}, 1},
        {{.tag = SV("hom")}, 0},
        {{.priority = 3}, 1},
        {{.priority = 4}, 0},
        {{.ids = &a.after->id, .id_count = 1}, 1},
        {{.has_from = true, .from_us = a.after->due.at_us}, 1},
        {{.has_to = true, .to_us = a.after->due.at_us}, 0},
        {{.overdue = true, .overdue_us = a.after->due.at_us + 1}, 1},
        {{.overdue = true, .overdue_us = a.after->due.at_us}, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rows[i].query.user_id = user;
        rows[i].query.statuses = TASK_QUERY_OPEN;
        find(t, &rows[i].query);
        if (t->task_count != rows[i].count)
            fail_msg("row %zu: %zu tasks", i, t->task_count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_committed_is_read_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_same_key_gives_the_first_reply_and_does_nothing,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_same_key_with_other_content_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_stale_version_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_dialogue_changed_elsewhere_is_stale, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_thousand_turns_go_in_batches, setup, teardown),
        cmocka_unit_test_setup_teardown(test_queries_filter, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
