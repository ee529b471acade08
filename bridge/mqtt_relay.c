/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MQTT relay: reads task-updates as one of a group and publishes each event to its user's
 * topics. The group's offset follows the oldest record whose publications the broker has all
 * acknowledged, so nothing is lost when either side goes away; what is sent twice, devices drop by
 * its id. While the broker is away the consumer is paused. A record that found the connection lost
 * half-way makes the consumer begin again at its last saved offset.
 */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "bridge/mqtt/mqtt.h"
#include "bridge/part.h"
#include "bridge/topics.h"
#include "lib/base/id.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "tasks/event.h"

enum {
    LOGGED_A_SECOND = 50,
    WINDOW = 8192,
    AGAIN_MS = 200,
    TOPIC_MAX = 256,
    CONTENT_TYPE_MAX = 64
};
_Static_assert((WINDOW & (WINDOW - 1)) == 0, "indices are masked");

#define GROUP "todo-bridge-mqtt"

struct mqtt_relay;

struct slot {
    struct mqtt_relay *relay;
    int64_t offset;
    int32_t partition;
    int waiting;
    int64_t taken_us;
    struct base_trace trace;
};

struct mqtt_relay {
    struct bridge_env env;
    struct mqtt *mqtt;
    struct bus_consumer *consumer;
    struct base_timer *again;
    struct bridge_link link;
    bool draining;
    bool failed; /* a record was not published: begin again from what is saved */
    struct bridge_log_budget log;
    uint64_t head, tail;
    struct slot window[WINDOW];
};

static void pause_or_go_on(struct mqtt_relay *relay)
{
    uint64_t used = relay->tail - relay->head;
    base_metric_set(BASE_M_MQTT_IN_FLIGHT, 0, (int64_t)mqtt_in_flight(relay->mqtt));
    if (relay->failed && used == 0)
        base_timer_start(relay->again, AGAIN_MS);
    if (relay->consumer)
        bus_consumer_pause(relay->consumer, relay->draining || relay->failed || used >= WINDOW ||
                                                !mqtt_up(relay->mqtt));
}

static void advance(struct mqtt_relay *relay)
{
    while (relay->head < relay->tail) {
        struct slot *slot = &relay->window[relay->head & (WINDOW - 1)];
        if (slot->waiting > 0)
            break;
        relay->head++;
        if (!relay->failed)
            bridge_span(&relay->env, "publish mqtt", "todo/v1", &slot->trace,
                        base_loop_now_us(relay->env.loop) - slot->taken_us);
        /* Refused where the partition has moved to another process: it will do it again. */
        if (!relay->failed && relay->consumer &&
            bus_consumer_commit(relay->consumer, slot->partition, slot->offset) != BASE_OK)
            LOG_DEBUG("mqtt.not_ours", LOG_INT("partition", slot->partition));
    }
}

static void on_acked(struct slot *slot, enum base_err err, enum bridge_mqtt_kind kind)
{
    struct mqtt_relay *relay = slot->relay;
    slot->waiting--;
    if (err == BASE_OK) {
        base_metric_add(BASE_M_MQTT_PUBLISHED, kind, 1);
    } else {
        base_metric_inc(BASE_M_MQTT_ERRORS);
        LOG_WARN("mqtt.refused", LOG_ERR(err), LOG_INT("partition", slot->partition),
                 LOG_INT("offset", slot->offset));
    }
    advance(relay);
    pause_or_go_on(relay);
}

static void on_update_acked(void *ctx, enum base_err err)
{
    on_acked(ctx, err, BRIDGE_MQTT_UPDATES);
}

static void on_reminder_acked(void *ctx, enum base_err err)
{
    on_acked(ctx, err, BRIDGE_MQTT_REMINDERS);
}

static const mqtt_done_fn acked[] = {on_update_acked, on_reminder_acked};
_Static_assert(sizeof(acked) / sizeof(acked[0]) == BRIDGE_MQTT_COUNT, "one for each kind");

static int64_t age_ms(const struct bus_record *record)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return record->at_ms ? now.tv_sec * 1000 + now.tv_nsec / 1000000 - record->at_ms : 0;
}

static void publish(struct mqtt_relay *relay, struct slot *slot, const struct bus_record *record,
                    enum bridge_mqtt_kind kind)
{
    char topic[TOPIC_MAX];
    struct mqtt_property properties[] = {
        {BUS_H_TYPE, bus_record_header(record, BUS_H_TYPE)},
        {BUS_H_USERSEQ, bus_record_header(record, BUS_H_USERSEQ)},
    };
    struct mqtt_publication publication = {.topic = topic,
                                           .payload = record->payload,
                                           .expiry_s = bridge_mqtt_expiry_s(kind, age_ms(record)),
                                           .content_type = "application/cloudevents+json",
                                           .properties = properties,
                                           .property_count = 2};
    enum base_err err = BASE_INVALID;
    if (bridge_mqtt_topic(kind, record->key, topic, sizeof(topic)))
        err = mqtt_publish(relay->mqtt, &publication, acked[kind], slot);
    if (err == BASE_OK) {
        slot->waiting++;
    } else if (err == BASE_UNAVAILABLE || err == BASE_OVERLOADED || err == BASE_NO_MEMORY) {
        relay->failed = true;
    } else {
        base_metric_inc(BASE_M_MQTT_ERRORS);
        LOG_WARN("mqtt.unfit", LOG_ERR(err), LOG_INT("partition", record->partition),
                 LOG_INT("offset", record->offset));
    }
}

static void on_record(void *ctx, const struct bus_record *record)
{
    struct mqtt_relay *relay = ctx;
    if (relay->failed)
        return;
    struct slot *slot = &relay->window[relay->tail & (WINDOW - 1)];
    struct base_sv type = bus_record_header(record, BUS_H_TYPE);
    bool reminder = task_event_topic(task_event_parse(type)) == TASK_TOPIC_REMINDERS;
    *slot = (struct slot){.relay = relay,
                          .offset = record->offset,
                          .partition = record->partition,
                          .waiting = 1}; /* held back until all of it is handed over */
    relay->tail++;
    slot->taken_us = base_loop_now_us(relay->env.loop);
    (void)base_trace_parse(bus_record_header(record, BUS_H_TRACE), &slot->trace);
    publish(relay, slot, record, BRIDGE_MQTT_UPDATES);
    if (reminder && !relay->failed)
        publish(relay, slot, record, BRIDGE_MQTT_REMINDERS);
    slot->waiting--;
    enum base_log_level level =
        reminder ? bridge_log_level(&relay->log, base_loop_now_us(relay->env.loop))
                 : BASE_LOG_DEBUG;
    BASE_LOG_AT(
        level, "mqtt.event", LOG_SV("type", type),
        LOG_SV("event_id", bus_record_header(record, BUS_H_ID)), LOG_SV("user", record->key),
        LOG_SV("userseq", bus_record_header(record, BUS_H_USERSEQ)), LOG_TRACE(&slot->trace));
    advance(relay);
    pause_or_go_on(relay);
}

static enum base_err consume(struct mqtt_relay *relay)
{
    struct bus_consumer_options options = {
        .topic = BUS_TOPIC_UPDATES, .group = GROUP, .on_record = on_record, .ctx = relay};
    return bus_consume(relay->env.bus, &options, &relay->consumer);
}

/* Once the window is empty: the failed record and all after it come again. */
static void on_again(void *ctx)
{
    struct mqtt_relay *relay = ctx;
    if (relay->draining)
        return;
    bus_consumer_free(relay->consumer);
    relay->consumer = NULL;
    relay->failed = consume(relay) != BASE_OK;
    pause_or_go_on(relay);
}

static void on_mqtt_state(void *ctx, bool up, const char *why)
{
    struct mqtt_relay *relay = ctx;
    bridge_link_set(&relay->link, up, why);
    pause_or_go_on(relay);
}

static void mqtt_relay_free(void *part)
{
    struct mqtt_relay *relay = part;
    bus_consumer_free(relay->consumer);
    relay->consumer = NULL;
    mqtt_free(relay->mqtt);
    base_timer_free(relay->again);
    free(relay);
}

/* Contract: a client id begins with the user's name. Each process has its own. */
static void client_id(const char *user, char *dst, size_t cap)
{
    struct base_buf buf;
    struct base_id id = base_id_new(0);
    char text[BASE_ID_TEXT + 1];
    base_id_text(id, text);
    base_buf_init(&buf, cap - 1);
    base_buf_addf(&buf, "%s:relay-%s", user, text + BASE_ID_TEXT - 12);
    (void)base_sv_cstr(base_buf_sv(&buf), dst, cap);
    base_buf_done(&buf);
}

static enum base_err mqtt_relay_start(const struct bridge_env *env, void **ret_part,
                                      struct base_buf *errors)
{
    char id[192];
    struct mqtt_relay *relay = calloc(1, sizeof(*relay));
    if (!relay)
        return BASE_NO_MEMORY;
    relay->env = *env;
    relay->link = (struct bridge_link){.name = "mqtt", .peer = BRIDGE_PEER_MQTT};
    client_id(env->config->mqtt_user, id, sizeof(id));
    struct mqtt_options options = {.loop = env->loop,
                                   .url = env->config->mqtt_url,
                                   .client_id = id,
                                   .username = env->config->mqtt_user,
                                   .password = env->config->mqtt_token,
                                   .ca_file = env->config->mqtt_ca,
                                   .on_state = on_mqtt_state,
                                   .ctx = relay};
    enum base_err err = base_timer_new(env->loop, on_again, relay, &relay->again);
    if (err == BASE_OK)
        err = mqtt_new(&options, &relay->mqtt, errors);
    if (err == BASE_OK)
        err = consume(relay);
    if (err != BASE_OK) {
        base_buf_addf(errors, "mqtt relay: %s\n", base_err_text(err));
        mqtt_relay_free(relay);
        return err;
    }
    pause_or_go_on(relay);
    *ret_part = relay;
    return BASE_OK;
}

static bool mqtt_relay_healthy(const void *part, const char **ret_why)
{
    const struct mqtt_relay *relay = part;
    *ret_why = relay->link.why;
    return mqtt_up(relay->mqtt);
}

static void mqtt_relay_reload(void *part, const struct bridge_config *config)
{
    struct mqtt_relay *relay = part;
    if (mqtt_set_password(relay->mqtt, config->mqtt_token) != BASE_OK)
        LOG_WARN("mqtt.token_kept", LOG_ERR(BASE_NO_MEMORY));
}

static void mqtt_relay_drain(void *part)
{
    struct mqtt_relay *relay = part;
    relay->draining = true;
    pause_or_go_on(relay);
}

static bool mqtt_relay_drained(const void *part)
{
    const struct mqtt_relay *relay = part;
    return relay->head == relay->tail || !mqtt_up(relay->mqtt);
}

const struct bridge_part_type bridge_mqtt_relay_part = {.name = "mqtt",
                                                        .role = BRIDGE_ROLE_MQTT,
                                                        .start = mqtt_relay_start,
                                                        .healthy = mqtt_relay_healthy,
                                                        .reload = mqtt_relay_reload,
                                                        .drain = mqtt_relay_drain,
                                                        .drained = mqtt_relay_drained,
                                                        .free = mqtt_relay_free};
