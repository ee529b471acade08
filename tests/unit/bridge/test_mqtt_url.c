/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bridge/mqtt/mqtt_url.h"

static void what_is_valid_is_taken_apart(void **state)
{
    static const struct {
        const char *text, *host;
        int port;
        bool tls;
    } rows[] = {{"mqtt://broker", "broker", 1883, false},
                {"mqtts://broker.example.org", "broker.example.org", 8883, true},
                {"mqtt://127.0.0.1:1", "127.0.0.1", 1, false},
                {"mqtts://[::1]:65535", "::1", 65535, true},
                {"mqtt://[fe80::1]", "fe80::1", 1883, false}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mqtt_url url;
        assert_true(mqtt_url_parse(base_sv_from(rows[i].text), &url));
        assert_string_equal(url.host, rows[i].host);
        assert_int_equal(url.port, rows[i].port);
        assert_int_equal(url.tls, rows[i].tls);
    }
}

static void the_rest_is_refused(void **state)
{
    static const char *const rows[] = {"",
                                       "broker",
                                       "tcp://broker",
                                       "mqtt://",
                                       "mqtt://:1883",
                                       "mqtt://broker:",
                                       "mqtt://broker:0",
                                       "mqtt://broker:65536",
                                       "mqtt://broker:+5",
                                       "mqtt://broker:18x",
                                       "mqtt://user@broker",
                                       "mqtt://broker/path",
                                       "mqtt://bro ker",
                                       "mqtt://[::1",
                                       "mqtt://[]:5",
                                       "mqtt://[::1]x"};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mqtt_url url = {.port = 7};
        if (mqtt_url_parse(base_sv_from(rows[i]), &url))
            fail_msg("taken: %s", rows[i]);
        assert_int_equal(url.port, 7);
    }
}

static void a_host_of_256_bytes_is_too_long(void **state)
{
    char text[300] = "mqtt://";
    struct mqtt_url url;
    (void)state;
    memset(text + 7, 'a', 255);
    assert_true(mqtt_url_parse(base_sv(text, 7 + 255), &url));
    memset(text + 7, 'a', 256);
    assert_false(mqtt_url_parse(base_sv(text, 7 + 256), &url));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_valid_is_taken_apart),
        cmocka_unit_test(the_rest_is_refused),
        cmocka_unit_test(a_host_of_256_bytes_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
