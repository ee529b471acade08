/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: whole, valid and one write each, whatever is in the fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"

static int ends[2];
static char line[8192];

/* What was written since the last call. */
static const char *written(void)
{
    ssize_t n = read(ends[0], line, sizeof(line) - 1);
    line[n > 0 ? n : 0] = '\0';
    return line;
}

/* The one line there is, as JSON. */
static json_t *object(void)
{
    const char *text = written();
    size_t len = strlen(text);
    assert_true(len > 0 && len <= 4096 && text[len - 1] == '\n');
    assert_ptr_equal(strchr(text, '\n'), text + len - 1);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    return root;
}

static const char *text_of(json_t *root, const char *key)
{
    return json_string_value(json_object_get(root, key));
}

static void a_json_line_has_every_field(void **state)
{
    struct base_trace trace = base_trace_new();
    struct base_trace none = {0};
    (void)state;
    base_log_init("svc", "1", BASE_LOG_JSON);
    LOG_INFO("a.b", LOG_STR("s", "x\"y\n"), LOG_INT("n", -5), LOG_BOOL("t", true),
             LOG_ERR(BASE_STALE), LOG_STR("nil", NULL), LOG_TRACE(&none), LOG_TRACE(NULL),
             LOG_TRACE(&trace));
    json_t *root = object();
    assert_string_equal(text_of(root, "level"), "info");
    assert_string_equal(text_of(root, "service"), "svc");
    assert_string_equal(text_of(root, "event"), "a.b");
    assert_string_equal(text_of(root, "s"), "x\"y\n");
    assert_string_equal(text_of(root, "nil"), "");
    assert_string_equal(text_of(root, "error"), "stale_version");
    assert_int_equal(json_integer_value(json_object_get(root, "n")), -5);
    assert_true(json_is_true(json_object_get(root, "t")));
    assert_int_equal(strlen(text_of(root, "trace_id")), 32);
    assert_int_equal(strlen(text_of(root, "span_id")), 16);
    assert_int_equal(text_of(root, "time")[10], 'T');
    json_decref(root);
}

static void bytes_that_are_no_text_do_not_break_the_line(void **state)
{
    (void)state;
    base_log_init("svc", "1", BASE_LOG_JSON);
    for (int byte = 0; byte < 256; byte++) {
        char bytes[3] = {'a', (char)byte, 'z'};
        LOG_WARN("e", LOG_SV("v", base_sv(bytes, 3)));
        const char *text = written();
        json_t *root = json_loads(text, JSON_ALLOW_NUL, NULL);
        assert_non_null(root);
        assert_int_equal(text_of(root, "v")[0], 'a');
        json_decref(root);
    }
}

static void a_line_too_long_is_cut_and_says_so(void **state)
{
    static char big[70000];
    (void)state;
    base_log_init("svc", "1", BASE_LOG_JSON);
    for (size_t unit = 0; unit < 3; unit++) {
        static const char fill[3] = {'x', '"', '\1'};
        memset(big, fill[unit], sizeof(big));
        for (size_t len = 900; len < 1100; len++) {
            LOG_INFO("e", LOG_SV("a", base_sv(big, len)), LOG_SV("b", base_sv(big, len)),
                     LOG_SV("c", base_sv(big, len)), LOG_SV("d", base_sv(big, len)),
                     LOG_INT("last", 1));
            json_t *root = object();
            assert_int_equal(json_is_true(json_object_get(root, "truncated")),
                             json_object_get(root, "last") == NULL);
            json_decref(root);
        }
    }
    LOG_INFO("e", LOG_SV("a", base_sv(big, sizeof(big))));
    json_decref(object());
}

static void a_terminal_is_not_fooled(void **state)
{
    struct base_trace trace = base_trace_new();
    (void)state;
    base_log_init("svc", "1", BASE_LOG_TEXT);
    LOG_ERROR("e.x", LOG_STR("plain", "10.0.0.1:80"), LOG_STR("v", "\x1b[2J\nERROR a=b"),
              LOG_STR("q", "a \"b"), LOG_STR("empty", ""), LOG_INT("n", 3), LOG_BOOL("f", false),
              LOG_TRACE(&trace));
    const char *text = written();
    assert_non_null(strstr(text, " error e.x plain=10.0.0.1:80 v=\"\\x1b[2J\\x0aERROR a=b\" "
                                 "q=\"a \\x22b\" empty=\"\" n=3 f=false trace_id="));
    static char big[5000];
    memset(big, 'x', sizeof(big));
    LOG_INFO("e", LOG_SV("a", base_sv(big, sizeof(big))), LOG_SV("b", base_sv(big, sizeof(big))),
             LOG_SV("c", base_sv(big, sizeof(big))), LOG_SV("d", base_sv(big, sizeof(big))));
    text = written();
    assert_true(strlen(text) < 4096);
    assert_non_null(strstr(text, " truncated=true\n"));
}

static void levels_filter(void **state)
{
    enum base_log_level level = BASE_LOG_ERROR;
    (void)state;
    base_log_init("svc", "1", BASE_LOG_JSON);
    assert_true(base_log_level_parse(SV("warn"), &level) && level == BASE_LOG_WARN);
    assert_false(base_log_level_parse(SV("WARN"), &level));
    assert_false(base_log_level_parse(SV(""), &level));
    base_log_set_level(level);
    assert_false(base_log_enabled(BASE_LOG_INFO));
    LOG_INFO("hidden");
    LOG_WARN("shown");
    base_log_set_level(BASE_LOG_INFO);
    json_t *root = object();
    assert_string_equal(text_of(root, "event"), "shown");
    json_decref(root);
}

static int set_up(void **state)
{
    (void)state;
    if (pipe(ends) != 0)
        return -1;
    base_log_set_fd(ends[1]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_json_line_has_every_field),
        cmocka_unit_test(bytes_that_are_no_text_do_not_break_the_line),
        cmocka_unit_test(a_line_too_long_is_cut_and_says_so),
        cmocka_unit_test(a_terminal_is_not_fooled),
        cmocka_unit_test(levels_filter),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
