/* SPDX-License-Identifier: Apache-2.0 */
/* Sign-in codes work once and for a minute; the oldest gives way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/http/codes.h"

enum { NOW = 1000000000, OPEN_AT_ONCE = 256 };

static int setup(void **state)
{
    struct gw_codes *codes;
    assert_int_equal(gw_codes_new(&codes), BASE_OK);
    *state = codes;
    return 0;
}

static int teardown(void **state)
{
    gw_codes_free(*state);
    return 0;
}

static void test_once(void **state)
{
    char code[GW_CODE_TEXT + 1];
    char user[129];
    gw_codes_make(*state, SV("ann"), NOW, code);
    assert_int_equal(strlen(code), GW_CODE_TEXT);
    assert_true(gw_codes_take(*state, base_sv_from(code), NOW + 1, user));
    assert_string_equal(user, "ann");
    assert_false(gw_codes_take(*state, base_sv_from(code), NOW + 2, user));
}

static void test_expiry(void **state)
{
    int64_t ttl = (int64_t)GW_CODE_TTL_S * 1000000;
    char code[GW_CODE_TEXT + 1];
    char user[129];
    gw_codes_make(*state, SV("ann"), NOW, code);
    assert_false(gw_codes_take(*state, base_sv_from(code), NOW + ttl, user));
    gw_codes_make(*state, SV("ann"), NOW, code);
    assert_true(gw_codes_take(*state, base_sv_from(code), NOW + ttl - 1, user));
}

static void test_wrong(void **state)
{
    char code[GW_CODE_TEXT + 1];
    char user[129];
    gw_codes_make(*state, SV("ann"), NOW, code);
    assert_false(gw_codes_take(*state, base_sv(code, GW_CODE_TEXT - 1), NOW, user));
    assert_false(gw_codes_take(*state, SV(""), NOW, user));
    code[7] = code[7] == '0' ? '1' : '0';
    assert_false(gw_codes_take(*state, base_sv_from(code), NOW, user));
}

static void test_oldest_gives_way(void **state)
{
    char first[GW_CODE_TEXT + 1];
    char second[GW_CODE_TEXT + 1];
    char other[GW_CODE_TEXT + 1];
    char user[129];
    gw_codes_make(*state, SV("ann"), NOW, first);
    gw_codes_make(*state, SV("bob"), NOW, second);
    for (int i = 0; i < OPEN_AT_ONCE - 1; i++)
        gw_codes_make(*state, SV("cy"), NOW, other);
    assert_false(gw_codes_take(*state, base_sv_from(first), NOW, user));
    assert_true(gw_codes_take(*state, base_sv_from(second), NOW, user));
    assert_string_equal(user, "bob");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expiry, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(test_oldest_gives_way, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
