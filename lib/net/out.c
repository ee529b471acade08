/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output of WebSocket connections: the ring, and one write per connection and turn. A message that
 * is alone is written from where it lies; several are joined first, because system calls cost ten
 * times the copy. While lws holds the rest of an earlier write nothing more is given to it: its
 * own buffering has no limit.
 */
#include <stdlib.h>

#include "lib/base/metrics.h"
#include "lib/net/server_private.h"

enum { RING_START = 8, RING_KEEP = 64, CONTROL_ROOM = 4 };

static bool grow(struct net_out *out)
{
    size_t cap = out->cap ? out->cap * 2 : RING_START;
    struct net_msg **slots = malloc(cap * sizeof(struct net_msg *));
    if (!slots)
        return false;
    for (size_t i = 0; i < out->count; i++)
        slots[i] = out->slots[(out->first + i) & (out->cap - 1)];
    free(out->slots);
    out->slots = slots;
    out->cap = cap;
    out->first = 0;
    return true;
}

bool net_out_push(struct net_conn *conn, struct net_msg *msg, bool limited)
{
    struct net_out *out = &conn->out;
    const struct net_server_options *options = &conn->server->options;
    if (limited && (out->count >= options->max_queue_messages ||
                    (out->count > 0 && out->bytes + msg->len > options->max_queue_bytes)))
        return false;
    if (out->count >= options->max_queue_messages + CONTROL_ROOM)
        return false;
    if (out->count == out->cap && !grow(out))
        return false;
    out->slots[(out->first + out->count) & (out->cap - 1)] = net_msg_ref(msg);
    out->count++;
    out->bytes += msg->len;
    return true;
}

static struct net_msg *first(const struct net_out *out)
{
    return out->slots[out->first];
}

static void pop(struct net_out *out)
{
    struct net_msg *msg = first(out);
    out->bytes -= msg->len;
    out->first = (out->first + 1) & (out->cap - 1);
    out->count--;
    net_msg_unref(msg);
}

void net_out_clear(struct net_out *out)
{
    while (out->count)
        pop(out);
    free(out->slots);
    *out = (struct net_out){0};
}

/* Joins messages from the front as long as they fit; returns how many bytes. */
static size_t join(struct net_conn *conn, size_t *ret_messages)
{
    struct net_out *out = &conn->out;
    unsigned char *to = conn->server->scratch + LWS_PRE;
    size_t len = 0;
    while (out->count && len + first(out)->len <= NET_OUT_CHUNK) {
        const struct net_msg *msg = first(out);
        memcpy(to + len, msg->bytes + msg->at, msg->len);
        len += msg->len;
        (*ret_messages)++;
        pop(out);
    }
    return len;
}

void net_out_flush(struct net_conn *conn)
{
    struct net_out *out = &conn->out;
    if (!out->count || conn->dropped)
        return;
    if (lws_partial_buffered(conn->wsi)) {
        conn->lagging = true;
        (void)lws_callback_on_writable(conn->wsi);
        return;
    }
    size_t messages = 0;
    size_t len;
    int rc;
    if (out->count == 1 || first(out)->len > NET_OUT_CHUNK) {
        struct net_msg *msg = first(out);
        len = msg->len;
        messages = 1;
        rc = lws_write(conn->wsi, msg->bytes + msg->at, len, LWS_WRITE_RAW);
        pop(out);
    } else {
        len = join(conn, &messages);
        rc = lws_write(conn->wsi, conn->server->scratch + LWS_PRE, len, LWS_WRITE_RAW);
    }
    if (rc < 0) {
        net_conn_drop(conn);
        return;
    }
    base_metric_inc(BASE_M_NET_WRITES);
    base_metric_add(BASE_M_NET_MESSAGES_OUT, 0, (int64_t)messages);
    base_metric_add(BASE_M_NET_BYTES_OUT, 0, (int64_t)len);
    conn->lagging = lws_partial_buffered(conn->wsi) != 0;
    if (out->count)
        (void)lws_callback_on_writable(conn->wsi);
    else if (out->cap > RING_KEEP || (conn->phase != NET_PHASE_OPEN && out->cap))
        net_out_clear(out);
}
