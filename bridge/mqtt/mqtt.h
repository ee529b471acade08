/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An MQTT 5 client inside the caller's loop, by its descriptor. It connects by itself, comes back
 * with growing delay and jitter, and renews its subscriptions after each connect. Only mqtt.c sees
 * libmosquitto. Everything belongs to the loop's thread.
 */
#ifndef BRIDGE_MQTT_MQTT_H
#define BRIDGE_MQTT_MQTT_H

#include "lib/base/buf.h"
#include "lib/base/loop.h"

struct mqtt;

/* Valid during on_message only. */
struct mqtt_message {
    struct base_sv topic;
    struct base_sv payload;
    int qos;
    bool retained;
};

struct mqtt_options {
    struct base_loop *loop;
    const char *url;       /* mqtt://host[:1883] or mqtts://host[:8883]; copied, as are all texts */
    const char *client_id; /* stable where the session is to outlive the process */
    const char *username;  /* or NULL */
    const char *password;  /* the token, or NULL */
    const char *ca_file;   /* mqtts: authorities; NULL: the system's */
    const char *cert_file; /* mqtts: client certificate and key, or NULL */
    const char *key_file;
    int64_t session_expiry_s; /* 0: a clean session each time; otherwise kept that long */
    /* A message came. The client acknowledges QoS 1 to the broker when this returns: the
     * application's own answer is what counts for the sender. NULL: never subscribed. */
    void (*on_message)(void *ctx, const struct mqtt_message *message);
    /* Connected and subscribed, or lost. why: a short reason when not up. May be NULL. */
    void (*on_state)(void *ctx, bool up, const char *why);
    void *ctx;
};

/* INVALID: what is wrong with the URL or the TLS files is told in errors. */
BASE_MUST_CHECK enum base_err mqtt_new(const struct mqtt_options *options, struct mqtt **ret_mqtt,
                                       struct base_buf *errors);
/* Says goodbye to the broker; publications without an answer end with UNAVAILABLE. Not from inside
 * a callback. May wait for an attempt to connect that is under way. */
void mqtt_free(struct mqtt *mqtt);

bool mqtt_up(const struct mqtt *mqtt);
/* A new token for the next connect. */
BASE_MUST_CHECK enum base_err mqtt_set_password(struct mqtt *mqtt, const char *password);

/* "$share/gateways/todo/v1/+/chat/+/in" and the like, QoS 1; remembered and renewed. Before the
 * first connect or later. */
BASE_MUST_CHECK enum base_err mqtt_subscribe(struct mqtt *mqtt, const char *filter);

struct mqtt_property {
    const char *name;
    struct base_sv value;
};

struct mqtt_publication {
    const char *topic;
    struct base_sv payload;
    bool retain;
    int64_t expiry_s;         /* 0: none */
    const char *content_type; /* or NULL */
    const struct mqtt_property *properties;
    size_t property_count;
};

typedef void (*mqtt_done_fn)(void *ctx, enum base_err err);

/* QoS 1; all is copied. fn is called later, once: OK after the broker's PUBACK, FORBIDDEN and the
 * like when it refused. A publication under way is sent again after a reconnect. UNAVAILABLE: not
 * connected; OVERLOADED: too many under way; INVALID: the topic; then fn is never called. fn may be
 * NULL. */
BASE_MUST_CHECK enum base_err mqtt_publish(struct mqtt *mqtt,
                                           const struct mqtt_publication *publication,
                                           mqtt_done_fn fn, void *ctx);
size_t mqtt_in_flight(const struct mqtt *mqtt);

#endif
