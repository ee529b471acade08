/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bus and its producer. Order for one key holds because the producer is idempotent and a
 * publication is retried until it succeeds (no message timeout): an outage delays, it never drops
 * one record and keeps the next. Only a fatal error of the producer ends publications with an
 * error; the producer is then made anew and the caller publishes again from its own cursor.
 *
 * A request to make the topics doubles as the probe that tells whether the cluster is there: it is
 * asynchronous, cheap, and says exactly what is wrong.
 */
#include "bridge/bus/kafka.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bridge/bus/kafka_internal.h"
#include "lib/base/log.h"

enum {
    PENDING_MAX = 100000,
    EVENTS_PER_TURN = 64,
    PROBE_AGAIN_MS = 1000,
    PROBE_TIMEOUT_MS = 5000,
    PURGE_WAIT_MS = 100,
    PASSWORD_MS = 1000
};

struct kafka_pending {
    struct kafka_pending *prev, *next;
    bus_done_fn fn;
    void *ctx;
};

static const struct {
    const char *name;
    bool dead_letters;
} topics[] = {
    {BUS_TOPIC_UPDATES, false},
    {BUS_TOPIC_UPDATES BUS_DEAD_LETTERS, true},
    {BUS_TOPIC_TASKS, false},
    {BUS_TOPIC_TASKS BUS_DEAD_LETTERS, true},
    {BUS_TOPIC_REMINDERS, false},
    {BUS_TOPIC_REMINDERS BUS_DEAD_LETTERS, true},
    {BUS_TOPIC_WEBHOOKS BUS_DEAD_LETTERS, true},
};

enum { TOPICS = sizeof(topics) / sizeof(topics[0]) };

static void on_queue(void *ctx);

static void set_state(struct kafka *kafka, bool up, const char *why)
{
    bool changed =
        kafka->up != up || (!up && strncmp(kafka->why, why, sizeof(kafka->why) - 1) != 0);
    kafka->up = up;
    struct base_sv text = base_sv_from(up ? "" : why);
    (void)base_sv_cstr(base_sv_sub(text, 0, sizeof(kafka->why) - 1), kafka->why,
                       sizeof(kafka->why));
    if (changed && kafka->options.on_state && !kafka->closing)
        kafka->options.on_state(kafka->options.ctx, up, up ? NULL : kafka->why);
}

/* Settings. */

/* librdkafka's own lines; what matters of them arrives as events. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    LOG_DEBUG("kafka.client", LOG_INT("severity", level), LOG_STR("facility", facility),
              LOG_STR("text", text));
}

void kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[256];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) != RD_KAFKA_CONF_OK)
        abort();
}

static bool set_checked(rd_kafka_conf_t *conf, const char *name, const char *value,
                        struct base_buf *errors)
{
    char why[256];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) == RD_KAFKA_CONF_OK)
        return true;
    base_buf_addf(errors, "kafka setting %s: %s\n", name, why);
    return false;
}

static bool set_property(rd_kafka_conf_t *conf, struct base_sv line, struct base_buf *errors)
{
    char name[128];
    char value[4096];
    size_t eq = base_sv_find(line, '=');
    if (eq < line.len && base_sv_cstr(base_sv_trim(base_sv_sub(line, 0, eq)), name, sizeof(name)) &&
        base_sv_cstr(base_sv_trim(base_sv_sub(line, eq + 1, line.len)), value, sizeof(value)))
        return set_checked(conf, name, value, errors);
    base_buf_add_c(errors, "kafka.properties: each entry must be name=value\n");
    return false;
}

static bool set_properties(rd_kafka_conf_t *conf, const char *text, struct base_buf *errors)
{
    struct base_sv lines = base_sv_from(text);
    bool ok = true;
    while (lines.ptr) {
        struct base_sv line = base_sv_split(&lines, '\n');
        while (line.ptr) {
            struct base_sv entry = base_sv_trim(base_sv_split(&line, ';'));
            if (entry.len)
                ok = set_property(conf, entry, errors) && ok;
        }
    }
    return ok;
}

enum base_err kafka_conf_new(const struct kafka *kafka, rd_kafka_conf_t **ret_conf,
                             struct base_buf *errors)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, on_log);
    kafka_conf_set(conf, "reconnect.backoff.max.ms", "2000");
    kafka_conf_set(conf, "socket.keepalive.enable", "true");
    /* Connecting only when needed, librdkafka 2.0 tries a lost broker a thousand times a second. */
    kafka_conf_set(conf, "enable.sparse.connections", "false");
    bool ok = set_checked(conf, "bootstrap.servers", kafka->options.brokers, errors);
    ok = set_checked(conf, "client.id", kafka->options.client_id, errors) && ok;
    ok = set_properties(conf, kafka->options.properties, errors) && ok;
    if (kafka->password.text[0])
        ok = set_checked(conf, "sasl.password", kafka->password.text, errors) && ok;
    if (!ok) {
        rd_kafka_conf_destroy(conf);
        return BASE_INVALID;
    }
    *ret_conf = conf;
    return BASE_OK;
}

/* The producer. */

static enum base_err producer_open(struct kafka *kafka, struct base_buf *errors)
{
    rd_kafka_conf_t *conf;
    enum base_err err = kafka_conf_new(kafka, &conf, errors);
    if (err != BASE_OK)
        return err;
    kafka_conf_set(conf, "enable.idempotence", "true");
    kafka_conf_set(conf, "acks", "all");
    kafka_conf_set(conf, "linger.ms", "1");
    kafka_conf_set(conf, "message.timeout.ms", "0");
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR |
                                       RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH);
    char why[256];
    kafka->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (!kafka->rk) {
        base_buf_addf(errors, "kafka: %s\n", why);
        rd_kafka_conf_destroy(conf);
        return BASE_INVALID;
    }
    kafka->broken = false;
    return kafka_wake_open(&kafka->wake, kafka->options.loop, rd_kafka_queue_get_main(kafka->rk),
                           on_queue, kafka);
}

static void finish(struct kafka *kafka, struct kafka_pending *pending, enum base_err err)
{
    if (pending->prev)
        pending->prev->next = pending->next;
    else
        kafka->pending = pending->next;
    if (pending->next)
        pending->next->prev = pending->prev;
    kafka->pending_count--;
    pending->fn(pending->ctx, err);
    free(pending);
}

static void on_delivered(struct kafka *kafka, rd_kafka_event_t *event)
{
    const rd_kafka_message_t *message;
    while ((message = rd_kafka_event_message_next(event)))
        finish(kafka, message->_private, message->err ? BASE_UNAVAILABLE : BASE_OK);
}

static void producer_close(struct kafka *kafka)
{
    if (!kafka->rk)
        return;
    (void)rd_kafka_purge(kafka->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_event_t *event;
    while (kafka->wake.queue && kafka->pending &&
           (event = rd_kafka_queue_poll(kafka->wake.queue, PURGE_WAIT_MS))) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR)
            on_delivered(kafka, event);
        rd_kafka_event_destroy(event);
    }
    kafka_wake_close(&kafka->wake);
    rd_kafka_destroy(kafka->rk);
    kafka->rk = NULL;
    kafka->probing = false;
    for (struct kafka_pending *pending = kafka->pending, *next; pending; pending = next) {
        next = pending->next;
        finish(kafka, pending, BASE_UNAVAILABLE);
    }
}

/* The probe. */

static void probe(struct kafka *kafka)
{
    rd_kafka_NewTopic_t *wanted[TOPICS] = {0};
    char why[256];
    if (kafka->probing)
        return;
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(kafka->rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    bool ok = options != NULL;
    if (ok) {
        (void)rd_kafka_AdminOptions_set_request_timeout(options, PROBE_TIMEOUT_MS, why,
                                                        sizeof(why));
        (void)rd_kafka_AdminOptions_set_validate_only(options, !kafka->options.make_topics, why,
                                                      sizeof(why));
    }
    char retention[24];
    (void)snprintf(retention, sizeof(retention), "%lld", (long long)kafka->options.retention_ms);
    for (size_t i = 0; ok && i < TOPICS; i++) {
        wanted[i] = rd_kafka_NewTopic_new(topics[i].name,
                                          topics[i].dead_letters ? 1 : kafka->options.partitions,
                                          kafka->options.replication, why, sizeof(why));
        ok = wanted[i] != NULL &&
             (!kafka->options.retention_ms ||
              rd_kafka_NewTopic_set_config(wanted[i], "retention.ms", retention) ==
                  RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    if (ok) {
        kafka->probing = true;
        rd_kafka_CreateTopics(kafka->rk, wanted, TOPICS, options, kafka->wake.queue);
    }
    for (size_t i = 0; i < TOPICS; i++)
        if (wanted[i])
            rd_kafka_NewTopic_destroy(wanted[i]);
    if (options)
        rd_kafka_AdminOptions_destroy(options);
    base_timer_start(kafka->timer, ok ? 2 * PROBE_TIMEOUT_MS : PROBE_AGAIN_MS);
}

/* NULL if every topic is there. */
static const char *missing_topic(const struct kafka *kafka, rd_kafka_event_t *event, char *text,
                                 size_t cap)
{
    size_t n;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n);
    for (size_t i = 0; i < n; i++) {
        rd_kafka_resp_err_t err = rd_kafka_topic_result_error(results[i]);
        bool made = err == RD_KAFKA_RESP_ERR_NO_ERROR && kafka->options.make_topics;
        if (made || err == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            continue;
        struct base_buf buf;
        base_buf_init(&buf, cap - 1);
        base_buf_addf(&buf, "topic %s: %s", rd_kafka_topic_result_name(results[i]),
                      err ? rd_kafka_err2str(err) : "is missing");
        (void)base_sv_cstr(base_buf_sv(&buf), text, cap);
        base_buf_done(&buf);
        return text;
    }
    return NULL;
}

static void on_probed(struct kafka *kafka, rd_kafka_event_t *event)
{
    char text[160] = "topics are missing";
    kafka->probing = false;
    const char *why = rd_kafka_event_error(event) ? rd_kafka_event_error_string(event)
                                                  : missing_topic(kafka, event, text, sizeof(text));
    if (why) {
        base_timer_start(kafka->timer, PROBE_AGAIN_MS);
        set_state(kafka, false, why);
        return;
    }
    base_timer_stop(kafka->timer);
    kafka->was_up = true;
    kafka_consumers_begin(kafka);
    set_state(kafka, true, NULL);
}

static void on_error(struct kafka *kafka, rd_kafka_event_t *event)
{
    char why[256];
    rd_kafka_resp_err_t err = rd_kafka_event_error(event);
    if (err == RD_KAFKA_RESP_ERR__FATAL) {
        (void)rd_kafka_fatal_error(kafka->rk, why, sizeof(why));
        kafka->broken = true;
        base_timer_start(kafka->timer, 0);
        set_state(kafka, false, why);
    } else if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
               err == RD_KAFKA_RESP_ERR__AUTHENTICATION || err == RD_KAFKA_RESP_ERR__SSL) {
        if (!kafka->probing)
            base_timer_start(kafka->timer, PROBE_AGAIN_MS);
        set_state(kafka, false, rd_kafka_event_error_string(event));
    }
}

static void on_queue(void *ctx)
{
    struct kafka *kafka = ctx;
    rd_kafka_event_t *event;
    for (int n = 0; n < EVENTS_PER_TURN; n++) {
        event = rd_kafka_queue_poll(kafka->wake.queue, 0);
        if (!event)
            return;
        switch (rd_kafka_event_type(event)) {
        case RD_KAFKA_EVENT_DR:
            on_delivered(kafka, event);
            break;
        case RD_KAFKA_EVENT_CREATETOPICS_RESULT:
            on_probed(kafka, event);
            break;
        case RD_KAFKA_EVENT_ERROR:
            on_error(kafka, event);
            break;
        case RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH:
            (void)kafka_secret_read(&kafka->password);
            kafka_set_password(kafka, kafka->rk);
            break;
        default:
            break;
        }
        rd_kafka_event_destroy(event);
    }
    kafka_wake_again(&kafka->wake);
}

static void on_timer(void *ctx)
{
    struct kafka *kafka = ctx;
    struct base_buf errors;
    if (kafka->broken)
        producer_close(kafka);
    base_buf_init(&errors, 1024);
    if (!kafka->rk && producer_open(kafka, &errors) != BASE_OK) {
        producer_close(kafka);
        base_timer_start(kafka->timer, PROBE_AGAIN_MS);
    }
    base_buf_done(&errors);
    if (kafka->rk)
        probe(kafka);
}

/* The password. */

bool kafka_secret_read(struct kafka_secret *secret)
{
    char text[sizeof(secret->text)];
    if (!secret->path || !*secret->path)
        return false;
    FILE *file = fopen(secret->path, "re");
    size_t length = file ? fread(text, 1, sizeof(text), file) : 0;
    struct base_sv found = base_sv_trim(base_sv(text, length));
    bool ok = file && !ferror(file) && found.len > 0 && found.len < sizeof(text);
    if (ok)
        secret->why[0] = '\0';
    else
        (void)snprintf(secret->why, sizeof(secret->why), "%.120s: %s", secret->path,
                       file ? "no secret of 1 to 8191 bytes is in it" : strerror(errno));
    if (file)
        (void)fclose(file);
    if (!ok || base_sv_eq_c(found, secret->text))
        return false;
    return base_sv_cstr(found, secret->text, sizeof(secret->text));
}

static bool uses_token(rd_kafka_t *rk)
{
    char mechanism[64] = "";
    size_t size = sizeof(mechanism);
    (void)rd_kafka_conf_get(rd_kafka_conf(rk), "sasl.mechanism", mechanism, &size);
    return strcmp(mechanism, "OAUTHBEARER") == 0;
}

static void set_token(const struct kafka *kafka, rd_kafka_t *rk)
{
    char subject[256];
    int64_t expires_us = 0;
    char why[256] = "it is no JWT with sub and exp";
    struct base_sv token = base_sv_from(kafka->password.text);
    if (kafka_token_read(token, subject, sizeof(subject), &expires_us) &&
        rd_kafka_oauthbearer_set_token(rk, kafka->password.text, expires_us / 1000, subject, NULL,
                                       0, why, sizeof(why)) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    LOG_WARN("kafka.token_refused", LOG_STR("why", why));
    (void)rd_kafka_oauthbearer_set_token_failure(rk, why);
}

void kafka_set_password(const struct kafka *kafka, rd_kafka_t *rk)
{
    char user[512] = "";
    size_t size = sizeof(user);
    if (uses_token(rk)) {
        set_token(kafka, rk);
        return;
    }
    (void)rd_kafka_conf_get(rd_kafka_conf(rk), "sasl.username", user, &size);
    rd_kafka_error_t *error = rd_kafka_sasl_set_credentials(rk, user, kafka->password.text);
    if (error) {
        LOG_WARN("kafka.password_refused", LOG_STR("why", rd_kafka_error_string(error)));
        rd_kafka_error_destroy(error);
    }
}

static void on_password_timer(void *ctx)
{
    struct kafka *kafka = ctx;
    bool was_fine = !kafka->password.why[0];
    if (kafka_secret_read(&kafka->password)) {
        LOG_INFO("kafka.password_read");
        if (kafka->rk)
            kafka_set_password(kafka, kafka->rk);
        kafka_consumers_password(kafka);
    } else if (kafka->password.why[0] && was_fine) {
        LOG_WARN("kafka.password_kept", LOG_STR("why", kafka->password.why));
    }
    base_timer_start(kafka->password_timer, PASSWORD_MS);
}

/* The bus. */

static void kafka_dispose(struct kafka *kafka)
{
    base_timer_free(kafka->timer);
    base_timer_free(kafka->password_timer);
    free((char *)kafka->options.password_file);
    free((char *)kafka->options.brokers);
    free((char *)kafka->options.client_id);
    free((char *)kafka->options.properties);
    free(kafka);
}

static void kafka_free(struct bus *bus)
{
    struct kafka *kafka = (struct kafka *)bus;
    kafka->closing = true;
    producer_close(kafka);
    kafka_dispose(kafka);
}

static bool kafka_up(const struct bus *bus, const char **ret_why)
{
    const struct kafka *kafka = (const struct kafka *)bus;
    if (!kafka->up)
        *ret_why = kafka->why;
    return kafka->up;
}

static enum base_err kafka_publish(struct bus *bus, const struct bus_message *message,
                                   bus_done_fn fn, void *ctx)
{
    struct kafka *kafka = (struct kafka *)bus;
    /* Before the topics are made, a publication would make the broker invent them. */
    if (!kafka->was_up || !kafka->rk || kafka->broken)
        return BASE_UNAVAILABLE;
    if (kafka->pending_count >= PENDING_MAX || message->header_count > BUS_HEADERS_MAX)
        return BASE_OVERLOADED;
    struct kafka_pending *pending = malloc(sizeof(*pending));
    rd_kafka_headers_t *headers = rd_kafka_headers_new(message->header_count);
    if (!pending || !headers) {
        free(pending);
        if (headers)
            rd_kafka_headers_destroy(headers);
        return BASE_NO_MEMORY;
    }
    for (size_t i = 0; i < message->header_count; i++)
        (void)rd_kafka_header_add(headers, message->headers[i].name, -1,
                                  message->headers[i].value.ptr,
                                  (ssize_t)message->headers[i].value.len);
    *pending = (struct kafka_pending){.next = kafka->pending, .fn = fn, .ctx = ctx};
    rd_kafka_resp_err_t err = rd_kafka_producev(
        kafka->rk, RD_KAFKA_V_TOPIC(message->topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(message->key.ptr, message->key.len),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)message->payload.ptr, message->payload.len),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(pending), RD_KAFKA_V_END);
    if (err) {
        free(pending);
        rd_kafka_headers_destroy(headers);
        return err == RD_KAFKA_RESP_ERR__QUEUE_FULL          ? BASE_OVERLOADED
               : err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? BASE_TOO_LARGE
                                                             : BASE_UNAVAILABLE;
    }
    if (kafka->pending)
        kafka->pending->prev = pending;
    kafka->pending = pending;
    kafka->pending_count++;
    return BASE_OK;
}

const struct bus_vtable kafka_vtable = {.free = kafka_free,
                                        .up = kafka_up,
                                        .publish = kafka_publish,
                                        .consume = kafka_consume,
                                        .consumer_free = kafka_consumer_free,
                                        .consumer_pause = kafka_consumer_pause,
                                        .consumer_commit = kafka_consumer_commit};

bool bus_kafka_check(const char *properties, const char *password_file, struct base_buf *errors)
{
    struct kafka_secret password = {.path = password_file};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool known = !base_sv_starts(base_sv_from(properties), SV("dapr:")); /* else not fetched yet */
    bool ok = !known || set_properties(conf, properties, errors);
    rd_kafka_conf_destroy(conf);
    (void)kafka_secret_read(&password);
    if (password.why[0])
        base_buf_addf(errors, "kafka.password.file: %s\n", password.why);
    return ok && !password.why[0];
}

enum base_err bus_kafka_new(const struct bus_kafka_options *options, struct bus **ret_bus,
                            struct base_buf *errors)
{
    struct kafka *kafka = calloc(1, sizeof(*kafka));
    if (!kafka)
        return BASE_NO_MEMORY;
    kafka->base.vtable = &kafka_vtable;
    kafka->wake.fd = -1;
    kafka->options = *options;
    kafka->options.brokers = strdup(options->brokers);
    kafka->options.client_id = strdup(options->client_id);
    kafka->options.properties = strdup(options->properties ? options->properties : "");
    kafka->options.password_file = strdup(options->password_file ? options->password_file : "");
    (void)base_sv_cstr(SV("connecting"), kafka->why, sizeof(kafka->why));
    enum base_err err = BASE_NO_MEMORY;
    if (kafka->options.brokers && kafka->options.client_id && kafka->options.properties &&
        kafka->options.password_file)
        err = base_timer_new(options->loop, on_timer, kafka, &kafka->timer);
    if (err == BASE_OK)
        err = base_timer_new(options->loop, on_password_timer, kafka, &kafka->password_timer);
    kafka->password.path = kafka->options.password_file;
    (void)kafka_secret_read(&kafka->password);
    if (err == BASE_OK && kafka->password.why[0]) {
        base_buf_addf(errors, "kafka.password.file: %s\n", kafka->password.why);
        err = BASE_INVALID;
    }
    if (err == BASE_OK)
        err = producer_open(kafka, errors);
    if (err != BASE_OK) {
        producer_close(kafka);
        kafka_dispose(kafka);
        return err;
    }
    base_timer_start(kafka->timer, 0);
    if (kafka->password.text[0])
        base_timer_start(kafka->password_timer, PASSWORD_MS);
    *ret_bus = &kafka->base;
    return BASE_OK;
}
