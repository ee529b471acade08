/* SPDX-License-Identifier: Apache-2.0 */
/* What a sign-in code looks like, and where it is kept; that it works once is the state's contract.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/http/codes.h"

static void codes_differ_and_so_do_their_keys(void **state)
{
    char first[GW_CODE_TEXT + 1], second[GW_CODE_TEXT + 1];
    char key[GW_CODE_KEY + 1], other[GW_CODE_KEY + 1];
    (void)state;
    gw_code_new(first);
    gw_code_new(second);
    assert_int_equal(strlen(first), GW_CODE_TEXT);
    assert_string_not_equal(first, second);
    assert_true(gw_code_key(base_sv_from(first), key));
    assert_true(gw_code_key(base_sv_from(second), other));
    assert_int_equal(strlen(key), GW_CODE_KEY);
    assert_string_not_equal(key, other);
    assert_null(strstr(key, first));
    assert_true(gw_code_key(base_sv_from(first), other));
    assert_string_equal(key, other);
}

static void what_is_no_code_has_no_key(void **state)
{
    char code[GW_CODE_TEXT + 2] = {0};
    char key[GW_CODE_KEY + 1];
    (void)state;
    memset(code, 'a', GW_CODE_TEXT + 1);
    assert_false(gw_code_key(base_sv(code, GW_CODE_TEXT + 1), key));
    assert_false(gw_code_key(base_sv(code, GW_CODE_TEXT - 1), key));
    assert_false(gw_code_key(SV(""), key));
    assert_false(gw_code_key(SV_NULL, key));
    assert_true(gw_code_key(base_sv(code, GW_CODE_TEXT), key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_differ_and_so_do_their_keys),
        cmocka_unit_test(what_is_no_code_has_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
