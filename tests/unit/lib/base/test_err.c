/* SPDX-License-Identifier: Apache-2.0 */
/* The error table: every row is complete, codes are unique, and no number leads outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/base/err.h"
#include "lib/base/log.h"

static void rows_are_complete_and_codes_unique(void **state)
{
    (void)state;
    for (int i = 0; i < BASE_ERR_COUNT; i++) {
        enum base_err err = (enum base_err)i;
        assert_true(strlen(base_err_code(err)) > 0 && strlen(base_err_text(err)) > 0);
        assert_in_range(base_err_http(err), 200, 599);
        assert_in_range(base_err_level(err), 0, BASE_LOG_LEVEL_COUNT - 1);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(base_err_code(err), base_err_code((enum base_err)j));
    }
}

static void the_contract_holds(void **state)
{
    (void)state;
    assert_int_equal(BASE_OK, 0);
    assert_string_equal(base_err_code(BASE_ID_REUSED), "id_reused");
    assert_int_equal(base_err_http(BASE_STALE), 412);
    assert_int_equal(base_err_http(BASE_PRECONDITION), 428);
    assert_int_equal(base_err_level(BASE_NO_MEMORY), BASE_LOG_ERROR);
    assert_string_equal(base_err_code((enum base_err)9999), "internal");
    assert_string_equal(base_err_code((enum base_err) - 1), "internal");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_complete_and_codes_unique),
        cmocka_unit_test(the_contract_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
