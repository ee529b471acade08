/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics in static memory; a histogram keeps its buckets, their sum and their count side by side.
 */
#include "lib/base/metrics.h"

#include <stdatomic.h>

enum kind { COUNTER, GAUGE, HISTOGRAM_SECONDS };

static const struct {
    enum kind kind;
    const char *name;
    const char *label;
    const char *help;
} rows[] = {
#define X(id, kind, prom, label, help) [BASE_M_##id] = {kind, prom, label, help},
#include "lib/base/metrics.def"
#undef X
};

static const int64_t bounds_us[] = {1000,   2500,   5000,    10000,   25000,   50000,   100000,
                                    250000, 500000, 1000000, 2500000, 5000000, 10000000};
enum { BOUNDS = sizeof(bounds_us) / sizeof(bounds_us[0]) };

static _Atomic int64_t values[BASE_M_COUNT][BASE_METRIC_LABELS_MAX];
static _Atomic int64_t buckets[BASE_M_COUNT][BASE_METRIC_LABELS_MAX][BOUNDS + 1];
static struct {
    const char *const *values;
    size_t count;
} labels[BASE_M_COUNT];

static const char *const kind_names[] = {"counter", "gauge", "histogram"};

void base_metrics_labels(enum base_metric metric, const char *const *label_values, size_t count)
{
    labels[metric].values = label_values;
    labels[metric].count = count < BASE_METRIC_LABELS_MAX ? count : BASE_METRIC_LABELS_MAX;
}

static size_t cell(enum base_metric metric, size_t label)
{
    size_t count = rows[metric].label ? labels[metric].count : 1;
    if (count == 0)
        return 0;
    return label < count ? label : count - 1;
}

void base_metric_add(enum base_metric metric, size_t label, int64_t n)
{
    atomic_fetch_add_explicit(&values[metric][cell(metric, label)], n, memory_order_relaxed);
}

void base_metric_set(enum base_metric metric, size_t label, int64_t value)
{
    atomic_store_explicit(&values[metric][cell(metric, label)], value, memory_order_relaxed);
}

void base_metric_observe_us(enum base_metric metric, size_t label, int64_t micros)
{
    size_t at = cell(metric, label);
    size_t bucket = 0;
    if (micros < 0)
        micros = 0; /* a clock was set back; a sum must not shrink */
    while (bucket < BOUNDS && micros > bounds_us[bucket])
        bucket++;
    atomic_fetch_add_explicit(&buckets[metric][at][bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&values[metric][at], micros, memory_order_relaxed);
}

int64_t base_metric_get(enum base_metric metric, size_t label)
{
    return atomic_load_explicit(&values[metric][cell(metric, label)], memory_order_relaxed);
}

static void add_seconds(struct base_buf *buf, int64_t micros)
{
    base_buf_addf(buf, "%lld.%06lld", (long long)(micros / 1000000), (long long)(micros % 1000000));
}

static void add_escaped(struct base_buf *buf, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '"')
            base_buf_add_char(buf, '\\');
        if (*text == '\n')
            base_buf_add_c(buf, "\\n");
        else
            base_buf_add_char(buf, *text);
    }
}

/* name{label="value",le="…"}; bucket < 0: without le. */
static void add_series(struct base_buf *buf, size_t metric, const char *suffix, size_t label,
                       int bucket)
{
    const char *key = rows[metric].label;
    base_buf_add_c(buf, rows[metric].name);
    base_buf_add_c(buf, suffix);
    if (key || bucket >= 0)
        base_buf_add_char(buf, '{');
    if (key) {
        base_buf_addf(buf, "%s=\"", key);
        add_escaped(buf, labels[metric].values[label]);
        base_buf_add_char(buf, '"');
    }
    if (bucket >= 0) {
        base_buf_add_c(buf, key ? ",le=\"" : "le=\"");
        if (bucket < BOUNDS)
            base_buf_addf(buf, "%g", (double)bounds_us[bucket] / 1e6);
        else
            base_buf_add_c(buf, "+Inf");
        base_buf_add_char(buf, '"');
    }
    if (key || bucket >= 0)
        base_buf_add_char(buf, '}');
    base_buf_add_char(buf, ' ');
}

static void add_histogram(struct base_buf *buf, size_t metric, size_t label)
{
    int64_t total = 0;
    for (int bucket = 0; bucket <= BOUNDS; bucket++) {
        total += atomic_load_explicit(&buckets[metric][label][bucket], memory_order_relaxed);
        add_series(buf, metric, "_bucket", label, bucket);
        base_buf_addf(buf, "%lld\n", (long long)total);
    }
    add_series(buf, metric, "_sum", label, -1);
    add_seconds(buf, atomic_load_explicit(&values[metric][label], memory_order_relaxed));
    base_buf_add_char(buf, '\n');
    add_series(buf, metric, "_count", label, -1);
    base_buf_addf(buf, "%lld\n", (long long)total);
}

void base_metrics_render(struct base_buf *buf)
{
    for (size_t metric = 0; metric < BASE_M_COUNT; metric++) {
        size_t count = rows[metric].label ? labels[metric].count : 1;
        base_buf_addf(buf, "# HELP %s %s\n# TYPE %s %s\n", rows[metric].name, rows[metric].help,
                      rows[metric].name, kind_names[rows[metric].kind]);
        for (size_t label = 0; label < count; label++) {
            if (rows[metric].kind == HISTOGRAM_SECONDS) {
                add_histogram(buf, metric, label);
                continue;
            }
            add_series(buf, metric, "", label, -1);
            base_buf_addf(
                buf, "%lld\n",
                (long long)atomic_load_explicit(&values[metric][label], memory_order_relaxed));
        }
    }
}

void base_metrics_markdown(struct base_buf *buf)
{
    base_buf_add_c(buf, "| metric | kind | label | meaning |\n| --- | --- | --- | --- |\n");
    for (size_t metric = 0; metric < BASE_M_COUNT; metric++)
        base_buf_addf(buf, "| `%s` | %s | %s | %s |\n", rows[metric].name,
                      kind_names[rows[metric].kind], rows[metric].label ? rows[metric].label : "",
                      rows[metric].help);
}
