/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The task store over PostgreSQL: what one loop needs of it. Commits are batched: turns that wait
 * while a batch is on its way go together as the next one. A request made while the database is
 * away waits for it until its deadline, then ends with UNAVAILABLE; a commit whose answer was lost
 * is sent again, its key makes that safe.
 *
 * Everything belongs to the loop's thread. Callbacks run from the loop, never from inside the call.
 */
#ifndef TASKS_STORE_STORE_H
#define TASKS_STORE_STORE_H

#include "lib/base/loop.h"
#include "tasks/command.h"
#include "tasks/settings.h"

struct task_store;

struct task_store_options {
    struct base_loop *loop;
    const char *url;
    const char *application_name;
    /* The first connection came up, or the last one went; error says why. */
    void (*on_state)(void *ctx, bool ready, const char *error);
    void *ctx;
};

BASE_MUST_CHECK enum base_err task_store_new(const struct task_store_options *options,
                                             struct task_store **ret_store);
/* Everything that waits ends with UNAVAILABLE. */
void task_store_free(struct task_store *store);
bool task_store_ready(const struct task_store *store);
/* Requests that are not answered yet. */
size_t task_store_pending(const struct task_store *store);

/* Turns: the unit of commitment. */

/* ENGINE: what time did, no user. */
enum task_channel {
    TASK_CHANNEL_CHAT,
    TASK_CHANNEL_ACTION,
    TASK_CHANNEL_REST,
    TASK_CHANNEL_ENGINE,
    TASK_CHANNEL_COUNT
};
/* "chat" … "engine" */
extern const char *const task_channel_names[TASK_CHANNEL_COUNT];

/*
 * One chat line, action or API call with all it does. (user, device, client_id) is the idempotency
 * key and hash stands for the content. All memory is the caller's and stays until the callback. At
 * most one turn of a user may be under way in a store: order and context are per user.
 */
struct task_turn {
    struct base_sv user_id;
    struct base_sv device;
    struct base_sv client_id;
    uint64_t hash;
    enum task_channel channel;
    int64_t at_us;
    struct base_sv text;
    struct base_sv reply;
    const struct task_change *changes;
    size_t change_count;
    const struct task_event_row *events; /* besides those of the changes */
    size_t event_count;
    int64_t dialogue_version; /* the one it was made from; -1: the dialogue stays as it is */
    struct base_sv dialogue_state;
    /* For the store's own use. */
    struct task_turn *next;
    void (*done)(void *ctx, enum base_err err, struct base_sv stored_reply);
    void *done_ctx;
    int64_t deadline_us;
    bool alone;
};

/*
 * OK and stored_reply empty: committed. OK and stored_reply set: this turn was committed earlier,
 * that was its reply. ID_REUSED: the key stands for other content. STALE: a task or the dialogue
 * was changed in the meantime, nothing was done: read again and decide anew. UNAVAILABLE,
 * OVERLOADED: as they say; whether it was committed is unknown then, and sending it again is safe.
 * INTERNAL: refused by the database.
 */
typedef void (*task_turn_fn)(void *ctx, enum base_err err, struct base_sv stored_reply);
void task_store_commit(struct task_store *store, struct task_turn *turn, task_turn_fn fn,
                       void *ctx);

/* Reading. Results are made in the caller's arena; it and the query's views stay until the
 * callback. */

enum {
    TASK_QUERY_OPEN = 1 << TASK_OPEN,
    TASK_QUERY_DONE = 1 << TASK_DONE,
    TASK_QUERY_DELETED = 1 << TASK_DELETED
};

enum task_after {
    TASK_AFTER_NOTHING,
    TASK_AFTER_DUE,     /* open tasks, by due time; those without one stand behind all others */
    TASK_AFTER_UNDATED, /* one of those */
    TASK_AFTER_CHANGE,  /* other tasks, by change */
};

struct task_query {
    struct base_sv user_id;
    unsigned statuses; /* TASK_QUERY_* */
    bool has_from, has_to;
    int64_t from_us, to_us; /* due in [from, to) */
    bool overdue; /* due before overdue_us; a date-only one before the day today_local_us */
    int64_t overdue_us;
    int64_t today_local_us;
    int priority;                /* 0: any */
    struct base_sv tag, project; /* empty: any; compared without ASCII case */
    const struct base_sv *words; /* all must stand in the title, case ignored */
    size_t word_count;
    bool in_notes;             /* or in the notes */
    struct base_id parent;     /* null: any; otherwise only its subtasks */
    const struct base_id *ids; /* only these */
    size_t id_count;
    bool newest_first; /* by change, instead of by due time */
    int32_t limit;
    /* Go on behind a task of the same list, by what it is ordered by; that task may be gone. */
    enum task_after after;
    int64_t after_us; /* its due time, or when it was changed */
    struct base_id after_id;
};

typedef void (*task_list_fn)(void *ctx, enum base_err err, struct task *tasks, size_t count);
void task_store_find(struct task_store *store, const struct task_query *query,
                     struct base_arena *arena, task_list_fn fn, void *ctx);

/* Tasks as they were at an earlier version; those that are not kept any more are left out. */
struct task_version {
    struct base_id id;
    int32_t version;
};
void task_store_was(struct task_store *store, struct base_sv user_id,
                    const struct task_version *versions, size_t count, struct base_arena *arena,
                    task_list_fn fn, void *ctx);

struct task_user {
    struct task_settings settings;
    struct task_quiet quiet;
    struct base_sv zone; /* valid during the callback */
    struct base_sv locale;
    int64_t not_before_us; /* tokens issued before are revoked; 0 = none */
    int64_t head;          /* userseq of the newest event */
    int64_t oldest;        /* of the oldest event kept; head + 1 if none is */
    int64_t dialogue_version;
    struct base_sv dialogue_state;
};

typedef void (*task_user_fn)(void *ctx, enum base_err err, const struct task_user *user);
/* Makes the user on first sight. zone (may be empty) becomes the home zone if none was set before.
 */
void task_store_user(struct task_store *store, struct base_sv user_id, struct base_sv zone,
                     task_user_fn fn, void *ctx);

/* Changes what the patch names; the user must be known. */
typedef void (*task_done_fn)(void *ctx, enum base_err err);
void task_store_set_user(struct task_store *store, struct base_sv user_id,
                         const struct task_settings_patch *patch, task_done_fn fn, void *ctx);

/* Stored events after a userseq, in order, without their numbers; at most limit. */
struct task_stored_event {
    int64_t user_seq;
    int type;
    struct base_sv payload; /* valid during the callback */
};
typedef void (*task_events_fn)(void *ctx, enum base_err err, const struct task_stored_event *events,
                               size_t count);
enum { TASK_EVENTS_PAGE = 500 };
void task_store_events(struct task_store *store, struct base_sv user_id, int64_t after,
                       task_events_fn fn, void *ctx);

/* The transcript, newest first. */
struct task_line {
    int64_t number;
    struct base_sv device, client_id, text, reply; /* valid during the callback */
    int64_t at_us;
};
typedef void (*task_history_fn)(void *ctx, enum base_err err, const struct task_line *lines,
                                size_t count, bool more);
void task_store_history(struct task_store *store, struct base_sv user_id, int64_t before,
                        int32_t limit, task_history_fn fn, void *ctx);

/* Everything up to seq was shown on that device. */
void task_store_ack(struct task_store *store, struct base_sv user_id, struct base_sv device,
                    int64_t seq, task_done_fn fn, void *ctx);

#endif
