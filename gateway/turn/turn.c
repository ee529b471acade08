/* SPDX-License-Identifier: Apache-2.0 */
/* The order of a turn: wait for one's place, read the user, plan, read tasks, commit, answer. */
#include "gateway/turn/turn.h"

#include <stdlib.h>

#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/otlp/otlp.h"

enum { INPUT_MAX = 256 * 1024, WORK_MAX = 8 * 1024 * 1024, REPLY_MAX = 1024 * 1024, TRIES = 8 };

static void attempt(struct gw_turn *turn);

struct gw_turn *gw_turn_new(struct gw_worker *worker, struct gw_user *user,
                            const struct gw_plan *plan)
{
    struct gw_turn *turn = calloc(1, sizeof(*turn));
    if (!turn)
        return NULL;
    turn->plan = plan;
    turn->worker = worker;
    turn->user = user;
    turn->received_us = base_monotonic_us();
    user->refs++;
    base_arena_init(&turn->input, INPUT_MAX);
    base_arena_init(&turn->work, WORK_MAX);
    base_buf_init(&turn->reply, REPLY_MAX);
    return turn;
}

struct base_sv gw_turn_keep(struct gw_turn *turn, struct base_sv text)
{
    return base_arena_sv(&turn->input, text);
}

void gw_turn_discard(struct gw_turn *turn)
{
    gw_user_unref(turn->user);
    base_arena_done(&turn->input);
    base_arena_done(&turn->work);
    base_buf_done(&turn->reply);
    free(turn);
}

void gw_turn_trace(struct gw_turn *turn, struct base_sv traceparent)
{
    struct base_trace caller;
    if (!base_trace_parse(traceparent, &caller)) {
        turn->trace = base_trace_new();
        return;
    }
    turn->trace = base_trace_child(&caller);
    memcpy(turn->caller_span, caller.span_id, sizeof(turn->caller_span));
}

static void begin_first(struct gw_user *user);

static void add_span(const struct gw_turn *turn, enum base_err err, int64_t took_us)
{
    int64_t now = gw_now_us(turn->worker);
    struct otlp_span span = {
        .name = "turn",
        .kind = OTLP_SERVER,
        .trace = turn->trace,
        .parent = turn->caller_span,
        .start_us = now - took_us,
        .end_us = now,
        .error = err == BASE_OK ? NULL : base_err_code(err),
        .attributes = {
            {.key = "todo.channel", .text = base_sv_from(task_channel_names[turn->channel])},
            {.key = "todo.intent", .text = base_sv_from(turn->intent ? turn->intent : "")},
            {.key = "todo.changes", .number = (int64_t)turn->change_count}}};
    otlp_add(turn->worker->spans, &span);
}

static void report(const struct gw_turn *turn, enum base_err err)
{
    int64_t took_us = base_monotonic_us() - turn->received_us;
    base_metric_observe_us(BASE_M_TURN_SECONDS, turn->channel, took_us);
    base_metric_add(BASE_M_TURNS, err, 1);
    if (turn->worker->spans)
        add_span(turn, err, took_us);
    LOG_INFO("turn.done", LOG_SV("user", turn->user->id), LOG_SV("device", turn->device),
             LOG_SV("id", turn->client_id), LOG_STR("intent", turn->intent ? turn->intent : ""),
             LOG_STR("result", base_err_code(err)), LOG_INT("changes", turn->change_count),
             LOG_INT("tries", turn->tries), LOG_INT("micros", took_us), LOG_TRACE(&turn->trace));
}

static void end(struct gw_turn *turn, enum base_err err, struct base_sv reply)
{
    struct gw_user *user = turn->user;
    report(turn, err);
    turn->answer(turn, err, reply);
    if (turn->plan->done && turn->tries)
        turn->plan->done(turn);
    user->first_turn = turn->next;
    if (!user->first_turn)
        user->last_turn = &user->first_turn;
    user->turn_count--;
    turn->worker->turns--;
    user->refs++;
    gw_turn_discard(turn);
    begin_first(user);
    gw_user_unref(user);
}

static void again(struct gw_turn *turn);

static void on_committed(void *ctx, enum base_err err, struct base_sv stored)
{
    struct gw_turn *turn = ctx;
    if (err == BASE_STALE) {
        again(turn);
        return;
    }
    if (err == BASE_OK && !stored.len && !turn->keep_dialogue) {
        turn->user->dialogue_version++;
        base_buf_reset(&turn->user->dialogue_state);
        base_buf_add(&turn->user->dialogue_state, turn->dialogue_state);
    }
    end(turn, err, stored.len ? stored : base_buf_sv(&turn->reply));
}

static void chat_turn_event(struct gw_turn *turn, struct task_event_row *ret_event)
{
    struct base_buf buf;
    base_buf_init(&buf, REPLY_MAX);
    task_event_begin(&buf, &(struct task_event_head){.type = TASK_EVENT_CHAT_TURN,
                                                     .id = base_id_new(turn->ctx.now_us),
                                                     .user_id = turn->user->id,
                                                     .time_us = turn->ctx.now_us,
                                                     .trace = &turn->trace});
    base_json_open(&buf, '{');
    base_json_kv_str(&buf, "device", turn->device);
    base_json_kv_str(&buf, "id", turn->client_id);
    base_json_kv_time(&buf, "at", turn->at_us);
    base_json_kv_str(&buf, "text", turn->text);
    base_json_kv_raw(&buf, "reply", base_buf_sv(&turn->reply));
    base_json_close(&buf, '}');
    task_event_end(&buf);
    ret_event->type = TASK_EVENT_CHAT_TURN;
    ret_event->payload =
        base_buf_ok(&buf) ? base_arena_sv(&turn->work, base_buf_sv(&buf)) : SV_NULL;
    base_buf_done(&buf);
}

static void commit(struct gw_turn *turn)
{
    struct task_event_row *event = NULL;
    if (turn->failure != BASE_OK || !base_buf_ok(&turn->reply)) {
        end(turn, turn->failure ? turn->failure : BASE_TOO_LARGE, SV_NULL);
        return;
    }
    if (turn->channel != TASK_CHANNEL_REST) {
        event = BASE_ARENA_NEW(&turn->work, struct task_event_row);
        if (event)
            chat_turn_event(turn, event);
        if (!event || !event->payload.ptr) {
            end(turn, BASE_NO_MEMORY, SV_NULL);
            return;
        }
    }
    turn->row = (struct task_turn){
        .user_id = turn->user->id,
        .device = turn->device,
        .client_id = turn->client_id,
        .hash = turn->hash,
        .channel = turn->channel,
        .at_us = turn->at_us,
        .text = turn->text,
        .reply = base_buf_sv(&turn->reply),
        .changes = turn->changes,
        .change_count = turn->change_count,
        .events = event,
        .event_count = event ? 1 : 0,
        .dialogue_version = turn->keep_dialogue ? -1 : turn->user->dialogue_version,
        .dialogue_state = turn->dialogue_state,
    };
    task_store_commit(turn->worker->store, &turn->row, on_committed, turn);
}

static void step(struct gw_turn *turn, enum gw_step next);

static void on_tasks(void *ctx, enum base_err err, struct task *tasks, size_t count)
{
    struct gw_turn *turn = ctx;
    if (err != BASE_OK)
        end(turn, err, SV_NULL);
    else
        step(turn, turn->plan->found(turn, tasks, count));
}

static void on_receipts(void *ctx, enum base_err err, const struct task_receipt *receipts,
                        size_t count)
{
    struct gw_turn *turn = ctx;
    if (err != BASE_OK)
        end(turn, err, SV_NULL);
    else
        step(turn, turn->plan->receipts(turn, receipts, count));
}

/* A setting is the same however often it is set: the turn itself is committed behind it. */
static void on_set(void *ctx, enum base_err err)
{
    struct gw_turn *turn = ctx;
    turn->user->loaded = false;
    if (err != BASE_OK)
        end(turn, err, SV_NULL);
    else
        step(turn, turn->plan->set(turn));
}

static void step(struct gw_turn *turn, enum gw_step next)
{
    struct task_store *store = turn->worker->store;
    switch (next) {
    case GW_ANSWERED:
        commit(turn);
        break;
    case GW_FIND:
        task_store_find(store, turn->query, &turn->work, on_tasks, turn);
        break;
    case GW_WAS:
        task_store_was(store, turn->user->id, turn->versions, turn->version_count, &turn->work,
                       on_tasks, turn);
        break;
    case GW_SET:
        task_store_set_user(store, turn->user->id, turn->setting, on_set, turn);
        break;
    case GW_RECEIPTS:
        task_store_receipts(store, turn->user->id, turn->receipts_of, &turn->work, on_receipts,
                            turn);
        break;
    }
}

static void attempt(struct gw_turn *turn)
{
    if (turn->channel == TASK_CHANNEL_REST && gw_user_revoked(turn->user, turn->token_us)) {
        end(turn, BASE_UNAUTHENTICATED, SV_NULL);
        return;
    }
    turn->tries++;
    if (!turn->zone)
        turn->zone = turn->user->settings.home;
    turn->ctx = (struct task_context){.user_id = turn->user->id,
                                      .now_us = gw_now_us(turn->worker),
                                      .settings = turn->user->settings,
                                      .trace = &turn->trace,
                                      .arena = &turn->work};
    step(turn, turn->plan->begin(turn));
}

static void on_user_read(void *ctx, enum base_err err)
{
    struct gw_turn *turn = ctx;
    if (err == BASE_OK)
        attempt(turn);
    else
        end(turn, err, SV_NULL);
}

/* What was seen is out of date: read the user anew and plan from the beginning. */
static void again(struct gw_turn *turn)
{
    if (turn->tries >= TRIES) {
        end(turn, BASE_CONFLICT, SV_NULL);
        return;
    }
    if (turn->plan->done)
        turn->plan->done(turn);
    base_arena_reset(&turn->work);
    base_buf_reset(&turn->reply);
    turn->changes = NULL;
    turn->change_count = 0;
    turn->plan_state = NULL;
    turn->user->dialogue_version = -1; /* whatever the database says is newer */
    turn->user->loaded = false;        /* and without it nothing may be built on the -1 */
    base_metric_inc(BASE_M_TURN_RETRIES);
    gw_user_read(turn->user, SV_NULL, on_user_read, turn);
}

static void begin_first(struct gw_user *user)
{
    struct gw_turn *turn = user->first_turn;
    if (!turn)
        return;
    if (gw_user_fresh(user))
        attempt(turn);
    else
        gw_user_read(user, SV_NULL, on_user_read, turn);
}

void gw_turn_submit(struct gw_turn *turn)
{
    struct gw_user *user = turn->user;
    if ((int64_t)user->turn_count >= turn->worker->shared->config->max_waiting) {
        report(turn, BASE_RATE_LIMITED);
        turn->answer(turn, BASE_RATE_LIMITED, SV_NULL);
        gw_turn_discard(turn);
        return;
    }
    turn->worker->turns++;
    *user->last_turn = turn;
    user->last_turn = &turn->next;
    if (user->turn_count++ == 0)
        begin_first(user);
}
