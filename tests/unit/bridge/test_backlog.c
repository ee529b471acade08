/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "bridge/backlog.h"

static int setup(void **state)
{
    return bridge_backlog_new((struct bridge_backlog **)state) == BASE_OK ? 0 : -1;
}

static int teardown(void **state)
{
    bridge_backlog_free(*state);
    return 0;
}

static void who_has_too_many_is_held_until_some_are_through(void **state)
{
    struct bridge_backlog *backlog = *state;
    struct base_sv users[BRIDGE_BACKLOG_HELD_MAX];
    uint32_t ticket = 0;
    for (int i = 1; i < BRIDGE_BACKLOG_MOST; i++)
        ticket = bridge_backlog_begin(backlog, SV("anna"));
    assert_false(bridge_backlog_changed(backlog));
    (void)bridge_backlog_begin(backlog, SV("anna"));
    (void)bridge_backlog_begin(backlog, SV("bob"));
    assert_true(bridge_backlog_changed(backlog));
    assert_false(bridge_backlog_changed(backlog));
    assert_int_equal(bridge_backlog_held(backlog, users), 1);
    assert_true(base_sv_eq(users[0], SV("anna")));
    (void)bridge_backlog_begin(backlog, SV("anna")); /* once in the list is enough */
    assert_int_equal(bridge_backlog_held(backlog, users), 1);
    assert_false(bridge_backlog_changed(backlog));
    for (int i = BRIDGE_BACKLOG_MOST; i > BRIDGE_BACKLOG_LET_GO; i--)
        bridge_backlog_end(backlog, ticket);
    assert_false(bridge_backlog_changed(backlog));
    bridge_backlog_end(backlog, ticket);
    assert_true(bridge_backlog_changed(backlog));
    assert_int_equal(bridge_backlog_held(backlog, users), 0);
}

static void more_of_them_than_there_is_room_for_are_not_held(void **state)
{
    struct bridge_backlog *backlog = *state;
    struct base_sv users[BRIDGE_BACKLOG_HELD_MAX];
    char name[16];
    for (int user = 0; user <= BRIDGE_BACKLOG_HELD_MAX; user++) {
        int n = snprintf(name, sizeof(name), "user-%d", user);
        for (int i = 0; i < BRIDGE_BACKLOG_MOST; i++)
            (void)bridge_backlog_begin(backlog, base_sv(name, (size_t)n));
    }
    assert_int_equal(bridge_backlog_held(backlog, users), BRIDGE_BACKLOG_HELD_MAX);
    assert_true(base_sv_eq(users[0], SV("user-0")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_has_too_many_is_held_until_some_are_through, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(more_of_them_than_there_is_room_for_are_not_held, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
