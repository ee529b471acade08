/* SPDX-License-Identifier: Apache-2.0 */
/* /export: everything a user has, read page by page so that nobody waits for it. */
#include <stdlib.h>

#include "gateway/exchange/writer.h"
#include "gateway/http/asker.h"
#include "gateway/http/export.h"
#include "lib/base/json.h"
#include "tasks/settings.h"

enum { PAGE = 500, LINES = 100, EXPORT_MAX = 64 * 1024 * 1024, ARENA_MAX = 64 * 1024 * 1024 };

struct outgoing {
    struct gw_asker by;
    struct base_arena arena; /* of a page */
    struct task_query query;
    struct base_buf body;
    bool ical;
};

static void end(void *self)
{
    struct outgoing *out = self;
    base_arena_done(&out->arena);
    base_buf_done(&out->body);
}

static void answer(struct outgoing *out)
{
    const struct net_header name = {SV("Content-Disposition"),
                                    out->ical ? SV("attachment; filename=\"todo.ics\"")
                                              : SV("attachment; filename=\"todo.json\"")};
    if (base_buf_ok(&out->body))
        gw_call_typed(out->by.call, 200,
                      out->ical ? "text/calendar; charset=utf-8" : "application/json",
                      base_buf_sv(&out->body), &name, 1);
    else
        gw_call_problem(out->by.call, BASE_TOO_LARGE, NULL, "an export has at most 64 MiB");
    gw_asker_end(out);
}

static void on_lines(void *ctx, enum base_err err, const struct task_line *lines, size_t count,
                     bool more)
{
    struct outgoing *out = ctx;
    struct base_buf *buf = &out->body;
    if (err != BASE_OK) {
        gw_asker_fail(out, err, NULL, NULL);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        base_json_open(buf, '{');
        base_json_kv_time(buf, "at", lines[i].at_us);
        base_json_kv_str(buf, "device", lines[i].device);
        base_json_kv_str(buf, "id", lines[i].client_id);
        base_json_kv_str(buf, "text", lines[i].text);
        base_json_kv_raw(buf, "reply", lines[i].reply.len ? lines[i].reply : SV("null"));
        base_json_close(buf, '}');
    }
    if (more && base_buf_ok(buf)) {
        task_store_history(out->by.call->worker->store, out->by.user->id, lines[count - 1].number,
                           LINES, on_lines, out);
        return;
    }
    base_json_close(buf, ']');
    base_json_close(buf, '}');
    answer(out);
}

static void tasks_done(struct outgoing *out)
{
    if (out->ical) {
        gw_ical_end(&out->body);
        answer(out);
        return;
    }
    base_json_close(&out->body, ']');
    base_json_key(&out->body, "transcript");
    base_json_open(&out->body, '[');
    task_store_history(out->by.call->worker->store, out->by.user->id, INT64_MAX, LINES, on_lines,
                       out);
}

static void on_tasks(void *ctx, enum base_err err, struct task *tasks, size_t count)
{
    struct outgoing *out = ctx;
    int64_t now_us = gw_now_us(out->by.call->worker);
    if (err != BASE_OK) {
        gw_asker_fail(out, err, NULL, NULL);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (out->ical)
            gw_ical_todo(&out->body, &tasks[i], now_us);
        else
            gw_export_json(&out->body, &tasks[i], now_us);
    }
    if (count < PAGE || !base_buf_ok(&out->body)) {
        tasks_done(out);
        return;
    }
    out->query.after = TASK_AFTER_CHANGE;
    out->query.after_us = tasks[count - 1].updated_us;
    out->query.after_id = tasks[count - 1].id;
    base_arena_reset(&out->arena);
    task_store_find(out->by.call->worker->store, &out->query, &out->arena, on_tasks, out);
}

static void begin(struct outgoing *out)
{
    struct base_buf *buf = &out->body;
    if (out->ical) {
        gw_ical_begin(buf);
        return;
    }
    base_json_open(buf, '{');
    base_json_kv_str(buf, "format", SV("todo-chatbot/1"));
    base_json_kv_str(buf, "user", out->by.user->id);
    base_json_kv_time(buf, "exported_at", gw_now_us(out->by.call->worker));
    base_json_key(buf, "settings");
    gw_me_json(buf, out->by.user);
    base_json_key(buf, "tasks");
    base_json_open(buf, '[');
}

static void go(void *self)
{
    struct outgoing *out = self;
    begin(out);
    out->query.user_id = out->by.user->id;
    task_store_find(out->by.call->worker->store, &out->query, &out->arena, on_tasks, out);
}

void gw_export(struct gw_call *call, bool ical, unsigned statuses)
{
    struct outgoing *out = gw_asker_new(call, sizeof(*out), go, end);
    if (!out)
        return;
    out->ical = ical;
    out->query = (struct task_query){.statuses = statuses, .newest_first = true, .limit = PAGE};
    base_arena_init(&out->arena, ARENA_MAX);
    base_buf_init(&out->body, EXPORT_MAX);
    gw_asker_begin(out, true);
}

void gw_http_export(struct gw_call *call)
{
    struct base_sv format = net_request_arg(call->req, SV("format"));
    bool ical = base_sv_eq_c(format, "ical");
    if (format.ptr && !ical && !base_sv_eq_c(format, "json"))
        gw_call_problem(call, BASE_INVALID, NULL, "format is json or ical");
    else
        gw_export(call, ical, TASK_QUERY_OPEN | TASK_QUERY_DONE);
}
