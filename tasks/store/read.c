/* SPDX-License-Identifier: Apache-2.0 */
/* Reading tasks, users, events and the transcript; one statement each. */
#include <stdlib.h>

#include "tasks/store/store_private.h"

enum { PARAMS_MAX = 64 * 1024, LIST_MAX = 1000 };

/* The years 1 and 9999. */
#define SINCE_EVER_US (INT64_C(-62135596800) * 1000000)
#define FOR_EVER_US (INT64_C(253402300799) * 1000000)

/* What any list may be narrowed by; a value that was not given lets everything pass. */
#define TASK_FILTERS                                                                               \
    " AND ($5::timestamptz IS NULL OR (due_kind>1 AND due_at<$5)"                                  \
    " OR (due_kind=1 AND due_local<$6::timestamp))"                                                \
    " AND ($7::int4=0 OR priority=$7)"                                                             \
    " AND ($8::text='' OR lower($8)=ANY(lower(tags::text)::text[]))"                               \
    " AND ($9::text='' OR lower(project)=lower($9))"                                               \
    " AND (cardinality($10::text[])=0 OR"                                                          \
    " lower(CASE WHEN $14::int4<>0 THEN title||' '||notes ELSE title END) LIKE ALL($10))"          \
    " AND ($13::uuid IS NULL OR parent_id=$13)"
#define TASK_MAYBE_DUE                                                                             \
    " AND ($3::timestamptz IS NULL OR due_at>=$3) AND ($4::timestamptz IS NULL OR due_at<$4)"
#define TASK_MAYBE_IDS " AND (cardinality($11::uuid[])=0 OR id=ANY($11))"
#define TASK_FROM "SELECT " STORE_TASK_COLUMNS " FROM tasks WHERE user_id=$1::text"
#define BY_DUE " ORDER BY due_at NULLS LAST,id LIMIT $12::int4"
#define BY_CHANGE " ORDER BY updated_at DESC,id LIMIT $12::int4"

/* One statement for each way into the tasks, so that each finds its rows by an index and in order:
 * tests/integration/test_plans.py looks at them with a million tasks. */
const struct pg_statement store_read_statements[STORE_READ_STATEMENTS] = {
    {"task_ids", TASK_FROM
     " AND id=ANY($11::uuid[]) AND status=ANY($2::int2[])" TASK_MAYBE_DUE TASK_FILTERS BY_CHANGE},
    {"task_open", TASK_FROM
     " AND status=0 AND $2::int2[] IS NOT NULL" TASK_MAYBE_DUE TASK_FILTERS TASK_MAYBE_IDS BY_DUE},
    {"task_due", TASK_FROM " AND status=0 AND $2::int2[] IS NOT NULL AND due_at>=$3::timestamptz"
                           " AND due_at<$4::timestamptz" TASK_FILTERS TASK_MAYBE_IDS BY_DUE},
    {"task_status",
     TASK_FROM " AND status=($2::int2[])[1]" TASK_MAYBE_DUE TASK_FILTERS TASK_MAYBE_IDS BY_CHANGE},
    {"task_any",
     TASK_FROM " AND status=ANY($2::int2[])" TASK_MAYBE_DUE TASK_FILTERS TASK_MAYBE_IDS BY_CHANGE},
    {"task_open_after",
     TASK_FROM " AND status=0 AND $2::int2[] IS NOT NULL AND (due_at,id)>($15::timestamptz,"
               "$16::uuid)" TASK_MAYBE_DUE TASK_FILTERS TASK_MAYBE_IDS BY_DUE},
    {"task_undated_after",
     TASK_FROM " AND status=0 AND $2::int2[] IS NOT NULL AND $15::timestamptz IS NOT NULL"
               " AND due_at IS NULL AND id>$16::uuid" TASK_MAYBE_DUE TASK_FILTERS TASK_MAYBE_IDS
               " ORDER BY id LIMIT $12::int4"},
    {"task_status_after", TASK_FROM
     " AND status=($2::int2[])[1] AND updated_at<=$15::timestamptz"
     " AND (updated_at<$15 OR id>$16::uuid)" TASK_MAYBE_DUE TASK_FILTERS TASK_MAYBE_IDS BY_CHANGE},
    {"task_any_after", TASK_FROM
     " AND status=ANY($2::int2[]) AND updated_at<=$15::timestamptz"
     " AND (updated_at<$15 OR id>$16::uuid)" TASK_MAYBE_DUE TASK_FILTERS TASK_MAYBE_IDS BY_CHANGE},
    {"task_was",
     "SELECT " STORE_TASK_COLUMNS " FROM (SELECT (jsonb_populate_record(NULL::tasks,h.data)).*"
     " FROM task_history h JOIN unnest($2::uuid[],$3::int4[]) AS w(id,version)"
     " ON h.task_id=w.id AND h.version=w.version"
     " WHERE h.user_id=$1::text AND h.task_id=ANY($2)) k"},
    {"user_get",
     "SELECT zone,locale,extract(epoch FROM "
     "default_time)::int4/60,not_before,seq,d.version,d.state,"
     "(SELECT min(user_seq) FROM events e WHERE e.user_id=u.user_id),zone_set,"
     "coalesce(extract(epoch FROM quiet_from)::int4/60,0),"
     "coalesce(extract(epoch FROM quiet_to)::int4/60,0),quiet_urgent"
     " FROM users u LEFT JOIN dialogue d ON d.user_id=u.user_id WHERE u.user_id=$1::text"},
    {"user_new", "WITH u AS (INSERT INTO users(user_id,zone,zone_set)"
                 " VALUES($1::text,coalesce(nullif($2::text,''),'UTC'),$2<>'')"
                 " ON CONFLICT (user_id) DO UPDATE SET zone=excluded.zone,zone_set=true"
                 " WHERE NOT users.zone_set AND excluded.zone_set RETURNING user_id)"
                 " INSERT INTO dialogue(user_id,version,state) VALUES($1,0,'')"
                 " ON CONFLICT DO NOTHING"},
    {"user_set",
     "UPDATE users SET zone=coalesce($2::text,zone),zone_set=zone_set OR $2 IS NOT NULL,"
     "locale=coalesce($3::text,locale),"
     "default_time=coalesce(time '00:00'+$4::int4*interval '1 min',default_time),"
     "quiet_from=CASE WHEN $5::int4 IS NULL THEN quiet_from WHEN $5=$6::int4 THEN NULL"
     " ELSE time '00:00'+$5*interval '1 min' END,"
     "quiet_to=CASE WHEN $5 IS NULL THEN quiet_to WHEN $5=$6 THEN NULL"
     " ELSE time '00:00'+$6*interval '1 min' END,"
     "quiet_urgent=coalesce($7::int4<>0,quiet_urgent) WHERE user_id=$1::text"},
    {"events_after", "SELECT user_seq,type,payload FROM events WHERE user_id=$1::text"
                     " AND user_seq>$2::int8 ORDER BY user_seq LIMIT 500"},
    {"history", "SELECT id,device,client_id,text,reply,at FROM turn WHERE user_id=$1::text"
                " AND channel<2 AND id<$2::int8 ORDER BY id DESC LIMIT $3::int4"},
    {"ack",
     "WITH d AS (INSERT INTO device(user_id,device,acked) VALUES($1::text,$2::text,$3::int8)"
     " ON CONFLICT (user_id,device) DO UPDATE SET acked=greatest(device.acked,excluded.acked),"
     " seen_at=now() RETURNING user_id)"
     " UPDATE receipt r SET acked_at=now() FROM events e,d WHERE e.user_id=d.user_id"
     " AND e.user_seq<=$3 AND e.user_seq>$3-100 AND e.type=6"
     " AND r.event_id=(e.payload::jsonb->>'id')::uuid AND r.acked_at IS NULL"},
};

static enum base_err params_new(struct pg_params **ret_params)
{
    return pg_params_new(PARAMS_MAX, ret_params);
}

/* Tasks. */

struct find {
    struct base_arena *arena;
    task_list_fn fn;
    void *ctx;
};

static bool split_tags(struct base_arena *arena, struct base_sv joined, struct task *task)
{
    size_t count = 1;
    if (joined.len == 0)
        return true;
    for (size_t i = 0; i < joined.len; i++)
        count += joined.ptr[i] == '\x1f';
    task->tags = base_arena_array(arena, count, sizeof(*task->tags));
    if (!task->tags)
        return false;
    while (joined.ptr)
        task->tags[task->tag_count++] = base_sv_split(&joined, '\x1f');
    return true;
}

static struct time_civil local_time(const PGresult *result, int row, int column)
{
    int64_t us = pg_time_us(result, row, column);
    return time_civil_from_seconds(us >= 0 ? us / 1000000 : -((-us + 999999) / 1000000));
}

bool store_task_decode(const PGresult *r, int row, struct base_arena *arena, struct task *task)
{
    task->id = pg_id(r, row, 0);
    task->user_id = base_arena_sv(arena, pg_text(r, row, 1));
    task->version = (int32_t)pg_int(r, row, 2);
    task->status = (enum task_status)pg_int(r, row, 3);
    task->title = base_arena_sv(arena, pg_text(r, row, 4));
    task->notes = base_arena_sv(arena, pg_text(r, row, 5));
    task->priority = (int)pg_int(r, row, 6);
    struct base_sv tags = base_arena_sv(arena, pg_text(r, row, 7));
    task->project = base_arena_sv(arena, pg_text(r, row, 8));
    task->due.kind = (enum task_due_kind)pg_int(r, row, 9);
    if (task->due.kind) {
        task->due.local = local_time(r, row, 10);
        task->due.micros = (int32_t)(((pg_time_us(r, row, 10) % 1000000) + 1000000) % 1000000);
        task->due.zone = base_arena_sv(arena, pg_text(r, row, 11));
        task->due.at_us = pg_time_us(r, row, 12);
    }
    task->recurrence = base_arena_sv(arena, pg_text(r, row, 13));
    if (!pg_is_null(r, row, 14))
        task->start = local_time(r, row, 14);
    task->occurrence = (int32_t)pg_int(r, row, 15);
    if (!pg_is_null(r, row, 17))
        task->parent = pg_id(r, row, 17);
    task->created_us = pg_time_us(r, row, 18);
    task->updated_us = pg_time_us(r, row, 19);
    task->completed_us = pg_is_null(r, row, 20) ? 0 : pg_time_us(r, row, 20);
    task->deleted_us = pg_is_null(r, row, 21) ? 0 : pg_time_us(r, row, 21);
    task->has_next = !pg_is_null(r, row, 22);
    if (task->has_next)
        task->next = local_time(r, row, 22);
    return task->title.ptr && tags.ptr && split_tags(arena, tags, task) &&
           task_reminders_parse(pg_text(r, row, 16), arena, &task->reminders,
                                &task->reminder_count) == BASE_OK;
}

static void on_found(void *ctx, enum base_err err, const PGresult *result)
{
    struct find find = *(struct find *)ctx;
    free(ctx);
    struct task *tasks = NULL;
    size_t count = err == BASE_OK ? (size_t)PQntuples(result) : 0;
    if (count) {
        tasks = base_arena_array(find.arena, count, sizeof(*tasks));
        if (!tasks)
            err = BASE_NO_MEMORY;
    }
    for (size_t i = 0; err == BASE_OK && i < count; i++)
        if (!store_task_decode(result, (int)i, find.arena, &tasks[i]))
            err = BASE_NO_MEMORY;
    find.fn(find.ctx, err, err == BASE_OK ? tasks : NULL, err == BASE_OK ? count : 0);
}

/* %word% with LIKE's own characters escaped, in ASCII lower case as lower() has it for ASCII. */
static void like_word(struct pg_params *params, struct base_sv word)
{
    struct base_buf pattern;
    base_buf_init(&pattern, 2048);
    base_buf_add_char(&pattern, '%');
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        if (c == '%' || c == '_' || c == '\\')
            base_buf_add_char(&pattern, '\\');
        base_buf_add_char(&pattern, c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c);
    }
    base_buf_add_char(&pattern, '%');
    pg_array_text(params, base_buf_sv(&pattern));
    base_buf_done(&pattern);
}

static void time_or_null(struct pg_params *params, bool set, int64_t at_us)
{
    if (set)
        pg_add_time(params, at_us);
    else
        pg_add_null(params);
}

static void find_params(struct pg_params *params, const struct task_query *query)
{
    pg_add_text(params, query->user_id);
    pg_array_begin(params, PG_INT2);
    for (int status = 0; status < TASK_STATUS_COUNT; status++)
        if (query->statuses & (1u << status))
            pg_array_int(params, status);
    pg_array_end(params);
    /* What is overdue is due before now, whatever its kind. */
    bool ranged = query->has_from || query->has_to || query->overdue;
    int64_t to_us = query->has_to ? query->to_us : query->overdue ? query->overdue_us : FOR_EVER_US;
    time_or_null(params, ranged, query->has_from ? query->from_us : SINCE_EVER_US);
    time_or_null(params, ranged, to_us);
    time_or_null(params, query->overdue, query->overdue_us);
    time_or_null(params, query->overdue, query->today_local_us);
    pg_add_int4(params, query->priority);
    pg_add_text(params, query->tag);
    pg_add_text(params, query->project);
    pg_array_begin(params, PG_TEXT);
    for (size_t i = 0; i < query->word_count; i++)
        like_word(params, query->words[i]);
    pg_array_end(params);
    pg_array_begin(params, PG_UUID);
    for (size_t i = 0; i < query->id_count; i++)
        pg_array_id(params, query->ids[i]);
    pg_array_end(params);
    pg_add_int4(params, query->limit > 0 && query->limit < LIST_MAX ? query->limit : LIST_MAX);
    if (base_id_is_null(query->parent))
        pg_add_null(params);
    else
        pg_add_id(params, query->parent);
    pg_add_int4(params, query->in_notes);
    if (query->after) {
        pg_add_time(params, query->after_us);
        pg_add_id(params, query->after_id);
    }
}

static const char *way_in(const struct task_query *query)
{
    bool ranged = query->has_from || query->has_to || query->overdue;
    bool one_status = (query->statuses & (query->statuses - 1)) == 0;
    switch (query->after) {
    case TASK_AFTER_DUE:
        return "task_open_after";
    case TASK_AFTER_UNDATED:
        return "task_undated_after";
    case TASK_AFTER_CHANGE:
        return one_status ? "task_status_after" : "task_any_after";
    case TASK_AFTER_NOTHING:
        break;
    }
    if (query->id_count)
        return "task_ids";
    if (query->statuses == TASK_QUERY_OPEN && !query->newest_first)
        return ranged ? "task_due" : "task_open";
    return one_status ? "task_status" : "task_any";
}

void task_store_find(struct task_store *store, const struct task_query *query,
                     struct base_arena *arena, task_list_fn fn, void *ctx)
{
    struct find *find = malloc(sizeof(*find));
    struct pg_params *params = NULL;
    if (!find || params_new(&params) != BASE_OK) {
        free(find);
        fn(ctx, BASE_NO_MEMORY, NULL, 0);
        return;
    }
    *find = (struct find){arena, fn, ctx};
    find_params(params, query);
    store_request(store, way_in(query), params, on_found, find);
}

void task_store_was(struct task_store *store, struct base_sv user_id,
                    const struct task_version *versions, size_t count, struct base_arena *arena,
                    task_list_fn fn, void *ctx)
{
    struct find *find = malloc(sizeof(*find));
    struct pg_params *params = NULL;
    if (!find || params_new(&params) != BASE_OK) {
        free(find);
        fn(ctx, BASE_NO_MEMORY, NULL, 0);
        return;
    }
    *find = (struct find){arena, fn, ctx};
    pg_add_text(params, user_id);
    pg_array_begin(params, PG_UUID);
    for (size_t i = 0; i < count; i++)
        pg_array_id(params, versions[i].id);
    pg_array_end(params);
    pg_array_begin(params, PG_INT4);
    for (size_t i = 0; i < count; i++)
        pg_array_int(params, versions[i].version);
    pg_array_end(params);
    store_request(store, "task_was", params, on_found, find);
}

/* Users. */

struct user_request {
    struct task_store *store;
    task_user_fn fn;
    void *ctx;
    bool made;
    char user_id[132];
    size_t user_len;
    char zone[64];
    size_t zone_len;
};

static void ask_user(struct user_request *request);

static void end_user(struct user_request *request, enum base_err err, const struct task_user *user)
{
    request->fn(request->ctx, err, user);
    free(request);
}

static void on_user_made(void *ctx, enum base_err err, const PGresult *result)
{
    struct user_request *request = ctx;
    (void)result;
    request->made = true;
    if (err == BASE_OK)
        ask_user(request);
    else
        end_user(request, err, NULL);
}

static void make_user(struct user_request *request)
{
    struct pg_params *params;
    if (params_new(&params) != BASE_OK) {
        end_user(request, BASE_NO_MEMORY, NULL);
        return;
    }
    pg_add_text(params, base_sv(request->user_id, request->user_len));
    pg_add_text(params, base_sv(request->zone, request->zone_len));
    store_request(request->store, "user_new", params, on_user_made, request);
}

static void on_user(void *ctx, enum base_err err, const PGresult *r)
{
    struct user_request *request = ctx;
    if (err != BASE_OK) {
        end_user(request, err, NULL);
        return;
    }
    bool known = PQntuples(r) == 1;
    bool zone_wanted = known && request->zone_len && !pg_int(r, 0, 8);
    if (!request->made && (!known || zone_wanted || pg_is_null(r, 0, 5))) {
        make_user(request);
        return;
    }
    if (!known) {
        end_user(request, BASE_INTERNAL, NULL);
        return;
    }
    struct task_user user = {
        .zone = pg_text(r, 0, 0),
        .locale = pg_text(r, 0, 1),
        .not_before_us = pg_is_null(r, 0, 3) ? 0 : pg_time_us(r, 0, 3),
        .head = pg_int(r, 0, 4),
        .dialogue_version = pg_int(r, 0, 5),
        .dialogue_state = pg_text(r, 0, 6),
    };
    user.oldest = pg_is_null(r, 0, 7) ? user.head + 1 : pg_int(r, 0, 7);
    user.settings.default_minute = (int)pg_int(r, 0, 2);
    user.quiet =
        (struct task_quiet){(int)pg_int(r, 0, 9), (int)pg_int(r, 0, 10), pg_int(r, 0, 11) != 0};
    if (time_zone_load(user.zone, &user.settings.home) != BASE_OK)
        user.settings.home = time_zone_utc();
    end_user(request, BASE_OK, &user);
}

static void ask_user(struct user_request *request)
{
    struct pg_params *params;
    if (params_new(&params) != BASE_OK) {
        end_user(request, BASE_NO_MEMORY, NULL);
        return;
    }
    pg_add_text(params, base_sv(request->user_id, request->user_len));
    store_request(request->store, "user_get", params, on_user, request);
}

void task_store_user(struct task_store *store, struct base_sv user_id, struct base_sv zone,
                     task_user_fn fn, void *ctx)
{
    struct user_request *request = calloc(1, sizeof(*request));
    if (!request || !base_sv_cstr(user_id, request->user_id, sizeof(request->user_id)) ||
        !base_sv_cstr(zone, request->zone, sizeof(request->zone))) {
        fn(ctx, request ? BASE_INVALID : BASE_NO_MEMORY, NULL);
        free(request);
        return;
    }
    request->store = store;
    request->fn = fn;
    request->ctx = ctx;
    request->user_len = user_id.len;
    request->zone_len = zone.len;
    ask_user(request);
}

/* Events. */

struct events_request {
    task_events_fn fn;
    void *ctx;
};

static void on_events(void *ctx, enum base_err err, const PGresult *r)
{
    struct events_request request = *(struct events_request *)ctx;
    free(ctx);
    struct task_stored_event events[TASK_EVENTS_PAGE];
    size_t count = err == BASE_OK ? (size_t)PQntuples(r) : 0;
    for (size_t i = 0; i < count; i++)
        events[i] = (struct task_stored_event){pg_int(r, (int)i, 0), (int)pg_int(r, (int)i, 1),
                                               pg_text(r, (int)i, 2)};
    request.fn(request.ctx, err, events, count);
}

void task_store_events(struct task_store *store, struct base_sv user_id, int64_t after,
                       task_events_fn fn, void *ctx)
{
    struct events_request *request = malloc(sizeof(*request));
    struct pg_params *params = NULL;
    if (!request || params_new(&params) != BASE_OK) {
        free(request);
        fn(ctx, BASE_NO_MEMORY, NULL, 0);
        return;
    }
    *request = (struct events_request){fn, ctx};
    pg_add_text(params, user_id);
    pg_add_int8(params, after);
    store_request(store, "events_after", params, on_events, request);
}

/* The transcript. */

enum { HISTORY_MAX = 100 };

struct history_request {
    task_history_fn fn;
    void *ctx;
    size_t limit;
};

static void on_history(void *ctx, enum base_err err, const PGresult *r)
{
    struct history_request request = *(struct history_request *)ctx;
    free(ctx);
    struct task_line lines[HISTORY_MAX + 1];
    size_t count = err == BASE_OK ? (size_t)PQntuples(r) : 0;
    bool more = count > request.limit;
    if (more)
        count = request.limit;
    for (size_t i = 0; i < count; i++) {
        int row = (int)i;
        lines[i] = (struct task_line){.number = pg_int(r, row, 0),
                                      .device = pg_text(r, row, 1),
                                      .client_id = pg_text(r, row, 2),
                                      .text = pg_text(r, row, 3),
                                      .reply = pg_text(r, row, 4),
                                      .at_us = pg_time_us(r, row, 5)};
    }
    request.fn(request.ctx, err, lines, count, more);
}

void task_store_history(struct task_store *store, struct base_sv user_id, int64_t before,
                        int32_t limit, task_history_fn fn, void *ctx)
{
    struct history_request *request = malloc(sizeof(*request));
    struct pg_params *params = NULL;
    if (!request || params_new(&params) != BASE_OK) {
        free(request);
        fn(ctx, BASE_NO_MEMORY, NULL, 0, false);
        return;
    }
    if (limit < 1 || limit > HISTORY_MAX)
        limit = HISTORY_MAX;
    *request = (struct history_request){fn, ctx, (size_t)limit};
    pg_add_text(params, user_id);
    pg_add_int8(params, before);
    pg_add_int4(params, limit + 1);
    store_request(store, "history", params, on_history, request);
}

/* Acknowledgements. */

struct done_request {
    task_done_fn fn;
    void *ctx;
};

static void on_done(void *ctx, enum base_err err, const PGresult *result)
{
    struct done_request request = *(struct done_request *)ctx;
    (void)result;
    free(ctx);
    if (request.fn)
        request.fn(request.ctx, err);
}

void task_store_ack(struct task_store *store, struct base_sv user_id, struct base_sv device,
                    int64_t seq, task_done_fn fn, void *ctx)
{
    struct done_request *request = malloc(sizeof(*request));
    struct pg_params *params = NULL;
    if (!request || params_new(&params) != BASE_OK) {
        free(request);
        if (fn)
            fn(ctx, BASE_NO_MEMORY);
        return;
    }
    *request = (struct done_request){fn, ctx};
    pg_add_text(params, user_id);
    pg_add_text(params, device);
    pg_add_int8(params, seq);
    store_request(store, "ack", params, on_done, request);
}

static void text_or_null(struct pg_params *params, bool set, struct base_sv text)
{
    if (set)
        pg_add_text(params, text);
    else
        pg_add_null(params);
}

static void int_or_null(struct pg_params *params, bool set, int value)
{
    if (set)
        pg_add_int4(params, value);
    else
        pg_add_null(params);
}

void task_store_set_user(struct task_store *store, struct base_sv user_id,
                         const struct task_settings_patch *patch, task_done_fn fn, void *ctx)
{
    struct done_request *request = malloc(sizeof(*request));
    struct pg_params *params = NULL;
    if (!request || params_new(&params) != BASE_OK) {
        free(request);
        fn(ctx, BASE_NO_MEMORY);
        return;
    }
    *request = (struct done_request){fn, ctx};
    pg_add_text(params, user_id);
    text_or_null(params, patch->set & TASK_S_ZONE, patch->zone);
    text_or_null(params, patch->set & TASK_S_LOCALE, patch->locale);
    int_or_null(params, patch->set & TASK_S_DEFAULT_TIME, patch->default_minute);
    int_or_null(params, patch->set & TASK_S_QUIET, patch->quiet.from);
    int_or_null(params, patch->set & TASK_S_QUIET, patch->quiet.to);
    int_or_null(params, patch->set & TASK_S_QUIET, patch->quiet.urgent_passes);
    store_request(store, "user_set", params, on_done, request);
}
