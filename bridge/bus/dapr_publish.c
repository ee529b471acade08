/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Publishing: what a moment brings goes to the sidecar in one bulk call for each topic, and the next
 * call waits for its answer, which keeps the order. What the broker did not take is sent again, with
 * all behind it: consumers know what they have seen. Events go raw, so that on the broker they are
 * byte for byte what the direct bus would have written: the sidecar would put its own trace into
 * them otherwise.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "bridge/bus/dapr_internal.h"
#include "lib/base/json.h"
#include "lib/base/log.h"

enum {
    BATCH = 500,
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
    char trace[TRACE_TEXT];
    size_t len;
    char entry[]; /* of the bulk call, without its id and closing brace */
};

struct dapr_outbox {
    struct dapr_outbox *next;
    struct dapr *dapr;
    struct base_timer *timer;
    struct publication *first, **last;
    size_t under_way; /* the first so many are in the call now waiting for its answer */
    int64_t again_ms; /* the wait after a failure; 0: the last call succeeded */
    char path[256];
    char topic[];
};

static void send_next(void *ctx);

static struct publication *take_first(struct dapr_outbox *box)
{
    struct publication *first = box->first;
    box->first = first->next;
    if (!box->first)
        box->last = &box->first;
    box->dapr->pending--;
    return first;
}

static void end_first(struct dapr_outbox *box, enum base_err err)
{
    struct publication *first = take_first(box);
    first->fn(first->ctx, err);
    free(first);
}

/* How many of the call's entries, from the first on, the broker has: ids are their places. */
static size_t taken(const struct dapr_outbox *box, int status, struct base_sv body)
{
    size_t safe = status >= 200 && status < 300 ? box->under_way : 0;
    json_t *root = safe || !body.len ? NULL : json_loadb(body.ptr, body.len, 0, NULL);
    const json_t *failed = json_object_get(root, "failedEntries");
    if (json_array_size(failed)) {
        int64_t first = (int64_t)box->under_way;
        for (size_t i = 0; i < json_array_size(failed); i++) {
            const json_t *id = json_object_get(json_array_get(failed, i), "entryId");
            int64_t place;
            if (!base_sv_int64(base_sv(json_string_value(id), json_string_length(id)), &place))
                place = 0;
            first = place < first ? place : first;
        }
        safe = first > 0 ? (size_t)first : 0;
    }
    json_decref(root);
    return safe;
}

static void on_published(void *ctx, int status, const char *why, struct base_sv body)
{
    struct dapr_outbox *box = ctx;
    if (box->dapr->closing)
        return;
    size_t count = box->under_way;
    size_t safe = taken(box, status, body);
    box->under_way = 0;
    for (size_t i = 0; i < safe; i++)
        end_first(box, BASE_OK);
    if (safe == count) {
        if (box->again_ms)
            LOG_INFO("dapr.publishes_again", LOG_STR("topic", box->topic));
        box->again_ms = 0;
    } else {
        if (!box->again_ms)
            LOG_WARN("dapr.publish_failed", LOG_STR("topic", box->topic), LOG_INT("status", status),
                     LOG_SV("why", status ? base_sv_sub(body, 0, 300) : base_sv_from(why)));
        box->again_ms = box->again_ms ? 2 * box->again_ms : AGAIN_MIN_MS;
        box->again_ms = box->again_ms > AGAIN_MAX_MS ? AGAIN_MAX_MS : box->again_ms;
    }
    if (box->first)
        base_timer_start(box->timer, box->again_ms);
}

static void gather(struct dapr_outbox *box, struct base_buf *body)
{
    base_buf_add_char(body, '[');
    for (const struct publication *p = box->first; p && box->under_way < BATCH; p = p->next) {
        if (box->under_way && body->len + p->len > BATCH_BYTES)
            break;
        base_buf_add(body, base_sv(p->entry, p->len));
        base_buf_addf(body, ",\"entryId\":\"%zu\"},", box->under_way++);
    }
    if (base_buf_ok(body))
        base_buf_truncate(body, body->len - 1);
    base_buf_add_char(body, ']');
}

static void send_next(void *ctx)
{
    struct dapr_outbox *box = ctx;
    struct base_buf body;
    if (!box->first || box->under_way)
        return;
    base_buf_init(&body, BATCH_BYTES + EVENT_BYTES + BATCH * 64);
    gather(box, &body);
    /* A call has one trace: that of its event, where it has only one. */
    const char *trace = box->under_way == 1 && box->first->trace[0] ? box->first->trace : NULL;
    const struct dapr_call call = {.method = "POST",
                                   .path = box->path,
                                   .traceparent = trace,
                                   .body = base_buf_sv(&body),
                                   .answer_max = ANSWER_MAX};
    enum base_err err = base_buf_ok(&body)
                            ? dapr_client_call(box->dapr->client, &call, on_published, box)
                            : BASE_NO_MEMORY;
    base_buf_done(&body);
    if (err != BASE_OK) {
        box->under_way = 0;
        base_timer_start(box->timer, AGAIN_MAX_MS);
    }
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
                     "/v1.0-alpha1/publish/bulk/" BUS_DAPR_PUBLISH "/%s?metadata.rawPayload=true", topic);
    if (n >= (int)sizeof(box->path) ||
        base_timer_new(dapr->options.loop, send_next, box, &box->timer) != BASE_OK) {
        free(box);
        return NULL;
    }
    box->next = dapr->outboxes;
    dapr->outboxes = box;
    return box;
}

/* The broker's headers are the entry's metadata. The event is text, so that not one byte changes. */
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
        *p = (struct publication){.len = entry.len};
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
    if (!box->first)
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
        while (box->first)
            end_first(box, BASE_UNAVAILABLE);
        base_timer_free(box->timer);
        free(box);
    }
}
