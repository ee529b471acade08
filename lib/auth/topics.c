/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of the MQTT contract as patterns, matched level by level. In a pattern {own} is the
 * client's own name, {user} and {device} are any valid ones, {rest} is everything that follows;
 * other levels, "+" among them, stand for themselves.
 */
#include "lib/auth/topics.h"

#include "lib/auth/names.h"

struct rule {
    bool service;
    enum auth_access access;
    bool may_retain;
    const char *pattern;
};

static const struct rule rules[] = {
    {false, AUTH_READ, false, "todo/v1/{own}/{rest}"},
    {false, AUTH_SUBSCRIBE, false, "todo/v1/{own}/{rest}"},
    {false, AUTH_WRITE, false, "todo/v1/{own}/actions/{device}/in"},
    {false, AUTH_WRITE, false, "todo/v1/{own}/chat/{device}/in"},
    {true, AUTH_READ, false, "todo/v1/{user}/actions/{device}/in"},
    {true, AUTH_READ, false, "todo/v1/{user}/chat/{device}/in"},
    {true, AUTH_SUBSCRIBE, false, "$share/gateways/todo/v1/+/actions/+/in"},
    {true, AUTH_SUBSCRIBE, false, "$share/gateways/todo/v1/+/chat/+/in"},
    {true, AUTH_WRITE, false, "todo/v1/{user}/actions/{device}/out"},
    {true, AUTH_WRITE, false, "todo/v1/{user}/chat/{device}/out"},
    {true, AUTH_WRITE, false, "todo/v1/{user}/reminders"},
    {true, AUTH_WRITE, false, "todo/v1/{user}/updates"},
    {true, AUTH_WRITE, true, "todo/v1/{user}/next"},
};

static bool level_fits(struct base_sv pattern, struct base_sv level, struct base_sv own)
{
    if (base_sv_eq(pattern, SV("{own}")))
        return base_sv_eq(level, own) && auth_user_valid(own);
    if (base_sv_eq(pattern, SV("{user}")))
        return auth_user_valid(level);
    if (base_sv_eq(pattern, SV("{device}")))
        return auth_device_valid(level);
    return base_sv_eq(pattern, level);
}

static bool topic_fits(const char *text, struct base_sv topic, struct base_sv own)
{
    struct base_sv pattern = base_sv_from(text);
    while (pattern.ptr && topic.ptr) {
        struct base_sv wanted = base_sv_split(&pattern, '/');
        if (base_sv_eq(wanted, SV("{rest}")))
            return topic.len > 0;
        if (!level_fits(wanted, base_sv_split(&topic, '/'), own))
            return false;
    }
    return !pattern.ptr && !topic.ptr;
}

bool auth_topic_allowed(const struct auth_client *client, enum auth_access access,
                        struct base_sv topic, bool retain)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        const struct rule *rule = &rules[i];
        if (rule->service == client->service && rule->access == access &&
            topic_fits(rule->pattern, topic, client->user))
            return access != AUTH_WRITE || !retain || rule->may_retain;
    }
    return false;
}
