/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt://host[:port] and mqtts://host[:port], the host as a name, an address or [IPv6]. */
#ifndef BRIDGE_MQTT_MQTT_URL_H
#define BRIDGE_MQTT_MQTT_URL_H

#include "lib/base/sv.h"

struct mqtt_url {
    char host[256];
    int port;
    bool tls;
};

/* False on anything else: user information, paths and queries are refused. */
bool mqtt_url_parse(struct base_sv text, struct mqtt_url *ret_url);

#endif
