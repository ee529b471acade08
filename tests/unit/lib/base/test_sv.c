/* SPDX-License-Identifier: Apache-2.0 */
/* String views: no function may look beyond a view, or trip over an empty one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/sv.h"

static void comparison_goes_by_length_and_bytes(void **state)
{
    (void)state;
    assert_true(base_sv_eq(SV("abc"), base_sv("abcd", 3)));
    assert_true(base_sv_eq(SV_NULL, SV("")));
    assert_false(base_sv_eq(SV("abc"), SV("abd")));
    assert_true(base_sv_eq(base_sv("a\0b", 3), SV("a\0b")));
    assert_false(base_sv_eq(SV("a\0b"), SV("a\0c")));
    assert_true(base_sv_eq_c(SV("abc"), "abc"));
    assert_false(base_sv_eq_c(SV("abc"), NULL));
    assert_true(base_sv_eq_i(SV("aZ[{"), SV("Az[{")));
    assert_false(base_sv_eq_i(SV("["), SV("{"))); /* differ in the same bit as letters do */
    assert_false(base_sv_eq_i(SV("\xC4"), SV("\xE4")));
    assert_true(base_sv_cmp(SV("a"), SV("ab")) < 0);
    assert_true(base_sv_cmp(SV("b"), SV("ab")) > 0);
    assert_true(base_sv_cmp(SV("\xFF"), SV("a")) > 0);
    assert_int_equal(base_sv_cmp(SV_NULL, SV("")), 0);
}

static void starts_and_ends(void **state)
{
    (void)state;
    assert_true(base_sv_starts(SV("TODO_X"), SV("TODO_")));
    assert_false(base_sv_starts(SV("TOD"), SV("TODO_")));
    assert_true(base_sv_starts(SV_NULL, SV("")));
    assert_true(base_sv_ends(SV("a.file"), SV(".file")));
    assert_false(base_sv_ends(SV("file"), SV(".file")));
    assert_true(base_sv_ends(SV_NULL, SV_NULL));
}

static void trim_and_sub_clamp(void **state)
{
    (void)state;
    assert_true(base_sv_eq_c(base_sv_trim(SV(" \t\r\n\v\f a b \n")), "a b"));
    assert_int_equal(base_sv_trim(SV(" \n ")).len, 0);
    assert_int_equal(base_sv_trim(SV_NULL).len, 0);
    assert_true(base_sv_eq_c(base_sv_sub(SV("hello"), 1, 3), "el"));
    assert_true(base_sv_eq_c(base_sv_sub(SV("hello"), 3, 99), "lo"));
    assert_int_equal(base_sv_sub(SV("hello"), 9, 99).len, 0);
    assert_int_equal(base_sv_sub(SV("hello"), 4, 2).len, 0);
}

static void split_gives_every_piece_and_ends(void **state)
{
    static const char *const pieces[] = {"a", "", "b", ""};
    struct base_sv rest = SV("a,,b,");
    size_t n = 0;
    (void)state;
    while (rest.ptr) {
        assert_in_range(n, 0, 3);
        assert_true(base_sv_eq_c(base_sv_split(&rest, ','), pieces[n++]));
    }
    assert_int_equal(n, 4);
    assert_int_equal(base_sv_find(SV("abc"), 'c'), 2);
    assert_int_equal(base_sv_find(SV("abc"), 'x'), 3);
    assert_int_equal(base_sv_find(base_sv("abc", 2), 'c'), 2);
}

static void cstr_fits_or_is_empty(void **state)
{
    char dst[4] = "xyz";
    (void)state;
    assert_true(base_sv_cstr(SV("abc"), dst, sizeof(dst)));
    assert_string_equal(dst, "abc");
    assert_false(base_sv_cstr(SV("abcd"), dst, sizeof(dst)));
    assert_string_equal(dst, "");
    assert_false(base_sv_cstr(SV("a\0b"), dst, sizeof(dst)));
    assert_true(base_sv_cstr(SV_NULL, dst, 1));
    assert_false(base_sv_cstr(SV_NULL, dst, 0));
}

static void int64_is_exact_at_its_ends(void **state)
{
    static const char *const bad[] = {"",
                                      "-",
                                      "+",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "0x10",
                                      "--1",
                                      "1-",
                                      "12a",
                                      "٣",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999999"};
    int64_t value = 7;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(base_sv_int64(base_sv_from(bad[i]), &value));
        assert_true(value == 7);
    }
    assert_true(base_sv_int64(SV("9223372036854775807"), &value) && value == INT64_MAX);
    assert_true(base_sv_int64(SV("-9223372036854775808"), &value) && value == INT64_MIN);
    assert_true(base_sv_int64(SV("+007"), &value) && value == 7);
    assert_true(base_sv_int64(base_sv("123", 2), &value) && value == 12);
}

static void hash_is_fnv_1a(void **state)
{
    (void)state;
    assert_true(base_sv_hash(SV(""), 0) == 0xcbf29ce484222325u);
    assert_true(base_sv_hash(SV("foobar"), 0) == 0x85944171f73967e8u);
    assert_true(base_sv_hash(SV("foobar"), 1) != base_sv_hash(SV("foobar"), 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparison_goes_by_length_and_bytes),
        cmocka_unit_test(starts_and_ends),
        cmocka_unit_test(trim_and_sub_clamp),
        cmocka_unit_test(split_gives_every_piece_and_ends),
        cmocka_unit_test(cstr_fits_or_is_empty),
        cmocka_unit_test(int64_is_exact_at_its_ends),
        cmocka_unit_test(hash_is_fnv_1a),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
