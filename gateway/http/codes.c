/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/codes.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "gateway/http/router.h"
#include "lib/auth/names.h"
#include "lib/base/id.h"
#include "lib/base/json.h"
#include "lib/base/log.h"

#define KEY_PREFIX "code-"

enum { SIGN_IN_TTL_S = 12 * 3600, USER_MAX = 128, DIGEST = 32 };

static void write_hex(const unsigned char *bytes, size_t count, char *dst)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        *dst++ = digits[bytes[i] >> 4];
        *dst++ = digits[bytes[i] & 15];
    }
    *dst = '\0';
}

void gw_code_new(char ret_code[GW_CODE_TEXT + 1])
{
    unsigned char bytes[GW_CODE_TEXT / 2];
    base_random(bytes, sizeof(bytes));
    write_hex(bytes, sizeof(bytes), ret_code);
}

bool gw_code_key(struct base_sv code, char ret_key[GW_CODE_KEY + 1])
{
    unsigned char digest[DIGEST];
    unsigned length = 0;
    if (code.len != GW_CODE_TEXT ||
        EVP_Digest(code.ptr, code.len, digest, &length, EVP_sha256(), NULL) != 1)
        return false;
    memcpy(ret_key, KEY_PREFIX, sizeof(KEY_PREFIX) - 1);
    write_hex(digest, sizeof(digest), ret_key + sizeof(KEY_PREFIX) - 1);
    return true;
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

/* Making one. */

struct making {
    struct gw_call *call;
    char code[GW_CODE_TEXT + 1];
};

static void on_kept(void *ctx, enum base_err err)
{
    struct making *making = ctx;
    struct base_buf buf;
    base_buf_init(&buf, 256);
    base_json_open(&buf, '{');
    base_json_kv_str(&buf, "code", base_sv_from(making->code));
    base_json_kv_int(&buf, "expires_in", GW_CODE_TTL_S);
    base_json_close(&buf, '}');
    if (err == BASE_OK)
        gw_call_json(making->call, 201, base_buf_sv(&buf), NULL, 0);
    else
        gw_call_problem(making->call, err, NULL, NULL);
    base_buf_done(&buf);
    free(making->call);
    free(making);
}

static void make(struct gw_call *call, struct base_sv user)
{
    char key[GW_CODE_KEY + 1];
    struct making *making = calloc(1, sizeof(*making));
    struct gw_call *later = making ? gw_call_later(call) : NULL;
    if (!later) {
        if (!making)
            gw_call_problem(call, BASE_NO_MEMORY, NULL, NULL);
        free(making);
        return;
    }
    making->call = later;
    gw_code_new(making->code);
    (void)gw_code_key(base_sv_from(making->code), key);
    gw_state_put(call->worker->state, base_sv_from(key), user, SV_NULL, GW_CODE_TTL_S, on_kept,
                 making);
}

void gw_http_codes(struct gw_call *call)
{
    json_t *body = body_of(call);
    if (!body)
        return;
    const json_t *user = json_object_get(body, "user");
    struct base_sv id = base_sv(json_string_value(user), json_string_length(user));
    if (auth_user_valid(id))
        make(call, id);
    else
        gw_call_problem(call, BASE_UNPROCESSABLE, "user",
                        "a user id is 1 to 128 of A-Z a-z 0-9 . _ ~ @ | -");
    json_decref(body);
}

/* Exchanging it: whoever removes it from the state has it. */

struct exchange {
    struct gw_call *call;
    char key[GW_CODE_KEY + 1];
    char user[USER_MAX + 1];
};

static enum base_err sign_in(const struct exchange *exchange, struct base_buf *answer)
{
    const struct gw_worker *worker = exchange->call->worker;
    const struct gw_config *config = worker->shared->config;
    struct base_buf token;
    base_buf_init(&token, AUTH_TOKEN_MAX);
    enum base_err err = auth_sign(base_sv_from(config->auth_secret),
                                  &(struct auth_grant){.subject = exchange->user,
                                                       .issuer = config->auth_issuer,
                                                       .audience = config->auth_audience,
                                                       .now_us = gw_now_us(worker),
                                                       .ttl_s = SIGN_IN_TTL_S},
                                  &token);
    base_json_open(answer, '{');
    base_json_kv_str(answer, "token", base_buf_sv(&token));
    base_json_kv_str(answer, "user", base_sv_from(exchange->user));
    base_json_kv_int(answer, "expires_in", SIGN_IN_TTL_S);
    base_json_close(answer, '}');
    base_buf_done(&token);
    return err;
}

static void finish(struct gw_call *call, enum base_err err, struct base_sv answer)
{
    if (err == BASE_NOT_FOUND || err == BASE_STALE)
        err = BASE_UNAUTHENTICATED;
    LOG_INFO("auth.code", LOG_ERR(err), LOG_SV("remote", net_request_remote(call->req)));
    if (err == BASE_OK)
        gw_call_json(call, 200, answer, NULL, 0);
    else
        gw_call_problem(call, err, "code",
                        err == BASE_UNAUTHENTICATED
                            ? "the code is wrong, was used before, or is older than a minute"
                            : NULL);
}

static void end(struct exchange *exchange, enum base_err err)
{
    struct base_buf answer;
    base_buf_init(&answer, 2 * AUTH_TOKEN_MAX);
    if (err == BASE_OK)
        err = sign_in(exchange, &answer);
    finish(exchange->call, err, base_buf_sv(&answer));
    base_buf_done(&answer);
    free(exchange->call);
    free(exchange);
}

static void on_removed(void *ctx, enum base_err err)
{
    end(ctx, err);
}

static void on_found(void *ctx, enum base_err err, struct base_sv user, struct base_sv etag)
{
    struct exchange *exchange = ctx;
    if (err == BASE_OK && !base_sv_cstr(user, exchange->user, sizeof(exchange->user)))
        err = BASE_NOT_FOUND;
    if (err == BASE_OK)
        gw_state_remove(exchange->call->worker->state, base_sv_from(exchange->key), etag,
                        on_removed, exchange);
    else
        end(exchange, err);
}

void gw_http_auth_code(struct gw_call *call)
{
    json_t *body = body_of(call);
    if (!body)
        return;
    const json_t *code = json_object_get(body, "code");
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    enum base_err err =
        !exchange                                       ? BASE_NO_MEMORY
        : !call->worker->shared->config->auth_secret[0] ? BASE_UNSUPPORTED
        : gw_code_key(base_sv(json_string_value(code), json_string_length(code)), exchange->key)
            ? BASE_OK
            : BASE_UNAUTHENTICATED;
    json_decref(body);
    if (err != BASE_OK) {
        free(exchange);
        finish(call, err, SV_NULL);
        return;
    }
    exchange->call = gw_call_later(call);
    if (exchange->call)
        gw_state_get(exchange->call->worker->state, base_sv_from(exchange->key), on_found,
                     exchange);
    else
        free(exchange);
}
