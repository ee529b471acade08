/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded buffer and the arena, also where memory runs out (malloc is wrapped). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"

/* The allocation that fails, counted from 1; 0: none. */
static int fail_at;
static int calls;

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_realloc(void *old, size_t size)
{
    return ++calls == fail_at ? NULL : __real_realloc(old, size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return ++calls == fail_at ? NULL : __real_calloc(n, size);
}

static void fail_the(int call)
{
    calls = 0;
    fail_at = call;
}

static void appends_end_in_nul(void **state)
{
    struct base_buf buf;
    (void)state;
    base_buf_init(&buf, 100);
    assert_string_equal(base_buf_sv(&buf).ptr, "");
    base_buf_add(&buf, SV("ab"));
    base_buf_add_char(&buf, 'c');
    base_buf_add_c(&buf, "de");
    base_buf_add_int(&buf, INT64_MIN);
    base_buf_addf(&buf, " %s %d", "x", 7);
    base_buf_add(&buf, SV_NULL);
    assert_true(base_buf_ok(&buf));
    assert_string_equal(buf.data, "abcde-9223372036854775808 x 7");
    base_buf_consume(&buf, 5);
    base_buf_truncate(&buf, 4);
    assert_string_equal(buf.data, "-922");
    base_buf_truncate(&buf, 99);
    assert_int_equal(buf.len, 4);
    base_buf_consume(&buf, 99);
    assert_string_equal(buf.data, "");
    base_buf_add_int(&buf, 0);
    base_buf_add_int(&buf, INT64_MAX);
    assert_string_equal(buf.data, "09223372036854775807");
    base_buf_done(&buf);
    assert_null(buf.data);
}

static void the_maximum_is_exact_and_failure_sticks(void **state)
{
    struct base_buf buf;
    (void)state;
    base_buf_init(&buf, 4);
    base_buf_add(&buf, SV("1234"));
    assert_true(base_buf_ok(&buf));
    base_buf_add_char(&buf, '5');
    assert_false(base_buf_ok(&buf));
    base_buf_truncate(&buf, 1);
    base_buf_add_char(&buf, '2');
    assert_string_equal(buf.data, "1");
    base_buf_reset(&buf);
    base_buf_addf(&buf, "%s", "12345");
    assert_false(base_buf_ok(&buf));
    assert_string_equal(buf.data, "");
    base_buf_reset(&buf);
    base_buf_addf(&buf, "%s", "1234");
    assert_true(base_buf_ok(&buf));
    assert_null(base_buf_reserve(&buf, SIZE_MAX));
    base_buf_done(&buf);
}

static void a_buffer_without_memory_keeps_what_it_has(void **state)
{
    struct base_buf buf;
    (void)state;
    base_buf_init(&buf, 1000);
    fail_the(1);
    base_buf_add(&buf, SV("x"));
    assert_false(base_buf_ok(&buf));
    assert_string_equal(base_buf_sv(&buf).ptr, "");
    base_buf_reset(&buf);
    fail_the(2);
    base_buf_add(&buf, SV("kept"));
    char long_text[200] = {'y'};
    base_buf_add(&buf, base_sv(long_text, sizeof(long_text)));
    fail_the(0);
    assert_false(base_buf_ok(&buf));
    assert_string_equal(buf.data, "kept");
    base_buf_done(&buf);
}

static void an_arena_is_aligned_zeroed_and_bounded(void **state)
{
    struct base_arena arena;
    (void)state;
    base_arena_init(&arena, 100000);
    for (size_t size = 1; size < 400; size++) {
        unsigned char *at = base_arena_alloc(&arena, size);
        assert_non_null(at);
        assert_int_equal((uintptr_t)at % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(at[i], 0);
        at[size - 1] = 0xFF;
    }
    assert_null(base_arena_alloc(&arena, 100000));
    assert_null(base_arena_alloc(&arena, SIZE_MAX));
    assert_null(base_arena_array(&arena, SIZE_MAX / 2, 3));
    size_t left = arena.max - arena.used;
    assert_non_null(base_arena_alloc(&arena, left / 16 * 16));
    assert_null(base_arena_alloc(&arena, 16));
    base_arena_reset(&arena);
    assert_int_equal(arena.used, 0);
    const unsigned char *again = base_arena_alloc(&arena, 1000);
    assert_non_null(again);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(again[i], 0);
    base_arena_done(&arena);
}

static void arena_copies_are_terminated(void **state)
{
    struct base_arena arena;
    (void)state;
    base_arena_init(&arena, 64);
    struct base_sv copy = base_arena_sv(&arena, base_sv("hello world", 5));
    assert_string_equal(copy.ptr, "hello");
    assert_non_null(base_arena_sv(&arena, SV_NULL).ptr);
    char large[64] = "x";
    assert_null(base_arena_sv(&arena, base_sv(large, sizeof(large))).ptr);
    base_arena_done(&arena);
}

static void an_arena_without_memory_says_so_and_goes_on(void **state)
{
    struct base_arena arena;
    (void)state;
    base_arena_init(&arena, 10000);
    fail_the(1);
    assert_null(base_arena_alloc(&arena, 16));
    assert_int_equal(arena.used, 0);
    fail_the(2);
    assert_non_null(base_arena_alloc(&arena, 16));
    assert_null(base_arena_alloc(&arena, 5000));
    assert_non_null(base_arena_alloc(&arena, 16));
    fail_the(0);
    assert_int_equal(arena.used, 32);
    base_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_end_in_nul),
        cmocka_unit_test(the_maximum_is_exact_and_failure_sticks),
        cmocka_unit_test(a_buffer_without_memory_keeps_what_it_has),
        cmocka_unit_test(an_arena_is_aligned_zeroed_and_bounded),
        cmocka_unit_test(arena_copies_are_terminated),
        cmocka_unit_test(an_arena_without_memory_says_so_and_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
