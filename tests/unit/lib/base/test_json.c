/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer and UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/json.h"
#include "lib/base/utf8.h"

static void commas_come_by_themselves(void **state)
{
    struct base_buf buf;
    (void)state;
    base_buf_init(&buf, 1000);
    base_json_open(&buf, '{');
    base_json_kv_str(&buf, "a", SV("x:"));
    base_json_kv_opt(&buf, "no", SV_NULL);
    base_json_kv_int(&buf, "b", -1);
    base_json_key(&buf, "c");
    base_json_open(&buf, '[');
    base_json_int(&buf, 1);
    base_json_str(&buf, SV("{"));
    base_json_open(&buf, '{');
    base_json_close(&buf, '}');
    base_json_null(&buf);
    base_json_bool(&buf, false);
    base_json_close(&buf, ']');
    base_json_kv_bool(&buf, "d", true);
    base_json_kv_raw(&buf, "e", SV("{\"f\":[]}"));
    base_json_kv_time(&buf, "t", 1500000);
    base_json_close(&buf, '}');
    assert_string_equal(buf.data, "{\"a\":\"x:\",\"b\":-1,\"c\":[1,\"{\",{},null,false],"
                                  "\"d\":true,\"e\":{\"f\":[]},"
                                  "\"t\":\"1970-01-01T00:00:01.500Z\"}");
    base_buf_done(&buf);
}

static void text_is_escaped(void **state)
{
    static const struct {
        struct base_sv text;
        const char *json;
    } rows[] = {
        {SV_NULL, "\"\""},
        {SV("a\"b\\c"), "\"a\\\"b\\\\c\""},
        {SV("\n\r\t"), "\"\\n\\r\\t\""},
        {SV("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\\u007f\""},
        {SV("</script> a/b"), "\"<\\/script> a/b\""},
        {SV("x\xE2\x80\xA8y\xE2\x80\xA9"), "\"x\\u2028y\\u2029\""},
        {SV("\xE2\x80\xA7\xE2\x82\xAC"), "\"\xE2\x80\xA7\xE2\x82\xAC\""},
        {SV("Grüße 🎉"), "\"Grüße 🎉\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct base_buf buf;
        base_buf_init(&buf, 200);
        base_json_str(&buf, rows[i].text);
        assert_string_equal(buf.data, rows[i].json);
        base_buf_done(&buf);
    }
}

static void too_little_room_is_failure_not_half_a_value(void **state)
{
    (void)state;
    for (size_t max = 0; max < 9; max++) {
        struct base_buf buf;
        base_buf_init(&buf, max);
        base_json_str(&buf, SV("abc\n\n"));
        assert_int_equal(base_buf_ok(&buf), max >= 9);
        base_buf_done(&buf);
    }
}

static void utf8_is_rfc_3629(void **state)
{
    static const char *const good[] = {"",
                                       "plain ASCII, longer than eight",
                                       "\xC2\x80",
                                       "\xDF\xBF",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xEF\xBF\xBF",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF",
                                       "1234567\xC3\xA4"};
    static const char *const bad[] = {"\x80",
                                      "\xBF",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xC2",
                                      "\xC2\x41",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xE1\x80",
                                      "\xE1\x80\x41",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xFF",
                                      "12345678\xFF",
                                      "\xF0\x90\x80"};
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(base_utf8_valid(base_sv_from(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(base_utf8_valid(base_sv_from(bad[i])));
}

static void cutting_keeps_code_points_whole(void **state)
{
    struct base_sv text = SV("aä€🎉"); /* 1 + 2 + 3 + 4 bytes */
    static const size_t kept[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
    (void)state;
    for (size_t max = 0; max < sizeof(kept) / sizeof(kept[0]); max++)
        assert_int_equal(base_utf8_cut(text, max).len, kept[max]);
    assert_int_equal(base_utf8_count(text), 4);
    assert_int_equal(base_utf8_cut(SV("\x80\x80\x80"), 2).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_come_by_themselves),
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(too_little_room_is_failure_not_half_a_value),
        cmocka_unit_test(utf8_is_rfc_3629),
        cmocka_unit_test(cutting_keeps_code_points_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
