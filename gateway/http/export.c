/* SPDX-License-Identifier: Apache-2.0 */
/* /export: everything a user has, read page by page so that nobody waits for it. */
#include <stdlib.h>

#include "gateway/exchange/writer.h"
#include "gateway/http/export.h"
#include "gateway/hub/hub.h"
#include "lib/base/json.h"
#include "tasks/settings.h"

enum { PAGE = 500, LINES = 100, EXPORT_MAX = 64 * 1024 * 1024, ARENA_MAX = 64 * 1024 * 1024 };

struct export
{
    struct gw_call *call;
    struct gw_user *user;
    struct base_arena arena; /* of a page */
    struct task_query query;
    struct base_buf body;
    bool ical;
};

static void end(struct export *export)
{
    gw_user_unref(export->user);
    base_arena_done(&export->arena);
    base_buf_done(&export->body);
    free(export->call);
    free(export);
}

static void answer(struct export *export)
{
    const struct net_header name = {SV("Content-Disposition"),
                                    export->ical ? SV("attachment; filename=\"todo.ics\"")
                                                 : SV("attachment; filename=\"todo.json\"")};
    if (base_buf_ok(&export->body))
        gw_call_typed(export->call, 200,
                      export->ical ? "text/calendar; charset=utf-8" : "application/json",
                      base_buf_sv(&export->body), &name, 1);
    else
        gw_call_problem(export->call, BASE_TOO_LARGE, NULL, "an export has at most 64 MiB");
    end(export);
}

static void fail(struct export *export, enum base_err err)
{
    gw_call_problem(export->call, err, NULL, NULL);
    end(export);
}

static void on_lines(void *ctx, enum base_err err, const struct task_line *lines, size_t count,
                     bool more)
{
    struct export *export = ctx;
    struct base_buf *buf = &export->body;
    if (err != BASE_OK) {
        fail(export, err);
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
        task_store_history(export->call->worker->store, export->user->id, lines[count - 1].number,
                           LINES, on_lines, export);
        return;
    }
    base_json_close(buf, ']');
    base_json_close(buf, '}');
    answer(export);
}

static void tasks_done(struct export *export)
{
    if (export->ical) {
        gw_ical_end(&export->body);
        answer(export);
        return;
    }
    base_json_close(&export->body, ']');
    base_json_key(&export->body, "transcript");
    base_json_open(&export->body, '[');
    task_store_history(export->call->worker->store, export->user->id, INT64_MAX, LINES, on_lines,
                       export);
}

static void on_tasks(void *ctx, enum base_err err, struct task *tasks, size_t count)
{
    struct export *export = ctx;
    int64_t now_us = gw_now_us(export->call->worker);
    if (err != BASE_OK) {
        fail(export, err);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (export->ical)
            gw_ical_todo(&export->body, &tasks[i], now_us);
        else
            gw_export_json(&export->body, &tasks[i], now_us);
    }
    if (count < PAGE || !base_buf_ok(&export->body)) {
        tasks_done(export);
        return;
    }
    export->query.after = TASK_AFTER_CHANGE;
    export->query.after_us = tasks[count - 1].updated_us;
    export->query.after_id = tasks[count - 1].id;
    base_arena_reset(&export->arena);
    task_store_find(export->call->worker->store, &export->query, &export->arena, on_tasks, export);
}

static void begin(struct export *export)
{
    struct base_buf *buf = &export->body;
    if (export->ical) {
        gw_ical_begin(buf);
        return;
    }
    base_json_open(buf, '{');
    base_json_kv_str(buf, "format", SV("todo-chatbot/1"));
    base_json_kv_str(buf, "user", export->user->id);
    base_json_kv_time(buf, "exported_at", gw_now_us(export->call->worker));
    base_json_key(buf, "settings");
    gw_me_json(buf, export->user);
    base_json_key(buf, "tasks");
    base_json_open(buf, '[');
}

static void on_user(void *ctx, enum base_err err)
{
    struct export *export = ctx;
    if (err == BASE_OK && gw_user_revoked(export->user, export->call->token_us))
        err = BASE_UNAUTHENTICATED;
    if (err != BASE_OK) {
        fail(export, err);
        return;
    }
    begin(export);
    task_store_find(export->call->worker->store, &export->query, &export->arena, on_tasks, export);
}

void gw_export(struct gw_call *call, bool ical, unsigned statuses)
{
    struct export *export = calloc(1, sizeof(*export));
    struct gw_user *user = gw_hub_user(call->worker->hub, call->user_id);
    struct gw_call *later = export && user ? gw_call_later(call) : NULL;
    if (!later) {
        if (!export || !user)
            gw_call_problem(call, BASE_NO_MEMORY, NULL, NULL);
        gw_user_unref(user);
        free(export);
        return;
    }
    *export = (struct export){.call = later, .user = user, .ical = ical};
    export->query = (struct task_query){
        .user_id = user->id, .statuses = statuses, .newest_first = true, .limit = PAGE};
    base_arena_init(&export->arena, ARENA_MAX);
    base_buf_init(&export->body, EXPORT_MAX);
    gw_user_read(user, SV_NULL, on_user, export);
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
