/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /import: tasks of a file. First the whole file is read and every task checked, a little in each
 * turn of the loop; a mistake anywhere ends it with nothing stored. Then the tasks are stored in
 * chunks, each a turn of the user with its own idempotency key, so that others' commands go in
 * between, and that an import which was cut off can be sent again: what is there is not made twice,
 * because a task's id follows from its user and its name in the file.
 */
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/exchange/reader.h"
#include "gateway/http/asker.h"
#include "gateway/http/body.h"
#include "gateway/http/change.h"
#include "gateway/rules.h"
#include "lib/base/json.h"
#include "tasks/store/record.h"

enum {
    CHECKED_AT_ONCE = 100,
    CHUNK = 100,
    CHUNK_BYTES = 256 * 1024,
    TASKS_MAX = 1000000,
    ARENA_MAX = 4 * 1024 * 1024,
    KEY_MAX = 48
};

struct import {
    struct gw_asker by;
    struct base_timer *timer;
    struct gw_reader reader;
    struct base_arena arena; /* of one task that is checked */
    char key[KEY_MAX + 1];   /* of this request */
    uint64_t content;        /* stands for the file */
    /* Every task's id so far, by which a second one of the same name is found. */
    struct base_id *seen;
    size_t seen_room; /* a power of two, more than twice count */
    size_t count;
    size_t made, there;
    int chunk;
    /* The chunk under way: where it begins and ends in the file. */
    size_t from, from_line, to, to_line;
    bool begun_before;
};

static void end(void *self)
{
    struct import *import = self;
    base_timer_free(import->timer);
    base_arena_done(&import->arena);
    free(import->seen);
}

static void fail(struct import *import, enum base_err err, size_t line, const char *field,
                 const char *why)
{
    char detail[400];
    (void)snprintf(detail, sizeof(detail), "line %zu: %s", line, why ? why : base_err_text(err));
    gw_call_problem(import->by.call, err, field, detail);
    gw_asker_end(import);
}

/* What the words of a due date mean; false: nothing. */
static bool understand(struct import *import, const struct gw_item *item, struct base_arena *arena,
                       struct task_patch *patch)
{
    struct gw_worker *worker = import->by.call->worker;
    struct nlu_result result;
    struct nlu_input input = {.text = base_sv_from(item->said),
                              .now_us = gw_now_us(worker),
                              .zone = import->by.user->settings.home,
                              .expect = NLU_EXPECT_TIME,
                              .locale = base_sv_from(item->language)};
    if (item->zone[0] && time_zone_load(base_sv_from(item->zone), &input.zone) != BASE_OK)
        return false;
    if (nlu_parse(worker->parser->nlu, worker->parser->scratch, &input, arena, &result) !=
            BASE_OK ||
        result.command_count == 0)
        return false;
    const struct nlu_fields *fields = &result.commands[0].fields;
    if (!fields->due.set && !fields->rrule.len)
        return false;
    if (fields->due.set) {
        patch->set |= TASK_F_DUE;
        patch->due.local = fields->due.at;
        patch->due.kind = !fields->due.has_time ? TASK_DUE_DATE
                          : item->zone[0]       ? TASK_DUE_ZONED
                                                : TASK_DUE_FLOATING;
        if (patch->due.kind == TASK_DUE_ZONED)
            patch->due.zone = base_sv_from(time_zone_name(input.zone));
    }
    if (fields->rrule.len) {
        struct base_buf pattern;
        base_buf_init(&pattern, 2048);
        base_json_open(&pattern, '{');
        base_json_kv_str(&pattern, "frequency", SV("custom"));
        base_json_kv_str(&pattern, "rrule", fields->rrule);
        base_json_close(&pattern, '}');
        patch->set |= TASK_F_RECURRENCE;
        patch->recurrence = base_arena_sv(arena, base_buf_sv(&pattern));
        base_buf_done(&pattern);
    }
    return true;
}

/* A version 8 UUID (RFC 9562 5.8) of the user and the task's name; without one, of its place: the
 * item was read just now. */
static struct base_id id_of(const struct import *import, const struct gw_item *item)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct base_id id;
    struct base_buf name;
    base_buf_init(&name, 1024);
    base_buf_add(&name, import->by.user->id);
    base_buf_add_char(&name, '\n');
    if (item->uid[0])
        base_buf_add_c(&name, item->uid);
    else
        base_buf_addf(&name, "%016" PRIx64 "\n%zu", import->content, import->reader.at);
    (void)EVP_Digest(name.data, name.len, digest, NULL, EVP_sha256(), NULL);
    base_buf_done(&name);
    memcpy(id.bytes, digest, sizeof(id.bytes));
    id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x80);
    id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
    return id;
}

/* The item as a new task. Fields stay the item's. */
static enum base_err make(struct import *import, const struct task_context *ctx,
                          const struct gw_item *item, struct base_id id,
                          struct task_change *ret_change, struct task_problem *problem)
{
    struct task_patch patch;
    bool has_time;
    enum base_err err = gw_body_patch(item->fields, ctx->arena, &patch, problem);
    if (err != BASE_OK)
        return err;
    if (item->said[0] && !understand(import, item, ctx->arena, &patch)) {
        *problem = (struct task_problem){"due_date",
                                         "the words of the date, or its zone, are not understood"};
        return BASE_UNPROCESSABLE;
    }
    if (item->due_us) {
        const struct time_zone *home = import->by.user->settings.home;
        patch.set |= TASK_F_DUE;
        patch.due.local = time_zone_civil(home, item->due_us);
        patch.due.kind = item->due_has_time ? TASK_DUE_ZONED : TASK_DUE_DATE;
        patch.due.zone = item->due_has_time ? base_sv_from(time_zone_name(home)) : SV_NULL;
        if (!item->due_has_time)
            patch.due.local.hour = patch.due.local.minute = patch.due.local.second = 0;
    }
    struct task_imported imported = {.id = id,
                                     .done = item->done,
                                     .created_us = item->created_us,
                                     .completed_us = item->completed_us};
    imported.has_due =
        item->due[0] && time_civil_parse(base_sv_from(item->due), &imported.due.local, &has_time);
    imported.due.kind = imported.has_due && !has_time ? TASK_DUE_DATE : patch.due.kind;
    return task_import(ctx, &patch, &imported, ret_change, problem);
}

/* Storing. */

static void store_next(struct import *import);

static void on_stored(struct gw_turn *turn, enum base_err err, struct base_sv reply)
{
    struct import *import = turn->answer_ctx;
    if (err != BASE_OK) {
        gw_call_problem(import->by.call, err, turn->problem.field, turn->problem.text);
        gw_asker_end(import);
        return;
    }
    json_t *counts = json_loadb(reply.ptr, reply.len, 0, NULL);
    import->made += (size_t)json_integer_value(json_object_get(counts, "imported"));
    import->there += (size_t)json_integer_value(json_object_get(counts, "already_there"));
    json_decref(counts);
    /* A chunk that was stored before was not read now. */
    import->from = import->to;
    import->from_line = import->to_line;
    store_next(import);
}

static void rewind_to_chunk(struct import *import)
{
    import->reader.at = import->from;
    import->reader.line = import->from_line;
    import->reader.begun = import->begun_before;
}

static enum gw_step failed(struct gw_turn *turn, enum base_err err)
{
    turn->failure = err;
    return GW_ANSWERED;
}

struct chunk {
    struct task_change changes[CHUNK];
    struct base_id ids[CHUNK];
    json_t *items[CHUNK]; /* what the changes point into */
    size_t count;
};

static void done(struct gw_turn *turn)
{
    struct chunk *chunk = turn->plan_state;
    for (size_t i = 0; chunk && i < chunk->count; i++)
        json_decref(chunk->items[i]);
}

static enum gw_step begin(struct gw_turn *turn)
{
    struct import *import = turn->plan_input;
    struct chunk *chunk = BASE_ARENA_NEW(&turn->work, struct chunk);
    turn->intent = "import";
    turn->keep_dialogue = true;
    turn->plan_state = chunk;
    turn->query = BASE_ARENA_NEW(&turn->work, struct task_query);
    if (!chunk || !turn->query)
        return failed(turn, BASE_NO_MEMORY);
    rewind_to_chunk(import);
    while (import->reader.at < import->to && chunk->count < CHUNK) {
        struct gw_item item;
        enum base_err err = gw_reader_next(&import->reader, &item);
        if (err != BASE_OK)
            return failed(turn, err);
        size_t i = chunk->count++;
        chunk->items[i] = item.fields;
        chunk->ids[i] = id_of(import, &item);
        err = make(import, &turn->ctx, &item, chunk->ids[i], &chunk->changes[i], &turn->problem);
        if (err != BASE_OK)
            return failed(turn, err);
    }
    *turn->query =
        (struct task_query){.user_id = turn->user->id,
                            .statuses = TASK_QUERY_OPEN | TASK_QUERY_DONE | TASK_QUERY_DELETED,
                            .ids = chunk->ids,
                            .id_count = chunk->count,
                            .limit = CHUNK};
    return GW_FIND;
}

static enum gw_step found(struct gw_turn *turn, struct task *tasks, size_t count)
{
    struct chunk *chunk = turn->plan_state;
    size_t kept = 0;
    for (size_t i = 0; i < chunk->count; i++) {
        bool there = false;
        for (size_t k = 0; k < count && !there; k++)
            there = base_id_eq(tasks[k].id, chunk->ids[i]);
        if (!there)
            chunk->changes[kept++] = chunk->changes[i];
    }
    turn->changes = chunk->changes;
    turn->change_count = kept;
    base_json_open(&turn->reply, '{');
    base_json_kv_int(&turn->reply, "imported", (int64_t)kept);
    base_json_kv_int(&turn->reply, "already_there", (int64_t)(chunk->count - kept));
    base_json_close(&turn->reply, '}');
    return GW_ANSWERED;
}

static const struct gw_plan import_plan = {.begin = begin, .found = found, .done = done};

static void answer_counts(struct gw_call *call, int64_t imported, int64_t there)
{
    struct base_buf buf;
    base_buf_init(&buf, 256);
    base_json_open(&buf, '{');
    base_json_kv_int(&buf, "imported", imported);
    base_json_kv_int(&buf, "already_there", there);
    base_json_close(&buf, '}');
    gw_call_json(call, 200, base_buf_sv(&buf), NULL, 0);
    base_buf_done(&buf);
}

static void answer(struct import *import)
{
    answer_counts(import->by.call, (int64_t)import->made, (int64_t)import->there);
    gw_asker_end(import);
}

/* Where the next chunk ends. */
static size_t measure_chunk(struct import *import)
{
    size_t count = 0;
    struct gw_item item;
    rewind_to_chunk(import);
    while (count < CHUNK && import->reader.at - import->from < CHUNK_BYTES &&
           gw_reader_next(&import->reader, &item) == BASE_OK) {
        json_decref(item.fields);
        count++;
        import->to = import->reader.at;
        import->to_line = import->reader.line;
    }
    return count;
}

static void store_next(struct import *import)
{
    char id[KEY_MAX + 16];
    import->begun_before = import->chunk > 0;
    if (measure_chunk(import) == 0) {
        answer(import);
        return;
    }
    struct gw_turn *turn = gw_turn_new(import->by.call->worker, import->by.user, &import_plan);
    if (!turn) {
        fail(import, BASE_NO_MEMORY, import->from_line, NULL, NULL);
        return;
    }
    (void)snprintf(id, sizeof(id), "%s:%d", import->key, import->chunk++);
    turn->channel = TASK_CHANNEL_REST;
    turn->device = SV(":import");
    turn->client_id = gw_turn_keep(turn, base_sv_from(id));
    turn->at_us = gw_now_us(import->by.call->worker);
    gw_turn_trace(turn, SV_NULL);
    turn->hash = gw_content_hash(base_sv_sub(import->reader.text, import->from, import->to));
    turn->token_us = import->by.call->token_us;
    turn->plan_input = import;
    turn->answer = on_stored;
    turn->answer_ctx = import;
    gw_turn_submit(turn);
}

/* Checking. */

static bool grow_seen(struct import *import)
{
    size_t room = import->seen_room ? import->seen_room * 2 : 256;
    struct base_id *seen = calloc(room, sizeof(*seen));
    if (!seen)
        return false;
    for (size_t i = 0; i < import->seen_room; i++) {
        if (base_id_is_null(import->seen[i]))
            continue;
        size_t at = import->seen[i].bytes[0] | (size_t)import->seen[i].bytes[1] << 8 |
                    (size_t)import->seen[i].bytes[2] << 16;
        while (!base_id_is_null(seen[at & (room - 1)]))
            at++;
        seen[at & (room - 1)] = import->seen[i];
    }
    free(import->seen);
    import->seen = seen;
    import->seen_room = room;
    return true;
}

/* OK, CONFLICT: it was there already, or NO_MEMORY. */
static enum base_err see(struct import *import, struct base_id id)
{
    if (import->count * 2 >= import->seen_room && !grow_seen(import))
        return BASE_NO_MEMORY;
    size_t at = id.bytes[0] | (size_t)id.bytes[1] << 8 | (size_t)id.bytes[2] << 16;
    for (; !base_id_is_null(import->seen[at & (import->seen_room - 1)]); at++)
        if (base_id_eq(import->seen[at & (import->seen_room - 1)], id))
            return BASE_CONFLICT;
    import->seen[at & (import->seen_room - 1)] = id;
    return BASE_OK;
}

/* False: it ended. */
static bool check_one(struct import *import)
{
    struct gw_item item;
    struct task_change change;
    struct task_problem problem = {0};
    enum base_err err = gw_reader_next(&import->reader, &item);
    if (err == BASE_NOT_FOUND) {
        import->from_line = 1;
        store_next(import);
        return false;
    }
    if (err != BASE_OK) {
        fail(import, BASE_UNPROCESSABLE, import->reader.wrong_line, NULL, import->reader.why);
        return false;
    }
    struct base_id id = id_of(import, &item);
    struct task_context ctx = {.user_id = import->by.user->id,
                               .now_us = gw_now_us(import->by.call->worker),
                               .settings = import->by.user->settings,
                               .arena = &import->arena};
    base_arena_reset(&import->arena);
    err = make(import, &ctx, &item, id, &change, &problem);
    json_decref(item.fields);
    if (err == BASE_OK && import->count == TASKS_MAX) {
        err = BASE_TOO_LARGE;
        problem.text = "a file has at most 1,000,000 tasks";
    }
    if (err == BASE_OK && (err = see(import, id)) == BASE_CONFLICT) {
        err = BASE_UNPROCESSABLE;
        problem.text = "a task of this id came before";
    }
    import->count++;
    if (err != BASE_OK)
        fail(import, err, item.line, problem.field, problem.text);
    return err == BASE_OK;
}

static void check(void *ctx)
{
    struct import *import = ctx;
    for (int i = 0; i < CHECKED_AT_ONCE; i++)
        if (!check_one(import))
            return;
    base_timer_start(import->timer, 0);
}

static void go(void *self)
{
    check(self);
}

void gw_http_import(struct gw_call *call)
{
    struct base_sv name = net_request_arg(call->req, SV("format"));
    struct base_sv key = net_request_header(call->req, SV("idempotency-key"));
    const struct gw_format *format =
        gw_format_find(name.ptr ? name : net_request_header(call->req, SV("content-type")));
    if (!format) {
        gw_call_problem(call, BASE_MEDIA_TYPE, NULL,
                        "send application/json, text/calendar, or text/csv (Todoist)");
        return;
    }
    struct import *import = gw_asker_new(call, sizeof(*import), go, end);
    if (!import)
        return;
    base_arena_init(&import->arena, ARENA_MAX);
    struct base_sv body = net_request_body(call->req);
    gw_reader_init(&import->reader, format, base_sv(body.ptr ? body.ptr : "", body.len));
    import->content = base_sv_hash(import->reader.text, 0);
    if (!key.len)
        base_id_text(base_id_new(gw_now_us(call->worker)), import->key);
    if (key.len && !base_sv_cstr(key, import->key, sizeof(import->key)))
        gw_asker_fail(import, BASE_INVALID, NULL,
                      "the Idempotency-Key of an import has at most 48 characters");
    else if (base_timer_new(call->worker->base, check, import, &import->timer) != BASE_OK)
        gw_asker_fail(import, BASE_NO_MEMORY, NULL, NULL);
    else
        gw_asker_begin(import, true);
}

static void on_progress(void *ctx, enum base_err err, int64_t imported, int64_t there)
{
    struct gw_asker *asker = ctx;
    if (err == BASE_OK)
        answer_counts(asker->call, imported, there);
    else
        gw_call_problem(asker->call, err, NULL,
                        err == BASE_NOT_FOUND ? "nothing of such an import is stored" : NULL);
    gw_asker_end(asker);
}

static void ask_progress(void *self)
{
    struct gw_asker *asker = self;
    task_store_import_progress(asker->call->worker->store, asker->user->id, asker->call->id,
                               on_progress, asker);
}

void gw_http_import_progress(struct gw_call *call)
{
    struct gw_asker *asker = gw_asker_new(call, sizeof(*asker), ask_progress, NULL);
    if (asker)
        gw_asker_begin(asker, false);
}
