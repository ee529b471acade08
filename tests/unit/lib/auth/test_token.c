/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens, good and forged, by the list of RFC 8725. They are put together here by hand, since no
 * library signs what must be refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjose/cjose.h>
#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/auth/token.h"

#define NOW_S INT64_C(1800000000)
#define SECRET "0123456789abcdef0123456789abcdef"
#define HEAD "{\"alg\":\"HS256\",\"kid\":\"dev\"}"
#define GOOD                                                                                       \
    "{\"iss\":\"us\",\"aud\":\"them\",\"sub\":\"ann\",\"iat\":1799999999,\"exp\":1800000060}"

static const struct auth_policy policy = {"us", "them", 1000000};
static struct auth_keys *keys; /* the secret, as kid dev */

struct text {
    char at[AUTH_TOKEN_MAX * 2];
};

static void add(struct text *text, struct base_sv more)
{
    size_t length = strlen(text->at);
    assert_true(base_sv_cstr(more, text->at + length, sizeof(text->at) - length));
}

static void add_base64(struct text *text, const void *bytes, size_t n)
{
    cjose_err err;
    char *encoded = NULL;
    size_t length;
    assert_true(cjose_base64url_encode(bytes, n, &encoded, &length, &err));
    add(text, base_sv(encoded, length));
    free(encoded);
}

static struct text compose(const char *header, const char *claims, const void *secret, size_t n)
{
    struct text token = {""};
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    add_base64(&token, header, strlen(header));
    add(&token, SV("."));
    add_base64(&token, claims, strlen(claims));
    assert_non_null(HMAC(EVP_sha256(), secret, (int)n, (unsigned char *)token.at, strlen(token.at),
                         mac, &length));
    add(&token, SV("."));
    add_base64(&token, mac, length);
    return token;
}

static struct text token_of(const char *header, const char *claims)
{
    return compose(header, claims, SECRET, sizeof(SECRET) - 1);
}

static enum base_err verify(const char *token, struct auth_claims *ret_claims, const char **ret_why)
{
    return auth_verify(keys, &policy, base_sv_from(token), NOW_S * 1000000, ret_claims, ret_why);
}

static void expect(const char *token, enum base_err err, const char *why)
{
    struct auth_claims claims = {.subject = "untouched"};
    const char *said = NULL;
    if (verify(token, &claims, &said) != err || strncmp(said, why, strlen(why)) != 0)
        fail_msg("%s: \"%s\" instead of \"%s\"", token, said, why);
    if (err != BASE_OK)
        assert_string_equal(claims.subject, "untouched");
    assert_int_equal(ERR_peek_error(), 0);
}

static struct auth_keys *keys_from(const char *jwks, bool allow_hs256)
{
    struct auth_keys *made = NULL;
    struct base_buf errors;
    base_buf_init(&errors, 1024);
    assert_int_equal(auth_keys_from_jwks(base_sv_from(jwks), allow_hs256, &made, &errors), BASE_OK);
    assert_int_equal(errors.len, 0);
    base_buf_done(&errors);
    return made;
}

static int setup(void **state)
{
    struct text jwks = {"{\"keys\":[{\"kty\":\"oct\",\"kid\":\"dev\",\"k\":\""};
    (void)state;
    add_base64(&jwks, SECRET, sizeof(SECRET) - 1);
    add(&jwks, SV("\"}]}"));
    keys = keys_from(jwks.at, true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    auth_keys_free(keys);
    return 0;
}

static void a_good_token_gives_its_claims(void **state)
{
    struct auth_claims claims;
    (void)state;
    assert_int_equal(verify(token_of(HEAD, GOOD).at, &claims, NULL), BASE_OK);
    assert_string_equal(claims.subject, "ann");
    assert_false(claims.service);
    assert_int_equal(claims.issued_us, 1799999999 * INT64_C(1000000));
    assert_int_equal(claims.expires_us, 1800000060 * INT64_C(1000000));
    expect(token_of("{\"alg\":\"HS256\"}", GOOD).at, BASE_OK, "");
    expect(token_of("{\"alg\":\"HS256\",\"typ\":\"JWT\",\"x\":1}", GOOD).at, BASE_OK, "");
}

static void claims_are_checked_one_by_one(void **state)
{
#define CLAIMS(rest) "{\"iss\":\"us\",\"aud\":\"them\",\"sub\":\"ann\"," rest "}"
    static const struct {
        const char *claims;
        enum base_err err;
        const char *why;
    } rows[] = {
        {CLAIMS("\"exp\":1800000060,\"role\":\"service\""), BASE_OK, ""},
        {CLAIMS("\"exp\":1800000000"), BASE_OK, ""},
        {CLAIMS("\"exp\":1800000060.5,\"nbf\":1800000001,\"iat\":1800000001"), BASE_OK, ""},
        {CLAIMS("\"exp\":1799999999"), BASE_TOKEN_EXPIRED, "exp: the token has expired"},
        {CLAIMS("\"exp\":0"), BASE_TOKEN_EXPIRED, "exp: the token has expired"},
        {CLAIMS("\"iat\":1"), BASE_UNAUTHENTICATED, "exp: missing"},
        {CLAIMS("\"exp\":\"1800000060\""), BASE_UNAUTHENTICATED, "exp: missing"},
        {CLAIMS("\"exp\":-1"), BASE_UNAUTHENTICATED, "exp: missing"},
        {CLAIMS("\"exp\":1e300"), BASE_UNAUTHENTICATED, "exp: missing"},
        {CLAIMS("\"exp\":null"), BASE_UNAUTHENTICATED, "exp: missing"},
        {CLAIMS("\"exp\":1800000060,\"nbf\":1800000002"), BASE_UNAUTHENTICATED, "nbf or iat"},
        {CLAIMS("\"exp\":1800000060,\"nbf\":\"now\""), BASE_UNAUTHENTICATED, "nbf or iat"},
        {CLAIMS("\"exp\":1800000060,\"iat\":1800000002"), BASE_UNAUTHENTICATED, "nbf or iat"},
        {CLAIMS("\"exp\":1799999999,\"nbf\":1800000002"), BASE_UNAUTHENTICATED, "nbf or iat"},
        {"{\"iss\":\"us\",\"aud\":[\"x\",\"them\"],\"sub\":\"a|b\",\"exp\":1800000060}", BASE_OK,
         ""},
        {"{\"iss\":\"us\",\"aud\":[\"x\",1],\"sub\":\"ann\",\"exp\":1800000060}",
         BASE_UNAUTHENTICATED, "aud"},
        {"{\"iss\":\"us\",\"aud\":[],\"sub\":\"ann\",\"exp\":1800000060}", BASE_UNAUTHENTICATED,
         "aud"},
        {"{\"iss\":\"us\",\"aud\":\"the\",\"sub\":\"ann\",\"exp\":1800000060}",
         BASE_UNAUTHENTICATED, "aud"},
        {"{\"iss\":\"us\",\"sub\":\"ann\",\"exp\":1800000060}", BASE_UNAUTHENTICATED, "aud"},
        {"{\"iss\":\"them\",\"aud\":\"them\",\"sub\":\"ann\",\"exp\":1800000060}",
         BASE_UNAUTHENTICATED, "iss"},
        {"{\"aud\":\"them\",\"sub\":\"ann\",\"exp\":1800000060}", BASE_UNAUTHENTICATED, "iss"},
        {"{\"iss\":[\"us\"],\"aud\":\"them\",\"sub\":\"ann\",\"exp\":1800000060}",
         BASE_UNAUTHENTICATED, "iss"},
        {"{\"iss\":\"us\",\"aud\":\"them\",\"exp\":1800000060}", BASE_UNAUTHENTICATED, "sub"},
        {"{\"iss\":\"us\",\"aud\":\"them\",\"sub\":\"\",\"exp\":1800000060}", BASE_UNAUTHENTICATED,
         "sub"},
        {"{\"iss\":\"us\",\"aud\":\"them\",\"sub\":\"a/b\",\"exp\":1800000060}",
         BASE_UNAUTHENTICATED, "sub"},
        {"{\"iss\":\"us\",\"aud\":\"them\",\"sub\":\"+\",\"exp\":1800000060}", BASE_UNAUTHENTICATED,
         "sub"},
        {"{\"iss\":\"us\",\"aud\":\"them\",\"sub\":7,\"exp\":1800000060}", BASE_UNAUTHENTICATED,
         "sub"},
        {"{\"iss\":\"us\",\"aud\":\"them\",\"sub\":\"ann\",\"sub\":\"bob\",\"exp\":1800000060}",
         BASE_UNAUTHENTICATED, "the claims are not JSON"},
        {"[]", BASE_UNAUTHENTICATED, "the claims are not JSON"},
        {"{", BASE_UNAUTHENTICATED, "the claims are not JSON"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect(token_of(HEAD, rows[i].claims).at, rows[i].err, rows[i].why);
}

static void only_the_role_service_is_one(void **state)
{
    struct auth_claims claims;
    (void)state;
    static const struct {
        const char *claims;
        bool service;
    } rows[] = {{CLAIMS("\"exp\":1800000060,\"role\":\"service\""), true},
                {CLAIMS("\"exp\":1800000060,\"role\":\"Service\""), false},
                {CLAIMS("\"exp\":1800000060,\"role\":\"user\""), false},
                {CLAIMS("\"exp\":1800000060,\"role\":[\"service\"]"), false},
                {CLAIMS("\"exp\":1800000060,\"role\":null"), false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(verify(token_of(HEAD, rows[i].claims).at, &claims, NULL), BASE_OK);
        assert_int_equal(claims.service, rows[i].service);
    }
}

static void headers_cannot_choose(void **state)
{
    static const struct {
        const char *header, *why;
    } rows[] = {{"{\"alg\":\"none\"}", ""},
                {"{\"alg\":\"None\",\"kid\":\"dev\"}", ""},
                {"{\"alg\":\"HS512\",\"kid\":\"dev\"}", ""},
                {"{\"alg\":\"RS256\",\"kid\":\"dev\"}", "alg"},
                {"{\"alg\":\"hs256\",\"kid\":\"dev\"}", ""},
                {"{\"kid\":\"dev\"}", ""},
                {"{\"alg\":\"HS256\",\"kid\":\"other\"}", "kid: no such key"},
                {"{\"alg\":\"HS256\",\"kid\":\"dev\",\"crit\":[\"x\"],\"x\":1}", "crit"},
                {"{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}", "crit"},
                {"{\"alg\":[\"HS256\"]}", ""},
                {"[]", ""},
                {"{", ""}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect(token_of(rows[i].header, GOOD).at, BASE_UNAUTHENTICATED, rows[i].why);
    struct text unsigned_one = token_of("{\"alg\":\"none\"}", GOOD);
    strrchr(unsigned_one.at, '.')[1] = '\0';
    expect(unsigned_one.at, BASE_UNAUTHENTICATED, "");
    expect(compose(HEAD, GOOD, "another secret of it", 20).at, BASE_UNAUTHENTICATED,
           "the signature");
}

/* Cut anywhere, or with any character changed (but the last, which has bits to spare). */
static void no_part_of_a_token_is_one(void **state)
{
    struct text token = token_of(HEAD, GOOD);
    struct auth_claims claims;
    size_t length = strlen(token.at);
    (void)state;
    for (size_t n = 0; n < length; n++)
        assert_int_equal(
            auth_verify(keys, &policy, base_sv(token.at, n), NOW_S * 1000000, &claims, NULL),
            BASE_UNAUTHENTICATED);
    for (size_t i = 0; i + 1 < length; i++) {
        struct text changed = token;
        changed.at[i] = changed.at[i] == 'A' ? 'B' : 'A';
        assert_int_equal(verify(changed.at, &claims, NULL), BASE_UNAUTHENTICATED);
    }
    assert_int_equal(verify(token.at, &claims, NULL), BASE_OK);
}

static void long_tokens_are_not_even_read(void **state)
{
    char *text = malloc(AUTH_TOKEN_MAX + 2);
    (void)state;
    memset(text, 'x', AUTH_TOKEN_MAX + 1);
    text[AUTH_TOKEN_MAX + 1] = '\0';
    expect(text, BASE_UNAUTHENTICATED, "the token is missing or too long");
    expect("", BASE_UNAUTHENTICATED, "the token is missing or too long");
    text[AUTH_TOKEN_MAX] = '\0';
    expect(text, BASE_UNAUTHENTICATED, "the token is not in JWS compact form");
    free(text);
}

/* Other kinds of keys. */

static struct text jwks_of(const cjose_jwk_t *jwk)
{
    cjose_err err;
    struct text jwks;
    char *json = cjose_jwk_to_json(jwk, false, &err);
    assert_non_null(json);
    (void)snprintf(jwks.at, sizeof(jwks.at), "{\"keys\":[%s]}", json);
    free(json);
    return jwks;
}

static struct text signed_by(cjose_jwk_t *jwk, const char *algorithm)
{
    cjose_err err;
    struct text token;
    const char *out;
    cjose_header_t *header = cjose_header_new(&err);
    assert_true(cjose_header_set(header, "alg", algorithm, &err));
    cjose_jws_t *jws = cjose_jws_sign(jwk, header, (const uint8_t *)GOOD, sizeof(GOOD) - 1, &err);
    assert_non_null(jws);
    assert_true(cjose_jws_export(jws, &out, &err));
    (void)snprintf(token.at, sizeof(token.at), "%s", out);
    cjose_jws_release(jws);
    cjose_header_release(header);
    return token;
}

static void a_key_has_one_algorithm(void **state)
{
    cjose_err err;
    cjose_jwk_t *rsa = cjose_jwk_create_RSA_random(2048, NULL, 0, &err);
    cjose_jwk_t *ec = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &err);
    struct text rsa_set = jwks_of(rsa), ec_set = jwks_of(ec);
    struct auth_keys *rsa_keys = keys_from(rsa_set.at, true), *ec_keys = keys_from(ec_set.at, true);
    struct auth_claims claims;
    const char *why;
    const struct {
        const struct auth_keys *keys;
        struct text token;
        enum base_err err;
    } rows[] = {
        {rsa_keys, signed_by(rsa, "RS256"), BASE_OK},
        {rsa_keys, signed_by(rsa, "RS512"), BASE_UNAUTHENTICATED},
        {rsa_keys, signed_by(rsa, "PS256"), BASE_UNAUTHENTICATED},
        {ec_keys, signed_by(ec, "ES256"), BASE_OK},
        {ec_keys, signed_by(rsa, "RS256"), BASE_UNAUTHENTICATED},
        {rsa_keys, signed_by(ec, "ES256"), BASE_UNAUTHENTICATED},
        /* The public key, which everybody knows, taken for a shared secret. */
        {rsa_keys, compose("{\"alg\":\"HS256\"}", GOOD, rsa_set.at, strlen(rsa_set.at)),
         BASE_UNAUTHENTICATED},
        {rsa_keys, token_of("{\"alg\":\"HS256\"}", GOOD), BASE_UNAUTHENTICATED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(auth_verify(rows[i].keys, &policy, base_sv_from(rows[i].token.at),
                                     NOW_S * 1000000, &claims, &why),
                         rows[i].err);
    auth_keys_free(rsa_keys);
    auth_keys_free(ec_keys);
    cjose_jwk_release(rsa);
    cjose_jwk_release(ec);
}

static void key_sets_that_are_none(void **state)
{
    static const struct {
        const char *jwks;
        bool allow_hs256;
        enum base_err err;
        const char *says;
    } rows[] = {
        {"", true, BASE_MALFORMED, "is not JSON"},
        {"{\"keys\":", true, BASE_MALFORMED, "is not JSON"},
        {"[]", true, BASE_MALFORMED, "no \"keys\" array"},
        {"{\"keys\":{}}", true, BASE_MALFORMED, "no \"keys\" array"},
        {"{\"keys\":[]}", true, BASE_INVALID, "no key that may sign"},
        {"{\"keys\":[null,7,\"x\",{},{\"kty\":\"OKP\"}]}", true, BASE_INVALID, "no key"},
        {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}]}", true, BASE_INVALID, "no key"},
        {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZg\"}]}", false, BASE_INVALID,
         "no key"},
        {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZg\",\"use\":\"enc\"}]}", true,
         BASE_INVALID, "no key"},
        {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZg\",\"alg\":\"HS512\"}]}", true,
         BASE_INVALID, "no key"},
        {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZg\",\"key_ops\":[\"sign\"]}]}",
         true, BASE_INVALID, "no key"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct auth_keys *made = NULL;
        struct base_buf errors;
        base_buf_init(&errors, 1024);
        assert_int_equal(
            auth_keys_from_jwks(base_sv_from(rows[i].jwks), rows[i].allow_hs256, &made, &errors),
            rows[i].err);
        assert_null(made);
        if (!strstr(errors.data, rows[i].says))
            fail_msg("%s: \"%s\"", rows[i].jwks, errors.data);
        base_buf_done(&errors);
    }
    auth_keys_free(keys_from("{\"keys\":[{\"kty\":\"EC\"},{\"kty\":\"oct\","
                             "\"k\":\"MDEyMzQ1Njc4OWFiY2RlZg\"}]}",
                             true));
}

static void what_is_signed_is_accepted(void **state)
{
    struct auth_grant grant = {"ann", NULL, "us", "them", NOW_S * 1000000, 60};
    struct auth_keys *secret = NULL;
    struct auth_claims claims;
    struct base_buf token, errors;
    (void)state;
    base_buf_init(&token, AUTH_TOKEN_MAX);
    base_buf_init(&errors, 256);
    assert_int_equal(auth_keys_from_secret(SV("15 bytes of it "), &secret, &errors), BASE_INVALID);
    assert_int_equal(auth_keys_from_secret(SV(SECRET), &secret, &errors), BASE_OK);
    for (int i = 0; i < 2; i++) {
        base_buf_reset(&token);
        grant.role = i ? "service" : NULL;
        assert_int_equal(auth_sign(SV(SECRET), &grant, &token), BASE_OK);
        assert_int_equal(
            auth_verify(secret, &policy, base_buf_sv(&token), NOW_S * 1000000, &claims, NULL),
            BASE_OK);
        assert_int_equal(claims.service, i);
        assert_int_equal(claims.expires_us, (NOW_S + 60) * 1000000);
        assert_int_equal(auth_verify(secret, &policy, base_buf_sv(&token), (NOW_S + 61) * 1000000,
                                     &claims, NULL),
                         BASE_TOKEN_EXPIRED);
        assert_int_equal(
            auth_verify(secret, &policy, base_buf_sv(&token), (NOW_S - 2) * 1000000, &claims, NULL),
            BASE_UNAUTHENTICATED);
    }
    auth_keys_free(secret);
    base_buf_done(&token);
    base_buf_done(&errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_token_gives_its_claims),
        cmocka_unit_test(claims_are_checked_one_by_one),
        cmocka_unit_test(only_the_role_service_is_one),
        cmocka_unit_test(headers_cannot_choose),
        cmocka_unit_test(no_part_of_a_token_is_one),
        cmocka_unit_test(long_tokens_are_not_even_read),
        cmocka_unit_test(a_key_has_one_algorithm),
        cmocka_unit_test(key_sets_that_are_none),
        cmocka_unit_test(what_is_signed_is_accepted),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
