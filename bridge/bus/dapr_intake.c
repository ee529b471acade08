/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consuming: the sidecar asks what we want (/dapr/subscribe) and then posts batches of events, each
 * of which waits for its answer until its consumer has dealt with all of it. An event of another
 * shape than ours is dropped, which the sidecar turns into a dead letter; nothing is ever answered
 * with 404, which would lose it. Where nobody consumes at the moment the answer is RETRY.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bridge/bus/dapr_envelope.h"
#include "bridge/bus/dapr_internal.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"

#define EVENTS "/dapr/events/"
#define FOREIGN "/dapr/foreign/"
#define BINDINGS "/dapr/bindings/"
/* In the Common Expression Language, over the CloudEvent. */
#define OUR_EVENTS "event.type.matches('^(task|recurring|reminder|chat|session)[.]')"

enum {
    BODY_MAX = 128 << 20,
    ANSWER_MAX = 256 * 1024,
    /* What a subscription gathers, and for how long. A broadcast is what people wait for. */
    BULK_COUNT = 200,
    BULK_GROUP_MS = 20,
    BULK_BROADCAST_MS = 5,
    HEAD_CHECKS = 4
};

/* After each subscribing the broadcast's position is fixed at a moment nobody tells us: what may
 * have been missed until then is looked for at these times. */
static const int64_t settle_ms[HEAD_CHECKS] = {300, 1000, 3000, 10000};

enum state { WAITING, HANDED, DONE, UNFIT };

struct delivery {
    struct delivery *next;
    struct net_request *req;
    struct dapr_envelope envelope;
    size_t handed; /* entries before it have been given to the consumer */
    size_t dealt;  /* and before it all have been dealt with */
    size_t open;   /* neither dealt with nor unfit */
    enum state states[];
};

struct dapr_consumer {
    struct bus_consumer base;
    struct dapr_consumer *next;
    struct dapr *dapr;
    struct bus_consumer_options options;
    struct delivery *first, **last;
    struct base_timer *resume; /* after a pause: from a turn of its own */
    struct base_timer *settle;
    size_t settled;      /* checks done since the last subscribing */
    int64_t last_offset; /* given to entries that the broker has not placed */
    bool paused;
    bool ready;
    bool handing;
};

static const char *component_of(const struct dapr_consumer *consumer)
{
    return consumer->options.group ? consumer->options.group : BUS_DAPR_BROADCAST;
}

/* Answers. */

static void respond(struct net_request *req, int status, const struct base_buf *body)
{
    const struct net_header type = {SV("Content-Type"), SV("application/json")};
    net_respond(req, base_buf_ok(body) ? status : 500, &type, 1, base_buf_sv(body));
}

static void respond_text(struct net_request *req, int status, const char *json)
{
    const struct net_header type = {SV("Content-Type"), SV("application/json")};
    net_respond(req, status, &type, 1, base_sv_from(json));
}

static const char *const verdicts[] = {
    [WAITING] = "RETRY", [HANDED] = "RETRY", [DONE] = "SUCCESS", [UNFIT] = "DROP"};

static void answer(struct delivery *delivery)
{
    struct base_buf body;
    base_buf_init(&body, ANSWER_MAX);
    base_json_open(&body, '{');
    if (!delivery->envelope.bulk) {
        base_json_kv_str(&body, "status", base_sv_from(verdicts[delivery->states[0]]));
    } else {
        base_json_key(&body, "statuses");
        base_json_open(&body, '[');
        for (size_t i = 0; i < delivery->envelope.count; i++) {
            base_json_open(&body, '{');
            base_json_kv_str(&body, "entryId", delivery->envelope.entries[i].id);
            base_json_kv_str(&body, "status", base_sv_from(verdicts[delivery->states[i]]));
            base_json_close(&body, '}');
        }
        base_json_close(&body, ']');
    }
    base_json_close(&body, '}');
    respond(delivery->req, 200, &body);
    base_buf_done(&body);
    dapr_envelope_done(&delivery->envelope);
    free(delivery);
}

/* Those that are done with leave, in whatever order. */
static void answer_finished(struct dapr_consumer *consumer)
{
    for (struct delivery **at = &consumer->first; *at;) {
        struct delivery *delivery = *at;
        if (delivery->open > 0) {
            at = &delivery->next;
            continue;
        }
        *at = delivery->next;
        answer(delivery);
    }
    consumer->last = &consumer->first;
    while (*consumer->last)
        consumer->last = &(*consumer->last)->next;
}

/* A sidecar that was restarted brings the same again: what its predecessor brought, and nobody has
 * begun with, would only pile up while a consumer is paused. */
static void forget_abandoned(struct dapr_consumer *consumer)
{
    for (struct delivery *delivery = consumer->first; delivery; delivery = delivery->next)
        if (delivery->handed == 0 && net_request_gone(delivery->req))
            delivery->open = 0; /* unanswered entries say RETRY, to nobody */
    answer_finished(consumer);
}

/* Handing over. */

static void hand_entry(struct dapr_consumer *consumer, struct delivery *delivery, size_t i)
{
    struct dapr_entry *entry = &delivery->envelope.entries[i];
    if (!entry->placed) {
        /* A broker without partitions: places that grow, over a restart too. */
        struct timespec now;
        (void)clock_gettime(CLOCK_REALTIME, &now);
        int64_t at_us = now.tv_sec * 1000000 + now.tv_nsec / 1000;
        consumer->last_offset = at_us > consumer->last_offset ? at_us : consumer->last_offset + 1;
        entry->record.offset = consumer->last_offset;
    }
    entry->record.topic = consumer->options.topic;
    delivery->states[i] = HANDED;
    consumer->options.on_record(consumer->options.ctx, &entry->record);
    if (!consumer->options.group && delivery->states[i] == HANDED) {
        delivery->states[i] = DONE;
        delivery->open--;
    }
}

/* A consumer may pause, or commit, from inside its callback. */
static void hand_over(struct dapr_consumer *consumer)
{
    if (consumer->handing)
        return;
    consumer->handing = true;
    for (struct delivery *delivery = consumer->first; delivery && !consumer->paused;
         delivery = delivery->next)
        while (delivery->handed < delivery->envelope.count && !consumer->paused) {
            size_t i = delivery->handed++;
            if (delivery->states[i] == WAITING)
                hand_entry(consumer, delivery, i);
        }
    consumer->handing = false;
    answer_finished(consumer);
}

static void on_resume(void *ctx)
{
    hand_over(ctx);
}

static struct dapr_consumer *consumer_of(const struct dapr *dapr, struct base_sv component,
                                         struct base_sv topic)
{
    for (struct dapr_consumer *consumer = dapr->consumers; consumer; consumer = consumer->next)
        if (base_sv_eq_c(component, component_of(consumer)) &&
            base_sv_eq_c(topic, consumer->options.topic))
            return consumer;
    return NULL;
}

/* Takes the envelope; NULL, and answered, without memory. */
static struct delivery *delivery_new(struct net_request *req, struct dapr_envelope *envelope,
                                     const char *topic)
{
    struct delivery *delivery =
        calloc(1, sizeof(*delivery) + envelope->count * sizeof(delivery->states[0]));
    if (!delivery) {
        respond_text(req, 500, "{}");
        dapr_envelope_done(envelope);
        return NULL;
    }
    delivery->req = req;
    delivery->envelope = *envelope;
    for (size_t i = 0; i < envelope->count; i++) {
        if (envelope->entries[i].fit) {
            delivery->open++;
            continue;
        }
        delivery->states[i] = UNFIT;
        base_metric_inc(BASE_M_DAPR_DEAD_LETTERS);
        LOG_WARN("dapr.dead_letter", LOG_STR("topic", topic),
                 LOG_INT("partition", envelope->entries[i].record.partition),
                 LOG_INT("offset", envelope->entries[i].record.offset));
    }
    return delivery;
}

static bool read_body(struct net_request *req, struct base_sv topic, struct dapr_envelope *ret)
{
    enum base_err err = dapr_envelope_read(net_request_body(req), ret);
    if (err == BASE_OK)
        return true;
    LOG_ERROR("dapr.refused", LOG_SV("topic", topic), LOG_ERR(err));
    if (err == BASE_MALFORMED)
        respond_text(req, 200, "{\"status\":\"DROP\"}");
    else
        respond_text(req, base_err_http(err), "{}");
    return false;
}

/* /dapr/events/{component}/{topic} */
static void serve_events(struct dapr *dapr, struct net_request *req, struct base_sv rest)
{
    struct dapr_envelope envelope;
    struct base_sv component = base_sv_split(&rest, '/');
    if (!read_body(req, rest, &envelope))
        return;
    struct dapr_consumer *consumer = consumer_of(dapr, component, rest);
    struct delivery *delivery =
        delivery_new(req, &envelope, consumer ? consumer->options.topic : "");
    if (!delivery)
        return;
    if (!consumer) {
        answer(delivery); /* RETRY */
        return;
    }
    if (!consumer->handing)
        forget_abandoned(consumer);
    *consumer->last = delivery;
    consumer->last = &delivery->next;
    hand_over(consumer);
}

/* Subscribing. */

static void on_settle(void *ctx)
{
    struct dapr_consumer *consumer = ctx;
    int64_t waited = settle_ms[consumer->settled++];
    if (consumer->settled < HEAD_CHECKS)
        base_timer_start(consumer->settle, settle_ms[consumer->settled] - waited);
    if (!consumer->ready) {
        consumer->ready = true;
        if (consumer->options.on_ready)
            consumer->options.on_ready(consumer->options.ctx);
    }
    if (consumer->options.on_gap)
        consumer->options.on_gap(consumer->options.ctx);
}

void dapr_consumers_gap(struct dapr *dapr)
{
    for (struct dapr_consumer *consumer = dapr->consumers; consumer; consumer = consumer->next)
        if (consumer->settle) {
            consumer->settled = 0;
            base_timer_start(consumer->settle, settle_ms[0]);
        }
}

/* The programmatic form of dapr/subscriptions.yaml: same routes, same dead letters. */
static void add_subscription(struct base_buf *body, const struct dapr_subscription *wanted)
{
    base_json_open(body, '{');
    base_json_kv_str(body, "pubsubname", base_sv_from(wanted->component));
    base_json_kv_str(body, "topic", base_sv_from(wanted->topic));
    base_json_key(body, "deadLetterTopic");
    base_buf_addf(body, "\"%s%s\"", wanted->topic, BUS_DEAD_LETTERS);
    base_buf_addf(body,
                  ",\"routes\":{\"rules\":[{\"match\":\"%s\",\"path\":\"" EVENTS "%s/%s\"}],"
                  "\"default\":\"" FOREIGN "%s/%s\"}",
                  OUR_EVENTS, wanted->component, wanted->topic, wanted->component, wanted->topic);
    base_buf_addf(body,
                  ",\"bulkSubscribe\":{\"enabled\":true,\"maxMessagesCount\":%d,"
                  "\"maxAwaitDurationMs\":%d}",
                  BULK_COUNT, wanted->broadcast ? BULK_BROADCAST_MS : BULK_GROUP_MS);
    base_json_close(body, '}');
}

static void tell_subscriptions(struct dapr *dapr, struct net_request *req)
{
    struct base_buf body;
    base_buf_init(&body, ANSWER_MAX);
    base_json_open(&body, '[');
    for (size_t i = 0; i < dapr->subscription_count; i++)
        add_subscription(&body, &dapr->subscriptions[i]);
    base_json_close(&body, ']');
    respond(req, 200, &body);
    base_buf_done(&body);
    LOG_INFO("dapr.subscribed", LOG_INT("topics", dapr->subscription_count));
    dapr_consumers_gap(dapr);
}

/* Only once all consumers are there: the sidecar asks once. */
static void serve_subscribe(struct dapr *dapr, struct net_request *req, struct base_sv rest)
{
    (void)rest;
    if (dapr->announced) {
        tell_subscriptions(dapr, req);
        return;
    }
    if (dapr->asked)
        respond_text(dapr->asked, 503, "{}");
    dapr->asked = req;
}

void bus_dapr_announce(struct bus *bus)
{
    struct dapr *dapr = (struct dapr *)bus;
    if (bus->vtable != &dapr_vtable)
        return;
    dapr->announced = true;
    if (dapr->asked)
        tell_subscriptions(dapr, dapr->asked);
    dapr->asked = NULL;
}

static bool has_subscription(const json_t *list, const struct dapr_subscription *wanted)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *component = json_string_value(json_object_get(item, "pubsubname"));
        const char *topic = json_string_value(json_object_get(item, "topic"));
        if (component && topic && strcmp(component, wanted->component) == 0 &&
            strcmp(topic, wanted->topic) == 0)
            return true;
    }
    return false;
}

bool dapr_subscriptions_missing(const struct dapr *dapr, struct base_sv metadata, char *why,
                                size_t cap)
{
    json_t *root = json_loadb(metadata.ptr ? metadata.ptr : "", metadata.len, 0, NULL);
    const json_t *list = json_object_get(root, "subscriptions");
    bool missing = false;
    for (size_t i = 0; dapr->announced && !missing && i < dapr->subscription_count; i++) {
        const struct dapr_subscription *wanted = &dapr->subscriptions[i];
        missing = !has_subscription(list, wanted);
        if (missing)
            (void)snprintf(why, cap, "the sidecar does not bring %s of %s", wanted->topic,
                           wanted->component);
    }
    json_decref(root);
    return missing;
}

void dapr_intake_close(struct dapr *dapr)
{
    if (dapr->asked)
        respond_text(dapr->asked, 503, "{}");
    dapr->asked = NULL;
}

/* The other routes. */

/* What the subscription's rules did not take for ours: all of it is dropped. */
static void serve_foreign(struct dapr *dapr, struct net_request *req, struct base_sv rest)
{
    struct dapr_envelope envelope;
    (void)dapr;
    if (!read_body(req, rest, &envelope))
        return;
    for (size_t i = 0; i < envelope.count; i++)
        envelope.entries[i].fit = false;
    struct delivery *delivery = delivery_new(req, &envelope, "foreign");
    if (delivery)
        answer(delivery);
}

static void serve_binding(struct dapr *dapr, struct net_request *req, struct base_sv rest)
{
    if (dapr->options.on_binding && base_sv_eq_c(net_request_method(req), "POST"))
        dapr->options.on_binding(dapr->options.ctx, rest, net_request_body(req));
    respond_text(req, 200, "{}");
}

/* The sidecar asks for actors; there are none. */
static void serve_config(struct dapr *dapr, struct net_request *req, struct base_sv rest)
{
    (void)dapr;
    (void)rest;
    respond_text(req, 200, "{}");
}

static const struct {
    const char *prefix;
    void (*serve)(struct dapr *dapr, struct net_request *req, struct base_sv rest);
} routes[] = {{EVENTS, serve_events},
              {"/dapr/subscribe", serve_subscribe},
              {FOREIGN, serve_foreign},
              {BINDINGS, serve_binding},
              {"/dapr/config", serve_config}};

size_t bus_dapr_body_limit(void)
{
    return BODY_MAX;
}

void bus_dapr_serve(struct bus *bus, struct net_request *req)
{
    struct dapr *dapr = (struct dapr *)bus;
    struct base_sv path = net_request_path(req);
    if (!bus || bus->vtable != &dapr_vtable) {
        respond_text(req, 404, "{\"detail\":\"the bus is not dapr\"}");
        return;
    }
    if (!dapr_from_sidecar(dapr->options.settings, req)) {
        LOG_WARN("dapr.wrong_token", LOG_SV("path", path),
                 LOG_SV("remote", net_request_remote(req)));
        respond_text(req, 401, "{\"detail\":\"the app's token is needed: dapr-api-token\"}");
        return;
    }
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        struct base_sv prefix = base_sv_from(routes[i].prefix);
        if (base_sv_starts(path, prefix)) {
            routes[i].serve(dapr, req, base_sv_sub(path, prefix.len, path.len));
            return;
        }
    }
    respond_text(req, 404, "{\"detail\":\"there is nothing at this address\"}");
}

/* Consumers. */

static enum base_err remember(struct dapr *dapr, const struct dapr_consumer *consumer)
{
    for (size_t i = 0; i < dapr->subscription_count; i++)
        if (strcmp(dapr->subscriptions[i].component, component_of(consumer)) == 0 &&
            strcmp(dapr->subscriptions[i].topic, consumer->options.topic) == 0)
            return BASE_OK;
    if (dapr->subscription_count == DAPR_SUBSCRIPTIONS_MAX)
        return BASE_OVERLOADED;
    dapr->subscriptions[dapr->subscription_count++] =
        (struct dapr_subscription){.component = component_of(consumer),
                                   .topic = consumer->options.topic,
                                   .broadcast = !consumer->options.group};
    return BASE_OK;
}

enum base_err dapr_consume(struct bus *bus, const struct bus_consumer_options *options,
                           struct bus_consumer **ret_consumer)
{
    struct dapr *dapr = (struct dapr *)bus;
    struct dapr_consumer *consumer = calloc(1, sizeof(*consumer));
    if (!consumer)
        return BASE_NO_MEMORY;
    consumer->base.vtable = &dapr_vtable;
    consumer->dapr = dapr;
    consumer->options = *options;
    consumer->last = &consumer->first;
    enum base_err err = remember(dapr, consumer);
    if (err == BASE_OK)
        err = base_timer_new(dapr->options.loop, on_resume, consumer, &consumer->resume);
    if (err == BASE_OK && !options->group)
        err = base_timer_new(dapr->options.loop, on_settle, consumer, &consumer->settle);
    if (err != BASE_OK) {
        base_timer_free(consumer->resume);
        free(consumer);
        return err;
    }
    consumer->next = dapr->consumers;
    dapr->consumers = consumer;
    *ret_consumer = &consumer->base;
    return BASE_OK;
}

void dapr_consumer_free(struct bus_consumer *base)
{
    struct dapr_consumer *consumer = (struct dapr_consumer *)base;
    struct dapr_consumer **at = &consumer->dapr->consumers;
    while (*at != consumer)
        at = &(*at)->next;
    *at = consumer->next;
    for (struct delivery *delivery = consumer->first, *next; delivery; delivery = next) {
        next = delivery->next;
        answer(delivery);
    }
    base_timer_free(consumer->resume);
    base_timer_free(consumer->settle);
    free(consumer);
}

void dapr_consumer_pause(struct bus_consumer *base, bool paused)
{
    struct dapr_consumer *consumer = (struct dapr_consumer *)base;
    if (consumer->paused && !paused)
        base_timer_start(consumer->resume, 0);
    consumer->paused = paused;
}

/* A delivery's entries come from one partition in order, so what is dealt with stands in front. */
enum base_err dapr_consumer_commit(struct bus_consumer *base, int32_t partition, int64_t offset)
{
    struct dapr_consumer *consumer = (struct dapr_consumer *)base;
    for (struct delivery *delivery = consumer->first; delivery; delivery = delivery->next)
        for (size_t i = delivery->dealt; i < delivery->handed; i++) {
            const struct bus_record *record = &delivery->envelope.entries[i].record;
            if (delivery->states[i] == HANDED) {
                if (record->partition != partition || record->offset > offset)
                    break;
                delivery->states[i] = DONE;
                delivery->open--;
            }
            delivery->dealt = i + 1;
        }
    if (!consumer->handing)
        answer_finished(consumer);
    return BASE_OK;
}
