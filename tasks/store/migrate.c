/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations come from migrations.inc, which CMake makes of tasks/migrations/NNNN_*.sql. */
#include "tasks/store/migrate.h"

#include <libpq-fe.h>

/* Shared by every process of the product: "todo" in ASCII. */
#define LOCK_KEY "1953457263"

static const struct {
    int version;
    const char *name;
    const char *sql;
} migrations[] = {
#include "migrations.inc"
};

enum { MIGRATIONS = sizeof(migrations) / sizeof(migrations[0]) };

int task_migrate_latest(void)
{
    return migrations[MIGRATIONS - 1].version;
}

static bool run(PGconn *pg, const char *sql, struct base_buf *errors)
{
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);
    bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!ok)
        base_buf_add_c(errors, PQresultErrorMessage(result));
    PQclear(result);
    return ok;
}

static bool read_version(PGconn *pg, int *ret_version, struct base_buf *errors)
{
    PGresult *result = PQexec(pg, "SELECT coalesce(max(version), 0) FROM schema_version");
    int64_t version = 0;
    bool ok = PQresultStatus(result) == PGRES_TUPLES_OK &&
              base_sv_int64(base_sv_from(PQgetvalue(result, 0, 0)), &version);
    if (!ok)
        base_buf_add_c(errors, PQresultErrorMessage(result));
    *ret_version = (int)version;
    PQclear(result);
    return ok;
}

static bool apply(PGconn *pg, size_t i, struct base_buf *errors)
{
    struct base_buf note;
    base_buf_init(&note, 256);
    base_buf_addf(&note, "INSERT INTO schema_version(version, name) VALUES (%d, '%s')",
                  migrations[i].version, migrations[i].name);
    bool ok = run(pg, "BEGIN", errors) && run(pg, migrations[i].sql, errors) &&
              run(pg, note.data, errors) && run(pg, "COMMIT", errors);
    base_buf_done(&note);
    if (!ok)
        base_buf_addf(errors, "in migration %04d_%s\n", migrations[i].version, migrations[i].name);
    return ok;
}

static enum base_err migrate(PGconn *pg, int *ret_from, int *ret_to, struct base_buf *errors)
{
    int version;
    if (!run(pg, "SELECT pg_advisory_lock(" LOCK_KEY ")", errors) ||
        !run(pg,
             "SET client_min_messages = warning;"
             "CREATE TABLE IF NOT EXISTS schema_version (version integer PRIMARY KEY,"
             " name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
             errors) ||
        !read_version(pg, &version, errors))
        return BASE_INTERNAL;
    if (version > task_migrate_latest() + 1) {
        base_buf_addf(errors,
                      "the database is at version %d, this program knows %d and accepts %d: "
                      "use a newer program\n",
                      version, task_migrate_latest(), task_migrate_latest() + 1);
        return BASE_CONFLICT;
    }
    *ret_from = version;
    for (size_t i = 0; i < MIGRATIONS; i++) {
        if (migrations[i].version <= version)
            continue;
        if (!apply(pg, i, errors))
            return BASE_INTERNAL;
        version = migrations[i].version;
    }
    *ret_to = version;
    return BASE_OK;
}

enum base_err task_migrate(const char *url, int *ret_from, int *ret_to, struct base_buf *errors)
{
    const char *const keys[] = {"dbname", "connect_timeout", "application_name", NULL};
    const char *const values[] = {url, "5", "todo-migrate", NULL};
    PGconn *pg = PQconnectdbParams(keys, values, 1);
    enum base_err err = BASE_UNAVAILABLE;
    if (PQstatus(pg) == CONNECTION_OK)
        err = migrate(pg, ret_from, ret_to, errors);
    else
        base_buf_add_c(errors, PQerrorMessage(pg));
    PQfinish(pg);
    return err;
}
