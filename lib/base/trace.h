/* SPDX-License-Identifier: Apache-2.0 */
/* W3C Trace Context, level 1: the traceparent that follows one message through both daemons. */
#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include "lib/base/sv.h"

enum { BASE_TRACEPARENT_TEXT = 55 };

struct base_trace {
    uint8_t trace_id[16];
    uint8_t span_id[8];
    bool sampled;
};

/* A new trace with a root span. */
struct base_trace base_trace_new(void);
/* The same trace, a new span. */
struct base_trace base_trace_child(const struct base_trace *parent);
bool base_trace_is_null(const struct base_trace *trace);
/* "00-<32 hex>-<16 hex>-01" with a NUL. */
void base_trace_format(const struct base_trace *trace, char ret_text[BASE_TRACEPARENT_TEXT + 1]);
/* Any version but ff, by the rules of section 3.2: longer texts of later versions are accepted,
 * all-zero ids are not. */
bool base_trace_parse(struct base_sv text, struct base_trace *ret_trace);

#endif
