/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bus over Apache Kafka: an idempotent producer (acks=all, linger 1 ms) and consumers, all
 * served from the loop by eventfd. Reconnects by itself. Only kafka.c sees librdkafka.
 */
#ifndef BRIDGE_BUS_KAFKA_H
#define BRIDGE_BUS_KAFKA_H

#include "bridge/bus/bus.h"
#include "lib/base/buf.h"
#include "lib/base/loop.h"

struct bus_kafka_options {
    struct base_loop *loop;
    const char *brokers;
    const char *client_id;
    /* Further librdkafka settings, "name=value" separated by ';' or line ends (security.protocol,
     * sasl.username …); NULL or empty: none. */
    const char *properties;
    /* A file with the SASL password, read at each start of a client and whenever it changes, so
     * that the next connection uses the new one; NULL or empty: properties say it. */
    const char *password_file;
    /* Makes the product's topics and their .dlq if they are missing. Otherwise it waits for them.
     */
    bool make_topics;
    int partitions; /* of the three topics; the .dlq have one */
    int replication;
    int64_t retention_ms; /* of the three topics and their .dlq; 0: the broker's */
    /* Reachable or not; why is NULL when up. NULL if not wanted. */
    void (*on_state)(void *ctx, bool up, const char *why);
    void *ctx;
};

/* What --check-config asks: would librdkafka take these properties? */
bool bus_kafka_check(const char *properties, const char *password_file, struct base_buf *errors);

/* INVALID: a setting librdkafka refuses, told in errors. Connecting goes on in the background. */
BASE_MUST_CHECK enum base_err bus_kafka_new(const struct bus_kafka_options *options,
                                            struct bus **ret_bus, struct base_buf *errors);

#endif
