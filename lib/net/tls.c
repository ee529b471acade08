/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's part. TLS 1.2 with forward secrecy and AEAD only, and TLS 1.3 (RFC 9325); no
 * renegotiation, no compression.
 */
#include "lib/net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/net/tls_private.h"

#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

struct net_tls {
    atomic_int refs;
    X509 *certificate;
    STACK_OF(X509) * chain; /* what leads from it to a root */
    EVP_PKEY *key;
    int64_t until_us;
};

struct net_tls *net_tls_ref(struct net_tls *tls)
{
    (void)atomic_fetch_add(&tls->refs, 1);
    return tls;
}

void net_tls_unref(struct net_tls *tls)
{
    if (!tls || atomic_fetch_sub(&tls->refs, 1) != 1)
        return;
    X509_free(tls->certificate);
    sk_X509_pop_free(tls->chain, X509_free);
    EVP_PKEY_free(tls->key);
    free(tls);
}

int64_t net_tls_until_us(const struct net_tls *tls)
{
    return tls->until_us;
}

/* A key with a password would make a daemon wait at its terminal. */
static int no_password(char *text, int size, int writing, void *ctx)
{
    (void)text;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

static bool complain(struct base_buf *errors, const char *path, const char *why)
{
    base_buf_addf(errors, "%s: %s\n", path, why);
    ERR_clear_error();
    return false;
}

static bool read_chain(const char *path, struct net_tls *tls, struct base_buf *errors)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return complain(errors, path, strerror(errno));
    tls->certificate = PEM_read_X509(file, NULL, no_password, NULL);
    tls->chain = sk_X509_new_null();
    for (X509 *next; tls->chain && (next = PEM_read_X509(file, NULL, no_password, NULL)) != NULL;)
        if (!sk_X509_push(tls->chain, next))
            X509_free(next);
    (void)fclose(file);
    ERR_clear_error();
    return (tls->certificate && tls->chain) ||
           complain(errors, path, "there is no certificate (PEM) in it");
}

static bool read_key(const char *path, struct net_tls *tls, struct base_buf *errors)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return complain(errors, path, strerror(errno));
    tls->key = PEM_read_PrivateKey(file, NULL, no_password, NULL);
    (void)fclose(file);
    return tls->key || complain(errors, path, "there is no key (PEM, without a password) in it");
}

static int64_t time_us(const ASN1_TIME *time)
{
    struct tm tm = {0};
    return ASN1_TIME_to_tm(time, &tm) == 1 ? timegm(&tm) * INT64_C(1000000) : 0;
}

static bool check(const char *certificate, const char *key, int64_t now_us, struct net_tls *tls,
                  struct base_buf *errors)
{
    if (X509_check_private_key(tls->certificate, tls->key) != 1)
        return complain(errors, key, "it is not the key of the certificate");
    tls->until_us = time_us(X509_get0_notAfter(tls->certificate));
    if (time_us(X509_get0_notBefore(tls->certificate)) > now_us)
        return complain(errors, certificate, "the certificate is not valid yet");
    if (tls->until_us <= now_us)
        return complain(errors, certificate, "the certificate has expired");
    /* What OpenSSL would refuse, such as a key that is too short, must not wait for a client. */
    SSL_CTX *trial = SSL_CTX_new(TLS_server_method());
    bool good = trial && net_tls_apply(tls, trial);
    SSL_CTX_free(trial);
    return good || complain(errors, certificate, "OpenSSL refuses it");
}

enum base_err net_tls_load(const char *certificate, const char *key, int64_t now_us,
                           struct net_tls **ret_tls, struct base_buf *errors)
{
    struct net_tls *tls = calloc(1, sizeof(*tls));
    if (!tls)
        return BASE_NO_MEMORY;
    tls->refs = 1;
    bool both = read_chain(certificate, tls, errors);
    both = read_key(key, tls, errors) && both;
    if (!both || !check(certificate, key, now_us, tls, errors)) {
        net_tls_unref(tls);
        return BASE_INVALID;
    }
    *ret_tls = tls;
    return BASE_OK;
}

bool net_tls_apply(const struct net_tls *tls, void *ssl_ctx)
{
    SSL_CTX *ctx = ssl_ctx;
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                       SSL_OP_CIPHER_SERVER_PREFERENCE);
    bool ok = SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
              SSL_CTX_set_cipher_list(ctx, CIPHERS) == 1 &&
              SSL_CTX_use_cert_and_key(ctx, tls->certificate, tls->key, tls->chain, 1) == 1;
    ERR_clear_error();
    return ok;
}
