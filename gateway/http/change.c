/* SPDX-License-Identifier: Apache-2.0 */
/* The operations, and the plan that does one or many of them. */
#include "gateway/http/change.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/http/body.h"
#include "lib/base/json.h"

enum { KEY_MAX = 64, SNOOZE_DEFAULT_MIN = 10, SNOOZE_MAX_MIN = 525600 };

static enum base_err act_create(const struct task_context *ctx, const struct task *task,
                                const struct gw_op *op, struct task_change *ret_change,
                                struct task_problem *ret_problem)
{
    (void)task;
    return task_create(ctx, &op->patch, ret_change, ret_problem);
}

static enum base_err act_update(const struct task_context *ctx, const struct task *task,
                                const struct gw_op *op, struct task_change *ret_change,
                                struct task_problem *ret_problem)
{
    return task_update(ctx, task, &op->patch, ret_change, ret_problem);
}

static enum base_err act_snooze(const struct task_context *ctx, const struct task *task,
                                const struct gw_op *op, struct task_change *ret_change,
                                struct task_problem *ret_problem)
{
    return task_snooze(ctx, task, op->until_us, ret_change, ret_problem);
}

/* Those that take nothing but the task. */
#define ACT(name)                                                                                  \
    static enum base_err act_##name(const struct task_context *ctx, const struct task *task,       \
                                    const struct gw_op *op, struct task_change *ret_change,        \
                                    struct task_problem *ret_problem)                              \
    {                                                                                              \
        (void)op;                                                                                  \
        return task_##name(ctx, task, ret_change, ret_problem);                                    \
    }
ACT(delete)
ACT(complete)
ACT(reopen)
ACT(skip)

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

static enum base_err read_patch(struct gw_call *call, struct gw_turn *turn, json_t *body,
                                struct gw_op *op)
{
    (void)call;
    enum base_err err = gw_body_patch(body, &turn->input, &op->patch, &op->problem);
    if (err == BASE_OK && !keep_patch(turn, &op->patch))
        err = BASE_TOO_LARGE;
    return err;
}

static enum base_err read_snooze(struct gw_call *call, struct gw_turn *turn, json_t *body,
                                 struct gw_op *op)
{
    const json_t *until = json_object_get(body, "until");
    const json_t *minutes = json_object_get(body, "minutes");
    json_int_t wait = minutes ? json_integer_value(minutes) : SNOOZE_DEFAULT_MIN;
    bool ok = wait >= 1 && wait <= SNOOZE_MAX_MIN;
    (void)turn;
    op->until_us = gw_now_us(call->worker) + (ok ? (int64_t)wait * 60000000 : 0);
    if (until)
        ok = base_time_parse(base_sv(json_string_value(until), json_string_length(until)),
                             &op->until_us);
    if (ok)
        return BASE_OK;
    op->problem =
        (struct task_problem){until ? "until" : "minutes",
                              "say \"minutes\" (1 to 525600) or \"until\" (an RFC 3339 time)"};
    return BASE_UNPROCESSABLE;
}

const struct gw_op_kind gw_ops[GW_OP_COUNT] = {
    [GW_OP_CREATE] = {"create", "task.create", act_create, read_patch, true, false, 201},
    [GW_OP_UPDATE] = {"update", "task.update", act_update, read_patch, false, true, 200},
    [GW_OP_DELETE] = {"delete", "task.delete", act_delete, NULL, false, true, 204},
    [GW_OP_COMPLETE] = {"complete", "task.complete", act_complete, NULL, false, false, 200},
    [GW_OP_REOPEN] = {"reopen", "task.update", act_reopen, NULL, false, false, 200},
    [GW_OP_SKIP] = {"skip", "occurrence.skip", act_skip, NULL, false, false, 200},
    [GW_OP_SNOOZE] = {"snooze", "reminder.snooze", act_snooze, read_snooze, false, false, 200},
};

const struct gw_op_kind *gw_op_find(struct base_sv name)
{
    for (size_t i = 0; i < GW_OP_COUNT; i++)
        if (base_sv_eq_c(name, gw_ops[i].name))
            return &gw_ops[i];
    return NULL;
}

/* The plan. */

static enum gw_step fail(struct gw_turn *turn, enum base_err err)
{
    turn->failure = err;
    return GW_ANSWERED;
}

/* {"status":200,"task":{…}} or {"status":404,"problem":{…}} */
static void result_json(struct base_buf *buf, const struct gw_op *op, int64_t now_us)
{
    int status = op->err == BASE_OK ? op->kind->status : base_err_http(op->err);
    base_json_open(buf, '{');
    base_json_kv_int(buf, "status", status);
    if (op->err != BASE_OK) {
        base_json_key(buf, "problem");
        gw_problem_json(buf, op->err, op->problem.field, op->problem.text);
    } else if (status != 204) {
        base_json_key(buf, "task");
        task_json(buf, op->change->after, now_us);
    }
    base_json_close(buf, '}');
}

static void reply_json(struct gw_turn *turn, const struct gw_change *change)
{
    if (!change->batch) {
        task_json(&turn->reply, turn->changes[0].after, turn->ctx.now_us);
        return;
    }
    base_json_open(&turn->reply, '{');
    base_json_key(&turn->reply, "results");
    base_json_open(&turn->reply, '[');
    for (size_t i = 0; i < change->count; i++)
        result_json(&turn->reply, &change->ops[i], turn->ctx.now_us);
    base_json_close(&turn->reply, ']');
    base_json_close(&turn->reply, '}');
}

static const struct task *find_task(const struct task *tasks, size_t count, struct base_id id)
{
    for (size_t i = 0; i < count; i++)
        if (base_id_eq(tasks[i].id, id))
            return &tasks[i];
    return NULL;
}

/* A batch commits all its changes at once, so a task can be in it only once. */
static bool comes_again(const struct gw_change *change, size_t at)
{
    const struct gw_op *op = &change->ops[at];
    for (size_t i = 0; i < at && !op->kind->creates; i++)
        if (!change->ops[i].kind->creates && base_id_eq(change->ops[i].id, op->id))
            return true;
    return false;
}

static enum base_err act(struct gw_turn *turn, const struct gw_change *change, size_t at,
                         const struct task *task, struct task_change *ret_change)
{
    struct gw_op *op = &change->ops[at];
    if (!op->kind->creates && !task) {
        op->problem = (struct task_problem){NULL, "there is no such task"};
        return BASE_NOT_FOUND;
    }
    if (task && op->if_match && op->if_match != task->version)
        return BASE_STALE;
    if (comes_again(change, at)) {
        op->problem = (struct task_problem){"id", "a batch has one operation for each task"};
        return BASE_CONFLICT;
    }
    return op->kind->act(&turn->ctx, task, op, ret_change, &op->problem);
}

static bool wants_parent(const struct gw_op *op)
{
    return op->refused == BASE_OK && (op->patch.set & TASK_F_PARENT) &&
           !base_id_is_null(op->patch.parent);
}

/* Subtasks have none of their own: so there is no ring of tasks, ever. */
static enum base_err check_parent(struct gw_op *op, const struct task *parent)
{
    if (parent && parent->status != TASK_DELETED && base_id_is_null(parent->parent))
        return BASE_OK;
    op->problem =
        (struct task_problem){"parent_id", parent && parent->status != TASK_DELETED
                                               ? "a subtask cannot have subtasks"
                                               : "there is no such task to be a subtask of"};
    return BASE_UNPROCESSABLE;
}

/* Every change over REST can be taken back in chat, and the other way round. */
static void remember(struct gw_turn *turn)
{
    struct gw_talk talk;
    if (gw_talk_parse(base_buf_sv(&turn->user->dialogue_state), &turn->work, &talk) != BASE_OK) {
        turn->failure = BASE_NO_MEMORY;
        return;
    }
    gw_talk_remember(&talk, &turn->work, turn->changes, turn->change_count);
    gw_turn_keep_talk(turn, &talk);
}

static enum gw_step change_all(struct gw_turn *turn, struct task *tasks, size_t count)
{
    struct gw_change *change = turn->plan_input;
    struct task_change *made = base_arena_array(&turn->work, change->count, sizeof(*made));
    if (!made)
        return fail(turn, BASE_NO_MEMORY);
    turn->changes = made;
    for (size_t i = 0; i < change->count; i++) {
        struct gw_op *op = &change->ops[i];
        struct task_change *next = &made[turn->change_count];
        op->err = op->refused;
        if (wants_parent(op))
            op->err = check_parent(op, find_task(tasks, count, op->patch.parent));
        if (op->err == BASE_OK)
            op->err = act(turn, change, i, find_task(tasks, count, op->id), next);
        if (op->err != BASE_OK)
            continue;
        op->change = next;
        turn->change_count++;
    }
    if (!change->batch && change->ops[0].err != BASE_OK) {
        turn->problem = change->ops[0].problem;
        return fail(turn, change->ops[0].err);
    }
    remember(turn);
    reply_json(turn, change);
    return GW_ANSWERED;
}

static enum gw_step begin(struct gw_turn *turn)
{
    struct gw_change *change = turn->plan_input;
    struct base_id *ids = base_arena_array(&turn->work, change->count * 2, sizeof(*ids));
    turn->query = BASE_ARENA_NEW(&turn->work, struct task_query);
    turn->intent = change->batch ? "task.batch" : change->ops[0].kind->intent;
    if (!ids || !turn->query)
        return fail(turn, BASE_NO_MEMORY);
    *turn->query =
        (struct task_query){.user_id = turn->user->id,
                            .statuses = TASK_QUERY_OPEN | TASK_QUERY_DONE | TASK_QUERY_DELETED,
                            .ids = ids,
                            .limit = GW_BATCH_MAX * 2};
    for (size_t i = 0; i < change->count; i++) {
        const struct gw_op *op = &change->ops[i];
        if (op->refused == BASE_OK && !op->kind->creates)
            ids[turn->query->id_count++] = op->id;
        if (wants_parent(op))
            ids[turn->query->id_count++] = op->patch.parent;
    }
    return turn->query->id_count ? GW_FIND : change_all(turn, NULL, 0);
}

const struct gw_plan gw_change_plan = {.begin = begin, .found = change_all};

/* From a call to its turn. */

static bool key_valid(struct base_sv key)
{
    for (size_t i = 0; i < key.len; i++)
        if (key.ptr[i] < ' ' || key.ptr[i] > '~')
            return false;
    return key.len <= KEY_MAX;
}

static uint64_t hash_of(struct net_request *req)
{
    return gw_content_hash(net_request_method(req)) ^ gw_content_hash(net_request_path(req)) * 31 ^
           gw_content_hash(net_request_body(req)) ^
           gw_content_hash(net_request_header(req, SV("if-match"))) * 127;
}

struct gw_turn *gw_call_turn(struct gw_call *call, const struct gw_plan *plan,
                             void (*answer)(struct gw_turn *turn, enum base_err err,
                                            struct base_sv reply))
{
    char id[BASE_ID_TEXT + 1];
    struct base_sv key = net_request_header(call->req, SV("idempotency-key"));
    struct base_sv traceparent = net_request_header(call->req, SV("traceparent"));
    if (!key_valid(key)) {
        gw_call_problem(call, BASE_INVALID, NULL,
                        "Idempotency-Key must be at most 64 printable ASCII characters");
        return NULL;
    }
    struct gw_user *user = gw_hub_user(call->worker->hub, call->user_id);
    struct gw_turn *turn = user ? gw_turn_new(call->worker, user, plan) : NULL;
    gw_user_unref(user);
    if (!turn) {
        gw_call_problem(call, BASE_NO_MEMORY, NULL, NULL);
        return NULL;
    }
    base_id_text(base_id_new(gw_now_us(call->worker)), id);
    turn->channel = TASK_CHANNEL_REST;
    turn->device = SV(":rest");
    turn->client_id = gw_turn_keep(turn, key.len ? key : base_sv_from(id));
    turn->at_us = gw_now_us(call->worker);
    gw_turn_trace(turn, traceparent);
    turn->hash = hash_of(call->req);
    turn->answer = answer;
    turn->token_us = call->token_us;
    turn->answer_ctx = gw_call_later(call);
    if (turn->answer_ctx)
        return turn;
    gw_turn_discard(turn);
    return NULL;
}

json_t *gw_call_object(struct gw_call *call, bool required)
{
    char why[256];
    json_error_t error;
    struct base_sv body = net_request_body(call->req);
    struct base_sv type = net_request_header(call->req, SV("content-type"));
    if (body.len == 0 && !required)
        return json_object();
    if (type.len && !memmem(type.ptr, type.len, "json", 4)) {
        gw_call_problem(call, BASE_MEDIA_TYPE, NULL, "send the body as application/json");
        return NULL;
    }
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
