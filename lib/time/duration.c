/* SPDX-License-Identifier: Apache-2.0 */
/* ISO 8601 durations of fixed length. */
#include "lib/time/duration.h"

enum { LONGEST_S = 10 * 366 * 86400 };

static const struct {
    char letter;
    bool in_time;
    int64_t seconds;
} units[] = {
    {'W', false, 604800}, {'D', false, 86400}, {'H', true, 3600}, {'M', true, 60}, {'S', true, 1},
};

enum { UNITS = sizeof(units) / sizeof(units[0]) };

void time_duration_format(struct base_buf *buf, int64_t seconds)
{
    if (seconds == 0) {
        base_buf_add_c(buf, "PT0S");
        return;
    }
    base_buf_add_char(buf, 'P');
    bool in_time = false;
    for (size_t i = 1; i < UNITS; i++) { /* days first: weeks may not stand beside other units */
        int64_t n = seconds / units[i].seconds;
        if (n == 0)
            continue;
        if (units[i].in_time && !in_time)
            base_buf_add_char(buf, 'T');
        in_time = in_time || units[i].in_time;
        base_buf_add_int(buf, n);
        base_buf_add_char(buf, units[i].letter);
        seconds -= n * units[i].seconds;
    }
}

bool time_duration_parse(struct base_sv text, int64_t *ret_seconds)
{
    if (text.len < 3 || text.ptr[0] != 'P')
        return false;
    int64_t total = 0;
    size_t next = 0;
    bool in_time = false;
    size_t at = 1;
    while (at < text.len) {
        if (text.ptr[at] == 'T' && !in_time && at + 1 < text.len) {
            in_time = true;
            at++;
            continue;
        }
        size_t from = at;
        while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9')
            at++;
        int64_t n;
        if (at == from || at == text.len || at - from > 9 ||
            !base_sv_int64(base_sv_sub(text, from, at), &n))
            return false;
        while (next < UNITS &&
               !(units[next].letter == text.ptr[at] && units[next].in_time == in_time))
            next++;
        if (next == UNITS)
            return false;
        total += n * units[next++].seconds;
        at++;
    }
    if (total > LONGEST_S)
        return false;
    *ret_seconds = total;
    return true;
}
