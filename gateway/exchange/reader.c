/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/exchange/reader.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/utf8.h"

static const struct gw_format formats[] = {
    {"json", "application/json", gw_json_next},
    {"ical", "text/calendar", gw_ical_next},
    {"todoist", "text/csv", gw_todoist_next},
};

const struct gw_format *gw_format_find(struct base_sv name)
{
    struct base_sv type = base_sv_trim(base_sv_split(&name, ';'));
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (base_sv_eq_c(type, formats[i].name) ||
            base_sv_eq_i(type, base_sv_from(formats[i].media_type)))
            return &formats[i];
    return NULL;
}

void gw_reader_init(struct gw_reader *reader, const struct gw_format *format, struct base_sv text)
{
    if (base_sv_starts(text, SV("\xef\xbb\xbf")))
        text = base_sv_sub(text, 3, text.len);
    *reader = (struct gw_reader){.format = format, .text = text, .line = 1};
}

enum base_err gw_reader_next(struct gw_reader *reader, struct gw_item *ret_item)
{
    *ret_item = (struct gw_item){0};
    if (!reader->begun && !base_utf8_valid(reader->text))
        return gw_reader_fail(reader, 1, "the file is not UTF-8 text");
    enum base_err err = reader->format->next(reader, ret_item);
    reader->begun = true;
    if (err == BASE_OK)
        return err;
    json_decref(ret_item->fields);
    ret_item->fields = NULL;
    return err;
}

enum base_err gw_reader_fail(struct gw_reader *reader, size_t line, const char *why)
{
    reader->wrong_line = line;
    (void)snprintf(reader->why, sizeof(reader->why), "%s", why);
    return BASE_MALFORMED;
}

void gw_reader_move(struct gw_reader *reader, size_t to)
{
    const char *end = reader->text.ptr + to;
    for (const char *p = reader->text.ptr + reader->at; p < end;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        if (!newline)
            break;
        reader->line++;
        p = newline + 1;
    }
    reader->at = to;
}
