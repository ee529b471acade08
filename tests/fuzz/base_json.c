/* SPDX-License-Identifier: Apache-2.0 */
/* Any valid UTF-8 that is written as a JSON string comes back from a JSON reader as it was, and
 * cannot end a script element or a line. */
#include <jansson.h>
#include <stdlib.h>

#include "lib/base/json.h"
#include "lib/base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct base_sv text = base_sv((const char *)data, size);
    struct base_buf buf;
    if (!base_utf8_valid(text))
        return 0;
    base_buf_init(&buf, 8 * size + 64);
    base_json_open(&buf, '[');
    base_json_str(&buf, text);
    base_json_str(&buf, SV("next"));
    base_json_close(&buf, ']');
    if (!base_buf_ok(&buf) || memmem(buf.data, buf.len, "</", 2) || memchr(buf.data, '\n', buf.len))
        abort();
    json_t *back = json_loadb(buf.data, buf.len, JSON_ALLOW_NUL, NULL);
    const json_t *first = json_array_get(back, 0);
    if (json_array_size(back) != 2 || json_string_length(first) != size ||
        (size && memcmp(json_string_value(first), data, size) != 0))
        abort();
    json_decref(back);
    base_buf_done(&buf);
    return 0;
}
