/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/net/peers.h"

static void an_address_has_its_limit_and_others_theirs(void **state)
{
    struct net_peers *peers;
    (void)state;
    assert_int_equal(net_peers_new(2, &peers), BASE_OK);
    assert_true(net_peers_enter(peers, "192.0.2.1"));
    assert_true(net_peers_enter(peers, "192.0.2.1"));
    assert_false(net_peers_enter(peers, "192.0.2.1"));
    assert_true(net_peers_enter(peers, "192.0.2.2"));
    net_peers_leave(peers, "192.0.2.1");
    assert_true(net_peers_enter(peers, "192.0.2.1"));
    assert_false(net_peers_enter(peers, "192.0.2.1"));
    assert_int_equal(net_peers_count(peers), 2);
    net_peers_free(peers);
}

static void a_site_of_ipv6_counts_as_one(void **state)
{
    struct net_peers *peers;
    (void)state;
    assert_int_equal(net_peers_new(2, &peers), BASE_OK);
    assert_true(net_peers_enter(peers, "2001:db8:0:1::1"));
    assert_true(net_peers_enter(peers, "2001:db8:0:1:ffff::2"));
    assert_false(net_peers_enter(peers, "2001:db8:0:1::3"));
    assert_true(net_peers_enter(peers, "2001:db8:0:2::1"));
    net_peers_free(peers);
}

static void who_has_left_is_forgotten(void **state)
{
    enum { MANY = 20000 };
    struct net_peers *peers;
    char text[32];
    (void)state;
    assert_int_equal(net_peers_new(1, &peers), BASE_OK);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(text, sizeof(text), "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
        assert_true(net_peers_enter(peers, text));
    }
    assert_int_equal(net_peers_count(peers), MANY);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(text, sizeof(text), "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
        net_peers_leave(peers, text);
    }
    assert_int_equal(net_peers_count(peers), 0);
    net_peers_leave(peers, "10.0.0.1");
    net_peers_free(peers);
}

static void without_a_limit_nothing_is_counted(void **state)
{
    struct net_peers *peers;
    (void)state;
    assert_int_equal(net_peers_new(0, &peers), BASE_OK);
    for (int i = 0; i < 1000; i++)
        assert_true(net_peers_enter(peers, "192.0.2.1"));
    assert_int_equal(net_peers_count(peers), 0);
    net_peers_free(peers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_its_limit_and_others_theirs),
        cmocka_unit_test(a_site_of_ipv6_counts_as_one),
        cmocka_unit_test(who_has_left_is_forgotten),
        cmocka_unit_test(without_a_limit_nothing_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
