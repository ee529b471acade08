/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer that is born with its maximum, so that nothing from outside can make it
 * grow without end. Invariants: len <= max; data[len] is NUL whenever data is set.
 *
 * Failure is sticky: an append that does not fit (or finds no memory) changes nothing and marks the
 * buffer failed, as do all later ones; ask base_buf_ok() once after composing.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <string.h>

#include "lib/base/err.h"
#include "lib/base/sv.h"

struct base_buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max;
    bool failed;
};

/* No allocation happens before the first append. max is in bytes, without the NUL. */
void base_buf_init(struct base_buf *buf, size_t max);
void base_buf_done(struct base_buf *buf);
/* Empties it and clears the failure; keeps the memory. */
void base_buf_reset(struct base_buf *buf);

static inline bool base_buf_ok(const struct base_buf *buf)
{
    return !buf->failed;
}

static inline struct base_sv base_buf_sv(const struct base_buf *buf)
{
    return base_sv(buf->data ? buf->data : "", buf->len);
}

/* base_buf_add for when the buffer must grow, or has failed. */
void base_buf_add_slowly(struct base_buf *buf, struct base_sv bytes);

static inline void base_buf_add(struct base_buf *buf, struct base_sv bytes)
{
    if (buf->failed || bytes.len == 0 || bytes.len >= buf->cap - buf->len ||
        bytes.len > buf->max - buf->len) {
        base_buf_add_slowly(buf, bytes);
        return;
    }
    memcpy(buf->data + buf->len, bytes.ptr, bytes.len);
    buf->len += bytes.len;
    buf->data[buf->len] = '\0';
}

static inline void base_buf_add_c(struct base_buf *buf, const char *cstr)
{
    base_buf_add(buf, base_sv_from(cstr));
}

static inline void base_buf_add_char(struct base_buf *buf, char c)
{
    base_buf_add(buf, base_sv(&c, 1));
}

void base_buf_add_int(struct base_buf *buf, int64_t value);
/* The last digits of a number that is not negative, with zeros before it: 7 in 2 is "07". */
void base_buf_add_digits(struct base_buf *buf, int64_t value, size_t width);
void base_buf_addf(struct base_buf *buf, const char *fmt, ...) BASE_PRINTF(2, 3);

/* Room for n more bytes to be written at the returned address, then committed by adding to len;
 * NULL (and failed) if they do not fit. */
char *base_buf_reserve(struct base_buf *buf, size_t n);
/* Cuts back to len bytes, which must not be more than there are. */
void base_buf_truncate(struct base_buf *buf, size_t len);
/* Removes the first n bytes. */
void base_buf_consume(struct base_buf *buf, size_t n);

#endif
