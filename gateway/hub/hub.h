/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub knows the users of its worker: their sessions, what the database says of them, and the
 * turns that wait. Events from the bus come here and go to every session of their user.
 */
#ifndef GATEWAY_HUB_HUB_H
#define GATEWAY_HUB_HUB_H

#include "gateway/hub/rate.h"
#include "gateway/worker.h"

struct gw_session;
struct gw_turn;

/* Lives while sessions or turns hold it, and a little longer, so that it need not be read again at
 * once. */
struct gw_user {
    struct gw_hub *hub;
    struct gw_user *next; /* in its hash chain */
    size_t refs;
    int64_t idle_since_us; /* when refs became 0 */
    struct base_sv id;
    char id_text[129];
    /* From the database; valid once loaded. */
    bool loaded;
    int64_t loaded_us; /* monotonic */
    struct task_settings settings;
    struct task_quiet quiet;
    char locale[16];
    int64_t head;
    int64_t oldest;
    int64_t not_before_us;
    int64_t dialogue_version;
    struct base_buf dialogue_state;
    /* Those who wait for it to be read. */
    struct gw_user_wait *waiting;
    bool reading;
    /* Sessions and turns. */
    struct gw_session *sessions;
    size_t session_count;
    struct gw_turn *first_turn; /* the first one is under way */
    struct gw_turn **last_turn;
    size_t turn_count;
    struct gw_rate rate; /* of requests */
};

BASE_MUST_CHECK enum base_err gw_hub_new(struct gw_worker *worker, struct gw_hub **ret_hub);
void gw_hub_free(struct gw_hub *hub);
struct gw_worker *gw_hub_worker(struct gw_hub *hub);
size_t gw_hub_users(const struct gw_hub *hub);

/* Takes a reference. NULL: out of memory. The id must be valid. */
struct gw_user *gw_hub_user(struct gw_hub *hub, struct base_sv id);
void gw_user_unref(struct gw_user *user);

/* fn once the user is read from the database, in a read that began after this call. zone may set
 * the home zone of a new user. */
typedef void (*gw_user_fn)(void *ctx, enum base_err err);
void gw_user_read(struct gw_user *user, struct base_sv zone, gw_user_fn fn, void *ctx);

/* Read not long ago: good enough to work from. */
bool gw_user_fresh(const struct gw_user *user);
/* The user's tokens issued at that time are not valid any more. */
static inline bool gw_user_revoked(const struct gw_user *user, int64_t issued_us)
{
    return issued_us < user->not_before_us;
}

/* An event frame for every session of the user here. reminder: the id of a reminder's event, whose
 * delivery is noted; null of any other. */
void gw_hub_event(struct gw_hub *hub, struct base_sv user_id, int64_t seq, struct base_id reminder,
                  struct net_msg *frame);
/* The user's tokens were revoked: he is read again, and sessions that have one of them end. */
void gw_hub_revoked(struct gw_hub *hub, struct base_sv user_id);
/* Events may have been missed: every session reads again what it lacks. */
void gw_hub_reread(struct gw_hub *hub);

#endif
