/* SPDX-License-Identifier: Apache-2.0 */
/* Every field of a task in the API's JSON: as it is taken, and what is said of a wrong one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/http/body.h"

struct world {
    struct base_arena arena;
    struct task_patch patch;
    struct task_problem problem;
    json_t *body;
};

static enum base_err read_body(struct world *w, const char *text)
{
    base_arena_init(&w->arena, 1 << 20);
    w->body = json_loads(text, 0, NULL);
    assert_non_null(w->body);
    return gw_body_patch(w->body, &w->arena, &w->patch, &w->problem);
}

static void end(struct world *w)
{
    json_decref(w->body);
    base_arena_done(&w->arena);
}

static void assert_text(struct base_sv have, const char *want)
{
    assert_int_equal(have.len, strlen(want));
    assert_memory_equal(have.ptr, want, have.len);
}

static void test_all_fields(void **state)
{
    struct world w = {0};
    (void)state;
    assert_int_equal(
        read_body(&w, "{\"title\":\"pay\",\"notes\":\"n\",\"priority\":4,\"tags\":[\"a\",\"b\"],"
                      "\"project\":\"home\",\"due_date\":\"2026-11-25T09:30:00\","
                      "\"timezone\":\"Europe/Berlin\",\"reminders\":[{\"before\":\"PT15M\"},"
                      "{\"at\":\"2026-11-25T08:00:00Z\"}],"
                      "\"recurrence_pattern\":{\"frequency\":\"daily\"}}"),
        BASE_OK);
    assert_int_equal(w.patch.set, 255);
    assert_text(w.patch.title, "pay");
    assert_text(w.patch.notes, "n");
    assert_text(w.patch.project, "home");
    assert_int_equal(w.patch.priority, 4);
    assert_int_equal(w.patch.tag_count, 2);
    assert_text(w.patch.tags[1], "b");
    assert_int_equal(w.patch.due.kind, TASK_DUE_ZONED);
    assert_int_equal(w.patch.due.local.minute, 30);
    assert_text(w.patch.due.zone, "Europe/Berlin");
    assert_int_equal(w.patch.reminder_count, 2);
    assert_true(w.patch.reminders[0].relative);
    assert_int_equal(w.patch.reminders[0].before_s, 900);
    assert_false(w.patch.reminders[1].relative);
    assert_true(w.patch.reminders[1].at_us == INT64_C(1795593600000000));
    assert_text(w.patch.recurrence, "{\"frequency\":\"daily\"}");
    end(&w);
}

static void test_kinds_of_due(void **state)
{
    static const struct {
        const char *text;
        enum task_due_kind kind;
    } rows[] = {{"{\"due_date\":null}", TASK_DUE_NONE},
                {"{\"due_date\":\"2026-11-25\"}", TASK_DUE_DATE},
                {"{\"due_date\":\"2026-11-25T09:00:00\"}", TASK_DUE_FLOATING},
                {"{\"due_date\":\"2026-11-25T09:00:00\",\"timezone\":\"UTC\"}", TASK_DUE_ZONED}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world w = {0};
        assert_int_equal(read_body(&w, rows[i].text), BASE_OK);
        assert_int_equal(w.patch.set, TASK_F_DUE);
        assert_int_equal(w.patch.due.kind, rows[i].kind);
        end(&w);
    }
}

static void test_nothing(void **state)
{
    struct world w = {0};
    (void)state;
    assert_int_equal(read_body(&w, "{}"), BASE_OK);
    assert_int_equal(w.patch.set, 0);
    end(&w);
}

static void test_wrong(void **state)
{
    static const struct {
        const char *text;
        const char *field;
    } rows[] = {
        {"{\"title\":5}", "title"},
        {"{\"title\":null}", "title"},
        {"{\"notes\":[]}", "notes"},
        {"{\"project\":1}", "project"},
        {"{\"priority\":0}", "priority"},
        {"{\"priority\":5}", "priority"},
        {"{\"priority\":1.5}", "priority"},
        {"{\"priority\":\"4\"}", "priority"},
        {"{\"tags\":\"a\"}", "tags"},
        {"{\"tags\":[1]}", "tags"},
        {"{\"tags\":[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\","
         "\"\",\"\",\"\",\"\",\"\",\"\",\"\"]}",
         "tags"},
        {"{\"due_date\":\"tomorrow\"}", "due_date"},
        {"{\"due_date\":5}", "due_date"},
        {"{\"due_date\":\"2026-11-25\",\"timezone\":\"UTC\"}", "timezone"},
        {"{\"timezone\":\"UTC\"}", "timezone"},
        {"{\"timezone\":5,\"due_date\":\"2026-11-25T09:00:00\"}", "timezone"},
        {"{\"reminders\":{}}", "reminders"},
        {"{\"reminders\":[5]}", "reminders"},
        {"{\"reminders\":[{}]}", "reminders"},
        {"{\"reminders\":[{\"before\":\"PT1M\",\"at\":\"2026-11-25T08:00:00Z\"}]}", "reminders"},
        {"{\"reminders\":[{\"before\":\"soon\"}]}", "reminders"},
        {"{\"reminders\":[{\"at\":\"soon\"}]}", "reminders"},
        {"{\"reminders\":[{\"before\":\"PT1M\",\"id\":\"x\"}]}", "reminders"},
        {"{\"reminders\":[{},{},{},{},{},{},{},{},{},{},{}]}", "reminders"},
        {"{\"recurrence_pattern\":\"daily\"}", "recurrence_pattern"},
        {"{\"colour\":\"red\"}", "colour"},
        {"{\"id\":\"x\"}", "id"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world w = {0};
        assert_int_equal(read_body(&w, rows[i].text), BASE_UNPROCESSABLE);
        assert_string_equal(w.problem.field, rows[i].field);
        assert_true(strlen(w.problem.text) > 10);
        end(&w);
    }
}

static void test_long_pattern(void **state)
{
    struct world w = {0};
    struct base_buf buf;
    (void)state;
    base_buf_init(&buf, 80000);
    base_buf_add_c(&buf, "{\"recurrence_pattern\":{\"rrule\":\"");
    for (int i = 0; i < 70000; i++)
        base_buf_add_char(&buf, 'x');
    base_buf_add_c(&buf, "\"}}");
    assert_true(base_buf_ok(&buf));
    const char *text = buf.data;
    assert_int_equal(read_body(&w, text), BASE_UNPROCESSABLE);
    assert_string_equal(w.problem.field, "recurrence_pattern");
    end(&w);
    base_buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_fields),   cmocka_unit_test(test_kinds_of_due),
        cmocka_unit_test(test_nothing),      cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_long_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
