/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics: counters, gauges and histograms from one table (metrics.def), rendered as Prometheus
 * text exposition 0.0.4 on scrape. Updates are relaxed atomics on static memory: safe from any
 * thread, never blocking, never allocating.
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include "lib/base/buf.h"

enum base_metric {
#define X(name, kind, prom, label, help) BASE_M_##name,
#include "lib/base/metrics.def"
#undef X
    BASE_M_COUNT
};

enum { BASE_METRIC_LABELS_MAX = 64 };

/* The values a labelled metric can have; values[i] belongs to label index i. At start, before
 * threads. The array must stay. A labelled metric without registration shows nothing. */
void base_metrics_labels(enum base_metric metric, const char *const *values, size_t count);

/* label: index of its registered value, 0 for a metric without label. An index out of range counts
 * under the last value. */
void base_metric_add(enum base_metric metric, size_t label, int64_t n);
void base_metric_set(enum base_metric metric, size_t label, int64_t value);
/* A duration into the fixed buckets 1 ms, 2.5, 5, 10, 25, 50, 100, 250, 500 ms, 1 s, 2.5, 5, 10 s.
 */
void base_metric_observe_us(enum base_metric metric, size_t label, int64_t micros);
/* A counter or gauge; of a histogram the sum, in microseconds. */
int64_t base_metric_get(enum base_metric metric, size_t label);

static inline void base_metric_inc(enum base_metric metric)
{
    base_metric_add(metric, 0, 1);
}

void base_metrics_render(struct base_buf *buf);
/* The table as Markdown, for docs/metrics.md. */
void base_metrics_markdown(struct base_buf *buf);

#endif
