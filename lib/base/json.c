/* SPDX-License-Identifier: Apache-2.0 */
/* JSON writer. Whether a comma is due is seen from the last byte written. */
#include "lib/base/json.h"

#include "lib/base/clock.h"

static void comma(struct base_buf *buf)
{
    if (buf->len == 0)
        return;
    char last = buf->data[buf->len - 1];
    if (last != '{' && last != '[' && last != ':')
        base_buf_add_char(buf, ',');
}

void base_json_open(struct base_buf *buf, char bracket)
{
    comma(buf);
    base_buf_add_char(buf, bracket);
}

void base_json_close(struct base_buf *buf, char bracket)
{
    base_buf_add_char(buf, bracket);
}

void base_json_key(struct base_buf *buf, const char *key)
{
    comma(buf);
    base_buf_add_char(buf, '"');
    base_buf_add_c(buf, key);
    base_buf_add(buf, SV("\":"));
}

/* Bytes that may need an escape: the others are passed over without a closer look. */
static const bool suspicious[256] = {
    [0 ... 0x1f] = true, ['"'] = true, ['/'] = true, ['\\'] = true, [0x7f] = true, [0xe2] = true};

/* Bytes that need an escape at i; 0 if none does. ret_len: how many bytes it stands for. */
static const char *escape_at(struct base_sv text, size_t i, char scratch[7], size_t *ret_len)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char c = (unsigned char)text.ptr[i];
    *ret_len = 1;
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    case '/':
        return i > 0 && text.ptr[i - 1] == '<' ? "\\/" : NULL;
    case 0xe2:
        if (i + 2 >= text.len || (unsigned char)text.ptr[i + 1] != 0x80 ||
            ((unsigned char)text.ptr[i + 2] & 0xfe) != 0xa8)
            return NULL;
        *ret_len = 3;
        return text.ptr[i + 2] & 1 ? "\\u2029" : "\\u2028";
    default:
        if (c >= 0x20 && c != 0x7f)
            return NULL;
        memcpy(scratch, "\\u00", 4);
        scratch[4] = hex[c >> 4];
        scratch[5] = hex[c & 15];
        scratch[6] = '\0';
        return scratch;
    }
}

void base_json_str(struct base_buf *buf, struct base_sv text)
{
    comma(buf);
    base_buf_add_char(buf, '"');
    size_t from = 0;
    for (size_t i = 0; i < text.len;) {
        if (!suspicious[(unsigned char)text.ptr[i]]) {
            i++;
            continue;
        }
        char scratch[7];
        size_t len;
        const char *escaped = escape_at(text, i, scratch, &len);
        if (escaped) {
            base_buf_add(buf, base_sv_sub(text, from, i));
            base_buf_add_c(buf, escaped);
            from = i + len;
        }
        i += len;
    }
    base_buf_add(buf, base_sv_sub(text, from, text.len));
    base_buf_add_char(buf, '"');
}

void base_json_int(struct base_buf *buf, int64_t value)
{
    comma(buf);
    base_buf_add_int(buf, value);
}

void base_json_bool(struct base_buf *buf, bool value)
{
    comma(buf);
    base_buf_add(buf, value ? SV("true") : SV("false"));
}

void base_json_null(struct base_buf *buf)
{
    comma(buf);
    base_buf_add(buf, SV("null"));
}

void base_json_raw(struct base_buf *buf, struct base_sv json)
{
    comma(buf);
    base_buf_add(buf, json);
}

void base_json_time(struct base_buf *buf, int64_t at_us)
{
    comma(buf);
    base_buf_add_char(buf, '"');
    base_time_format(buf, at_us);
    base_buf_add_char(buf, '"');
}

void base_json_kv_str(struct base_buf *buf, const char *key, struct base_sv text)
{
    base_json_key(buf, key);
    base_json_str(buf, text);
}

void base_json_kv_opt(struct base_buf *buf, const char *key, struct base_sv text)
{
    if (text.len)
        base_json_kv_str(buf, key, text);
}

void base_json_kv_int(struct base_buf *buf, const char *key, int64_t value)
{
    base_json_key(buf, key);
    base_json_int(buf, value);
}

void base_json_kv_bool(struct base_buf *buf, const char *key, bool value)
{
    base_json_key(buf, key);
    base_json_bool(buf, value);
}

void base_json_kv_raw(struct base_buf *buf, const char *key, struct base_sv json)
{
    base_json_key(buf, key);
    base_json_raw(buf, json);
}

void base_json_kv_time(struct base_buf *buf, const char *key, int64_t at_us)
{
    base_json_key(buf, key);
    base_json_time(buf, at_us);
}
