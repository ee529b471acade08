/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a session: upgrade, connect, expiry, close. */
#include "gateway/session/session.h"

#include <stdlib.h>

#include "gateway/http/router.h"
#include "gateway/keyring.h"
#include "lib/base/id.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"

enum { CONNECT_MS = 10000, LONGEST_TIMER_MS = 24 * 3600 * 1000 };

struct gw_session *gw_session_ref(struct gw_session *session)
{
    session->refs++;
    return session;
}

void gw_session_unref(struct gw_session *session)
{
    if (--session->refs > 0)
        return;
    gw_session_drop_held(session);
    gw_session_drop_early(session);
    base_timer_free(session->timer);
    gw_user_unref(session->user);
    free(session->bearer);
    free(session);
}

void gw_session_send(struct gw_session *session, struct base_sv frame)
{
    struct net_msg *msg;
    if (session->state == GW_SESSION_OVER)
        return;
    msg = net_msg_new_text(frame);
    if (msg)
        (void)net_conn_send(session->conn, msg);
    else
        gw_session_close(session, NET_CLOSE_SLOW, "out of memory, please resume");
    net_msg_unref(msg);
}

void gw_session_error(struct gw_session *session, struct base_sv to, enum base_err err,
                      const char *text)
{
    struct base_buf buf;
    base_buf_init(&buf, 4096);
    base_json_open(&buf, '{');
    base_json_kv_str(&buf, "type", SV("error"));
    base_json_kv_opt(&buf, "to", to);
    base_json_kv_str(&buf, "code", base_sv_from(base_err_code(err)));
    base_json_kv_str(&buf, "message", base_sv_from(text ? text : base_err_text(err)));
    if (base_err_http(err) == 503 || err == BASE_RATE_LIMITED)
        base_json_kv_int(&buf, "retry_after", 1);
    base_json_close(&buf, '}');
    base_metric_inc(BASE_M_SESSION_ERRORS);
    gw_session_send(session, base_buf_sv(&buf));
    base_buf_done(&buf);
}

void gw_session_close(struct gw_session *session, int code, const char *reason)
{
    if (session->state == GW_SESSION_OVER)
        return;
    session->state = GW_SESSION_OVER;
    net_conn_close(session->conn, code, base_sv_from(reason));
}

/* In steps of a day at most, so that a step of the clock is noticed. */
static void watch_expiry(struct gw_session *session)
{
    int64_t wait_ms = (session->expires_us - gw_now_us(session->worker) + 999) / 1000;
    if (wait_ms > LONGEST_TIMER_MS)
        wait_ms = LONGEST_TIMER_MS;
    base_timer_start(session->timer, wait_ms > 0 ? wait_ms : 0);
}

static void on_timer(void *ctx)
{
    struct gw_session *session = ctx;
    if (session->state == GW_SESSION_NEW) {
        gw_session_error(session, SV_NULL, BASE_TIMEOUT, "the connect frame did not come in time");
        gw_session_close(session, GW_CLOSE_LATE, "no connect frame");
    } else if (gw_now_us(session->worker) < session->expires_us) {
        watch_expiry(session);
    } else {
        gw_session_error(session, SV_NULL, BASE_TOKEN_EXPIRED, NULL);
        gw_session_close(session, GW_CLOSE_TOKEN, "token expired");
    }
}

void gw_session_keep_until(struct gw_session *session, const struct auth_claims *claims)
{
    session->issued_us = claims->issued_us;
    session->expires_us = claims->expires_us;
    watch_expiry(session);
}

void gw_session_revoked(struct gw_session *session)
{
    gw_session_error(session, SV_NULL, BASE_UNAUTHENTICATED, "this token was revoked");
    gw_session_close(session, GW_CLOSE_TOKEN, "token revoked");
}

bool gw_session_authenticate(struct gw_session *session, struct base_sv token,
                             struct auth_claims *ret_claims)
{
    const struct gw_worker *worker = session->worker;
    enum base_err err = auth_verify(gw_keys_of(worker->keys), &worker->shared->policy, token,
                                    gw_now_us(worker), ret_claims, NULL);
    if (err == BASE_OK)
        return true;
    LOG_INFO("session.refused", LOG_ERR(err), LOG_SV("remote", net_conn_remote(session->conn)));
    gw_session_error(session, SV_NULL, err, NULL);
    gw_session_close(session, GW_CLOSE_TOKEN, base_err_text(err));
    return false;
}

/* The server's callbacks. */

static int on_upgrade(void *ctx, const struct net_upgrade *info)
{
    struct gw_worker *worker = ctx;
    if (!base_sv_eq_c(info->path, "/ws"))
        return 404;
    if (atomic_load(&worker->shared->draining) || !atomic_load(&worker->shared->bus_ready))
        return 503;
    return 0;
}

static void on_open(void *ctx, struct net_conn *conn, const struct net_upgrade *info)
{
    struct gw_worker *worker = ctx;
    struct gw_session *session = calloc(1, sizeof(*session));
    net_conn_set_user(conn, session);
    if (!session) {
        net_conn_close(conn, NET_CLOSE_SLOW, SV("out of memory"));
        return;
    }
    session->worker = worker;
    session->conn = conn;
    session->refs = 1;
    base_id_text(base_id_new(gw_now_us(worker)), session->id);
    struct base_sv bearer = info->authorization;
    if (bearer.len > 7 && base_sv_eq_i(base_sv_sub(bearer, 0, 7), SV("bearer ")))
        session->bearer = strndup(bearer.ptr + 7, bearer.len - 7);
    if (base_timer_new(worker->base, on_timer, session, &session->timer) != BASE_OK) {
        gw_session_close(session, NET_CLOSE_SLOW, "out of memory");
        return;
    }
    base_timer_start(session->timer, CONNECT_MS);
}

static void on_message(void *ctx, struct net_conn *conn, struct base_sv text)
{
    struct gw_session *session = net_conn_user(conn);
    (void)ctx;
    if (session && session->state != GW_SESSION_OVER)
        gw_session_frame(session, text);
}

static void on_close(void *ctx, struct net_conn *conn, int code)
{
    struct gw_session *session = net_conn_user(conn);
    (void)ctx;
    if (!session)
        return;
    if (session->link) {
        *session->link = session->next;
        if (session->next)
            session->next->link = session->link;
        session->user->session_count--;
        base_metric_add(BASE_M_SESSIONS, 0, -1);
        LOG_INFO("session.closed", LOG_SV("user", session->user->id),
                 LOG_STR("session", session->id), LOG_INT("code", code));
    }
    session->state = GW_SESSION_OVER;
    gw_session_unref(session);
}

const struct net_server_handlers gw_session_handlers = {
    .body_limit = gw_router_body_limit,
    .on_request = gw_router_request,
    .on_upgrade = on_upgrade,
    .on_open = on_open,
    .on_message = on_message,
    .on_close = on_close,
};
