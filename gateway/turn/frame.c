/* SPDX-License-Identifier: Apache-2.0 */
/* Checking the client's commands; what is wrong is named, nothing happens then. */
#include "gateway/turn/frame.h"

#include <stdlib.h>

enum { SAID_BEFORE_S = 7 * 86400, SAID_AFTER_S = 300, MINUTES_MAX = 525600 };

static struct base_sv text_of(const json_t *value)
{
    return base_sv(json_string_value(value), json_string_length(value));
}

static struct base_sv field(const json_t *frame, const char *key)
{
    return text_of(json_object_get(frame, key));
}

struct base_sv gw_frame_id(const json_t *frame)
{
    struct base_sv id = field(frame, "id");
    return id.len <= GW_FRAME_ID_MAX ? id : SV_NULL;
}

static enum base_err wrong(const char **ret_why, const char *why)
{
    *ret_why = why;
    return BASE_INVALID;
}

static enum base_err read_message(const json_t *frame, struct gw_turn *turn, const char **ret_why)
{
    struct base_sv text = field(frame, "text");
    const json_t *at = json_object_get(frame, "at");
    int64_t said = turn->at_us;
    if (base_sv_trim(text).len == 0)
        return wrong(ret_why, "\"text\" must hold what you want to say");
    if (text.len > NLU_TEXT_MAX) {
        *ret_why = "\"text\" is longer than 4096 bytes";
        return BASE_TOO_LARGE;
    }
    if (at && !base_time_parse(text_of(at), &said))
        return wrong(ret_why, "\"at\" must be an RFC 3339 time such as 2026-11-24T09:00:00Z");
    bool believed = said >= turn->at_us - (int64_t)SAID_BEFORE_S * 1000000 &&
                    said <= turn->at_us + (int64_t)SAID_AFTER_S * 1000000;
    if (believed)
        turn->at_us = said;
    turn->channel = TASK_CHANNEL_CHAT;
    turn->text = gw_turn_keep(turn, text);
    turn->hash = gw_content_hash(text);
    return BASE_OK;
}

static enum base_err read_args(const json_t *args, struct gw_action *action, const char **ret_why)
{
    const json_t *minutes = json_object_get(args, "minutes");
    const json_t *until = json_object_get(args, "until");
    const json_t *task = json_object_get(args, "task");
    const json_t *yes = json_object_get(args, "yes");
    json_int_t wait = json_integer_value(minutes);
    if (args && !json_is_object(args))
        return wrong(ret_why, "\"args\" must be an object");
    if (minutes && (!json_is_integer(minutes) || wait < 1 || wait > MINUTES_MAX))
        return wrong(ret_why, "\"args.minutes\" must be a whole number from 1 to 525600");
    if (until && !base_time_parse(text_of(until), &action->until_us))
        return wrong(ret_why, "\"args.until\" must be an RFC 3339 time");
    if (task && !base_id_parse(text_of(task), &action->task))
        return wrong(ret_why, "\"args.task\" is not a task id");
    action->minutes = wait;
    action->yes = !yes || json_is_true(yes);
    return BASE_OK;
}

static enum base_err read_action(json_t *frame, struct gw_turn *turn, const char **ret_why)
{
    const json_t *task = json_object_get(frame, "task");
    struct gw_action action = {.verb = gw_verb_parse(field(frame, "action"))};
    if (action.verb == GW_NO_VERB)
        return wrong(
            ret_why,
            "\"action\" must be one of complete, reopen, skip, snooze, dismiss, delete, undo, "
            "confirm, choose");
    if (task && !json_is_null(task) && !base_id_parse(text_of(task), &action.task))
        return wrong(ret_why, "\"task\" is not a task id");
    enum base_err err = read_args(json_object_get(frame, "args"), &action, ret_why);
    if (err != BASE_OK)
        return err;
    bool needs_task = action.verb != GW_UNDO && action.verb != GW_CONFIRM;
    if (needs_task && base_id_is_null(action.task))
        return wrong(ret_why, "\"task\" must name the task");
    (void)json_object_del(frame, "traceparent"); /* a repeated frame may be traced anew */
    char *canonical = json_dumps(frame, JSON_COMPACT | JSON_SORT_KEYS);
    if (!canonical)
        return BASE_NO_MEMORY;
    turn->channel = TASK_CHANNEL_ACTION;
    turn->action = action;
    turn->text = SV("");
    turn->hash = gw_content_hash(base_sv_from(canonical));
    free(canonical);
    return BASE_OK;
}

enum base_err gw_frame_turn(struct gw_worker *worker, struct gw_user *user, struct base_sv device,
                            json_t *frame, struct gw_turn **ret_turn, const char **ret_why)
{
    struct base_sv type = field(frame, "type");
    if (!gw_frame_id(frame).len)
        return wrong(ret_why, GW_FRAME_ID_WRONG);
    struct gw_turn *turn = gw_turn_new(worker, user, &gw_chat_plan);
    if (!turn)
        return BASE_NO_MEMORY;
    turn->device = gw_turn_keep(turn, device);
    turn->client_id = gw_turn_keep(turn, gw_frame_id(frame));
    turn->at_us = gw_now_us(worker);
    gw_turn_trace(turn, field(frame, "traceparent"));
    enum base_err err = !turn->client_id.ptr || (device.len && !turn->device.ptr) ? BASE_NO_MEMORY
                        : base_sv_eq_c(type, "action") ? read_action(frame, turn, ret_why)
                        : base_sv_eq_c(type, "message")
                            ? read_message(frame, turn, ret_why)
                            : wrong(ret_why, "\"type\" must be message or action");
    if (err == BASE_OK)
        *ret_turn = turn;
    else
        gw_turn_discard(turn);
    return err;
}
