/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Publishing: what a moment brings goes to the sidecar in one bulk call for each topic, with one
 * event of each key at most, and the next call waits for its answer. So what the broker did not
 * take can be sent again without coming behind a later event of the same key: inside one call the
 * sidecar's client gives up on one record and still writes the next. Events go raw, so that on the
 * broker they are byte for byte what the direct bus would have written: the sidecar would put its
 * own trace into them.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "bridge/bus/dapr_internal.h"
#include "lib/base/json.h"
#include "lib/base/log.h"

enum {
    BATCH = 500,
    SLOTS = 2048, /* of the set of keys; a power of two */
    BATCH_BYTES = 1 << 20,
    EVENT_BYTES = 3 << 20, /* a sidecar takes 4 MiB at a time unless told otherwise */
    PENDING_MAX = 65536,
    GATHER_MS = 1,
    AGAIN_MIN_MS = 50,
    AGAIN_MAX_MS = 2000,
    ANSWER_MAX = 1 << 20,
    TRACE_TEXT = 56
};

struct publication {
    struct publication *next;
    bus_done_fn fn;
    void *ctx;
    uint64_t key; /* its hash, never 0 */
    char trace[TRACE_TEXT];
    size_t len;
    char entry[]; /* of the bulk call, without its id and closing brace */
};

struct dapr_outbox {
    struct dapr_outbox *next;
    struct dapr *dapr;
    struct base_timer *timer;
    struct publication *first, **last; /* they wait */
    struct publication *call[BATCH];   /* they are in the call under way */
    size_t call_count;
    int64_t again_ms; /* the wait after a failure; 0: the last call succeeded */
    char path[256];
    char topic[];
};

static void end(struct dapr_outbox *box, struct publication *publication, enum base_err err)
{
    box->dapr->pending--;
    publication->fn(publication->ctx, err);
    free(publication);
}

static void put_back(struct dapr_outbox *box, struct publication *publication)
{
    publication->next = box->first;
    if (!box->first)
        box->last = &publication->next;
    box->first = publication;
}

/* The entries that the answer says are not on the broker. Ids are their places in the call. */
static void mark_failed(const struct dapr_outbox *box, int status, struct base_sv body,
                        bool failed[BATCH])
{
    bool taken = status >= 200 && status < 300;
    json_t *root = taken || !body.len ? NULL : json_loadb(body.ptr, body.len, 0, NULL);
    const json_t *list = json_object_get(root, "failedEntries");
    bool told = json_array_size(list) > 0;
    for (size_t i = 0; i < box->call_count; i++)
        failed[i] = !taken && !told;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *id = json_object_get(json_array_get(list, i), "entryId");
        int64_t place;
        if (base_sv_int64(base_sv(json_string_value(id), json_string_length(id)), &place) &&
            place >= 0 && place < (int64_t)box->call_count)
            failed[place] = true;
    }
    json_decref(root);
}

static void on_published(void *ctx, int status, const char *why, struct base_sv body)
{
    struct dapr_outbox *box = ctx;
    bool failed[BATCH];
    size_t failures = 0;
    size_t count = box->call_count;
    if (box->dapr->closing)
        return;
    mark_failed(box, status, body, failed);
    for (size_t i = count; i-- > 0;)
        if (failed[i]) {
            put_back(box, box->call[i]);
            failures++;
        }
    box->call_count = 0;
    if (failures && !box->again_ms)
        LOG_WARN("dapr.publish_failed", LOG_STR("topic", box->topic), LOG_INT("status", status),
                 LOG_INT("events", failures),
                 LOG_SV("why", status ? base_sv_sub(body, 0, 300) : base_sv_from(why)));
    if (!failures && box->again_ms)
        LOG_INFO("dapr.publishes_again", LOG_STR("topic", box->topic));
    int64_t longer_ms = box->again_ms ? 2 * box->again_ms : AGAIN_MIN_MS;
    box->again_ms = !failures ? 0 : longer_ms > AGAIN_MAX_MS ? AGAIN_MAX_MS : longer_ms;
    if (box->first)
        base_timer_start(box->timer, box->again_ms);
    for (size_t i = 0; i < count; i++)
        if (!failed[i])
            end(box, box->call[i], BASE_OK);
}

/* False: the set has it. */
static bool add_key(uint64_t set[SLOTS], uint64_t key)
{
    size_t at = key & (SLOTS - 1);
    while (set[at] && set[at] != key)
        at = (at + 1) & (SLOTS - 1);
    bool fresh = set[at] == 0;
    set[at] = key;
    return fresh;
}

/* From those that wait into the call. */
static void gather(struct dapr_outbox *box, struct base_buf *body)
{
    uint64_t keys[SLOTS] = {0};
    struct publication **at = &box->first;
    base_buf_add_char(body, '[');
    while (*at && box->call_count < BATCH) {
        struct publication *publication = *at;
        if (box->call_count && body->len + publication->len > BATCH_BYTES)
            break;
        if (!add_key(keys, publication->key)) {
            at = &publication->next;
            continue;
        }
        base_buf_addf(body, "%s", box->call_count ? "," : "");
        base_buf_add(body, base_sv(publication->entry, publication->len));
        base_buf_addf(body, ",\"entryId\":\"%zu\"}", box->call_count);
        box->call[box->call_count++] = publication;
        *at = publication->next;
        if (!*at)
            box->last = at;
    }
    base_buf_add_char(body, ']');
}

static void send_next(void *ctx)
{
    struct dapr_outbox *box = ctx;
    struct base_buf body;
    if (!box->first || box->call_count)
        return;
    base_buf_init(&body, BATCH_BYTES + EVENT_BYTES + BATCH * 64);
    gather(box, &body);
    /* A call has one trace: that of its event, where it has only one. */
    const char *trace = box->call[0]->trace;
    const struct dapr_call call = {.method = "POST",
                                   .path = box->path,
                                   .traceparent = box->call_count == 1 && trace[0] ? trace : NULL,
                                   .body = base_buf_sv(&body),
                                   .answer_max = ANSWER_MAX};
    enum base_err err = base_buf_ok(&body)
                            ? dapr_client_call(box->dapr->client, &call, on_published, box)
                            : BASE_NO_MEMORY;
    base_buf_done(&body);
    if (err == BASE_OK)
        return;
    for (size_t i = box->call_count; i-- > 0;)
        put_back(box, box->call[i]);
    box->call_count = 0;
    base_timer_start(box->timer, AGAIN_MAX_MS);
}

static struct dapr_outbox *outbox_of(struct dapr *dapr, const char *topic)
{
    size_t length = strlen(topic) + 1;
    for (struct dapr_outbox *box = dapr->outboxes; box; box = box->next)
        if (strcmp(box->topic, topic) == 0)
            return box;
    struct dapr_outbox *box = calloc(1, sizeof(*box) + length);
    if (!box)
        return NULL;
    box->dapr = dapr;
    box->last = &box->first;
    memcpy(box->topic, topic, length);
    int n = snprintf(box->path, sizeof(box->path),
                     "/v1.0-alpha1/publish/bulk/" BUS_DAPR_PUBLISH "/%s?metadata.rawPayload=true",
                     topic);
    if (n >= (int)sizeof(box->path) ||
        base_timer_new(dapr->options.loop, send_next, box, &box->timer) != BASE_OK) {
        free(box);
        return NULL;
    }
    box->next = dapr->outboxes;
    dapr->outboxes = box;
    return box;
}

/* The broker's headers are the entry's metadata. The event is text, so that not one byte changes.
 */
static void write_entry(struct base_buf *buf, const struct bus_message *message)
{
    base_json_open(buf, '{');
    base_json_kv_str(buf, "event", message->payload);
    base_json_kv_str(buf, "contentType", SV("text/plain"));
    base_json_key(buf, "metadata");
    base_json_open(buf, '{');
    base_json_kv_str(buf, "partitionKey", message->key);
    for (size_t i = 0; i < message->header_count; i++)
        base_json_kv_str(buf, message->headers[i].name, message->headers[i].value);
    base_json_close(buf, '}');
}

static struct publication *publication_new(const struct bus_message *message)
{
    struct base_buf entry;
    base_buf_init(&entry, EVENT_BYTES);
    write_entry(&entry, message);
    struct publication *p = base_buf_ok(&entry) ? malloc(sizeof(*p) + entry.len) : NULL;
    if (p) {
        *p = (struct publication){.key = base_sv_hash(message->key, 0) | 1, .len = entry.len};
        memcpy(p->entry, entry.data, entry.len);
        for (size_t i = 0; i < message->header_count; i++)
            if (strcmp(message->headers[i].name, BUS_H_TRACE) == 0)
                (void)base_sv_cstr(message->headers[i].value, p->trace, sizeof(p->trace));
    }
    base_buf_done(&entry);
    return p;
}

enum base_err dapr_publish(struct bus *bus, const struct bus_message *message, bus_done_fn fn,
                           void *ctx)
{
    struct dapr *dapr = (struct dapr *)bus;
    if (!dapr->was_up)
        return BASE_UNAVAILABLE;
    if (dapr->pending >= PENDING_MAX)
        return BASE_OVERLOADED;
    if (message->payload.len > EVENT_BYTES / 2)
        return BASE_TOO_LARGE;
    struct dapr_outbox *box = outbox_of(dapr, message->topic);
    struct publication *p = box ? publication_new(message) : NULL;
    if (!p)
        return BASE_NO_MEMORY;
    p->fn = fn;
    p->ctx = ctx;
    if (!box->first && !box->call_count && !box->again_ms)
        base_timer_start(box->timer, GATHER_MS);
    *box->last = p;
    box->last = &p->next;
    dapr->pending++;
    return BASE_OK;
}

void dapr_outboxes_free(struct dapr *dapr)
{
    for (struct dapr_outbox *box = dapr->outboxes, *next; box; box = next) {
        next = box->next;
        for (size_t i = 0; i < box->call_count; i++)
            end(box, box->call[i], BASE_UNAVAILABLE);
        while (box->first) {
            struct publication *publication = box->first;
            box->first = publication->next;
            end(box, publication, BASE_UNAVAILABLE);
        }
        base_timer_free(box->timer);
        free(box);
    }
}
