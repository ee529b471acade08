/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker's live connections and when their tokens end. Found by the broker's own handle, since
 * a client id may be held by two connections for the moment in which one takes over from the other.
 */
#ifndef AUTH_MOSQUITTO_LIVE_H
#define AUTH_MOSQUITTO_LIVE_H

#include "lib/base/err.h"
#include "lib/base/sv.h"

struct auth_live_entry {
    const void *client; /* NULL: free */
    char *id;
    int64_t expires_us;
};

struct auth_live {
    struct auth_live_entry *entries; /* open addressing; a power of two, at most half full */
    size_t slots;
    size_t count;
    int64_t earliest_us; /* no token ends before */
};

void auth_live_init(struct auth_live *live);
void auth_live_done(struct auth_live *live);

/* Adds the connection, or replaces what is known of it. */
BASE_MUST_CHECK enum base_err auth_live_put(struct auth_live *live, const void *client,
                                            const char *id, int64_t expires_us);
void auth_live_remove(struct auth_live *live, const void *client);
/* Connected, and its token still good. */
bool auth_live_has(const struct auth_live *live, const void *client, int64_t now_us);
/* Removes one connection whose token has ended and gives its client id, which the caller frees;
 * NULL: there is none. Costs nothing while no token is due. */
char *auth_live_take_expired(struct auth_live *live, int64_t now_us);

#endif
