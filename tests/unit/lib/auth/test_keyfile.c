/* SPDX-License-Identifier: Apache-2.0 */
/* Files that hold keys, and things in the file system that must neither be taken for them nor
 * stop the broker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/auth/mosquitto/keyfile.h"

#define KEYS "{\"keys\":[{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZg\"}]}"

static char path[] = "/tmp/todo-keyfile-XXXXXX";

static int setup(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_file(const char *start, size_t spaces, const char *end)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(start, file);
    for (size_t i = 0; i < spaces; i++)
        (void)fputc(' ', file);
    (void)fputs(end, file);
    assert_int_equal(fclose(file), 0);
}

static void expect(const char *at, enum base_err err, const char *says)
{
    struct auth_keys *keys = NULL;
    struct base_buf errors;
    base_buf_init(&errors, 1024);
    assert_int_equal(auth_keyfile_read(at, true, &keys, &errors), err);
    assert_int_equal(keys != NULL, err == BASE_OK);
    if (err != BASE_OK) {
        assert_true(base_sv_starts(base_buf_sv(&errors), base_sv_from(at)));
        if (!strstr(errors.data, says))
            fail_msg("\"%s\" does not say \"%s\"", errors.data, says);
    }
    auth_keys_free(keys);
    base_buf_done(&errors);
}

static void a_whole_file_is_read(void **state)
{
    (void)state;
    write_file(KEYS, 0, "");
    expect(path, BASE_OK, "");
    write_file(KEYS, 256 * 1024 - sizeof(KEYS) + 1, "");
    expect(path, BASE_OK, "");
    write_file("{\"keys\":[", 9000, "{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZg\"}]}");
    expect(path, BASE_OK, "");
}

static void half_a_file_is_none(void **state)
{
    (void)state;
    write_file("", 0, "");
    expect(path, BASE_MALFORMED, "is not JSON");
    write_file("{\"keys\":[", 0, "");
    expect(path, BASE_MALFORMED, "is not JSON");
    write_file(KEYS, 256 * 1024 - sizeof(KEYS) + 2, "");
    expect(path, BASE_TOO_LARGE, "cannot be read");
}

static void other_things_are_refused_at_once(void **state)
{
    (void)state;
    expect("/nonexistent/jwks.json", BASE_UNAVAILABLE, "No such file or directory");
    expect("/", BASE_INVALID, "cannot be read");
    expect("/dev/zero", BASE_INVALID, "cannot be read");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect(path, BASE_INVALID, "cannot be read"); /* nobody will ever write to it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file_is_read),
        cmocka_unit_test(half_a_file_is_none),
        cmocka_unit_test(other_things_are_refused_at_once),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
