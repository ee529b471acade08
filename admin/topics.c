/* SPDX-License-Identifier: Apache-2.0 */
/* todo-admin topics: makes Kafka's topics, which todo-bridge does by itself unless its bus is dapr.
 */
#include <stdio.h>
#include <stdlib.h>

#include "admin/args.h"
#include "admin/command.h"
#include "bridge/bus/kafka.h"
#include "lib/net/loop.h"

enum { DEADLINE_MS = 30000 };

struct making {
    struct net_loop *loop;
    struct bus *bus;
    bool done;
    char why[256];
};

static void on_state(void *ctx, bool up, const char *why)
{
    struct making *making = ctx;
    if (!up)
        (void)snprintf(making->why, sizeof(making->why), "%s", why);
    making->done = up;
    if (up)
        net_loop_stop(making->loop);
}

static void on_deadline(void *ctx)
{
    struct making *making = ctx;
    if (!making->why[0]) {
        const char *why = "no answer";
        (void)bus_up(making->bus, &why);
        (void)snprintf(making->why, sizeof(making->why), "%s", why);
    }
    net_loop_stop(making->loop);
}

static int make_with(const struct bus_kafka_options *given)
{
    struct making making = {0};
    struct base_timer *deadline = NULL;
    struct base_buf errors;
    base_buf_init(&errors, 4096);
    enum base_err err = net_loop_new(&making.loop);
    if (err == BASE_OK) {
        struct bus_kafka_options options = *given;
        options.loop = net_loop_base(making.loop);
        options.on_state = on_state;
        options.ctx = &making;
        err = base_timer_new(options.loop, on_deadline, &making, &deadline);
        if (err == BASE_OK)
            err = bus_kafka_new(&options, &making.bus, &errors);
    }
    if (err == BASE_OK) {
        base_timer_start(deadline, DEADLINE_MS);
        net_loop_run(making.loop);
    }
    if (err == BASE_OK && making.done)
        (void)puts("the topics are there");
    else
        (void)fprintf(stderr, "todo-admin topics: %s%.*s\n",
                      err != BASE_OK ? base_err_text(err) : making.why,
                      SV_FMT(base_buf_sv(&errors)));
    bus_free(making.bus);
    base_timer_free(deadline);
    if (making.loop)
        net_loop_free(making.loop);
    base_buf_done(&errors);
    return err == BASE_OK && making.done ? ADMIN_OK : ADMIN_FAILED;
}

static int make(int argc, char **argv)
{
    const char *brokers = NULL, *properties = "", *password = "", *partitions = "8",
               *replication = "1", *retention = "0";
    const struct admin_option options[] = {
        {"--brokers", &brokers, "TODO_KAFKA_BROKERS", true, "host:port[,host:port...]"},
        {"--properties", &properties, "TODO_KAFKA_PROPERTIES", false,
         "further librdkafka settings, name=value separated by ;"},
        {"--password-file", &password, "TODO_KAFKA_PASSWORD_FILE", false, "the SASL password"},
        {"--partitions", &partitions, NULL, false, "of each (dead letters have one); default 8"},
        {"--replication", &replication, NULL, false, "copies of each; default 1"},
        {"--retention-days", &retention, NULL, false, "0, the default: as the broker does"},
    };
    int status;
    if (!admin_args_parse(options, sizeof(options) / sizeof(options[0]), argc, argv, &status))
        return status;
    int64_t numbers[3];
    const char *const texts[] = {partitions, replication, retention};
    for (size_t i = 0; i < 3; i++)
        if (!base_sv_int64(base_sv_from(texts[i]), &numbers[i]) || numbers[i] < (i < 2) ||
            numbers[i] > 3650) {
            (void)fprintf(stderr, "todo-admin topics make: \"%s\" is not a number that fits\n",
                          texts[i]);
            return ADMIN_USAGE;
        }
    return make_with(&(struct bus_kafka_options){.brokers = brokers,
                                                 .client_id = "todo-admin",
                                                 .properties = properties,
                                                 .password_file = password,
                                                 .make_topics = true,
                                                 .partitions = (int)numbers[0],
                                                 .replication = (int)numbers[1],
                                                 .retention_ms = numbers[2] * 86400000});
}

int admin_topics(int argc, char **argv)
{
    static const struct admin_command commands[] = {
        {"make", "those that are missing; others stay as they are", make},
    };
    return admin_run_sub(commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
