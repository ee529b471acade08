/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/audit/chain.h"

#include <openssl/evp.h>
#include <string.h>

#include "lib/base/json.h"

#define HEAD SV("{\"offset\":")
#define HASH SV(",\"hash\":\"")

enum { RECORD_MAX = 4 << 20, SHA256_BYTES = 32 };

void audit_chain_begin(struct audit_chain *chain)
{
    chain->offset = -1;
    memset(chain->hash, '0', AUDIT_HASH_TEXT);
    chain->hash[AUDIT_HASH_TEXT] = '\0';
}

const char *audit_fault_text(enum audit_fault fault)
{
    static const char *const texts[AUDIT_FAULT_COUNT] = {
        "fine", "this is no line of an audit log",
        "this line does not follow from the one before: one of them was changed, or lines between "
        "them are missing or were moved",
        "this line's record is not newer than the one before"};
    return texts[fault];
}

static enum base_err hash_of(const struct audit_chain *before, struct base_sv offset,
                             struct base_sv rest, char ret_hash[AUDIT_HASH_TEXT + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[SHA256_BYTES];
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
              EVP_DigestUpdate(md, before->hash, AUDIT_HASH_TEXT) &&
              EVP_DigestUpdate(md, offset.ptr, offset.len) && EVP_DigestUpdate(md, ",", 1) &&
              EVP_DigestUpdate(md, rest.ptr, rest.len) && EVP_DigestFinal_ex(md, sum, NULL);
    EVP_MD_CTX_free(md);
    for (size_t i = 0; ok && i < SHA256_BYTES; i++) {
        ret_hash[2 * i] = digits[sum[i] >> 4];
        ret_hash[2 * i + 1] = digits[sum[i] & 15];
    }
    ret_hash[AUDIT_HASH_TEXT] = '\0';
    return ok ? BASE_OK : BASE_NO_MEMORY;
}

static bool is_object_in_one_line(struct base_sv payload)
{
    return payload.len >= 2 && payload.ptr[0] == '{' && payload.ptr[payload.len - 1] == '}' &&
           !memchr(payload.ptr, '\n', payload.len);
}

/* What a line says behind its hash. */
static void add_rest(struct base_buf *rest, struct base_sv payload)
{
    if (is_object_in_one_line(payload)) {
        base_buf_add_c(rest, "\"event\":");
        base_buf_add(rest, payload);
    } else {
        base_buf_add_c(rest, "\"raw\":");
        base_json_str(rest, payload);
    }
    base_buf_add_char(rest, '}');
}

enum base_err audit_chain_add(struct audit_chain *chain, int64_t offset, struct base_sv payload,
                              struct base_buf *buf)
{
    char text[24], hash[AUDIT_HASH_TEXT + 1];
    struct base_buf number = {.data = text, .cap = sizeof(text), .max = sizeof(text) - 1};
    struct base_buf rest;
    base_buf_init(&rest, RECORD_MAX);
    base_buf_add_int(&number, offset);
    add_rest(&rest, payload);
    enum base_err err = base_buf_ok(&rest)
                            ? hash_of(chain, base_buf_sv(&number), base_buf_sv(&rest), hash)
                            : BASE_TOO_LARGE;
    if (err == BASE_OK) {
        base_buf_add(buf, HEAD);
        base_buf_add(buf, base_buf_sv(&number));
        base_buf_add(buf, HASH);
        base_buf_add_c(buf, hash);
        base_buf_add_c(buf, "\",");
        base_buf_add(buf, base_buf_sv(&rest));
        base_buf_add_char(buf, '\n');
        chain->offset = offset;
        memcpy(chain->hash, hash, sizeof(hash));
    }
    base_buf_done(&rest);
    return err;
}

struct line {
    struct base_sv offset_text, hash, rest;
    int64_t offset;
};

static bool take(struct base_sv *text, struct base_sv prefix)
{
    if (!base_sv_starts(*text, prefix))
        return false;
    *text = base_sv_sub(*text, prefix.len, text->len);
    return true;
}

static bool split(struct base_sv text, struct line *ret_line)
{
    if (!take(&text, HEAD))
        return false;
    ret_line->offset_text = base_sv_sub(text, 0, base_sv_find(text, ','));
    text = base_sv_sub(text, ret_line->offset_text.len, text.len);
    if (!base_sv_int64(ret_line->offset_text, &ret_line->offset) || ret_line->offset < 0 ||
        !take(&text, HASH) || text.len < AUDIT_HASH_TEXT)
        return false;
    ret_line->hash = base_sv_sub(text, 0, AUDIT_HASH_TEXT);
    text = base_sv_sub(text, AUDIT_HASH_TEXT, text.len);
    if (!take(&text, SV("\",")))
        return false;
    ret_line->rest = text;
    return text.len > 0 && text.ptr[text.len - 1] == '}';
}

static void go_on(struct audit_chain *chain, const struct line *line)
{
    chain->offset = line->offset;
    memcpy(chain->hash, line->hash.ptr, AUDIT_HASH_TEXT);
}

enum audit_fault audit_chain_follow(struct audit_chain *chain, struct base_sv text)
{
    struct line line;
    char hash[AUDIT_HASH_TEXT + 1];
    if (!split(text, &line))
        return AUDIT_NOT_A_LINE;
    if (hash_of(chain, line.offset_text, line.rest, hash) != BASE_OK ||
        !base_sv_eq_c(line.hash, hash))
        return AUDIT_BROKEN;
    if (line.offset <= chain->offset)
        return AUDIT_DISORDER;
    go_on(chain, &line);
    return AUDIT_FINE;
}

enum audit_fault audit_chain_resume(struct audit_chain *chain, struct base_sv text)
{
    struct line line;
    if (!split(text, &line))
        return AUDIT_NOT_A_LINE;
    go_on(chain, &line);
    return AUDIT_FINE;
}

bool audit_chain_holds(struct base_sv text, struct base_sv payload)
{
    struct line line;
    struct base_buf rest;
    base_buf_init(&rest, RECORD_MAX);
    add_rest(&rest, payload);
    bool same =
        split(text, &line) && base_buf_ok(&rest) && base_sv_eq(line.rest, base_buf_sv(&rest));
    base_buf_done(&rest);
    return same;
}
