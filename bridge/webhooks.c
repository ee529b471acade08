/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Webhooks: events go from Kafka into a queue in the database, for whoever wants them, and from
 * there to their addresses; offsets are committed behind the queue. Signed as Standard Webhooks
 * say (HMAC-SHA256 over id, time and body), at least once: the id is the event's, a receiver drops
 * what it has seen. What fails comes again later and later, and is set aside after ATTEMPTS.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

#include "bridge/part.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/metrics.h"
#include "lib/net/client.h"
#include "tasks/event.h"
#include "tasks/store/webhook.h"

#define GROUP "todo-webhooks"
#define SECRET_PREFIX "whsec_"

enum {
    GATHER_MAX = 500,
    PAYLOADS_MAX = 4 << 20,
    TICK_MS = 100,
    RETRY_MS = 1000,
    UNDER_WAY_MAX = 64,
    TIMEOUT_MS = 15000,
    LETTER_MAX = 64 * 1024,
    ERROR_MAX = 200
};

/* How long after each failed attempt, in seconds; after the last it is given up. */
static const int32_t again_s[] = {5, 60, 300, 1800, 7200, 21600, 43200};
enum { ATTEMPTS = sizeof(again_s) / sizeof(again_s[0]) + 1 };

enum result { DELIVERED, FAILED, DEAD, GONE, RESULTS };
static const char *const results[RESULTS] = {"delivered", "failed", "dead", "gone"};

static const char *const topics[] = {BUS_TOPIC_TASKS, BUS_TOPIC_REMINDERS};
enum { TOPICS = sizeof(topics) / sizeof(topics[0]) };

struct gathered {
    size_t topic;
    int32_t partition;
    int64_t offset;
    struct base_id id;
    size_t at, user_len, type_len, payload_len;
};

struct webhooks {
    struct base_loop *loop;
    struct bus *bus;
    struct task_store *store;
    struct net_client *client;
    struct bridge_link link;
    struct base_timer *timer;
    struct bus_consumer *consumers[TOPICS];
    struct gathered gathered[GATHER_MAX], queued[GATHER_MAX];
    size_t gathered_count, queued_count;
    struct base_buf text, queued_text;
    struct task_hook_event events[GATHER_MAX];
    bool queueing, claiming;
    size_t under_way;
    int64_t claim_at_us;
    bool draining;
};

struct delivery {
    struct webhooks *webhooks;
    struct base_id hook, event;
    int32_t attempts;
    size_t user_len, url_len, payload_len;
    char text[]; /* user, url, payload, each with a NUL */
};

static const char *url_of(const struct delivery *delivery)
{
    return delivery->text + delivery->user_len + 1;
}

static struct base_sv payload_of(const struct delivery *delivery)
{
    return base_sv(url_of(delivery) + delivery->url_len + 1, delivery->payload_len);
}

/* From the bus into the queue. */

static void pause_or_go_on(struct webhooks *w)
{
    bool full = w->gathered_count == GATHER_MAX || w->text.len > PAYLOADS_MAX / 2;
    for (size_t i = 0; i < TOPICS; i++)
        if (w->consumers[i])
            bus_consumer_pause(w->consumers[i], w->draining || full);
}

static void on_record(void *ctx, const struct bus_record *record)
{
    struct webhooks *w = ctx;
    struct base_sv type = bus_record_header(record, BUS_H_TYPE);
    struct gathered *g = &w->gathered[w->gathered_count];
    *g = (struct gathered){.partition = record->partition,
                           .offset = record->offset,
                           .at = w->text.len,
                           .user_len = record->key.len,
                           .type_len = type.len,
                           .payload_len = record->payload.len};
    for (size_t i = 0; i < TOPICS; i++)
        if (base_sv_eq_c(base_sv_from(record->topic), topics[i]))
            g->topic = i;
    if (!base_id_parse(bus_record_header(record, BUS_H_ID), &g->id))
        LOG_WARN("webhook.no_event", LOG_SV("user", record->key)); /* not one of ours: id null */
    base_buf_add(&w->text, record->key);
    base_buf_add(&w->text, type);
    base_buf_add(&w->text, record->payload);
    if (!base_buf_ok(&w->text))
        abort(); /* no memory: let go here it would never come again, after a restart it does */
    w->gathered_count++;
    pause_or_go_on(w);
}

static void on_queued(void *ctx, enum base_err err)
{
    struct webhooks *w = ctx;
    w->queueing = false;
    if (err != BASE_OK)
        return; /* tried again by the next tick */
    for (size_t i = 0; i < w->queued_count; i++) {
        const struct gathered *g = &w->queued[i];
        if (bus_consumer_commit(w->consumers[g->topic], g->partition, g->offset) != BASE_OK)
            LOG_DEBUG("webhook.commit_failed"); /* it comes again and is known */
    }
    w->queued_count = 0;
    base_buf_reset(&w->queued_text);
    w->claim_at_us = 0;
}

static void queue(struct webhooks *w)
{
    if (w->queueing)
        return;
    if (w->queued_count == 0) {
        struct base_buf empty = w->queued_text;
        memcpy(w->queued, w->gathered, w->gathered_count * sizeof(w->queued[0]));
        w->queued_count = w->gathered_count;
        w->queued_text = w->text;
        w->text = empty;
        w->gathered_count = 0;
        pause_or_go_on(w);
    }
    size_t count = 0;
    for (size_t i = 0; i < w->queued_count; i++) {
        const struct gathered *g = &w->queued[i];
        const char *text = w->queued_text.data + g->at;
        if (base_id_is_null(g->id))
            continue;
        w->events[count++] = (struct task_hook_event){
            .user_id = base_sv(text, g->user_len),
            .type = base_sv(text + g->user_len, g->type_len),
            .id = g->id,
            .payload = base_sv(text + g->user_len + g->type_len, g->payload_len)};
    }
    if (w->queued_count == 0)
        return;
    w->queueing = true;
    task_store_hook_queue(w->store, w->events, count, on_queued, w);
}

/* From the queue to its address. */

static void on_letter_sent(void *ctx, enum base_err err)
{
    (void)ctx;
    if (err != BASE_OK)
        LOG_WARN("webhook.dead_letter_lost", LOG_ERR(err));
}

static void send_letter(const struct delivery *delivery, const char *why)
{
    struct base_buf letter;
    char hook[BASE_ID_TEXT + 1];
    struct base_sv user = base_sv(delivery->text, delivery->user_len);
    base_id_text(delivery->hook, hook);
    base_buf_init(&letter, LETTER_MAX + delivery->payload_len);
    base_json_open(&letter, '{');
    base_json_kv_str(&letter, "webhook_id", base_sv_from(hook));
    base_json_kv_str(&letter, "user_id", user);
    base_json_kv_int(&letter, "attempts", delivery->attempts);
    base_json_kv_str(&letter, "why", base_sv_from(why));
    base_json_kv_raw(&letter, "event", payload_of(delivery));
    base_json_close(&letter, '}');
    struct bus_message message = {
        .topic = BUS_TOPIC_WEBHOOKS BUS_DEAD_LETTERS, .key = user, .payload = base_buf_sv(&letter)};
    enum base_err err = bus_publish(delivery->webhooks->bus, &message, on_letter_sent, NULL);
    if (err != BASE_OK)
        on_letter_sent(NULL, err);
    base_buf_done(&letter);
}

static void on_settled(void *ctx, enum base_err err)
{
    (void)err; /* without it the lease runs out, and it comes again */
    struct delivery *delivery = ctx;
    delivery->webhooks->under_way--;
    free(delivery);
}

static void on_answer(void *ctx, int status, const char *why, struct base_sv body)
{
    struct delivery *delivery = ctx;
    (void)body;
    char error[ERROR_MAX] = "";
    char hook[BASE_ID_TEXT + 1];
    bool done = status >= 200 && status < 300;
    enum task_hook_outcome outcome = done                            ? TASK_HOOK_DONE
                                     : status == 410                 ? TASK_HOOK_GONE
                                     : delivery->attempts < ATTEMPTS ? TASK_HOOK_AGAIN
                                                                     : TASK_HOOK_DEAD;
    static const enum result tally[] = {[TASK_HOOK_DONE] = DELIVERED,
                                        [TASK_HOOK_AGAIN] = FAILED,
                                        [TASK_HOOK_DEAD] = DEAD,
                                        [TASK_HOOK_GONE] = GONE};
    if (!done && status)
        (void)snprintf(error, sizeof(error), "answered %d", status);
    else if (!done)
        (void)snprintf(error, sizeof(error), "%s", why);
    base_id_text(delivery->hook, hook);
    base_metric_add(BASE_M_WEBHOOK_DELIVERIES, tally[outcome], 1);
    BASE_LOG_AT(done ? BASE_LOG_DEBUG : BASE_LOG_INFO, "webhook.sent", LOG_STR("webhook", hook),
                LOG_INT("status", status), LOG_INT("attempt", delivery->attempts),
                LOG_STR("why", error));
    if (outcome == TASK_HOOK_DEAD)
        send_letter(delivery, error);
    int32_t after_s = outcome == TASK_HOOK_AGAIN ? again_s[delivery->attempts - 1] : 0;
    task_store_hook_settle(delivery->webhooks->store, delivery->hook, delivery->event, outcome,
                           after_s, base_sv_from(error), on_settled, delivery);
}

/* "v1," and the base64 of the HMAC over "id.time.body"; the key is the secret's base64. */
static bool sign(struct base_sv secret, const char *id, int64_t at_s, struct base_sv body,
                 char *dst, size_t cap)
{
    unsigned char key[128], mac[EVP_MAX_MD_SIZE];
    unsigned mac_len = 0;
    struct base_buf text;
    size_t prefix = sizeof(SECRET_PREFIX) - 1;
    if (!base_sv_starts(secret, SV(SECRET_PREFIX)) || secret.len - prefix > 128 || cap < 64)
        return false;
    int key_len = EVP_DecodeBlock(key, (const unsigned char *)secret.ptr + prefix,
                                  (int)(secret.len - prefix));
    if (key_len < 3)
        return false;
    for (size_t i = secret.len; i > prefix && secret.ptr[i - 1] == '='; i--)
        key_len--;
    base_buf_init(&text, body.len + 128);
    base_buf_addf(&text, "%s.%lld.", id, (long long)at_s);
    base_buf_add(&text, body);
    bool ok = base_buf_ok(&text) &&
              HMAC(EVP_sha256(), key, key_len, (unsigned char *)text.data, text.len, mac, &mac_len);
    base_buf_done(&text);
    memcpy(dst, "v1,", 3);
    return ok && EVP_EncodeBlock((unsigned char *)dst + 3, mac, (int)mac_len) > 0;
}

static void deliver(struct webhooks *w, const struct task_delivery_due *due)
{
    char id[BASE_ID_TEXT + 1], id_line[64], time_line[64], signature[64], signature_line[128];
    int64_t now_s = base_clock_now_us(&base_clock_system) / 1000000;
    struct delivery *delivery =
        calloc(1, sizeof(*delivery) + due->user_id.len + due->url.len + due->payload.len + 3);
    if (!delivery)
        return; /* comes again when its lease is over */
    *delivery = (struct delivery){.webhooks = w,
                                  .hook = due->hook,
                                  .event = due->event,
                                  .attempts = due->attempts,
                                  .user_len = due->user_id.len,
                                  .url_len = due->url.len,
                                  .payload_len = due->payload.len};
    memcpy(delivery->text, due->user_id.ptr, due->user_id.len);
    memcpy(delivery->text + due->user_id.len + 1, due->url.ptr, due->url.len);
    memcpy(delivery->text + due->user_id.len + due->url.len + 2, due->payload.ptr,
           due->payload.len);
    w->under_way++;
    base_id_text(due->event, id);
    if (!sign(due->secret, id, now_s, due->payload, signature, sizeof(signature))) {
        on_answer(delivery, 0, "it cannot be signed", SV_NULL);
        return;
    }
    (void)snprintf(id_line, sizeof(id_line), "webhook-id: %s", id);
    (void)snprintf(time_line, sizeof(time_line), "webhook-timestamp: %lld", (long long)now_s);
    (void)snprintf(signature_line, sizeof(signature_line), "webhook-signature: %s", signature);
    const char *const headers[] = {"Content-Type: application/cloudevents+json", "Expect:", id_line,
                                   time_line, signature_line};
    const struct net_client_request request = {.method = "POST",
                                               .url = url_of(delivery),
                                               .headers = headers,
                                               .header_count = sizeof(headers) / sizeof(headers[0]),
                                               .body = payload_of(delivery)};
    if (net_client_send(w->client, &request, on_answer, delivery) != BASE_OK)
        on_answer(delivery, 0, "its address cannot be used", SV_NULL);
}

static void on_due(void *ctx, enum base_err err, const struct task_delivery_due *due, size_t count)
{
    struct webhooks *w = ctx;
    w->claiming = false;
    for (size_t i = 0; err == BASE_OK && i < count; i++)
        deliver(w, &due[i]);
    int64_t wait_ms = err != BASE_OK || count == 0 ? RETRY_MS : 0;
    w->claim_at_us = base_loop_now_us(w->loop) + wait_ms * 1000;
}

static void on_tick(void *ctx)
{
    struct webhooks *w = ctx;
    queue(w);
    if (!w->draining && !w->claiming && w->under_way < UNDER_WAY_MAX &&
        base_loop_now_us(w->loop) >= w->claim_at_us) {
        w->claiming = true;
        task_store_hook_claim(w->store, (int32_t)(UNDER_WAY_MAX - w->under_way), on_due, w);
    }
    base_timer_start(w->timer, TICK_MS);
}

/* The part. */

static void on_state(void *ctx, bool up, const char *why)
{
    struct webhooks *w = ctx;
    bridge_link_set(&w->link, up, why);
}

static void webhooks_free(void *part)
{
    struct webhooks *w = part;
    for (size_t i = 0; i < TOPICS; i++)
        bus_consumer_free(w->consumers[i]);
    net_client_free(w->client);
    task_store_free(w->store);
    base_timer_free(w->timer);
    base_buf_done(&w->text);
    base_buf_done(&w->queued_text);
    free(w);
}

static enum base_err start_all(struct webhooks *w, const struct bridge_env *env)
{
    enum base_err err =
        task_store_new(&(struct task_store_options){.loop = env->loop,
                                                    .url = env->config->database_url,
                                                    .application_name = "todo-webhooks",
                                                    .on_state = on_state,
                                                    .ctx = w},
                       &w->store);
    if (err == BASE_OK)
        err = net_client_new(
            &(struct net_client_options){.loop = env->loop,
                                         .private_allowed = env->config->webhooks_private != 0,
                                         .timeout_ms = TIMEOUT_MS,
                                         .user_agent = "todo-chatbot"},
            &w->client);
    if (err == BASE_OK)
        err = base_timer_new(env->loop, on_tick, w, &w->timer);
    for (size_t i = 0; err == BASE_OK && i < TOPICS; i++)
        err = bus_consume(env->bus,
                          &(struct bus_consumer_options){
                              .topic = topics[i], .group = GROUP, .on_record = on_record, .ctx = w},
                          &w->consumers[i]);
    return err;
}

static enum base_err webhooks_start(const struct bridge_env *env, void **ret_part,
                                    struct base_buf *errors)
{
    struct webhooks *w = calloc(1, sizeof(*w));
    if (!w)
        return BASE_NO_MEMORY;
    w->loop = env->loop;
    w->bus = env->bus;
    w->link =
        (struct bridge_link){.name = "webhooks database", .peer = BRIDGE_PEER_WEBHOOKS_DATABASE};
    base_buf_init(&w->text, 2 * PAYLOADS_MAX);
    base_buf_init(&w->queued_text, 2 * PAYLOADS_MAX);
    base_metrics_labels(BASE_M_WEBHOOK_DELIVERIES, results, RESULTS);
    enum base_err err = start_all(w, env);
    if (err != BASE_OK) {
        base_buf_addf(errors, "webhooks: %s\n", base_err_text(err));
        webhooks_free(w);
        return err;
    }
    base_timer_start(w->timer, TICK_MS);
    *ret_part = w;
    return BASE_OK;
}

static bool webhooks_healthy(const void *part, const char **ret_why)
{
    const struct webhooks *w = part;
    *ret_why = w->link.why;
    return task_store_ready(w->store);
}

static void webhooks_drain(void *part)
{
    struct webhooks *w = part;
    w->draining = true;
    pause_or_go_on(w);
}

static bool webhooks_drained(const void *part)
{
    const struct webhooks *w = part;
    return w->gathered_count == 0 && w->queued_count == 0 && !w->claiming && w->under_way == 0;
}

const struct bridge_part_type bridge_webhooks_part = {.name = "webhooks",
                                                      .role = BRIDGE_ROLE_WEBHOOKS,
                                                      .start = webhooks_start,
                                                      .healthy = webhooks_healthy,
                                                      .drain = webhooks_drain,
                                                      .drained = webhooks_drained,
                                                      .free = webhooks_free};
