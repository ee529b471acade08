/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table by client id with linear probing, so that connections of one id stand in one run.
 * Removal moves entries back: no tombstones pile up. */
#include "lib/auth/mosquitto/live.h"

#include <stdlib.h>

enum { SLOTS_MIN = 64 };

void auth_live_init(struct auth_live *live)
{
    *live = (struct auth_live){.earliest_us = INT64_MAX};
}

void auth_live_done(struct auth_live *live)
{
    for (size_t i = 0; i < live->slots; i++)
        free(live->entries[i].id);
    free(live->entries);
    auth_live_init(live);
}

static uint64_t hash_of(const char *id)
{
    return base_sv_hash(base_sv_from(id), 0);
}

/* The connection's slot, or the free one where it belongs. */
static size_t slot_of(const struct auth_live *live, const void *client, uint64_t id_hash)
{
    size_t i = id_hash & (live->slots - 1);
    while (live->entries[i].client && live->entries[i].client != client)
        i = (i + 1) & (live->slots - 1);
    return i;
}

static enum base_err grow(struct auth_live *live)
{
    struct auth_live bigger = *live;
    bigger.slots = live->slots ? live->slots * 2 : SLOTS_MIN;
    bigger.entries = calloc(bigger.slots, sizeof(*bigger.entries));
    if (!bigger.entries)
        return BASE_NO_MEMORY;
    for (size_t i = 0; i < live->slots; i++) {
        const struct auth_live_entry *entry = &live->entries[i];
        if (entry->client)
            bigger.entries[slot_of(&bigger, entry->client, entry->id_hash)] = *entry;
    }
    free(live->entries);
    *live = bigger;
    return BASE_OK;
}

static void supersede(struct auth_live *live, const struct auth_live_entry *newcomer)
{
    size_t mask = live->slots - 1;
    for (size_t i = newcomer->id_hash & mask; live->entries[i].client; i = (i + 1) & mask) {
        struct auth_live_entry *entry = &live->entries[i];
        if (entry->client != newcomer->client && entry->id_hash == newcomer->id_hash &&
            strcmp(entry->id, newcomer->id) == 0)
            entry->successor = newcomer->client;
    }
}

enum base_err auth_live_put(struct auth_live *live, const void *client, const char *id,
                            int64_t issued_us, int64_t expires_us)
{
    struct auth_live_entry newcomer = {.client = client,
                                       .id = strdup(id),
                                       .id_hash = hash_of(id),
                                       .issued_us = issued_us,
                                       .expires_us = expires_us};
    if (!newcomer.id || (live->count * 2 >= live->slots && grow(live) != BASE_OK)) {
        free(newcomer.id);
        return BASE_NO_MEMORY;
    }
    supersede(live, &newcomer);
    struct auth_live_entry *entry = &live->entries[slot_of(live, client, newcomer.id_hash)];
    if (!entry->client)
        live->count++;
    free(entry->id);
    *entry = newcomer;
    if (expires_us < live->earliest_us)
        live->earliest_us = expires_us;
    return BASE_OK;
}

/* Gives the id away. */
static char *take_out(struct auth_live *live, size_t hole)
{
    size_t mask = live->slots - 1;
    char *id = live->entries[hole].id;
    for (size_t i = (hole + 1) & mask; live->entries[i].client; i = (i + 1) & mask) {
        size_t home = live->entries[i].id_hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            live->entries[hole] = live->entries[i];
            hole = i;
        }
    }
    live->entries[hole] = (struct auth_live_entry){0};
    live->count--;
    return id;
}

void auth_live_remove(struct auth_live *live, const void *client, const char *id)
{
    if (live->count == 0)
        return;
    size_t i = slot_of(live, client, hash_of(id));
    if (live->entries[i].client)
        free(take_out(live, i));
}

bool auth_live_has(const struct auth_live *live, const void *client, const char *id, int64_t now_us)
{
    if (live->count == 0)
        return false;
    uint64_t id_hash = hash_of(id);
    const struct auth_live_entry *entry = &live->entries[slot_of(live, client, id_hash)];
    bool superseded =
        entry->successor && live->entries[slot_of(live, entry->successor, id_hash)].client != NULL;
    return entry->client && !superseded && now_us < entry->expires_us;
}

static bool is_of(const char *id, struct base_sv user)
{
    return strncmp(id, user.ptr, user.len) == 0 && id[user.len] == ':';
}

void auth_live_revoke(struct auth_live *live, struct base_sv user, int64_t until_us)
{
    for (size_t i = 0; i < live->slots; i++) {
        struct auth_live_entry *entry = &live->entries[i];
        if (!entry->client || entry->issued_us >= until_us || !is_of(entry->id, user))
            continue;
        entry->expires_us = 0;
        live->earliest_us = 0;
    }
}

char *auth_live_take_expired(struct auth_live *live, int64_t now_us)
{
    int64_t earliest = INT64_MAX;
    if (now_us < live->earliest_us)
        return NULL;
    for (size_t i = 0; i < live->slots; i++) {
        if (!live->entries[i].client)
            continue;
        if (live->entries[i].expires_us <= now_us)
            return take_out(live, i);
        if (live->entries[i].expires_us < earliest)
            earliest = live->entries[i].expires_us;
    }
    live->earliest_us = earliest;
    return NULL;
}
