/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens from outside. The first byte says what the rest is: 't' a token as it came, 'c' the claims
 * of a token that is signed well, so that the fuzzer gets behind the signature, 'k' a key set.
 */
#include <cjose/cjose.h>
#include <stdlib.h>

#include "lib/auth/names.h"
#include "lib/auth/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t NOW_US = 1795510800000000;
static const char secret[] = "a secret of thirty-two characters";

static void check(struct auth_keys *keys, struct base_sv token)
{
    static const struct auth_policy policy = {"me", "you", 1000000};
    struct auth_claims claims;
    const char *why = NULL;
    enum base_err err = auth_verify(keys, &policy, token, NOW_US, &claims, &why);
    if (!why || (err == BASE_OK && (!auth_user_valid(base_sv_from(claims.subject)) ||
                                    claims.expires_us + policy.leeway_us <= NOW_US ||
                                    claims.issued_us > NOW_US + policy.leeway_us)))
        abort();
}

static void check_claims(struct auth_keys *keys, const uint8_t *data, size_t size)
{
    cjose_err err;
    const char *text;
    cjose_jwk_t *key = cjose_jwk_create_oct_spec((const uint8_t *)secret, sizeof(secret) - 1, &err);
    cjose_header_t *header = cjose_header_new(&err);
    (void)cjose_header_set(header, CJOSE_HDR_ALG, CJOSE_HDR_ALG_HS256, &err);
    cjose_jws_t *jws = cjose_jws_sign(key, header, data, size, &err);
    if (jws && cjose_jws_export(jws, &text, &err))
        check(keys, base_sv_from(text));
    cjose_jws_release(jws);
    cjose_header_release(header);
    cjose_jwk_release(key);
}

static void check_key_set(struct base_sv text)
{
    struct auth_keys *keys = NULL;
    struct base_buf errors;
    base_buf_init(&errors, 1000);
    enum base_err err = auth_keys_from_jwks(text, true, &keys, &errors);
    if ((err == BASE_OK) != (keys != NULL) || (err == BASE_OK) != (errors.len == 0))
        abort();
    base_buf_done(&errors);
    auth_keys_free(keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct auth_keys *keys;
    struct base_buf errors;
    base_buf_init(&errors, 1000);
    if (!keys &&
        auth_keys_from_secret(base_sv(secret, sizeof(secret) - 1), &keys, &errors) != BASE_OK)
        abort();
    if (size == 0)
        return 0;
    if (data[0] == 't')
        check(keys, base_sv((const char *)data + 1, size - 1));
    else if (data[0] == 'c')
        check_claims(keys, data + 1, size - 1);
    else if (data[0] == 'k')
        check_key_set(base_sv((const char *)data + 1, size - 1));
    return 0;
}
