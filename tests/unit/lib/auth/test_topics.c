/* SPDX-License-Identifier: Apache-2.0 */
/* The MQTT contract, row by row: what is allowed, and what must not slip through beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "lib/auth/topics.h"

#define R AUTH_READ
#define S AUTH_SUBSCRIBE
#define W AUTH_WRITE

struct row {
    enum auth_access access;
    const char *topic;
};

static void expect(const struct auth_client *client, const struct row *rows, size_t n, bool retain,
                   bool allowed)
{
    for (size_t i = 0; i < n; i++)
        if (auth_topic_allowed(client, rows[i].access, base_sv_from(rows[i].topic), retain) !=
            allowed)
            fail_msg("access %d to %s is %s", (int)rows[i].access, rows[i].topic,
                     allowed ? "refused" : "allowed");
}
#define EXPECT(client, rows, retain, allowed)                                                      \
    expect(client, rows, sizeof(rows) / sizeof((rows)[0]), retain, allowed)

static const struct auth_client ann = {{"ann@example.org", 15}, false};
static const struct auth_client relay = {{"bridge", 6}, true};

static void a_user_has_their_own_level(void **state)
{
    static const struct row rows[] = {
        {R, "todo/v1/ann@example.org/reminders"},
        {R, "todo/v1/ann@example.org/chat/phone/out"},
        {R, "todo/v1/ann@example.org/next"},
        {S, "todo/v1/ann@example.org/#"},
        {S, "todo/v1/ann@example.org/+"},
        {S, "todo/v1/ann@example.org/chat/+/out"},
        {S, "todo/v1/ann@example.org/reminders"},
        {W, "todo/v1/ann@example.org/chat/phone/in"},
        {W, "todo/v1/ann@example.org/actions/my-watch.2~x_/in"},
    };
    (void)state;
    EXPECT(&ann, rows, false, true);
}

static void a_user_has_nothing_else(void **state)
{
    static const struct row rows[] = {
        {R, "todo/v1/bob/reminders"},
        {R, "todo/v1/ann@example.orgx/reminders"},
        {R, "todo/v1/ann@example.or/reminders"},
        {R, "todo/v1/ann@example.org"},
        {R, "todo/v1/ann@example.org/"},
        {R, "$SYS/broker/uptime"},
        {S, "#"},
        {S, "+/+/+/#"},
        {S, "todo/#"},
        {S, "todo/v1/#"},
        {S, "todo/v1/+/#"},
        {S, "todo/v1/+/reminders"},
        {S, "todo/+/ann@example.org/reminders"},
        {S, "+/v1/ann@example.org/reminders"},
        {S, "/todo/v1/ann@example.org/reminders"},
        {S, "todo/v2/ann@example.org/reminders"},
        {S, "TODO/v1/ann@example.org/reminders"},
        {S, "todo/v1/Ann@example.org/reminders"},
        {S, "todo/v1/ann@example.org"},
        {S, "todo/v1//reminders"},
        {S, "todo/v1/bob/#"},
        {S, "$SYS/#"},
        {S, "$share/g/todo/v1/ann@example.org/#"},
        {S, "$share/gateways/todo/v1/+/chat/+/in"},
        {S, ""},
        {W, "todo/v1/bob/chat/phone/in"},
        {W, "todo/v1/ann@example.org/chat/phone/out"},
        {W, "todo/v1/ann@example.org/actions/phone/out"},
        {W, "todo/v1/ann@example.org/reminders"},
        {W, "todo/v1/ann@example.org/updates"},
        {W, "todo/v1/ann@example.org/next"},
        {W, "todo/v1/ann@example.org/chat/in"},
        {W, "todo/v1/ann@example.org/chat//in"},
        {W, "todo/v1/ann@example.org/chat/a b/in"},
        {W, "todo/v1/ann@example.org/chat/phone/in/"},
        {W, "todo/v1/ann@example.org/chat/phone/in/x"},
        {W, "todo/v1/ann@example.org/chat/phone/x/in"},
        {W, "todo/v1/ann@example.org/chat/+/in"},
        {W, "x/todo/v1/ann@example.org/chat/phone/in"},
    };
    (void)state;
    EXPECT(&ann, rows, false, false);
}

static void a_user_retains_nothing(void **state)
{
    static const struct row rows[] = {
        {W, "todo/v1/ann@example.org/chat/phone/in"},
        {W, "todo/v1/ann@example.org/actions/phone/in"},
        {W, "todo/v1/ann@example.org/next"},
    };
    /* What was retained is still delivered with the flag set. */
    static const struct row read[] = {{R, "todo/v1/ann@example.org/next"}};
    (void)state;
    EXPECT(&ann, rows, true, false);
    EXPECT(&ann, read, true, true);
}

static void a_service_has_exact_topics(void **state)
{
    static const struct row rows[] = {
        {S, "$share/gateways/todo/v1/+/chat/+/in"},
        {S, "$share/gateways/todo/v1/+/actions/+/in"},
        {R, "todo/v1/ann@example.org/chat/phone/in"},
        {R, "todo/v1/bob/actions/phone/in"},
        {W, "todo/v1/bob/chat/phone/out"},
        {W, "todo/v1/bob/actions/phone/out"},
        {W, "todo/v1/bob/reminders"},
        {W, "todo/v1/bob/updates"},
        {W, "todo/v1/bob/next"},
    };
    static const struct row retained[] = {{W, "todo/v1/bob/next"}};
    (void)state;
    EXPECT(&relay, rows, false, true);
    EXPECT(&relay, retained, true, true);
}

static void a_service_has_nothing_else(void **state)
{
    static const struct row rows[] = {
        {S, "todo/v1/+/chat/+/in"},
        {S, "$share/others/todo/v1/+/chat/+/in"},
        {S, "$share/gateways/todo/v1/bob/chat/+/in"},
        {S, "$share/gateways/todo/v1/+/#"},
        {S, "todo/v1/bridge/#"},
        {S, "#"},
        {S, "$SYS/#"},
        {R, "todo/v1/bob/chat/phone/out"},
        {R, "todo/v1/bob/reminders"},
        {R, "todo/v1/bridge/reminders"},
        {W, "todo/v1/bob/chat/phone/in"},
        {W, "todo/v1/bob/actions/phone/in"},
        {W, "todo/v1/b b/reminders"},
        {W, "todo/v1/+/reminders"},
        {W, "todo/v1/bob/reminders/x"},
        {W, "$SYS/broker/uptime"},
    };
    static const struct row retained[] = {
        {W, "todo/v1/bob/reminders"},
        {W, "todo/v1/bob/updates"},
        {W, "todo/v1/bob/chat/phone/out"},
        {W, "todo/v1/bob/actions/phone/out"},
    };
    (void)state;
    EXPECT(&relay, rows, false, false);
    EXPECT(&relay, retained, true, false);
}

static void names_that_are_no_names_match_nothing(void **state)
{
    const struct auth_client wild = {SV("+"), false}, nobody = {SV_NULL, false};
    (void)state;
    assert_false(auth_topic_allowed(&wild, AUTH_SUBSCRIBE, SV("todo/v1/+/reminders"), false));
    assert_false(auth_topic_allowed(&nobody, AUTH_SUBSCRIBE, SV("todo/v1//reminders"), false));
    assert_false(auth_topic_allowed(&nobody, AUTH_READ, SV_NULL, false));
}

/* Only the whole topic is right; each beginning of it is another one. */
static void no_prefix_is_enough(void **state)
{
    struct base_sv topic = SV("todo/v1/ann@example.org/chat/phone/in");
    (void)state;
    for (size_t len = 0; len < topic.len; len++)
        assert_false(auth_topic_allowed(&ann, AUTH_WRITE, base_sv_sub(topic, 0, len), false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_has_their_own_level),
        cmocka_unit_test(a_user_has_nothing_else),
        cmocka_unit_test(a_user_retains_nothing),
        cmocka_unit_test(a_service_has_exact_topics),
        cmocka_unit_test(a_service_has_nothing_else),
        cmocka_unit_test(names_that_are_no_names_match_nothing),
        cmocka_unit_test(no_prefix_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
