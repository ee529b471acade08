/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events come once for the process and are framed once. The first worker's hub takes them at once;
 * for the others they are gathered over a turn of the loop and handed over whole.
 */
#include "gateway/link/link.h"

#include <stdlib.h>

#include "bridge/bus/dapr.h"
#include "bridge/bus/kafka.h"
#include "gateway/hub/hub.h"
#include "gateway/mqtt/intake.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"

enum { BATCH = 256 };

struct delivery {
    struct net_msg *frame;
    int64_t seq;
    struct base_id reminder;
    bool revoked;
    size_t user_len;
    char user[129];
};

struct batch {
    struct gw_worker *worker;
    size_t count;
    bool reread;
    struct delivery deliveries[BATCH];
};

struct gw_link {
    struct gw_worker *const *workers;
    size_t count;
    struct bus *bus;
    struct bus_consumer *consumer;
    struct gw_intake *intake;
    struct batch **pending; /* one for each worker but the first */
};

/* Only the first worker asks for the status, and serves the sidecar. */
static struct gw_link *the_link;

static void hand_over(struct gw_hub *hub, const struct delivery *delivery)
{
    struct base_sv user = base_sv(delivery->user, delivery->user_len);
    gw_hub_event(hub, user, delivery->seq, delivery->reminder, delivery->frame);
    if (delivery->revoked)
        gw_hub_revoked(hub, user);
}

/* In the other worker's thread. */
static void take_batch(void *ctx)
{
    struct batch *batch = ctx;
    struct gw_hub *hub = batch->worker->hub; /* NULL: the worker is ending */
    for (size_t i = 0; i < batch->count; i++) {
        struct delivery *delivery = &batch->deliveries[i];
        if (hub)
            hand_over(hub, delivery);
        net_msg_unref(delivery->frame);
    }
    if (batch->reread && hub)
        gw_hub_reread(hub);
    free(batch);
}

static void flush_one(struct gw_link *link, size_t i)
{
    struct batch *batch = link->pending[i];
    link->pending[i] = NULL;
    if (batch && base_loop_post(link->workers[i]->base, take_batch, batch) != BASE_OK) {
        LOG_ERROR("link.lost_batch",
                  LOG_INT("events", batch->count)); /* the minute's comparison finds them */
        for (size_t k = 0; k < batch->count; k++)
            net_msg_unref(batch->deliveries[k].frame);
        free(batch);
    }
}

static void flush(void *ctx)
{
    struct gw_link *link = ctx;
    for (size_t i = 1; i < link->count; i++)
        flush_one(link, i);
}

static struct batch *batch_for(struct gw_link *link, size_t i)
{
    if (link->pending[i] && link->pending[i]->count == BATCH)
        flush_one(link, i);
    if (!link->pending[i]) {
        link->pending[i] = malloc(sizeof(*link->pending[i]));
        if (link->pending[i]) {
            link->pending[i]->worker = link->workers[i];
            link->pending[i]->count = 0;
            link->pending[i]->reread = false;
        }
    }
    return link->pending[i];
}

static bool is_of(const struct bus_record *record, enum task_event_type type)
{
    return base_sv_eq_c(bus_record_header(record, BUS_H_TYPE), task_event_name(type));
}

/* The event's id if it is a reminder's. */
static struct base_id reminder_of(const struct bus_record *record)
{
    struct base_id id = {0};
    if (!is_of(record, TASK_EVENT_REMINDER_TRIGGERED) ||
        !base_id_parse(bus_record_header(record, BUS_H_ID), &id))
        return (struct base_id){0};
    return id;
}

static void on_record(void *ctx, const struct bus_record *record)
{
    struct gw_link *link = ctx;
    char number[24];
    struct base_buf digits = {.data = number, .cap = sizeof(number), .max = sizeof(number) - 1};
    int64_t seq;
    if (!base_sv_int64(bus_record_header(record, BUS_H_USERSEQ), &seq) || record->key.len > 128) {
        LOG_WARN("link.bad_record", LOG_STR("topic", record->topic),
                 LOG_INT("offset", record->offset));
        return;
    }
    base_buf_add_int(&digits, seq);
    const struct base_sv parts[] = {SV("{\"type\":\"event\",\"seq\":"), base_buf_sv(&digits),
                                    SV(",\"event\":"), record->payload, SV("}")};
    struct net_msg *frame = net_msg_new_parts(parts, sizeof(parts) / sizeof(parts[0]));
    base_metric_inc(BASE_M_EVENTS_RECEIVED);
    if (!frame)
        return;
    struct delivery delivery = {.frame = frame,
                                .seq = seq,
                                .reminder = reminder_of(record),
                                .revoked = is_of(record, TASK_EVENT_SESSION_REVOKED),
                                .user_len = record->key.len};
    memcpy(delivery.user, record->key.ptr, record->key.len);
    hand_over(link->workers[0]->hub, &delivery);
    for (size_t i = 1; i < link->count; i++) {
        struct batch *batch = batch_for(link, i);
        if (!batch)
            continue;
        batch->deliveries[batch->count++] = delivery;
        (void)net_msg_ref(frame);
    }
    net_msg_unref(frame);
}

static void on_ready(void *ctx)
{
    struct gw_link *link = ctx;
    LOG_INFO("link.bus_ready");
    atomic_store(&link->workers[0]->shared->bus_ready, true);
}

static void on_gap(void *ctx)
{
    struct gw_link *link = ctx;
    LOG_INFO("link.gap");
    gw_hub_reread(link->workers[0]->hub);
    for (size_t i = 1; i < link->count; i++) {
        struct batch *batch = batch_for(link, i);
        if (batch)
            batch->reread = true;
    }
}

static void on_bus_state(void *ctx, bool up, const char *why)
{
    (void)ctx;
    if (up)
        LOG_INFO("link.bus_up");
    else
        LOG_WARN("link.bus_down", LOG_STR("why", why));
}

static enum base_err bus_new(struct gw_link *link, struct base_buf *errors)
{
    const struct gw_shared *shared = link->workers[0]->shared;
    const struct gw_config *config = shared->config;
    struct base_loop *loop = link->workers[0]->base;
    if (config->bus == BUS_KIND_DAPR)
        return bus_dapr_new(
            &(struct bus_dapr_options){
                .loop = loop, .settings = &shared->dapr, .on_state = on_bus_state, .ctx = link},
            &link->bus);
    return bus_kafka_new(&(struct bus_kafka_options){.loop = loop,
                                                     .brokers = config->kafka_brokers,
                                                     .client_id = "todo-gateway",
                                                     .properties = config->kafka_properties,
                                                     .password_file = config->kafka_password_file,
                                                     .on_state = on_bus_state,
                                                     .ctx = link},
                         &link->bus, errors);
}

enum base_err gw_link_new(struct gw_worker *const *workers, size_t count, struct gw_link **ret_link,
                          struct base_buf *errors)
{
    const struct gw_config *config = workers[0]->shared->config;
    struct gw_link *link = calloc(1, sizeof(*link));
    struct batch **pending = calloc(count, sizeof(*pending));
    if (!link || !pending) {
        free(link);
        free(pending);
        return BASE_NO_MEMORY;
    }
    *link = (struct gw_link){.workers = workers, .count = count, .pending = pending};
    enum base_err err = bus_new(link, errors);
    if (err == BASE_OK)
        err = bus_consume(link->bus,
                          &(struct bus_consumer_options){.topic = BUS_TOPIC_UPDATES,
                                                         .on_ready = on_ready,
                                                         .on_record = on_record,
                                                         .on_gap = on_gap,
                                                         .ctx = link},
                          &link->consumer);
    if (err == BASE_OK && config->mqtt_url[0])
        err = gw_intake_new(workers[0], &link->intake, errors);
    if (err == BASE_OK)
        err = net_loop_on_turn(workers[0]->loop, flush, link);
    if (err != BASE_OK) {
        gw_link_free(link);
        return err;
    }
    bus_dapr_announce(link->bus);
    the_link = link;
    *ret_link = link;
    return BASE_OK;
}

void gw_link_free(struct gw_link *link)
{
    if (!link)
        return;
    the_link = NULL;
    net_loop_off_turn(link->workers[0]->loop, flush, link);
    gw_intake_free(link->intake);
    bus_consumer_free(link->consumer);
    bus_free(link->bus);
    for (size_t i = 1; i < link->count; i++)
        if (link->pending[i])
            take_batch(link->pending[i]);
    free(link->pending);
    free(link);
}

void gw_link_serve(struct net_request *req)
{
    bus_dapr_serve(the_link ? the_link->bus : NULL, req);
}

bool gw_link_status(struct gw_worker *worker, struct base_buf *buf)
{
    const char *why = "";
    bool database = task_store_ready(worker->store);
    bool bus = the_link && bus_up(the_link->bus, &why) && atomic_load(&worker->shared->bus_ready);
    bool mqtt = the_link && gw_intake_up(the_link->intake);
    bool draining = atomic_load(&worker->shared->draining);
    bool ready = database && bus && !draining;
    base_json_open(buf, '{');
    base_json_kv_bool(buf, "ready", ready);
    base_json_kv_bool(buf, "database", database);
    base_json_kv_bool(buf, "bus", bus);
    base_json_kv_opt(buf, "bus_reason", base_sv_from(why));
    base_json_kv_bool(buf, "mqtt", mqtt);
    base_json_kv_bool(buf, "draining", draining);
    base_json_close(buf, '}');
    return ready;
}
