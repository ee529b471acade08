/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One WebSocket client: the protocol's frames in, replies and events out, and the resume algorithm
 * that gives it every event of its user once and in order (docs/architecture.md, "Resume").
 */
#ifndef GATEWAY_SESSION_SESSION_H
#define GATEWAY_SESSION_SESSION_H

#include "gateway/hub/hub.h"

enum gw_session_state {
    GW_SESSION_NEW,  /* waits for its connect frame */
    GW_SESSION_HELD, /* joined to its user; events are held while the database is read */
    GW_SESSION_LIVE, /* events pass through */
    GW_SESSION_OVER  /* closing */
};

struct gw_held;
struct gw_early;

struct gw_session {
    struct gw_worker *worker;
    struct net_conn *conn;
    enum gw_session_state state;
    struct gw_user *user;
    struct gw_session *next; /* among its user's */
    struct gw_session **link;
    size_t refs; /* the connection's own, and one for each answer still to come */
    char device[65];
    char id[37];
    const struct time_zone *zone;
    bool german;
    char *bearer; /* the token of the upgrade's Authorization header, until it is used */
    struct base_timer
        *timer;        /* first the deadline for the connect frame, then the token's expiry */
    int64_t issued_us; /* of the token */
    int64_t expires_us;
    size_t reading; /* history reads under way */
    /* Acknowledgements go one at a time; what comes meanwhile is told by the newest. */
    bool acking;
    int64_t acked;
    /* Frames that came behind the connect frame, before its answer. */
    struct gw_early *early;
    struct gw_early **last_early;
    size_t early_count;
    /* Resume. */
    bool connected; /* the connected frame was sent */
    bool has_since;
    int64_t since;
    int64_t last; /* userseq of the newest event sent */
    unsigned generation;
    bool overflow;
    struct gw_held *held;
    size_t held_count;
};

extern const struct net_server_handlers gw_session_handlers;

/* The session sends what follows its last event at once, holds what comes early, and drops doubles.
 */
void gw_session_event(struct gw_session *session, int64_t seq, struct net_msg *frame);
void gw_session_reread(struct gw_session *session);
/* With what the database says of its user: rereads if events are missing, ends if the token was
 * revoked. */
void gw_session_compare(struct gw_session *session);

void gw_session_send(struct gw_session *session, struct base_sv frame);
/* {"type":"error",…}; to may be empty. text NULL: the error's own. */
void gw_session_error(struct gw_session *session, struct base_sv to, enum base_err err,
                      const char *text);
enum { GW_CLOSE_TOKEN = 4401, GW_CLOSE_LATE = 4408, GW_CLOSE_TOO_MANY = 4429 };
void gw_session_close(struct gw_session *session, int code, const char *reason);
struct gw_session *gw_session_ref(struct gw_session *session);
void gw_session_unref(struct gw_session *session);

/* session.c: checks a token for this session and its user; closes the session when it is not good.
 */
bool gw_session_authenticate(struct gw_session *session, struct base_sv token,
                             struct auth_claims *ret_claims);
/* The session ends with its token. */
void gw_session_keep_until(struct gw_session *session, const struct auth_claims *claims);
void gw_session_revoked(struct gw_session *session);

/* resume.c */
void gw_session_begin(struct gw_session *session);
void gw_session_drop_held(struct gw_session *session);
/* frames.c: one text frame of the client. Those that come before the connect frame is answered wait
 * for it. */
void gw_session_frame(struct gw_session *session, struct base_sv text);
/* The frames that waited. */
void gw_session_take_early(struct gw_session *session);
void gw_session_drop_early(struct gw_session *session);

#endif
