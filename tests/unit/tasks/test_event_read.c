/* SPDX-License-Identifier: Apache-2.0 */
/* Reading id and trace back from a stored event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tasks/event.h"

static void compose(struct base_buf *buf, const struct base_trace *trace, struct base_id id)
{
    struct task_event_head head = {.type = TASK_EVENT_TASK_CREATED,
                                   .id = id,
                                   .user_id = SV("alice"),
                                   .subject = SV("traceparent\":\"x"),
                                   .time_us = 0,
                                   .trace = trace};
    base_buf_init(buf, 4096);
    task_event_begin(buf, &head);
    base_buf_add_c(buf,
                   "{\"traceparent\":\"00-11111111111111111111111111111111-2222222222222222-01\"}");
    task_event_end(buf);
}

static void id_and_trace_come_back(void **state)
{
    struct base_trace trace = base_trace_new();
    struct base_trace back;
    struct base_id id = base_id_new(1);
    struct base_id found;
    struct base_buf buf;
    (void)state;
    compose(&buf, &trace, id);
    assert_true(task_event_id(base_buf_sv(&buf), &found));
    assert_true(base_id_eq(id, found));
    assert_true(task_event_trace(base_buf_sv(&buf), &back));
    assert_memory_equal(back.trace_id, trace.trace_id, sizeof(trace.trace_id));
    base_buf_done(&buf);
}

static void a_trace_in_the_data_is_not_the_events(void **state)
{
    struct base_trace back;
    struct base_buf buf;
    (void)state;
    compose(&buf, NULL, base_id_new(1));
    assert_false(task_event_trace(base_buf_sv(&buf), &back));
    base_buf_done(&buf);
}

static void no_prefix_is_mistaken(void **state)
{
    struct base_trace trace = base_trace_new();
    struct base_buf buf;
    (void)state;
    compose(&buf, &trace, base_id_new(1));
    const char *data = strstr(buf.data, "\"data\":");
    size_t head = (size_t)(data - buf.data) + 7;
    for (size_t n = 0; n < buf.len; n++) {
        struct base_trace back;
        struct base_id id;
        assert_int_equal(task_event_trace(base_sv(buf.data, n), &back), n >= head);
        assert_int_equal(task_event_id(base_sv(buf.data, n), &id), n > 27 + BASE_ID_TEXT);
    }
    base_buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(id_and_trace_come_back),
        cmocka_unit_test(a_trace_in_the_data_is_not_the_events),
        cmocka_unit_test(no_prefix_is_mistaken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
