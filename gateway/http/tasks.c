/* SPDX-License-Identifier: Apache-2.0 */
/* The routes that change tasks: from headers and body to operations, and from a turn's reply to an
 * answer. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/http/change.h"
#include "lib/base/json.h"

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

/* What was made is said briefly where the client prefers so. */
static void answer_task(struct gw_call *call, int status, struct base_sv reply)
{
    char etag[32];
    char location[64];
    json_t *task = json_loadb(reply.ptr, reply.len, 0, NULL);
    const char *id = json_string_value(json_object_get(task, "id"));
    (void)snprintf(etag, sizeof(etag), "\"%" JSON_INTEGER_FORMAT "\"",
                   json_integer_value(json_object_get(task, "version")));
    (void)snprintf(location, sizeof(location), "/api/v1/tasks/%s", id ? id : "");
    struct net_header headers[3] = {{SV("ETag"), base_sv_from(etag)}};
    size_t count = 1;
    if (status == 201)
        headers[count++] = (struct net_header){SV("Location"), base_sv_from(location)};
    struct base_sv prefer = net_request_header(call->req, SV("prefer"));
    if (prefer.len && memmem(prefer.ptr, prefer.len, "return=minimal", 14)) {
        headers[count++] = (struct net_header){SV("Preference-Applied"), SV("return=minimal")};
        gw_call_json(call, status == 201 ? 201 : 204, SV_NULL, headers, count);
    } else {
        gw_call_json(call, status, reply, headers, count);
    }
    json_decref(task);
}

static void on_one(struct gw_turn *turn, enum base_err err, struct base_sv reply)
{
    struct gw_call *call = turn->answer_ctx;
    const struct gw_change *change = turn->plan_input;
    if (err != BASE_OK)
        gw_call_problem(call, err, turn->problem.field, turn->problem.text);
    else if (change->ops[0].kind->status == 204)
        gw_call_json(call, 204, SV_NULL, NULL, 0);
    else
        answer_task(call, change->ops[0].kind->status, reply);
    free(call);
}

static void on_batch(struct gw_turn *turn, enum base_err err, struct base_sv reply)
{
    struct gw_call *call = turn->answer_ctx;
    if (err != BASE_OK)
        gw_call_problem(call, err, turn->problem.field, turn->problem.text);
    else
        gw_call_json(call, 200, reply, NULL, 0);
    free(call);
}

/* A turn with room for the operations; NULL, and answered. */
static struct gw_turn *turn_for(struct gw_call *call, size_t count, bool batch)
{
    struct gw_turn *turn = gw_call_turn(call, &gw_change_plan, batch ? on_batch : on_one);
    struct gw_change *change = turn ? BASE_ARENA_NEW(&turn->input, struct gw_change) : NULL;
    if (!change) {
        if (turn) {
            gw_call_problem(turn->answer_ctx, BASE_NO_MEMORY, NULL, NULL);
            free(turn->answer_ctx);
            gw_turn_discard(turn);
        }
        return NULL;
    }
    change->ops = base_arena_array(&turn->input, count, sizeof(*change->ops));
    change->count = count;
    change->batch = batch;
    turn->plan_input = change;
    if (change->ops)
        return turn;
    turn->answer(turn, BASE_NO_MEMORY, SV_NULL);
    gw_turn_discard(turn);
    return NULL;
}

static void submit(struct gw_turn *turn, enum base_err err)
{
    if (err == BASE_OK) {
        gw_turn_submit(turn);
        return;
    }
    turn->answer(turn, err, SV_NULL);
    gw_turn_discard(turn);
}

/* What the path and headers say; answered if it is wrong. */
static bool read_op(struct gw_call *call, const struct gw_op_kind *kind, struct gw_op *ret_op)
{
    struct base_sv match = net_request_header(call->req, SV("if-match"));
    *ret_op = (struct gw_op){.kind = kind};
    if (!kind->creates && !base_id_parse(call->id, &ret_op->id)) {
        gw_call_problem(call, BASE_NOT_FOUND, NULL, "this is not the id of a task");
        return false;
    }
    if (kind->needs_match && !match.len) {
        gw_call_problem(call, BASE_PRECONDITION, NULL,
                        "send the task's version in If-Match, as its ETag has it");
        return false;
    }
    if (match.len && !base_sv_eq_c(match, "*") && !read_match(match, &ret_op->if_match)) {
        gw_call_problem(call, BASE_STALE, NULL, "If-Match is none of this task's ETags");
        return false;
    }
    return true;
}

static void change_one(struct gw_call *call, enum gw_op_name name)
{
    const struct gw_op_kind *kind = &gw_ops[name];
    struct gw_op op;
    if (!read_op(call, kind, &op))
        return;
    json_t *body =
        kind->read ? gw_call_object(call, kind->read != gw_ops[GW_OP_SNOOZE].read) : NULL;
    if (kind->read && !body)
        return;
    struct gw_turn *turn = turn_for(call, 1, false);
    if (turn) {
        struct gw_change *change = turn->plan_input;
        enum base_err err = BASE_OK;
        change->ops[0] = op;
        if (kind->read)
            err = kind->read(call, turn, body, &change->ops[0]);
        turn->problem = change->ops[0].problem;
        submit(turn, err);
    }
    json_decref(body);
}

void gw_http_tasks_create(struct gw_call *call)
{
    change_one(call, GW_OP_CREATE);
}

void gw_http_task_patch(struct gw_call *call)
{
    change_one(call, GW_OP_UPDATE);
}

void gw_http_task_delete(struct gw_call *call)
{
    change_one(call, GW_OP_DELETE);
}

void gw_http_task_complete(struct gw_call *call)
{
    change_one(call, GW_OP_COMPLETE);
}

void gw_http_task_reopen(struct gw_call *call)
{
    change_one(call, GW_OP_REOPEN);
}

void gw_http_task_skip(struct gw_call *call)
{
    change_one(call, GW_OP_SKIP);
}

void gw_http_task_snooze(struct gw_call *call)
{
    change_one(call, GW_OP_SNOOZE);
}

/* Batches: {"operations":[{"op":"update","id":…,"if_match":3,"task":{…}}, …]} */

static struct base_sv text_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return base_sv(json_string_value(value), json_string_length(value));
}

static enum base_err refuse(struct gw_op *op, const char *field, const char *text)
{
    op->problem = (struct task_problem){field, text};
    return BASE_UNPROCESSABLE;
}

static enum base_err read_item(struct gw_call *call, struct gw_turn *turn, json_t *item,
                               struct gw_op *op)
{
    const json_t *match = json_object_get(item, "if_match");
    json_t *body = json_object_get(item, "task");
    op->kind = gw_op_find(text_of(item, "op"));
    if (!op->kind) {
        op->kind = &gw_ops[GW_OP_UPDATE];
        return refuse(op, "op",
                      "op is one of create, update, delete, complete, reopen, skip, "
                      "snooze");
    }
    if (!op->kind->creates && !base_id_parse(text_of(item, "id"), &op->id))
        return refuse(op, "id", "this is not the id of a task");
    if (match && (!json_is_integer(match) || json_integer_value(match) < 1 ||
                  json_integer_value(match) > INT32_MAX))
        return refuse(op, "if_match", "if_match is the version of the task");
    op->if_match = op->kind->creates ? 0 : (int32_t)json_integer_value(match);
    if (!op->kind->read)
        return BASE_OK;
    if (op->kind->read == gw_ops[GW_OP_SNOOZE].read)
        body = item;
    return json_is_object(body) ? op->kind->read(call, turn, body, op)
                                : refuse(op, "task", "task is an object with the task's fields");
}

void gw_http_tasks_batch(struct gw_call *call)
{
    json_t *body = gw_call_object(call, true);
    if (!body)
        return;
    const json_t *list = json_object_get(body, "operations");
    size_t count = json_array_size(list);
    struct gw_turn *turn = NULL;
    if (count == 0 || count > GW_BATCH_MAX)
        gw_call_problem(call, BASE_UNPROCESSABLE, "operations",
                        "\"operations\" is an array of 1 to 100 operations");
    else
        turn = turn_for(call, count, true);
    if (turn) {
        struct gw_change *change = turn->plan_input;
        for (size_t i = 0; i < change->count; i++)
            change->ops[i].refused =
                read_item(call, turn, json_array_get(list, i), &change->ops[i]);
        gw_turn_submit(turn);
    }
    json_decref(body);
}

/* Undo: the dialogue's own, answered as the API answers. */

static void on_undone(struct gw_turn *turn, enum base_err err, struct base_sv reply)
{
    struct gw_call *call = turn->answer_ctx;
    json_t *said = err == BASE_OK ? json_loadb(reply.ptr, reply.len, 0, NULL) : NULL;
    json_t *one = json_object_get(said, "task");
    json_t *many = json_object_get(said, "tasks");
    if (err != BASE_OK) {
        gw_call_problem(call, err, turn->problem.field, turn->problem.text);
    } else if (!one && json_array_size(many) == 0) {
        gw_call_problem(call, BASE_CONFLICT, NULL,
                        json_string_value(json_object_get(said, "text")));
    } else {
        json_t *answer =
            one ? json_pack("{s:s*,s:[O]}", "text",
                            json_string_value(json_object_get(said, "text")), "tasks", one)
                : json_pack("{s:s*,s:O}", "text", json_string_value(json_object_get(said, "text")),
                            "tasks", many);
        char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
        if (text)
            gw_call_json(call, 200, base_sv_from(text), NULL, 0);
        else
            gw_call_problem(call, BASE_NO_MEMORY, NULL, NULL);
        free(text);
        json_decref(answer);
    }
    json_decref(said);
    free(call);
}

void gw_http_undo(struct gw_call *call)
{
    struct gw_turn *turn = gw_call_turn(call, &gw_chat_plan, on_undone);
    if (!turn)
        return;
    turn->action.verb = GW_UNDO;
    gw_turn_submit(turn);
}
