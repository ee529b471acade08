/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model of everything around resume: a database, a bus that lags, repeats and loses, reads that
 * take their time. However these are interleaved, a session gets every event once and in order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/session/session.h"

enum { SCHEDULES = 20000, READS_MAX = 64, EVENTS_MAX = 4000 };

/* The world around one session. */
static struct {
    uint64_t seed;
    int64_t committed; /* events in the database, 1 … committed */
    int64_t published; /* the bus has brought these to the consumer */
    int64_t sent;      /* the newest the session sent */
    bool wrong;
    bool closed;
    struct {
        int64_t after;
        int64_t seen; /* what the snapshot holds; -1: not taken yet */
        task_events_fn fn;
        void *ctx;
    } reads[READS_MAX];
    size_t read_count;
    struct gw_session *session;
} world;

static uint64_t dice(uint64_t sides)
{
    world.seed ^= world.seed << 13;
    world.seed ^= world.seed >> 7;
    world.seed ^= world.seed << 17;
    return world.seed % sides;
}

/* What the session is linked to. */

enum base_err net_conn_send(struct net_conn *conn, struct net_msg *msg)
{
    static const struct base_sv head = {"{\"type\":\"event\",\"seq\":", 22};
    int64_t seq = 0;
    (void)conn;
    struct base_sv text = net_msg_text(msg);
    bool framed = base_sv_starts(text, head);
    struct base_sv rest = base_sv_sub(text, head.len, text.len);
    if (!framed || !base_sv_int64(base_sv_split(&rest, ','), &seq) || seq != world.sent + 1)
        world.wrong = true;
    world.sent = seq;
    return BASE_OK;
}

void task_store_events(struct task_store *store, struct base_sv user_id, int64_t after,
                       task_events_fn fn, void *ctx)
{
    (void)store;
    (void)user_id;
    assert_true(world.read_count < READS_MAX);
    world.reads[world.read_count].after = after;
    world.reads[world.read_count].seen = -1;
    world.reads[world.read_count].fn = fn;
    world.reads[world.read_count++].ctx = ctx;
}

void gw_session_send(struct gw_session *session, struct base_sv frame)
{
    (void)frame; /* connected */
    world.sent = session->last;
}

void gw_session_close(struct gw_session *session, int code, const char *reason)
{
    (void)code;
    (void)reason;
    session->state = GW_SESSION_OVER;
    world.closed = true;
}

void gw_session_revoked(struct gw_session *session)
{
    gw_session_close(session, 0, "");
}

void gw_session_take_early(struct gw_session *session)
{
    (void)session;
}

struct gw_session *gw_session_ref(struct gw_session *session)
{
    session->refs++;
    return session;
}

void gw_session_unref(struct gw_session *session)
{
    session->refs--;
}

/* What may happen. */

static void answer_read(enum base_err err)
{
    static char texts[TASK_EVENTS_PAGE][16];
    static struct task_stored_event rows[TASK_EVENTS_PAGE];
    size_t count = 0;
    if (world.read_count == 0)
        return;
    int64_t seen = world.reads[0].seen >= 0 ? world.reads[0].seen : world.committed;
    for (int64_t seq = world.reads[0].after + 1; seq <= seen && count < TASK_EVENTS_PAGE; seq++) {
        int n = snprintf(texts[count], sizeof(texts[count]), "{\"n\":%d}", (int)seq);
        rows[count] = (struct task_stored_event){seq, 1, base_sv(texts[count], (size_t)n)};
        count++;
    }
    task_events_fn fn = world.reads[0].fn;
    void *ctx = world.reads[0].ctx;
    memmove(&world.reads[0], &world.reads[1], --world.read_count * sizeof(world.reads[0]));
    fn(ctx, err, rows, err == BASE_OK ? count : 0);
}

static void take_snapshots(void)
{
    for (size_t i = 0; i < world.read_count; i++)
        if (world.reads[i].seen < 0)
            world.reads[i].seen = world.committed;
}

static void commit(bool many)
{
    world.committed += 1 + (int64_t)dice(many ? 700 : 3);
    if (world.committed > EVENTS_MAX)
        world.committed = EVENTS_MAX;
}

static void deliver(struct gw_user *user)
{
    char text[64];
    if (world.published >= world.committed)
        return;
    int64_t seq = ++world.published;
    int n = snprintf(text, sizeof(text), "{\"type\":\"event\",\"seq\":%d,\"event\":{}}", (int)seq);
    struct net_msg *frame = net_msg_new_text(base_sv(text, (size_t)n));
    assert_non_null(frame);
    if (seq > user->head)
        user->head = seq;
    gw_session_event(world.session, seq, frame);
    net_msg_unref(frame);
}

static void step(struct gw_user *user, bool many)
{
    switch (dice(16)) {
    case 0:
    case 1:
    case 2:
        commit(many && dice(8) == 0);
        break;
    case 3: /* a relay that started anew publishes what it had published */
        world.published -= (int64_t)dice((uint64_t)world.published + 1) % 20;
        break;
    case 4: /* records are lost, and nobody says so */
        if (dice(4) == 0 && world.published + 2 < world.committed)
            world.published += 2;
        break;
    case 5: /* they are lost, and it is noticed */
        if (world.published + 1 < world.committed)
            world.published = world.committed;
        gw_session_reread(world.session);
        break;
    case 6:
    case 7:
        take_snapshots();
        break;
    case 8:
    case 9:
    case 10:
        answer_read(BASE_OK);
        break;
    default:
        deliver(user);
    }
}

static void run(uint64_t seed, bool many)
{
    static struct gw_config config;
    struct gw_shared shared = {.config = &config, .clock = &base_clock_system};
    struct gw_worker worker = {.shared = &shared};
    struct gw_user user = {.id = SV("ann"), .oldest = 1, .settings.home = time_zone_utc()};
    struct gw_session session = {.worker = &worker, .user = &user, .refs = 1};
    memset(&world, 0, sizeof(world));
    world.seed = seed * 0x9e3779b97f4a7c15u + 1;
    world.session = &session;
    for (uint64_t i = dice(10); i > 0; i--)
        commit(many);
    world.published = (int64_t)dice((uint64_t)world.committed + 1);

    session.state = GW_SESSION_HELD; /* joined; the user is read only now */
    for (uint64_t i = dice(6); i > 0; i--)
        dice(2) ? deliver(&user) : commit(false);
    if (user.head < world.committed)
        user.head = world.committed;
    for (uint64_t i = dice(6); i > 0; i--)
        dice(2) ? deliver(&user) : commit(false);
    session.has_since = dice(4) != 0;
    session.since = (int64_t)dice((uint64_t)user.head + 3);
    gw_session_begin(&session);
    bool recovered = session.has_since && session.since <= user.head;
    assert_true(session.last == (recovered ? session.since : user.head));
    for (uint64_t i = 20 + dice(80); i > 0 && !world.closed; i--)
        step(&user, many);

    /* Everything comes to rest; the minute's comparison finds what was lost last. */
    while (world.published < world.committed || world.read_count) {
        deliver(&user);
        answer_read(BASE_OK);
    }
    user.head = world.committed;
    gw_session_compare(&session);
    while (world.read_count)
        answer_read(BASE_OK);
    if (world.wrong || world.closed || world.sent != world.committed ||
        session.state != GW_SESSION_LIVE || session.refs != 1)
        fail_msg("schedule %llu: sent %lld of %lld", (unsigned long long)seed,
                 (long long)world.sent, (long long)world.committed);
    gw_session_drop_held(&session);
}

static void test_schedules(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SCHEDULES; seed++)
        run(seed, seed % 100 == 0);
    assert_int_equal(net_msg_alive(), 0);
}

/* More comes while a read is under way than can be held. */
static void test_overflow(void **state)
{
    static struct gw_config config;
    struct gw_shared shared = {.config = &config, .clock = &base_clock_system};
    struct gw_worker worker = {.shared = &shared};
    struct gw_user user = {.id = SV("ann"), .oldest = 1, .settings.home = time_zone_utc()};
    struct gw_session session = {.worker = &worker, .user = &user, .refs = 1};
    (void)state;
    memset(&world, 0, sizeof(world));
    world.session = &session;
    session.state = GW_SESSION_HELD;
    gw_session_begin(&session);
    take_snapshots();
    world.committed = 1300;
    while (world.published < world.committed)
        deliver(&user);
    assert_true(session.overflow);
    answer_read(BASE_OK); /* empty, but what was held is not whole */
    assert_int_equal(world.sent, 0);
    answer_read(BASE_OK);
    assert_int_equal(world.sent, 500);
    answer_read(BASE_OK);
    assert_int_equal(world.sent, 1000);
    answer_read(BASE_OK);
    assert_int_equal(world.sent, 1300);
    assert_int_equal(session.state, GW_SESSION_LIVE);
    assert_false(world.wrong);
    gw_session_drop_held(&session);
}

/* A read that fails ends the session: the client resumes where it is. */
static void test_failed_read(void **state)
{
    static struct gw_config config;
    struct gw_shared shared = {.config = &config, .clock = &base_clock_system};
    struct gw_worker worker = {.shared = &shared};
    struct gw_user user = {.id = SV("ann"), .oldest = 1, .settings.home = time_zone_utc()};
    struct gw_session session = {.worker = &worker, .user = &user, .refs = 1};
    (void)state;
    memset(&world, 0, sizeof(world));
    world.session = &session;
    session.state = GW_SESSION_HELD;
    gw_session_begin(&session);
    world.committed = 1;
    deliver(&user);
    answer_read(BASE_UNAVAILABLE);
    assert_true(world.closed);
    assert_int_equal(world.sent, 0);
    gw_session_drop_held(&session);
    assert_int_equal(net_msg_alive(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schedules),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_failed_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
