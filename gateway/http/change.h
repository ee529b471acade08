/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing tasks over REST: one operation, or many together. All of a request is one turn, like a
 * chat line: it has its place in the user's order, its idempotency key and its undo.
 */
#ifndef GATEWAY_HTTP_CHANGE_H
#define GATEWAY_HTTP_CHANGE_H

#include <jansson.h>

#include "gateway/http/router.h"
#include "gateway/turn/turn.h"

enum { GW_BATCH_MAX = GW_UNDO_TASKS_MAX };

struct gw_op;

/* What can be done with a task: the rows of gw_ops. */
struct gw_op_kind {
    const char *name; /* in a batch, and the last part of its path */
    const char *intent;
    enum base_err (*act)(const struct task_context *ctx, const struct task *task,
                         const struct gw_op *op, struct task_change *ret_change,
                         struct task_problem *ret_problem);
    /* Reads what the operation takes from its body; NULL: it takes none. */
    enum base_err (*read)(struct gw_call *call, struct gw_turn *turn, json_t *body,
                          struct gw_op *op);
    bool creates;
    bool needs_match; /* alone, it must say which version it is about */
    int status;       /* when it went well */
};

enum gw_op_name {
    GW_OP_CREATE,
    GW_OP_UPDATE,
    GW_OP_DELETE,
    GW_OP_COMPLETE,
    GW_OP_REOPEN,
    GW_OP_SKIP,
    GW_OP_SNOOZE,
    GW_OP_COUNT
};
extern const struct gw_op_kind gw_ops[GW_OP_COUNT];
/* NULL if there is none of that name. */
const struct gw_op_kind *gw_op_find(struct base_sv name);

struct gw_op {
    const struct gw_op_kind *kind;
    struct base_id id;
    int32_t if_match; /* 0: none was given */
    struct task_patch patch;
    int64_t until_us;      /* snooze */
    enum base_err refused; /* what was asked cannot be read; in a batch each has its own */
    enum base_err err;     /* how it went, in this try */
    struct task_problem problem;
    struct task_change *change;
};

/* The plan's input. */
struct gw_change {
    struct gw_op *ops;
    size_t count;
    bool batch;
};

extern const struct gw_plan gw_change_plan;

/* A turn for a call that writes, with its idempotency key and hash; answered by gw_call_problem and
 * NULL if a header is wrong. answer ends the call. */
struct gw_turn *gw_call_turn(struct gw_call *call, const struct gw_plan *plan,
                             void (*answer)(struct gw_turn *turn, enum base_err err,
                                            struct base_sv reply));

/* The body as a JSON object; answered and NULL if it is none. Without a body: an empty object,
 * where allowed. */
json_t *gw_call_object(struct gw_call *call, bool required);

#endif
