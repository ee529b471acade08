/* SPDX-License-Identifier: Apache-2.0 */
/* Files of tasks: the first byte picks the format. Every reader ends, goes forward, and says where
 * it failed. */
#include <stdlib.h>

#include "gateway/exchange/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"json", "ical", "todoist"};
    if (size == 0)
        return 0;
    struct gw_reader reader;
    struct gw_item item;
    enum base_err err;
    gw_reader_init(&reader, gw_format_find(base_sv_from(names[data[0] % 3])),
                   base_sv((const char *)data + 1, size - 1));
    size_t before;
    do {
        before = reader.at;
        err = gw_reader_next(&reader, &item);
        if (err == BASE_OK && (!json_is_object(item.fields) || item.line == 0))
            abort();
        json_decref(item.fields);
    } while (err == BASE_OK && reader.at > before);
    if (err == BASE_OK || reader.at > reader.text.len)
        abort();
    if (err == BASE_MALFORMED && (reader.wrong_line == 0 || !reader.why[0]))
        abort();
    return 0;
}
