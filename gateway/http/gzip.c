/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/gzip.h"

#include <zlib.h>

enum { LEVEL = 3, GZIP_WINDOW = 15 + 16, MEMORY = 8 };

bool gw_gzip(struct base_sv text, struct base_buf *packed)
{
    unsigned char chunk[16 * 1024];
    z_stream z = {0};
    if (text.len > UINT32_MAX ||
        deflateInit2(&z, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    z.next_in = (unsigned char *)(uintptr_t)text.ptr; /* zlib only reads */
    z.avail_in = (unsigned)text.len;
    int result = Z_OK;
    while (result == Z_OK && packed->len < text.len) {
        z.next_out = chunk;
        z.avail_out = sizeof(chunk);
        result = deflate(&z, Z_FINISH);
        base_buf_add(packed, base_sv((const char *)chunk, sizeof(chunk) - z.avail_out));
    }
    (void)deflateEnd(&z);
    return result == Z_STREAM_END && base_buf_ok(packed) && packed->len < text.len;
}
