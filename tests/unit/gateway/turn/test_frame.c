/* SPDX-License-Identifier: Apache-2.0 */
/* Messages and actions as turns; what is wrong with a frame is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/turn/frame.h"

#define NOW INT64_C(1795507200000000) /* 2026-11-24T08:00:00Z */
#define ID "0198c0de-0000-7000-8000-000000000000"

static int64_t now_us(const struct base_clock *clock)
{
    (void)clock;
    return NOW;
}

static const struct base_clock fixed = {now_us};

struct world {
    struct gw_shared shared;
    struct gw_worker worker;
    struct gw_user *user;
    struct gw_turn *turn;
    const char *why;
};

static int setup(void **state)
{
    static struct world w;
    w = (struct world){.shared = {.clock = &fixed}};
    w.worker.shared = &w.shared;
    assert_int_equal(net_loop_new(&w.worker.loop), BASE_OK);
    w.worker.base = net_loop_base(w.worker.loop);
    assert_int_equal(gw_hub_new(&w.worker, &w.worker.hub), BASE_OK);
    w.user = gw_hub_user(w.worker.hub, SV("ann"));
    assert_non_null(w.user);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    assert_int_equal(w->user->refs, 1); /* no turn holds it any more */
    gw_user_unref(w->user);
    gw_hub_free(w->worker.hub);
    net_loop_free(w->worker.loop);
    return 0;
}

static enum base_err take(struct world *w, const char *text)
{
    json_t *frame = json_loads(text, 0, NULL);
    assert_non_null(frame);
    w->why = NULL;
    enum base_err err = gw_frame_turn(&w->worker, w->user, SV("phone"), frame, &w->turn, &w->why);
    json_decref(frame); /* the turn keeps what it needs */
    return err;
}

static void test_message(void **state)
{
    struct world *w = *state;
    assert_int_equal(take(w, "{\"type\":\"message\",\"id\":\"7\",\"text\":\"buy milk\"}"), BASE_OK);
    assert_true(base_sv_eq_c(w->turn->text, "buy milk"));
    assert_true(base_sv_eq_c(w->turn->client_id, "7"));
    assert_true(base_sv_eq_c(w->turn->device, "phone"));
    assert_int_equal(w->turn->channel, TASK_CHANNEL_CHAT);
    assert_int_equal(w->turn->action.verb, GW_NO_VERB);
    assert_true(w->turn->at_us == NOW);
    gw_turn_discard(w->turn);
}

/* A line may have waited in a client for a week, but not come from the future. */
static void test_said_at(void **state)
{
    static const struct {
        const char *at;
        int64_t want_us;
    } rows[] = {
        {"2026-11-24T07:59:00Z", NOW - 60 * INT64_C(1000000)},
        {"2026-11-17T08:00:00Z", NOW - 7 * 86400 * INT64_C(1000000)},
        {"2026-11-17T07:59:59Z", NOW},
        {"2026-11-24T08:05:00Z", NOW + 300 * INT64_C(1000000)},
        {"2026-11-24T08:05:01Z", NOW},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[200];
        (void)snprintf(text, sizeof(text),
                       "{\"type\":\"message\",\"id\":\"1\",\"text\":\"x\",\"at\":\"%s\"}",
                       rows[i].at);
        assert_int_equal(take(w, text), BASE_OK);
        assert_true(w->turn->at_us == rows[i].want_us);
        gw_turn_discard(w->turn);
    }
}

static void test_action(void **state)
{
    struct world *w = *state;
    assert_int_equal(take(w,
                          "{\"type\":\"action\",\"id\":\"1\",\"action\":\"snooze\",\"task\":\"" ID
                          "\",\"args\":{\"minutes\":10}}"),
                     BASE_OK);
    assert_int_equal(w->turn->channel, TASK_CHANNEL_ACTION);
    assert_int_equal(w->turn->action.verb, GW_SNOOZE);
    assert_int_equal(w->turn->action.minutes, 10);
    assert_int_equal(w->turn->text.len, 0);
    gw_turn_discard(w->turn);
    assert_int_equal(take(w, "{\"type\":\"action\",\"id\":\"1\",\"action\":\"confirm\","
                             "\"args\":{\"yes\":false}}"),
                     BASE_OK);
    assert_false(w->turn->action.yes);
    gw_turn_discard(w->turn);
}

static uint64_t hash_of(struct world *w, const char *text)
{
    assert_int_equal(take(w, text), BASE_OK);
    uint64_t hash = w->turn->hash;
    gw_turn_discard(w->turn);
    return hash;
}

/* The same command once more has the same content, in whatever order and however traced. */
static void test_hash(void **state)
{
    uint64_t first = hash_of(*state, "{\"type\":\"action\",\"id\":\"1\",\"action\":\"undo\"}");
    assert_true(first == hash_of(*state, "{\"action\":\"undo\",\"id\":\"1\",\"type\":\"action\"}"));
    assert_true(first ==
                hash_of(*state,
                        "{\"type\":\"action\",\"id\":\"1\",\"action\":\"undo\",\"traceparent\":"
                        "\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"}"));
    assert_true(first !=
                hash_of(*state, "{\"type\":\"action\",\"id\":\"1\",\"action\":\"confirm\"}"));
}

static void test_wrong(void **state)
{
    static const struct {
        const char *text;
        enum base_err err;
        const char *names;
    } rows[] = {
        {"{\"type\":\"message\",\"text\":\"x\"}", BASE_INVALID, "\"id\""},
        {"{\"type\":\"message\",\"id\":\"\",\"text\":\"x\"}", BASE_INVALID, "\"id\""},
        {"{\"type\":\"message\",\"id\":7,\"text\":\"x\"}", BASE_INVALID, "\"id\""},
        {"{\"type\":\"massage\",\"id\":\"1\",\"text\":\"x\"}", BASE_INVALID, "\"type\""},
        {"{\"type\":\"message\",\"id\":\"1\"}", BASE_INVALID, "\"text\""},
        {"{\"type\":\"message\",\"id\":\"1\",\"text\":\" \\t \"}", BASE_INVALID, "\"text\""},
        {"{\"type\":\"message\",\"id\":\"1\",\"text\":\"x\",\"at\":5}", BASE_INVALID, "\"at\""},
        {"{\"type\":\"action\",\"id\":\"1\"}", BASE_INVALID, "\"action\""},
        {"{\"type\":\"action\",\"id\":\"1\",\"action\":\"complete\"}", BASE_INVALID, "\"task\""},
        {"{\"type\":\"action\",\"id\":\"1\",\"action\":\"choose\",\"task\":\"7\"}", BASE_INVALID,
         "\"task\""},
        {"{\"type\":\"action\",\"id\":\"1\",\"action\":\"undo\",\"args\":[]}", BASE_INVALID,
         "\"args\""},
        {"{\"type\":\"action\",\"id\":\"1\",\"action\":\"undo\",\"args\":{\"minutes\":0}}",
         BASE_INVALID, "\"args.minutes\""},
        {"{\"type\":\"action\",\"id\":\"1\",\"action\":\"undo\",\"args\":{\"minutes\":1.5}}",
         BASE_INVALID, "\"args.minutes\""},
        {"{\"type\":\"action\",\"id\":\"1\",\"action\":\"undo\",\"args\":{\"minutes\":525601}}",
         BASE_INVALID, "\"args.minutes\""},
        {"{\"type\":\"action\",\"id\":\"1\",\"action\":\"undo\",\"args\":{\"until\":\"soon\"}}",
         BASE_INVALID, "\"args.until\""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world *w = *state;
        assert_int_equal(take(w, rows[i].text), rows[i].err);
        assert_non_null(strstr(w->why, rows[i].names));
    }
}

static void test_long(void **state)
{
    struct world *w = *state;
    char text[NLU_TEXT_MAX + 2];
    memset(text, 'x', NLU_TEXT_MAX + 1);
    text[NLU_TEXT_MAX + 1] = '\0';
    for (size_t over = 0; over < 2; over++) {
        json_t *frame =
            json_pack("{s:s,s:s,s:s}", "type", "message", "id", "1", "text", text + (1 - over));
        enum base_err err =
            gw_frame_turn(&w->worker, w->user, SV("phone"), frame, &w->turn, &w->why);
        json_decref(frame);
        assert_int_equal(err, over ? BASE_TOO_LARGE : BASE_OK);
        if (err == BASE_OK)
            gw_turn_discard(w->turn);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_message, setup, teardown),
        cmocka_unit_test_setup_teardown(test_said_at, setup, teardown),
        cmocka_unit_test_setup_teardown(test_action, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hash, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
