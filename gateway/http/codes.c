/* SPDX-License-Identifier: Apache-2.0 */
/* A small ring under a mutex: codes are rare. Compared without telling where they differ. */
#include "gateway/http/codes.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/base/id.h"

enum { CODES = 256 };

struct code {
    char text[GW_CODE_TEXT + 1];
    char user[129];
    int64_t until_us; /* 0: free */
};

struct gw_codes {
    pthread_mutex_t lock;
    size_t next;
    struct code codes[CODES];
};

enum base_err gw_codes_new(struct gw_codes **ret_codes)
{
    struct gw_codes *codes = calloc(1, sizeof(*codes));
    if (!codes)
        return BASE_NO_MEMORY;
    (void)pthread_mutex_init(&codes->lock, NULL);
    *ret_codes = codes;
    return BASE_OK;
}

void gw_codes_free(struct gw_codes *codes)
{
    if (!codes)
        return;
    (void)pthread_mutex_destroy(&codes->lock);
    free(codes);
}

void gw_codes_make(struct gw_codes *codes, struct base_sv user, int64_t now_us,
                   char ret_code[GW_CODE_TEXT + 1])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[GW_CODE_TEXT / 2];
    base_random(bytes, sizeof(bytes));
    for (size_t i = 0; i < GW_CODE_TEXT; i++)
        ret_code[i] = hex[bytes[i / 2] >> (i % 2 ? 0 : 4) & 15];
    ret_code[GW_CODE_TEXT] = '\0';
    (void)pthread_mutex_lock(&codes->lock);
    struct code *code = &codes->codes[codes->next++ % CODES];
    memcpy(code->text, ret_code, sizeof(code->text));
    bool fits = base_sv_cstr(user, code->user, sizeof(code->user));
    code->until_us = fits ? now_us + (int64_t)GW_CODE_TTL_S * 1000000 : 0;
    (void)pthread_mutex_unlock(&codes->lock);
}

static bool same(const char *a, const char *b)
{
    unsigned difference = 0;
    for (size_t i = 0; i < GW_CODE_TEXT; i++)
        difference |= (unsigned char)a[i] ^ (unsigned)(unsigned char)b[i];
    return difference == 0;
}

bool gw_codes_take(struct gw_codes *codes, struct base_sv text, int64_t now_us, char ret_user[129])
{
    bool found = false;
    if (text.len != GW_CODE_TEXT)
        return false;
    (void)pthread_mutex_lock(&codes->lock);
    for (size_t i = 0; i < CODES; i++) {
        struct code *code = &codes->codes[i];
        if (!code->until_us || !same(code->text, text.ptr))
            continue;
        found = code->until_us > now_us;
        code->until_us = 0;
        if (found)
            memcpy(ret_user, code->user, sizeof(code->user));
    }
    (void)pthread_mutex_unlock(&codes->lock);
    return found;
}
