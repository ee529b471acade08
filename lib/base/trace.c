/* SPDX-License-Identifier: Apache-2.0 */
/* traceparent: fixed widths, lower-case hex, checked byte by byte. */
#include "lib/base/trace.h"

#include "lib/base/id.h"

static const char hex[] = "0123456789abcdef";

static bool is_zero(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i])
            return false;
    return true;
}

struct base_trace base_trace_new(void)
{
    struct base_trace trace = {.sampled = true};
    base_random(trace.trace_id, sizeof(trace.trace_id));
    base_random(trace.span_id, sizeof(trace.span_id));
    return trace;
}

struct base_trace base_trace_child(const struct base_trace *parent)
{
    struct base_trace trace = *parent;
    base_random(trace.span_id, sizeof(trace.span_id));
    return trace;
}

bool base_trace_is_null(const struct base_trace *trace)
{
    return is_zero(trace->trace_id, sizeof(trace->trace_id));
}

static char *put_hex(char *at, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *at++ = hex[bytes[i] >> 4];
        *at++ = hex[bytes[i] & 15];
    }
    return at;
}

void base_trace_format(const struct base_trace *trace, char ret_text[BASE_TRACEPARENT_TEXT + 1])
{
    char *at = ret_text;
    memcpy(at, "00-", 3);
    at = put_hex(at + 3, trace->trace_id, sizeof(trace->trace_id));
    *at++ = '-';
    at = put_hex(at, trace->span_id, sizeof(trace->span_id));
    memcpy(at, trace->sampled ? "-01" : "-00", 4);
}

static bool get_hex(struct base_sv text, size_t at, uint8_t *ret_bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *high = memchr(hex, text.ptr[at + 2 * i], 16);
        const char *low = memchr(hex, text.ptr[at + 2 * i + 1], 16);
        if (!high || !low)
            return false;
        ret_bytes[i] = (uint8_t)((high - hex) << 4 | (low - hex));
    }
    return true;
}

bool base_trace_parse(struct base_sv text, struct base_trace *ret_trace)
{
    struct base_trace trace;
    uint8_t version;
    uint8_t flags;
    if (text.len < BASE_TRACEPARENT_TEXT || !get_hex(text, 0, &version, 1) || version == 0xff)
        return false;
    if (text.len > BASE_TRACEPARENT_TEXT &&
        (version == 0 || text.ptr[BASE_TRACEPARENT_TEXT] != '-'))
        return false;
    if (text.ptr[2] != '-' || text.ptr[35] != '-' || text.ptr[52] != '-' ||
        !get_hex(text, 3, trace.trace_id, sizeof(trace.trace_id)) ||
        !get_hex(text, 36, trace.span_id, sizeof(trace.span_id)) || !get_hex(text, 53, &flags, 1))
        return false;
    if (is_zero(trace.trace_id, sizeof(trace.trace_id)) ||
        is_zero(trace.span_id, sizeof(trace.span_id)))
        return false;
    trace.sampled = flags & 1;
    *ret_trace = trace;
    return true;
}
