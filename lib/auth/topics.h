/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what with which MQTT topic. Pure, and a table: whatever no row allows is refused. The
 * user's level is compared byte by byte and never matches a wildcard, so that no filter can reach
 * into another user's topics.
 */
#ifndef AUTH_TOPICS_H
#define AUTH_TOPICS_H

#include "lib/base/sv.h"

enum auth_access {
    AUTH_READ,      /* be sent a message of this topic */
    AUTH_SUBSCRIBE, /* topic is a filter */
    AUTH_WRITE,
};

struct auth_client {
    struct base_sv user; /* the token's sub */
    bool service;
};

/* retain counts for AUTH_WRITE only. */
bool auth_topic_allowed(const struct auth_client *client, enum auth_access access,
                        struct base_sv topic, bool retain);

#endif
