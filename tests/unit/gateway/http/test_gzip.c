/* SPDX-License-Identifier: Apache-2.0 */
/* What is packed comes out again, and what cannot be made shorter is left as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <zlib.h>

#include "gateway/http/gzip.h"

static void assert_comes_back(const char *text, size_t len)
{
    struct base_buf packed;
    char *out = malloc(len);
    z_stream z = {0};
    base_buf_init(&packed, len + 1024);
    assert_true(gw_gzip(base_sv(text, len), &packed));
    assert_true(packed.len < len);
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    z.next_in = (unsigned char *)packed.data;
    z.avail_in = (unsigned)packed.len;
    z.next_out = (unsigned char *)out;
    z.avail_out = (unsigned)len;
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, len);
    assert_memory_equal(out, text, len);
    (void)inflateEnd(&z);
    base_buf_done(&packed);
    free(out);
}

static void test_round_trip(void **state)
{
    enum { MOST = 3 * 1024 * 1024 };
    char *text = malloc(MOST);
    (void)state;
    for (size_t i = 0; i < MOST; i++)
        text[i] = (char)('a' + (i * i / 7) % 11);
    for (size_t len = 100; len <= MOST; len = len * 3 + 1)
        assert_comes_back(text, len);
    free(text);
}

static void test_noise_stays_as_it_is(void **state)
{
    struct base_buf packed;
    char noise[4096];
    uint32_t seed = 7;
    (void)state;
    for (size_t i = 0; i < sizeof(noise); i++) {
        seed = seed * 1664525 + 1013904223;
        noise[i] = (char)(seed >> 24);
    }
    base_buf_init(&packed, sizeof(noise) + 1024);
    assert_false(gw_gzip(base_sv(noise, sizeof(noise)), &packed));
    base_buf_done(&packed);
    base_buf_init(&packed, 10); /* no room */
    assert_false(gw_gzip(SV("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), &packed));
    base_buf_done(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_noise_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
