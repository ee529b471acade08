/* SPDX-License-Identifier: Apache-2.0 */
/* Every byte, alone and at the limits of length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/auth/names.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static void each_byte(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[3] = {'a', (char)c, 'b'};
        bool device = c && strchr(LETTERS "._~-", c), user = device || c == '@' || c == '|';
        assert_int_equal(auth_user_valid(base_sv(text, 3)), user);
        assert_int_equal(auth_device_valid(base_sv(text, 3)), device);
        assert_int_equal(auth_user_valid(base_sv(text + 1, 1)), user);
    }
}

static void lengths(void **state)
{
    char text[130];
    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t n = 0; n <= sizeof(text); n++) {
        assert_int_equal(auth_user_valid(base_sv(text, n)), n >= 1 && n <= 128);
        assert_int_equal(auth_device_valid(base_sv(text, n)), n >= 1 && n <= 64);
    }
    assert_false(auth_user_valid(SV_NULL));
    assert_false(auth_device_valid(SV_NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_byte), cmocka_unit_test(lengths)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
