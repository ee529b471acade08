/* SPDX-License-Identifier: Apache-2.0 */
/* Which events go where: topics of the bus, topics of MQTT. Pure. */
#ifndef BRIDGE_TOPICS_H
#define BRIDGE_TOPICS_H

#include "lib/base/buf.h"

enum bridge_topic {
    BRIDGE_TOPIC_UPDATES,
    BRIDGE_TOPIC_TASKS,
    BRIDGE_TOPIC_REMINDERS,
    BRIDGE_TOPIC_COUNT
};
extern const char *const bridge_topic_names[BRIDGE_TOPIC_COUNT];

/* The topic of an event besides task-updates, or BRIDGE_TOPIC_UPDATES if there is none. */
enum bridge_topic bridge_topic_of(int event_type);

enum bridge_mqtt_kind { BRIDGE_MQTT_UPDATES, BRIDGE_MQTT_REMINDERS, BRIDGE_MQTT_COUNT };
extern const char *const bridge_mqtt_names[BRIDGE_MQTT_COUNT];

/* "todo/v1/{user}/updates"; false for a user id that must not stand in a topic. */
bool bridge_mqtt_topic(enum bridge_mqtt_kind kind, struct base_sv user, char *dst, size_t cap);
/* Seconds a message is still useful that was published age_ms ago; at least 1. */
int64_t bridge_mqtt_expiry_s(enum bridge_mqtt_kind kind, int64_t age_ms);

#endif
