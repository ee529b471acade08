/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dialogue joins understanding and tasks: it takes one turn (a chat line or an action), asks
 * for the tasks it needs, and leaves behind what is to change, what is to be said and what the
 * conversation remembers. It does no I/O and knows neither sockets nor the database; gateway/turn
 * runs it and commits what it decided. A turn whose view turned out to be stale is simply run again
 * from the beginning.
 */
#ifndef GATEWAY_DIALOGUE_DIALOGUE_H
#define GATEWAY_DIALOGUE_DIALOGUE_H

#include "gateway/dialogue/say.h"
#include "gateway/dialogue/talk.h"
#include "nlu/nlu.h"
#include "tasks/store/receipts.h"

enum { GW_CHANGES_MAX = 200, GW_SUGGESTIONS_MAX = 6, GW_REPLY_TASKS_MAX = 100 };

/* A quick reply: a line to be said, or an action on a task. */
struct gw_suggestion {
    struct base_sv label;
    struct base_sv text; /* or empty: */
    const char *action;
    struct base_id task;
    int64_t minutes; /* of a snooze; 0 = none */
};

struct gw_reply {
    const char *intent;
    struct base_buf text;
    struct task *tasks[GW_REPLY_TASKS_MAX]; /* as they are after the turn */
    size_t task_count;
    bool is_list; /* "tasks" even if it is one */
    struct gw_suggestion suggestions[GW_SUGGESTIONS_MAX];
    size_t suggestion_count;
};

/* An action frame: what a button says instead of words. */
enum gw_verb {
    GW_NO_VERB,
    GW_COMPLETE,
    GW_REOPEN,
    GW_SKIP,
    GW_SNOOZE,
    GW_DISMISS,
    GW_DELETE,
    GW_UNDO,
    GW_CONFIRM,
    GW_CHOOSE,
    GW_VERB_COUNT
};
/* GW_NO_VERB if there is none of that name. */
enum gw_verb gw_verb_parse(struct base_sv name);

struct gw_action {
    enum gw_verb verb;
    struct base_id task; /* null if not given */
    int64_t minutes;     /* snooze: for how long */
    int64_t until_us;    /* snooze: until when; 0 = not given */
    bool yes;            /* confirm */
};

/* What the dialogue wants to see before it goes on. */
enum gw_step { GW_ANSWERED, GW_FIND, GW_WAS, GW_RECEIPTS, GW_SET };

struct gw_dialogue {
    /* Given. */
    struct base_arena *arena;
    const struct nlu *nlu;
    struct nlu_scratch *scratch;
    struct base_sv text;          /* of a chat line */
    struct gw_action action;      /* verb GW_NO_VERB: a chat line */
    int64_t at_us;                /* when it was said: the understanding's reference */
    const struct time_zone *zone; /* the session's */
    enum gw_language language;
    struct task_context ctx;
    struct gw_talk talk;
    /* In between. */
    struct nlu_result understood; /* of a chat line */
    struct nlu_command command;   /* the one being worked on */
    const struct gw_handler *handler;
    bool confirmed; /* the user said yes to it */
    bool has_chosen;
    struct base_id chosen;         /* the target, when the user picked it */
    struct task_query query;       /* for GW_FIND */
    struct task_version *versions; /* for GW_WAS */
    size_t version_count;
    struct base_id receipts_of;         /* for GW_RECEIPTS: a task */
    struct task_settings_patch setting; /* for GW_SET */
    struct task *found;                 /* of the first read, while a second one runs */
    size_t found_count;
    /* Decided. */
    struct gw_reply reply;
    struct task_change changes[GW_CHANGES_MAX];
    size_t change_count;
    enum base_err failure; /* an action that cannot be: nothing is to be committed */
    struct task_problem problem;
    bool undone; /* the changes take back the newest undo entry */
};

/* GW_FIND or GW_WAS: do the read named in the dialogue and call gw_dialogue_found; GW_RECEIPTS:
 * gw_dialogue_receipts; GW_SET: store the user's setting and call gw_dialogue_set. The reply's text
 * lives in dialogue->reply.text: gw_dialogue_done frees it. */
enum gw_step gw_dialogue_begin(struct gw_dialogue *dialogue);
enum gw_step gw_dialogue_found(struct gw_dialogue *dialogue, struct task *tasks, size_t count);
enum gw_step gw_dialogue_receipts(struct gw_dialogue *dialogue, const struct task_receipt *receipts,
                                  size_t count);
enum gw_step gw_dialogue_set(struct gw_dialogue *dialogue);
void gw_dialogue_done(struct gw_dialogue *dialogue);

/* The reply frame, as the protocol has it. */
void gw_dialogue_reply_json(const struct gw_dialogue *dialogue, struct base_sv to,
                            struct base_buf *buf);

/* "understood" and "warnings" of a line, as members of the object being written. */
void gw_understood_json(const struct nlu_result *understood, struct base_buf *buf);

#endif
