/* SPDX-License-Identifier: Apache-2.0 */
/* String views. No function here allocates or reads beyond a view's length. */
#include "lib/base/sv.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool base_sv_eq_i(struct base_sv a, struct base_sv b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

bool base_sv_starts(struct base_sv s, struct base_sv prefix)
{
    return s.len >= prefix.len && base_sv_eq(base_sv(s.ptr, prefix.len), prefix);
}

bool base_sv_ends(struct base_sv s, struct base_sv suffix)
{
    return s.len >= suffix.len && base_sv_eq(base_sv_sub(s, s.len - suffix.len, s.len), suffix);
}

int base_sv_cmp(struct base_sv a, struct base_sv b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
    if (c != 0)
        return c;
    return (a.len > b.len) - (a.len < b.len);
}

struct base_sv base_sv_trim(struct base_sv s)
{
    while (s.len > 0 && is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

size_t base_sv_find(struct base_sv s, char c)
{
    const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;
    return at ? (size_t)(at - s.ptr) : s.len;
}

struct base_sv base_sv_split(struct base_sv *rest, char sep)
{
    size_t at = base_sv_find(*rest, sep);
    struct base_sv head = base_sv(rest->ptr, at);
    *rest = at == rest->len ? SV_NULL : base_sv_sub(*rest, at + 1, rest->len);
    return head;
}

bool base_sv_cstr(struct base_sv s, char *dst, size_t cap)
{
    if (cap == 0)
        return false;
    dst[0] = '\0';
    if (s.len >= cap || base_sv_find(s, '\0') != s.len)
        return false;
    if (s.len)
        memcpy(dst, s.ptr, s.len);
    dst[s.len] = '\0';
    return true;
}

bool base_sv_int64(struct base_sv s, int64_t *ret_value)
{
    bool negative = s.len > 0 && s.ptr[0] == '-';
    size_t i = negative || (s.len > 0 && s.ptr[0] == '+') ? 1 : 0;
    if (i == s.len)
        return false;
    int64_t value = 0;
    for (; i < s.len; i++) {
        char c = s.ptr[i];
        if (c < '0' || c > '9')
            return false;
        int digit = negative ? -(c - '0') : c - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *ret_value = value;
    return true;
}

uint64_t base_sv_hash(struct base_sv s, uint64_t seed)
{
    uint64_t h = 14695981039346656037u ^ seed;
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.ptr[i]) * 1099511628211u;
    return h;
}
