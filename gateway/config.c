/* SPDX-License-Identifier: Apache-2.0 */
/* The table of config.def. */
#include "gateway/config.h"

static const struct base_config_key keys[] = {
#define X(field, key, type, fallback, min, max, choices, flags, help)                              \
    {                                                                                              \
        key,                                                                                       \
        BASE_CONFIG_##type,                                                                        \
        offsetof(struct gw_config, field),                                                         \
        fallback,                                                                                  \
        min,                                                                                       \
        max,                                                                                       \
        choices,                                                                                   \
        flags,                                                                                     \
        help},
#include "gateway/config.def"
#undef X
};

const struct base_config_table gw_config_table = {keys, sizeof(keys) / sizeof(keys[0]),
                                                  sizeof(struct gw_config)};
