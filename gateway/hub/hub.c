/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of users; swept bit by bit for users nobody holds and for sessions that fell behind.
 */
#include "gateway/hub/hub.h"

#include <stdlib.h>

#include "gateway/session/session.h"
#include "lib/base/id.h"
#include "lib/otlp/otlp.h"
#include "tasks/event.h"
#include "tasks/store/receipts.h"

enum {
    BUCKETS = 16384,
    SWEEP_MS = 1000,
    SWEEP_PARTS = 60,
    KEEP_US = 60 * 1000000,
    FRESH_US = 90 * 1000000, /* longer than a round of the sweep */
    STATE_BYTES_MAX = 64 * 1024,
    DELIVERIES = 500
};

struct gw_user_wait {
    struct gw_user_wait *next;
    gw_user_fn fn;
    void *ctx;
    struct base_sv zone;
    char zone_text[64];
};

struct gw_hub {
    struct gw_worker *worker;
    struct gw_user *buckets[BUCKETS];
    size_t users;
    uint64_t seed;
    struct base_timer *sweep;
    size_t sweep_part;
    struct task_delivery deliveries[DELIVERIES]; /* of reminders, noted with the next sweep */
    size_t delivered;
};

/* One read of a user, with those who wait for it. */
struct read {
    struct gw_user *user;
    struct gw_user_wait *waiting;
};

static struct gw_user **slot(struct gw_hub *hub, struct base_sv id)
{
    struct gw_user **at = &hub->buckets[base_sv_hash(id, hub->seed) % BUCKETS];
    while (*at && !base_sv_eq((*at)->id, id))
        at = &(*at)->next;
    return at;
}

struct gw_worker *gw_hub_worker(struct gw_hub *hub)
{
    return hub->worker;
}

size_t gw_hub_users(const struct gw_hub *hub)
{
    return hub->users;
}

struct gw_user *gw_hub_user(struct gw_hub *hub, struct base_sv id)
{
    struct gw_user **at = slot(hub, id);
    if (*at) {
        (*at)->refs++;
        return *at;
    }
    struct gw_user *user = calloc(1, sizeof(*user));
    if (!user || !base_sv_cstr(id, user->id_text, sizeof(user->id_text))) {
        free(user);
        return NULL;
    }
    user->hub = hub;
    user->refs = 1;
    user->id = base_sv(user->id_text, id.len);
    user->last_turn = &user->first_turn;
    base_buf_init(&user->dialogue_state, STATE_BYTES_MAX);
    *at = user;
    hub->users++;
    return user;
}

void gw_user_unref(struct gw_user *user)
{
    if (user && --user->refs == 0)
        user->idle_since_us = base_loop_now_us(user->hub->worker->base);
}

static void forget(struct gw_hub *hub, struct gw_user **at)
{
    struct gw_user *user = *at;
    *at = user->next;
    hub->users--;
    base_buf_done(&user->dialogue_state);
    free(user);
}

/* Reading. */

static void read_begin(struct gw_user *user);

static void take(struct gw_user *user, const struct task_user *row)
{
    user->loaded = true;
    user->loaded_us = base_loop_now_us(user->hub->worker->base);
    user->settings = row->settings;
    user->quiet = row->quiet;
    (void)base_sv_cstr(row->locale, user->locale, sizeof(user->locale));
    user->oldest = row->oldest;
    user->not_before_us = row->not_before_us;
    if (row->head > user->head)
        user->head = row->head;
    /* A turn of ours that committed while this read was on its way knows better. */
    if (row->dialogue_version < user->dialogue_version)
        return;
    user->dialogue_version = row->dialogue_version;
    base_buf_reset(&user->dialogue_state);
    base_buf_add(&user->dialogue_state, row->dialogue_state);
}

static void on_user(void *ctx, enum base_err err, const struct task_user *row)
{
    struct read *read = ctx;
    struct gw_user *user = read->user;
    if (err == BASE_OK)
        take(user, row);
    for (struct gw_user_wait *wait = read->waiting, *next; wait; wait = next) {
        next = wait->next;
        wait->fn(wait->ctx, err);
        free(wait);
    }
    free(read);
    user->reading = false;
    if (user->waiting)
        read_begin(user);
    gw_user_unref(user);
}

static void read_begin(struct gw_user *user)
{
    struct read *read = malloc(sizeof(*read));
    struct base_sv zone = SV_NULL;
    if (!read)
        return; /* those who wait are served by the next read */
    *read = (struct read){user, user->waiting};
    user->waiting = NULL;
    user->reading = true;
    user->refs++;
    for (const struct gw_user_wait *wait = read->waiting; wait && !zone.len; wait = wait->next)
        zone = wait->zone;
    task_store_user(user->hub->worker->store, user->id, zone, on_user, read);
}

void gw_user_read(struct gw_user *user, struct base_sv zone, gw_user_fn fn, void *ctx)
{
    struct gw_user_wait *wait = calloc(1, sizeof(*wait));
    if (!wait) {
        fn(ctx, BASE_NO_MEMORY);
        return;
    }
    wait->fn = fn;
    wait->ctx = ctx;
    if (base_sv_cstr(zone, wait->zone_text, sizeof(wait->zone_text)))
        wait->zone = base_sv(wait->zone_text, zone.len);
    wait->next = user->waiting;
    user->waiting = wait;
    if (!user->reading)
        read_begin(user);
}

bool gw_user_fresh(const struct gw_user *user)
{
    return user->loaded && base_loop_now_us(user->hub->worker->base) - user->loaded_us < FRESH_US;
}

/* Events. A session that is closed from inside leaves the list only later, so the walk is safe. */

static void note_deliveries(struct gw_hub *hub)
{
    if (hub->delivered)
        task_store_delivered(hub->worker->store, hub->deliveries, hub->delivered);
    hub->delivered = 0;
}

static void note_delivery(struct gw_hub *hub, struct base_id event)
{
    if (hub->delivered == DELIVERIES)
        note_deliveries(hub);
    hub->deliveries[hub->delivered++] = (struct task_delivery){event, gw_now_us(hub->worker)};
}

static void add_span(struct gw_hub *hub, const struct gw_user *user, int64_t seq,
                     const struct net_msg *frame, int64_t begun_us)
{
    struct base_trace cause;
    struct otlp_exporter *spans = hub->worker->spans;
    if (!task_event_trace(net_msg_text(frame), &cause) || !otlp_wants(spans, &cause))
        return;
    struct otlp_span span = {
        .name = "deliver",
        .kind = OTLP_CONSUMER,
        .trace = base_trace_child(&cause),
        .parent = cause.span_id,
        .start_us = begun_us,
        .end_us = gw_now_us(hub->worker),
        .attributes = {{.key = "todo.userseq", .number = seq},
                       {.key = "todo.sessions", .number = (int64_t)user->session_count}}};
    otlp_add(spans, &span);
}

void gw_hub_event(struct gw_hub *hub, struct base_sv user_id, int64_t seq, struct base_id reminder,
                  struct net_msg *frame)
{
    struct gw_user *user = *slot(hub, user_id);
    if (!user)
        return;
    if (seq > user->head)
        user->head = seq;
    int64_t begun_us = hub->worker->spans ? gw_now_us(hub->worker) : 0;
    for (struct gw_session *session = user->sessions; session; session = session->next)
        gw_session_event(session, seq, frame);
    if (hub->worker->spans && user->sessions)
        add_span(hub, user, seq, frame, begun_us);
    if (user->sessions && !base_id_is_null(reminder))
        note_delivery(hub, reminder);
}

void gw_hub_reread(struct gw_hub *hub)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct gw_user *user = hub->buckets[i]; user; user = user->next)
            for (struct gw_session *session = user->sessions; session; session = session->next)
                gw_session_reread(session);
}

/* A last event that was lost on the way has no successor to show the gap, so each user's head is
 * compared with the database's once a minute. */
static void on_compared(void *ctx, enum base_err err)
{
    struct gw_user *user = ctx;
    if (err == BASE_OK)
        for (struct gw_session *session = user->sessions; session; session = session->next)
            gw_session_compare(session);
    gw_user_unref(user);
}

static void compare(struct gw_user *user)
{
    user->refs++;
    gw_user_read(user, SV_NULL, on_compared, user);
}

void gw_hub_revoked(struct gw_hub *hub, struct base_sv user_id)
{
    struct gw_user *user = *slot(hub, user_id);
    if (!user)
        return;
    user->loaded = false;
    compare(user);
}

static void sweep_bucket(struct gw_hub *hub, struct gw_user **at, int64_t now)
{
    while (*at) {
        struct gw_user *user = *at;
        if (user->refs == 0 && now - user->idle_since_us > KEEP_US) {
            forget(hub, at);
            continue;
        }
        if (user->sessions)
            compare(user);
        at = &user->next;
    }
}

static void on_sweep(void *ctx)
{
    struct gw_hub *hub = ctx;
    int64_t now = base_loop_now_us(hub->worker->base);
    size_t per_part = BUCKETS / SWEEP_PARTS + 1;
    size_t from = hub->sweep_part * per_part;
    hub->sweep_part = (hub->sweep_part + 1) % SWEEP_PARTS;
    note_deliveries(hub);
    for (size_t i = from; i < from + per_part && i < BUCKETS; i++)
        sweep_bucket(hub, &hub->buckets[i], now);
    base_timer_start(hub->sweep, SWEEP_MS);
}

enum base_err gw_hub_new(struct gw_worker *worker, struct gw_hub **ret_hub)
{
    struct gw_hub *hub = calloc(1, sizeof(*hub));
    if (!hub)
        return BASE_NO_MEMORY;
    hub->worker = worker;
    base_random(&hub->seed, sizeof(hub->seed));
    enum base_err err = base_timer_new(worker->base, on_sweep, hub, &hub->sweep);
    if (err != BASE_OK) {
        free(hub);
        return err;
    }
    base_timer_start(hub->sweep, SWEEP_MS);
    *ret_hub = hub;
    return BASE_OK;
}

void gw_hub_free(struct gw_hub *hub)
{
    if (!hub)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (hub->buckets[i])
            forget(hub, &hub->buckets[i]);
    base_timer_free(hub->sweep);
    free(hub);
}
