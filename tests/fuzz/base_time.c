/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 3339: what is accepted lies in the years 1 to 9999, and its text means the same. */
#include <stdlib.h>

#include "lib/base/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t year_1_us = -62135596800000000;
    static const int64_t year_10000_us = 253402300800000000;
    int64_t at_us;
    int64_t again_us;
    struct base_buf text;
    if (!base_time_parse(base_sv((const char *)data, size), &at_us))
        return 0;
    if (at_us < year_1_us || at_us >= year_10000_us)
        abort();
    base_buf_init(&text, 64);
    base_time_format(&text, at_us);
    if (!base_time_parse(base_buf_sv(&text), &again_us) || again_us > at_us ||
        at_us - again_us >= 1000)
        abort();
    base_buf_done(&text);
    return 0;
}
