/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmosquitto driven by its descriptor: read, write and housekeeping are called from the loop, no
 * thread of the library's runs. Only connecting blocks inside the library (name, TCP, TLS with the
 * name the certificate must carry), so each attempt runs in a short-lived thread that owns the
 * handle meanwhile; if the client is freed in between, the thread disposes of the handle.
 *
 * The loop watches a duplicate of the socket, because the library closes its own whenever it likes.
 */
#include "bridge/mqtt/mqtt.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "bridge/mqtt/mqtt_url.h"
#include "lib/base/id.h"

enum {
    BACKOFF_FIRST_MS = 100,
    BACKOFF_LAST_MS = 5000,
    KEEPALIVE_S = 30,
    MISC_MS = 1000,
    CONNACK_MS = 10000,
    PACKETS_PER_TURN = 100,
    IN_FLIGHT = 1000,    /* on the wire; the broker may want fewer */
    PENDING_MAX = 20000, /* far below 65,535, so that message ids never meet */
    SUBSCRIPTIONS_MAX = 16,
    MIDS = 65536
};

enum state { WAITING, CONNECTING, GREETING, SUBSCRIBING, UP };

struct pending {
    mqtt_done_fn fn;
    void *ctx;
    bool used;
};

/* An attempt to connect; the thread's until it has posted, then the loop's. */
struct attempt {
    pthread_mutex_t mutex;
    struct base_loop *loop;
    struct mosquitto *handle;
    char host[256];
    int port;
    int64_t session_expiry_s;
    int rc;
    int error_number;
    struct {
        struct mqtt *mqtt; /* NULL: the client is gone */
    } shared;
};

struct mqtt {
    struct mqtt_options options;
    struct mqtt_url url;
    char *username;
    char *password; /* given to the library before each attempt */
    enum state state;
    struct mosquitto *handle;
    struct attempt *attempt;
    struct base_io *io;
    int fd;
    struct base_timer *timer;
    int64_t backoff_ms;
    int64_t deadline_us;
    struct pending *pending; /* by message id */
    size_t pending_count;
    char *filters[SUBSCRIPTIONS_MAX];
    size_t filter_count;
    size_t granted; /* subscriptions answered since the last connect */
};

static void lost(struct mqtt *mqtt, const char *why);

static void tell(struct mqtt *mqtt, bool up, const char *why)
{
    if (mqtt->options.on_state)
        mqtt->options.on_state(mqtt->options.ctx, up, why);
}

/* Watches for writing only while the library has something it could not send. */
static void watch(struct mqtt *mqtt)
{
    if (mqtt->io)
        base_io_set(mqtt->io,
                    BASE_IO_READ | (mosquitto_want_write(mqtt->handle) ? BASE_IO_WRITE : 0u));
}

static void unwatch(struct mqtt *mqtt)
{
    base_io_free(mqtt->io);
    mqtt->io = NULL;
    if (mqtt->fd >= 0)
        (void)close(mqtt->fd);
    mqtt->fd = -1;
}

static void on_io(void *ctx, unsigned events)
{
    struct mqtt *mqtt = ctx;
    int rc = MOSQ_ERR_SUCCESS;
    if (events & BASE_IO_READ)
        rc = mosquitto_loop_read(mqtt->handle, PACKETS_PER_TURN);
    if (rc == MOSQ_ERR_SUCCESS && mosquitto_want_write(mqtt->handle))
        rc = mosquitto_loop_write(mqtt->handle, PACKETS_PER_TURN);
    if (mqtt->state == WAITING)
        return;
    if (rc != MOSQ_ERR_SUCCESS)
        lost(mqtt, mosquitto_strerror(rc));
    else
        watch(mqtt);
}

/* Connecting. */

static void attempt_free(struct attempt *attempt)
{
    pthread_mutex_destroy(&attempt->mutex);
    free(attempt);
}

static void on_attempted(void *ctx);

static void *attempt_thread(void *arg)
{
    struct attempt *attempt = arg;
    mosquitto_property *properties = NULL;
    if (attempt->session_expiry_s > 0)
        (void)mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                           (uint32_t)attempt->session_expiry_s);
    attempt->rc = mosquitto_connect_bind_v5(attempt->handle, attempt->host, attempt->port,
                                            KEEPALIVE_S, NULL, properties);
    attempt->error_number = errno;
    mosquitto_property_free_all(&properties);
    pthread_mutex_lock(&attempt->mutex);
    bool gone = !attempt->shared.mqtt;
    if (!gone && base_loop_post(attempt->loop, on_attempted, attempt) != BASE_OK)
        abort(); /* the handle could never be handed back */
    pthread_mutex_unlock(&attempt->mutex);
    if (gone) {
        mosquitto_destroy(attempt->handle);
        attempt_free(attempt);
    }
    return NULL;
}

static bool attempt_start(struct mqtt *mqtt)
{
    if (mqtt->password[0] &&
        mosquitto_username_pw_set(mqtt->handle, mqtt->username ? mqtt->username : "",
                                  mqtt->password) != MOSQ_ERR_SUCCESS)
        return false;
    struct attempt *attempt = calloc(1, sizeof(*attempt));
    if (!attempt)
        return false;
    pthread_mutex_init(&attempt->mutex, NULL);
    attempt->loop = mqtt->options.loop;
    attempt->handle = mqtt->handle;
    attempt->port = mqtt->url.port;
    attempt->session_expiry_s = mqtt->options.session_expiry_s;
    attempt->shared.mqtt = mqtt;
    pthread_t thread;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    bool ok = base_sv_cstr(base_sv_from(mqtt->url.host), attempt->host, sizeof(attempt->host)) &&
              pthread_create(&thread, &attr, attempt_thread, attempt) == 0;
    pthread_attr_destroy(&attr);
    if (ok)
        mqtt->attempt = attempt;
    else
        attempt_free(attempt);
    return ok;
}

/* In the loop. */
static void on_attempted(void *ctx)
{
    struct attempt *attempt = ctx;
    pthread_mutex_lock(&attempt->mutex);
    struct mqtt *mqtt = attempt->shared.mqtt;
    pthread_mutex_unlock(&attempt->mutex);
    int rc = attempt->rc;
    int error_number = attempt->error_number;
    if (!mqtt)
        mosquitto_destroy(attempt->handle);
    attempt_free(attempt);
    if (!mqtt)
        return;
    mqtt->attempt = NULL;
    if (rc != MOSQ_ERR_SUCCESS) {
        lost(mqtt, rc == MOSQ_ERR_ERRNO ? strerror(error_number) : mosquitto_strerror(rc));
        return;
    }
    mqtt->state = GREETING;
    mqtt->deadline_us = base_loop_now_us(mqtt->options.loop) + CONNACK_MS * INT64_C(1000);
    mqtt->fd = dup(mosquitto_socket(mqtt->handle));
    if (mqtt->fd < 0 ||
        base_io_new(mqtt->options.loop, mqtt->fd, on_io, mqtt, &mqtt->io) != BASE_OK) {
        lost(mqtt, "no descriptor left");
        return;
    }
    base_timer_start(mqtt->timer, MISC_MS);
    watch(mqtt);
}

/* Back to waiting; what is under way stays with the library, which sends it again. */
static void lost(struct mqtt *mqtt, const char *why)
{
    bool was_up = mqtt->state == UP;
    char text[192];
    (void)base_sv_cstr(base_sv_sub(base_sv_from(why), 0, sizeof(text) - 1), text, sizeof(text));
    unwatch(mqtt);
    mqtt->state = WAITING;
    if (was_up)
        mqtt->backoff_ms = BACKOFF_FIRST_MS;
    uint32_t random;
    base_random(&random, sizeof(random));
    base_timer_start(mqtt->timer, mqtt->backoff_ms + random % mqtt->backoff_ms);
    mqtt->backoff_ms *= 2;
    if (mqtt->backoff_ms > BACKOFF_LAST_MS)
        mqtt->backoff_ms = BACKOFF_LAST_MS;
    tell(mqtt, false, text);
}

static void on_timer(void *ctx)
{
    struct mqtt *mqtt = ctx;
    if (mqtt->state == CONNECTING)
        return;
    if (mqtt->state == WAITING) {
        mqtt->state = CONNECTING;
        if (!attempt_start(mqtt))
            lost(mqtt, "no memory or thread to connect");
        return;
    }
    base_timer_start(mqtt->timer, MISC_MS);
    int rc = mosquitto_loop_misc(mqtt->handle);
    if (mqtt->state == WAITING)
        return;
    if (rc != MOSQ_ERR_SUCCESS)
        lost(mqtt, mosquitto_strerror(rc));
    else if (mqtt->state != UP && base_loop_now_us(mqtt->options.loop) > mqtt->deadline_us)
        lost(mqtt, "the broker does not answer");
    else
        watch(mqtt);
}

/* What the library calls, from inside its loop functions. */

static void become_up(struct mqtt *mqtt)
{
    mqtt->state = UP;
    mqtt->backoff_ms = BACKOFF_FIRST_MS;
    tell(mqtt, true, NULL);
}

static void on_connect(struct mosquitto *handle, void *obj, int rc, int flags,
                       const mosquitto_property *properties)
{
    struct mqtt *mqtt = obj;
    (void)flags;
    (void)properties;
    if (rc != 0) {
        lost(mqtt, mosquitto_reason_string(rc));
        return;
    }
    mqtt->granted = 0;
    mqtt->state = SUBSCRIBING;
    for (size_t i = 0; i < mqtt->filter_count; i++)
        (void)mosquitto_subscribe_v5(handle, NULL, mqtt->filters[i], 1, 0, NULL);
    if (mqtt->filter_count == 0)
        become_up(mqtt);
}

static void on_subscribe(struct mosquitto *handle, void *obj, int mid, int count,
                         const int *granted, const mosquitto_property *properties)
{
    struct mqtt *mqtt = obj;
    (void)handle;
    (void)mid;
    (void)properties;
    for (int i = 0; i < count; i++) {
        if (granted[i] >= 128) {
            lost(mqtt, "a subscription was refused");
            return;
        }
        mqtt->granted++;
    }
    if (mqtt->state == SUBSCRIBING && mqtt->granted >= mqtt->filter_count)
        become_up(mqtt);
}

static void on_disconnect(struct mosquitto *handle, void *obj, int rc,
                          const mosquitto_property *properties)
{
    struct mqtt *mqtt = obj;
    (void)handle;
    (void)properties;
    if (mqtt->state != WAITING && mqtt->state != CONNECTING)
        lost(mqtt, rc > 0 && rc < 128 ? mosquitto_strerror(rc) : mosquitto_reason_string(rc));
}

static void finish(struct mqtt *mqtt, int mid, enum base_err err)
{
    struct pending *pending = &mqtt->pending[mid & (MIDS - 1)];
    if (!pending->used)
        return;
    pending->used = false;
    mqtt->pending_count--;
    if (pending->fn)
        pending->fn(pending->ctx, err);
}

static enum base_err reason_err(int reason)
{
    static const struct {
        int reason;
        enum base_err err;
    } table[] = {{MQTT_RC_NOT_AUTHORIZED, BASE_FORBIDDEN},
                 {MQTT_RC_TOPIC_NAME_INVALID, BASE_INVALID},
                 {MQTT_RC_PACKET_TOO_LARGE, BASE_TOO_LARGE},
                 {MQTT_RC_QUOTA_EXCEEDED, BASE_OVERLOADED}};
    if (reason < 128)
        return BASE_OK;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].reason == reason)
            return table[i].err;
    return BASE_UNAVAILABLE;
}

static void on_publish(struct mosquitto *handle, void *obj, int mid, int reason,
                       const mosquitto_property *properties)
{
    (void)handle;
    (void)properties;
    finish(obj, mid, reason_err(reason));
}

static void on_message(struct mosquitto *handle, void *obj, const struct mosquitto_message *message,
                       const mosquitto_property *properties)
{
    struct mqtt *mqtt = obj;
    (void)handle;
    (void)properties;
    struct mqtt_message copy = {.topic = base_sv_from(message->topic),
                                .payload = base_sv(message->payload, (size_t)message->payloadlen),
                                .qos = message->qos,
                                .retained = message->retain};
    if (mqtt->options.on_message)
        mqtt->options.on_message(mqtt->options.ctx, &copy);
}

/* The client. */

bool mqtt_up(const struct mqtt *mqtt)
{
    return mqtt->state == UP;
}

size_t mqtt_in_flight(const struct mqtt *mqtt)
{
    return mqtt->pending_count;
}

enum base_err mqtt_set_password(struct mqtt *mqtt, const char *password)
{
    char *copy = strdup(password);
    if (!copy)
        return BASE_NO_MEMORY;
    free(mqtt->password);
    mqtt->password = copy;
    return BASE_OK;
}

enum base_err mqtt_subscribe(struct mqtt *mqtt, const char *filter)
{
    if (mqtt->filter_count == SUBSCRIPTIONS_MAX || strlen(filter) > 1024 ||
        mosquitto_sub_topic_check(filter) != MOSQ_ERR_SUCCESS)
        return BASE_INVALID;
    char *copy = strdup(filter);
    if (!copy)
        return BASE_NO_MEMORY;
    mqtt->filters[mqtt->filter_count++] = copy;
    if (mqtt->state == SUBSCRIBING || mqtt->state == UP) {
        (void)mosquitto_subscribe_v5(mqtt->handle, NULL, copy, 1, 0, NULL);
        watch(mqtt);
    }
    return BASE_OK;
}

static bool add_properties(const struct mqtt_publication *publication, mosquitto_property **list)
{
    bool ok = true;
    if (publication->expiry_s > 0)
        ok = mosquitto_property_add_int32(list, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                          (uint32_t)publication->expiry_s) == MOSQ_ERR_SUCCESS;
    if (ok && publication->content_type)
        ok = mosquitto_property_add_string(list, MQTT_PROP_CONTENT_TYPE,
                                           publication->content_type) == MOSQ_ERR_SUCCESS;
    for (size_t i = 0; ok && i < publication->property_count; i++) {
        char value[512];
        ok = base_sv_cstr(publication->properties[i].value, value, sizeof(value)) &&
             mosquitto_property_add_string_pair(list, MQTT_PROP_USER_PROPERTY,
                                                publication->properties[i].name,
                                                value) == MOSQ_ERR_SUCCESS;
    }
    return ok;
}

/* The library keeps a publication that it could not send for want of a connection. */
static bool is_kept(int rc)
{
    return rc == MOSQ_ERR_SUCCESS || rc == MOSQ_ERR_NO_CONN || rc == MOSQ_ERR_CONN_LOST ||
           rc == MOSQ_ERR_ERRNO || rc == MOSQ_ERR_TLS;
}

enum base_err mqtt_publish(struct mqtt *mqtt, const struct mqtt_publication *publication,
                           mqtt_done_fn fn, void *ctx)
{
    mosquitto_property *properties = NULL;
    int mid = 0;
    if (mqtt->state != UP)
        return BASE_UNAVAILABLE;
    if (mqtt->pending_count >= PENDING_MAX)
        return BASE_OVERLOADED;
    if (publication->payload.len > INT32_MAX || !add_properties(publication, &properties)) {
        mosquitto_property_free_all(&properties);
        return BASE_INVALID;
    }
    int rc =
        mosquitto_publish_v5(mqtt->handle, &mid, publication->topic, (int)publication->payload.len,
                             publication->payload.ptr, 1, publication->retain, properties);
    mosquitto_property_free_all(&properties);
    if (!is_kept(rc))
        return rc == MOSQ_ERR_NOMEM                                            ? BASE_NO_MEMORY
               : rc == MOSQ_ERR_PAYLOAD_SIZE || rc == MOSQ_ERR_OVERSIZE_PACKET ? BASE_TOO_LARGE
                                                                               : BASE_INVALID;
    mqtt->pending[mid & (MIDS - 1)] = (struct pending){.fn = fn, .ctx = ctx, .used = true};
    mqtt->pending_count++;
    watch(mqtt);
    return BASE_OK;
}

static void dispose(struct mqtt *mqtt)
{
    if (mqtt->handle)
        mosquitto_destroy(mqtt->handle);
    base_timer_free(mqtt->timer);
    for (size_t i = 0; i < mqtt->filter_count; i++)
        free(mqtt->filters[i]);
    free(mqtt->username);
    free(mqtt->password);
    free(mqtt->pending);
    free(mqtt);
    (void)mosquitto_lib_cleanup();
}

void mqtt_free(struct mqtt *mqtt)
{
    if (!mqtt)
        return;
    mqtt->options.on_state = NULL;
    if (mqtt->attempt) {
        pthread_mutex_lock(&mqtt->attempt->mutex);
        mqtt->attempt->shared.mqtt = NULL;
        pthread_mutex_unlock(&mqtt->attempt->mutex);
        mqtt->handle = NULL; /* the attempt's now */
    } else if (mqtt->state == UP) {
        (void)mosquitto_disconnect_v5(mqtt->handle, 0, NULL);
    }
    unwatch(mqtt);
    base_timer_stop(mqtt->timer);
    mqtt->state = WAITING;
    for (int mid = 0; mqtt->pending_count > 0 && mid < MIDS; mid++)
        finish(mqtt, mid, BASE_UNAVAILABLE);
    dispose(mqtt);
}

static bool configure_tls(struct mqtt *mqtt, struct base_buf *errors)
{
    const char *ca = mqtt->options.ca_file;
    if (!mqtt->url.tls)
        return true;
    int rc = mosquitto_tls_set(mqtt->handle, ca && ca[0] ? ca : NULL,
                               ca && ca[0] ? NULL : "/etc/ssl/certs", mqtt->options.cert_file,
                               mqtt->options.key_file, NULL);
    if (rc == MOSQ_ERR_SUCCESS)
        return true;
    base_buf_addf(errors, "mqtt TLS files: %s\n", mosquitto_strerror(rc));
    return false;
}

static enum base_err configure(struct mqtt *mqtt, struct base_buf *errors)
{
    const struct mqtt_options *o = &mqtt->options;
    mqtt->handle = mosquitto_new(o->client_id, o->session_expiry_s == 0, mqtt);
    mqtt->pending = calloc(MIDS, sizeof(*mqtt->pending));
    mqtt->username = o->username && o->username[0] ? strdup(o->username) : NULL;
    if (!mqtt->handle || !mqtt->pending || (o->username && o->username[0] && !mqtt->username))
        return BASE_NO_MEMORY;
    (void)mosquitto_int_option(mqtt->handle, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    (void)mosquitto_int_option(mqtt->handle, MOSQ_OPT_TCP_NODELAY, 1);
    (void)mosquitto_max_inflight_messages_set(mqtt->handle, IN_FLIGHT);
    enum base_err err = mqtt_set_password(mqtt, o->password ? o->password : "");
    if (err != BASE_OK)
        return err;
    if (!configure_tls(mqtt, errors))
        return BASE_INVALID;
    mosquitto_connect_v5_callback_set(mqtt->handle, on_connect);
    mosquitto_disconnect_v5_callback_set(mqtt->handle, on_disconnect);
    mosquitto_subscribe_v5_callback_set(mqtt->handle, on_subscribe);
    mosquitto_publish_v5_callback_set(mqtt->handle, on_publish);
    mosquitto_message_v5_callback_set(mqtt->handle, on_message);
    return base_timer_new(o->loop, on_timer, mqtt, &mqtt->timer);
}

enum base_err mqtt_new(const struct mqtt_options *options, struct mqtt **ret_mqtt,
                       struct base_buf *errors)
{
    struct mqtt *mqtt = calloc(1, sizeof(*mqtt));
    if (!mqtt)
        return BASE_NO_MEMORY;
    (void)mosquitto_lib_init();
    mqtt->options = *options;
    mqtt->fd = -1;
    mqtt->backoff_ms = BACKOFF_FIRST_MS;
    enum base_err err = BASE_INVALID;
    if (mqtt_url_parse(base_sv_from(options->url), &mqtt->url))
        err = configure(mqtt, errors);
    else
        base_buf_add_c(errors, "mqtt.url must be mqtt://host[:port] or mqtts://host[:port]\n");
    if (err != BASE_OK) {
        dispose(mqtt);
        return err;
    }
    base_timer_start(mqtt->timer, 0);
    *ret_mqtt = mqtt;
    return BASE_OK;
}
