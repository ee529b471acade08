/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/auth/mosquitto/revoked.h"

#include "lib/base/clock.h"

#define PREFIX SV("todo/v1/")
#define SUFFIX SV("/updates")

static size_t find(struct base_sv text, struct base_sv what)
{
    const char *at = text.len ? memmem(text.ptr, text.len, what.ptr, what.len) : NULL;
    return at ? (size_t)(at - text.ptr) : text.len;
}

/* Quotes in what users write are escaped, so neither key can appear before its own place. */
bool auth_revoked_event(struct base_sv topic, struct base_sv payload, struct base_sv *ret_user,
                        int64_t *ret_until_us)
{
    const struct base_sv key = SV("\"issued_until\":\"");
    if (!base_sv_starts(topic, PREFIX) || !base_sv_ends(topic, SUFFIX) ||
        topic.len <= PREFIX.len + SUFFIX.len)
        return false;
    size_t data_at = find(payload, SV("\"data\":"));
    struct base_sv head = base_sv_sub(payload, 0, data_at);
    if (find(head, SV("\"type\":\"session.revoked\"")) == head.len)
        return false;
    struct base_sv data = base_sv_sub(payload, data_at, payload.len);
    struct base_sv until = base_sv_sub(data, find(data, key) + key.len, data.len);
    *ret_user = base_sv_sub(topic, PREFIX.len, topic.len - SUFFIX.len);
    return base_time_parse(base_sv_sub(until, 0, find(until, SV("\""))), ret_until_us);
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
