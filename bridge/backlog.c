/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/backlog.h"

#include <stdlib.h>

/* A user's bucket is what his name's hash says. Two heavy users in one bucket count as one; of
 * them only he is held who is over the limit when his event comes. */
enum { BUCKETS = 1 << 14, USER_MAX = 128 };

struct held {
    uint32_t bucket;
    size_t len;
    char user[USER_MAX];
};

struct bridge_backlog {
    bool changed;
    size_t held_count;
    struct held held[BRIDGE_BACKLOG_HELD_MAX];
    uint32_t count[BUCKETS];
};

enum base_err bridge_backlog_new(struct bridge_backlog **ret_backlog)
{
    *ret_backlog = calloc(1, sizeof(**ret_backlog));
    return *ret_backlog ? BASE_OK : BASE_NO_MEMORY;
}

void bridge_backlog_free(struct bridge_backlog *backlog)
{
    free(backlog);
}

static bool is_held(const struct bridge_backlog *backlog, struct base_sv user)
{
    for (size_t i = 0; i < backlog->held_count; i++)
        if (base_sv_eq(base_sv(backlog->held[i].user, backlog->held[i].len), user))
            return true;
    return false;
}

uint32_t bridge_backlog_begin(struct bridge_backlog *backlog, struct base_sv user)
{
    uint32_t bucket = (uint32_t)base_sv_hash(user, 0) & (BUCKETS - 1);
    if (++backlog->count[bucket] < BRIDGE_BACKLOG_MOST || user.len > USER_MAX ||
        backlog->held_count == BRIDGE_BACKLOG_HELD_MAX || is_held(backlog, user))
        return bucket;
    struct held *held = &backlog->held[backlog->held_count++];
    held->bucket = bucket;
    held->len = user.len;
    memcpy(held->user, user.ptr, user.len);
    backlog->changed = true;
    return bucket;
}

void bridge_backlog_end(struct bridge_backlog *backlog, uint32_t ticket)
{
    if (--backlog->count[ticket] > BRIDGE_BACKLOG_LET_GO)
        return;
    for (size_t i = backlog->held_count; i-- > 0;)
        if (backlog->held[i].bucket == ticket) {
            backlog->held[i] = backlog->held[--backlog->held_count];
            backlog->changed = true;
        }
}

bool bridge_backlog_changed(struct bridge_backlog *backlog)
{
    bool changed = backlog->changed;
    backlog->changed = false;
    return changed;
}

size_t bridge_backlog_held(const struct bridge_backlog *backlog, struct base_sv *users)
{
    for (size_t i = 0; i < backlog->held_count; i++)
        users[i] = base_sv(backlog->held[i].user, backlog->held[i].len);
    return backlog->held_count;
}
