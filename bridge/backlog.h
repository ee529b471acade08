/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose events wait for the bus. One user's events go in order and may therefore go slowly; who has
 * too many under way is held, so that the relay numbers everybody else's meanwhile. He is let go
 * when a part of them is through. Pure; belongs to one thread.
 */
#ifndef BRIDGE_BACKLOG_H
#define BRIDGE_BACKLOG_H

#include "lib/base/err.h"
#include "lib/base/sv.h"

enum { BRIDGE_BACKLOG_MOST = 1024, BRIDGE_BACKLOG_LET_GO = 256, BRIDGE_BACKLOG_HELD_MAX = 32 };

struct bridge_backlog;

BASE_MUST_CHECK enum base_err bridge_backlog_new(struct bridge_backlog **ret_backlog);
void bridge_backlog_free(struct bridge_backlog *backlog);

/* An event of the user is under way. Returns what bridge_backlog_end takes for it. */
uint32_t bridge_backlog_begin(struct bridge_backlog *backlog, struct base_sv user);
/* It is through, or given up. */
void bridge_backlog_end(struct bridge_backlog *backlog, uint32_t ticket);

/* True once after who is held has changed. The first HELD_MAX at a time are. */
bool bridge_backlog_changed(struct bridge_backlog *backlog);
/* Who is held. users: room for HELD_MAX; valid until the next begin or end. */
size_t bridge_backlog_held(const struct bridge_backlog *backlog, struct base_sv *users);

#endif
