/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: every source, every type, every complaint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/config.h"

struct settings {
    char *name;
    int64_t port;
    bool fast;
    int64_t wait_ms;
    int64_t size;
    int mode;
    char *secret;
};

#define AT(field) offsetof(struct settings, field)
static const struct base_config_key keys[] = {
    {"server.name", BASE_CONFIG_STR, AT(name), "here", 0, 40, NULL, 0, "What it is called."},
    {"listen.port", BASE_CONFIG_INT, AT(port), "80", 1, 65535, NULL, BASE_CONFIG_RELOAD, "Port."},
    {"fast_path", BASE_CONFIG_BOOL, AT(fast), "no", 0, 0, NULL, 0, "Fast."},
    {"wait", BASE_CONFIG_DURATION, AT(wait_ms), "5s", 100, 3600000, NULL, 0, "Wait."},
    {"size", BASE_CONFIG_SIZE, AT(size), "64k", 0, 1 << 30, NULL, 0, "Size."},
    {"mode", BASE_CONFIG_ENUM, AT(mode), "json", 0, 0, "json|text", 0, "Mode."},
    {"db.password", BASE_CONFIG_STR, AT(secret), "", 0, 100, NULL, BASE_CONFIG_SECRET, "Secret."},
};
static const struct base_config_table table = {keys, sizeof(keys) / sizeof(keys[0]),
                                               sizeof(struct settings)};

static struct settings settings;
static struct base_buf errors;
static struct base_buf warnings;
static enum base_config_mode mode;

static int set_up(void **state)
{
    (void)state;
    base_buf_init(&errors, 4000);
    base_buf_init(&warnings, 4000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    base_config_done(&table, &settings);
    base_buf_done(&errors);
    base_buf_done(&warnings);
    return 0;
}

/* args and env end in NULL; either may be NULL. */
static enum base_err load(char **args, char **env)
{
    char *argv[16] = {"program"};
    int argc = 1;
    for (; args && args[argc - 1]; argc++)
        argv[argc] = args[argc - 1];
    base_config_done(&table, &settings);
    base_buf_reset(&errors);
    base_buf_reset(&warnings);
    return base_config_load(&table, &settings, argc, argv, env, &mode, &errors, &warnings);
}
#define LIST(...) ((char *[]){__VA_ARGS__, NULL})

/* A file that is gone with the process; the path stays valid until the next call but three. */
static char *file_with(const char *text, size_t len)
{
    static char paths[4][64];
    static int next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof(paths[0]), "/tmp/todo-test-config-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, len) == (ssize_t)len);
    (void)close(fd);
    return path;
}

static enum base_err load_text(const char *text)
{
    char *path = file_with(text, strlen(text));
    enum base_err err = load(LIST("--config", path), NULL);
    (void)unlink(path);
    return err;
}

static void defaults_stand_alone(void **state)
{
    (void)state;
    assert_int_equal(load(NULL, NULL), BASE_OK);
    assert_string_equal(settings.name, "here");
    assert_int_equal(settings.port, 80);
    assert_false(settings.fast);
    assert_int_equal(settings.wait_ms, 5000);
    assert_int_equal(settings.size, 65536);
    assert_int_equal(settings.mode, 0);
    assert_string_equal(settings.secret, "");
    assert_int_equal(mode, BASE_CONFIG_RUN);
}

static void a_later_source_wins(void **state)
{
    static const char text[] =
        "# comment\n\n listen.port = 81\r\nserver.name = from file \nwait=1h\n";
    char *path = file_with(text, sizeof(text) - 1);
    (void)state;
    assert_int_equal(load(LIST("--listen.port=83", "--config", path, "--mode", "text"),
                          LIST("TODO_LISTEN_PORT=82", "TODO_FAST_PATH=on", "TODO_WAIT=250ms")),
                     BASE_OK);
    (void)unlink(path);
    assert_string_equal(settings.name, "from file");
    assert_int_equal(settings.port, 83);
    assert_true(settings.fast);
    assert_int_equal(settings.wait_ms, 250);
    assert_int_equal(settings.mode, 1);
    assert_int_equal(errors.len + warnings.len, 0);
}

static void every_error_is_told_with_its_place(void **state)
{
    (void)state;
    assert_int_equal(load_text("listen.port = 0\n"
                               "listen.prot = 1\n"
                               "wait = 5\n"
                               "wait = 99ms\n"
                               "size = 2t\n"
                               "mode = xml\n"
                               "fast_path = maybe\n"
                               "no value here\n"
                               "= 3\n"
                               "quite.another.thing = 1\n"
                               "db.password = 1234567890123456789012345678901234567890123456789012"
                               "3456789012345678901234567890123456789012345678901\n"),
                     BASE_INVALID);
    static const char *const lines[] = {
        ":1: listen.port = 0: must lie between 1 and 65535\n",
        ":2: unknown key \"listen.prot\", did you mean \"listen.port\"?\n",
        ":3: wait = 5: must be a duration such as 250ms, 10s, 5m, 2h or 7d\n",
        ":4: wait = 99ms: must lie between 100 and 3600000 ms\n",
        ":5: size = 2t: must be a size such as 512, 64k, 16m or 1g\n",
        ":6: mode = xml: must be one of json|text\n",
        ":7: fast_path = maybe: must be true or false\n",
        ":8: expected \"key = value\"\n",
        ":9: expected \"key = value\"\n",
        ":10: unknown key \"quite.another.thing\"\n",
        ":11: db.password = (secret): must lie between 0 and 100 characters\n",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_non_null(strstr(errors.data, lines[i]));
    assert_null(strstr(errors.data, "67890"));
    assert_null(settings.name); /* done with */
}

static void an_error_without_room_is_an_error_still(void **state)
{
    static char flag[100000] = "--listen.port=";
    (void)state;
    memset(flag + strlen(flag), 'x', sizeof(flag) - strlen(flag) - 1);
    assert_int_equal(load(LIST(flag), NULL), BASE_INVALID);
    assert_in_range(errors.len, 1, 300);
    base_buf_done(&errors);
    base_buf_init(&errors, 3);
    assert_int_equal(load(LIST("--listen.port=x"), NULL), BASE_INVALID);
    base_buf_done(&errors);
    base_buf_init(&errors, 4000);
}

static void numbers_do_not_overflow(void **state)
{
    (void)state;
    assert_int_equal(load(LIST("--wait=9223372036854775807d"), NULL), BASE_INVALID);
    assert_int_equal(load(LIST("--size=99999999999999999999"), NULL), BASE_INVALID);
    assert_int_equal(load(LIST("--size=-1"), NULL), BASE_INVALID);
    assert_int_equal(load(LIST("--size="), NULL), BASE_INVALID);
    assert_int_equal(load(LIST("--size=1g"), NULL), BASE_OK);
    assert_int_equal(load(LIST("--size=0"), NULL), BASE_OK);
}

static void text_is_text(void **state)
{
    (void)state;
    assert_int_equal(load(NULL, LIST("TODO_SERVER_NAME=a\nlisten.port = 1")), BASE_INVALID);
    assert_int_equal(load(NULL, LIST("TODO_SERVER_NAME=\xFF")), BASE_INVALID);
    assert_non_null(strstr(errors.data, "(binary)"));
    assert_int_equal(load_text("server.name = a\x1b[2J\n"), BASE_INVALID);
    assert_int_equal(load(NULL, LIST("TODO_SERVER_NAME= Gr\xC3\xBC\xC3\x9F"
                                     "e  ")),
                     BASE_OK);
    assert_string_equal(settings.name, "Gr\xC3\xBC\xC3\x9F"
                                       "e");
    char *path = file_with("server.name = a\0b\n", 18);
    assert_int_equal(load(LIST("--config", path), NULL), BASE_INVALID);
    (void)unlink(path);
}

static void a_secret_may_be_a_file_and_is_never_shown(void **state)
{
    char *path = file_with(" hush \n\n", 8);
    char variable[100];
    struct base_buf shown;
    (void)state;
    (void)snprintf(variable, sizeof(variable), "TODO_DB_PASSWORD_FILE=%s", path);
    assert_int_equal(load(NULL, LIST(variable)), BASE_OK);
    assert_string_equal(settings.secret, " hush \n"); /* only the last line end goes */
    assert_int_equal(load(LIST("--db.password.file", path), NULL), BASE_OK);
    assert_string_equal(settings.secret, " hush \n");
    assert_int_equal(warnings.len, 0);
    (void)unlink(path);
    assert_int_equal(load(LIST("--db.password.file", path), NULL), BASE_INVALID);
    assert_non_null(strstr(errors.data, "cannot read"));
    assert_int_equal(load(LIST("--db.password=hush"), NULL), BASE_OK);
    assert_non_null(strstr(warnings.data, "--db.password shows the secret"));
    assert_null(strstr(warnings.data, "hush"));
    base_buf_init(&shown, 4000);
    base_config_print(&table, &settings, &shown);
    assert_non_null(strstr(shown.data, "# db.password = (secret)\n"));
    assert_null(strstr(shown.data, "hush"));
    base_buf_done(&shown);
    assert_int_equal(load(LIST("--server.name.file=/etc/passwd"), NULL), BASE_INVALID);
}

static void only_near_misses_among_variables_are_told(void **state)
{
    (void)state;
    assert_int_equal(load(NULL, LIST("TODO_LISTEN_PROT=1", "TODO_URL=http://x", "TODO_EVAL_DIR=/x",
                                     "PATH=/bin", "TODO_", "TODO_=", "LISTEN_PORT=1")),
                     BASE_OK);
    assert_string_equal(warnings.data, "environment: TODO_LISTEN_PROT is not used, did you mean "
                                       "TODO_LISTEN_PORT?\n");
}

static void what_is_printed_loads_again(void **state)
{
    struct base_buf first;
    struct base_buf second;
    (void)state;
    base_buf_init(&first, 4000);
    base_buf_init(&second, 4000);
    assert_int_equal(load(LIST("--server.name=# a = \"b\" ", "--listen.port=443", "--fast_path=1",
                               "--wait=30m", "--size=1536", "--mode=text"),
                          NULL),
                     BASE_OK);
    base_config_print(&table, &settings, &first);
    assert_string_equal(first.data,
                        "server.name = # a = \"b\"\nlisten.port = 443\nfast_path = true\n"
                        "wait = 30m\nsize = 1536\nmode = text\n# db.password = \n");
    assert_int_equal(load_text(first.data), BASE_OK);
    base_config_print(&table, &settings, &second);
    assert_string_equal(first.data, second.data);
    base_buf_reset(&first);
    assert_int_equal(load(LIST("--server.name="), NULL), BASE_OK); /* empty, not the default */
    base_config_print(&table, &settings, &first);
    assert_int_equal(load_text(first.data), BASE_OK);
    assert_string_equal(settings.name, "");
    base_buf_done(&first);
    base_buf_done(&second);
}

static void flags_ask_for_modes(void **state)
{
    static const struct {
        char *flag;
        enum base_config_mode mode;
    } rows[] = {{"--help", BASE_CONFIG_HELP},
                {"--version", BASE_CONFIG_VERSION},
                {"--check-config", BASE_CONFIG_CHECK},
                {"--print-config", BASE_CONFIG_PRINT}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(load(LIST(rows[i].flag), NULL), BASE_OK);
        assert_int_equal(mode, rows[i].mode);
    }
    assert_int_equal(load(LIST("--help", "--nonsense=1"), NULL), BASE_OK);
    assert_int_equal(load(LIST("--check-config", "--nonsense=1"), NULL), BASE_INVALID);
    assert_int_equal(load(LIST("stray"), NULL), BASE_INVALID);
    assert_int_equal(load(LIST("--listen.port"), NULL), BASE_INVALID);
    assert_int_equal(load(LIST("--config", "/nonexistent/file"), NULL), BASE_INVALID);
    assert_int_equal(load(LIST("--config", "/tmp"), NULL), BASE_INVALID);
}

static void the_table_documents_itself(void **state)
{
    struct base_buf out;
    (void)state;
    base_buf_init(&out, 8000);
    base_config_help(&table, &out);
    base_config_markdown(&table, &out);
    assert_true(base_buf_ok(&out));
    for (size_t i = 0; i < table.count; i++) {
        char flag[64];
        (void)snprintf(flag, sizeof(flag), "--%s=", keys[i].key);
        assert_non_null(strstr(out.data, flag));
        (void)snprintf(flag, sizeof(flag), "| `%s` |", keys[i].key);
        assert_non_null(strstr(out.data, flag));
    }
    base_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_stand_alone),
        cmocka_unit_test(a_later_source_wins),
        cmocka_unit_test(every_error_is_told_with_its_place),
        cmocka_unit_test(an_error_without_room_is_an_error_still),
        cmocka_unit_test(numbers_do_not_overflow),
        cmocka_unit_test(text_is_text),
        cmocka_unit_test(a_secret_may_be_a_file_and_is_never_shown),
        cmocka_unit_test(only_near_misses_among_variables_are_told),
        cmocka_unit_test(what_is_printed_loads_again),
        cmocka_unit_test(flags_ask_for_modes),
        cmocka_unit_test(the_table_documents_itself),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
