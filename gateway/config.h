/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's settings, filled from config.def. */
#ifndef GATEWAY_CONFIG_H
#define GATEWAY_CONFIG_H

#include "lib/base/config.h"

#define GW_FIELD_STR char *
#define GW_FIELD_INT int64_t
#define GW_FIELD_DURATION int64_t
#define GW_FIELD_SIZE int64_t
#define GW_FIELD_ENUM int

struct gw_config {
#define X(field, key, type, fallback, min, max, choices, flags, help) GW_FIELD_##type field;
#include "gateway/config.def"
#undef X
};

extern const struct base_config_table gw_config_table;

#endif
