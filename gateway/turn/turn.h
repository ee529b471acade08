/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a turn: one chat line, action or API call of a user. A user's turns go one after another
 * in the order they came, so that "done" knows what "buy milk" made. A plan decides (without I/O)
 * what is to be read and then what is to change; the turn does the reads, commits, and answers
 * after the commit. When somebody else was faster (STALE), everything is thrown away and planned
 * anew.
 */
#ifndef GATEWAY_TURN_TURN_H
#define GATEWAY_TURN_TURN_H

#include "gateway/dialogue/dialogue.h"
#include "gateway/hub/hub.h"

struct gw_turn;

/*
 * Each function may use turn->work for memory. begin and found answer what to do next: GW_ANSWERED
 * when the changes and the reply stand, otherwise which read to do. A plan that failed sets
 * turn->failure instead.
 */
struct gw_plan {
    enum gw_step (*begin)(struct gw_turn *turn);
    enum gw_step (*found)(struct gw_turn *turn, struct task *tasks, size_t count);
    /* After GW_RECEIPTS and GW_SET; NULL for a plan that never asks for them. */
    enum gw_step (*receipts)(struct gw_turn *turn, const struct task_receipt *receipts,
                             size_t count);
    enum gw_step (*set)(struct gw_turn *turn);
    /* Frees what is not in the arena; after each try. May be NULL. */
    void (*done)(struct gw_turn *turn);
};

struct gw_turn {
    const struct gw_plan *plan;
    struct gw_worker *worker;
    struct gw_user *user;
    struct gw_turn *next;
    struct base_arena input; /* what the client sent; lives as long as the turn */
    struct base_arena work;  /* of one try */
    int tries;
    /* Given; views in input. */
    enum task_channel channel;
    struct base_sv device;
    struct base_sv client_id;
    struct base_sv text;
    uint64_t hash;
    int64_t at_us;
    int64_t received_us; /* monotonic */
    int64_t token_us;    /* when a REST call's token was issued; sessions watch over theirs */
    const struct time_zone *zone; /* NULL: the user's home */
    enum gw_language language;
    struct base_trace trace;
    uint8_t caller_span[8]; /* of the request it came with; zeros: none */
    struct gw_action action;
    void *plan_input; /* the plan's own, in input */
    /* Decided by the plan, in work. */
    struct task_context ctx;
    void *plan_state;
    struct gw_parser *parser; /* the one it began with */
    struct task_query *query;
    struct task_version *versions;
    size_t version_count;
    struct base_id receipts_of;
    const struct task_settings_patch *setting;
    const struct task_change *changes;
    size_t change_count;
    bool keep_dialogue; /* the conversation's memory stays as it is */
    struct base_sv dialogue_state;
    const char *intent;
    struct base_buf reply; /* what the client gets, and the transcript keeps */
    enum base_err failure; /* not to be committed: tell the client */
    struct task_problem problem;
    struct task_turn row;
    /* The answer: reply is this try's or, for a repeated command, the first one's. Called once; the
     * turn is freed behind it. */
    void (*answer)(struct gw_turn *turn, enum base_err err, struct base_sv reply);
    void *answer_ctx;
};

/* A turn for a user (takes a reference to it). NULL: out of memory. */
struct gw_turn *gw_turn_new(struct gw_worker *worker, struct gw_user *user,
                            const struct gw_plan *plan);
/* Goes on with the trace that the client named, or begins one. */
void gw_turn_trace(struct gw_turn *turn, struct base_sv traceparent);
/* Copies into turn->input; ptr NULL when that is full. */
struct base_sv gw_turn_keep(struct gw_turn *turn, struct base_sv text);
/* Throws a turn away that was never submitted. */
void gw_turn_discard(struct gw_turn *turn);
/* Takes the turn. RATE_LIMITED goes to answer at once when too many of the user's wait. */
void gw_turn_submit(struct gw_turn *turn);

/* chat.c: the plan of chat lines and actions. */
extern const struct gw_plan gw_chat_plan;
/* The conversation's memory is to be this when the turn is committed. */
void gw_turn_keep_talk(struct gw_turn *turn, struct gw_talk *talk);
/* The idempotency hash of a chat line or action frame's content. */
uint64_t gw_content_hash(struct base_sv content);

#endif
