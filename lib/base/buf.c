/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded growing buffer. Growth doubles, so appending is linear overall. */
#include "lib/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void base_buf_init(struct base_buf *buf, size_t max)
{
    *buf = (struct base_buf){.max = max};
}

void base_buf_done(struct base_buf *buf)
{
    free(buf->data);
    *buf = (struct base_buf){.max = buf->max};
}

void base_buf_reset(struct base_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    if (buf->data)
        buf->data[0] = '\0';
}

char *base_buf_reserve(struct base_buf *buf, size_t n)
{
    if (buf->failed || n > buf->max - buf->len) {
        buf->failed = true;
        return NULL;
    }
    size_t need = buf->len + n + 1;
    if (need > buf->cap) {
        size_t cap = buf->cap ? buf->cap : 64;
        while (cap < need)
            cap *= 2;
        if (cap > buf->max + 1)
            cap = buf->max + 1;
        char *data = realloc(buf->data, cap);
        if (!data) {
            buf->failed = true;
            return NULL;
        }
        buf->data = data;
        buf->cap = cap;
    }
    return buf->data + buf->len;
}

void base_buf_add_slowly(struct base_buf *buf, struct base_sv bytes)
{
    char *at = base_buf_reserve(buf, bytes.len);
    if (!at)
        return;
    if (bytes.len)
        memcpy(at, bytes.ptr, bytes.len);
    buf->len += bytes.len;
    buf->data[buf->len] = '\0';
}

void base_buf_add_int(struct base_buf *buf, int64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        digits[--at] = '-';
    base_buf_add(buf, base_sv(digits + at, sizeof(digits) - at));
}

void base_buf_add_digits(struct base_buf *buf, int64_t value, size_t width)
{
    char *at = base_buf_reserve(buf, width);
    if (!at)
        return;
    for (size_t i = width; i-- > 0; value /= 10)
        at[i] = (char)('0' + value % 10);
    at[width] = '\0';
    buf->len += width;
}

void base_buf_addf(struct base_buf *buf, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    va_list again;
    va_copy(again, ap);
    /* Most often there is room for it already. */
    size_t most = buf->cap <= buf->max ? buf->cap : buf->max + 1;
    size_t room = buf->data && !buf->failed ? most - buf->len : 0;
    char *at = room ? buf->data + buf->len : NULL;
    int n = vsnprintf(at, room, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n >= room) {
        if (at)
            *at = '\0';
        at = base_buf_reserve(buf, (size_t)n);
        if (at)
            (void)vsnprintf(at, (size_t)n + 1, fmt, again);
    }
    if (n >= 0 && at)
        buf->len += (size_t)n;
    else
        buf->failed = true;
    va_end(again);
}

void base_buf_truncate(struct base_buf *buf, size_t len)
{
    if (len >= buf->len)
        return;
    buf->len = len;
    buf->data[len] = '\0';
}

void base_buf_consume(struct base_buf *buf, size_t n)
{
    if (n > buf->len)
        n = buf->len;
    if (n == 0)
        return;
    memmove(buf->data, buf->data + n, buf->len - n + 1);
    buf->len -= n;
}
