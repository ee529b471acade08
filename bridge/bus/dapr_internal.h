/* SPDX-License-Identifier: Apache-2.0 */
/* What dapr.c (bus and health), dapr_publish.c and dapr_intake.c share. */
#ifndef BRIDGE_BUS_DAPR_INTERNAL_H
#define BRIDGE_BUS_DAPR_INTERNAL_H

#include "bridge/bus/dapr.h"

struct dapr_outbox;
struct dapr_consumer;

/* What the sidecar is asked for. It outlives the consumer, which may be made anew at any time. */
struct dapr_subscription {
    const char *component, *topic;
    bool broadcast;
};
enum { DAPR_SUBSCRIPTIONS_MAX = 16 };

struct dapr {
    struct bus base;
    struct bus_dapr_options options;
    struct dapr_client *client;
    struct base_timer *timer;     /* the next look at the sidecar */
    struct dapr_outbox *outboxes; /* one for each topic published to */
    size_t pending;               /* publications without an answer */
    struct dapr_consumer *consumers;
    struct dapr_subscription subscriptions[DAPR_SUBSCRIPTIONS_MAX];
    size_t subscription_count;
    bool announced;
    struct net_request *asked; /* /dapr/subscribe, before they were all known */
    bool up;
    bool was_up;
    bool closing;
    int64_t looked_us;
    int looks_until_check; /* of the subscriptions */
    char why[192];
};

extern const struct bus_vtable dapr_vtable;

/* dapr_publish.c */
enum base_err dapr_publish(struct bus *bus, const struct bus_message *message, bus_done_fn fn,
                           void *ctx);
/* Every publication ends with UNAVAILABLE. */
void dapr_outboxes_free(struct dapr *dapr);

/* dapr_intake.c */
enum base_err dapr_consume(struct bus *bus, const struct bus_consumer_options *options,
                           struct bus_consumer **ret_consumer);
void dapr_consumer_free(struct bus_consumer *base);
void dapr_consumer_pause(struct bus_consumer *base, bool paused);
enum base_err dapr_consumer_commit(struct bus_consumer *base, int32_t partition, int64_t offset);
/* Broadcasts may have been missed until a moment ago. */
void dapr_consumers_gap(struct dapr *dapr);
/* A subscription of ours that the sidecar's metadata does not have, told in why. */
bool dapr_subscriptions_missing(const struct dapr *dapr, struct base_sv metadata, char *why,
                                size_t cap);
void dapr_intake_close(struct dapr *dapr);

#endif
