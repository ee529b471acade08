/* SPDX-License-Identifier: Apache-2.0 */
/* Where the page signs in (OpenID Connect, code flow with PKCE, RFC 7636): it does so by itself,
 * the gateway only says where, and checks the tokens that come of it. */
#include "gateway/http/router.h"
#include "lib/base/json.h"

enum { ANSWER_MAX = 4096 };

void gw_http_auth_provider(struct gw_call *call)
{
    const struct gw_config *config = call->worker->shared->config;
    struct base_buf buf;
    if (!config->oidc_issuer[0]) { /* by one-time codes only */
        gw_call_json(call, 204, SV_NULL, NULL, 0);
        return;
    }
    base_buf_init(&buf, ANSWER_MAX);
    base_json_open(&buf, '{');
    base_json_kv_str(&buf, "issuer", base_sv_from(config->oidc_issuer));
    base_json_kv_str(&buf, "client_id", base_sv_from(config->oidc_client));
    base_json_kv_str(&buf, "scope", base_sv_from(config->oidc_scope));
    base_json_close(&buf, '}');
    gw_call_json(call, 200, base_buf_sv(&buf), NULL, 0);
    base_buf_done(&buf);
}
