/* SPDX-License-Identifier: Apache-2.0 */
/* todo-bridge's settings, from config.def. */
#ifndef BRIDGE_CONFIG_H
#define BRIDGE_CONFIG_H

#include "lib/base/config.h"

#define BRIDGE_FIELD_STR char *
#define BRIDGE_FIELD_INT int64_t
#define BRIDGE_FIELD_DURATION int64_t
#define BRIDGE_FIELD_ENUM int

struct bridge_config {
#define X(field, key, type, fallback, min, max, choices, flags, help) BRIDGE_FIELD_##type field;
#include "bridge/config.def"
#undef X
};

extern const struct base_config_table bridge_config_table;

enum bridge_role {
    BRIDGE_ROLE_RELAY = 1,
    BRIDGE_ROLE_SCHEDULER = 2,
    BRIDGE_ROLE_MQTT = 4,
    BRIDGE_ROLE_AUDIT = 8,
    BRIDGE_ROLE_WEBHOOKS = 16
};

/* What the rows cannot say: roles that exist, and what each of them needs. A line for each thing
 * that is wrong. */
BASE_MUST_CHECK enum base_err bridge_config_check(const struct bridge_config *config,
                                                  unsigned *ret_roles, struct base_buf *errors);

#endif
