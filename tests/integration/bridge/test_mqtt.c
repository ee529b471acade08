/* SPDX-License-Identifier: Apache-2.0 */
/* The MQTT client against a mosquitto of the test's own; skipped where none is installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bridge/mqtt/mqtt.h"
#include "lib/net/loop.h"

enum { WAIT_MS = 15000, MESSAGES = 200 };

static const char *const brokers[] = {"/usr/sbin/mosquitto", "/usr/bin/mosquitto"};

struct tester {
    struct net_loop *loop;
    struct base_timer *deadline;
    struct mqtt *mqtt;
    const char *program;
    pid_t broker;
    int port;
    bool timed_out;
    bool up;
    bool want_up;
    int acked, failed, seen, wanted;
};

static int free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    (void)close(fd);
    return ntohs(at.sin_port);
}

static void broker_start(struct tester *t)
{
    char port[8];
    (void)snprintf(port, sizeof(port), "%d", t->port);
    t->broker = fork();
    assert_true(t->broker >= 0);
    if (t->broker == 0) {
        int null = open("/dev/null", O_RDWR);
        (void)dup2(null, 1);
        (void)dup2(null, 2);
        (void)execl(t->program, "mosquitto", "-p", port, (char *)NULL);
        _exit(127);
    }
}

static void broker_kill(struct tester *t)
{
    (void)kill(t->broker, SIGKILL);
    (void)waitpid(t->broker, NULL, 0);
    t->broker = 0;
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

static void run_until_up(struct tester *t, bool up)
{
    t->want_up = up;
    if (t->up != up)
        run(t);
}

static void on_state(void *ctx, bool up, const char *why)
{
    struct tester *t = ctx;
    assert_true(up == !why);
    t->up = up;
    assert_int_equal(mqtt_up(t->mqtt), up);
    if (up == t->want_up)
        net_loop_stop(t->loop);
}

static void on_message(void *ctx, const struct mqtt_message *message)
{
    struct tester *t = ctx;
    int64_t number;
    assert_true(base_sv_eq_c(message->topic, "todo/v1/u/chat/d/in"));
    assert_true(base_sv_int64(message->payload, &number));
    assert_int_equal(message->qos, 1);
    assert_false(message->retained);
    t->seen++;
    if (t->seen == t->wanted)
        net_loop_stop(t->loop);
}

static void on_acked(void *ctx, enum base_err err)
{
    struct tester *t = ctx;
    if (err == BASE_OK)
        t->acked++;
    else
        t->failed++;
    if (t->acked + t->failed == t->wanted)
        net_loop_stop(t->loop);
}

static enum base_err publish(struct tester *t, int number)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", number);
    struct mqtt_property property = {"ce_type", SV("x")};
    struct mqtt_publication publication = {.topic = "todo/v1/u/chat/d/in",
                                           .payload = base_sv_from(text),
                                           .expiry_s = 60,
                                           .content_type = "application/json",
                                           .properties = &property,
                                           .property_count = 1};
    return mqtt_publish(t->mqtt, &publication, on_acked, t);
}

static int setup(void **state)
{
    struct tester *t = calloc(1, sizeof(*t));
    char url[64];
    struct base_buf errors;
    assert_non_null(t);
    *state = t;
    for (size_t i = 0; i < sizeof(brokers) / sizeof(brokers[0]); i++)
        if (access(brokers[i], X_OK) == 0)
            t->program = brokers[i];
    assert_int_equal(net_loop_new(&t->loop), BASE_OK);
    assert_int_equal(base_timer_new(net_loop_base(t->loop), on_deadline, t, &t->deadline), BASE_OK);
    t->port = free_port();
    (void)snprintf(url, sizeof(url), "mqtt://localhost:%d", t->port);
    struct mqtt_options options = {.loop = net_loop_base(t->loop),
                                   .url = url,
                                   .client_id = "service:test",
                                   .session_expiry_s = 300,
                                   .on_message = on_message,
                                   .on_state = on_state,
                                   .ctx = t};
    base_buf_init(&errors, 1024);
    assert_int_equal(mqtt_new(&options, &t->mqtt, &errors), BASE_OK);
    base_buf_done(&errors);
    return 0;
}

static int teardown(void **state)
{
    struct tester *t = *state;
    mqtt_free(t->mqtt);
    base_timer_free(t->deadline);
    net_loop_free(t->loop);
    if (t->broker)
        broker_kill(t);
    free(t);
    return 0;
}

static struct tester *tester_of(void **state)
{
    struct tester *t = *state;
    if (!t->program) {
        print_message("mosquitto is not installed\n");
        skip();
    }
    return t;
}

static void messages_come_through_a_shared_subscription(void **state)
{
    struct tester *t = tester_of(state);
    broker_start(t);
    assert_int_equal(mqtt_subscribe(t->mqtt, "$share/gateways/todo/v1/+/chat/+/in"), BASE_OK);
    assert_int_equal(publish(t, 0), BASE_UNAVAILABLE);
    run_until_up(t, true);
    t->wanted = MESSAGES;
    for (int i = 0; i < MESSAGES; i++)
        assert_int_equal(publish(t, i), BASE_OK);
    run(t);
    while (t->seen < MESSAGES || t->acked < MESSAGES)
        run(t);
    assert_int_equal(t->seen, MESSAGES);
    assert_int_equal(t->acked, MESSAGES);
    assert_int_equal(mqtt_in_flight(t->mqtt), 0);
}

static void it_comes_back_when_the_broker_does(void **state)
{
    struct tester *t = tester_of(state);
    broker_start(t);
    assert_int_equal(mqtt_subscribe(t->mqtt, "todo/v1/+/chat/+/in"), BASE_OK);
    run_until_up(t, true);
    broker_kill(t);
    run_until_up(t, false);
    assert_int_equal(publish(t, 1), BASE_UNAVAILABLE);
    broker_start(t);
    run_until_up(t, true);
    t->wanted = 1;
    assert_int_equal(publish(t, 1), BASE_OK);
    while (t->seen < 1 || t->acked < 1)
        run(t);
}

static void what_was_under_way_is_sent_again(void **state)
{
    struct tester *t = tester_of(state);
    broker_start(t);
    run_until_up(t, true);
    (void)kill(t->broker, SIGSTOP); /* takes bytes, answers nothing */
    for (int i = 0; i < 10; i++)
        assert_int_equal(publish(t, i), BASE_OK);
    assert_int_equal(mqtt_in_flight(t->mqtt), 10);
    broker_kill(t);
    broker_start(t);
    t->wanted = 10;
    t->want_up = false; /* only the acknowledgements stop the loop, or the loss */
    while (t->acked < 10)
        run(t);
    assert_int_equal(t->failed, 0);
}

static void a_bad_topic_is_refused_at_once(void **state)
{
    struct tester *t = tester_of(state);
    struct mqtt_publication publication = {.topic = "todo/v1/+/x"};
    broker_start(t);
    run_until_up(t, true);
    assert_int_equal(mqtt_publish(t->mqtt, &publication, on_acked, t), BASE_INVALID);
    assert_int_equal(mqtt_subscribe(t->mqtt, "a/#/b"), BASE_INVALID);
    assert_int_equal(mqtt_in_flight(t->mqtt), 0);
}

static void it_can_go_at_any_time(void **state)
{
    (void)tester_of(state); /* teardown follows while the first attempt is under way */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_come_through_a_shared_subscription, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(it_comes_back_when_the_broker_does, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_under_way_is_sent_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bad_topic_is_refused_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(it_can_go_at_any_time, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
