/* SPDX-License-Identifier: Apache-2.0 */
/* The bus on a real Kafka: TODO_KAFKA_BROKERS names it; without it the test is skipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bridge/bus/kafka.h"
#include "lib/base/id.h"
#include "lib/net/loop.h"

enum { WAIT_MS = 20000, RECORDS = 100 };

struct tester {
    struct net_loop *loop;
    struct base_timer *deadline;
    struct bus *bus;
    struct bus_consumer *consumer;
    char user[BASE_ID_TEXT + 1]; /* a new one for each test */
    bool timed_out;
    bool ready;
    const char *topic;
    int acked, failed, seen;
    int wait_acked, wait_seen; /* the loop stops when one is reached */
    int64_t last_seq;
    struct {
        int32_t partition;
        int64_t offset;
    } last;
};

static void stop_if(struct tester *t, bool done)
{
    if (done)
        net_loop_stop(t->loop);
}

static void on_deadline(void *ctx)
{
    struct tester *t = ctx;
    t->timed_out = true;
    net_loop_stop(t->loop);
}

static void run(struct tester *t)
{
    base_timer_start(t->deadline, WAIT_MS);
    net_loop_run(t->loop);
    assert_false(t->timed_out);
}

static void on_state(void *ctx, bool up, const char *why)
{
    struct tester *t = ctx;
    if (why)
        print_message("bus: %s\n", why);
    stop_if(t, up);
}

static void on_ready(void *ctx)
{
    struct tester *t = ctx;
    t->ready = true;
    net_loop_stop(t->loop);
}

static void on_record(void *ctx, const struct bus_record *record)
{
    struct tester *t = ctx;
    int64_t seq;
    if (!base_sv_eq_c(record->key, t->user))
        return;
    assert_string_equal(record->topic, t->topic);
    assert_true(base_sv_int64(bus_record_header(record, BUS_H_USERSEQ), &seq));
    assert_true(base_sv_eq_c(bus_record_header(record, BUS_H_TYPE), "task.created"));
    assert_null(bus_record_header(record, "absent").ptr);
    assert_true(base_sv_eq_c(record->payload, "{\"a\":1}"));
    assert_true(record->at_ms > 0);
    assert_int_equal(seq, t->last_seq + 1);
    t->last_seq = seq;
    t->last.partition = record->partition;
    t->last.offset = record->offset;
    t->seen++;
    stop_if(t, t->seen == t->wait_seen);
}

static void on_acked(void *ctx, enum base_err err)
{
    struct tester *t = ctx;
    if (err == BASE_OK)
        t->acked++;
    else
        t->failed++;
    stop_if(t, t->acked == t->wait_acked);
}

static enum base_err publish(struct tester *t, int64_t seq)
{
    char text[24];
    struct base_buf buf;
    base_buf_init(&buf, sizeof(text) - 1);
    base_buf_add_int(&buf, seq);
    assert_true(base_sv_cstr(base_buf_sv(&buf), text, sizeof(text)));
    base_buf_done(&buf);
    struct bus_header headers[] = {{BUS_H_USERSEQ, base_sv_from(text)},
                                   {BUS_H_TYPE, SV("task.created")}};
    struct bus_message message = {.topic = t->topic,
                                  .key = base_sv_from(t->user),
                                  .headers = headers,
                                  .header_count = 2,
                                  .payload = SV("{\"a\":1}")};
    return bus_publish(t->bus, &message, on_acked, t);
}

static void publish_range(struct tester *t, int64_t from, int64_t to)
{
    for (int64_t seq = from; seq <= to; seq++)
        assert_int_equal(publish(t, seq), BASE_OK);
}

static void consume(struct tester *t, const char *group)
{
    struct bus_consumer_options options = {
        .topic = t->topic, .group = group, .on_ready = on_ready, .on_record = on_record, .ctx = t};
    assert_int_equal(bus_consume(t->bus, &options, &t->consumer), BASE_OK);
}

static int setup(void **state)
{
    const char *brokers = getenv("TODO_KAFKA_BROKERS");
    struct tester *t = calloc(1, sizeof(*t));
    struct base_buf errors;
    assert_non_null(t);
    *state = t;
    if (!brokers)
        return 0;
    base_id_text(base_id_new(0), t->user);
    t->topic = BUS_TOPIC_UPDATES;
    assert_int_equal(net_loop_new(&t->loop), BASE_OK);
    assert_int_equal(base_timer_new(net_loop_base(t->loop), on_deadline, t, &t->deadline), BASE_OK);
    struct bus_kafka_options options = {.loop = net_loop_base(t->loop),
                                        .brokers = brokers,
                                        .client_id = "todo-test",
                                        .make_topics = true,
                                        .partitions = 8,
                                        .replication = 1,
                                        .on_state = on_state,
                                        .ctx = t};
    base_buf_init(&errors, 1024);
    assert_int_equal(bus_kafka_new(&options, &t->bus, &errors), BASE_OK);
    base_buf_done(&errors);
    assert_int_equal(publish(t, 1), BASE_UNAVAILABLE);
    run(t);
    return 0;
}

static int teardown(void **state)
{
    struct tester *t = *state;
    if (t->loop) {
        bus_consumer_free(t->consumer);
        bus_free(t->bus);
        base_timer_free(t->deadline);
        net_loop_free(t->loop);
    }
    free(t);
    return 0;
}

static struct tester *tester_of(void **state)
{
    struct tester *t = *state;
    if (!t->loop) {
        print_message("TODO_KAFKA_BROKERS is not set\n");
        skip();
    }
    return t;
}

static void wait_acked(struct tester *t, int n)
{
    t->wait_acked = n;
    if (t->acked < n)
        run(t);
    t->wait_acked = 0;
}

static void wait_seen(struct tester *t, int n)
{
    t->wait_seen = n;
    if (t->seen < n)
        run(t);
    t->wait_seen = 0;
}

static void a_broadcast_gets_all_that_comes_after_it_is_ready(void **state)
{
    struct tester *t = tester_of(state);
    publish_range(t, 1, 3);
    wait_acked(t, 3);
    consume(t, NULL);
    run(t);
    assert_true(t->ready);
    t->last_seq = 3; /* what was before must not come */
    publish_range(t, 4, 3 + RECORDS);
    wait_seen(t, RECORDS);
    wait_acked(t, 3 + RECORDS);
    assert_int_equal(t->failed, 0);
}

static void paused_nothing_comes_and_nothing_is_lost(void **state)
{
    struct tester *t = tester_of(state);
    consume(t, NULL);
    run(t);
    bus_consumer_pause(t->consumer, true);
    publish_range(t, 1, RECORDS);
    wait_acked(t, RECORDS);
    assert_int_equal(t->seen, 0);
    bus_consumer_pause(t->consumer, false);
    wait_seen(t, RECORDS);
}

static void a_group_goes_on_after_what_was_committed(void **state)
{
    struct tester *t = tester_of(state);
    t->topic = BUS_TOPIC_UPDATES ".dlq"; /* read from its beginning, so a small one */
    publish_range(t, 1, 10);
    wait_acked(t, 10);
    consume(t, t->user); /* a group of this test's own */
    wait_seen(t, 10);
    assert_int_equal(bus_consumer_commit(t->consumer, t->last.partition, t->last.offset), BASE_OK);
    bus_consumer_free(t->consumer);
    publish_range(t, 11, 15);
    wait_acked(t, 15);
    consume(t, t->user);
    wait_seen(t, 15); /* on_record refuses what comes twice */
}

static void a_consumer_may_go_before_it_is_ready(void **state)
{
    struct tester *t = tester_of(state);
    consume(t, NULL);
    bus_consumer_free(t->consumer);
    t->consumer = NULL;
    consume(t, NULL);
    run(t);
    assert_true(t->ready);
}

static void an_unknown_setting_is_refused_by_name(void **state)
{
    struct net_loop *loop;
    struct bus *bus;
    struct base_buf errors;
    (void)state;
    assert_int_equal(net_loop_new(&loop), BASE_OK);
    struct bus_kafka_options options = {.loop = net_loop_base(loop),
                                        .brokers = "127.0.0.1:1",
                                        .client_id = "x",
                                        .properties = "linger.ms=5; no.such=1\nrubbish"};
    base_buf_init(&errors, 1024);
    assert_int_equal(bus_kafka_new(&options, &bus, &errors), BASE_INVALID);
    assert_non_null(strstr(errors.data, "no.such"));
    assert_non_null(strstr(errors.data, "name=value"));
    base_buf_done(&errors);
    net_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_setting_is_refused_by_name),
        cmocka_unit_test_setup_teardown(a_broadcast_gets_all_that_comes_after_it_is_ready, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(paused_nothing_comes_and_nothing_is_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(a_group_goes_on_after_what_was_committed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_consumer_may_go_before_it_is_ready, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
