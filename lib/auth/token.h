/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens: JWT (RFC 7519) signed as JWS (RFC 7515), checked by the rules of RFC 8725. The key
 * decides which algorithm it may be used with, never the token: RSA keys RS256, EC P-256 keys
 * ES256, and symmetric keys HS256, which are accepted only where development switched them on.
 *
 * A key set never changes after it was made and may be read by any number of threads.
 */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include "lib/base/buf.h"

enum { AUTH_TOKEN_MAX = 4096, AUTH_KEYS_MAX = 32 };

struct auth_keys;

/* Keys from a JWKS text (RFC 7517 5). Keys of unknown kinds are passed over; none usable at all is
 * an error that errors explains. Symmetric keys count only with allow_hs256. */
BASE_MUST_CHECK enum base_err auth_keys_from_jwks(struct base_sv json, bool allow_hs256,
                                                  struct auth_keys **ret_keys,
                                                  struct base_buf *errors);
/* One symmetric key: development. At least 16 bytes. */
BASE_MUST_CHECK enum base_err
auth_keys_from_secret(struct base_sv secret, struct auth_keys **ret_keys, struct base_buf *errors);
void auth_keys_free(struct auth_keys *keys);

struct auth_policy {
    const char *issuer;
    const char *audience;
    int64_t leeway_us;
};

struct auth_claims {
    char subject[129];
    bool service;      /* role: service */
    int64_t issued_us; /* 0 if not said */
    int64_t expires_us;
};

/*
 * UNAUTHENTICATED, or TOKEN_EXPIRED when that is all that is wrong; ret_why (may be NULL) gets a
 * constant text that says which rule failed, for the log.
 */
BASE_MUST_CHECK enum base_err auth_verify(const struct auth_keys *keys,
                                          const struct auth_policy *policy, struct base_sv token,
                                          int64_t now_us, struct auth_claims *ret_claims,
                                          const char **ret_why);

/* A token for development, signed with HS256. */
struct auth_grant {
    const char *subject;
    const char *role; /* NULL: a user */
    const char *issuer;
    const char *audience;
    int64_t now_us;
    int64_t ttl_s;
};
BASE_MUST_CHECK enum base_err auth_sign(struct base_sv secret, const struct auth_grant *grant,
                                        struct base_buf *ret_token);

#endif
