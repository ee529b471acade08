/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The auditor: every event of task-events and reminders into append-only logs (bridge/audit). While
 * one batch is written the next gathers; offsets are committed behind what is on disk.
 */
#include <stdlib.h>

#include "bridge/audit/writer.h"
#include "bridge/part.h"
#include "lib/base/metrics.h"

#define GROUP "todo-audit"

enum {
    TICK_MS = 50,
    RETRY_MS = 1000,
    RECORDS_MAX = 20000,
    PAYLOADS_MAX = 64 << 20,
    PAYLOADS_HIGH = 16 << 20 /* consumers pause above it */
};

static const char *const topics[] = {BUS_TOPIC_TASKS, BUS_TOPIC_REMINDERS};
enum { TOPICS = sizeof(topics) / sizeof(topics[0]) };

struct auditor {
    struct bus *bus;
    struct base_timer *timer;
    struct audit_writer *writer;
    struct bus_consumer *consumers[TOPICS];
    struct audit_batch gathering, writing;
    bool failing;
    bool draining;
    char why[200];
};

static bool has_room(const struct auditor *auditor)
{
    return auditor->gathering.count < RECORDS_MAX &&
           auditor->gathering.payloads.len < PAYLOADS_HIGH;
}

static void pause_or_go_on(struct auditor *auditor)
{
    bool paused = auditor->draining || !has_room(auditor);
    for (size_t i = 0; i < TOPICS; i++)
        if (auditor->consumers[i])
            bus_consumer_pause(auditor->consumers[i], paused);
}

static void on_record(void *ctx, const struct bus_record *record)
{
    struct auditor *auditor = ctx;
    struct audit_batch *batch = &auditor->gathering;
    const char *topic = topics[0];
    for (size_t i = 0; i < TOPICS; i++)
        if (base_sv_eq_c(base_sv_from(record->topic), topics[i]))
            topic = topics[i];
    batch->records[batch->count++] = (struct audit_record){.topic = topic,
                                                           .partition = record->partition,
                                                           .offset = record->offset,
                                                           .at = batch->payloads.len,
                                                           .length = record->payload.len};
    base_buf_add(&batch->payloads, record->payload);
    if (!base_buf_ok(&batch->payloads))
        abort(); /* no memory: a record let go here would never come again, after a restart it does
                  */
    if (!has_room(auditor))
        pause_or_go_on(auditor);
}

static struct bus_consumer *consumer_of(const struct auditor *auditor, const char *topic)
{
    for (size_t i = 0; i < TOPICS; i++)
        if (topics[i] == topic)
            return auditor->consumers[i];
    return NULL;
}

static void written(struct auditor *auditor)
{
    struct audit_batch *batch = &auditor->writing;
    for (size_t i = 0; i < batch->count; i++) {
        struct bus_consumer *consumer = consumer_of(auditor, batch->records[i].topic);
        if (consumer && bus_consumer_commit(consumer, batch->records[i].partition,
                                            batch->records[i].offset) != BASE_OK)
            LOG_DEBUG("audit.commit_failed"); /* it comes again and is known */
    }
    base_metric_add(BASE_M_AUDIT_RECORDS, 0, (int64_t)batch->count);
    batch->count = 0;
    base_buf_reset(&batch->payloads);
    if (auditor->failing)
        LOG_INFO("audit.writes_again");
    auditor->failing = false;
}

static void failed(struct auditor *auditor, const char *why)
{
    if (!auditor->failing)
        LOG_ERROR("audit.write_failed", LOG_STR("why", why));
    (void)base_sv_cstr(base_sv_sub(base_sv_from(why), 0, sizeof(auditor->why) - 1), auditor->why,
                       sizeof(auditor->why));
    auditor->failing = true;
}

static void on_tick(void *ctx)
{
    struct auditor *auditor = ctx;
    const char *why;
    enum audit_progress progress = audit_writer_poll(auditor->writer, &why);
    if (progress == AUDIT_WRITTEN)
        written(auditor);
    if (progress == AUDIT_FAILED)
        failed(auditor, why);
    if (progress != AUDIT_WRITING) {
        if (auditor->writing.count == 0) {
            struct audit_batch empty = auditor->writing;
            auditor->writing = auditor->gathering;
            auditor->gathering = empty;
            pause_or_go_on(auditor);
        }
        if (auditor->writing.count)
            audit_writer_write(auditor->writer, &auditor->writing);
    }
    base_timer_start(auditor->timer, progress == AUDIT_FAILED ? RETRY_MS : TICK_MS);
}

static void auditor_free(void *part)
{
    struct auditor *auditor = part;
    for (size_t i = 0; i < TOPICS; i++)
        bus_consumer_free(auditor->consumers[i]);
    audit_writer_free(auditor->writer);
    base_timer_free(auditor->timer);
    base_buf_done(&auditor->gathering.payloads);
    base_buf_done(&auditor->writing.payloads);
    free(auditor->gathering.records);
    free(auditor->writing.records);
    free(auditor);
}

static bool batch_init(struct audit_batch *batch)
{
    base_buf_init(&batch->payloads, PAYLOADS_MAX);
    batch->records = calloc(RECORDS_MAX, sizeof(*batch->records));
    return batch->records != NULL;
}

static enum base_err auditor_start(const struct bridge_env *env, void **ret_part,
                                   struct base_buf *errors)
{
    struct auditor *auditor = calloc(1, sizeof(*auditor));
    if (!auditor)
        return BASE_NO_MEMORY;
    auditor->bus = env->bus;
    bool ok = batch_init(&auditor->gathering) && batch_init(&auditor->writing);
    enum base_err err = ok ? BASE_OK : BASE_NO_MEMORY;
    if (err == BASE_OK)
        err = audit_writer_new(env->config->audit_dir, &auditor->writer);
    if (err == BASE_OK)
        err = base_timer_new(env->loop, on_tick, auditor, &auditor->timer);
    for (size_t i = 0; err == BASE_OK && i < TOPICS; i++)
        err = bus_consume(
            env->bus,
            &(struct bus_consumer_options){
                .topic = topics[i], .group = GROUP, .on_record = on_record, .ctx = auditor},
            &auditor->consumers[i]);
    if (err != BASE_OK) {
        base_buf_addf(errors, "auditor: %s\n", base_err_text(err));
        auditor_free(auditor);
        return err;
    }
    base_timer_start(auditor->timer, TICK_MS);
    *ret_part = auditor;
    return BASE_OK;
}

static bool auditor_healthy(const void *part, const char **ret_why)
{
    const struct auditor *auditor = part;
    *ret_why = auditor->why;
    return !auditor->failing;
}

static void auditor_drain(void *part)
{
    struct auditor *auditor = part;
    auditor->draining = true;
    pause_or_go_on(auditor);
}

static bool auditor_drained(const void *part)
{
    const struct auditor *auditor = part;
    return auditor->failing || (auditor->gathering.count == 0 && auditor->writing.count == 0);
}

const struct bridge_part_type bridge_auditor_part = {.name = "audit",
                                                     .role = BRIDGE_ROLE_AUDIT,
                                                     .start = auditor_start,
                                                     .healthy = auditor_healthy,
                                                     .drain = auditor_drain,
                                                     .drained = auditor_drained,
                                                     .free = auditor_free};
