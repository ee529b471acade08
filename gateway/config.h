/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's settings, filled from config.def. */
#ifndef GATEWAY_CONFIG_H
#define GATEWAY_CONFIG_H

#include "lib/base/config.h"

struct gw_config {
    char *database_url, *kafka_brokers, *kafka_properties, *kafka_password_file;
    char *mqtt_url, *mqtt_token;
    char *auth_secret, *auth_jwks_file, *auth_issuer, *auth_audience;
    int64_t auth_leeway_ms, auth_refresh_ms;
    char *listen_address, *internal_address, *origins, *web_root, *nlu_rules;
    int64_t listen_port, internal_port, threads;
    int64_t max_connections, max_message, max_queue, max_waiting, user_rate, ping_ms;
    int64_t drain_ms, drain_spread_ms;
    int log_level, log_format;
};

extern const struct base_config_table gw_config_table;

#endif
