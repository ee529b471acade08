/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing JSON straight into a buffer: the fast way out. (Reading is jansson's job.) The caller
 * places braces, commas come by themselves: a value or key that follows another one gets one.
 * Text must be valid UTF-8 (base_utf8_valid); control characters, quote, backslash and DEL are
 * escaped, and so are U+2028/2029 and "</" so that the text may stand inside a script element.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "lib/base/buf.h"

void base_json_open(struct base_buf *buf, char bracket);   /* '{' or '[' */
void base_json_close(struct base_buf *buf, char bracket);  /* '}' or ']' */
void base_json_key(struct base_buf *buf, const char *key); /* a plain literal, not escaped */
void base_json_str(struct base_buf *buf, struct base_sv text);
void base_json_int(struct base_buf *buf, int64_t value);
void base_json_bool(struct base_buf *buf, bool value);
void base_json_null(struct base_buf *buf);
/* Text that is JSON already. */
void base_json_raw(struct base_buf *buf, struct base_sv json);
/* An instant as RFC 3339 UTC text. */
void base_json_time(struct base_buf *buf, int64_t at_us);

/* key and value in one call; the _opt variant writes nothing for an empty view. */
void base_json_kv_str(struct base_buf *buf, const char *key, struct base_sv text);
void base_json_kv_opt(struct base_buf *buf, const char *key, struct base_sv text);
void base_json_kv_int(struct base_buf *buf, const char *key, int64_t value);
void base_json_kv_bool(struct base_buf *buf, const char *key, bool value);
void base_json_kv_raw(struct base_buf *buf, const char *key, struct base_sv json);
void base_json_kv_time(struct base_buf *buf, const char *key, int64_t at_us);

#endif
