/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consumers. A group lets the broker share out partitions and remembers offsets. A broadcast
 * consumer assigns itself every partition at an explicit offset, the end as of now; librdkafka's
 * "end" is resolved late and could skip what comes first, so the ends are asked for. Asking blocks
 * and happens in a short-lived thread, which owns the handle together with us: whoever is last
 * frees it.
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "bridge/bus/kafka_internal.h"
#include "lib/base/log.h"

enum { RECORDS_PER_TURN = 512, ASK_TIMEOUT_MS = 2000, ASK_AGAIN_MS = 200, PROBE_AGAIN_MS = 1000 };

struct position {
    pthread_mutex_t mutex;
    struct base_loop *loop;
    rd_kafka_t *rk;
    char *topic;
    struct {
        struct kafka_consumer *consumer; /* NULL: the consumer is gone */
    } shared;
    rd_kafka_topic_partition_list_t *ends; /* the thread's until it has posted, then the loop's */
};

struct kafka_consumer {
    struct bus_consumer base;
    struct kafka *kafka;
    struct kafka_consumer *next;
    struct bus_consumer_options options;
    char *topic;
    char *group;
    rd_kafka_t *rk;
    struct kafka_wake wake;
    struct position *position; /* being asked for, or NULL */
    bool positioned;           /* broadcast only */
    bool was_ready;
    bool paused;
};

/* Positions. */

static void position_free(struct position *position)
{
    if (position->ends)
        rd_kafka_topic_partition_list_destroy(position->ends);
    pthread_mutex_destroy(&position->mutex);
    free(position->topic);
    free(position);
}

static bool ask_ends(struct position *position)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(position->rk, position->topic, NULL);
    if (!topic)
        return false;
    rd_kafka_resp_err_t err = rd_kafka_metadata(position->rk, 0, topic, &metadata, ASK_TIMEOUT_MS);
    rd_kafka_topic_destroy(topic);
    if (err)
        return false;
    bool ok = metadata->topic_cnt == 1 && !metadata->topics[0].err &&
              metadata->topics[0].partition_cnt > 0;
    int count = ok ? metadata->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_partition_list_t *ends = rd_kafka_topic_partition_list_new(count);
    for (int p = 0; ok && p < count; p++) {
        int64_t low, high;
        ok = !rd_kafka_query_watermark_offsets(position->rk, position->topic, p, &low, &high,
                                               ASK_TIMEOUT_MS);
        if (ok)
            rd_kafka_topic_partition_list_add(ends, position->topic, p)->offset = high;
    }
    if (ok)
        position->ends = ends;
    else
        rd_kafka_topic_partition_list_destroy(ends);
    return ok;
}

static void on_positioned(void *ctx);

static void *position_thread(void *arg)
{
    struct position *position = arg;
    bool done = false;
    while (!done) {
        bool ok = position->ends || ask_ends(position);
        pthread_mutex_lock(&position->mutex);
        bool gone = !position->shared.consumer;
        done = gone || (ok && base_loop_post(position->loop, on_positioned, position) == BASE_OK);
        pthread_mutex_unlock(&position->mutex);
        if (gone) {
            rd_kafka_destroy(position->rk);
            position_free(position);
        } else if (!done) {
            (void)nanosleep(&(struct timespec){.tv_nsec = ASK_AGAIN_MS * 1000000L}, NULL);
        }
    }
    return NULL;
}

static struct position *position_new(struct kafka_consumer *consumer)
{
    struct position *position = calloc(1, sizeof(*position));
    if (!position)
        return NULL;
    pthread_mutex_init(&position->mutex, NULL);
    position->loop = consumer->kafka->options.loop;
    position->rk = consumer->rk;
    position->shared.consumer = consumer;
    position->topic = strdup(consumer->topic);
    if (position->topic)
        return position;
    position_free(position);
    return NULL;
}

/* Without memory or a thread for it, the bus asks again after its next probe. */
static void position_ask(struct kafka_consumer *consumer)
{
    pthread_t thread;
    pthread_attr_t attr;
    if (consumer->position)
        return;
    struct position *position = position_new(consumer);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (position && pthread_create(&thread, &attr, position_thread, position) == 0) {
        consumer->position = position;
    } else {
        if (position)
            position_free(position);
        base_timer_start(consumer->kafka->timer, PROBE_AGAIN_MS);
    }
    pthread_attr_destroy(&attr);
}

/* In the loop. */
static void on_positioned(void *ctx)
{
    struct position *position = ctx;
    /* The thread lets go of the mutex right after its post. */
    pthread_mutex_lock(&position->mutex);
    struct kafka_consumer *consumer = position->shared.consumer;
    pthread_mutex_unlock(&position->mutex);
    if (!consumer) {
        rd_kafka_destroy(position->rk);
        position_free(position);
        return;
    }
    consumer->position = NULL;
    rd_kafka_resp_err_t err = rd_kafka_assign(consumer->rk, position->ends);
    position_free(position);
    if (err) {
        position_ask(consumer);
        return;
    }
    void (*fn)(void *) =
        consumer->was_ready ? consumer->options.on_gap : consumer->options.on_ready;
    consumer->positioned = true;
    consumer->was_ready = true;
    if (fn)
        fn(consumer->options.ctx);
}

/* Records. */

static void deliver(struct kafka_consumer *consumer, const rd_kafka_message_t *message)
{
    struct bus_record record = {.topic = consumer->topic,
                                .partition = message->partition,
                                .offset = message->offset,
                                .key = base_sv(message->key, message->key_len),
                                .payload = base_sv(message->payload, message->len)};
    rd_kafka_timestamp_type_t type;
    int64_t at_ms = rd_kafka_message_timestamp(message, &type);
    record.at_ms = at_ms > 0 ? at_ms : 0;
    rd_kafka_headers_t *headers;
    if (!rd_kafka_message_headers(message, &headers)) {
        const void *value;
        size_t size;
        for (size_t i = 0; i < BUS_HEADERS_MAX; i++) {
            struct bus_header *header = &record.headers[record.header_count];
            if (rd_kafka_header_get_all(headers, i, &header->name, &value, &size))
                break;
            header->value = base_sv(value, size);
            record.header_count++;
        }
    }
    consumer->options.on_record(consumer->options.ctx, &record);
}

/* Errors after which the position of a broadcast consumer is no longer sure. */
static bool position_lost(rd_kafka_resp_err_t err)
{
    static const rd_kafka_resp_err_t lost[] = {
        RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET,    RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE,
        RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,        RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
        RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED};
    for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
        if (err == lost[i])
            return true;
    return false;
}

static void on_queue(void *ctx)
{
    struct kafka_consumer *consumer = ctx;
    for (int n = 0; n < RECORDS_PER_TURN && !consumer->paused; n++) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer->rk, 0);
        if (!message)
            return;
        if (!message->err) {
            deliver(consumer, message);
        } else {
            LOG_DEBUG("kafka.consumer", LOG_STR("topic", consumer->topic),
                      LOG_STR("error", rd_kafka_err2name(message->err)));
            if (!consumer->group && position_lost(message->err)) {
                (void)rd_kafka_assign(consumer->rk, NULL);
                consumer->positioned = false;
                position_ask(consumer);
            }
        }
        rd_kafka_message_destroy(message);
    }
    if (!consumer->paused)
        kafka_wake_again(&consumer->wake);
}

/* Life. */

/* Called by the poll for messages, so in the loop's thread. */
static void on_token_wanted(rd_kafka_t *rk, const char *config, void *opaque)
{
    struct kafka *kafka = opaque;
    (void)config;
    (void)kafka_secret_read(&kafka->password);
    kafka_set_password(kafka, rk);
}

static void configure(const struct kafka_consumer *consumer, rd_kafka_conf_t *conf)
{
    bool group = consumer->group != NULL;
    /* assign() needs a name too, but nothing is ever stored under it. */
    kafka_conf_set(conf, "group.id", group ? consumer->group : consumer->kafka->options.client_id);
    kafka_conf_set(conf, "enable.auto.commit", group ? "true" : "false");
    kafka_conf_set(conf, "enable.auto.offset.store", "false");
    kafka_conf_set(conf, "auto.commit.interval.ms", "1000");
    kafka_conf_set(conf, "auto.offset.reset", group ? "earliest" : "error");
    /* Not cooperative: librdkafka 2.0 then closes without leaving the group, and for the time of
     * the session's timeout nobody reads its partitions. */
    kafka_conf_set(conf, "partition.assignment.strategy", "roundrobin");
    kafka_conf_set(conf, "session.timeout.ms", "10000");
    /* A pause may be long (the MQTT broker is away); the session's timeout finds the dead. */
    kafka_conf_set(conf, "max.poll.interval.ms", "86400000");
    kafka_conf_set(conf, "queued.min.messages", "10000");
    kafka_conf_set(conf, "queued.max.messages.kbytes", "16384");
}

static enum base_err consumer_begin(struct kafka_consumer *consumer)
{
    rd_kafka_conf_t *conf;
    struct base_buf errors;
    base_buf_init(&errors, 1024);
    enum base_err err = kafka_conf_new(consumer->kafka, &conf, &errors);
    base_buf_done(&errors);
    if (err != BASE_OK)
        return err;
    char why[256];
    configure(consumer, conf);
    rd_kafka_conf_set_opaque(conf, consumer->kafka);
    rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, on_token_wanted);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (!rk) {
        rd_kafka_conf_destroy(conf);
        return BASE_INVALID;
    }
    (void)rd_kafka_poll_set_consumer(rk);
    err = kafka_wake_open(&consumer->wake, consumer->kafka->options.loop,
                          rd_kafka_queue_get_consumer(rk), on_queue, consumer);
    if (err != BASE_OK) {
        rd_kafka_destroy(rk);
        return err;
    }
    consumer->rk = rk;
    if (!consumer->group) {
        position_ask(consumer);
        return BASE_OK;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, consumer->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t rc = rd_kafka_subscribe(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return rc ? BASE_INTERNAL : BASE_OK;
}

void kafka_consumers_password(struct kafka *kafka)
{
    for (struct kafka_consumer *c = kafka->consumers; c; c = c->next)
        if (c->rk)
            kafka_set_password(kafka, c->rk);
}

void kafka_consumers_begin(struct kafka *kafka)
{
    for (struct kafka_consumer *c = kafka->consumers; c; c = c->next) {
        if (!c->rk && consumer_begin(c) != BASE_OK)
            LOG_ERROR("kafka.consumer.failed", LOG_STR("topic", c->topic));
        else if (c->rk && !c->group && !c->positioned)
            position_ask(c);
    }
}

enum base_err kafka_consume(struct bus *bus, const struct bus_consumer_options *options,
                            struct bus_consumer **ret_consumer)
{
    struct kafka *kafka = (struct kafka *)bus;
    struct kafka_consumer *consumer = calloc(1, sizeof(*consumer));
    if (!consumer)
        return BASE_NO_MEMORY;
    consumer->base.vtable = &kafka_vtable;
    consumer->kafka = kafka;
    consumer->wake.fd = -1;
    consumer->options = *options;
    consumer->topic = strdup(options->topic);
    consumer->group = options->group ? strdup(options->group) : NULL;
    if (!consumer->topic || (options->group && !consumer->group)) {
        free(consumer->topic);
        free(consumer->group);
        free(consumer);
        return BASE_NO_MEMORY;
    }
    consumer->next = kafka->consumers;
    kafka->consumers = consumer;
    if (kafka->up)
        kafka_consumers_begin(kafka);
    *ret_consumer = &consumer->base;
    return BASE_OK;
}

static void handle_free(struct kafka_consumer *consumer)
{
    kafka_wake_close(&consumer->wake);
    if (consumer->position) {
        pthread_mutex_lock(&consumer->position->mutex);
        consumer->position->shared.consumer = NULL; /* the handle is the thread's now */
        pthread_mutex_unlock(&consumer->position->mutex);
        return;
    }
    (void)rd_kafka_consumer_close(consumer->rk);
    rd_kafka_destroy(consumer->rk);
}

void kafka_consumer_free(struct bus_consumer *base)
{
    struct kafka_consumer *consumer = (struct kafka_consumer *)base;
    struct kafka_consumer **at = &consumer->kafka->consumers;
    while (*at != consumer)
        at = &(*at)->next;
    *at = consumer->next;
    if (consumer->rk)
        handle_free(consumer);
    free(consumer->topic);
    free(consumer->group);
    free(consumer);
}

void kafka_consumer_pause(struct bus_consumer *base, bool paused)
{
    struct kafka_consumer *consumer = (struct kafka_consumer *)base;
    bool goes_on = consumer->paused && !paused;
    consumer->paused = paused;
    if (goes_on && consumer->wake.queue)
        kafka_wake_again(&consumer->wake);
}

enum base_err kafka_consumer_commit(struct bus_consumer *base, int32_t partition, int64_t offset)
{
    struct kafka_consumer *consumer = (struct kafka_consumer *)base;
    if (!consumer->rk)
        return BASE_UNAVAILABLE;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, consumer->topic, partition)->offset = offset + 1;
    /* Refused for a partition that went to another process meanwhile, which then does it again. */
    rd_kafka_resp_err_t err = rd_kafka_offsets_store(consumer->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return err ? BASE_CONFLICT : BASE_OK;
}
