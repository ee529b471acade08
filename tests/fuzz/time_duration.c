/* SPDX-License-Identifier: Apache-2.0 */
/* ISO 8601 durations: what is accepted is no longer than ten years and means the same when written.
 */
#include <stdlib.h>

#include "lib/time/duration.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t seconds;
    int64_t again;
    struct base_buf text;
    if (!time_duration_parse(base_sv((const char *)data, size), &seconds))
        return 0;
    if (seconds < 0 || seconds > 10 * 366 * INT64_C(86400))
        abort();
    base_buf_init(&text, 64);
    time_duration_format(&text, seconds);
    if (!time_duration_parse(base_buf_sv(&text), &again) || again != seconds)
        abort();
    base_buf_done(&text);
    return 0;
}
