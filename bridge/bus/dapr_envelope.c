/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/bus/dapr_envelope.h"

#include <jansson.h>
#include <stdlib.h>

/* The broker's own marks, as Dapr's Kafka component names them. */
#define META_PARTITION "__partition"
#define META_OFFSET "__offset"
#define META_TIME "__timestamp"

struct memory {
    json_t *root;
    struct dapr_entry *entries;
    char *texts[]; /* an event's JSON and its userseq in digits, for each entry */
};

static struct base_sv text_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return base_sv(json_string_value(value), json_string_length(value));
}

static bool number_of(const json_t *object, const char *name, int64_t *ret_value)
{
    return base_sv_int64(text_of(object, name), ret_value);
}

static void add_header(struct bus_record *record, const char *name, struct base_sv value)
{
    if (value.len)
        record->headers[record->header_count++] = (struct bus_header){name, value};
}

static void place(struct dapr_entry *entry, const json_t *metadata)
{
    int64_t partition = 0;
    entry->placed = number_of(metadata, META_PARTITION, &partition) && partition >= 0 &&
                    partition <= INT32_MAX &&
                    number_of(metadata, META_OFFSET, &entry->record.offset) &&
                    entry->record.offset >= 0;
    entry->record.partition = entry->placed ? (int32_t)partition : 0;
    (void)number_of(metadata, META_TIME, &entry->record.at_ms);
}

/* json: the text of the event; digits: room for its userseq. */
static bool read_event(struct dapr_entry *entry, const json_t *event, const char *json,
                       char digits[24])
{
    struct bus_record *record = &entry->record;
    const json_t *seq = json_object_get(event, "userseq");
    struct base_buf text = {.data = digits, .cap = 24, .max = 23};
    if (!json_is_integer(seq) || json_integer_value(seq) <= 0)
        return false;
    base_buf_add_int(&text, json_integer_value(seq));
    record->key = text_of(event, "userid");
    record->payload = base_sv_from(json);
    add_header(record, BUS_H_USERSEQ, base_buf_sv(&text));
    add_header(record, BUS_H_TYPE, text_of(event, "type"));
    add_header(record, BUS_H_ID, text_of(event, "id"));
    bool whole = record->key.len && record->header_count == 3;
    add_header(record, BUS_H_TRACE, text_of(event, "traceparent"));
    return whole;
}

static bool read_entry(struct dapr_entry *entry, const json_t *event, const json_t *metadata,
                       char **ret_text)
{
    enum { DIGITS = 24 };
    char *json = json_dumps(event, JSON_COMPACT);
    size_t length = json ? strlen(json) : 0;
    char *text = json ? realloc(json, length + 1 + DIGITS) : NULL;
    if (!text) {
        free(json);
        return !json_is_object(event); /* no text of something else: it is not fit */
    }
    *ret_text = text;
    place(entry, metadata);
    entry->fit = json_is_object(event) && read_event(entry, event, text, text + length + 1);
    return true;
}

static struct memory *memory_new(json_t *root, size_t count)
{
    struct memory *memory = calloc(1, sizeof(*memory) + count * sizeof(char *));
    if (!memory)
        return NULL;
    memory->entries = calloc(count ? count : 1, sizeof(*memory->entries));
    if (!memory->entries) {
        free(memory);
        return NULL;
    }
    memory->root = json_incref(root);
    return memory;
}

static enum base_err read_root(json_t *root, struct dapr_envelope *envelope)
{
    const json_t *list = json_object_get(root, "entries");
    bool bulk = json_is_array(list);
    size_t count = bulk ? json_array_size(list) : 1;
    if (!json_is_object(root) || (!bulk && !json_object_get(root, "specversion")))
        return BASE_MALFORMED;
    if (count > DAPR_ENTRIES_MAX)
        return BASE_TOO_LARGE;
    struct memory *memory = memory_new(root, count);
    if (!memory)
        return BASE_NO_MEMORY;
    *envelope = (struct dapr_envelope){
        .bulk = bulk, .count = count, .entries = memory->entries, .memory = memory};
    for (size_t i = 0; i < count; i++) {
        const json_t *item = bulk ? json_array_get(list, i) : NULL;
        const json_t *event = bulk ? json_object_get(item, "event") : root;
        struct dapr_entry *entry = &memory->entries[i];
        if (bulk)
            entry->id = text_of(item, "entryId");
        if (!read_entry(entry, event, json_object_get(item, "metadata"), &memory->texts[i]))
            return BASE_NO_MEMORY;
    }
    return BASE_OK;
}

enum base_err dapr_envelope_read(struct base_sv body, struct dapr_envelope *ret_envelope)
{
    struct dapr_envelope envelope = {0};
    json_t *root = json_loadb(body.ptr ? body.ptr : "", body.len, 0, NULL);
    enum base_err err = root ? read_root(root, &envelope) : BASE_MALFORMED;
    json_decref(root);
    if (err == BASE_OK)
        *ret_envelope = envelope;
    else
        dapr_envelope_done(&envelope);
    return err;
}

void dapr_envelope_done(struct dapr_envelope *envelope)
{
    struct memory *memory = envelope->memory;
    if (!memory)
        return;
    for (size_t i = 0; i < envelope->count; i++)
        free(memory->texts[i]);
    json_decref(memory->root);
    free(memory->entries);
    free(memory);
    envelope->memory = NULL;
}
