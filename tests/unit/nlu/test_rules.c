/* SPDX-License-Identifier: Apache-2.0 */
/* The rule files keep the promises written beside the rules, and bad ones are refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nlu/nlu.h"

static void examples_hold(void **state)
{
    (void)state;
    struct nlu *nlu = NULL;
    struct nlu_scratch *scratch = NULL;
    struct base_buf out;
    base_buf_init(&out, 1 << 20);
    assert_int_equal(nlu_new(NULL, &nlu, &out), BASE_OK);
    assert_int_equal(nlu_scratch_new(nlu, &scratch), BASE_OK);
    size_t examples = 0, wrong = nlu_check(nlu, scratch, &out, &examples);
    if (wrong)
        (void)fputs(out.data, stderr);
    assert_int_equal(wrong, 0);
    assert_true(examples > 100);
    nlu_scratch_free(scratch);
    nlu_free(nlu);
    base_buf_done(&out);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Compiles one English rule file from disk; the errors it gives. */
static enum base_err compile(const char *text, struct base_buf *errors)
{
    char dir[] = "/tmp/nlu-rules-XXXXXX", path[64], file[80];
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/en", dir);
    (void)snprintf(file, sizeof(file), "%s/a.rules", path);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file(file, text);
    struct nlu *nlu = NULL;
    base_buf_init(errors, 1 << 16);
    enum base_err err = nlu_new(dir, &nlu, errors);
    nlu_free(nlu);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(dir), 0);
    return err;
}

static void bad_rules_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } CASES[] = {
        {"level a\n  (one\n", "en/a.rules:2: '=> class action' is missing"},
        {"level a\n  (one => x keep\n", "en/a.rules:2: pattern: ')' is missing"},
        {"level a\n  one => x fly\n", "en/a.rules:2: unknown action 'fly'"},
        {"level a\n  <nothing> => x keep\n", "en/a.rules:2: nothing makes the class <nothing>"},
        {"level a\n  one? => x keep\n", "en/a.rules:2: the pattern can match nothing at all"},
        {"level a\n  @gone one => x keep\n", "en/a.rules:2: pattern: no such define"},
        {"intent task.bake 50\n  bake\n", "en/a.rules:2: unknown intent 'task.bake'"},
        {"intent help\n  help\n", "en/a.rules:1: an intent needs a score"},
        {"recipes\n", "en/a.rules:1: unknown heading 'recipes'"},
        {"words a\n  x: one\n", "en/a.rules:2: the value before ':'"},
        {"shapes\n  (\\d+ => num number n=1\n", "en/a.rules:2: pcre2: missing closing parenthesis"},
        {"  one\n", "en/a.rules:1: an indented line needs a heading"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        struct base_buf errors;
        assert_int_equal(compile(CASES[i].text, &errors), BASE_INVALID);
        if (!strstr(errors.data, CASES[i].error))
            (void)fprintf(stderr, "%s", errors.data);
        assert_non_null(strstr(errors.data, CASES[i].error));
        base_buf_done(&errors);
    }
}

static void a_small_language_works(void **state)
{
    (void)state;
    struct base_buf errors;
    assert_int_equal(compile("words num\n  1: one\nlevel a\n  <num:n> more => num number\n"
                             "intent help 50\n  help {title}\n",
                             &errors),
                     BASE_OK);
    base_buf_done(&errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_hold),
        cmocka_unit_test(bad_rules_are_named),
        cmocka_unit_test(a_small_language_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
