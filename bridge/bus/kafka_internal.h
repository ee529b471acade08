/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What kafka.c (bus and producer), kafka_consumer.c and kafka_wake.c share. librdkafka works in
 * threads of its own and writes to an eventfd when one of its queues stops being empty; only then
 * does the loop look, and it must look until the queue is empty again.
 */
#ifndef BRIDGE_BUS_KAFKA_INTERNAL_H
#define BRIDGE_BUS_KAFKA_INTERNAL_H

#include <librdkafka/rdkafka.h>

#include "bridge/bus/kafka.h"

/* A librdkafka queue watched by the loop. */
struct kafka_wake {
    rd_kafka_queue_t *queue;
    struct base_io *io;
    int fd;
    base_call_fn fn;
    void *ctx;
};

/* Takes over the reference to queue, in case of failure too. */
BASE_MUST_CHECK enum base_err kafka_wake_open(struct kafka_wake *wake, struct base_loop *loop,
                                              rd_kafka_queue_t *queue, base_call_fn fn, void *ctx);
/* Calls fn once more in the next turn of the loop: for a queue left before it was empty. */
void kafka_wake_again(struct kafka_wake *wake);
/* Before the handle the queue belongs to is destroyed. */
void kafka_wake_close(struct kafka_wake *wake);

/* A password, or with the mechanism OAUTHBEARER a token, in a file that may be replaced at any
 * time.
 */
struct kafka_secret {
    const char *path; /* NULL or empty: there is none */
    char text[8192];
    char why[192]; /* it could not be read */
};
/* Reads the file; true if that changed the text. A file that is away or empty for a moment leaves
 * the last password in force. */
bool kafka_secret_read(struct kafka_secret *secret);

/* Subject and expiry of a JWT; false: it is none that has both. */
bool kafka_token_read(struct base_sv token, char *subject, size_t cap, int64_t *ret_expires_us);

struct kafka_consumer;

struct kafka {
    struct bus base;
    struct bus_kafka_options options; /* texts are copies */
    rd_kafka_t *rk;                   /* the producer, NULL while it is made anew */
    struct kafka_wake wake;
    struct kafka_secret password;
    struct base_timer *password_timer; /* the next look at it */
    struct base_timer *timer; /* the next probe, or the next attempt to make the producer */
    struct kafka_pending *pending;
    size_t pending_count;
    struct kafka_consumer *consumers;
    bool up;
    bool was_up;
    bool probing;
    bool broken; /* the producer has met a fatal error and must be made anew */
    bool closing;
    char why[192];
};

extern const struct bus_vtable kafka_vtable;

/* Settings common to producer and consumers. */
BASE_MUST_CHECK enum base_err kafka_conf_new(const struct kafka *kafka, rd_kafka_conf_t **ret_conf,
                                             struct base_buf *errors);
/* A setting of our own, which librdkafka is known to accept. */
void kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value);

enum base_err kafka_consume(struct bus *bus, const struct bus_consumer_options *options,
                            struct bus_consumer **ret_consumer);
void kafka_consumer_free(struct bus_consumer *base);
void kafka_consumer_pause(struct bus_consumer *base, bool paused);
enum base_err kafka_consumer_commit(struct bus_consumer *base, int32_t partition, int64_t offset);
/* New connections of every consumer use the password from now on. */
void kafka_consumers_password(struct kafka *kafka);
/* What a client's next connection says; for all that were made with kafka_conf_new, and when one
 * asks for a token (RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH). */
void kafka_set_password(const struct kafka *kafka, rd_kafka_t *rk);
/* The topics exist: consumers that waited for them begin. */
void kafka_consumers_begin(struct kafka *kafka);

#endif
