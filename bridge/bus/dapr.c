/* SPDX-License-Identifier: Apache-2.0 */
/* The bus itself: is the sidecar there? It is asked once a second. */
#include "bridge/bus/dapr.h"

#include <stdio.h>
#include <stdlib.h>

#include "bridge/bus/dapr_internal.h"
#include "lib/base/log.h"

enum {
    LOOK_MS = 1000,
    LOOK_AGAIN_MS = 250,
    LOOKS_BETWEEN_CHECKS = 10,
    CALL_MS = 30000,
    ASLEEP_US = 5000000,
    METADATA_MAX = 1 << 20
};

static void set_state(struct dapr *dapr, bool up, const char *why)
{
    bool changed = up != dapr->up;
    dapr->up = up;
    dapr->was_up = dapr->was_up || up;
    (void)snprintf(dapr->why, sizeof(dapr->why), "%s", why);
    base_timer_start(dapr->timer, up ? LOOK_MS : LOOK_AGAIN_MS);
    if (!changed)
        return;
    if (up)
        dapr_consumers_gap(dapr);
    if (dapr->options.on_state)
        dapr->options.on_state(dapr->options.ctx, up, up ? NULL : dapr->why);
}

/* Does the sidecar bring what our consumers want? It asks for that once, when it meets its app, and
 * if another program was there then (or this one with another bus) nothing ever comes. */
static void on_metadata(void *ctx, int status, const char *why, struct base_sv body)
{
    struct dapr *dapr = ctx;
    char text[160];
    const char *missing = NULL;
    if (dapr->closing)
        return;
    if (status == 401)
        missing = "the sidecar refuses our token (dapr.token)";
    else if (status == 200 && dapr_subscriptions_missing(dapr, body, text, sizeof(text)))
        missing = text;
    else if (status != 200)
        missing = why[0] ? why : "the sidecar tells nothing of itself";
    dapr->looks_until_check = missing ? 0 : LOOKS_BETWEEN_CHECKS;
    set_state(dapr, !missing, missing ? missing : "");
}

static void on_health(void *ctx, int status, const char *why, struct base_sv body)
{
    struct dapr *dapr = ctx;
    const struct dapr_call call = {
        .method = "GET", .path = "/v1.0/metadata", .answer_max = METADATA_MAX};
    char text[64];
    (void)body;
    if (dapr->closing)
        return;
    bool healthy = status >= 200 && status < 300;
    if (healthy && dapr->looks_until_check-- <= 0 &&
        dapr_client_call(dapr->client, &call, on_metadata, dapr) == BASE_OK)
        return;
    if (!healthy)
        dapr->looks_until_check = 0;
    (void)snprintf(text, sizeof(text), "the sidecar answered %d", status);
    set_state(dapr, healthy, status ? text : why);
}

static void look(void *ctx)
{
    struct dapr *dapr = ctx;
    int64_t now = base_loop_now_us(dapr->options.loop);
    const struct dapr_call call = {.method = "GET", .path = "/v1.0/healthz/outbound"};
    /* This process stood still, or the machine: who knows what the sidecar thought of it. */
    if (dapr->looked_us && now - dapr->looked_us > ASLEEP_US)
        dapr_consumers_gap(dapr);
    dapr->looked_us = now;
    enum base_err err = dapr_client_call(dapr->client, &call, on_health, dapr);
    if (err != BASE_OK)
        set_state(dapr, false, base_err_text(err));
}

static void dapr_free(struct bus *bus)
{
    struct dapr *dapr = (struct dapr *)bus;
    dapr->closing = true;
    dapr_intake_close(dapr);
    dapr_client_free(dapr->client);
    dapr_outboxes_free(dapr);
    base_timer_free(dapr->timer);
    free(dapr);
}

static bool dapr_up(const struct bus *bus, const char **ret_why)
{
    const struct dapr *dapr = (const struct dapr *)bus;
    if (!dapr->up)
        *ret_why = dapr->why;
    return dapr->up;
}

const struct bus_vtable dapr_vtable = {.free = dapr_free,
                                       .up = dapr_up,
                                       .publish = dapr_publish,
                                       .consume = dapr_consume,
                                       .consumer_free = dapr_consumer_free,
                                       .consumer_pause = dapr_consumer_pause,
                                       .consumer_commit = dapr_consumer_commit};

enum base_err bus_dapr_new(const struct bus_dapr_options *options, struct bus **ret_bus)
{
    struct dapr *dapr = calloc(1, sizeof(*dapr));
    if (!dapr)
        return BASE_NO_MEMORY;
    dapr->base.vtable = &dapr_vtable;
    dapr->options = *options;
    (void)snprintf(dapr->why, sizeof(dapr->why), "connecting");
    enum base_err err = base_timer_new(options->loop, look, dapr, &dapr->timer);
    if (err == BASE_OK)
        err = dapr_client_new(options->settings, options->loop, CALL_MS, &dapr->client);
    if (err != BASE_OK) {
        base_timer_free(dapr->timer);
        free(dapr);
        return err;
    }
    base_timer_start(dapr->timer, 0);
    *ret_bus = &dapr->base;
    return BASE_OK;
}
