/* SPDX-License-Identifier: Apache-2.0 */
/* What operators need: metrics, health, readiness. */
#include "gateway/http/router.h"
#include "gateway/link/link.h"
#include "lib/base/metrics.h"

enum { METRICS_MAX = 4 * 1024 * 1024 };

void gw_http_metrics(struct gw_call *call)
{
    struct base_buf buf;
    base_buf_init(&buf, METRICS_MAX);
    base_metrics_render(&buf);
    gw_call_text(call, 200, "text/plain; version=0.0.4; charset=utf-8", base_buf_sv(&buf));
    base_buf_done(&buf);
}

void gw_http_healthz(struct gw_call *call)
{
    gw_call_text(call, 200, "text/plain; charset=utf-8", SV("ok\n"));
}

void gw_http_readyz(struct gw_call *call)
{
    struct base_buf buf;
    base_buf_init(&buf, 4096);
    bool ready = gw_link_status(call->worker, &buf);
    gw_call_json(call, ready ? 200 : 503, base_buf_sv(&buf), NULL, 0);
    base_buf_done(&buf);
}
