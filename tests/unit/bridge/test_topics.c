/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bridge/topics.h"
#include "tasks/event.h"

static void each_event_has_its_second_topic(void **state)
{
    static const enum bridge_topic expected[] = {
        [TASK_EVENT_TASK_CREATED] = BRIDGE_TOPIC_TASKS,
        [TASK_EVENT_TASK_UPDATED] = BRIDGE_TOPIC_TASKS,
        [TASK_EVENT_TASK_COMPLETED] = BRIDGE_TOPIC_TASKS,
        [TASK_EVENT_TASK_DELETED] = BRIDGE_TOPIC_TASKS,
        [TASK_EVENT_RECURRING_GENERATED] = BRIDGE_TOPIC_TASKS,
        [TASK_EVENT_REMINDER_TRIGGERED] = BRIDGE_TOPIC_REMINDERS,
        [TASK_EVENT_REMINDER_CLEARED] = BRIDGE_TOPIC_REMINDERS,
        [TASK_EVENT_REMINDER_MISSED] = BRIDGE_TOPIC_REMINDERS,
        [TASK_EVENT_CHAT_TURN] = BRIDGE_TOPIC_UPDATES,
        [TASK_EVENT_SESSION_REVOKED] = BRIDGE_TOPIC_UPDATES};
    (void)state;
    for (int type = 1; type < (int)(sizeof(expected) / sizeof(expected[0])); type++)
        assert_int_equal(bridge_topic_of(type), expected[type]);
    assert_int_equal(bridge_topic_of(999), BRIDGE_TOPIC_UPDATES);
    assert_string_equal(bridge_topic_names[BRIDGE_TOPIC_TASKS], "task-events");
    assert_string_equal(bridge_topic_names[BRIDGE_TOPIC_REMINDERS], "reminders");
}

static void a_user_gets_topics_of_his_own(void **state)
{
    char topic[256];
    (void)state;
    assert_true(
        bridge_mqtt_topic(BRIDGE_MQTT_REMINDERS, SV("a.b_c~d@e|f-9Z"), topic, sizeof(topic)));
    assert_string_equal(topic, "todo/v1/a.b_c~d@e|f-9Z/reminders");
    assert_true(bridge_mqtt_topic(BRIDGE_MQTT_UPDATES, SV("u"), topic, sizeof(topic)));
    assert_string_equal(topic, "todo/v1/u/updates");
}

static void an_id_that_could_leave_its_level_is_refused(void **state)
{
    static const char *const ids[] = {"", "+", "#", "a/b", "a b", "\xc3\xa4", "a+"};
    char topic[256];
    char longest[130];
    (void)state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        assert_false(bridge_mqtt_topic(BRIDGE_MQTT_UPDATES, base_sv_from(ids[i]), topic, 256));
    assert_false(bridge_mqtt_topic(BRIDGE_MQTT_UPDATES, base_sv("a\0b", 3), topic, sizeof(topic)));
    memset(longest, 'a', sizeof(longest));
    assert_true(bridge_mqtt_topic(BRIDGE_MQTT_UPDATES, base_sv(longest, 128), topic, 256));
    assert_false(bridge_mqtt_topic(BRIDGE_MQTT_UPDATES, base_sv(longest, 129), topic, 256));
    assert_false(bridge_mqtt_topic(BRIDGE_MQTT_UPDATES, SV("alice"), topic, 10));
}

static void what_has_waited_is_useful_for_less_long(void **state)
{
    (void)state;
    assert_int_equal(bridge_mqtt_expiry_s(BRIDGE_MQTT_REMINDERS, 0), 86400);
    assert_int_equal(bridge_mqtt_expiry_s(BRIDGE_MQTT_REMINDERS, 3600 * 1000), 82800);
    assert_int_equal(bridge_mqtt_expiry_s(BRIDGE_MQTT_REMINDERS, 86400 * 1000), 1);
    assert_int_equal(bridge_mqtt_expiry_s(BRIDGE_MQTT_UPDATES, -5000), 7 * 86400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_has_its_second_topic),
        cmocka_unit_test(a_user_gets_topics_of_his_own),
        cmocka_unit_test(an_id_that_could_leave_its_level_is_refused),
        cmocka_unit_test(what_has_waited_is_useful_for_less_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
