/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event bus: publish with a key, consume a topic. Kafka (kafka.h) and a
 * Dapr sidecar (dapr.h) implement it; after making one its users do not know which it is.
 * Everything runs in the loop's thread; nothing here blocks, but freeing may wait a moment and
 * belongs to shutdown.
 *
 * Publishing is at least once and in order for one key; consumers drop what they have seen (by
 * userseq or the event's id).
 */
#ifndef BRIDGE_BUS_BUS_H
#define BRIDGE_BUS_BUS_H

#include "lib/base/err.h"
#include "lib/base/sv.h"

#define BUS_TOPIC_UPDATES "task-updates" /* every event, in userseq order for each user */
#define BUS_TOPIC_TASKS "task-events"
#define BUS_TOPIC_REMINDERS "reminders"
#define BUS_TOPIC_WEBHOOKS "webhooks" /* has dead letters only */
#define BUS_DEAD_LETTERS ".dlq"       /* behind each of them: what could not be dealt with */

/* The setting "bus". */
enum bus_kind { BUS_KIND_KAFKA, BUS_KIND_DAPR };

/* Headers the product sets on every record. */
#define BUS_H_USERSEQ "userseq"
#define BUS_H_TYPE "ce_type"
#define BUS_H_ID "ce_id"
#define BUS_H_TRACE "traceparent"

enum { BUS_HEADERS_MAX = 8 };

struct bus_header {
    const char *name;
    struct base_sv value;
};

struct bus_message {
    const char *topic;
    struct base_sv key; /* the user id */
    const struct bus_header *headers;
    size_t header_count;
    struct base_sv payload;
};

struct bus_record {
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t at_ms; /* when it was published, since 1970; 0 if unknown */
    struct base_sv key;
    struct base_sv payload;
    struct bus_header headers[BUS_HEADERS_MAX];
    size_t header_count;
};

/* Empty if there is none. */
static inline struct base_sv bus_record_header(const struct bus_record *record, const char *name)
{
    for (size_t i = 0; i < record->header_count; i++)
        if (strcmp(record->headers[i].name, name) == 0)
            return record->headers[i].value;
    return SV_NULL;
}

typedef void (*bus_done_fn)(void *ctx, enum base_err err);

struct bus_consumer_options {
    const char *topic;
    /* NULL: broadcast. Every partition from its end on, fixed before on_ready is called; what is
     * published later is delivered, what was before is not. Otherwise: processes with the same
     * group share the partitions and go on from what was committed, at first from the beginning. */
    const char *group;
    /* Broadcast: the position is fixed now (once); a group: never called. May be NULL. */
    void (*on_ready)(void *ctx);
    /* record and all it points to: valid during the call. */
    void (*on_record)(void *ctx, const struct bus_record *record);
    /* Broadcast: records may have been missed; the position is fixed anew at the end. Reread
     * everything from the database. May be NULL. */
    void (*on_gap)(void *ctx);
    void *ctx;
};

struct bus;
struct bus_consumer;

struct bus_vtable {
    void (*free)(struct bus *bus);
    bool (*up)(const struct bus *bus, const char **ret_why);
    enum base_err (*publish)(struct bus *bus, const struct bus_message *message, bus_done_fn fn,
                             void *ctx);
    enum base_err (*consume)(struct bus *bus, const struct bus_consumer_options *options,
                             struct bus_consumer **ret_consumer);
    void (*consumer_free)(struct bus_consumer *consumer);
    void (*consumer_pause)(struct bus_consumer *consumer, bool paused);
    enum base_err (*consumer_commit)(struct bus_consumer *consumer, int32_t partition,
                                     int64_t offset);
};

struct bus {
    const struct bus_vtable *vtable;
};

struct bus_consumer {
    const struct bus_vtable *vtable;
};

/* Consumers first. Publications without an answer end with UNAVAILABLE before it returns. */
static inline void bus_free(struct bus *bus)
{
    if (bus)
        bus->vtable->free(bus);
}

/* Reachable, with its topics in place. ret_why: a short reason when not. */
static inline bool bus_up(const struct bus *bus, const char **ret_why)
{
    return bus->vtable->up(bus, ret_why);
}

/* Everything is copied. fn is called later, once, when the record is safe on all replicas or lost.
 * OVERLOADED: too much is waiting; UNAVAILABLE: never was up so far. Then fn is not called. A
 * publication outlives a broker's outage and is tried until it succeeds. */
BASE_MUST_CHECK static inline enum base_err
bus_publish(struct bus *bus, const struct bus_message *message, bus_done_fn fn, void *ctx)
{
    return bus->vtable->publish(bus, message, fn, ctx);
}

BASE_MUST_CHECK static inline enum base_err bus_consume(struct bus *bus,
                                                        const struct bus_consumer_options *options,
                                                        struct bus_consumer **ret_consumer)
{
    return bus->vtable->consume(bus, options, ret_consumer);
}

/* Not from inside its own callbacks. */
static inline void bus_consumer_free(struct bus_consumer *consumer)
{
    if (consumer)
        consumer->vtable->consumer_free(consumer);
}

/* While paused no record is delivered; those that come meanwhile wait, bounded. */
static inline void bus_consumer_pause(struct bus_consumer *consumer, bool paused)
{
    consumer->vtable->consumer_pause(consumer, paused);
}

/* A group's progress: everything of the partition up to and including offset is dealt with. Saved
 * once a second and when the consumer is freed. */
BASE_MUST_CHECK static inline enum base_err bus_consumer_commit(struct bus_consumer *consumer,
                                                                int32_t partition, int64_t offset)
{
    return consumer->vtable->consumer_commit(consumer, partition, offset);
}

#endif
