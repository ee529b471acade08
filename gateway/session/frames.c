/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's frames: a table from type to handler. What is wrong with a frame is answered with an
 * error that names the field; nothing else happens then.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/session/session.h"
#include "gateway/turn/frame.h"
#include "lib/auth/names.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"

enum { HISTORY_DEFAULT = 50, HISTORY_FRAME_MAX = 4 * 1024 * 1024, READING_MAX = 8 };

static struct base_sv text_of(const json_t *value)
{
    return base_sv(json_string_value(value), json_string_length(value));
}

static struct base_sv field(json_t *frame, const char *key)
{
    return text_of(json_object_get(frame, key));
}

static void refuse(struct gw_session *session, json_t *frame, const char *why)
{
    gw_session_error(session, gw_frame_id(frame), BASE_INVALID, why);
}

/* connect */

static void on_user_read(void *ctx, enum base_err err)
{
    struct gw_session *session = ctx;
    if (session->state != GW_SESSION_OVER && err == BASE_OK) {
        if (gw_user_revoked(session->user, session->issued_us))
            gw_session_revoked(session);
        else
            gw_session_begin(session);
    } else if (session->state != GW_SESSION_OVER) {
        gw_session_error(session, SV_NULL, err, NULL);
        gw_session_close(session, NET_CLOSE_SLOW, "not available, please come back");
    }
    gw_session_unref(session);
}

static bool check_connect(struct gw_session *session, json_t *frame)
{
    static const struct {
        const char *key;
        json_type type;
        const char *why;
    } optional[] = {
        {"device", JSON_STRING, "\"device\" must be text"},
        {"timezone", JSON_STRING, "\"timezone\" must be text"},
        {"locale", JSON_STRING, "\"locale\" must be text"},
        {"since", JSON_INTEGER, "\"since\" must be a whole number"},
        {"token", JSON_STRING, "\"token\" must be text"},
    };
    for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++) {
        const json_t *value = json_object_get(frame, optional[i].key);
        if (!value || json_typeof(value) == optional[i].type)
            continue;
        refuse(session, frame, optional[i].why);
        return false;
    }
    struct base_sv device = field(frame, "device");
    if (device.len && !auth_device_valid(device)) {
        refuse(session, frame, "\"device\" must be 1 to 64 of A-Z a-z 0-9 . _ ~ -");
        return false;
    }
    struct base_sv zone = field(frame, "timezone");
    if (zone.len && time_zone_load(zone, &session->zone) != BASE_OK) {
        refuse(session, frame, "\"timezone\" is not a known IANA zone such as Europe/Berlin");
        return false;
    }
    return true;
}

static void join(struct gw_session *session)
{
    struct gw_user *user = session->user;
    session->next = user->sessions;
    session->link = &user->sessions;
    if (session->next)
        session->next->link = &session->next;
    user->sessions = session;
    user->session_count++;
    session->state = GW_SESSION_HELD;
    base_metric_add(BASE_M_SESSIONS, 0, 1);
}

static bool has_room(struct gw_session *session, const json_t *frame)
{
    int64_t limit = session->worker->shared->config->max_sessions;
    if (limit == 0 || session->user->session_count < (size_t)limit)
        return true;
    gw_session_error(session, gw_frame_id(frame), BASE_RATE_LIMITED,
                     "this user has too many sessions open: close some of them first");
    gw_session_close(session, GW_CLOSE_TOO_MANY, "too many sessions");
    return false;
}

static void on_connect(struct gw_session *session, json_t *frame)
{
    struct auth_claims claims;
    const json_t *since = json_object_get(frame, "since");
    struct base_sv token = field(frame, "token");
    if (session->state != GW_SESSION_NEW) {
        refuse(session, frame, "this session is connected already");
        return;
    }
    if (!check_connect(session, frame))
        return;
    if (!gw_session_authenticate(session, token.len ? token : base_sv_from(session->bearer),
                                 &claims))
        return;
    (void)base_sv_cstr(field(frame, "device"), session->device, sizeof(session->device));
    session->german = gw_language(field(frame, "locale")) == GW_DE;
    session->has_since = since && json_integer_value(since) >= 0;
    session->since = json_integer_value(since);
    session->user = gw_hub_user(session->worker->hub, base_sv_from(claims.subject));
    if (!session->user) {
        gw_session_close(session, NET_CLOSE_SLOW, "out of memory");
        return;
    }
    if (!has_room(session, frame))
        return;
    gw_session_keep_until(session, &claims);
    join(session);
    LOG_INFO("session.connected", LOG_SV("user", session->user->id),
             LOG_STR("session", session->id), LOG_STR("device", session->device),
             LOG_SV("remote", net_conn_remote(session->conn)));
    gw_user_read(session->user, field(frame, "timezone"), on_user_read, gw_session_ref(session));
}

/* message and action */

static void on_answer(struct gw_turn *turn, enum base_err err, struct base_sv reply)
{
    struct gw_session *session = turn->answer_ctx;
    if (err == BASE_OK)
        gw_session_send(session, reply);
    else if (session->state != GW_SESSION_OVER)
        gw_session_error(session, turn->client_id, err, turn->problem.text);
    gw_session_unref(session);
}

static void on_command(struct gw_session *session, json_t *frame)
{
    const char *why = NULL;
    struct gw_turn *turn;
    enum base_err err = gw_frame_turn(session->worker, session->user, base_sv_from(session->device),
                                      frame, &turn, &why);
    if (err != BASE_OK) {
        gw_session_error(session, gw_frame_id(frame), err, why);
        return;
    }
    turn->zone = session->zone;
    turn->language = session->german ? GW_DE : GW_EN;
    turn->answer = on_answer;
    turn->answer_ctx = gw_session_ref(session);
    gw_turn_submit(turn);
}

/* history */

struct history {
    struct gw_session *session;
    char id[GW_FRAME_ID_MAX + 1];
};

static void line_json(struct base_buf *buf, const struct task_line *line)
{
    base_json_open(buf, '{');
    base_json_kv_int(buf, "n", line->number);
    base_json_kv_str(buf, "device", line->device);
    base_json_kv_str(buf, "id", line->client_id);
    base_json_kv_time(buf, "at", line->at_us);
    base_json_kv_str(buf, "text", line->text);
    base_json_kv_raw(buf, "reply", line->reply);
    base_json_close(buf, '}');
}

static void on_lines(void *ctx, enum base_err err, const struct task_line *lines, size_t count,
                     bool more)
{
    struct history *history = ctx;
    struct gw_session *session = history->session;
    struct base_buf buf;
    session->reading--;
    base_buf_init(&buf, HISTORY_FRAME_MAX);
    base_json_open(&buf, '{');
    base_json_kv_str(&buf, "type", SV("history"));
    base_json_kv_str(&buf, "to", base_sv_from(history->id));
    base_json_key(&buf, "lines");
    base_json_open(&buf, '[');
    for (size_t i = 0; i < count; i++)
        line_json(&buf, &lines[i]);
    base_json_close(&buf, ']');
    base_json_kv_bool(&buf, "more", more);
    base_json_close(&buf, '}');
    if (session->state != GW_SESSION_OVER && err == BASE_OK && base_buf_ok(&buf))
        gw_session_send(session, base_buf_sv(&buf));
    else if (session->state != GW_SESSION_OVER)
        gw_session_error(session, base_sv_from(history->id), err ? err : BASE_TOO_LARGE, NULL);
    base_buf_done(&buf);
    gw_session_unref(session);
    free(history);
}

static void on_history(struct gw_session *session, json_t *frame)
{
    const json_t *before = json_object_get(frame, "before");
    const json_t *limit = json_object_get(frame, "limit");
    if (!gw_frame_id(frame).len) {
        refuse(session, frame, GW_FRAME_ID_WRONG);
        return;
    }
    if ((before && (!json_is_integer(before) || json_integer_value(before) < 1)) ||
        (limit && (!json_is_integer(limit) || json_integer_value(limit) < 1 ||
                   json_integer_value(limit) > 100))) {
        refuse(session, frame, "\"before\" must be a positive number, \"limit\" one from 1 to 100");
        return;
    }
    if (session->reading >= READING_MAX) {
        gw_session_error(session, gw_frame_id(frame), BASE_RATE_LIMITED, NULL);
        return;
    }
    struct history *history = calloc(1, sizeof(*history));
    if (!history) {
        gw_session_error(session, gw_frame_id(frame), BASE_NO_MEMORY, NULL);
        return;
    }
    history->session = gw_session_ref(session);
    session->reading++;
    (void)base_sv_cstr(gw_frame_id(frame), history->id, sizeof(history->id));
    task_store_history(
        session->worker->store, session->user->id, before ? json_integer_value(before) : INT64_MAX,
        limit ? (int32_t)json_integer_value(limit) : HISTORY_DEFAULT, on_lines, history);
}

/* ack, auth, ping */

struct acking {
    struct gw_session *session;
    int64_t seq;
};

static void ack(struct gw_session *session);

static void on_acked(void *ctx, enum base_err err)
{
    struct acking acking = *(struct acking *)ctx;
    free(ctx);
    acking.session->acking = false;
    /* One that failed is made good by the next. */
    if (err == BASE_OK && acking.session->acked > acking.seq)
        ack(acking.session);
    gw_session_unref(acking.session);
}

static void ack(struct gw_session *session)
{
    struct acking *acking = malloc(sizeof(*acking));
    if (!acking)
        return;
    *acking = (struct acking){gw_session_ref(session), session->acked};
    session->acking = true;
    task_store_ack(session->worker->store, session->user->id, base_sv_from(session->device),
                   acking->seq, on_acked, acking);
}

static void on_ack(struct gw_session *session, json_t *frame)
{
    const json_t *seq = json_object_get(frame, "seq");
    if (!json_is_integer(seq) || json_integer_value(seq) < 0 ||
        json_integer_value(seq) > session->last) {
        refuse(session, frame, "\"seq\" must be the number of an event this session was sent");
        return;
    }
    if (json_integer_value(seq) > session->acked)
        session->acked = json_integer_value(seq);
    if (!session->acking)
        ack(session);
}

static void on_auth(struct gw_session *session, json_t *frame)
{
    struct auth_claims claims;
    struct base_buf buf;
    if (!gw_session_authenticate(session, field(frame, "token"), &claims))
        return;
    if (!base_sv_eq_c(session->user->id, claims.subject)) {
        gw_session_error(session, SV_NULL, BASE_FORBIDDEN, "the new token belongs to another user");
        gw_session_close(session, 4403, "another user's token");
        return;
    }
    gw_session_keep_until(session, &claims);
    if (gw_user_revoked(session->user, claims.issued_us)) {
        gw_session_revoked(session);
        return;
    }
    base_buf_init(&buf, 256);
    base_json_open(&buf, '{');
    base_json_kv_str(&buf, "type", SV("authed"));
    base_json_kv_time(&buf, "expires", claims.expires_us);
    base_json_close(&buf, '}');
    gw_session_send(session, base_buf_sv(&buf));
    base_buf_done(&buf);
}

/* Written like this by most clients, and sent by all of them all day: not worth parsing. */
static const char PLAIN_PING[] = "{\"type\":\"ping\"}";

static void on_ping(struct gw_session *session, json_t *frame)
{
    (void)frame;
    (void)net_conn_send(session->conn, session->worker->pong);
}

static const struct {
    const char *type;
    void (*handle)(struct gw_session *session, json_t *frame);
    bool before_connect;
} frames[] = {
    {"connect", on_connect, true},  {"message", on_command, false}, {"action", on_command, false},
    {"history", on_history, false}, {"ack", on_ack, false},         {"auth", on_auth, false},
    {"ping", on_ping, true},
};

static void dispatch(struct gw_session *session, json_t *frame)
{
    struct base_sv type = field(frame, "type");
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        if (!base_sv_eq_c(type, frames[i].type))
            continue;
        if (session->connected || frames[i].before_connect) {
            frames[i].handle(session, frame);
        } else {
            refuse(session, frame, "the first frame must be \"connect\"");
            gw_session_close(session, NET_CLOSE_POLICY, "not connected");
        }
        return;
    }
    refuse(session, frame,
           "\"type\" must be one of connect, message, action, history, ack, auth, ping");
}

/* A client may send its commands right behind its connect frame: they wait, a few of them. */

enum { EARLY_MAX = 64 };

struct gw_early {
    struct gw_early *next;
    size_t len;
    char text[];
};

static void wait_for_connect(struct gw_session *session, struct base_sv text)
{
    struct gw_early *early =
        session->early_count < EARLY_MAX ? malloc(sizeof(*early) + text.len) : NULL;
    if (!early) {
        gw_session_close(session, NET_CLOSE_POLICY,
                         "too many frames before the connect frame was answered");
        return;
    }
    early->next = NULL;
    early->len = text.len;
    memcpy(early->text, text.ptr, text.len);
    if (!session->early)
        session->last_early = &session->early;
    *session->last_early = early;
    session->last_early = &early->next;
    session->early_count++;
}

void gw_session_take_early(struct gw_session *session)
{
    while (session->early && session->state != GW_SESSION_OVER) {
        struct gw_early *early = session->early;
        session->early = early->next;
        gw_session_frame(session, base_sv(early->text, early->len));
        free(early);
    }
}

void gw_session_drop_early(struct gw_session *session)
{
    while (session->early) {
        struct gw_early *early = session->early;
        session->early = early->next;
        free(early);
    }
}

void gw_session_frame(struct gw_session *session, struct base_sv text)
{
    json_error_t error;
    if (session->state != GW_SESSION_NEW && !session->connected) {
        wait_for_connect(session, text);
        return;
    }
    base_metric_inc(BASE_M_SESSION_FRAMES);
    if (base_sv_eq_c(text, PLAIN_PING)) {
        on_ping(session, NULL);
        return;
    }
    json_t *frame = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!frame) {
        char why[256];
        (void)snprintf(why, sizeof(why), "this is not JSON: %s (column %d)", error.text,
                       error.column);
        gw_session_error(session, SV_NULL, BASE_MALFORMED, why);
    } else if (!json_is_object(frame)) {
        gw_session_error(session, SV_NULL, BASE_MALFORMED, "a frame must be a JSON object");
    } else {
        dispatch(session, frame);
    }
    json_decref(frame);
}
