/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/config.h"

#include "bridge/bus/bus.h"
#include "bridge/bus/kafka.h"

static const struct base_config_key keys[] = {
#define X(field, key, type, fallback, min, max, choices, flags, help)                              \
    {key,                                                                                          \
     BASE_CONFIG_##type,                                                                           \
     offsetof(struct bridge_config, field),                                                        \
     fallback,                                                                                     \
     min,                                                                                          \
     max,                                                                                          \
     choices,                                                                                      \
     flags,                                                                                        \
     help},
#include "bridge/config.def"
#undef X
};

const struct base_config_table bridge_config_table = {keys, sizeof(keys) / sizeof(keys[0]),
                                                      sizeof(struct bridge_config)};

static const struct {
    const char *name;
    enum bridge_role role;
} roles[] = {{"relay", BRIDGE_ROLE_RELAY},
             {"scheduler", BRIDGE_ROLE_SCHEDULER},
             {"mqtt", BRIDGE_ROLE_MQTT},
             {"audit", BRIDGE_ROLE_AUDIT},
             {"webhooks", BRIDGE_ROLE_WEBHOOKS}};

static unsigned role_named(struct base_sv name)
{
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
        if (base_sv_eq_c(name, roles[i].name))
            return roles[i].role;
    return 0;
}

enum base_err bridge_config_check(const struct bridge_config *config, unsigned *ret_roles,
                                  struct base_buf *errors)
{
    unsigned mask = 0;
    bool ok = true;
    struct base_sv rest = base_sv_from(config->roles);
    while (rest.ptr) {
        struct base_sv name = base_sv_trim(base_sv_split(&rest, ','));
        unsigned role = role_named(name);
        if (!role) {
            base_buf_addf(errors,
                          "roles: \"%.*s\" is not one of relay, scheduler, mqtt, audit, webhooks\n",
                          SV_FMT(name));
            ok = false;
        }
        mask |= role;
    }
    if (!config->audit_dir[0])
        mask &= ~(unsigned)BRIDGE_ROLE_AUDIT;
    if (ok && !mask) {
        base_buf_add_c(errors, "audit.dir must be set for the role audit alone\n");
        ok = false;
    }
    const struct {
        const char *value, *key;
        unsigned roles;
    } needs[] = {
        {config->database_url, "database.url",
         BRIDGE_ROLE_RELAY | BRIDGE_ROLE_SCHEDULER | BRIDGE_ROLE_WEBHOOKS},
        {config->bus == BUS_KIND_DAPR ? "-" : config->kafka_brokers, "kafka.brokers",
         BRIDGE_ROLE_RELAY | BRIDGE_ROLE_MQTT | BRIDGE_ROLE_AUDIT | BRIDGE_ROLE_WEBHOOKS},
        {config->mqtt_url, "mqtt.url", BRIDGE_ROLE_MQTT},
    };
    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        if ((mask & needs[i].roles) && !needs[i].value[0]) {
            base_buf_addf(errors, "%s must be set for these roles\n", needs[i].key);
            ok = false;
        }
    }
    if (!bus_kafka_check(config->kafka_properties, config->kafka_password_file, errors) || !ok)
        return BASE_INVALID;
    *ret_roles = mask;
    return BASE_OK;
}
