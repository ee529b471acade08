/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the store: requests that survive a lost connection, and the statements. */
#ifndef TASKS_STORE_STORE_PRIVATE_H
#define TASKS_STORE_STORE_PRIVATE_H

#include "tasks/store/pg.h"
#include "tasks/store/store.h"

enum { STORE_CONNECTIONS = 2, STORE_REQUEST_MAX = 16 * 1024 * 1024, STORE_DEADLINE_MS = 10000 };

/* A request on its way or waiting for a connection. */
struct store_op {
    struct store_op *next;
    struct task_store *store;
    const char *statement;
    struct pg_params *params;
    int64_t deadline_us;
    pg_done_fn fn; /* called once, from the loop */
    void *ctx;
};

/* Takes the parameters. fn gets NO_MEMORY at once if even that is missing. */
void store_request(struct task_store *store, const char *statement, struct pg_params *params,
                   pg_done_fn fn, void *ctx);

struct base_loop *store_loop(struct task_store *store);
/* turn.c: the batches, told when a connection came up. */
struct store_turns;
struct store_turns *store_turns_of(struct task_store *store);
BASE_MUST_CHECK enum base_err store_turns_new(struct task_store *store,
                                              struct store_turns **ret_turns);
void store_turns_free(struct store_turns *turns);
size_t store_turns_pending(const struct store_turns *turns);
void store_turns_expire(struct store_turns *turns, int64_t now_us);
void store_turns_send(struct store_turns *turns);
struct pg_conn *store_conn(struct task_store *store, size_t i);

/* What a task is read from, in this order. */
#define STORE_TASK_COLUMNS                                                                         \
    "id,user_id,version,status,title,notes,priority,array_to_string(tags,E'\\x1f'),project,"       \
    "due_kind,due_local,due_zone,due_at,recurrence::text,start_local,occurrence,reminders::text,"  \
    "parent_id,created_at,updated_at,completed_at,deleted_at,next_local"
enum { STORE_TASK_COLUMN_COUNT = 23 };
/* false: no memory, or a row that cannot be read. */
bool store_task_decode(const PGresult *r, int row, struct base_arena *arena, struct task *task);

/* The statements of each file. */
#define STORE_TURN_STATEMENTS 2
#define STORE_READ_STATEMENTS 16
#define STORE_REVIEW_STATEMENTS 4
#define STORE_RECEIPT_STATEMENTS 2
#define STORE_RECORD_STATEMENTS 8
#define STORE_WEBHOOK_STATEMENTS 6
#define STORE_SHARED_STATEMENTS 4
extern const struct pg_statement store_turn_statements[STORE_TURN_STATEMENTS];
extern const struct pg_statement store_read_statements[STORE_READ_STATEMENTS];
extern const struct pg_statement store_review_statements[STORE_REVIEW_STATEMENTS];
extern const struct pg_statement store_receipt_statements[STORE_RECEIPT_STATEMENTS];
extern const struct pg_statement store_record_statements[STORE_RECORD_STATEMENTS];
extern const struct pg_statement store_webhook_statements[STORE_WEBHOOK_STATEMENTS];
extern const struct pg_statement store_shared_statements[STORE_SHARED_STATEMENTS];

#endif
