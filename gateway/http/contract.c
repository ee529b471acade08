/* SPDX-License-Identifier: Apache-2.0 */
/* The API's contract, docs/openapi.json as it was when this was built. */
#include "gateway/http/router.h"

static const char contract[] = {
#include "openapi.inc"
};

void gw_http_openapi(struct gw_call *call)
{
    const struct net_header headers[] = {{SV("Cache-Control"), SV("public, max-age=3600")}};
    gw_call_typed(call, 200, "application/json", base_sv(contract, sizeof(contract)), headers, 1);
}
