/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens over cjose: it does the cryptography, the rules are here. */
#include "lib/auth/token.h"

#include <cjose/cjose.h>
#include <jansson.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "lib/auth/names.h"

enum { SECRET_MIN = 16, RSA_MIN_BITS = 2048 };

struct key {
    cjose_jwk_t *jwk;
    const char *algorithm; /* the only one it may be used with */
};

struct auth_keys {
    size_t count;
    struct key keys[AUTH_KEYS_MAX];
};

/* Keys. */

/* NULL: of no use here, or too weak. */
static const char *algorithm_of(const cjose_jwk_t *jwk, bool allow_hs256)
{
    cjose_err err;
    size_t bits = cjose_jwk_get_keysize(jwk, &err);
    switch (cjose_jwk_get_kty(jwk, &err)) {
    case CJOSE_JWK_KTY_RSA:
        return bits >= RSA_MIN_BITS ? CJOSE_HDR_ALG_RS256 : NULL;
    case CJOSE_JWK_KTY_EC:
        return cjose_jwk_EC_get_curve(jwk, &err) == CJOSE_JWK_EC_P_256 ? CJOSE_HDR_ALG_ES256 : NULL;
    case CJOSE_JWK_KTY_OCT:
        return allow_hs256 && bits >= SECRET_MIN * 8 ? CJOSE_HDR_ALG_HS256 : NULL;
    default:
        return NULL;
    }
}

/*
 * cjose asserts, and so ends the process, on padding inside of base64url. Nothing reaches it that
 * was not looked at here first. The alphabet is RFC 4648's, without padding (RFC 7515 2).
 */
static bool is_base64url(struct base_sv text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool alnum = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!alnum && c != '-' && c != '_')
            return false;
    }
    return text.len > 0 && text.len % 4 != 1;
}

static bool is_compact(struct base_sv token)
{
    size_t parts = 0;
    while (token.ptr) {
        if (!is_base64url(base_sv_split(&token, '.')))
            return false;
        parts++;
    }
    return parts == 3;
}

/* The numbers of a key (RFC 7518 6.2 to 6.4). */
static bool is_importable(const json_t *entry)
{
    static const char *const numbers[] = {"n", "e", "d", "p", "q", "dp", "dq", "qi", "x", "y", "k"};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const json_t *value = json_object_get(entry, numbers[i]);
        if (value && (!json_is_string(value) ||
                      !is_base64url(base_sv(json_string_value(value), json_string_length(value)))))
            return false;
    }
    return true;
}

/* What the key's owner says it is for (RFC 7517 4.2 to 4.4), which cjose does not look at. */
static bool is_meant_for(const json_t *entry, const char *algorithm)
{
    const json_t *use = json_object_get(entry, "use");
    const json_t *alg = json_object_get(entry, "alg");
    const json_t *ops = json_object_get(entry, "key_ops");
    bool verifies = !ops;
    for (size_t i = 0; i < json_array_size(ops); i++) {
        const char *op = json_string_value(json_array_get(ops, i));
        verifies = verifies || (op && strcmp(op, "verify") == 0);
    }
    return verifies &&
           (!use || (json_is_string(use) && strcmp(json_string_value(use), "sig") == 0)) &&
           (!alg || (json_is_string(alg) && strcmp(json_string_value(alg), algorithm) == 0));
}

/* entry may be NULL: a key that says nothing about itself. */
static void take_key(struct auth_keys *keys, cjose_jwk_t *jwk, const json_t *entry,
                     bool allow_hs256)
{
    const char *algorithm = jwk ? algorithm_of(jwk, allow_hs256) : NULL;
    if (algorithm && keys->count < AUTH_KEYS_MAX && is_meant_for(entry, algorithm))
        keys->keys[keys->count++] = (struct key){jwk, algorithm};
    else
        cjose_jwk_release(jwk);
}

/* What OpenSSL left in the thread's error queue would be taken for its own by the next TLS call. */
static void forget_openssl_errors(void)
{
    ERR_clear_error();
}

enum base_err auth_keys_from_jwks(struct base_sv json, bool allow_hs256,
                                  struct auth_keys **ret_keys, struct base_buf *errors)
{
    json_error_t error;
    cjose_err err;
    json_t *root = json_loadb(json.ptr ? json.ptr : "", json.len, 0, &error);
    const json_t *list = json_object_get(root, "keys");
    struct auth_keys *keys = calloc(1, sizeof(*keys));
    if (!keys) {
        json_decref(root);
        return BASE_NO_MEMORY;
    }
    if (!json_is_array(list)) {
        base_buf_addf(errors,
                      root ? "the key set has no \"keys\" array"
                           : "the key set is not JSON: %s (line %d)",
                      error.text, error.line);
        json_decref(root);
        free(keys);
        return BASE_MALFORMED;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        char *text = is_importable(entry) ? json_dumps(entry, JSON_COMPACT) : NULL;
        take_key(keys, text ? cjose_jwk_import(text, strlen(text), &err) : NULL, entry,
                 allow_hs256);
        free(text);
    }
    json_decref(root);
    forget_openssl_errors();
    if (keys->count == 0) {
        base_buf_add_c(errors, "the key set has no key that may sign tokens");
        auth_keys_free(keys);
        return BASE_INVALID;
    }
    *ret_keys = keys;
    return BASE_OK;
}

enum base_err auth_keys_from_secret(struct base_sv secret, struct auth_keys **ret_keys,
                                    struct base_buf *errors)
{
    cjose_err err;
    struct auth_keys *keys;
    if (secret.len < SECRET_MIN) {
        base_buf_addf(errors, "the secret must have at least %d bytes", SECRET_MIN);
        return BASE_INVALID;
    }
    keys = calloc(1, sizeof(*keys));
    if (!keys)
        return BASE_NO_MEMORY;
    take_key(keys, cjose_jwk_create_oct_spec((const uint8_t *)secret.ptr, secret.len, &err), NULL,
             true);
    if (keys->count == 0) {
        free(keys);
        return BASE_NO_MEMORY;
    }
    *ret_keys = keys;
    return BASE_OK;
}

void auth_keys_free(struct auth_keys *keys)
{
    if (!keys)
        return;
    for (size_t i = 0; i < keys->count; i++)
        cjose_jwk_release(keys->keys[i].jwk);
    free(keys);
}

/* Checking. */

static bool header_is_plain(cjose_header_t *header)
{
    cjose_err err;
    char *crit = cjose_header_get_raw(header, "crit", &err);
    bool plain = !crit; /* an extension that must be understood is one we do not understand */
    free(crit);
    return plain;
}

/* The key named by kid, or, where the token names none, any that fits the algorithm. NULL: it is
 * signed by one of ours; otherwise the rule that failed. */
static const char *signature_fault(const struct auth_keys *keys, cjose_jws_t *jws)
{
    cjose_err err;
    cjose_header_t *header = cjose_jws_get_protected(jws);
    const char *algorithm = cjose_header_get(header, CJOSE_HDR_ALG, &err);
    const char *kid = cjose_header_get(header, CJOSE_HDR_KID, &err);
    const char *fault = "kid: no such key";
    if (!algorithm)
        return "alg: missing";
    if (!header_is_plain(header))
        return "crit: an extension that must be understood";
    for (size_t i = 0; i < keys->count; i++) {
        const struct key *key = &keys->keys[i];
        const char *key_kid = cjose_jwk_get_kid(key->jwk, &err);
        if (kid && key_kid && strcmp(kid, key_kid) != 0)
            continue;
        if (strcmp(algorithm, key->algorithm) != 0) {
            fault = "alg: not the algorithm of the key";
            continue;
        }
        if (cjose_jws_verify(jws, key->jwk, &err))
            return NULL;
        fault = "the signature does not fit the key";
    }
    return fault;
}

static bool audience_is(const json_t *aud, const char *wanted)
{
    if (json_is_string(aud))
        return strcmp(json_string_value(aud), wanted) == 0;
    for (size_t i = 0; i < json_array_size(aud); i++)
        if (json_is_string(json_array_get(aud, i)) &&
            strcmp(json_string_value(json_array_get(aud, i)), wanted) == 0)
            return true;
    return false;
}

/* A NumericDate in microseconds; false if it is none, or beyond the year 9999. */
static bool date_of(const json_t *value, int64_t *ret_us)
{
    double seconds = json_number_value(value);
    if (!json_is_number(value) || !(seconds >= 0 && seconds <= 253402300799.0))
        return false;
    *ret_us = (int64_t)(seconds * 1e6);
    return true;
}

static enum base_err check_claims(const json_t *claims, const struct auth_policy *policy,
                                  int64_t now_us, struct auth_claims *ret_claims,
                                  const char **ret_why)
{
    const json_t *nbf = json_object_get(claims, "nbf");
    const json_t *iat = json_object_get(claims, "iat");
    const json_t *sub = json_object_get(claims, "sub");
    const char *issuer = json_string_value(json_object_get(claims, "iss"));
    const char *role = json_string_value(json_object_get(claims, "role"));
    struct auth_claims result = {0};
    int64_t not_before = 0;
    *ret_why = "iss: the issuer is another one";
    if (!issuer || strcmp(issuer, policy->issuer) != 0)
        return BASE_UNAUTHENTICATED;
    *ret_why = "aud: the token is for somebody else";
    if (!audience_is(json_object_get(claims, "aud"), policy->audience))
        return BASE_UNAUTHENTICATED;
    *ret_why = "sub: this is no user id";
    struct base_sv subject = base_sv(json_string_value(sub), json_string_length(sub));
    if (!auth_user_valid(subject) || !base_sv_cstr(subject, result.subject, sizeof(result.subject)))
        return BASE_UNAUTHENTICATED;
    *ret_why = "exp: missing or no date";
    if (!date_of(json_object_get(claims, "exp"), &result.expires_us))
        return BASE_UNAUTHENTICATED;
    *ret_why = "nbf or iat: no date, or still to come";
    if ((nbf && !date_of(nbf, &not_before)) || (iat && !date_of(iat, &result.issued_us)) ||
        not_before > now_us + policy->leeway_us || result.issued_us > now_us + policy->leeway_us)
        return BASE_UNAUTHENTICATED;
    *ret_why = "exp: the token has expired";
    if (result.expires_us + policy->leeway_us <= now_us)
        return BASE_TOKEN_EXPIRED;
    result.service = role && strcmp(role, "service") == 0;
    *ret_why = "";
    *ret_claims = result;
    return BASE_OK;
}

enum base_err auth_verify(const struct auth_keys *keys, const struct auth_policy *policy,
                          struct base_sv token, int64_t now_us, struct auth_claims *ret_claims,
                          const char **ret_why)
{
    cjose_err err;
    const char *scratch;
    uint8_t *payload;
    size_t length;
    const char **why = ret_why ? ret_why : &scratch;
    *why = "the token is missing or too long";
    if (token.len == 0 || token.len > AUTH_TOKEN_MAX)
        return BASE_UNAUTHENTICATED;
    *why = "the token is not in JWS compact form";
    if (!is_compact(token))
        return BASE_UNAUTHENTICATED;
    cjose_jws_t *jws = cjose_jws_import(token.ptr, token.len, &err);
    if (!jws) {
        forget_openssl_errors();
        return BASE_UNAUTHENTICATED;
    }
    enum base_err result = BASE_UNAUTHENTICATED;
    const char *fault = signature_fault(keys, jws);
    *why = fault ? fault : "the token has no payload";
    if (!fault && cjose_jws_get_plaintext(jws, &payload, &length, &err)) {
        json_t *claims = json_loadb((const char *)payload, length, JSON_REJECT_DUPLICATES, NULL);
        *why = "the claims are not JSON";
        if (json_is_object(claims))
            result = check_claims(claims, policy, now_us, ret_claims, why);
        json_decref(claims);
    }
    cjose_jws_release(jws);
    forget_openssl_errors();
    return result;
}

/* Signing. */

enum base_err auth_sign(struct base_sv secret, const struct auth_grant *grant,
                        struct base_buf *ret_token)
{
    cjose_err err;
    int64_t now_s = grant->now_us / 1000000;
    const char *text = NULL;
    json_t *claims =
        json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:s*}", "iss", grant->issuer, "aud", grant->audience,
                  "sub", grant->subject, "iat", (json_int_t)now_s, "nbf", (json_int_t)now_s, "exp",
                  (json_int_t)(now_s + grant->ttl_s), "role", grant->role);
    char *payload = claims ? json_dumps(claims, JSON_COMPACT) : NULL;
    cjose_jwk_t *key = cjose_jwk_create_oct_spec((const uint8_t *)secret.ptr, secret.len, &err);
    cjose_header_t *header = cjose_header_new(&err);
    cjose_jws_t *jws = NULL;
    if (payload && key && header &&
        cjose_header_set(header, CJOSE_HDR_ALG, CJOSE_HDR_ALG_HS256, &err) &&
        cjose_header_set(header, "typ", "JWT", &err))
        jws = cjose_jws_sign(key, header, (const uint8_t *)payload, strlen(payload), &err);
    if (jws && cjose_jws_export(jws, &text, &err))
        base_buf_add_c(ret_token, text);
    cjose_jws_release(jws);
    cjose_header_release(header);
    cjose_jwk_release(key);
    free(payload);
    json_decref(claims);
    return text && base_buf_ok(ret_token) ? BASE_OK : BASE_NO_MEMORY;
}
