/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every event once, in order, over disconnects, lost records and repeats.
 *
 * A session first joins its user, so that from then on it sees what the bus brings; only then the
 * database is read, in a snapshot that is newer than the join. While that goes on, live events are
 * held. An event at or below the last one sent is a double and dropped; one that leaves a gap is
 * held and starts another read. last grows by one with each event sent: that is the invariant.
 */
#include <stdlib.h>

#include "gateway/session/session.h"
#include "lib/base/json.h"
#include "lib/base/metrics.h"
#include "nlu/nlu.h"
#include "tasks/event.h"

enum { HELD_MAX = 256, FRAME_MAX = 1024 * 1024 };

struct gw_held {
    int64_t seq;
    struct net_msg *frame;
};

struct reread {
    struct gw_session *session;
    unsigned generation;
};

static void send_event(struct gw_session *session, int64_t seq, struct net_msg *frame)
{
    (void)net_conn_send(session->conn, frame);
    session->last = seq;
}

static void hold(struct gw_session *session, int64_t seq, struct net_msg *frame)
{
    if (!session->held)
        session->held = calloc(HELD_MAX, sizeof(*session->held));
    if (!session->held || session->held_count == HELD_MAX) {
        session->overflow = true; /* the read is done again when this one ends */
        return;
    }
    session->held[session->held_count++] = (struct gw_held){seq, net_msg_ref(frame)};
}

void gw_session_drop_held(struct gw_session *session)
{
    for (size_t i = 0; i < session->held_count; i++)
        net_msg_unref(session->held[i].frame);
    free(session->held);
    session->held = NULL;
    session->held_count = 0;
    session->overflow = false;
}

void gw_session_event(struct gw_session *session, int64_t seq, struct net_msg *frame)
{
    if (session->state == GW_SESSION_HELD) {
        hold(session, seq, frame);
        return;
    }
    if (session->state != GW_SESSION_LIVE || seq <= session->last)
        return;
    if (seq == session->last + 1) {
        send_event(session, seq, frame);
        return;
    }
    gw_session_reread(session);
    hold(session, seq, frame);
}

static void release_held(struct gw_session *session)
{
    struct gw_held *held = session->held;
    size_t count = session->held_count;
    session->held = NULL;
    session->held_count = 0;
    for (size_t i = 0; i < count; i++) {
        gw_session_event(session, held[i].seq, held[i].frame);
        net_msg_unref(held[i].frame);
    }
    free(held);
}

static struct net_msg *frame_of(const struct task_stored_event *event)
{
    struct base_buf buf;
    struct net_msg *frame = NULL;
    base_buf_init(&buf, FRAME_MAX);
    base_buf_addf(&buf, "{\"type\":\"event\",\"seq\":%lld,\"event\":", (long long)event->user_seq);
    task_event_number(&buf, event->payload, event->user_seq);
    base_buf_add_char(&buf, '}');
    if (base_buf_ok(&buf))
        frame = net_msg_new_text(base_buf_sv(&buf));
    base_buf_done(&buf);
    return frame;
}

/* The rows in order; a number that does not follow the last one was already sent. */
static bool send_rows(struct gw_session *session, const struct task_stored_event *events,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (events[i].user_seq <= session->last)
            continue;
        struct net_msg *frame = frame_of(&events[i]);
        if (!frame)
            return false;
        send_event(session, events[i].user_seq, frame);
        net_msg_unref(frame);
    }
    return true;
}

static void on_rows(void *ctx, enum base_err err, const struct task_stored_event *events,
                    size_t count)
{
    struct reread *reread = ctx;
    struct gw_session *session = reread->session;
    bool current = session->state == GW_SESSION_HELD && reread->generation == session->generation;
    free(reread);
    if (current && (err != BASE_OK || !send_rows(session, events, count))) {
        gw_session_close(session, NET_CLOSE_SLOW, "events cannot be read now, please resume");
    } else if (current && (count == TASK_EVENTS_PAGE || session->overflow)) {
        gw_session_drop_held(session);
        gw_session_reread(session);
    } else if (current) {
        session->state = GW_SESSION_LIVE;
        release_held(session);
    }
    gw_session_unref(session);
}

void gw_session_reread(struct gw_session *session)
{
    struct reread *reread;
    if (session->state == GW_SESSION_NEW || session->state == GW_SESSION_OVER ||
        !session->connected)
        return;
    reread = malloc(sizeof(*reread));
    if (!reread) {
        gw_session_close(session, NET_CLOSE_SLOW, "out of memory, please resume");
        return;
    }
    session->state = GW_SESSION_HELD;
    *reread = (struct reread){gw_session_ref(session), ++session->generation};
    base_metric_inc(BASE_M_RESUME_READS);
    task_store_events(session->worker->store, session->user->id, session->last, on_rows, reread);
}

void gw_session_compare(struct gw_session *session)
{
    if (session->connected && gw_user_revoked(session->user, session->issued_us))
        gw_session_revoked(session);
    else if (session->state == GW_SESSION_LIVE && session->last < session->user->head)
        gw_session_reread(session);
}

static void send_connected(struct gw_session *session, bool recovered)
{
    struct base_buf buf;
    base_buf_init(&buf, 2048);
    base_json_open(&buf, '{');
    base_json_kv_str(&buf, "type", SV("connected"));
    base_json_kv_str(&buf, "user", session->user->id);
    base_json_kv_str(&buf, "session", base_sv_from(session->id));
    base_json_kv_int(&buf, "seq", session->user->head);
    base_json_kv_time(&buf, "server_time", gw_now_us(session->worker));
    base_json_kv_str(&buf, "timezone", base_sv_from(time_zone_name(session->zone)));
    base_json_key(&buf, "limits");
    base_json_open(&buf, '{');
    base_json_kv_int(&buf, "frame_bytes", session->worker->shared->config->max_message);
    base_json_kv_int(&buf, "text_bytes", NLU_TEXT_MAX);
    base_json_kv_int(&buf, "waiting", session->worker->shared->config->max_waiting);
    base_json_close(&buf, '}');
    base_json_kv_bool(&buf, "recovered", recovered);
    base_json_close(&buf, '}');
    gw_session_send(session, base_buf_sv(&buf));
    base_buf_done(&buf);
}

/* The user was read after the session joined it, so head is no older than the first event it holds.
 */
void gw_session_begin(struct gw_session *session)
{
    const struct gw_user *user = session->user;
    bool recovered =
        session->has_since && session->since <= user->head && session->since >= user->oldest - 1;
    if (!session->zone)
        session->zone = user->settings.home;
    session->last = recovered ? session->since : user->head;
    session->connected = true;
    base_metric_add(BASE_M_SESSIONS_BEGUN, recovered ? 0 : session->has_since ? 1 : 2, 1);
    send_connected(session, recovered);
    gw_session_reread(session);
    gw_session_take_early(session);
}
