/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks over REST: changing them. Every change is a turn like a chat line, so that it has its place
 * in the user's order, its idempotency key and its undo.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/http/body.h"
#include "gateway/http/router.h"
#include "gateway/turn/turn.h"
#include "lib/base/json.h"
#include "lib/base/utf8.h"

enum { KEY_MAX = 64, BODY_MAX = 1024 * 1024, SNOOZE_DEFAULT_S = 600 };

struct change {
    const struct verb *verb;
    struct base_id id;
    int32_t if_match; /* 0: none was given */
    struct task_patch patch;
    int64_t until_us; /* snooze */
};

struct verb {
    const char *intent;
    enum base_err (*act)(const struct task_context *ctx, const struct task *task,
                         const struct change *change, struct task_change *ret_change,
                         struct task_problem *ret_problem);
    bool creates;
    bool needs_match;
    int status;
};

static enum base_err act_create(const struct task_context *ctx, const struct task *task,
                                const struct change *change, struct task_change *ret_change,
                                struct task_problem *ret_problem)
{
    (void)task;
    return task_create(ctx, &change->patch, ret_change, ret_problem);
}

static enum base_err act_update(const struct task_context *ctx, const struct task *task,
                                const struct change *change, struct task_change *ret_change,
                                struct task_problem *ret_problem)
{
    return task_update(ctx, task, &change->patch, ret_change, ret_problem);
}

static enum base_err act_delete(const struct task_context *ctx, const struct task *task,
                                const struct change *change, struct task_change *ret_change,
                                struct task_problem *ret_problem)
{
    (void)change;
    return task_delete(ctx, task, ret_change, ret_problem);
}

static enum base_err act_complete(const struct task_context *ctx, const struct task *task,
                                  const struct change *change, struct task_change *ret_change,
                                  struct task_problem *ret_problem)
{
    (void)change;
    return task_complete(ctx, task, ret_change, ret_problem);
}

static enum base_err act_reopen(const struct task_context *ctx, const struct task *task,
                                const struct change *change, struct task_change *ret_change,
                                struct task_problem *ret_problem)
{
    (void)change;
    return task_reopen(ctx, task, ret_change, ret_problem);
}

static enum base_err act_skip(const struct task_context *ctx, const struct task *task,
                              const struct change *change, struct task_change *ret_change,
                              struct task_problem *ret_problem)
{
    (void)change;
    return task_skip(ctx, task, ret_change, ret_problem);
}

static enum base_err act_snooze(const struct task_context *ctx, const struct task *task,
                                const struct change *change, struct task_change *ret_change,
                                struct task_problem *ret_problem)
{
    return task_snooze(ctx, task, change->until_us, ret_change, ret_problem);
}

static const struct verb create_verb = {"task.create", act_create, true, false, 201};
static const struct verb update_verb = {"task.update", act_update, false, true, 200};
static const struct verb delete_verb = {"task.delete", act_delete, false, true, 204};
static const struct verb complete_verb = {"task.complete", act_complete, false, false, 200};
static const struct verb reopen_verb = {"task.update", act_reopen, false, false, 200};
static const struct verb skip_verb = {"occurrence.skip", act_skip, false, false, 200};
static const struct verb snooze_verb = {"reminder.snooze", act_snooze, false, false, 200};

static enum gw_step fail(struct gw_turn *turn, enum base_err err)
{
    turn->failure = err;
    return GW_ANSWERED;
}

static enum gw_step act(struct gw_turn *turn, const struct task *task)
{
    const struct change *change = turn->plan_input;
    struct task_change *made = BASE_ARENA_NEW(&turn->work, struct task_change);
    if (!made)
        return fail(turn, BASE_NO_MEMORY);
    enum base_err err = change->verb->act(&turn->ctx, task, change, made, &turn->problem);
    if (err != BASE_OK)
        return fail(turn, err);
    turn->changes = made;
    turn->change_count = 1;
    task_json(&turn->reply, made->after, turn->ctx.now_us);
    return GW_ANSWERED;
}

static enum gw_step begin(struct gw_turn *turn)
{
    const struct change *change = turn->plan_input;
    turn->intent = change->verb->intent;
    turn->keep_dialogue = true;
    if (change->verb->creates)
        return act(turn, NULL);
    turn->query = BASE_ARENA_NEW(&turn->work, struct task_query);
    if (!turn->query)
        return fail(turn, BASE_NO_MEMORY);
    *turn->query =
        (struct task_query){.user_id = turn->user->id,
                            .statuses = TASK_QUERY_OPEN | TASK_QUERY_DONE | TASK_QUERY_DELETED,
                            .ids = &change->id,
                            .id_count = 1,
                            .limit = 1};
    return GW_FIND;
}

static enum gw_step found(struct gw_turn *turn, struct task *tasks, size_t count)
{
    const struct change *change = turn->plan_input;
    if (count == 0)
        return fail(turn, BASE_NOT_FOUND);
    if (change->if_match && change->if_match != tasks[0].version)
        return fail(turn, BASE_STALE);
    return act(turn, &tasks[0]);
}

static const struct gw_plan change_plan = {.begin = begin, .found = found};

static int64_t version_of(struct base_sv reply)
{
    json_t *task = json_loadb(reply.ptr, reply.len, 0, NULL);
    int64_t version = json_integer_value(json_object_get(task, "version"));
    json_decref(task);
    return version;
}

static void on_answer(struct gw_turn *turn, enum base_err err, struct base_sv reply)
{
    struct gw_call *call = turn->answer_ctx;
    const struct change *change = turn->plan_input;
    if (err != BASE_OK) {
        gw_call_problem(call, err, turn->problem.field, turn->problem.text);
    } else if (change->verb->status == 204) {
        gw_call_json(call, 204, SV_NULL, NULL, 0);
    } else {
        char etag[32];
        (void)snprintf(etag, sizeof(etag), "\"%" PRId64 "\"", version_of(reply));
        const struct net_header header = {SV("ETag"), base_sv_from(etag)};
        gw_call_json(call, change->verb->status, reply, &header, 1);
    }
    free(call);
}

/* If-Match: "7" — the version as the ETag had it. */
static bool read_match(struct base_sv text, int32_t *ret_version)
{
    int64_t version;
    if (text.len < 3 || text.ptr[0] != '"' || text.ptr[text.len - 1] != '"' ||
        !base_sv_int64(base_sv_sub(text, 1, text.len - 1), &version) || version < 1 ||
        version > INT32_MAX)
        return false;
    *ret_version = (int32_t)version;
    return true;
}

static bool key_valid(struct base_sv key)
{
    for (size_t i = 0; i < key.len; i++)
        if (key.ptr[i] < ' ' || key.ptr[i] > '~')
            return false;
    return key.len <= KEY_MAX;
}

/* NULL, and answered, if a header is wrong. */
static struct gw_turn *new_turn(struct gw_call *call, const struct verb *verb)
{
    char id[BASE_ID_TEXT + 1];
    struct base_sv match = net_request_header(call->req, SV("if-match"));
    struct base_sv key = net_request_header(call->req, SV("idempotency-key"));
    struct base_trace parent;
    struct change given = {.verb = verb};
    if (!verb->creates && !base_id_parse(call->id, &given.id)) {
        gw_call_problem(call, BASE_NOT_FOUND, NULL, "this is not the id of a task");
        return NULL;
    }
    if (verb->needs_match && !match.len) {
        gw_call_problem(call, BASE_PRECONDITION, NULL,
                        "send the task's version in If-Match, as its ETag has it");
        return NULL;
    }
    if (match.len && !base_sv_eq_c(match, "*") && !read_match(match, &given.if_match)) {
        gw_call_problem(call, BASE_STALE, NULL, "If-Match is none of this task's ETags");
        return NULL;
    }
    if (!key_valid(key)) {
        gw_call_problem(call, BASE_INVALID, NULL,
                        "Idempotency-Key must be at most 64 printable ASCII characters");
        return NULL;
    }
    struct gw_user *user = gw_hub_user(call->worker->hub, call->user_id);
    struct gw_turn *turn = user ? gw_turn_new(call->worker, user, &change_plan) : NULL;
    gw_user_unref(user);
    struct change *change = turn ? BASE_ARENA_NEW(&turn->input, struct change) : NULL;
    if (!change) {
        if (turn)
            gw_turn_discard(turn);
        gw_call_problem(call, BASE_NO_MEMORY, NULL, NULL);
        return NULL;
    }
    *change = given;
    base_id_text(base_id_new(gw_now_us(call->worker)), id);
    turn->channel = TASK_CHANNEL_REST;
    turn->device = SV(":rest");
    turn->client_id = gw_turn_keep(turn, key.len ? key : base_sv_from(id));
    turn->at_us = gw_now_us(call->worker);
    turn->plan_input = change;
    struct base_sv traceparent = net_request_header(call->req, SV("traceparent"));
    turn->trace =
        base_trace_parse(traceparent, &parent) ? base_trace_child(&parent) : base_trace_new();
    turn->hash = gw_content_hash(net_request_method(call->req)) ^
                 gw_content_hash(net_request_path(call->req)) * 31 ^
                 gw_content_hash(net_request_body(call->req));
    turn->answer = on_answer;
    turn->token_us = call->token_us;
    turn->answer_ctx = gw_call_later(call);
    if (turn->answer_ctx)
        return turn;
    gw_turn_discard(turn);
    return NULL;
}

/* The body as a JSON object; answered if it is none. Without a body: an empty object, where
 * allowed. */
static json_t *read_body(struct gw_call *call, bool required)
{
    char why[256];
    json_error_t error;
    struct base_sv body = net_request_body(call->req);
    if (body.len == 0 && !required)
        return json_object();
    json_t *root = json_loadb(body.ptr ? body.ptr : "", body.len, JSON_REJECT_DUPLICATES, &error);
    if (json_is_object(root))
        return root;
    (void)snprintf(why, sizeof(why),
                   root ? "the body must be a JSON object"
                        : "the body is not JSON: %s (line %d, column %d)",
                   error.text, error.line, error.column);
    json_decref(root);
    gw_call_problem(call, BASE_MALFORMED, NULL, why);
    return NULL;
}

/* Everything a patch points at is copied into the turn: the body ends with this call. */
static bool keep_patch(struct gw_turn *turn, struct task_patch *patch)
{
    struct base_sv *texts[] = {&patch->title, &patch->notes, &patch->project, &patch->due.zone,
                               &patch->recurrence};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i]->len)
            *texts[i] = gw_turn_keep(turn, *texts[i]);
        if (texts[i]->len && !texts[i]->ptr)
            return false;
    }
    for (size_t i = 0; i < patch->tag_count; i++) {
        patch->tags[i] = gw_turn_keep(turn, patch->tags[i]);
        if (!patch->tags[i].ptr)
            return false;
    }
    return true;
}

static void change_with_body(struct gw_call *call, const struct verb *verb)
{
    json_t *body = read_body(call, true);
    struct gw_turn *turn = body ? new_turn(call, verb) : NULL;
    if (turn) {
        struct change *change = turn->plan_input;
        enum base_err err = gw_body_patch(body, &turn->input, &change->patch, &turn->problem);
        if (err == BASE_OK && !keep_patch(turn, &change->patch))
            err = BASE_TOO_LARGE;
        if (err == BASE_OK) {
            gw_turn_submit(turn);
        } else {
            turn->answer(turn, err, SV_NULL);
            gw_turn_discard(turn);
        }
    }
    json_decref(body);
}

static void change_without_body(struct gw_call *call, const struct verb *verb)
{
    struct gw_turn *turn = new_turn(call, verb);
    if (turn)
        gw_turn_submit(turn);
}

void gw_http_tasks_create(struct gw_call *call)
{
    change_with_body(call, &create_verb);
}

void gw_http_task_patch(struct gw_call *call)
{
    change_with_body(call, &update_verb);
}

void gw_http_task_delete(struct gw_call *call)
{
    change_without_body(call, &delete_verb);
}

void gw_http_task_complete(struct gw_call *call)
{
    change_without_body(call, &complete_verb);
}

void gw_http_task_reopen(struct gw_call *call)
{
    change_without_body(call, &reopen_verb);
}

void gw_http_task_skip(struct gw_call *call)
{
    change_without_body(call, &skip_verb);
}

void gw_http_task_snooze(struct gw_call *call)
{
    json_t *body = read_body(call, false);
    if (!body)
        return;
    const json_t *until = json_object_get(body, "until");
    const json_t *minutes = json_object_get(body, "minutes");
    json_int_t wait = minutes ? json_integer_value(minutes) : SNOOZE_DEFAULT_S / 60;
    bool ok = wait >= 1 && wait <= 525600;
    int64_t until_us = gw_now_us(call->worker) + (ok ? (int64_t)wait * 60000000 : 0);
    if (until)
        ok = base_time_parse(base_sv(json_string_value(until), json_string_length(until)),
                             &until_us);
    struct gw_turn *turn = ok ? new_turn(call, &snooze_verb) : NULL;
    if (!ok)
        gw_call_problem(call, BASE_UNPROCESSABLE, until ? "until" : "minutes",
                        "say \"minutes\" (1 to 525600) or \"until\" (an RFC 3339 time)");
    if (turn) {
        ((struct change *)turn->plan_input)->until_us = until_us;
        gw_turn_submit(turn);
    }
    json_decref(body);
}
