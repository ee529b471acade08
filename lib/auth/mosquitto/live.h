/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker's live connections and when their tokens end. A client id may be held by two of them
 * for the moment in which one takes over from the other, so a connection is known by its id and the
 * broker's own handle. Nothing but the search for expired ones walks the whole table.
 */
#ifndef AUTH_MOSQUITTO_LIVE_H
#define AUTH_MOSQUITTO_LIVE_H

#include "lib/base/err.h"
#include "lib/base/sv.h"

struct auth_live_entry {
    const void *client; /* NULL: free */
    char *id;
    uint64_t id_hash;
    int64_t issued_us, expires_us; /* of its token */
    const void *successor;         /* came in later with the same client id */
};

struct auth_live {
    struct auth_live_entry *entries; /* open addressing; a power of two, at most half full */
    size_t slots;
    size_t count;
    int64_t earliest_us; /* no token ends before */
};

void auth_live_init(struct auth_live *live);
void auth_live_done(struct auth_live *live);

/* Adds the connection, or replaces what is known of it. Older ones of the same client id have no
 * more rights while it lives: the broker is about to end them, and publishes their wills before. */
BASE_MUST_CHECK enum base_err auth_live_put(struct auth_live *live, const void *client,
                                            const char *id, int64_t issued_us, int64_t expires_us);
void auth_live_remove(struct auth_live *live, const void *client, const char *id);
/* Connected, not taken over, and its token still good. */
bool auth_live_has(const struct auth_live *live, const void *client, const char *id,
                   int64_t now_us);
/* The user's tokens issued before have ended; client ids of users begin with the name and ":". */
void auth_live_revoke(struct auth_live *live, struct base_sv user, int64_t until_us);
/* Removes one connection whose token has ended and gives its client id, which the caller frees;
 * NULL: there is none. Costs nothing while no token is due. */
char *auth_live_take_expired(struct auth_live *live, int64_t now_us);

#endif
