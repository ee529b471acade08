/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages framed once. The head is put right before the text, behind the room libwebsockets wants
 * in front of whatever it writes, so a message goes to any number of sockets without a copy.
 */
#include "lib/net/msg.h"

#include <libwebsockets.h>
#include <stdlib.h>

#include "lib/base/utf8.h"
#include "lib/net/frame.h"

static atomic_size_t alive_bytes;
static atomic_size_t alive_limit = (size_t)256 << 20;

static size_t put_head(unsigned char *end, enum net_opcode opcode, size_t len)
{
    size_t size = len < 126 ? 2 : len < 65536 ? 4 : 10;
    unsigned char *head = end - size;
    head[0] = (unsigned char)(0x80U | (unsigned)opcode);
    if (size == 2) {
        head[1] = (unsigned char)len;
        return size;
    }
    head[1] = size == 4 ? 126 : 127;
    for (size_t i = 2; i < size; i++)
        head[i] = (unsigned char)((uint64_t)len >> (8 * (size - 1 - i)));
    return size;
}

struct net_msg *net_frame_new(enum net_opcode opcode, const struct base_sv *parts, size_t n)
{
    const size_t room = LWS_PRE + NET_FRAME_HEAD_MAX;
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        if (__builtin_add_overflow(len, parts[i].len, &len))
            return NULL;
    size_t size;
    if (__builtin_add_overflow(len, sizeof(struct net_msg) + room, &size))
        return NULL;
    struct net_msg *msg = malloc(size);
    if (!msg)
        return NULL;
    unsigned char *text = msg->bytes + room;
    for (size_t i = 0; i < n; text += parts[i].len, i++)
        if (parts[i].len)
            memcpy(text, parts[i].ptr, parts[i].len);
    atomic_init(&msg->refs, 1);
    msg->head = put_head(msg->bytes + room, opcode, len);
    msg->at = room - msg->head;
    msg->len = msg->head + len;
    msg->alive = size;
    atomic_fetch_add_explicit(&alive_bytes, size, memory_order_relaxed);
    return msg;
}

struct net_msg *net_frame_new_close(int code, struct base_sv reason)
{
    const char bytes[2] = {(char)(code >> 8), (char)code};
    struct base_sv parts[2] = {base_sv(bytes, 2),
                               base_utf8_cut(reason, NET_CONTROL_MAX - sizeof(bytes))};
    return net_frame_new(NET_OP_CLOSE, parts, 2);
}

struct net_msg *net_msg_new_parts(const struct base_sv *parts, size_t n)
{
    return net_frame_new(NET_OP_TEXT, parts, n);
}

struct net_msg *net_msg_ref(struct net_msg *msg)
{
    atomic_fetch_add_explicit(&msg->refs, 1, memory_order_relaxed);
    return msg;
}

void net_msg_unref(struct net_msg *msg)
{
    if (!msg || atomic_fetch_sub_explicit(&msg->refs, 1, memory_order_acq_rel) != 1)
        return;
    atomic_fetch_sub_explicit(&alive_bytes, msg->alive, memory_order_relaxed);
    free(msg);
}

struct base_sv net_msg_text(const struct net_msg *msg)
{
    return base_sv((const char *)msg->bytes + msg->at + msg->head, msg->len - msg->head);
}

void net_msg_set_limit(size_t bytes)
{
    atomic_store_explicit(&alive_limit, bytes, memory_order_relaxed);
}

size_t net_msg_alive(void)
{
    return atomic_load_explicit(&alive_bytes, memory_order_relaxed);
}

bool net_msg_over_limit(void)
{
    return net_msg_alive() > atomic_load_explicit(&alive_limit, memory_order_relaxed);
}
