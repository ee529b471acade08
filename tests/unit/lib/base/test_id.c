/* SPDX-License-Identifier: Apache-2.0 */
/* Identifiers and trace context. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/base/id.h"
#include "lib/base/trace.h"

static void ids_are_uuid_v7_and_sort_by_time(void **state)
{
    char text[BASE_ID_TEXT + 1];
    char before[BASE_ID_TEXT + 1] = "";
    (void)state;
    for (int i = 0; i < 200000; i++) {
        base_id_text(base_id_new(1795510800123456 + i / 1000), text);
        assert_true(strcmp(before, text) < 0);
        memcpy(before, text, sizeof(text));
    }
    assert_memory_equal(text, "01a20cc8-8efb-7", 15);
    assert_non_null(strchr("89ab", text[19]));
    base_id_text(base_id_new(0), text); /* the clock went back: order stays */
    assert_true(strcmp(before, text) < 0);
}

static void id_text_reads_back_and_nothing_else_does(void **state)
{
    struct base_sv text = SV("01a20b49-6EFB-7abc-8def-0123456789ab");
    char back[BASE_ID_TEXT + 1];
    struct base_id id;
    struct base_id other = {{1}};
    (void)state;
    assert_true(base_id_parse(text, &id));
    base_id_text(id, back);
    assert_string_equal(back, "01a20b49-6efb-7abc-8def-0123456789ab");
    assert_false(base_id_is_null(id));
    assert_true(base_id_is_null((struct base_id){{0}}));
    for (size_t i = 0; i < text.len; i++) {
        char bad[BASE_ID_TEXT];
        memcpy(bad, text.ptr, sizeof(bad));
        bad[i] = bad[i] == '-' ? '0' : 'g';
        assert_false(base_id_parse(base_sv(bad, sizeof(bad)), &other));
        assert_false(base_id_parse(base_sv_sub(text, 0, i), &other));
    }
    assert_int_equal(other.bytes[0], 1);
    assert_false(base_id_eq(id, other));
}

static void a_new_trace_formats_and_parses(void **state)
{
    char text[BASE_TRACEPARENT_TEXT + 1];
    struct base_trace trace = base_trace_new();
    struct base_trace child = base_trace_child(&trace);
    struct base_trace back;
    (void)state;
    assert_false(base_trace_is_null(&trace));
    assert_memory_equal(trace.trace_id, child.trace_id, 16);
    assert_memory_not_equal(trace.span_id, child.span_id, 8);
    base_trace_format(&child, text);
    assert_int_equal(strlen(text), BASE_TRACEPARENT_TEXT);
    assert_true(base_trace_parse(base_sv_from(text), &back));
    assert_memory_equal(back.trace_id, child.trace_id, 16);
    assert_memory_equal(back.span_id, child.span_id, 8);
    assert_true(back.sampled);
}

#define IDS "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"

static void traceparent_follows_the_standard(void **state)
{
    static const char *const good[] = {"00-" IDS "-01", "00-" IDS "-ff", "cc-" IDS "-01",
                                       "cc-" IDS "-01-what-comes-later"};
    static const char *const bad[] = {"ff-" IDS "-01",
                                      "00-" IDS "-01-more",
                                      "cc-" IDS "-01x",
                                      "00-" IDS "-0",
                                      "0-" IDS "-011",
                                      "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                                      "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                                      "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                                      "00_" IDS "-01",
                                      "00-" IDS "_01",
                                      "00-4bf92f3577b34da6a3ce929d0e0e473600f067aa0ba902b7--01",
                                      "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01"};
    struct base_trace trace;
    struct base_sv whole = SV("00-" IDS "-00");
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(base_trace_parse(base_sv_from(good[i]), &trace) && trace.sampled);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(base_trace_parse(base_sv_from(bad[i]), &trace));
    for (size_t n = 0; n < whole.len; n++)
        assert_false(base_trace_parse(base_sv_sub(whole, 0, n), &trace));
    assert_true(base_trace_parse(whole, &trace) && !trace.sampled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_uuid_v7_and_sort_by_time),
        cmocka_unit_test(id_text_reads_back_and_nothing_else_does),
        cmocka_unit_test(a_new_trace_formats_and_parses),
        cmocka_unit_test(traceparent_follows_the_standard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
