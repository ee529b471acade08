/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a conversation remembers from one line to the next. Kept in the database beside the user and
 * changed by compare-and-set with the turn that changed it, so that it survives a reconnect and
 * another gateway.
 */
#ifndef GATEWAY_DIALOGUE_TALK_H
#define GATEWAY_DIALOGUE_TALK_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "tasks/store/store.h"

enum { GW_LISTED_MAX = 20, GW_UNDO_MAX = 20, GW_UNDO_TASKS_MAX = 100, GW_STATE_MAX = 64 * 1024 };

/* The question that is open. */
enum gw_ask {
    GW_ASK_NOTHING,
    GW_ASK_CONFIRM,
    GW_ASK_CHOOSE,
    GW_ASK_TITLE,
    GW_ASK_WHEN, /* of the task spoken of */
    GW_ASK_DUE,  /* of the task that is about to be made */
    GW_ASK_COUNT
};

/* A task that a turn changed, at the version it got, and the version to go back to (0: the turn
 * made it). */
struct gw_undo_task {
    struct base_id id;
    int32_t version, former;
};

/* One turn that can be taken back; the tasks are in the arena. */
struct gw_undo {
    struct gw_undo_task *tasks;
    size_t count;
};

struct gw_talk {
    struct base_id listed[GW_LISTED_MAX]; /* the last list, in the order shown */
    size_t listed_count;
    bool has_it;
    struct base_id it; /* the task spoken of last */
    enum gw_ask ask;
    struct base_sv asked_text;        /* the line that led to the question */
    struct gw_undo undo[GW_UNDO_MAX]; /* newest first */
    size_t undo_count;
    struct base_sv older_undo; /* the turns before those, as text: gw_talk_load_undo reads them */
};

/* state may be empty (a new user). What cannot be read is forgotten: it is only memory. */
BASE_MUST_CHECK enum base_err gw_talk_parse(struct base_sv state, struct base_arena *arena,
                                            struct gw_talk *ret_talk);
void gw_talk_format(struct base_buf *buf, const struct gw_talk *talk);

void gw_talk_list(struct gw_talk *talk, const struct task *tasks, size_t count);
void gw_talk_it(struct gw_talk *talk, struct base_id id);
/* Few lines take something back: what can be is read only for those that do. */
void gw_talk_load_undo(struct gw_talk *talk, struct base_arena *arena);
/* Lets go of the oldest turns, so that the text is shorter; false: there are none. */
bool gw_talk_forget_oldest(struct gw_talk *talk);
/* Remembers a turn's changes; one with more tasks than fit cannot be undone and is left out. */
void gw_talk_remember(struct gw_talk *talk, struct base_arena *arena,
                      const struct task_change *changes, size_t count);
void gw_talk_forget_newest(struct gw_talk *talk);
/* The newest was taken back by these changes: forgets it. A task is now again what it was for the
 * turn before, at another version. */
void gw_talk_undone(struct gw_talk *talk, const struct task_change *changes, size_t count);

#endif
