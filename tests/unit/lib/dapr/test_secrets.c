/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/dapr/secrets.h"

static enum base_err pick(const char *answer, const char *name, const char *key, char *dst,
                          size_t cap)
{
    struct base_buf value;
    base_buf_init(&value, cap - 1);
    enum base_err err =
        dapr_secret_pick(base_sv_from(answer), base_sv_from(name), base_sv_from(key), &value);
    (void)base_sv_cstr(base_buf_sv(&value), dst, cap);
    base_buf_done(&value);
    return err;
}

static void a_key_is_the_one_said_or_the_name_or_the_only_one(void **state)
{
    char text[32];
    (void)state;
    assert_int_equal(pick("{\"a\":\"1\",\"b\":\"2\"}", "db", "b", text, sizeof(text)), BASE_OK);
    assert_string_equal(text, "2");
    assert_int_equal(pick("{\"db\":\"1\",\"b\":\"2\"}", "db", "", text, sizeof(text)), BASE_OK);
    assert_string_equal(text, "1");
    assert_int_equal(pick("{\"url\":\"3\"}", "db", "", text, sizeof(text)), BASE_OK);
    assert_string_equal(text, "3");
}

static void what_is_not_there_is_said(void **state)
{
    char text[8];
    (void)state;
    assert_int_equal(pick("{\"a\":\"1\",\"b\":\"2\"}", "db", "", text, sizeof(text)),
                     BASE_NOT_FOUND);
    assert_int_equal(pick("{\"url\":\"3\"}", "db", "password", text, sizeof(text)), BASE_NOT_FOUND);
    assert_int_equal(pick("{\"db\":7}", "db", "", text, sizeof(text)), BASE_NOT_FOUND);
    assert_int_equal(pick("{}", "db", "", text, sizeof(text)), BASE_NOT_FOUND);
    assert_int_equal(pick("", "db", "", text, sizeof(text)), BASE_MALFORMED);
    assert_int_equal(pick("[\"db\"]", "db", "", text, sizeof(text)), BASE_MALFORMED);
    assert_int_equal(pick("{\"db\":\"a value that is too long\"}", "db", "", text, sizeof(text)),
                     BASE_TOO_LARGE);
}

struct config {
    char *password, *plain;
};
static const struct base_config_key keys[] = {
    {"password", BASE_CONFIG_STR, offsetof(struct config, password), "", 0, 64, NULL,
     BASE_CONFIG_SECRET, "a secret"},
    {"plain", BASE_CONFIG_STR, offsetof(struct config, plain), "", 0, 64, NULL, 0, "no secret"}};
static const struct base_config_table table = {keys, 2, sizeof(struct config)};

static void only_secrets_are_looked_up(void **state)
{
    struct config config = {.password = strdup("word"), .plain = strdup("dapr:db")};
    (void)state;
    assert_false(dapr_secrets_wanted(&table, &config));
    free(config.password);
    config.password = strdup("dapr:db/url");
    assert_true(dapr_secrets_wanted(&table, &config));
    base_config_done(&table, &config);
}

static void what_was_fetched_is_kept_over_a_reload(void **state)
{
    struct config old = {.password = strdup("fetched"), .plain = strdup("a")};
    struct config fresh = {.password = strdup("dapr:db"), .plain = strdup("dapr:b")};
    (void)state;
    assert_int_equal(dapr_secrets_keep(&table, &old, &fresh), BASE_OK);
    assert_string_equal(fresh.password, "fetched");
    assert_string_equal(fresh.plain, "dapr:b");
    base_config_done(&table, &old);
    base_config_done(&table, &fresh);
}

static void names_and_absence_are_told_without_a_sidecar(void **state)
{
    struct config config = {.password = strdup("dapr:../x"), .plain = strdup("")};
    const struct dapr_settings settings = {
        .url = "http://127.0.0.1:1", .token = "", .app_token = ""};
    struct base_buf errors;
    (void)state;
    base_buf_init(&errors, 4096);
    assert_int_equal(dapr_secrets_fetch(&settings, "store", &table, &config, &errors),
                     BASE_UNAVAILABLE);
    assert_non_null(strstr(errors.data, "password: the secret \"../x\""));
    free(config.password);
    config.password = strdup("dapr:db/url");
    base_buf_reset(&errors);
    assert_int_equal(dapr_secrets_fetch(&settings, "store", &table, &config, &errors),
                     BASE_UNAVAILABLE);
    assert_non_null(
        strstr(errors.data, "password: the secret \"db/url\" of the Dapr secret store \"store\""));
    assert_string_equal(config.password, "dapr:db/url");
    base_buf_done(&errors);
    base_config_done(&table, &config);
}

static void the_injectors_environment_stands_in(void **state)
{
    char url[DAPR_URL_MAX];
    struct dapr_settings settings = {.url = "", .token = "", .app_token = "mine"};
    (void)state;
    (void)setenv("DAPR_HTTP_PORT", "4500", 1);
    (void)setenv("DAPR_API_TOKEN", "t", 1);
    (void)setenv("APP_API_TOKEN", "other", 1);
    dapr_settings_complete(&settings, url);
    assert_string_equal(settings.url, "http://127.0.0.1:4500");
    assert_string_equal(settings.token, "t");
    assert_string_equal(settings.app_token, "mine");
    (void)setenv("DAPR_HTTP_ENDPOINT", "http://sidecar:1", 1);
    settings.url = "";
    dapr_settings_complete(&settings, url);
    assert_string_equal(settings.url, "http://sidecar:1");
    settings.url = "http://127.0.0.1:9";
    dapr_settings_complete(&settings, url);
    assert_string_equal(settings.url, "http://127.0.0.1:9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_the_one_said_or_the_name_or_the_only_one),
        cmocka_unit_test(what_is_not_there_is_said),
        cmocka_unit_test(only_secrets_are_looked_up),
        cmocka_unit_test(what_was_fetched_is_kept_over_a_reload),
        cmocka_unit_test(names_and_absence_are_told_without_a_sidecar),
        cmocka_unit_test(the_injectors_environment_stands_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
