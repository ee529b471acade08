/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/audit/lookup.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bridge/audit/chain.h"

enum { STEP = 64 * 1024 };

struct place {
    off_t start, end; /* of a line in the file, without its end */
};

/* The first line that begins at or behind from and ends before size; its text is in buf. */
static enum base_err line_from(int fd, off_t size, off_t from, struct base_buf *buf,
                               struct place *ret_place, struct base_sv *ret_text)
{
    off_t begin = from > 0 ? from - 1 : 0;
    for (off_t length = STEP;; length *= 4) {
        off_t have = size - begin < length ? size - begin : length;
        base_buf_reset(buf);
        char *room = base_buf_reserve(buf, (size_t)have);
        errno = ENOMEM;
        if (!room || pread(fd, room, (size_t)have, begin) != have)
            return BASE_UNAVAILABLE;
        const char *start = from > 0 ? memchr(room, '\n', (size_t)have) : room;
        if (start && from > 0)
            start++;
        const char *end = start ? memchr(start, '\n', (size_t)(room + have - start)) : NULL;
        if (end) {
            *ret_place = (struct place){begin + (start - room), begin + (end - room)};
            *ret_text = base_sv(start, (size_t)(end - start));
            return BASE_OK;
        }
        if (have < length)
            return BASE_NOT_FOUND;
    }
}

enum base_err audit_lookup(int fd, off_t size, int64_t offset, struct base_buf *line)
{
    off_t low = 0, high = size;
    while (low < high) {
        off_t middle = low + (high - low) / 2;
        struct place place = {0};
        struct base_sv text = SV_NULL;
        struct audit_chain at;
        enum base_err err = line_from(fd, size, middle, line, &place, &text);
        if (err == BASE_UNAVAILABLE)
            return err;
        if (err == BASE_NOT_FOUND || place.start >= high) {
            high = middle;
            continue;
        }
        if (audit_chain_resume(&at, text) != AUDIT_FINE) {
            errno = EILSEQ;
            return BASE_UNAVAILABLE;
        }
        if (at.offset == offset) {
            memmove(line->data, text.ptr, text.len);
            line->len = text.len;
            return BASE_OK;
        }
        if (at.offset < offset)
            low = place.end + 1;
        else
            high = middle;
    }
    base_buf_reset(line);
    return BASE_NOT_FOUND;
}
