/* SPDX-License-Identifier: Apache-2.0 */
/* Chat lines and actions: the dialogue as a plan. */
#include "gateway/rules.h"
#include "gateway/turn/turn.h"

uint64_t gw_content_hash(struct base_sv content)
{
    return base_sv_hash(content, 0x746f646f);
}

void gw_turn_keep_talk(struct gw_turn *turn, struct gw_talk *talk)
{
    struct base_buf state;
    base_buf_init(&state, GW_STATE_MAX);
    gw_talk_format(&state, talk);
    while (!base_buf_ok(&state) && gw_talk_forget_oldest(talk)) {
        base_buf_reset(&state);
        gw_talk_format(&state, talk);
    }
    turn->keep_dialogue = base_sv_eq(base_buf_sv(&state), base_buf_sv(&turn->user->dialogue_state));
    turn->dialogue_state = base_arena_sv(&turn->work, base_buf_sv(&state));
    if (!base_buf_ok(&state) || !turn->dialogue_state.ptr)
        turn->failure = BASE_NO_MEMORY;
    base_buf_done(&state);
}

static enum gw_step next_of(struct gw_turn *turn, enum gw_step step)
{
    struct gw_dialogue *d = turn->plan_state;
    if (step == GW_FIND) {
        turn->query = &d->query;
        return step;
    }
    if (step == GW_WAS) {
        turn->versions = d->versions;
        turn->version_count = d->version_count;
        return step;
    }
    if (step == GW_RECEIPTS) {
        turn->receipts_of = d->receipts_of;
        return step;
    }
    if (step == GW_SET) {
        turn->setting = &d->setting;
        return step;
    }
    turn->intent = d->reply.intent;
    turn->failure = d->failure;
    turn->problem = d->problem;
    if (turn->failure != BASE_OK)
        return GW_ANSWERED;
    turn->changes = d->changes;
    turn->change_count = d->change_count;
    if (!d->undone)
        gw_talk_remember(&d->talk, d->arena, d->changes, d->change_count);
    gw_dialogue_reply_json(d, turn->client_id, &turn->reply);
    gw_turn_keep_talk(turn, &d->talk);
    return GW_ANSWERED;
}

static enum gw_step begin(struct gw_turn *turn)
{
    struct gw_dialogue *d = BASE_ARENA_NEW(&turn->work, struct gw_dialogue);
    turn->plan_state = d;
    if (!d ||
        gw_talk_parse(base_buf_sv(&turn->user->dialogue_state), &turn->work, &d->talk) != BASE_OK) {
        turn->failure = BASE_NO_MEMORY;
        return GW_ANSWERED;
    }
    d->arena = &turn->work;
    turn->parser = gw_parser_ref(turn->worker->parser);
    d->nlu = turn->parser->nlu;
    d->scratch = turn->parser->scratch;
    d->text = turn->text;
    d->action = turn->action;
    d->at_us = turn->at_us;
    d->zone = turn->zone;
    d->language = turn->language;
    d->ctx = turn->ctx;
    return next_of(turn, gw_dialogue_begin(d));
}

static enum gw_step found(struct gw_turn *turn, struct task *tasks, size_t count)
{
    return next_of(turn, gw_dialogue_found(turn->plan_state, tasks, count));
}

static enum gw_step receipts(struct gw_turn *turn, const struct task_receipt *receipts,
                             size_t count)
{
    return next_of(turn, gw_dialogue_receipts(turn->plan_state, receipts, count));
}

static enum gw_step set(struct gw_turn *turn)
{
    return next_of(turn, gw_dialogue_set(turn->plan_state));
}

static void done(struct gw_turn *turn)
{
    if (turn->plan_state)
        gw_dialogue_done(turn->plan_state);
    gw_parser_unref(turn->parser);
    turn->parser = NULL;
}

const struct gw_plan gw_chat_plan = {begin, found, receipts, set, done};
