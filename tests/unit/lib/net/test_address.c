/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that nobody may send us to, in every way of writing them, and their neighbours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <string.h>

#include "lib/net/address.h"

static bool global(const char *text)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&storage;
    if (strchr(text, ':')) {
        v6->sin6_family = AF_INET6;
        assert_int_equal(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
    } else {
        v4->sin_family = AF_INET;
        assert_int_equal(inet_pton(AF_INET, text, &v4->sin_addr), 1);
    }
    return net_address_is_global((struct sockaddr *)&storage);
}

static void test_private_ones(void **state)
{
    static const char *const list[] = {
        "0.0.0.0",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "100::1",
        "2001:db8::1",
        "2001::1",
        "2002:7f00:1::",
        "fc00::1",
        "fdff::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "::127.0.0.1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        if (global(list[i]))
            fail_msg("%s counts as everybody's", list[i]);
}

static void test_everybodys(void **state)
{
    static const char *const list[] = {
        "1.1.1.1",      "9.255.255.255",  "11.0.0.0",         "100.63.255.255",  "100.128.0.0",
        "126.0.0.1",    "128.0.0.1",      "172.15.255.255",   "172.32.0.0",      "192.167.0.1",
        "192.169.0.1",  "198.17.255.255", "198.20.0.0",       "223.255.255.255", "2606:4700::1111",
        "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        if (!global(list[i]))
            fail_msg("%s is refused", list[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_private_ones),
        cmocka_unit_test(test_everybodys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
