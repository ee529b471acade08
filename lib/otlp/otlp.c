/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/otlp/otlp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/net/client.h"

enum {
    RING = 8192, /* spans; a power of two */
    BATCH = 512,
    SEND_MS = 1000,
    TIMEOUT_MS = 10 * 1000,
    BODY_MAX = 4 << 20,
    URL_MAX = 1100
};

/* Label values of BASE_M_TRACE_SPANS. */
enum { SENT, DROPPED, FAILED };

struct kept {
    struct otlp_span span;
    uint8_t parent[8];
    char texts[OTLP_ATTRIBUTES][OTLP_TEXT + 1];
};

struct otlp_exporter {
    struct net_client *client;
    struct base_timer *timer;
    char url[URL_MAX];
    char service[64];
    char instance[96];
    uint64_t below; /* traces whose id begins lower are kept */
    struct kept ring[RING];
    size_t first, count;
    size_t sending; /* of them under way */
    bool failing;
};

static uint64_t choice_of(const struct base_trace *trace)
{
    uint64_t n = 0;
    for (size_t i = 8; i < 16; i++)
        n = n << 8 | trace->trace_id[i];
    return n;
}

bool otlp_wants(const struct otlp_exporter *exporter, const struct base_trace *trace)
{
    return exporter && !base_trace_is_null(trace) && choice_of(trace) <= exporter->below;
}

void otlp_add(struct otlp_exporter *exporter, const struct otlp_span *span)
{
    if (!otlp_wants(exporter, &span->trace))
        return;
    if (exporter->count == RING) {
        base_metric_add(BASE_M_TRACE_SPANS, DROPPED, 1);
        return;
    }
    struct kept *kept = &exporter->ring[(exporter->first + exporter->count++) & (RING - 1)];
    kept->span = *span;
    memset(kept->parent, 0, sizeof(kept->parent));
    if (span->parent)
        memcpy(kept->parent, span->parent, sizeof(kept->parent));
    for (size_t i = 0; i < OTLP_ATTRIBUTES; i++) {
        struct base_sv text = span->attributes[i].text;
        size_t length = text.len < OTLP_TEXT ? text.len : OTLP_TEXT;
        if (length)
            memcpy(kept->texts[i], text.ptr, length);
        kept->texts[i][length] = '\0';
    }
    if (exporter->count == BATCH)
        base_timer_start(exporter->timer, 0);
}

/* ---- the body ---- */

static void add_hex(struct base_buf *buf, const char *key, const uint8_t *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    char text[33];
    for (size_t i = 0; i < count; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    base_json_kv_str(buf, key, base_sv(text, 2 * count));
}

/* 64-bit numbers are texts in the JSON encoding. */
static void add_nanos(struct base_buf *buf, const char *key, int64_t at_us)
{
    char text[32];
    int n = snprintf(text, sizeof(text), "%" PRId64 "000", at_us);
    base_json_kv_str(buf, key, base_sv(text, (size_t)n));
}

/* kind: stringValue or intValue; both are texts in the JSON encoding. */
static void add_attribute(struct base_buf *buf, const char *key, const char *kind,
                          struct base_sv value)
{
    base_json_open(buf, '{');
    base_json_kv_str(buf, "key", base_sv_from(key));
    base_json_key(buf, "value");
    base_json_open(buf, '{');
    base_json_kv_str(buf, kind, value);
    base_json_close(buf, '}');
    base_json_close(buf, '}');
}

static void add_text(struct base_buf *buf, const char *key, struct base_sv value)
{
    add_attribute(buf, key, "stringValue", value);
}

static void add_number(struct base_buf *buf, const char *key, int64_t value)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%" PRId64, value);
    add_attribute(buf, key, "intValue", base_sv(text, (size_t)n));
}

static void add_span(struct base_buf *buf, const struct kept *kept)
{
    static const uint8_t none[8];
    const struct otlp_span *span = &kept->span;
    base_json_open(buf, '{');
    add_hex(buf, "traceId", span->trace.trace_id, sizeof(span->trace.trace_id));
    add_hex(buf, "spanId", span->trace.span_id, sizeof(span->trace.span_id));
    if (memcmp(kept->parent, none, sizeof(none)) != 0)
        add_hex(buf, "parentSpanId", kept->parent, sizeof(kept->parent));
    base_json_kv_str(buf, "name", base_sv_from(span->name));
    base_json_kv_int(buf, "kind", span->kind);
    add_nanos(buf, "startTimeUnixNano", span->start_us);
    add_nanos(buf, "endTimeUnixNano", span->end_us);
    base_json_key(buf, "attributes");
    base_json_open(buf, '[');
    for (size_t i = 0; i < OTLP_ATTRIBUTES && span->attributes[i].key; i++) {
        if (span->attributes[i].text.ptr)
            add_text(buf, span->attributes[i].key, base_sv_from(kept->texts[i]));
        else
            add_number(buf, span->attributes[i].key, span->attributes[i].number);
    }
    base_json_close(buf, ']');
    if (span->error) {
        base_json_key(buf, "status");
        base_json_open(buf, '{');
        base_json_kv_int(buf, "code", 2); /* STATUS_CODE_ERROR */
        base_json_kv_str(buf, "message", base_sv_from(span->error));
        base_json_close(buf, '}');
    }
    base_json_close(buf, '}');
}

static void add_batch(const struct otlp_exporter *exporter, struct base_buf *buf)
{
    base_json_open(buf, '{');
    base_json_key(buf, "resourceSpans");
    base_json_open(buf, '[');
    base_json_open(buf, '{');
    base_json_key(buf, "resource");
    base_json_open(buf, '{');
    base_json_key(buf, "attributes");
    base_json_open(buf, '[');
    add_text(buf, "service.name", base_sv_from(exporter->service));
    add_text(buf, "service.namespace", SV("todo-chatbot"));
    add_text(buf, "service.instance.id", base_sv_from(exporter->instance));
    base_json_close(buf, ']');
    base_json_close(buf, '}');
    base_json_key(buf, "scopeSpans");
    base_json_open(buf, '[');
    base_json_open(buf, '{');
    base_json_key(buf, "scope");
    base_json_open(buf, '{');
    base_json_kv_str(buf, "name", SV("todo-chatbot"));
    base_json_close(buf, '}');
    base_json_key(buf, "spans");
    base_json_open(buf, '[');
    for (size_t i = 0; i < exporter->sending; i++)
        add_span(buf, &exporter->ring[(exporter->first + i) & (RING - 1)]);
    for (int i = 0; i < 3; i++) {
        base_json_close(buf, ']');
        base_json_close(buf, '}');
    }
}

/* ---- sending ---- */

static void on_answer(void *ctx, int status, const char *why, struct base_sv body)
{
    struct otlp_exporter *exporter = ctx;
    (void)body;
    bool taken = status >= 200 && status < 300;
    base_metric_add(BASE_M_TRACE_SPANS, taken ? SENT : FAILED, (int64_t)exporter->sending);
    if (!taken && !exporter->failing)
        LOG_WARN("traces.lost", LOG_STR("endpoint", exporter->url), LOG_INT("status", status),
                 LOG_STR("why", status ? "" : why));
    if (taken && exporter->failing)
        LOG_INFO("traces.sent_again", LOG_STR("endpoint", exporter->url));
    exporter->failing = !taken;
    exporter->first += exporter->sending;
    exporter->count -= exporter->sending;
    exporter->sending = 0;
    if (exporter->count >= BATCH)
        otlp_flush(exporter);
}

void otlp_flush(struct otlp_exporter *exporter)
{
    static const char *const HEADERS[] = {"Content-Type: application/json"};
    struct base_buf body;
    if (!exporter || exporter->sending || exporter->count == 0)
        return;
    exporter->sending = exporter->count < BATCH ? exporter->count : BATCH;
    base_buf_init(&body, BODY_MAX);
    add_batch(exporter, &body);
    const struct net_client_request request = {.method = "POST",
                                               .url = exporter->url,
                                               .headers = HEADERS,
                                               .header_count = 1,
                                               .body = base_buf_sv(&body)};
    if (!base_buf_ok(&body) ||
        net_client_send(exporter->client, &request, on_answer, exporter) != BASE_OK)
        on_answer(exporter, 0, "out of memory", SV_NULL);
    base_buf_done(&body);
}

static void on_timer(void *ctx)
{
    struct otlp_exporter *exporter = ctx;
    otlp_flush(exporter);
    base_timer_start(exporter->timer, SEND_MS);
}

enum base_err otlp_new(const struct otlp_options *options, struct otlp_exporter **ret_exporter,
                       struct base_buf *errors)
{
    static const char *const RESULTS[] = {"sent", "dropped", "failed"};
    const char *endpoint = options->endpoint;
    char host[64] = "";
    *ret_exporter = NULL;
    if (!endpoint[0])
        return BASE_OK;
    if (strncmp(endpoint, "http://", 7) != 0 && strncmp(endpoint, "https://", 8) != 0) {
        base_buf_addf(errors, "otlp.endpoint = %s: must be an http:// or https:// address\n",
                      endpoint);
        return BASE_INVALID;
    }
    struct otlp_exporter *exporter = calloc(1, sizeof(*exporter));
    if (!exporter)
        return BASE_NO_MEMORY;
    base_metrics_labels(BASE_M_TRACE_SPANS, RESULTS, 3);
    (void)snprintf(exporter->url, sizeof(exporter->url), "%s/v1/traces", endpoint);
    (void)snprintf(exporter->service, sizeof(exporter->service), "%s", options->service);
    (void)gethostname(host, sizeof(host) - 1);
    (void)snprintf(exporter->instance, sizeof(exporter->instance), "%s-%d", host, (int)getpid());
    exporter->below = UINT64_MAX / 100 * (uint64_t)options->percent;
    if (options->percent >= 100)
        exporter->below = UINT64_MAX;
    enum base_err err =
        net_client_new(&(struct net_client_options){.loop = options->loop,
                                                    .private_allowed = true, /* the operator's */
                                                    .timeout_ms = TIMEOUT_MS,
                                                    .user_agent = "todo-chatbot"},
                       &exporter->client);
    if (err == BASE_OK)
        err = base_timer_new(options->loop, on_timer, exporter, &exporter->timer);
    if (err != BASE_OK) {
        otlp_free(exporter);
        return err;
    }
    base_timer_start(exporter->timer, SEND_MS);
    *ret_exporter = exporter;
    return BASE_OK;
}

void otlp_free(struct otlp_exporter *exporter)
{
    if (!exporter)
        return;
    net_client_free(exporter->client);
    base_timer_free(exporter->timer);
    free(exporter);
}
