/* SPDX-License-Identifier: Apache-2.0 */
/* The plug-in's table of connections against a plain list, and what a take-over does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/auth/mosquitto/live.h"

static char clients[512]; /* their addresses are the broker's handles */

static bool fail_next;
void *__wrap_calloc(size_t n, size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    bool fail = fail_next;
    fail_next = false;
    return fail ? NULL : __real_calloc(n, size);
}

struct id {
    char text[32];
};

static struct id id_of(size_t client)
{
    struct id id;
    (void)snprintf(id.text, sizeof(id.text), "id-%zu", client);
    return id;
}

static void put(struct auth_live *live, size_t client, const char *id, int64_t expires_us)
{
    assert_int_equal(auth_live_put(live, &clients[client], id, 50, expires_us), BASE_OK);
}

static void an_empty_table(void **state)
{
    struct auth_live live;
    (void)state;
    auth_live_init(&live);
    assert_false(auth_live_has(&live, clients, "ann:1", 0));
    assert_null(auth_live_take_expired(&live, INT64_MAX));
    auth_live_remove(&live, clients, "ann:1");
    auth_live_done(&live);
}

static void it_agrees_with_a_list(void **state)
{
    struct auth_live live;
    int64_t expires[sizeof(clients)] = {0};
    uint32_t random = 1;
    (void)state;
    auth_live_init(&live);
    for (int step = 0; step < 20000; step++) {
        random = random * 1664525u + 1013904223u;
        size_t i = (random >> 8) % sizeof(clients);
        if ((random >> 20) % 3 == 0) {
            auth_live_remove(&live, &clients[i], id_of(i).text);
            expires[i] = 0;
        } else {
            expires[i] = 1000 + (random >> 24);
            put(&live, i, id_of(i).text, expires[i]);
        }
        if (step % 500 != 0)
            continue;
        size_t count = 0;
        for (size_t k = 0; k < sizeof(clients); k++) {
            count += expires[k] != 0;
            assert_int_equal(auth_live_has(&live, &clients[k], id_of(k).text, 1100),
                             expires[k] > 1100);
        }
        assert_int_equal(live.count, count);
    }
    char *id;
    while ((id = auth_live_take_expired(&live, 1100))) {
        size_t i = (size_t)strtoul(id + 3, NULL, 10);
        assert_in_range(expires[i], 1000, 1100);
        expires[i] = 0;
        free(id);
    }
    for (size_t k = 0; k < sizeof(clients); k++) {
        assert_true(expires[k] == 0 || expires[k] > 1100);
        assert_int_equal(auth_live_has(&live, &clients[k], id_of(k).text, 0), expires[k] != 0);
    }
    auth_live_done(&live);
}

static void the_last_moment_is_past(void **state)
{
    struct auth_live live;
    (void)state;
    auth_live_init(&live);
    put(&live, 1, "ann:1", 100);
    assert_true(auth_live_has(&live, &clients[1], "ann:1", 99));
    assert_false(auth_live_has(&live, &clients[1], "ann:1", 100));
    assert_null(auth_live_take_expired(&live, 99));
    put(&live, 1, "ann:1", 200); /* a token anew */
    assert_null(auth_live_take_expired(&live, 199));
    char *id = auth_live_take_expired(&live, 200);
    assert_string_equal(id, "ann:1");
    free(id);
    assert_int_equal(live.count, 0);
    auth_live_done(&live);
}

static void a_newcomer_takes_over_while_it_lives(void **state)
{
    struct auth_live live;
    (void)state;
    auth_live_init(&live);
    put(&live, 1, "ann:1", 100);
    put(&live, 2, "ann:2", 100);
    put(&live, 3, "ann:1", 100);
    assert_false(auth_live_has(&live, &clients[1], "ann:1", 0));
    assert_true(auth_live_has(&live, &clients[2], "ann:2", 0));
    assert_true(auth_live_has(&live, &clients[3], "ann:1", 0));
    auth_live_remove(&live, &clients[3], "ann:1"); /* it came to nothing */
    assert_true(auth_live_has(&live, &clients[1], "ann:1", 0));
    auth_live_done(&live);
}

static void the_revoked_ones_of_a_user_end(void **state)
{
    struct auth_live live;
    (void)state;
    auth_live_init(&live);
    put(&live, 1, "ann:1", INT64_MAX);
    put(&live, 2, "anna:1", INT64_MAX);
    put(&live, 3, "ann", INT64_MAX);
    assert_int_equal(auth_live_put(&live, &clients[4], "ann:new", 60, INT64_MAX), BASE_OK);
    auth_live_revoke(&live, SV("ann"), 60);
    char *id = auth_live_take_expired(&live, 1);
    assert_string_equal(id, "ann:1");
    free(id);
    assert_null(auth_live_take_expired(&live, 1));
    assert_int_equal(live.count, 3);
    auth_live_done(&live);
}

static void without_memory_nothing_changes(void **state)
{
    struct auth_live live;
    (void)state;
    auth_live_init(&live);
    fail_next = true;
    assert_int_equal(auth_live_put(&live, clients, "ann:1", 50, 100), BASE_NO_MEMORY);
    assert_int_equal(live.count, 0);
    for (size_t i = 0; i < 32; i++)
        put(&live, i, id_of(i).text, 100);
    fail_next = true; /* the next one would need a larger table */
    assert_int_equal(auth_live_put(&live, &clients[32], "id-32", 50, 100), BASE_NO_MEMORY);
    assert_int_equal(live.count, 32);
    for (size_t i = 0; i < 33; i++)
        assert_int_equal(auth_live_has(&live, &clients[i], id_of(i).text, 0), i < 32);
    auth_live_done(&live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_table),
        cmocka_unit_test(it_agrees_with_a_list),
        cmocka_unit_test(the_last_moment_is_past),
        cmocka_unit_test(a_newcomer_takes_over_while_it_lives),
        cmocka_unit_test(the_revoked_ones_of_a_user_end),
        cmocka_unit_test(without_memory_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
