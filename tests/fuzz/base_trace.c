/* SPDX-License-Identifier: Apache-2.0 */
/* traceparent: what is accepted is never null, and reads back from its own text. */
#include <stdlib.h>

#include "lib/base/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[BASE_TRACEPARENT_TEXT + 1];
    struct base_trace trace;
    struct base_trace again;
    if (!base_trace_parse(base_sv((const char *)data, size), &trace))
        return 0;
    base_trace_format(&trace, text);
    if (base_trace_is_null(&trace) || !base_trace_parse(base_sv_from(text), &again) ||
        memcmp(trace.trace_id, again.trace_id, sizeof(trace.trace_id)) != 0 ||
        memcmp(trace.span_id, again.span_id, sizeof(trace.span_id)) != 0 ||
        trace.sampled != again.sampled || memcmp(text + 3, data + 3, 49) != 0)
        abort();
    return 0;
}
