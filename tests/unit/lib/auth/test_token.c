/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens: what is signed well is let in, and nothing else. The attacks of RFC 8725 each have a row.
 * Keys are made anew for each run; the tokens are signed with cjose directly, since the library
 * signs only what development needs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjose/cjose.h>
#include <cmocka.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/auth/token.h"

#define NOW_S 1795510800
#define GOOD "\"iss\":\"me\",\"aud\":\"you\",\"sub\":\"ann\",\"exp\":1795510900"

static const struct auth_policy policy = {"me", "you", 10 * 1000000};
static const char secret[] = "a secret of thirty-two characters";

static cjose_jwk_t *rsa, *rsa_weak, *ec, *ec384, *oct;
static struct auth_keys *keys; /* rsa, ec and oct */

static cjose_jwk_t *named(cjose_jwk_t *jwk, const char *kid)
{
    cjose_err err;
    assert_non_null(jwk);
    assert_true(cjose_jwk_set_kid(jwk, kid, strlen(kid), &err));
    return jwk;
}

/* The public half, with members such as ,"use":"enc" put in. */
static void add_key(struct base_buf *jwks, const cjose_jwk_t *jwk, bool private,
                    const char *members)
{
    cjose_err err;
    char *json = cjose_jwk_to_json(jwk, private, &err);
    assert_non_null(json);
    base_buf_addf(jwks, "%s%.*s%s}", jwks->len ? "," : "{\"keys\":[", (int)strlen(json) - 1, json,
                  members);
    free(json);
}

static enum base_err import(struct base_buf *jwks, bool allow_hs256, struct auth_keys **ret_keys)
{
    struct base_buf errors;
    base_buf_add_c(jwks, "]}");
    base_buf_init(&errors, 1000);
    enum base_err err = auth_keys_from_jwks(base_buf_sv(jwks), allow_hs256, ret_keys, &errors);
    assert_int_equal(err == BASE_OK, errors.len == 0);
    base_buf_done(&errors);
    base_buf_done(jwks);
    return err;
}

static int set_up(void **state)
{
    cjose_err err;
    struct base_buf jwks;
    (void)state;
    rsa = named(cjose_jwk_create_RSA_random(2048, (const uint8_t *)"\x01\x00\x01", 3, &err), "r");
    rsa_weak =
        named(cjose_jwk_create_RSA_random(1024, (const uint8_t *)"\x01\x00\x01", 3, &err), "w");
    ec = named(cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &err), "e");
    ec384 = named(cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_384, &err), "e3");
    oct = named(cjose_jwk_create_oct_spec((const uint8_t *)secret, sizeof(secret) - 1, &err), "o");
    base_buf_init(&jwks, 20000);
    add_key(&jwks, rsa, false, "");
    add_key(&jwks, ec, false, ",\"use\":\"sig\",\"alg\":\"ES256\",\"key_ops\":[\"verify\"]");
    add_key(&jwks, oct, true, "");
    return import(&jwks, true, &keys) == BASE_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    auth_keys_free(keys);
    cjose_jwk_release(rsa);
    cjose_jwk_release(rsa_weak);
    cjose_jwk_release(ec);
    cjose_jwk_release(ec384);
    cjose_jwk_release(oct);
    return 0;
}

/* kid and crit may be NULL; the caller frees. */
static char *sign(cjose_jwk_t *key, const char *alg, const char *kid, const char *crit,
                  const char *claims)
{
    cjose_err err;
    const char *text;
    cjose_header_t *header = cjose_header_new(&err);
    assert_true(cjose_header_set(header, CJOSE_HDR_ALG, alg, &err));
    if (kid)
        assert_true(cjose_header_set(header, CJOSE_HDR_KID, kid, &err));
    if (crit)
        assert_true(cjose_header_set_raw(header, "crit", crit, &err));
    cjose_jws_t *jws = cjose_jws_sign(key, header, (const uint8_t *)claims, strlen(claims), &err);
    assert_non_null(jws);
    assert_true(cjose_jws_export(jws, &text, &err));
    char *copy = strdup(text);
    cjose_jws_release(jws);
    cjose_header_release(header);
    return copy;
}

static enum base_err verify_at(const struct auth_keys *with, struct base_sv token, int64_t now_us,
                               struct auth_claims *claims, const char **why)
{
    enum base_err err = auth_verify(with, &policy, token, now_us, claims, why);
    assert_true(ERR_peek_error() == 0); /* nothing left for the next TLS call */
    return err;
}

/* NULL: accepted; otherwise why not. Frees the token. */
static const char *fault(const struct auth_keys *with, char *token)
{
    struct auth_claims claims = {.subject = "before"};
    const char *why = NULL;
    enum base_err err =
        verify_at(with, base_sv_from(token), NOW_S * INT64_C(1000000), &claims, &why);
    free(token);
    if (err == BASE_OK)
        return NULL;
    assert_string_equal(claims.subject, "before");
    assert_true(why && *why);
    return why;
}

static void each_key_signs_with_its_algorithm(void **state)
{
    (void)state;
    assert_null(fault(keys, sign(rsa, "RS256", "r", NULL, "{" GOOD "}")));
    assert_null(fault(keys, sign(ec, "ES256", "e", NULL, "{" GOOD "}")));
    assert_null(fault(keys, sign(oct, "HS256", "o", NULL, "{" GOOD "}")));
    assert_null(fault(keys, sign(ec, "ES256", NULL, NULL, "{" GOOD "}")));
    assert_string_equal(fault(keys, sign(rsa, "RS512", "r", NULL, "{" GOOD "}")),
                        "alg: not the algorithm of the key");
    assert_string_equal(fault(keys, sign(rsa, "PS256", "r", NULL, "{" GOOD "}")),
                        "alg: not the algorithm of the key");
    assert_string_equal(fault(keys, sign(oct, "HS512", "o", NULL, "{" GOOD "}")),
                        "alg: not the algorithm of the key");
}

static void a_kid_must_be_known_and_the_right_one(void **state)
{
    (void)state;
    assert_string_equal(fault(keys, sign(ec, "ES256", "x", NULL, "{" GOOD "}")),
                        "kid: no such key");
    assert_string_equal(fault(keys, sign(ec, "ES256", "r", NULL, "{" GOOD "}")),
                        "alg: not the algorithm of the key");
    cjose_err err;
    cjose_jwk_t *other = named(cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &err), "e");
    assert_string_equal(fault(keys, sign(other, "ES256", "e", NULL, "{" GOOD "}")),
                        "the signature does not fit the key");
    cjose_jwk_release(other);
}

static void an_extension_that_must_be_understood_is_refused(void **state)
{
    (void)state;
    assert_string_equal(fault(keys, sign(ec, "ES256", "e", "[\"b64\"]", "{" GOOD "}")),
                        "crit: an extension that must be understood");
}

/* The public key is public: whoever uses its text as a secret has signed nothing. */
static void a_public_key_is_no_secret(void **state)
{
    cjose_err err;
    (void)state;
    char *public = cjose_jwk_to_json(rsa, false, &err);
    static const char *const kids[] = {"r", "o", NULL};
    for (size_t i = 0; i < 3; i++) {
        cjose_jwk_t *forged =
            cjose_jwk_create_oct_spec((const uint8_t *)public, strlen(public), &err);
        assert_non_null(fault(keys, sign(forged, "HS256", kids[i], NULL, "{" GOOD "}")));
        cjose_jwk_release(forged);
    }
    free(public);
}

static void add_b64(struct base_buf *out, const char *text)
{
    cjose_err err;
    char *b64;
    size_t len;
    assert_true(cjose_base64url_encode((const uint8_t *)text, strlen(text), &b64, &len, &err));
    base_buf_add(out, base_sv(b64, len));
    free(b64);
}

static void no_signature_is_no_token(void **state)
{
    static const char *const headers[] = {"{\"alg\":\"none\"}",
                                          "{\"alg\":\"None\"}",
                                          "{\"alg\":\"\"}",
                                          "{}",
                                          "{\"alg\":null}",
                                          "{\"alg\":[\"HS256\"]}",
                                          "{\"alg\":\"HS256\"}",
                                          "[]",
                                          "x",
                                          ""};
    static const char *const signatures[] = {"", "AAAA", NULL};
    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        for (size_t j = 0; j < 3; j++) {
            struct base_buf token;
            base_buf_init(&token, 4000);
            add_b64(&token, headers[i]);
            base_buf_add_char(&token, '.');
            add_b64(&token, "{" GOOD "}");
            if (signatures[j])
                base_buf_addf(&token, ".%s", signatures[j]);
            assert_non_null(fault(keys, strdup(token.data)));
            base_buf_done(&token);
        }
    }
}

static void claims_are_checked_one_by_one(void **state)
{
    static const struct {
        const char *claims;
        const char *why; /* its beginning; NULL: accepted */
    } rows[] = {
        {"{\"iss\":\"me\",\"aud\":[\"x\",\"you\"],\"sub\":\"a@b|c\",\"exp\":1795510900}", NULL},
        {"{" GOOD ",\"iat\":1795510809,\"nbf\":1795510809.5}", NULL},
        {"{\"iss\":\"me\",\"aud\":\"you\",\"sub\":\"ann\",\"exp\":1795510791}", NULL},
        {"{\"iss\":\"me\",\"aud\":\"you\",\"sub\":\"ann\",\"exp\":1795510790}",
         "exp: the token has"},
        {"{\"iss\":\"me\",\"aud\":\"you\",\"sub\":\"ann\"}", "exp: missing"},
        {"{\"iss\":\"me\",\"aud\":\"you\",\"sub\":\"ann\",\"exp\":\"1795510900\"}", "exp: missing"},
        {"{\"iss\":\"me\",\"aud\":\"you\",\"sub\":\"ann\",\"exp\":1e300}", "exp: missing"},
        {"{\"iss\":\"me\",\"aud\":\"you\",\"sub\":\"ann\",\"exp\":-1}", "exp: missing"},
        {"{" GOOD ",\"nbf\":1795510811}", "nbf"},
        {"{" GOOD ",\"iat\":1795510811}", "nbf"},
        {"{" GOOD ",\"nbf\":\"soon\"}", "nbf"},
        {"{\"aud\":\"you\",\"sub\":\"ann\",\"exp\":1795510900}", "iss"},
        {"{\"iss\":\"ME\",\"aud\":\"you\",\"sub\":\"ann\",\"exp\":1795510900}", "iss"},
        {"{\"iss\":[\"me\"],\"aud\":\"you\",\"sub\":\"ann\",\"exp\":1795510900}", "iss"},
        {"{\"iss\":\"me\",\"sub\":\"ann\",\"exp\":1795510900}", "aud"},
        {"{\"iss\":\"me\",\"aud\":[],\"sub\":\"ann\",\"exp\":1795510900}", "aud"},
        {"{\"iss\":\"me\",\"aud\":[\"x\",1],\"sub\":\"ann\",\"exp\":1795510900}", "aud"},
        {"{\"iss\":\"me\",\"aud\":{\"you\":1},\"sub\":\"ann\",\"exp\":1795510900}", "aud"},
        {"{\"iss\":\"me\",\"aud\":\"you\",\"exp\":1795510900}", "sub"},
        {"{\"iss\":\"me\",\"aud\":\"you\",\"sub\":\"\",\"exp\":1795510900}", "sub"},
        {"{\"iss\":\"me\",\"aud\":\"you\",\"sub\":\"a/b\",\"exp\":1795510900}", "sub"},
        {"{\"iss\":\"me\",\"aud\":\"you\",\"sub\":\"+\",\"exp\":1795510900}", "sub"},
        {"{\"iss\":\"me\",\"aud\":\"you\",\"sub\":\"a\\u0000b\",\"exp\":1795510900}", "the claims"},
        {"{\"iss\":\"me\",\"aud\":\"you\",\"sub\":7,\"exp\":1795510900}", "sub"},
        {"{" GOOD ",\"sub\":\"bob\"}", "the claims"},
        {"[]", "the claims"},
        {"{", "the claims"},
        {"null", "the claims"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *why = fault(keys, sign(oct, "HS256", "o", NULL, rows[i].claims));
        if ((why == NULL) != (rows[i].why == NULL) ||
            (why && strncmp(why, rows[i].why, strlen(rows[i].why)) != 0))
            fail_msg("%s: %s", rows[i].claims, why ? why : "accepted");
    }
}

static void only_expiry_is_told_apart(void **state)
{
    struct auth_claims claims;
    char *token = sign(oct, "HS256", "o", NULL, "{" GOOD ",\"role\":\"service\",\"iat\":5}");
    struct base_sv sv = base_sv_from(token);
    (void)state;
    int64_t last = 1795510910 * INT64_C(1000000) - 1;
    assert_int_equal(verify_at(keys, sv, last, &claims, NULL), BASE_OK);
    assert_string_equal(claims.subject, "ann");
    assert_true(claims.service && claims.issued_us == 5000000);
    assert_true(claims.expires_us == 1795510900 * INT64_C(1000000));
    assert_int_equal(verify_at(keys, sv, last + 1, &claims, NULL), BASE_TOKEN_EXPIRED);
    free(token);
    token = sign(oct, "HS256", "o", NULL, "{" GOOD ",\"role\":\"Service\"}");
    assert_int_equal(verify_at(keys, base_sv_from(token), last, &claims, NULL), BASE_OK);
    assert_false(claims.service);
    free(token);
}

static void no_part_of_a_token_may_be_missing_or_changed(void **state)
{
    struct auth_claims claims;
    char *token = sign(oct, "HS256", "o", NULL, "{" GOOD "}");
    size_t len = strlen(token);
    int64_t now_us = NOW_S * INT64_C(1000000);
    (void)state;
    for (size_t n = 0; n < len; n++)
        assert_int_not_equal(verify_at(keys, base_sv(token, n), now_us, &claims, NULL), BASE_OK);
    /* The last character has bits that stand for nothing. */
    for (size_t i = 0; i + 1 < len; i++) {
        char was = token[i];
        token[i] = was == 'A' ? 'B' : 'A';
        assert_int_not_equal(verify_at(keys, base_sv(token, len), now_us, &claims, NULL), BASE_OK);
        token[i] = was;
    }
    assert_int_equal(verify_at(keys, base_sv(token, len), now_us, &claims, NULL), BASE_OK);
    free(token);
    static char long_token[AUTH_TOKEN_MAX + 2];
    memset(long_token, 'a', sizeof(long_token) - 1);
    assert_non_null(fault(keys, strdup(long_token)));
}

/* cjose 0.6 ends the process on these. */
static void padding_inside_does_not_reach_the_library(void **state)
{
    static const char *const tokens[] = {
        "eyJhbGciOiJIUzI1NiJ9.Y=Bz.AAAA", "eyJhbGciOiJIUzI1NiJ9.e30.A=AA",
        "e=JhbGciOiJIUzI1NiJ9.e30.AAAA",  "eyJhbGciOiJIUzI1NiJ9.e30=.AAAA",
        "eyJhbGciOiJIUzI1NiJ9.A.AAAA",    "eyJhbGciOiJIUzI1NiJ9.e3+/.AAAA",
        "eyJhbGciOiJIUzI1NiJ9..AAAA",     "eyJhbGciOiJIUzI1NiJ9.e30.AAAA.AAAA"};
    static const char *const numbers[] = {"Y=BzZWNyZXQgb2YgdGhpcnR5", "====", "A", "a b!"};
    (void)state;
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
        assert_string_equal(fault(keys, strdup(tokens[i])), "the token is not in JWS compact form");
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct auth_keys *none = NULL;
        struct base_buf jwks;
        base_buf_init(&jwks, 2000);
        base_buf_addf(&jwks,
                      "{\"keys\":[{\"kty\":\"oct\",\"k\":\"%s\"},{\"kty\":\"RSA\",\"e\":"
                      "\"AQAB\",\"n\":\"%s\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
                      "\"%s\",\"y\":\"%s\"}",
                      numbers[i], numbers[i], numbers[i], numbers[i]);
        assert_int_equal(import(&jwks, true, &none), BASE_INVALID);
    }
}

static void weak_and_foreign_keys_do_not_count(void **state)
{
    static const char *const members[] = {",\"use\":\"enc\"",        ",\"use\":1",
                                          ",\"alg\":\"RS512\"",      ",\"alg\":\"HS256\"",
                                          ",\"key_ops\":[\"sign\"]", ",\"key_ops\":\"verify\""};
    struct auth_keys *none = NULL;
    struct base_buf jwks;
    cjose_err err;
    cjose_jwk_t *short_secret =
        cjose_jwk_create_oct_spec((const uint8_t *)"fifteen letters", 15, &err);
    const struct {
        const cjose_jwk_t *key;
        bool private;
        bool allow_hs256;
    } rows[] = {{rsa_weak, false, true},
                {ec384, false, true},
                {short_secret, true, true},
                {oct, true, false}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        base_buf_init(&jwks, 20000);
        add_key(&jwks, rows[i].key, rows[i].private, "");
        assert_int_equal(import(&jwks, rows[i].allow_hs256, &none), BASE_INVALID);
    }
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        base_buf_init(&jwks, 20000);
        add_key(&jwks, rsa, false, members[i]);
        assert_int_equal(import(&jwks, true, &none), BASE_INVALID);
    }
    assert_null(none);
    cjose_jwk_release(short_secret);
}

static void a_key_set_is_json_with_keys(void **state)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "[]",
                                      "null",
                                      "{}",
                                      "{\"keys\":{}}",
                                      "{\"keys\":[]}",
                                      "{\"keys\":[null,1,\"x\",{},{\"kty\":\"oct\"}]}"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct auth_keys *none = NULL;
        struct base_buf errors;
        base_buf_init(&errors, 1000);
        assert_int_not_equal(auth_keys_from_jwks(base_sv_from(bad[i]), true, &none, &errors),
                             BASE_OK);
        assert_true(errors.len > 0);
        assert_null(none);
        base_buf_done(&errors);
    }
    auth_keys_free(NULL);
}

static void what_we_sign_we_accept(void **state)
{
    struct auth_grant grant = {"ann", "service", "me", "you", NOW_S * INT64_C(1000000), 60};
    struct auth_keys *own;
    struct auth_claims claims;
    struct base_buf out;
    (void)state;
    base_buf_init(&out, AUTH_TOKEN_MAX);
    assert_int_equal(auth_keys_from_secret(SV("fifteen letters"), &own, &out), BASE_INVALID);
    base_buf_reset(&out);
    assert_int_equal(auth_keys_from_secret(SV("sixteen letters!"), &own, &out), BASE_OK);
    assert_int_equal(auth_sign(SV("sixteen letters!"), &grant, &out), BASE_OK);
    assert_int_equal(verify_at(own, base_buf_sv(&out), grant.now_us, &claims, NULL), BASE_OK);
    assert_true(claims.service && claims.expires_us == (NOW_S + 60) * INT64_C(1000000));
    assert_int_not_equal(verify_at(keys, base_buf_sv(&out), grant.now_us, &claims, NULL), BASE_OK);
    auth_keys_free(own);
    base_buf_done(&out);
    base_buf_init(&out, 20);
    assert_int_not_equal(auth_sign(SV("sixteen letters!"), &grant, &out), BASE_OK);
    base_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_signs_with_its_algorithm),
        cmocka_unit_test(a_kid_must_be_known_and_the_right_one),
        cmocka_unit_test(an_extension_that_must_be_understood_is_refused),
        cmocka_unit_test(a_public_key_is_no_secret),
        cmocka_unit_test(no_signature_is_no_token),
        cmocka_unit_test(claims_are_checked_one_by_one),
        cmocka_unit_test(only_expiry_is_told_apart),
        cmocka_unit_test(no_part_of_a_token_may_be_missing_or_changed),
        cmocka_unit_test(padding_inside_does_not_reach_the_library),
        cmocka_unit_test(weak_and_foreign_keys_do_not_count),
        cmocka_unit_test(a_key_set_is_json_with_keys),
        cmocka_unit_test(what_we_sign_we_accept),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
