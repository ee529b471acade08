/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/auth/mosquitto/revoked.h"

#include <jansson.h>

#include "lib/base/clock.h"

#define PREFIX SV("todo/v1/")
#define SUFFIX SV("/updates")
#define TYPE "session.revoked"

/* Hardly a message has the word in it, so hardly one is parsed. Fields may be in any order: a
 * sidecar that carried the event has sorted them. */
static bool read_until(struct base_sv payload, int64_t *ret_until_us)
{
    if (!payload.len || !memmem(payload.ptr, payload.len, TYPE, sizeof(TYPE) - 1))
        return false;
    json_t *event = json_loadb(payload.ptr, payload.len, JSON_REJECT_DUPLICATES, NULL);
    const char *type = json_string_value(json_object_get(event, "type"));
    const json_t *data = json_object_get(event, "data");
    const char *until = json_string_value(json_object_get(data, "issued_until"));
    bool is = type && strcmp(type, TYPE) == 0 && until &&
              base_time_parse(base_sv_from(until), ret_until_us);
    json_decref(event);
    return is;
}

bool auth_revoked_event(struct base_sv topic, struct base_sv payload, struct base_sv *ret_user,
                        int64_t *ret_until_us)
{
    if (!base_sv_starts(topic, PREFIX) || !base_sv_ends(topic, SUFFIX) ||
        topic.len <= PREFIX.len + SUFFIX.len)
        return false;
    *ret_user = base_sv_sub(topic, PREFIX.len, topic.len - SUFFIX.len);
    return read_until(payload, ret_until_us);
}

static uint64_t hash_of(struct base_sv user)
{
    return base_sv_hash(user, 0) | 1;
}

void auth_revoked_put(struct auth_revoked *revoked, struct base_sv user, int64_t until_us)
{
    revoked->entries[revoked->next].user = hash_of(user);
    revoked->entries[revoked->next].until_us = until_us;
    revoked->next = (revoked->next + 1) % AUTH_REVOKED_MAX;
}

bool auth_revoked_has(const struct auth_revoked *revoked, struct base_sv user, int64_t issued_us)
{
    uint64_t hash = hash_of(user);
    for (size_t i = 0; i < AUTH_REVOKED_MAX; i++)
        if (revoked->entries[i].user == hash && issued_us < revoked->entries[i].until_us)
            return true;
    return false;
}
