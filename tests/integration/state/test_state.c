/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One contract for both places where the gateways' state is kept: PostgreSQL (TODO_DATABASE_URL)
 * and a sidecar's state store (TODO_GATEWAY_SIDECAR_URL, DAPR_API_TOKEN). What the environment does
 * not name is skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "gateway/state/state.h"
#include "tasks/store/migrate.h"
#include "tests/support/poll_loop.h"

enum { WAIT_MS = 10000 };

struct tester {
    struct base_loop *loop;
    struct task_store *store;
    struct gw_state *state;
    struct dapr_settings settings;
    char key[64];
    bool done;
    enum base_err err;
    char value[256], etag[128];
};

static void on_done(void *ctx, enum base_err err)
{
    struct tester *t = ctx;
    t->err = err;
    t->done = true;
}

static void on_value(void *ctx, enum base_err err, struct base_sv value, struct base_sv etag)
{
    struct tester *t = ctx;
    t->err = err;
    assert_true(base_sv_cstr(value, t->value, sizeof(t->value)));
    assert_true(base_sv_cstr(etag, t->etag, sizeof(t->etag)));
    t->done = true;
}

static enum base_err await(struct tester *t)
{
    assert_true(poll_loop_until(t->loop, &t->done, WAIT_MS));
    t->done = false;
    return t->err;
}

static enum base_err put(struct tester *t, const char *value, const char *etag, int ttl_s)
{
    gw_state_put(t->state, base_sv_from(t->key), base_sv_from(value), base_sv_from(etag), ttl_s,
                 on_done, t);
    return await(t);
}

static enum base_err get(struct tester *t)
{
    gw_state_get(t->state, base_sv_from(t->key), on_value, t);
    return await(t);
}

static enum base_err take(struct tester *t, const char *etag)
{
    gw_state_remove(t->state, base_sv_from(t->key), base_sv_from(etag), on_done, t);
    return await(t);
}

static struct tester *tester_new(void)
{
    static int number;
    struct tester *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    t->loop = poll_loop_new();
    assert_non_null(t->loop);
    (void)snprintf(t->key, sizeof(t->key), "test-%lld-%d", (long long)time(NULL), number++);
    return t;
}

static int in_database(void **state)
{
    const char *url = getenv("TODO_DATABASE_URL");
    struct base_buf errors;
    int from, to;
    if (!url)
        return 0;
    struct tester *t = tester_new();
    base_buf_init(&errors, 4096);
    if (task_migrate(url, &from, &to, &errors) != BASE_OK)
        fail_msg("%s", errors.data);
    base_buf_done(&errors);
    assert_int_equal(
        task_store_new(&(struct task_store_options){.loop = t->loop, .url = url}, &t->store),
        BASE_OK);
    assert_int_equal(gw_state_in_database(t->store, &t->state), BASE_OK);
    *state = t;
    return 0;
}

static int in_sidecar(void **state)
{
    const char *url = getenv("TODO_GATEWAY_SIDECAR_URL");
    const char *token = getenv("DAPR_API_TOKEN");
    if (!url || !token)
        return 0;
    struct tester *t = tester_new();
    t->settings = (struct dapr_settings){.url = url, .token = token, .app_token = ""};
    assert_int_equal(gw_state_in_sidecar(&t->settings, t->loop, "todo-state", &t->state), BASE_OK);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct tester *t = *state;
    if (!t)
        return 0;
    task_store_free(t->store);
    gw_state_free(t->state);
    poll_loop_free(t->loop);
    free(t);
    return 0;
}

static struct tester *given(void **state)
{
    if (!*state)
        skip();
    return *state;
}

static void a_value_is_there_until_it_is_removed(void **state)
{
    struct tester *t = given(state);
    assert_int_equal(get(t), BASE_NOT_FOUND);
    assert_int_equal(put(t, "ann \"quoted\" \\ \xc3\xa4", "", 60), BASE_OK);
    assert_int_equal(get(t), BASE_OK);
    assert_string_equal(t->value, "ann \"quoted\" \\ \xc3\xa4");
    assert_int_equal(take(t, t->etag), BASE_OK);
    assert_int_equal(get(t), BASE_NOT_FOUND);
    assert_int_equal(put(t, "again", "", 60), BASE_OK);
    assert_int_equal(get(t), BASE_OK);
    assert_string_equal(t->value, "again");
}

static void the_first_write_wins(void **state)
{
    struct tester *t = given(state);
    char seen[128];
    assert_int_equal(put(t, "first", "", 60), BASE_OK);
    assert_int_equal(put(t, "second", "", 60), BASE_STALE);
    assert_int_equal(get(t), BASE_OK);
    assert_string_equal(t->value, "first");
    memcpy(seen, t->etag, sizeof(seen));
    assert_int_equal(put(t, "third", seen, 60), BASE_OK);
    assert_int_equal(put(t, "fourth", seen, 60), BASE_STALE);
    assert_int_equal(take(t, seen), BASE_STALE);
    assert_int_equal(get(t), BASE_OK);
    assert_string_equal(t->value, "third");
    assert_string_not_equal(t->etag, seen);
}

static void it_is_taken_once(void **state)
{
    struct tester *t = given(state);
    char seen[128];
    assert_int_equal(put(t, "once", "", 60), BASE_OK);
    assert_int_equal(get(t), BASE_OK);
    memcpy(seen, t->etag, sizeof(seen));
    assert_int_equal(take(t, seen), BASE_OK);
    assert_int_equal(take(t, seen), BASE_STALE);
}

static void its_time_ends(void **state)
{
    struct tester *t = given(state);
    assert_int_equal(put(t, "short", "", 1), BASE_OK);
    assert_int_equal(get(t), BASE_OK);
    (void)nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 200000000}, NULL);
    assert_int_equal(get(t), BASE_NOT_FOUND);
}

#define CONTRACT(place)                                                                            \
    cmocka_unit_test_setup_teardown(a_value_is_there_until_it_is_removed, place, teardown),        \
        cmocka_unit_test_setup_teardown(the_first_write_wins, place, teardown),                    \
        cmocka_unit_test_setup_teardown(it_is_taken_once, place, teardown),                        \
        cmocka_unit_test_setup_teardown(its_time_ends, place, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {CONTRACT(in_database), CONTRACT(in_sidecar)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
