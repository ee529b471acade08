/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans for an OpenTelemetry collector, by OTLP/HTTP 1.x in its JSON encoding. A span is copied
 * into a ring; a timer of the loop sends what has gathered, so nothing on a message's way waits,
 * and a collector that is away costs spans and nothing else. One exporter for each loop; everything
 * belongs to the loop's thread.
 */
#ifndef OTLP_OTLP_H
#define OTLP_OTLP_H

#include "lib/base/buf.h"
#include "lib/base/loop.h"
#include "lib/base/trace.h"

struct otlp_exporter;

struct otlp_options {
    struct base_loop *loop;
    const char *endpoint; /* "http://collector:4318"; "" = none is wanted */
    const char *service;  /* service.name */
    int64_t percent;      /* of all traces, chosen by trace id, so that all parts choose alike */
};

/* The SpanKind numbers of the protocol. */
enum otlp_kind { OTLP_INTERNAL = 1, OTLP_SERVER, OTLP_CLIENT, OTLP_PRODUCER, OTLP_CONSUMER };

enum { OTLP_ATTRIBUTES = 3, OTLP_TEXT = 47 };

struct otlp_attribute {
    const char *key;     /* a literal; NULL: none */
    struct base_sv text; /* cut to OTLP_TEXT bytes; ptr NULL: number counts */
    int64_t number;
};

struct otlp_span {
    const char *name; /* a literal */
    enum otlp_kind kind;
    struct base_trace trace;  /* its own span */
    const uint8_t *parent;    /* 8 bytes; NULL or zeros: a root */
    int64_t start_us, end_us; /* since 1970 */
    const char *error;        /* a literal, NULL: it went well */
    struct otlp_attribute attributes[OTLP_ATTRIBUTES];
};

/* *ret_exporter is NULL where none is wanted. INVALID, told in errors: the endpoint is no http
 * address. */
BASE_MUST_CHECK enum base_err otlp_new(const struct otlp_options *options,
                                       struct otlp_exporter **ret_exporter,
                                       struct base_buf *errors);
/* What was not sent yet is lost. NULL is fine. */
void otlp_free(struct otlp_exporter *exporter);

/* Whether spans of this trace are kept at all; false for NULL. */
bool otlp_wants(const struct otlp_exporter *exporter, const struct base_trace *trace);
/* Copied. Dropped, and counted, where the ring is full; nothing for a trace that is not wanted. */
void otlp_add(struct otlp_exporter *exporter, const struct otlp_span *span);
/* Sends at once what has gathered: before the loop ends. NULL is fine. */
void otlp_flush(struct otlp_exporter *exporter);

#endif
