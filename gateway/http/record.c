/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is on record of one task: its reminders' receipts, its occurrences, who changed it and how.
 * Each is a second reading after the task's own.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/http/asker.h"
#include "lib/base/json.h"
#include "tasks/series.h"
#include "tasks/store/receipts.h"
#include "tasks/store/record.h"

enum { LIMIT_DEFAULT = 20, LIMIT_MAX = 100, BODY_MAX = 8 * 1024 * 1024, TASK_MAX = 256 * 1024 };

struct record {
    struct gw_asker by;
    struct base_arena arena;
    struct base_id id;
    struct task_query query;
    const struct task *task;
    void (*read)(struct record *record);
    int32_t limit;
    int32_t before; /* the version that the page before ended with */
    struct base_buf body;
};

static void end(void *self)
{
    struct record *record = self;
    base_arena_done(&record->arena);
    base_buf_done(&record->body);
}

static void fail(struct record *record, enum base_err err, const char *detail)
{
    gw_asker_fail(record, err, NULL, detail);
}

static void answer(struct record *record)
{
    if (base_buf_ok(&record->body))
        gw_call_json(record->by.call, 200, base_buf_sv(&record->body), NULL, 0);
    else
        gw_call_problem(record->by.call, BASE_TOO_LARGE, NULL, "ask for less by limit");
    gw_asker_end(record);
}

static void kv_time_or_null(struct base_buf *buf, const char *key, int64_t at_us)
{
    base_json_key(buf, key);
    if (at_us)
        base_json_time(buf, at_us);
    else
        base_json_null(buf);
}

/* Reminders. */

static void receipt_json(struct base_buf *buf, const struct task_receipt *receipt)
{
    static const char *const states[] = {"waiting", "fired", "late", "missed", "cleared"};
    char id[BASE_ID_TEXT + 1];
    base_id_text(receipt->reminder, id);
    base_json_open(buf, '{');
    base_json_kv_str(buf, "reminder_id", base_sv_from(id));
    base_json_kv_int(buf, "occurrence", receipt->occurrence);
    base_json_kv_int(buf, "repeat", receipt->repeat);
    base_json_kv_str(buf, "state", base_sv_from(states[receipt->state]));
    base_json_kv_time(buf, "due_at", receipt->due_us);
    kv_time_or_null(buf, "held_until", receipt->held_until_us);
    kv_time_or_null(buf, "fired_at", receipt->fired_us);
    kv_time_or_null(buf, "published_at", receipt->published_us);
    kv_time_or_null(buf, "delivered_at", receipt->delivered_us);
    kv_time_or_null(buf, "acknowledged_at", receipt->acked_us);
    base_json_close(buf, '}');
}

static void receipts_json(struct base_buf *buf, const struct task_receipt *receipts, size_t count)
{
    base_json_key(buf, "receipts");
    base_json_open(buf, '[');
    for (size_t i = 0; i < count; i++)
        receipt_json(buf, &receipts[i]);
    base_json_close(buf, ']');
}

static void on_receipts(void *ctx, enum base_err err, const struct task_receipt *receipts,
                        size_t count)
{
    struct record *record = ctx;
    struct base_buf *buf = &record->body;
    if (err != BASE_OK) {
        fail(record, err, NULL);
        return;
    }
    base_json_open(buf, '{');
    base_json_key(buf, "reminders");
    task_reminders_json(buf, record->task, false);
    receipts_json(buf, receipts, count);
    base_json_close(buf, '}');
    answer(record);
}

static void read_reminders(struct record *record)
{
    task_store_receipts(record->by.call->worker->store, record->by.user->id, record->id,
                        &record->arena, on_receipts, record);
}

/* Occurrences. */

static void kv_due(struct base_buf *buf, enum task_due_kind kind, struct time_civil wall,
                   int64_t at_us)
{
    struct base_buf text;
    base_buf_init(&text, 32);
    if (kind == TASK_DUE_DATE)
        time_date_format(&text, wall);
    else
        time_civil_format(&text, wall);
    base_json_kv_str(buf, "due_date", base_buf_sv(&text));
    base_json_kv_time(buf, "due_at", at_us);
    base_buf_done(&text);
}

static void past_json(struct base_buf *buf, const struct task *task, const struct task_past *past)
{
    static const char *const outcomes[] = {"", "completed", "skipped", "missed"};
    base_json_open(buf, '{');
    base_json_kv_int(buf, "occurrence", past->occurrence);
    if (past->has_due)
        kv_due(buf, task->due.kind, past->due, past->due_us);
    base_json_kv_str(buf, "outcome", base_sv_from(outcomes[past->outcome]));
    base_json_kv_time(buf, "at", past->at_us);
    base_json_close(buf, '}');
}

static void upcoming_json(struct record *record)
{
    struct base_buf *buf = &record->body;
    struct task_due dues[LIMIT_MAX];
    struct task_context ctx = {.user_id = record->by.user->id,
                               .now_us = gw_now_us(record->by.call->worker),
                               .settings = record->by.user->settings,
                               .arena = &record->arena};
    bool open = record->task->status == TASK_OPEN;
    size_t count = open ? task_series_ahead(&ctx, record->task, (size_t)record->limit, dues) : 0;
    base_json_key(buf, "upcoming");
    base_json_open(buf, '[');
    for (size_t i = 0; i < count; i++) {
        base_json_open(buf, '{');
        if (i == 0)
            base_json_kv_int(buf, "occurrence", record->task->occurrence);
        kv_due(buf, dues[i].kind, dues[i].local, dues[i].at_us);
        base_json_close(buf, '}');
    }
    base_json_close(buf, ']');
}

static void on_pasts(void *ctx, enum base_err err, const struct task_past *pasts, size_t count)
{
    struct record *record = ctx;
    struct base_buf *buf = &record->body;
    if (err != BASE_OK) {
        fail(record, err, NULL);
        return;
    }
    base_json_open(buf, '{');
    upcoming_json(record);
    base_json_key(buf, "past");
    base_json_open(buf, '[');
    for (size_t i = 0; i < count; i++)
        past_json(buf, record->task, &pasts[i]);
    base_json_close(buf, ']');
    base_json_close(buf, '}');
    answer(record);
}

static void read_occurrences(struct record *record)
{
    task_store_pasts(record->by.call->worker->store, record->id, record->limit, &record->arena,
                     on_pasts, record);
}

/* The audit: each version against the one before. */

static json_t *task_object(const struct task *task)
{
    struct base_buf buf;
    base_buf_init(&buf, TASK_MAX);
    task_json(&buf, task, task->updated_us);
    json_t *object = json_loadb(buf.data ? buf.data : "", buf.len, 0, NULL);
    base_buf_done(&buf);
    return object;
}

static void add_changes(struct base_buf *buf, json_t *was, json_t *is)
{
    const char *key;
    json_t *value;
    json_object_foreach(is, key, value)
    {
        json_t *former = json_object_get(was, key);
        if (json_equal(value, former) || strcmp(key, "version") == 0 ||
            strcmp(key, "updated_at") == 0)
            continue;
        char *before = former ? json_dumps(former, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        char *after = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        base_json_key(buf, key);
        base_json_open(buf, '{');
        base_json_kv_raw(buf, "before", base_sv_from(before ? before : "null"));
        base_json_kv_raw(buf, "after", base_sv_from(after ? after : "null"));
        base_json_close(buf, '}');
        free(before);
        free(after);
    }
}

/* before: the version below, or NULL for the first. */
static void entry_json(struct base_buf *buf, const struct task_record *made,
                       const struct task_record *before)
{
    json_t *was = before ? task_object(&before->task) : NULL;
    json_t *is = task_object(&made->task);
    base_json_open(buf, '{');
    base_json_kv_int(buf, "version", made->task.version);
    base_json_kv_time(buf, "at", made->task.updated_us);
    base_json_kv_str(buf, "channel", base_sv_from(task_channel_names[made->channel]));
    base_json_kv_str(buf, "device", made->device);
    base_json_kv_str(buf, "id", made->client_id);
    base_json_kv_opt(buf, "text", made->text);
    base_json_key(buf, "changes");
    base_json_open(buf, '{');
    add_changes(buf, was, is);
    base_json_close(buf, '}');
    base_json_close(buf, '}');
    json_decref(was);
    json_decref(is);
}

static void on_audit_receipts(void *ctx, enum base_err err, const struct task_receipt *receipts,
                              size_t count)
{
    struct record *record = ctx;
    if (err != BASE_OK) {
        fail(record, err, NULL);
        return;
    }
    receipts_json(&record->body, receipts, count);
    base_json_close(&record->body, '}');
    answer(record);
}

static void on_records(void *ctx, enum base_err err, const struct task_record *records,
                       size_t count)
{
    struct record *record = ctx;
    struct base_buf *buf = &record->body;
    size_t shown = count > (size_t)record->limit ? (size_t)record->limit : count;
    if (err != BASE_OK || !records) {
        fail(record, err == BASE_OK ? BASE_NO_MEMORY : err, NULL);
        return;
    }
    base_json_open(buf, '{');
    base_json_key(buf, "entries");
    base_json_open(buf, '[');
    for (size_t i = 0; i < shown; i++)
        entry_json(buf, &records[i], i + 1 < count ? &records[i + 1] : NULL);
    base_json_close(buf, ']');
    base_json_key(buf, "next_before");
    if (count > shown)
        base_json_int(buf, records[shown - 1].task.version);
    else
        base_json_null(buf);
    task_store_receipts(record->by.call->worker->store, record->by.user->id, record->id,
                        &record->arena, on_audit_receipts, record);
}

static void read_audit(struct record *record)
{
    task_store_records(record->by.call->worker->store, record->by.user->id, record->id,
                       record->before, record->limit + 1, &record->arena, on_records, record);
}

/* From the call to the reading. */

static void on_task(void *ctx, enum base_err err, struct task *tasks, size_t count)
{
    struct record *record = ctx;
    if (err == BASE_OK && count == 0)
        fail(record, BASE_NOT_FOUND, "there is no such task");
    else if (err != BASE_OK)
        fail(record, err, NULL);
    else {
        record->task = tasks;
        record->read(record);
    }
}

static void go(void *self)
{
    struct record *record = self;
    task_store_find(record->by.call->worker->store, &record->query, &record->arena, on_task,
                    record);
}

static bool read_number(struct gw_call *call, struct base_sv name, int64_t most, int32_t *number)
{
    int64_t value;
    struct base_sv text = net_request_arg(call->req, name);
    if (!text.ptr)
        return true;
    if (!base_sv_int64(text, &value) || value < 1 || value > most)
        return false;
    *number = (int32_t)value;
    return true;
}

static void show(struct gw_call *call, unsigned statuses, void (*read)(struct record *record))
{
    int32_t limit = LIMIT_DEFAULT;
    int32_t before = INT32_MAX;
    struct base_id id;
    if (!base_id_parse(call->id, &id)) {
        gw_call_problem(call, BASE_NOT_FOUND, NULL, "this is not the id of a task");
        return;
    }
    if (!read_number(call, SV("limit"), LIMIT_MAX, &limit) ||
        !read_number(call, SV("before"), INT32_MAX, &before)) {
        gw_call_problem(call, BASE_INVALID, NULL,
                        "limit is a number from 1 to 100, before one from 1");
        return;
    }
    struct record *record = gw_asker_new(call, sizeof(*record), go, end);
    if (!record)
        return;
    record->id = id;
    record->limit = limit;
    record->before = before;
    record->read = read;
    record->query = (struct task_query){.user_id = record->by.user->id,
                                        .statuses = statuses,
                                        .ids = &record->id,
                                        .id_count = 1,
                                        .limit = 1};
    base_arena_init(&record->arena, BODY_MAX);
    base_buf_init(&record->body, BODY_MAX);
    gw_asker_begin(record, false);
}

void gw_http_task_reminders(struct gw_call *call)
{
    show(call, TASK_QUERY_OPEN | TASK_QUERY_DONE, read_reminders);
}

void gw_http_task_occurrences(struct gw_call *call)
{
    show(call, TASK_QUERY_OPEN | TASK_QUERY_DONE, read_occurrences);
}

void gw_http_task_audit(struct gw_call *call)
{
    show(call, TASK_QUERY_OPEN | TASK_QUERY_DONE | TASK_QUERY_DELETED, read_audit);
}
