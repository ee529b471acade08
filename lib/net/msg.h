/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An outgoing WebSocket message, framed once and shared by all connections it goes to, on any
 * thread: reference-counted, never changed after it was made.
 */
#ifndef NET_MSG_H
#define NET_MSG_H

#include "lib/base/sv.h"

struct net_msg;

/* One text message of the parts put together; text must be valid UTF-8. The caller owns a
 * reference. NULL: out of memory. */
struct net_msg *net_msg_new_parts(const struct base_sv *parts, size_t n);

static inline struct net_msg *net_msg_new_text(struct base_sv text)
{
    return net_msg_new_parts(&text, 1);
}

/* From any thread. Returns msg. */
struct net_msg *net_msg_ref(struct net_msg *msg);
/* From any thread; NULL is fine. */
void net_msg_unref(struct net_msg *msg);

/* The text without its frame. */
struct base_sv net_msg_text(const struct net_msg *msg);

/* How many bytes of messages may be alive in the process before connections that lag behind are
 * closed (1013); 256 MiB by default. Connections that keep up are never touched by it. */
void net_msg_set_limit(size_t bytes);
/* Bytes of all messages alive. */
size_t net_msg_alive(void);

#endif
