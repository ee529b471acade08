/* SPDX-License-Identifier: Apache-2.0 */
/* UUID version 7: 48 bits of milliseconds, then a counter that keeps ids of one thread in order. */
#include "lib/base/id.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void base_random(void *dst, size_t n)
{
    unsigned char *at = dst;
    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        at += got;
        n -= (size_t)got;
    }
}

/* Kernel randomness in blocks: an id should not cost a system call. */
static void random_bytes(uint8_t *dst, size_t n)
{
    static _Thread_local uint8_t pool[256];
    static _Thread_local size_t left;
    if (left < n) {
        base_random(pool, sizeof(pool));
        left = sizeof(pool);
    }
    left -= n;
    memcpy(dst, pool + left, n);
    memset(pool + left, 0, n);
}

struct base_id base_id_new(int64_t now_us)
{
    static _Thread_local uint64_t last_ms;
    static _Thread_local uint32_t counter; /* 12 + 14 bits, RFC 9562 6.2 method 1 */
    struct base_id id;
    uint64_t ms = now_us > 0 ? (uint64_t)now_us / 1000 : 0;
    random_bytes(id.bytes, sizeof(id.bytes));
    if (ms > last_ms) {
        last_ms = ms;
        counter =
            ((uint32_t)id.bytes[0] << 16 | (uint32_t)id.bytes[1] << 8 | id.bytes[2]) & 0x1ffffff;
    } else if (++counter >= 1u << 26) {
        counter = 0;
        last_ms++;
    }
    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(last_ms >> (40 - 8 * i));
    id.bytes[6] = (uint8_t)(0x70 | (counter >> 22 & 0x0f));
    id.bytes[7] = (uint8_t)(counter >> 14);
    id.bytes[8] = (uint8_t)(0x80 | (counter >> 8 & 0x3f));
    id.bytes[9] = (uint8_t)counter;
    return id;
}

bool base_id_eq(struct base_id a, struct base_id b)
{
    return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

bool base_id_is_null(struct base_id id)
{
    return base_id_eq(id, (struct base_id){{0}});
}

void base_id_text(struct base_id id, char ret_text[BASE_ID_TEXT + 1])
{
    static const char hex[] = "0123456789abcdef";
    char *at = ret_text;
    for (size_t i = 0; i < sizeof(id.bytes); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = hex[id.bytes[i] >> 4];
        *at++ = hex[id.bytes[i] & 15];
    }
    *at = '\0';
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool base_id_parse(struct base_sv text, struct base_id *ret_id)
{
    struct base_id id;
    if (text.len != BASE_ID_TEXT)
        return false;
    size_t at = 0;
    for (size_t i = 0; i < sizeof(id.bytes); i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && text.ptr[at++] != '-')
            return false;
        int high = nibble(text.ptr[at++]);
        int low = nibble(text.ptr[at++]);
        if (high < 0 || low < 0)
            return false;
        id.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret_id = id;
    return true;
}
