/* SPDX-License-Identifier: Apache-2.0 */
/*
 * String view: a pointer and a length, passed by value, never owning. Text inside the product is
 * always a view; a NUL is written only at a library's border (base_sv_cstr).
 */
#ifndef BASE_SV_H
#define BASE_SV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct base_sv {
    const char *ptr;
    size_t len;
};

/* A view of a string literal, usable in initialisers. */
#define SV(literal) ((struct base_sv){"" literal, sizeof(literal) - 1})
#define SV_NULL ((struct base_sv){NULL, 0})
/* For printf: "%.*s". */
#define SV_FMT(sv) ((int)(sv).len), ((sv).ptr ? (sv).ptr : "")

static inline struct base_sv base_sv(const char *ptr, size_t len)
{
    return (struct base_sv){ptr, len};
}

/* A view of a NUL-terminated string; NULL gives the empty view. */
static inline struct base_sv base_sv_from(const char *cstr)
{
    return (struct base_sv){cstr, cstr ? strlen(cstr) : 0};
}

static inline bool base_sv_eq(struct base_sv a, struct base_sv b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool base_sv_eq_c(struct base_sv a, const char *b)
{
    return base_sv_eq(a, base_sv_from(b));
}

/* The bytes [from, to), clamped to the view. */
static inline struct base_sv base_sv_sub(struct base_sv s, size_t from, size_t to)
{
    if (to > s.len)
        to = s.len;
    if (from > to)
        from = to;
    return (struct base_sv){from ? s.ptr + from : s.ptr, to - from};
}

/* ASCII case is ignored in the _i variants; other bytes compare as they are. */
bool base_sv_eq_i(struct base_sv a, struct base_sv b);
bool base_sv_starts(struct base_sv s, struct base_sv prefix);
bool base_sv_ends(struct base_sv s, struct base_sv suffix);
int base_sv_cmp(struct base_sv a, struct base_sv b);

/* Without ASCII white space at both ends. */
struct base_sv base_sv_trim(struct base_sv s);

/* Index of the first byte c, or s.len. */
size_t base_sv_find(struct base_sv s, char c);

/* Cuts *rest at the first sep and returns what was before it; *rest becomes what follows, or the
 * empty view with ptr NULL after the last piece. Call while rest->ptr != NULL. */
struct base_sv base_sv_split(struct base_sv *rest, char sep);

/* Copies into dst with a NUL. False, and dst empty, if it does not fit or holds a NUL itself. */
bool base_sv_cstr(struct base_sv s, char *dst, size_t cap);

/* A decimal integer that fills the whole view, with an optional sign. False on anything else,
 * overflow included; *ret_value is then untouched. */
bool base_sv_int64(struct base_sv s, int64_t *ret_value);

/* FNV-1a, for hash tables of trusted size; not for hostile keys without a seed. */
uint64_t base_sv_hash(struct base_sv s, uint64_t seed);

#endif
