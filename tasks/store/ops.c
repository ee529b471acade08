/* SPDX-License-Identifier: Apache-2.0 */
#include "tasks/store/ops.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 16 };

#define UTC(column) "to_char(" column " AT TIME ZONE 'UTC','YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
#define AFTER(column) "to_char(extract(epoch FROM " column " - fired_at),'FM999999990.000')"
#define QUEUE_COLUMNS                                                                              \
    UTC("f.fire_at")                                                                               \
    ",f.rank,f.user_id,f.task_id,f.reminder_id,f.occurrence,f.repeat,f.attempts,"                  \
    "coalesce(t.title,'(the task is gone)')"
#define QUEUE_FROM                                                                                 \
    " FROM reminder_fire f LEFT JOIN tasks t ON t.id=f.task_id"                                    \
    " WHERE ($1::text='' OR f.user_id=$1)"

static const struct {
    int params;
    const char *sql;
} queries[TASK_OPS_COUNT] = {
    [TASK_OPS_TASK] = {1, "SELECT title,user_id,(ARRAY['open','done','deleted'])[status+1],"
                          "CASE due_kind WHEN 0 THEN '' WHEN 1 THEN to_char(due_local,'YYYY-MM-DD')"
                          " ELSE to_char(due_local,'YYYY-MM-DD\"T\"HH24:MI:SS') END,"
                          "coalesce(due_zone,''),occurrence,version,"
                          "CASE WHEN recurrence IS NULL THEN '' ELSE 'recurring' END," UTC(
                              "review_at") " FROM tasks WHERE id=$1::uuid"},
    [TASK_OPS_RECEIPTS] =
        {1,
         "SELECT " UTC(
             "due_at") ",reminder_id,occurrence,repeat,state,"
                       "to_char(extract(epoch FROM fired_at - coalesce(held_until,due_at)),"
                       "'FM999999990.000')," UTC("held_until") "," AFTER("published_at") "," AFTER(
                           "delivered_at") "," AFTER("acked_at") " FROM (SELECT "
                                                                 "due_at,reminder_id,occurrence,"
                                                                 "repeat,"
                                                                 "(ARRAY['fired','late','missed','"
                                                                 "cleared'])[state] AS "
                                                                 "state,held_until,fired_at,"
                                                                 "published_at,delivered_at,acked_"
                                                                 "at FROM receipt WHERE "
                                                                 "task_id=$1::uuid"
                                                                 " UNION ALL SELECT "
                                                                 "coalesce(held_from,fire_at),"
                                                                 "reminder_id,occurrence,repeat,"
                                                                 "CASE WHEN attempts>=5 THEN 'set "
                                                                 "aside' WHEN held_from IS NULL "
                                                                 "THEN 'waiting'"
                                                                 " ELSE 'held' END,CASE WHEN "
                                                                 "held_from IS NOT NULL THEN "
                                                                 "fire_at END,NULL,NULL,NULL,NULL"
                                                                 " FROM reminder_fire WHERE "
                                                                 "task_id=$1::uuid) AS x"
                                                                 " ORDER BY "
                                                                 "due_at,reminder_id,occurrence,"
                                                                 "repeat"},
    [TASK_OPS_OCCURRENCES] = {1,
                              "SELECT occurrence," UTC(
                                  "due_at") ",(ARRAY['completed','skipped','missed'])[outcome]"
                                            "," UTC("at") " FROM task_occurrence WHERE "
                                                          "task_id=$1::uuid ORDER BY occurrence"},
    [TASK_OPS_QUEUE] = {2, "SELECT " QUEUE_COLUMNS QUEUE_FROM
                           " AND f.attempts<5 ORDER BY f.fire_at,f.rank LIMIT $2::int"},
    [TASK_OPS_QUEUE_DEPTH] =
        {0, "SELECT count(*),count(*) FILTER (WHERE fire_at<=now() AND attempts<5),"
            "count(*) FILTER (WHERE attempts>=5)," UTC(
                "min(fire_at) FILTER (WHERE attempts<5)") " FROM reminder_fire"},
    [TASK_OPS_QUEUE_CANCEL] =
        {1, "WITH d AS (DELETE FROM reminder_fire WHERE reminder_id=$1::uuid RETURNING *)"
            " INSERT INTO receipt(reminder_id,occurrence,repeat,task_id,user_id,event_id,state,"
            "due_at,fired_at) SELECT reminder_id,occurrence,repeat,task_id,user_id,"
            "gen_random_uuid(),4,coalesce(held_from,fire_at),now() FROM d"
            " ON CONFLICT DO NOTHING RETURNING occurrence"},
    [TASK_OPS_SET_ASIDE] = {2, "SELECT " QUEUE_COLUMNS QUEUE_FROM
                               " AND f.attempts>=5 ORDER BY f.fire_at,f.rank LIMIT $2::int"},
    [TASK_OPS_REPLAY] = {1, "UPDATE reminder_fire SET attempts=0 WHERE attempts>=5"
                            " AND ($1::text='' OR reminder_id=nullif($1,'')::uuid)"
                            " RETURNING reminder_id"},
    [TASK_OPS_REVOKE] = {1, "SELECT " UTC("revoke_user($1::text)")},
};

struct task_ops {
    PGconn *conn;
};

void task_ops_close(struct task_ops *ops)
{
    if (!ops)
        return;
    PQfinish(ops->conn);
    free(ops);
}

enum base_err task_ops_open(const char *url, struct task_ops **ret_ops, struct base_buf *errors)
{
    struct task_ops *ops = calloc(1, sizeof(*ops));
    if (!ops)
        return BASE_NO_MEMORY;
    ops->conn = PQconnectdb(url);
    if (PQstatus(ops->conn) != CONNECTION_OK) {
        base_buf_add_c(errors, PQerrorMessage(ops->conn));
        task_ops_close(ops);
        return BASE_UNAVAILABLE;
    }
    *ret_ops = ops;
    return BASE_OK;
}

static void each_row(const PGresult *result, task_ops_row_fn fn, void *ctx)
{
    const char *cells[COLUMNS_MAX];
    int columns = PQnfields(result);
    for (int row = 0; row < PQntuples(result); row++) {
        for (int i = 0; i < columns && i < COLUMNS_MAX; i++)
            cells[i] = PQgetvalue(result, row, i);
        fn(ctx, cells, columns);
    }
}

enum base_err task_ops_run(struct task_ops *ops, enum task_ops_query query,
                           const char *const *params, task_ops_row_fn fn, void *ctx,
                           struct base_buf *errors)
{
    static const char bad_value[] = "22"; /* SQLSTATE class: data exception */
    PGresult *result = PQexecParams(ops->conn, queries[query].sql, queries[query].params, NULL,
                                    params, NULL, NULL, 0);
    enum base_err err = BASE_OK;
    if (PQresultStatus(result) == PGRES_TUPLES_OK) {
        each_row(result, fn, ctx);
    } else {
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        err = state && strncmp(state, bad_value, 2) == 0 ? BASE_INVALID : BASE_INTERNAL;
        base_buf_add_c(errors, PQerrorMessage(ops->conn));
    }
    PQclear(result);
    return err;
}
