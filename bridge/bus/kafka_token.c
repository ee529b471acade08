/* SPDX-License-Identifier: Apache-2.0 */
/* What librdkafka wants to know of a token beside itself: whose it is and until when. Nothing is
 * verified here, that is the broker's. */
#include <jansson.h>
#include <openssl/evp.h>

#include "bridge/bus/kafka_internal.h"

enum { PAYLOAD_MAX = 8192 };

/* base64url (RFC 7515 appendix C) as text with a NUL. */
static bool decode(struct base_sv text, char dst[PAYLOAD_MAX])
{
    unsigned char padded[PAYLOAD_MAX];
    if (text.len == 0 || text.len + 4 > sizeof(padded))
        return false;
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++)
        padded[len++] = (unsigned char)(text.ptr[i] == '-'   ? '+'
                                        : text.ptr[i] == '_' ? '/'
                                                             : text.ptr[i]);
    while (len % 4)
        padded[len++] = '=';
    int bytes = EVP_DecodeBlock((unsigned char *)dst, padded, (int)len);
    if (bytes < 0 || bytes >= PAYLOAD_MAX)
        return false;
    dst[bytes - (int)(len - text.len)] = '\0';
    return true;
}

bool kafka_token_read(struct base_sv token, char *subject, size_t cap, int64_t *ret_expires_us)
{
    char payload[PAYLOAD_MAX];
    (void)base_sv_split(&token, '.');
    struct base_sv middle = base_sv_split(&token, '.');
    json_t *claims = decode(middle, payload) ? json_loads(payload, 0, NULL) : NULL;
    const json_t *sub = json_object_get(claims, "sub");
    const json_t *exp = json_object_get(claims, "exp");
    bool ok =
        json_is_number(exp) && json_number_value(exp) > 0 && json_number_value(exp) < 1e11 &&
        base_sv_cstr(base_sv(json_string_value(sub), json_string_length(sub)), subject, cap) &&
        subject[0];
    *ret_expires_us = ok ? (int64_t)json_number_value(exp) * 1000000 : 0;
    json_decref(claims);
    return ok;
}
