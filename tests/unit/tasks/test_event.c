/* SPDX-License-Identifier: Apache-2.0 */
/* The event's envelope, byte by byte: consumers and the relay count on the order of its fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "tasks/event.h"

static void compose(struct base_buf *buf, struct base_sv subject, const struct base_trace *trace)
{
    struct task_event_head head = {.type = TASK_EVENT_REMINDER_TRIGGERED,
                                   .user_id = SV("auth0|ann"),
                                   .subject = subject,
                                   .trace = trace};
    assert_true(base_id_parse(SV("01a20b71-fbbb-7003-bf1e-911f2c0609a9"), &head.id));
    assert_true(base_time_parse(SV("2026-11-24T09:00:00.250Z"), &head.time_us));
    base_buf_init(buf, 4096);
    task_event_begin(buf, &head);
    base_json_open(buf, '{');
    base_json_kv_int(buf, "n", 1);
    base_json_close(buf, '}');
    task_event_end(buf);
    assert_true(base_buf_ok(buf));
}

#define START                                                                                      \
    "\"specversion\":\"1.0\",\"id\":\"01a20b71-fbbb-7003-bf1e-911f2c0609a9\","                     \
    "\"source\":\"/todo-chatbot/tasks\",\"type\":\"reminder.triggered\","
#define MIDDLE                                                                                     \
    "\"time\":\"2026-11-24T09:00:00.250Z\",\"datacontenttype\":\"application/json\","              \
    "\"userid\":\"auth0|ann\","
#define END "\"data\":{\"n\":1}}"

static void the_envelope(void **state)
{
    struct base_trace trace;
    struct base_buf buf;
    (void)state;
    assert_true(
        base_trace_parse(SV("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), &trace));
    compose(&buf, SV("task-1"), &trace);
    assert_string_equal(
        buf.data,
        "{" START "\"subject\":\"task-1\"," MIDDLE
        "\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"," END);
    base_buf_done(&buf);
}

static void what_is_not_there_is_left_out(void **state)
{
    struct base_trace none = {0};
    struct base_buf buf;
    (void)state;
    compose(&buf, SV_NULL, NULL);
    assert_string_equal(buf.data, "{" START MIDDLE END);
    base_buf_done(&buf);
    compose(&buf, SV_NULL, &none);
    assert_string_equal(buf.data, "{" START MIDDLE END);
    base_buf_done(&buf);
}

static void the_number_goes_to_the_front(void **state)
{
    struct base_buf buf, numbered;
    (void)state;
    compose(&buf, SV_NULL, NULL);
    base_buf_init(&numbered, 4096);
    task_event_number(&numbered, base_buf_sv(&buf), 42);
    assert_string_equal(numbered.data, "{\"userseq\":42," START MIDDLE END);
    base_buf_done(&numbered);
    base_buf_done(&buf);
}

static void names_and_numbers_are_for_ever(void **state)
{
    static const struct {
        int type;
        const char *name;
        enum task_event_topic topic;
    } rows[] = {{1, "task.created", TASK_TOPIC_TASKS},
                {2, "task.updated", TASK_TOPIC_TASKS},
                {3, "task.completed", TASK_TOPIC_TASKS},
                {4, "task.deleted", TASK_TOPIC_TASKS},
                {5, "recurring.generated", TASK_TOPIC_TASKS},
                {6, "reminder.triggered", TASK_TOPIC_REMINDERS},
                {7, "reminder.cleared", TASK_TOPIC_REMINDERS},
                {8, "reminder.missed", TASK_TOPIC_REMINDERS},
                {9, "chat.turn", TASK_TOPIC_NONE},
                {10, "session.revoked", TASK_TOPIC_NONE}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(task_event_name(rows[i].type), rows[i].name);
        assert_int_equal(task_event_topic(rows[i].type), rows[i].topic);
        assert_int_equal(task_event_parse(base_sv_from(rows[i].name)), rows[i].type);
    }
    assert_null(task_event_name(0));
    assert_null(task_event_name(11));
    assert_null(task_event_name(-1));
    assert_int_equal(task_event_parse(SV("task.create")), 0);
    assert_int_equal(task_event_parse(SV("")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_envelope),
        cmocka_unit_test(what_is_not_there_is_left_out),
        cmocka_unit_test(the_number_goes_to_the_front),
        cmocka_unit_test(names_and_numbers_are_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
