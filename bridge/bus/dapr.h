/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bus through a Dapr sidecar: publications in bulk calls, one under way for each topic, so that
 * a user's events stay in order; events by routes that the sidecar calls on our internal listener.
 * A consumer's group is the name of a Dapr pub/sub component whose consumerGroup is the same, so
 * that a team may change from the direct bus to this one, and back, and go on where it was.
 */
#ifndef BRIDGE_BUS_DAPR_H
#define BRIDGE_BUS_DAPR_H

#include "bridge/bus/bus.h"
#include "lib/dapr/sidecar.h"

/* Components of dapr/components/; those of groups are called as the groups. */
#define BUS_DAPR_PUBLISH "todo-events"
#define BUS_DAPR_BROADCAST "todo-broadcast"

struct bus_dapr_options {
    struct base_loop *loop;
    const struct dapr_settings *settings; /* lives as long as the bus */
    /* The sidecar can be called, or not; why is NULL when up. NULL if not wanted. */
    void (*on_state)(void *ctx, bool up, const char *why);
    /* A binding of that name has fired: /dapr/bindings/{name}. NULL: none is wanted. */
    void (*on_binding)(void *ctx, struct base_sv name, struct base_sv body);
    void *ctx;
};

BASE_MUST_CHECK enum base_err bus_dapr_new(const struct bus_dapr_options *options,
                                           struct bus **ret_bus);

/* All consumers have been made: the sidecar, which asks once, may be told what to bring. A bus of
 * another kind needs nothing. */
void bus_dapr_announce(struct bus *bus);

/* A request to /dapr/… of the internal listener, in the loop's thread; it is answered now or later.
 * bus: NULL, or a bus of another kind, answers that there is nothing here. */
void bus_dapr_serve(struct bus *bus, struct net_request *req);

/* The longest body that the sidecar may send. */
size_t bus_dapr_body_limit(void);

#endif
