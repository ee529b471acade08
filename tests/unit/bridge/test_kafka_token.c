/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a token is and until when; whatever is no token is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>

#include "bridge/bus/kafka_internal.h"

/* {"sub":"todo","exp":1800000000}, {"sub":"a?b","exp":1.5e9} */
#define PLAIN "eyJzdWIiOiJ0b2RvIiwiZXhwIjoxODAwMDAwMDAwfQ"
#define PADDED "eyJzdWIiOiJhP2IiLCJleHAiOjEuNWU5fQ"

static void test_tokens(void **state)
{
    char subject[16];
    int64_t expires_us;
    (void)state;
    assert_true(kafka_token_read(SV("e30." PLAIN ".c2ln"), subject, sizeof(subject), &expires_us));
    assert_string_equal(subject, "todo");
    assert_true(expires_us == INT64_C(1800000000000000));
    assert_true(kafka_token_read(SV("e30." PADDED "."), subject, sizeof(subject), &expires_us));
    assert_string_equal(subject, "a?b");
    assert_true(expires_us == INT64_C(1500000000000000));
}

static void test_none(void **state)
{
    static const char *const none[] = {
        "",
        ".",
        "..",
        "a.b.c",
        "e30.e30.",                                                 /* {} */
        "e30.eyJzdWIiOiJ0b2RvIn0.",                                 /* no exp */
        "e30.eyJleHAiOjE4MDAwMDAwMDB9.",                            /* no sub */
        "e30.eyJzdWIiOiJ0b2RvIiwiZXhwIjotMX0.",                     /* exp -1 */
        "e30.eyJzdWIiOiIwMTIzNDU2Nzg5MDEyMzQ1Njc4OSIsImV4cCI6MX0.", /* sub too long */
        "e30.%%%%.",
        "password",
    };
    char subject[16];
    int64_t expires_us;
    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        if (kafka_token_read(base_sv_from(none[i]), subject, sizeof(subject), &expires_us))
            fail_msg("taken for a token: %s", none[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
