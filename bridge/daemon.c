/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order matters at the end: consumers of the bus go before the bus, those who wait for its
 * acknowledgements after it. The table of parts is in that order of starting; those that consume,
 * the MQTT relay, the auditor and the webhooks, stand first.
 */
#include "bridge/daemon.h"

#include <stdlib.h>

#include "bridge/bus/dapr.h"
#include "bridge/bus/kafka.h"
#include "bridge/migrator.h"
#include "bridge/part.h"
#include "bridge/topics.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"

enum { DRAIN_STEP_MS = 10 };

static const struct bridge_part_type *const types[] = {
    &bridge_mqtt_relay_part, &bridge_auditor_part,   &bridge_webhooks_part,
    &bridge_relay_part,      &bridge_scheduler_part, &bridge_reviewer_part};
enum { PARTS = sizeof(types) / sizeof(types[0]), CONSUMING_PARTS = 3 };

struct bridge_daemon {
    struct bridge_env env;
    unsigned roles;
    const struct dapr_settings *dapr;
    struct bridge_migrator *migrator;
    struct bridge_link bus_link;
    void *parts[PARTS]; /* NULL: not started */
    bool started;
    bool draining;
    struct base_timer *drain_timer;
    int64_t drain_until_us;
    base_call_fn drain_fn;
    void *drain_ctx;
};

static void each_bus_state(struct bridge_daemon *daemon, bool up)
{
    for (size_t i = 0; i < PARTS; i++)
        if (daemon->parts[i] && types[i]->bus_state)
            types[i]->bus_state(daemon->parts[i], up);
}

static void on_bus_state(void *ctx, bool up, const char *why)
{
    struct bridge_daemon *daemon = ctx;
    bridge_link_set(&daemon->bus_link, up, why);
    each_bus_state(daemon, up);
}

/* Cron of a Dapr component: the same as the parts do by their own clocks, now. */
static void on_binding(void *ctx, struct base_sv name, struct base_sv body)
{
    struct bridge_daemon *daemon = ctx;
    if (base_sv_eq_c(name, "todo-dead-letters")) {
        base_metric_inc(BASE_M_DAPR_DEAD_LETTERS_SEEN);
        LOG_WARN("bus.dead_letter", LOG_INT("bytes", body.len));
        return;
    }
    if (!base_sv_eq_c(name, "todo-sweep")) {
        LOG_WARN("dapr.unknown_binding", LOG_SV("name", name));
        return;
    }
    LOG_INFO("bridge.sweep");
    for (size_t i = 0; i < PARTS; i++)
        if (daemon->parts[i] && types[i]->sweep)
            types[i]->sweep(daemon->parts[i]);
}

static enum base_err bus_start(struct bridge_daemon *daemon, struct base_buf *errors)
{
    const struct bridge_config *config = daemon->env.config;
    if (config->bus == BUS_KIND_DAPR)
        return bus_dapr_new(&(struct bus_dapr_options){.loop = daemon->env.loop,
                                                       .settings = daemon->dapr,
                                                       .on_state = on_bus_state,
                                                       .on_binding = on_binding,
                                                       .ctx = daemon},
                            &daemon->env.bus);
    struct bus_kafka_options options = {.loop = daemon->env.loop,
                                        .brokers = config->kafka_brokers,
                                        .client_id = "todo-bridge",
                                        .properties = config->kafka_properties,
                                        .password_file = config->kafka_password_file,
                                        .make_topics = true,
                                        .partitions = (int)config->kafka_partitions,
                                        .replication = (int)config->kafka_replication,
                                        .retention_ms = config->kafka_retention,
                                        .on_state = on_bus_state,
                                        .ctx = daemon};
    if (daemon->roles == BRIDGE_ROLE_SCHEDULER && !config->kafka_brokers[0])
        return BASE_OK; /* a scheduler alone tells of dead letters if it is told where */
    return bus_kafka_new(&options, &daemon->env.bus, errors);
}

static enum base_err parts_start(struct bridge_daemon *daemon, struct base_buf *errors)
{
    enum base_err err = BASE_OK;
    for (size_t i = 0; i < PARTS && err == BASE_OK; i++)
        if (daemon->roles & types[i]->role)
            err = types[i]->start(&daemon->env, &daemon->parts[i], errors);
    daemon->started = err == BASE_OK;
    if (daemon->started && daemon->env.bus)
        bus_dapr_announce(daemon->env.bus);
    const char *why;
    if (daemon->started && daemon->env.bus && bus_up(daemon->env.bus, &why))
        each_bus_state(daemon, true);
    return err;
}

static void on_migrated(void *ctx)
{
    struct bridge_daemon *daemon = ctx;
    struct base_buf errors;
    if (daemon->draining)
        return;
    base_buf_init(&errors, 4096);
    if (parts_start(daemon, &errors) != BASE_OK)
        LOG_ERROR("bridge.start_failed", LOG_SV("why", base_sv_trim(base_buf_sv(&errors))));
    else
        LOG_INFO("bridge.started", LOG_STR("roles", daemon->env.config->roles));
    base_buf_done(&errors);
}

static void register_labels(void)
{
    static const char *const peers[BRIDGE_PEER_COUNT] = {"relay_database",
                                                         "scheduler_database",
                                                         "reviewer_database",
                                                         "webhooks_database",
                                                         "kafka",
                                                         "dapr",
                                                         "mqtt"};
    base_metrics_labels(BASE_M_BRIDGE_LOST, peers, BRIDGE_PEER_COUNT);
    base_metrics_labels(BASE_M_RELAY_PUBLISHED, bridge_topic_names, BRIDGE_TOPIC_COUNT);
    base_metrics_labels(BASE_M_MQTT_PUBLISHED, bridge_mqtt_names, BRIDGE_MQTT_COUNT);
}

/* Drained. */

static bool all_drained(const struct bridge_daemon *daemon)
{
    for (size_t i = 0; i < PARTS; i++)
        if (daemon->parts[i] && !types[i]->drained(daemon->parts[i]))
            return false;
    return true;
}

static void on_drain_step(void *ctx)
{
    struct bridge_daemon *daemon = ctx;
    bool drained = all_drained(daemon);
    if (!drained && base_loop_now_us(daemon->env.loop) < daemon->drain_until_us) {
        base_timer_start(daemon->drain_timer, DRAIN_STEP_MS);
        return;
    }
    otlp_flush(daemon->env.spans);
    if (drained)
        LOG_INFO("bridge.drained");
    else
        LOG_WARN("bridge.drain_deadline");
    daemon->drain_fn(daemon->drain_ctx);
}

void bridge_daemon_drain(struct bridge_daemon *daemon, int64_t deadline_ms, base_call_fn fn,
                         void *ctx)
{
    daemon->draining = true;
    daemon->drain_until_us = base_loop_now_us(daemon->env.loop) + deadline_ms * 1000;
    daemon->drain_fn = fn;
    daemon->drain_ctx = ctx;
    for (size_t i = 0; i < PARTS; i++)
        if (daemon->parts[i])
            types[i]->drain(daemon->parts[i]);
    base_timer_start(daemon->drain_timer, 0);
}

/* Health. */

static bool add_health(struct base_buf *json, const char *name, bool ok, const char *why)
{
    base_json_key(json, name);
    base_json_open(json, '{');
    base_json_kv_bool(json, "ok", ok);
    if (!ok)
        base_json_kv_opt(json, "why", base_sv_from(why));
    base_json_close(json, '}');
    return ok;
}

bool bridge_daemon_ready(const struct bridge_daemon *daemon, struct base_buf *json)
{
    const char *why = "";
    bool ok = true;
    base_json_open(json, '{');
    base_json_key(json, "parts");
    base_json_open(json, '{');
    if (daemon->migrator) {
        bool done = bridge_migrator_done(daemon->migrator, &why);
        ok = add_health(json, "schema", done, why) && ok;
    }
    if (daemon->env.bus) {
        bool up = bus_up(daemon->env.bus, &why);
        ok = add_health(json, daemon->bus_link.name, up, why) && ok;
    }
    for (size_t i = 0; i < PARTS; i++) {
        if (!(daemon->roles & types[i]->role))
            continue;
        why = "not started yet";
        bool up = daemon->parts[i] && types[i]->healthy(daemon->parts[i], &why);
        ok = add_health(json, types[i]->name, up, why) && ok;
    }
    base_json_close(json, '}');
    base_json_kv_str(json, "status",
                     base_sv_from(daemon->draining ? "draining"
                                  : ok             ? "ready"
                                                   : "not ready"));
    base_json_close(json, '}');
    return ok && !daemon->draining;
}

void bridge_daemon_reload(struct bridge_daemon *daemon, const struct bridge_config *config)
{
    for (size_t i = 0; i < PARTS; i++)
        if (daemon->parts[i] && types[i]->reload)
            types[i]->reload(daemon->parts[i], config);
}

/* Life. */

static void free_parts(struct bridge_daemon *daemon, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (daemon->parts[i])
            types[i]->free(daemon->parts[i]);
}

void bridge_daemon_free(struct bridge_daemon *daemon)
{
    if (!daemon)
        return;
    bridge_migrator_free(daemon->migrator);
    free_parts(daemon, 0, CONSUMING_PARTS);
    bus_free(daemon->env.bus);
    free_parts(daemon, CONSUMING_PARTS, PARTS);
    base_timer_free(daemon->drain_timer);
    otlp_free(daemon->env.spans);
    free(daemon);
}

struct bus *bridge_daemon_bus(struct bridge_daemon *daemon)
{
    return daemon->env.bus;
}

enum base_err bridge_daemon_new(struct base_loop *loop, const struct bridge_config *config,
                                const struct dapr_settings *dapr, unsigned roles,
                                struct bridge_daemon **ret_daemon, struct base_buf *errors)
{
    struct bridge_daemon *daemon = calloc(1, sizeof(*daemon));
    if (!daemon)
        return BASE_NO_MEMORY;
    daemon->env = (struct bridge_env){.loop = loop, .config = config};
    daemon->roles = roles;
    daemon->dapr = dapr;
    daemon->bus_link = config->bus == BUS_KIND_DAPR
                           ? (struct bridge_link){.name = "dapr", .peer = BRIDGE_PEER_DAPR}
                           : (struct bridge_link){.name = "kafka", .peer = BRIDGE_PEER_KAFKA};
    register_labels();
    enum base_err err = base_timer_new(loop, on_drain_step, daemon, &daemon->drain_timer);
    if (err == BASE_OK)
        err = otlp_new(&(struct otlp_options){.loop = loop,
                                              .endpoint = config->otlp_endpoint,
                                              .service = "todo-bridge",
                                              .percent = config->otlp_percent},
                       &daemon->env.spans, errors);
    if (err == BASE_OK)
        err = bus_start(daemon, errors);
    if (err == BASE_OK && (roles & (BRIDGE_ROLE_RELAY | BRIDGE_ROLE_SCHEDULER)))
        err =
            bridge_migrator_new(loop, config->database_url, on_migrated, daemon, &daemon->migrator);
    else if (err == BASE_OK)
        err = parts_start(daemon, errors);
    if (err != BASE_OK) {
        bridge_daemon_free(daemon);
        return err;
    }
    *ret_daemon = daemon;
    return BASE_OK;
}
