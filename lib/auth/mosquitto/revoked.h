/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose tokens were revoked, as the broker sees it: a session.revoked event that the bridge
 * publishes to a user's updates. Kept in memory, the newest AUTH_REVOKED_MAX; a broker that starts
 * anew has forgotten them, and an old token gets in again until it expires.
 */
#ifndef AUTH_MOSQUITTO_REVOKED_H
#define AUTH_MOSQUITTO_REVOKED_H

#include "lib/base/sv.h"

enum { AUTH_REVOKED_MAX = 4096 };

struct auth_revoked {
    struct {
        uint64_t user; /* hash of the name; 0: free */
        int64_t until_us;
    } entries[AUTH_REVOKED_MAX];
    size_t next;
};

/* False: the message is no such event. The user is a view into the topic. */
bool auth_revoked_event(struct base_sv topic, struct base_sv payload, struct base_sv *ret_user,
                        int64_t *ret_until_us);

void auth_revoked_put(struct auth_revoked *revoked, struct base_sv user, int64_t until_us);
/* A token of the user that was issued then is not valid any more. */
bool auth_revoked_has(const struct auth_revoked *revoked, struct base_sv user, int64_t issued_us);

#endif
