/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks over REST: reading them, straight from the store. A list comes in pages; the cursor names
 * the last task of a page by what the list is ordered by, so that a page stays right whatever
 * changes before it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/http/asker.h"
#include "lib/base/json.h"
#include "lib/base/utf8.h"

enum { LIST_DEFAULT = 50, LIST_MAX = 100, BODY_MAX = 1024 * 1024, CURSOR_MAX = 80, WORDS_MAX = 16 };

struct reading {
    struct gw_asker by;
    struct base_arena arena;
    struct task_query query;
    struct base_id id;
    struct base_sv words[WORDS_MAX];
    bool one;
    int32_t limit;      /* of the page; one more is asked for, to know whether there are more */
    struct task *dated; /* a page that goes on with the tasks without a due time */
    size_t dated_count;
};

static void end(void *self)
{
    struct reading *reading = self;
    base_arena_done(&reading->arena);
}

static void answer_one(struct reading *reading, const struct task *task)
{
    struct base_buf buf;
    char etag[32];
    base_buf_init(&buf, BODY_MAX);
    task_json(&buf, task, gw_now_us(reading->by.call->worker));
    (void)snprintf(etag, sizeof(etag), "\"%d\"", task->version);
    gw_call_cached(reading->by.call, etag, base_buf_sv(&buf));
    base_buf_done(&buf);
}

/* "d1764150000000000.UUID": a letter for the order, its value, and the task. */

static const struct {
    char letter;
    enum task_after after;
} orders[] = {{'d', TASK_AFTER_DUE}, {'n', TASK_AFTER_UNDATED}, {'c', TASK_AFTER_CHANGE}};

static bool ordered_by_due(const struct task_query *query)
{
    return query->statuses == TASK_QUERY_OPEN && !query->newest_first;
}

static void cursor_text(const struct reading *reading, const struct task *last, char *dst)
{
    char id[BASE_ID_TEXT + 1];
    bool by_due = ordered_by_due(&reading->query);
    char letter = !by_due ? 'c' : last->due.kind ? 'd' : 'n';
    int64_t value_us = !by_due ? last->updated_us : last->due.kind ? last->due.at_us : 0;
    base_id_text(last->id, id);
    (void)snprintf(dst, CURSOR_MAX, "%c%" PRId64 ".%s", letter, value_us, id);
}

static bool read_cursor(struct base_sv text, struct task_query *query)
{
    if (text.len < 2)
        return false;
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
        if (text.ptr[0] == orders[i].letter)
            query->after = orders[i].after;
    struct base_sv rest = base_sv_sub(text, 1, text.len);
    struct base_sv value = base_sv_split(&rest, '.');
    return query->after && base_sv_int64(value, &query->after_us) &&
           base_id_parse(rest, &query->after_id);
}

static void answer_list(struct reading *reading, const struct task *tasks, size_t count)
{
    struct base_buf buf;
    char cursor[CURSOR_MAX];
    char etag[32];
    int64_t now_us = gw_now_us(reading->by.call->worker);
    size_t limit = (size_t)reading->limit;
    size_t dated = reading->dated_count;
    size_t shown = dated + count > limit ? limit : dated + count;
    base_buf_init(&buf, (size_t)16 * BODY_MAX);
    base_json_open(&buf, '{');
    base_json_key(&buf, "tasks");
    base_json_open(&buf, '[');
    const struct task *last = NULL;
    for (size_t i = 0; i < shown; i++) {
        last = i < dated ? &reading->dated[i] : &tasks[i - dated];
        task_json(&buf, last, now_us);
    }
    base_json_close(&buf, ']');
    base_json_key(&buf, "next_cursor");
    if (last && dated + count > limit) {
        cursor_text(reading, last, cursor);
        base_json_str(&buf, base_sv_from(cursor));
    } else {
        base_json_null(&buf);
    }
    base_json_close(&buf, '}');
    (void)snprintf(etag, sizeof(etag), "\"%016" PRIx64 "\"", base_sv_hash(base_buf_sv(&buf), 0));
    if (base_buf_ok(&buf))
        gw_call_cached(reading->by.call, etag, base_buf_sv(&buf));
    else
        gw_call_problem(reading->by.call, BASE_TOO_LARGE, NULL, "ask for fewer tasks by limit");
    base_buf_done(&buf);
}

static void on_tasks(void *ctx, enum base_err err, struct task *tasks, size_t count);

/* Behind the last task with a due time come those without one. */
static bool goes_on_undated(struct reading *reading, struct task *tasks, size_t count)
{
    struct task_query *query = &reading->query;
    if (query->after != TASK_AFTER_DUE || query->has_from || query->has_to || query->overdue ||
        count > (size_t)reading->limit)
        return false;
    reading->dated = tasks;
    reading->dated_count = count;
    query->after = TASK_AFTER_UNDATED;
    query->after_id = (struct base_id){0};
    query->limit -= (int32_t)count;
    task_store_find(reading->by.call->worker->store, query, &reading->arena, on_tasks, reading);
    return true;
}

static void on_tasks(void *ctx, enum base_err err, struct task *tasks, size_t count)
{
    struct reading *reading = ctx;
    bool found = count == 1 && tasks[0].status != TASK_DELETED;
    if (err == BASE_OK && !reading->one && goes_on_undated(reading, tasks, count))
        return;
    if (err != BASE_OK)
        gw_call_problem(reading->by.call, err, NULL, NULL);
    else if (!reading->one)
        answer_list(reading, tasks, count);
    else if (found)
        answer_one(reading, &tasks[0]);
    else
        gw_call_problem(reading->by.call, BASE_NOT_FOUND, NULL, "there is no such task");
    gw_asker_end(reading);
}

static void go(void *self)
{
    struct reading *reading = self;
    int64_t now = gw_now_us(reading->by.call->worker);
    struct time_civil today = time_zone_civil(reading->by.user->settings.home, now);
    reading->query.overdue_us = now;
    reading->query.today_local_us =
        time_days_from_civil(today.year, today.month, today.day) * 86400 * 1000000;
    task_store_find(reading->by.call->worker->store, &reading->query, &reading->arena, on_tasks,
                    reading);
}

static struct reading *reading_new(struct gw_call *call)
{
    struct reading *reading = gw_asker_new(call, sizeof(*reading), go, end);
    if (!reading)
        return NULL;
    base_arena_init(&reading->arena, (size_t)16 * BODY_MAX);
    reading->limit = LIST_DEFAULT;
    reading->query = (struct task_query){
        .user_id = reading->by.user->id, .statuses = TASK_QUERY_OPEN, .limit = LIST_DEFAULT};
    return reading;
}

void gw_http_task_get(struct gw_call *call)
{
    struct base_id id;
    if (!base_id_parse(call->id, &id)) {
        gw_call_problem(call, BASE_NOT_FOUND, NULL, "this is not the id of a task");
        return;
    }
    struct reading *reading = reading_new(call);
    if (!reading)
        return;
    reading->one = true;
    reading->id = id;
    reading->query.ids = &reading->id;
    reading->query.id_count = 1;
    reading->query.statuses |= TASK_QUERY_DONE;
    gw_asker_begin(reading, false);
}

static bool read_status(struct base_sv text, unsigned *ret_statuses)
{
    static const struct {
        const char *name;
        unsigned statuses;
    } rows[] = {{"open", TASK_QUERY_OPEN},
                {"done", TASK_QUERY_DONE},
                {"deleted", TASK_QUERY_DELETED},
                {"all", TASK_QUERY_OPEN | TASK_QUERY_DONE}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (base_sv_eq_c(text, rows[i].name)) {
            *ret_statuses = rows[i].statuses;
            return true;
        }
    return false;
}

static const char *read_words(struct reading *reading, struct base_sv text)
{
    struct task_query *query = &reading->query;
    query->words = reading->words;
    query->in_notes = true;
    while (text.ptr) {
        struct base_sv word = base_sv_split(&text, ' ');
        if (word.len && query->word_count == WORDS_MAX)
            return "q has at most 16 words";
        if (word.len)
            reading->words[query->word_count++] = word;
    }
    return NULL;
}

/* NULL, or what is wrong with which argument. */
static const char *read_argument(struct reading *reading, struct base_sv name, struct base_sv value)
{
    struct task_query *query = &reading->query;
    int64_t number;
    if (!base_utf8_valid(value) || memchr(value.ptr, '\0', value.len))
        return "an argument must be UTF-8 text";
    if (base_sv_eq_c(name, "status"))
        return read_status(value, &query->statuses) ? NULL
                                                    : "status is one of open, done, deleted, all";
    if (base_sv_eq_c(name, "due_from"))
        return (query->has_from = base_time_parse(value, &query->from_us))
                   ? NULL
                   : "due_from is an RFC 3339 time";
    if (base_sv_eq_c(name, "due_to"))
        return (query->has_to = base_time_parse(value, &query->to_us))
                   ? NULL
                   : "due_to is an RFC 3339 time";
    if (base_sv_eq_c(name, "overdue"))
        return (query->overdue = base_sv_eq_c(value, "true")) || base_sv_eq_c(value, "false")
                   ? NULL
                   : "overdue is true or false";
    if (base_sv_eq_c(name, "priority")) {
        bool ok = base_sv_int64(value, &number) && number >= 1 && number <= 4;
        query->priority = ok ? (int)number : 0;
        return ok ? NULL : "priority is a number from 1 to 4";
    }
    if (base_sv_eq_c(name, "limit")) {
        bool ok = base_sv_int64(value, &number) && number >= 1 && number <= LIST_MAX;
        reading->limit = ok ? (int32_t)number : LIST_DEFAULT;
        return ok ? NULL : "limit is a number from 1 to 100";
    }
    if (base_sv_eq_c(name, "sort")) {
        query->newest_first = base_sv_eq_c(value, "updated");
        return query->newest_first || base_sv_eq_c(value, "due") ? NULL : "sort is due or updated";
    }
    if (base_sv_eq_c(name, "cursor"))
        return read_cursor(value, query) ? NULL : "cursor is what next_cursor of a page was";
    struct base_sv kept = base_arena_sv(&reading->arena, value);
    if (base_sv_eq_c(name, "tag"))
        return query->tag = kept, NULL;
    if (base_sv_eq_c(name, "project"))
        return query->project = kept, NULL;
    if (base_sv_eq_c(name, "parent"))
        return base_id_parse(value, &query->parent) ? NULL : "parent is the id of a task";
    if (base_sv_eq_c(name, "q"))
        return read_words(reading, kept);
    return "unknown argument; known: status, due_from, due_to, overdue, priority, tag, project, "
           "parent, q, sort, limit, cursor";
}

void gw_http_tasks_list(struct gw_call *call)
{
    struct reading *reading = reading_new(call);
    if (!reading)
        return;
    for (size_t i = 0;; i++) {
        struct base_sv value = net_request_arg_at(call->req, i);
        if (!value.ptr)
            break;
        struct base_sv name = base_sv_split(&value, '=');
        const char *wrong = read_argument(reading, name, value);
        if (!wrong)
            continue;
        gw_call_problem(call, BASE_INVALID, NULL, wrong);
        gw_asker_end(reading);
        return;
    }
    bool by_due = ordered_by_due(&reading->query);
    if (reading->query.after && by_due == (reading->query.after == TASK_AFTER_CHANGE)) {
        gw_call_problem(call, BASE_INVALID, NULL,
                        "the cursor belongs to a list of another status or order");
        gw_asker_end(reading);
        return;
    }
    reading->query.limit = reading->limit + 1;
    gw_asker_begin(reading, false);
}
