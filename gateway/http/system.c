/* SPDX-License-Identifier: Apache-2.0 */
/* What operators and the page's sign-in need: metrics, health, readiness, one-time codes. */
#include <jansson.h>
#include <stdio.h>

#include "gateway/http/codes.h"
#include "gateway/http/router.h"
#include "gateway/link/link.h"
#include "lib/auth/names.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"

enum { METRICS_MAX = 4 * 1024 * 1024, SIGN_IN_TTL_S = 12 * 3600 };

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

static json_t *body_of(struct gw_call *call)
{
    struct base_sv body = net_request_body(call->req);
    json_t *root = json_loadb(body.ptr ? body.ptr : "", body.len, 0, NULL);
    if (json_is_object(root))
        return root;
    json_decref(root);
    gw_call_problem(call, BASE_MALFORMED, NULL, "the body must be a JSON object");
    return NULL;
}

void gw_http_codes(struct gw_call *call)
{
    char code[GW_CODE_TEXT + 1];
    json_t *body = body_of(call);
    if (!body)
        return;
    const json_t *user = json_object_get(body, "user");
    struct base_sv id = base_sv(json_string_value(user), json_string_length(user));
    if (!auth_user_valid(id)) {
        gw_call_problem(call, BASE_UNPROCESSABLE, "user",
                        "a user id is 1 to 128 of A-Z a-z 0-9 . _ ~ @ | -");
    } else {
        struct base_buf buf;
        gw_codes_make(call->worker->shared->codes, id, gw_now_us(call->worker), code);
        base_buf_init(&buf, 256);
        base_json_open(&buf, '{');
        base_json_kv_str(&buf, "code", base_sv_from(code));
        base_json_kv_int(&buf, "expires_in", GW_CODE_TTL_S);
        base_json_close(&buf, '}');
        gw_call_json(call, 201, base_buf_sv(&buf), NULL, 0);
        base_buf_done(&buf);
    }
    json_decref(body);
}

static enum base_err sign_in(struct gw_call *call, struct base_sv code, struct base_buf *answer)
{
    const struct gw_config *config = call->worker->shared->config;
    char user[129];
    struct base_buf token;
    if (!gw_codes_take(call->worker->shared->codes, code, gw_now_us(call->worker), user))
        return BASE_UNAUTHENTICATED;
    base_buf_init(&token, AUTH_TOKEN_MAX);
    enum base_err err = auth_sign(base_sv_from(config->auth_secret),
                                  &(struct auth_grant){.subject = user,
                                                       .issuer = config->auth_issuer,
                                                       .audience = config->auth_audience,
                                                       .now_us = gw_now_us(call->worker),
                                                       .ttl_s = SIGN_IN_TTL_S},
                                  &token);
    base_json_open(answer, '{');
    base_json_kv_str(answer, "token", base_buf_sv(&token));
    base_json_kv_str(answer, "user", base_sv_from(user));
    base_json_kv_int(answer, "expires_in", SIGN_IN_TTL_S);
    base_json_close(answer, '}');
    base_buf_done(&token);
    return err;
}

void gw_http_auth_code(struct gw_call *call)
{
    struct base_buf answer;
    json_t *body = body_of(call);
    if (!body)
        return;
    const json_t *code = json_object_get(body, "code");
    base_buf_init(&answer, 2 * AUTH_TOKEN_MAX);
    enum base_err err =
        call->worker->shared->config->auth_secret[0]
            ? sign_in(call, base_sv(json_string_value(code), json_string_length(code)), &answer)
            : BASE_UNSUPPORTED;
    if (err == BASE_OK)
        gw_call_json(call, 200, base_buf_sv(&answer), NULL, 0);
    else
        gw_call_problem(call, err, "code",
                        err == BASE_UNAUTHENTICATED
                            ? "the code is wrong, was used before, or is older than a minute"
                            : NULL);
    LOG_INFO("auth.code", LOG_ERR(err), LOG_SV("remote", net_request_remote(call->req)));
    base_buf_done(&answer);
    json_decref(body);
}
