/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part of the daemon: relay, scheduler, reviewer, MQTT relay, auditor, webhooks. main.c starts
 * those the roles name, asks them how they are, and drains them; it knows no more of them.
 */
#ifndef BRIDGE_PART_H
#define BRIDGE_PART_H

#include "bridge/bus/bus.h"
#include "bridge/config.h"
#include "lib/base/log.h"
#include "lib/base/loop.h"
#include "lib/otlp/otlp.h"

/* Label values of BASE_M_BRIDGE_LOST. */
enum bridge_peer {
    BRIDGE_PEER_RELAY_DATABASE,
    BRIDGE_PEER_SCHEDULER_DATABASE,
    BRIDGE_PEER_REVIEWER_DATABASE,
    BRIDGE_PEER_WEBHOOKS_DATABASE,
    BRIDGE_PEER_KAFKA,
    BRIDGE_PEER_DAPR,
    BRIDGE_PEER_MQTT,
    BRIDGE_PEER_COUNT
};

/* Each event has a log line with its trace id, so that a message can be followed. They are written
 * at info up to so many a second, above that at debug. */
struct bridge_log_budget {
    int64_t until_us;
    int used;
};
enum base_log_level bridge_log_level(struct bridge_log_budget *budget, int64_t now_us);

/* A batch of more than this has a line of its own. */
enum { BRIDGE_LOG_BATCH = 8 };

struct bridge_env {
    struct base_loop *loop;
    const struct bridge_config *config;
    struct bus *bus;             /* NULL if no role needs it */
    struct otlp_exporter *spans; /* NULL: none are wanted */
};

/* An event was published there, caused by the trace's span: a span from so long ago until now.
 * Nothing where none is wanted. */
void bridge_span(const struct bridge_env *env, const char *name, const char *destination,
                 const struct base_trace *cause, int64_t took_us);

struct bridge_part_type {
    const char *name;
    unsigned role;
    enum base_err (*start)(const struct bridge_env *env, void **ret_part, struct base_buf *errors);
    /* True if it can do its work; otherwise a short reason. */
    bool (*healthy)(const void *part, const char **ret_why);
    /* The bus became reachable, or not. May be NULL. */
    void (*bus_state)(void *part, bool up);
    /* SIGHUP: settings that may change while it runs. May be NULL. */
    void (*reload)(void *part, const struct bridge_config *config);
    /* Look now for what is old enough to go, or has become due unnoticed. May be NULL. */
    void (*sweep)(void *part);
    /* Begin nothing new, finish what is under way. */
    void (*drain)(void *part);
    bool (*drained)(const void *part);
    void (*free)(void *part);
};

extern const struct bridge_part_type bridge_relay_part;
extern const struct bridge_part_type bridge_scheduler_part;
extern const struct bridge_part_type bridge_reviewer_part;
extern const struct bridge_part_type bridge_mqtt_relay_part;
extern const struct bridge_part_type bridge_auditor_part;
extern const struct bridge_part_type bridge_webhooks_part;

/* Connection states in the log and the metric: every change once, a failing attempt at debug. */
struct bridge_link {
    const char *name;
    enum bridge_peer peer;
    bool up, was_told;
    char why[160];
};
void bridge_link_set(struct bridge_link *link, bool up, const char *why);

#endif
