/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of a message, for those in lib/net who write frames to sockets. */
#ifndef NET_FRAME_H
#define NET_FRAME_H

#include <stdatomic.h>

#include "lib/net/msg.h"

enum net_opcode { NET_OP_TEXT = 1, NET_OP_CLOSE = 8, NET_OP_PING = 9 };

enum {
    NET_FRAME_HEAD_MAX = 10, /* a server's frames are not masked */
    NET_CONTROL_MAX = 125
};

struct net_msg {
    atomic_size_t refs;
    size_t alive; /* what it counts for among the bytes alive */
    size_t at;    /* where the frame begins in bytes[] */
    size_t len;   /* of the frame, head included */
    size_t head;  /* of the frame's head */
    unsigned char bytes[];
};

/* A frame of any kind; control payloads must not exceed NET_CONTROL_MAX. */
struct net_msg *net_frame_new(enum net_opcode opcode, const struct base_sv *parts, size_t n);

/* A close frame; a longer reason is cut between characters. */
struct net_msg *net_frame_new_close(int code, struct base_sv reason);

/* More is alive than net_msg_set_limit() allows. */
bool net_msg_over_limit(void);

#endif
