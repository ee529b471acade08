/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Todoist's CSV export of a project: a table (RFC 4180) with a row for each task, section and note.
 * Due dates are in words, which the understanding reads later. The title's @labels become tags, a
 * task's notes its notes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "gateway/exchange/reader.h"
#include "lib/base/buf.h"

enum { COLUMNS_MAX = 32 };

struct row {
    struct base_buf text; /* of all cells, one after another */
    size_t from[COLUMNS_MAX + 1];
    size_t count;
};

/* The next row; false at the end of the file. */
static bool read_row(struct gw_reader *reader, struct row *row)
{
    struct base_sv text = reader->text;
    size_t at = reader->at;
    bool quoted = false;
    base_buf_reset(&row->text);
    row->count = 0;
    row->from[0] = 0;
    if (at >= text.len)
        return false;
    for (; at < text.len; at++) {
        char c = text.ptr[at];
        if (quoted && c == '"' && at + 1 < text.len && text.ptr[at + 1] == '"')
            base_buf_add_char(&row->text, text.ptr[at++]);
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && c == ',' && row->count + 1 < COLUMNS_MAX)
            row->from[++row->count] = row->text.len;
        else if (!quoted && c == '\n')
            break;
        else if (quoted || c != '\r')
            base_buf_add_char(&row->text, c);
    }
    row->from[++row->count] = row->text.len;
    gw_reader_move(reader, at < text.len ? at + 1 : at);
    return true;
}

static struct base_sv cell(const struct row *row, const struct base_sv columns, const char *name)
{
    struct base_sv rest = columns;
    for (size_t i = 0; rest.ptr && i < row->count; i++)
        if (base_sv_eq_i(base_sv_trim(base_sv_split(&rest, ',')), base_sv_from(name)))
            return base_sv_trim(
                base_sv_sub(base_buf_sv(&row->text), row->from[i], row->from[i + 1]));
    return SV_NULL;
}

static void set_text(json_t *fields, const char *key, struct base_sv text)
{
    if (text.len)
        (void)json_object_set_new(fields, key, json_stringn(text.ptr, text.len));
}

/* "Buy milk @shop @urgent" */
static void add_title(json_t *fields, struct base_sv content)
{
    json_t *tags = json_array();
    struct base_buf title;
    base_buf_init(&title, content.len + 1);
    while (content.len) {
        struct base_sv word = base_sv_split(&content, ' ');
        if (word.len > 1 && word.ptr[0] == '@') {
            (void)json_array_append_new(tags, json_stringn(word.ptr + 1, word.len - 1));
            continue;
        }
        if (title.len)
            base_buf_add_char(&title, ' ');
        base_buf_add(&title, word);
    }
    set_text(fields, "title", base_buf_sv(&title));
    (void)json_object_set_new(fields, "tags", tags);
    base_buf_done(&title);
}

static void read_task(struct gw_item *item, const struct row *row, struct base_sv columns)
{
    int64_t theirs;
    item->fields = json_object();
    add_title(item->fields, cell(row, columns, "CONTENT"));
    set_text(item->fields, "notes", cell(row, columns, "DESCRIPTION"));
    if (base_sv_int64(cell(row, columns, "PRIORITY"), &theirs) && theirs >= 1 && theirs <= 3)
        (void)json_object_set_new(item->fields, "priority", json_integer(5 - theirs));
    (void)base_sv_cstr(cell(row, columns, "DATE"), item->said, sizeof(item->said));
    (void)base_sv_cstr(cell(row, columns, "DATE_LANG"), item->language, sizeof(item->language));
    (void)base_sv_cstr(cell(row, columns, "TIMEZONE"), item->zone, sizeof(item->zone));
}

/* Notes follow the task that they belong to. */
static void add_note(json_t *fields, struct base_sv note)
{
    const json_t *before = json_object_get(fields, "notes");
    struct base_buf notes;
    base_buf_init(&notes, GW_ITEM_MAX);
    base_buf_add(&notes, base_sv(json_string_value(before), json_string_length(before)));
    if (notes.len)
        base_buf_add_c(&notes, "\n");
    base_buf_add(&notes, note);
    set_text(fields, "notes", base_buf_sv(&notes));
    base_buf_done(&notes);
}

static enum base_err begin(struct gw_reader *reader)
{
    size_t end = base_sv_find(reader->text, '\n');
    reader->columns = base_sv_trim(base_sv_sub(reader->text, 0, end));
    gw_reader_move(reader, end < reader->text.len ? end + 1 : end);
    struct base_sv first = reader->columns;
    return base_sv_eq_i(base_sv_trim(base_sv_split(&first, ',')), SV("TYPE"))
               ? BASE_OK
               : gw_reader_fail(
                     reader, 1,
                     "this is no Todoist export: its first line begins with TYPE,CONTENT");
}

enum base_err gw_todoist_next(struct gw_reader *reader, struct gw_item *ret_item)
{
    struct row row;
    enum base_err err = reader->begun ? BASE_OK : begin(reader);
    if (err != BASE_OK)
        return err;
    base_buf_init(&row.text, GW_ITEM_MAX);
    for (;;) {
        size_t at = reader->at, line = reader->line;
        if (!read_row(reader, &row))
            break;
        if (!base_buf_ok(&row.text)) {
            err = gw_reader_fail(reader, line, "this row is larger than 256 KiB");
            break;
        }
        struct base_sv type = cell(&row, reader->columns, "TYPE");
        if (base_sv_eq_i(type, SV("task")) && ret_item->fields) {
            reader->at = at; /* the next task */
            reader->line = line;
            break;
        }
        if (base_sv_eq_i(type, SV("task"))) {
            ret_item->line = line;
            read_task(ret_item, &row, reader->columns);
        } else if (base_sv_eq_i(type, SV("note")) && ret_item->fields) {
            add_note(ret_item->fields, cell(&row, reader->columns, "CONTENT"));
        }
    }
    base_buf_done(&row.text);
    if (err == BASE_OK && !ret_item->fields)
        err = BASE_NOT_FOUND;
    return err;
}
