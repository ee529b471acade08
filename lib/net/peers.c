/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table with chains; its seed is random, since strangers choose what comes in. */
#include "lib/net/peers.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "lib/base/id.h"

enum { BUCKETS = 4096, KEY = 16, SITE = 8 };

struct peer {
    struct peer *next;
    unsigned char key[KEY];
    size_t count;
};

struct net_peers {
    size_t limit;
    size_t count;
    uint64_t seed;
    struct peer *buckets[BUCKETS];
};

enum base_err net_peers_new(size_t limit, struct net_peers **ret_peers)
{
    struct net_peers *peers = calloc(1, sizeof(*peers));
    if (!peers)
        return BASE_NO_MEMORY;
    peers->limit = limit;
    base_random(&peers->seed, sizeof(peers->seed));
    *ret_peers = peers;
    return BASE_OK;
}

void net_peers_free(struct net_peers *peers)
{
    if (!peers)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct peer *peer = peers->buckets[i], *next; peer; peer = next) {
            next = peer->next;
            free(peer);
        }
    free(peers);
}

static void key_of(const char *address, unsigned char key[KEY])
{
    memset(key, 0, KEY);
    if (inet_pton(AF_INET, address, key + KEY - 4) == 1)
        return;
    (void)inet_pton(AF_INET6, address, key);
    memset(key + SITE, 0, KEY - SITE);
}

static struct peer **slot(struct net_peers *peers, const unsigned char key[KEY])
{
    struct base_sv bytes = base_sv((const char *)key, KEY);
    struct peer **at = &peers->buckets[base_sv_hash(bytes, peers->seed) % BUCKETS];
    while (*at && memcmp((*at)->key, key, KEY) != 0)
        at = &(*at)->next;
    return at;
}

bool net_peers_enter(struct net_peers *peers, const char *address)
{
    unsigned char key[KEY];
    if (peers->limit == 0)
        return true;
    key_of(address, key);
    struct peer **at = slot(peers, key);
    if (!*at) {
        *at = calloc(1, sizeof(**at));
        if (!*at)
            return false;
        memcpy((*at)->key, key, KEY);
        peers->count++;
    }
    if ((*at)->count >= peers->limit)
        return false;
    (*at)->count++;
    return true;
}

void net_peers_leave(struct net_peers *peers, const char *address)
{
    unsigned char key[KEY];
    if (peers->limit == 0)
        return;
    key_of(address, key);
    struct peer **at = slot(peers, key);
    struct peer *peer = *at;
    if (!peer || --peer->count > 0)
        return;
    *at = peer->next;
    peers->count--;
    free(peer);
}

size_t net_peers_count(const struct net_peers *peers)
{
    return peers->count;
}
