/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever arrives: no crash, bounded time, bounded memory, no state between messages or threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "nlu/nlu.h"

static struct nlu *nlu;

static int set_up(void **state)
{
    (void)state;
    return nlu_new(NULL, &nlu, NULL) != BASE_OK;
}

static int tear_down(void **state)
{
    (void)state;
    nlu_free(nlu);
    return 0;
}

static enum base_err parse(struct nlu_scratch *scratch, struct base_arena *arena,
                           struct base_sv text, struct nlu_result *ret_result)
{
    struct nlu_input input = {
        .text = text, .zone = time_zone_utc(), .now_us = INT64_C(1773221400000000)};
    return nlu_parse(nlu, scratch, &input, arena, ret_result);
}

static const char TOUR[] =
    "remind me to \"call\" mum's 2nd dr. on 3/18 at 5:30pm, every other friday "
    "until june \xe2\x80\x94 #tag +Home p1 https://x.de/a?b=1 half past 6 \xc3\xa4";

static void every_prefix_is_safe(void **state)
{
    (void)state;
    struct nlu_scratch *scratch;
    struct base_arena arena;
    base_arena_init(&arena, 1 << 20);
    assert_int_equal(nlu_scratch_new(nlu, &scratch), BASE_OK);
    for (size_t n = 0; n < sizeof(TOUR); n++) {
        /* An exact copy, so that a sanitizer sees a read beyond the end. */
        char *copy = malloc(n ? n : 1);
        assert_non_null(copy);
        memcpy(copy, TOUR, n);
        struct nlu_result result = {0};
        base_arena_reset(&arena);
        enum base_err err = parse(scratch, &arena, base_sv(copy, n), &result);
        assert_true(err == BASE_OK || err == BASE_MALFORMED);
        for (size_t i = 0; i < result.span_count; i++)
            assert_true(result.spans[i].start < result.spans[i].end && result.spans[i].end <= n);
        free(copy);
    }
    nlu_scratch_free(scratch);
    base_arena_done(&arena);
}

static int64_t cpu_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static void long_messages_take_little_time(void **state)
{
    (void)state;
    static const char *const UNITS[] = {"a",
                                        "1 ",
                                        "in ",
                                        "every ",
                                        "every monday and ",
                                        "at 5 ",
                                        "1:1",
                                        "remind me to ",
                                        "\"",
                                        "#a ",
                                        "the first monday of ",
                                        "not that is true ",
                                        "12.12.",
                                        "! ",
                                        "in 5 minutes and ",
                                        "\n",
                                        "from 1 to 2 ",
                                        "\xc3\xa4",
                                        "'",
                                        "what can you i ask do help ",
                                        "except 1/2 and ",
                                        "- ",
                                        "may march sun second "};
    struct nlu_scratch *scratch;
    struct base_arena arena;
    base_arena_init(&arena, 1 << 20);
    assert_int_equal(nlu_scratch_new(nlu, &scratch), BASE_OK);
    static char text[NLU_TEXT_MAX + 1];
    for (size_t i = 0; i < sizeof(UNITS) / sizeof(*UNITS); i++) {
        size_t unit = strlen(UNITS[i]), len = 0;
        while (len + unit <= NLU_TEXT_MAX) {
            memcpy(text + len, UNITS[i], unit);
            len += unit;
        }
        int64_t best = INT64_MAX;
        for (int run = 0; run < 5; run++) {
            struct nlu_result result = {0};
            base_arena_reset(&arena);
            int64_t start = cpu_us();
            enum base_err err = parse(scratch, &arena, base_sv(text, len), &result);
            int64_t took = cpu_us() - start;
            assert_true(err == BASE_OK || err == BASE_NO_MEMORY);
            best = took < best ? took : best;
        }
        (void)printf("  %4lld us  %s\n", (long long)best, UNITS[i][0] == '\n' ? "\\n" : UNITS[i]);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__OPTIMIZE__)
        assert_true(best <= 1000);
#endif
    }
    nlu_scratch_free(scratch);
    base_arena_done(&arena);
}

static void noise_is_safe(void **state)
{
    (void)state;
    struct nlu_scratch *scratch;
    struct base_arena arena;
    base_arena_init(&arena, 1 << 20);
    assert_int_equal(nlu_scratch_new(nlu, &scratch), BASE_OK);
    uint64_t seed = 42;
    for (int round = 0; round < 2000; round++) {
        char text[64];
        for (size_t i = 0; i < sizeof(text); i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            text[i] = round % 2 ? (char)(seed >> 56) : (char)(32 + (seed >> 57) % 95);
        }
        struct nlu_result result = {0};
        base_arena_reset(&arena);
        enum base_err err = parse(scratch, &arena, base_sv(text, sizeof(text)), &result);
        assert_true(err == BASE_OK || err == BASE_MALFORMED);
    }
    nlu_scratch_free(scratch);
    base_arena_done(&arena);
}

static void limits_are_errors(void **state)
{
    (void)state;
    static char text[NLU_TEXT_MAX + 1];
    memset(text, 'a', sizeof(text));
    struct nlu_scratch *scratch;
    struct nlu_result result = {0};
    struct base_arena arena;
    base_arena_init(&arena, 1 << 20);
    assert_int_equal(nlu_scratch_new(nlu, &scratch), BASE_OK);
    assert_int_equal(parse(scratch, &arena, base_sv(text, sizeof(text)), &result), BASE_TOO_LARGE);
    assert_int_equal(parse(scratch, &arena, SV("a\xff"), &result), BASE_MALFORMED);
    base_arena_done(&arena);
    for (size_t max = 0; max < 4000; max += 16) { /* every place at which memory can end */
        base_arena_init(&arena, max);
        enum base_err err = parse(scratch, &arena, base_sv(TOUR, sizeof(TOUR) - 1), &result);
        assert_true(err == BASE_OK || err == BASE_NO_MEMORY);
        base_arena_done(&arena);
    }
    nlu_scratch_free(scratch);
}

static void *one_thread(void *arg)
{
    struct nlu_scratch *scratch;
    struct base_arena arena;
    base_arena_init(&arena, 1 << 20);
    bool *ok = arg;
    *ok = nlu_scratch_new(nlu, &scratch) == BASE_OK;
    for (int i = 0; *ok && i < 2000; i++) {
        struct nlu_result result = {0};
        base_arena_reset(&arena);
        bool odd = i % 2;
        struct base_sv text = odd ? SV("buy milk on friday") : SV("done with milk");
        *ok = parse(scratch, &arena, text, &result) == BASE_OK &&
              result.commands[0].intent == (odd ? NLU_TASK_CREATE : NLU_TASK_COMPLETE);
    }
    nlu_scratch_free(scratch);
    base_arena_done(&arena);
    return NULL;
}

static void threads_share_the_rules(void **state)
{
    (void)state;
    pthread_t threads[4];
    bool ok[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, one_thread, &ok[i]), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(ok[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_prefix_is_safe),    cmocka_unit_test(long_messages_take_little_time),
        cmocka_unit_test(noise_is_safe),           cmocka_unit_test(limits_are_errors),
        cmocka_unit_test(threads_share_the_rules),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
