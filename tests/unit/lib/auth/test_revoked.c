/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/auth/mosquitto/revoked.h"
#include "lib/base/clock.h"

#define EVENT(type, data)                                                                          \
    "{\"userseq\":3,\"specversion\":\"1.0\",\"id\":\"x\",\"type\":\"" type                         \
    "\",\"userid\":\"ann\",\"data\":" data "}"
#define UNTIL "{\"issued_until\":\"2026-11-27T05:00:12.031Z\"}"

static void the_event_says_who_and_until_when(void **state)
{
    struct base_sv user;
    int64_t until, expected;
    (void)state;
    assert_true(base_time_parse(SV("2026-11-27T05:00:12.031Z"), &expected));
    assert_true(auth_revoked_event(SV("todo/v1/ann/updates"), SV(EVENT("session.revoked", UNTIL)),
                                   &user, &until));
    assert_true(base_sv_eq(user, SV("ann")));
    assert_int_equal(until, expected);
}

static void the_order_of_fields_does_not_matter(void **state)
{
    struct base_sv user;
    int64_t until;
    (void)state;
    assert_true(auth_revoked_event(SV("todo/v1/ann/updates"),
                                   SV("{\"data\":" UNTIL ",\"type\":\"session.revoked\"}"), &user,
                                   &until));
}

static void what_is_no_such_event(void **state)
{
    static const struct {
        const char *topic, *payload;
    } cases[] = {
        {"todo/v1/ann/updates", ""},
        {"todo/v1/ann/updates", "{"},
        {"todo/v1/ann/updates", EVENT("chat.turn", UNTIL)},
        {"todo/v1/ann/updates",
         EVENT("chat.turn", "{\"text\":\"\\\"type\\\":\\\"session.revoked\\\"\"}")},
        {"todo/v1/ann/updates", EVENT("chat.turn", "{\"type\":\"session.revoked\"}")},
        {"todo/v1/ann/updates", EVENT("session.revoked", "{}")},
        {"todo/v1/ann/updates", EVENT("session.revoked", "{\"issued_until\":\"soon\"}")},
        {"todo/v1/ann/updates", EVENT("session.revoked", "{\"issued_until\":\"2026")},
        {"todo/v1/ann/updates", "\"type\":\"session.revoked\""},
        {"todo/v1/ann/reminders", EVENT("session.revoked", UNTIL)},
        {"todo/v1/updates", EVENT("session.revoked", UNTIL)},
        {"todo/v1//updates", EVENT("session.revoked", UNTIL)},
    };
    struct base_sv user;
    int64_t until;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (auth_revoked_event(base_sv_from(cases[i].topic), base_sv_from(cases[i].payload), &user,
                               &until))
            fail_msg("taken for one: %s %s", cases[i].topic, cases[i].payload);
}

static void the_newest_are_known(void **state)
{
    static struct auth_revoked revoked;
    char name[32];
    (void)state;
    auth_revoked_put(&revoked, SV("ann"), 1000);
    assert_true(auth_revoked_has(&revoked, SV("ann"), 999));
    assert_false(auth_revoked_has(&revoked, SV("ann"), 1000));
    assert_false(auth_revoked_has(&revoked, SV("bob"), 1));
    for (int i = 0; i < AUTH_REVOKED_MAX; i++) {
        int n = snprintf(name, sizeof(name), "user-%d", i);
        auth_revoked_put(&revoked, base_sv(name, (size_t)n), 1000);
    }
    assert_false(auth_revoked_has(&revoked, SV("ann"), 999));
    assert_true(auth_revoked_has(&revoked, SV("user-0"), 999));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_event_says_who_and_until_when),
        cmocka_unit_test(the_order_of_fields_does_not_matter),
        cmocka_unit_test(what_is_no_such_event),
        cmocka_unit_test(the_newest_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
