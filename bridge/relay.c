/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The relay: takes numbered events from the store and publishes each to task-updates and, by its
 * type, to one more topic. A window remembers what the bus has not acknowledged yet; the cursor
 * follows the oldest of it. If a publication is lost, nothing further is taken until the window is
 * empty, and all after the cursor is published again, in order: consumers drop what they know.
 */
#include <stdlib.h>

#include "bridge/backlog.h"
#include "bridge/part.h"
#include "bridge/topics.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "tasks/event.h"
#include "tasks/store/relay.h"

enum { WINDOW = 32768, EVENT_MAX = 1 << 20 };
_Static_assert((WINDOW & (WINDOW - 1)) == 0, "indices are masked");

struct relay;

struct slot {
    struct relay *relay;
    int64_t id;
    int64_t taken_us;
    struct base_id event_id;
    struct base_trace trace; /* that the event belongs to */
    uint32_t ticket;         /* of its user's backlog */
    int waiting;             /* acknowledgements to come */
    bool reminder;
};

struct relay {
    struct bridge_env env;
    struct task_relay *store;
    struct bridge_link link;
    struct bridge_backlog *backlog;
    struct base_buf payload;
    struct bridge_log_budget log;
    bool bus_was_up;
    bool draining;
    bool failed; /* a publication was lost */
    uint64_t head, tail;
    struct slot window[WINDOW];
};

static void hold_or_go_on(struct relay *relay)
{
    struct base_sv users[BRIDGE_BACKLOG_HELD_MAX];
    if (bridge_backlog_changed(relay->backlog)) {
        size_t n = bridge_backlog_held(relay->backlog, users);
        base_metric_set(BASE_M_RELAY_HELD, 0, (int64_t)n);
        task_relay_hold_users(relay->store, users, n);
    }
    uint64_t used = relay->tail - relay->head;
    base_metric_set(BASE_M_RELAY_UNACKED, 0, (int64_t)used);
    if (relay->failed && used == 0 && !relay->draining) {
        relay->failed = false;
        task_relay_restart(relay->store);
    }
    /* One round may be under way already when the next is let go. */
    bool room = used + 2 * (uint64_t)relay->env.config->relay_batch <= WINDOW;
    task_relay_hold(relay->store, !relay->bus_was_up || relay->draining || relay->failed || !room);
}

/* The oldest acknowledged ones leave the window. */
static void advance(struct relay *relay)
{
    int64_t now = base_loop_now_us(relay->env.loop);
    int64_t done = 0;
    while (relay->head < relay->tail) {
        struct slot *slot = &relay->window[relay->head & (WINDOW - 1)];
        if (slot->waiting > 0)
            break;
        relay->head++;
        if (relay->failed)
            continue;
        done = slot->id;
        base_metric_observe_us(BASE_M_RELAY_PUBLISH_TIME, 0, now - slot->taken_us);
        bridge_span(&relay->env, "publish", bridge_topic_names[BRIDGE_TOPIC_UPDATES], &slot->trace,
                    now - slot->taken_us);
        if (slot->reminder)
            task_relay_published(relay->store, &slot->event_id, 1);
    }
    if (done)
        task_relay_save(relay->store, done);
}

static void answered(struct slot *slot)
{
    if (--slot->waiting == 0)
        bridge_backlog_end(slot->relay->backlog, slot->ticket);
}

static void on_acked(struct slot *slot, enum base_err err, size_t topic)
{
    struct relay *relay = slot->relay;
    answered(slot);
    if (err == BASE_OK) {
        base_metric_add(BASE_M_RELAY_PUBLISHED, topic, 1);
    } else {
        if (!relay->failed)
            LOG_WARN("relay.publish_failed", LOG_ERR(err), LOG_INT("row", slot->id));
        base_metric_inc(BASE_M_RELAY_ERRORS);
        relay->failed = true;
    }
    advance(relay);
    hold_or_go_on(relay);
}

static void on_updates_acked(void *ctx, enum base_err err)
{
    on_acked(ctx, err, BRIDGE_TOPIC_UPDATES);
}

static void on_tasks_acked(void *ctx, enum base_err err)
{
    on_acked(ctx, err, BRIDGE_TOPIC_TASKS);
}

static void on_reminders_acked(void *ctx, enum base_err err)
{
    on_acked(ctx, err, BRIDGE_TOPIC_REMINDERS);
}

static const bus_done_fn acked[] = {on_updates_acked, on_tasks_acked, on_reminders_acked};
_Static_assert(sizeof(acked) / sizeof(acked[0]) == BRIDGE_TOPIC_COUNT, "one for each topic");

static void publish_to(struct relay *relay, struct slot *slot, struct bus_message *message,
                       size_t topic)
{
    message->topic = bridge_topic_names[topic];
    enum base_err err = bus_publish(relay->env.bus, message, acked[topic], slot);
    if (err == BASE_OK) {
        slot->waiting++;
        return;
    }
    if (!relay->failed)
        LOG_WARN("relay.publish_failed", LOG_ERR(err), LOG_INT("row", slot->id));
    base_metric_inc(BASE_M_RELAY_ERRORS);
    relay->failed = true;
}

static void publish(struct relay *relay, const struct task_relay_event *event)
{
    struct slot *slot = &relay->window[relay->tail & (WINDOW - 1)];
    char seq[24], id[BASE_ID_TEXT + 1] = "", trace_text[BASE_TRACEPARENT_TEXT + 1] = "";
    struct base_buf text;
    *slot = (struct slot){.relay = relay,
                          .id = event->id,
                          .taken_us = base_loop_now_us(relay->env.loop),
                          .reminder = task_event_topic(event->type) == TASK_TOPIC_REMINDERS};
    slot->ticket = bridge_backlog_begin(relay->backlog, event->user_id);
    if (task_event_id(event->payload, &slot->event_id))
        base_id_text(slot->event_id, id);
    if (task_event_trace(event->payload, &slot->trace))
        base_trace_format(&slot->trace, trace_text);
    base_buf_init(&text, sizeof(seq) - 1);
    base_buf_add_int(&text, event->user_seq);
    (void)base_sv_cstr(base_buf_sv(&text), seq, sizeof(seq));
    base_buf_done(&text);
    base_buf_reset(&relay->payload);
    task_event_number(&relay->payload, event->payload, event->user_seq);
    struct bus_header headers[] = {
        {BUS_H_USERSEQ, base_sv_from(seq)},
        {BUS_H_TYPE, base_sv_from(task_event_name(event->type))},
        {BUS_H_ID, base_sv_from(id)},
        {"content-type", SV("application/cloudevents+json")},
        {BUS_H_TRACE, base_sv_from(trace_text)}, /* last: absent without a trace */
    };
    size_t header_count = sizeof(headers) / sizeof(headers[0]) - (trace_text[0] ? 0 : 1);
    struct bus_message message = {.key = event->user_id,
                                  .headers = headers,
                                  .header_count = header_count,
                                  .payload = base_buf_sv(&relay->payload)};
    relay->tail++;
    slot->waiting = 1; /* held back until all of it is handed over */
    publish_to(relay, slot, &message, BRIDGE_TOPIC_UPDATES);
    size_t also = bridge_topic_of(event->type);
    if (also != BRIDGE_TOPIC_UPDATES && !relay->failed)
        publish_to(relay, slot, &message, also);
    answered(slot);
    enum base_log_level level = bridge_log_level(&relay->log, slot->taken_us);
    BASE_LOG_AT(level, "relay.event", LOG_STR("type", task_event_name(event->type)),
                LOG_STR("event_id", id), LOG_SV("user", event->user_id),
                LOG_INT("userseq", event->user_seq), LOG_TRACE(&slot->trace));
}

static void on_events(void *ctx, const struct task_relay_event *events, size_t n)
{
    struct relay *relay = ctx;
    for (size_t i = 0; i < n && !relay->failed; i++)
        publish(relay, &events[i]);
    if (n > BRIDGE_LOG_BATCH)
        LOG_INFO("relay.batch", LOG_INT("events", n), LOG_INT("first", events[0].id),
                 LOG_INT("last", events[n - 1].id));
    advance(relay);
    hold_or_go_on(relay);
}

static void on_leader(void *ctx, bool leader)
{
    struct relay *relay = ctx;
    (void)relay;
    base_metric_set(BASE_M_RELAY_LEADER, 0, leader);
    LOG_INFO(leader ? "relay.leading" : "relay.following");
}

static void on_stats(void *ctx, const struct task_relay_stats *stats)
{
    (void)ctx;
    base_metric_set(BASE_M_RELAY_AGE, 0, stats->age_us / 1000000);
    base_metric_set(BASE_M_RELAY_DEPTH, 0, stats->depth);
    if (stats->blocker)
        LOG_WARN("relay.old", LOG_INT("age_ms", stats->age_us / 1000),
                 LOG_INT("depth", stats->depth), LOG_INT("oldest_snapshot_pid", stats->blocker));
}

static void on_state(void *ctx, bool up, const char *why)
{
    struct relay *relay = ctx;
    bridge_link_set(&relay->link, up, why);
}

static void relay_free(void *part)
{
    struct relay *relay = part;
    task_relay_free(relay->store);
    bridge_backlog_free(relay->backlog);
    base_buf_done(&relay->payload);
    free(relay);
}

static enum base_err relay_start(const struct bridge_env *env, void **ret_part,
                                 struct base_buf *errors)
{
    struct relay *relay = calloc(1, sizeof(*relay));
    if (!relay)
        return BASE_NO_MEMORY;
    relay->env = *env;
    relay->link =
        (struct bridge_link){.name = "relay database", .peer = BRIDGE_PEER_RELAY_DATABASE};
    base_buf_init(&relay->payload, EVENT_MAX);
    struct task_relay_options options = {.loop = env->loop,
                                         .url = env->config->database_url,
                                         .batch = (int)env->config->relay_batch,
                                         .keep_days = (int)(env->config->events_keep / 86400000),
                                         .on_leader = on_leader,
                                         .on_events = on_events,
                                         .on_stats = on_stats,
                                         .on_state = on_state,
                                         .ctx = relay};
    enum base_err err = bridge_backlog_new(&relay->backlog);
    if (err == BASE_OK)
        err = task_relay_new(&options, &relay->store);
    if (err != BASE_OK) {
        base_buf_addf(errors, "relay: %s\n", base_err_text(err));
        relay_free(relay);
        return err;
    }
    hold_or_go_on(relay);
    *ret_part = relay;
    return BASE_OK;
}

static bool relay_healthy(const void *part, const char **ret_why)
{
    const struct relay *relay = part;
    *ret_why = relay->link.why;
    return task_relay_up(relay->store);
}

static void relay_bus_state(void *part, bool up)
{
    struct relay *relay = part;
    relay->bus_was_up = relay->bus_was_up || up;
    hold_or_go_on(relay);
}

static void relay_sweep(void *part)
{
    struct relay *relay = part;
    task_relay_sweep(relay->store);
}

static void relay_drain(void *part)
{
    struct relay *relay = part;
    relay->draining = true;
    hold_or_go_on(relay);
}

static bool relay_drained(const void *part)
{
    const struct relay *relay = part;
    return relay->head == relay->tail && task_relay_idle(relay->store);
}

const struct bridge_part_type bridge_relay_part = {.name = "relay",
                                                   .role = BRIDGE_ROLE_RELAY,
                                                   .start = relay_start,
                                                   .healthy = relay_healthy,
                                                   .bus_state = relay_bus_state,
                                                   .sweep = relay_sweep,
                                                   .drain = relay_drain,
                                                   .drained = relay_drained,
                                                   .free = relay_free};
