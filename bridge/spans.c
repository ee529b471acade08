/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/part.h"
#include "lib/base/clock.h"

void bridge_span(const struct bridge_env *env, const char *name, const char *destination,
                 const struct base_trace *cause, int64_t took_us)
{
    if (!otlp_wants(env->spans, cause))
        return;
    int64_t now = base_clock_now_us(&base_clock_system);
    struct otlp_span span = {
        .name = name,
        .kind = OTLP_PRODUCER,
        .trace = base_trace_child(cause),
        .parent = cause->span_id,
        .start_us = now - took_us,
        .end_us = now,
        .attributes = {{.key = "messaging.destination.name", .text = base_sv_from(destination)}}};
    otlp_add(env->spans, &span);
}
