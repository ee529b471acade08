/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bridge/config.h"

struct tester {
    struct bridge_config config;
    struct base_buf errors, warnings;
    unsigned roles;
};

/* Loads from flags alone and checks. */
static enum base_err load(struct tester *t, char **argv, int argc)
{
    enum base_config_mode mode;
    base_buf_init(&t->errors, 4096);
    base_buf_init(&t->warnings, 4096);
    enum base_err err = base_config_load(&bridge_config_table, &t->config, argc, argv, NULL, &mode,
                                         &t->errors, &t->warnings);
    if (err == BASE_OK)
        err = bridge_config_check(&t->config, &t->roles, &t->errors);
    return err;
}

static void done(struct tester *t)
{
    base_config_done(&bridge_config_table, &t->config);
    base_buf_done(&t->errors);
    base_buf_done(&t->warnings);
}

static void defaults_do_everything(void **state)
{
    char *argv[] = {"todo-bridge", "--database.url=d", "--kafka.brokers=k", "--mqtt.url=mqtt://m"};
    struct tester t;
    (void)state;
    assert_int_equal(load(&t, argv, 4), BASE_OK);
    assert_int_equal(t.roles, BRIDGE_ROLE_RELAY | BRIDGE_ROLE_SCHEDULER | BRIDGE_ROLE_MQTT |
                                  BRIDGE_ROLE_WEBHOOKS);
    assert_int_equal(t.config.kafka_partitions, 8);
    assert_int_equal(t.config.events_keep, INT64_C(8) * 86400 * 1000);
    assert_string_equal(t.config.internal_address, "127.0.0.1");
    done(&t);
}

static void only_what_the_roles_need_is_needed(void **state)
{
    char *argv[] = {"todo-bridge", "--database.url=d", "--roles= scheduler"};
    struct tester t;
    (void)state;
    assert_int_equal(load(&t, argv, 3), BASE_OK);
    assert_int_equal(t.roles, BRIDGE_ROLE_SCHEDULER);
    done(&t);
}

static void every_missing_setting_is_named(void **state)
{
    char *argv[] = {"todo-bridge"};
    struct tester t;
    (void)state;
    assert_int_equal(load(&t, argv, 1), BASE_INVALID);
    assert_non_null(strstr(t.errors.data, "database.url must be set"));
    assert_non_null(strstr(t.errors.data, "kafka.brokers must be set"));
    assert_non_null(strstr(t.errors.data, "mqtt.url must be set"));
    done(&t);
}

static void an_unknown_role_is_refused(void **state)
{
    char *argv[] = {"todo-bridge", "--database.url=d", "--roles=scheduler,auditor"};
    struct tester t;
    (void)state;
    assert_int_equal(load(&t, argv, 3), BASE_INVALID);
    assert_non_null(strstr(t.errors.data, "\"auditor\" is not one of"));
    done(&t);
}

static void events_are_kept_eight_days_at_least(void **state)
{
    char *argv[] = {"todo-bridge", "--events.keep=7d"};
    struct tester t;
    (void)state;
    assert_int_not_equal(load(&t, argv, 2), BASE_OK);
    assert_non_null(strstr(t.errors.data, "events.keep"));
    base_buf_done(&t.errors);
    base_buf_done(&t.warnings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_do_everything),
        cmocka_unit_test(only_what_the_roles_need_is_needed),
        cmocka_unit_test(every_missing_setting_is_named),
        cmocka_unit_test(an_unknown_role_is_refused),
        cmocka_unit_test(events_are_kept_eight_days_at_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
