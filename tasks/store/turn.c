/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Committing turns in batches. One statement does it all: it locks the tasks and dialogues that are
 * to change in ascending order, leaves out the turns whose view of them is stale, takes the
 * idempotency keys, and writes tasks, firings, occurrences, dialogue and outbox for those that got
 * theirs. What comes back are the turns that are new; the others were either seen before (their
 * stored reply is read) or stale. A batch that fails as a whole is tried again turn by turn, so
 * that one bad turn harms only itself.
 */
#include <assert.h>
#include <stdlib.h>

#include "tasks/store/store_private.h"

enum { BATCH = 256 };

#define COMMIT_SQL                                                                                 \
    "WITH t AS MATERIALIZED (SELECT * FROM unnest($1::text[],$2::text[],$3::text[],$4::int8[],"    \
    "$5::int2[],$6::timestamptz[],$7::text[],$8::text[],$9::int8[],$10::text[]) WITH ORDINALITY"   \
    " AS t(user_id,device,client_id,hash,channel,at,text,reply,dlg,state,ord)),"                   \
    "w AS MATERIALIZED (SELECT * FROM unnest($11::int8[],$12::uuid[],$13::int4[],$14::int2[],"     \
    "$15::text[],$16::text[],$17::int2[],$18::text[],$19::text[],$20::int2[],$21::timestamp[],"    \
    "$22::text[],$23::timestamptz[],$24::text[],$25::timestamp[],$26::int4[],$27::text[],"         \
    "$28::uuid[],$29::timestamptz[],$30::timestamptz[],$31::timestamptz[],$32::timestamptz[],"     \
    "$33::bool[],$34::int2[],$35::timestamp[],$36::timestamptz[],$37::int4[],$49::timestamp[],"    \
    "$50::timestamptz[])"                                                                          \
    " AS w(turn,id,expect,status,title,notes,priority,tags,project,due_kind,due_local,due_zone,"   \
    "due_at,recurrence,start_local,occurrence,reminders,parent_id,created_at,updated_at,"          \
    "completed_at,deleted_at,refire,outcome,was_local,was_at,was_occurrence,"                      \
    "next_local,review_at)),"                                                                      \
    "held AS MATERIALIZED (SELECT id,version,user_id FROM tasks WHERE id=ANY($44::uuid[])"         \
    " ORDER BY id FOR NO KEY UPDATE),"                                                             \
    "dheld AS MATERIALIZED (SELECT user_id,version FROM dialogue WHERE user_id=ANY($45::text[])"   \
    " ORDER BY user_id FOR NO KEY UPDATE),"                                                        \
    "stale AS MATERIALIZED (SELECT w.turn FROM w JOIN t ON t.ord=w.turn LEFT JOIN held h"          \
    " ON h.id=w.id AND h.version=w.expect AND h.user_id=t.user_id"                                 \
    " WHERE w.expect>0 AND h.id IS NULL"                                                           \
    " UNION ALL SELECT t.ord FROM t LEFT JOIN dheld d ON d.user_id=t.user_id"                      \
    " WHERE t.dlg>=0 AND d.version IS DISTINCT FROM t.dlg),"                                       \
    "i AS MATERIALIZED (INSERT INTO turn(user_id,device,client_id,hash,channel,at,text,reply)"     \
    " SELECT user_id,device,client_id,hash,channel,at,text,reply FROM t"                           \
    " WHERE NOT EXISTS (SELECT FROM stale s WHERE s.turn=t.ord)"                                   \
    " ORDER BY user_id,device,client_id ON CONFLICT DO NOTHING"                                    \
    " RETURNING user_id,device,client_id),"                                                        \
    "f AS MATERIALIZED (SELECT t.ord,t.user_id,t.dlg,t.state,t.channel,t.device,t.client_id FROM " \
    "t"                                                                                            \
    " JOIN i USING (user_id,device,client_id)),"                                                   \
    "n AS MATERIALIZED (SELECT w.*,f.user_id,f.channel,f.device,f.client_id"                       \
    " FROM w JOIN f ON f.ord=w.turn),"                                                             \
    "ins AS (INSERT INTO tasks(id,user_id,version,status,title,notes,priority,tags,project,"       \
    "due_kind,due_local,due_zone,due_at,recurrence,start_local,occurrence,reminders,parent_id,"    \
    "created_at,updated_at,completed_at,deleted_at,next_local,review_at,by_channel,by_device,"     \
    "by_id) SELECT "                                                                               \
    "id,user_id,1,status,title,notes,"                                                             \
    "priority,string_to_array(tags,E'\\x1f'),project,due_kind,due_local,due_zone,due_at,"          \
    "recurrence::jsonb,start_local,occurrence,reminders::jsonb,parent_id,created_at,updated_at,"   \
    "completed_at,deleted_at,next_local,review_at,channel,device,client_id FROM n WHERE "          \
    "expect=0),"                                                                                   \
    "upd AS (UPDATE tasks k SET version=n.expect+1,status=n.status,title=n.title,notes=n.notes,"   \
    "priority=n.priority,tags=string_to_array(n.tags,E'\\x1f'),project=n.project,"                 \
    "due_kind=n.due_kind,due_local=n.due_local,due_zone=n.due_zone,due_at=n.due_at,"               \
    "recurrence=n.recurrence::jsonb,start_local=n.start_local,occurrence=n.occurrence,"            \
    "reminders=n.reminders::jsonb,parent_id=n.parent_id,updated_at=n.updated_at,"                  \
    "completed_at=n.completed_at,deleted_at=n.deleted_at,next_local=n.next_local,"                 \
    "review_at=n.review_at,by_channel=n.channel,by_device=n.device,by_id=n.client_id FROM n"       \
    " WHERE k.id=n.id AND n.expect>0 AND k.id=ANY($44::uuid[])),"                                  \
    "hist AS (INSERT INTO task_history(task_id,version,user_id,at,data) SELECT k.id,k.version,"    \
    "k.user_id,n.updated_at,to_jsonb(k) FROM tasks k JOIN n ON k.id=n.id"                          \
    " WHERE n.expect>0 AND k.id=ANY($44::uuid[]) ON CONFLICT DO NOTHING),"                         \
    "unf AS (DELETE FROM reminder_fire r USING n WHERE r.task_id=n.id AND n.refire AND n.expect>0" \
    " AND r.task_id=ANY($44::uuid[])),"                                                            \
    "fire AS (INSERT INTO reminder_fire(reminder_id,occurrence,repeat,task_id,user_id,fire_at,"    \
    "nag_s,rank) SELECT x.reminder,x.occurrence,x.repeat,x.task,f.user_id,x.at,x.nag,x.rank"       \
    " FROM unnest($38::int8[],$39::uuid[],$40::uuid[],$41::int4[],$42::int4[],$43::timestamptz[]," \
    "$51::int4[],$52::int2[]) AS x(turn,task,reminder,occurrence,repeat,at,nag,rank) JOIN f ON "   \
    "f.ord=x.turn ON CONFLICT DO "                                                                 \
    "NOTHING),"                                                                                    \
    "occ AS (INSERT INTO task_occurrence(task_id,occurrence,due_local,due_at,outcome,at)"          \
    " SELECT id,was_occurrence,was_local,was_at,outcome,updated_at FROM n WHERE outcome>0"         \
    " ON CONFLICT DO NOTHING),"                                                                    \
    "talk AS (UPDATE dialogue d SET version=f.dlg+1,state=f.state,updated_at=now() FROM f"         \
    " WHERE d.user_id=f.user_id AND f.dlg>=0 AND d.user_id=ANY($45::text[])),"                     \
    "ev AS (INSERT INTO outbox(user_id,type,payload) SELECT f.user_id,e.type,e.payload"            \
    " FROM unnest($46::int8[],$47::int2[],$48::text[]) WITH ORDINALITY AS e(turn,type,payload,nr)" \
    " JOIN f ON f.ord=e.turn ORDER BY e.nr) "                                                      \
    "SELECT ord FROM f"

#define STORED_SQL                                                                                 \
    "SELECT hash,reply FROM turn WHERE user_id=$1::text AND device=$2::text AND "                  \
    "client_id=$3::text"

const struct pg_statement store_turn_statements[STORE_TURN_STATEMENTS] = {
    {"turn_commit", COMMIT_SQL},
    {"turn_stored", STORED_SQL},
};

struct batch {
    struct store_turns *turns;
    struct pg_params *params;
    struct task_turn *members[BATCH];
    size_t count;
    bool in_flight;
};

struct store_turns {
    struct task_store *store;
    struct task_turn *first;
    struct task_turn **last;
    size_t pending;
    struct batch batches[STORE_CONNECTIONS];
    struct base_buf scratch;
};

static void turn_end(struct store_turns *turns, struct task_turn *turn, enum base_err err,
                     struct base_sv stored_reply)
{
    turns->pending--;
    turn->done(turn->done_ctx, err, stored_reply);
}

static void push_back(struct store_turns *turns, struct task_turn *turn)
{
    turn->next = NULL;
    *turns->last = turn;
    turns->last = &turn->next;
}

/* Parameters. Each add_* fills one array over the whole batch; PARAM_* walk what a row belongs to.
 */

#define EACH_TURN(batch, t)                                                                        \
    for (size_t i_ = 0; i_ < (batch)->count; i_++)                                                 \
        for (const struct task_turn *t = (batch)->members[i_]; t; t = NULL)

#define EACH_CHANGE(batch, t, c)                                                                   \
    EACH_TURN(batch, t)                                                                            \
    for (const struct task_change *c = t->changes; c < t->changes + t->change_count; c++)

#define TURN_ARRAY(params, batch, type, add)                                                       \
    do {                                                                                           \
        pg_array_begin((params), (type));                                                          \
        EACH_TURN(batch, t)                                                                        \
        {                                                                                          \
            add;                                                                                   \
        }                                                                                          \
        pg_array_end(params);                                                                      \
    } while (0)

#define CHANGE_ARRAY(params, batch, type, add)                                                     \
    do {                                                                                           \
        pg_array_begin((params), (type));                                                          \
        EACH_CHANGE(batch, t, c)                                                                   \
        {                                                                                          \
            const struct task *k = c->after;                                                       \
            (void)k;                                                                               \
            add;                                                                                   \
        }                                                                                          \
        pg_array_end(params);                                                                      \
    } while (0)

static int64_t ord_of(const struct batch *batch, size_t i)
{
    (void)batch;
    return (int64_t)i + 1;
}

static void turn_params(struct pg_params *p, const struct batch *b)
{
    TURN_ARRAY(p, b, PG_TEXT, pg_array_text(p, t->user_id));
    TURN_ARRAY(p, b, PG_TEXT, pg_array_text(p, t->device));
    TURN_ARRAY(p, b, PG_TEXT, pg_array_text(p, t->client_id));
    TURN_ARRAY(p, b, PG_INT8, pg_array_int(p, (int64_t)t->hash));
    TURN_ARRAY(p, b, PG_INT2, pg_array_int(p, t->channel));
    TURN_ARRAY(p, b, PG_TIMESTAMPTZ, pg_array_time(p, t->at_us));
    TURN_ARRAY(p, b, PG_TEXT, pg_array_text(p, t->text));
    TURN_ARRAY(p, b, PG_TEXT, pg_array_text(p, t->reply));
    TURN_ARRAY(p, b, PG_INT8, pg_array_int(p, t->dialogue_version));
    TURN_ARRAY(p, b, PG_TEXT, pg_array_text(p, t->dialogue_state));
}

static void text_or_null(struct pg_params *p, struct base_sv text)
{
    if (text.len)
        pg_array_text(p, text);
    else
        pg_array_null(p);
}

static void time_or_null(struct pg_params *p, bool set, int64_t at_us)
{
    if (set)
        pg_array_time(p, at_us);
    else
        pg_array_null(p);
}

static void add_tags(struct store_turns *turns, struct pg_params *p, const struct task *task)
{
    base_buf_reset(&turns->scratch);
    for (size_t i = 0; i < task->tag_count; i++) {
        if (i)
            base_buf_add_char(&turns->scratch, '\x1f');
        base_buf_add(&turns->scratch, task->tags[i]);
    }
    pg_array_text(p, base_buf_sv(&turns->scratch));
}

static void add_reminders(struct store_turns *turns, struct pg_params *p, const struct task *task)
{
    base_buf_reset(&turns->scratch);
    task_reminders_json(&turns->scratch, task, true);
    pg_array_text(p, base_buf_sv(&turns->scratch));
}

static int64_t local_us(struct time_civil civil)
{
    return time_civil_seconds(civil) * 1000000;
}

static int64_t due_us(const struct task_due *due)
{
    return local_us(due->local) + due->micros;
}

static void change_params(struct store_turns *turns, struct pg_params *p, const struct batch *b)
{
    CHANGE_ARRAY(p, b, PG_INT8, pg_array_int(p, ord_of(b, i_)));
    CHANGE_ARRAY(p, b, PG_UUID, pg_array_id(p, k->id));
    CHANGE_ARRAY(p, b, PG_INT4, pg_array_int(p, c->before ? c->before->version : 0));
    CHANGE_ARRAY(p, b, PG_INT2, pg_array_int(p, k->status));
    CHANGE_ARRAY(p, b, PG_TEXT, pg_array_text(p, k->title));
    CHANGE_ARRAY(p, b, PG_TEXT, pg_array_text(p, k->notes));
    CHANGE_ARRAY(p, b, PG_INT2, pg_array_int(p, k->priority));
    CHANGE_ARRAY(p, b, PG_TEXT, add_tags(turns, p, k));
    CHANGE_ARRAY(p, b, PG_TEXT, pg_array_text(p, k->project));
    CHANGE_ARRAY(p, b, PG_INT2, pg_array_int(p, k->due.kind));
    CHANGE_ARRAY(p, b, PG_TIMESTAMP, time_or_null(p, k->due.kind, due_us(&k->due)));
    CHANGE_ARRAY(p, b, PG_TEXT, text_or_null(p, k->due.zone));
    CHANGE_ARRAY(p, b, PG_TIMESTAMPTZ, time_or_null(p, k->due.kind, k->due.at_us));
    CHANGE_ARRAY(p, b, PG_TEXT, text_or_null(p, k->recurrence));
    CHANGE_ARRAY(p, b, PG_TIMESTAMP, time_or_null(p, k->recurrence.len > 0, local_us(k->start)));
    CHANGE_ARRAY(p, b, PG_INT4, pg_array_int(p, k->occurrence));
    CHANGE_ARRAY(p, b, PG_TEXT, add_reminders(turns, p, k));
    CHANGE_ARRAY(p, b, PG_UUID,
                 base_id_is_null(k->parent) ? pg_array_null(p) : pg_array_id(p, k->parent));
    CHANGE_ARRAY(p, b, PG_TIMESTAMPTZ, pg_array_time(p, k->created_us));
    CHANGE_ARRAY(p, b, PG_TIMESTAMPTZ, pg_array_time(p, k->updated_us));
    CHANGE_ARRAY(p, b, PG_TIMESTAMPTZ, time_or_null(p, k->completed_us, k->completed_us));
    CHANGE_ARRAY(p, b, PG_TIMESTAMPTZ, time_or_null(p, k->deleted_us, k->deleted_us));
    CHANGE_ARRAY(p, b, PG_BOOL, pg_array_int(p, c->refire));
    CHANGE_ARRAY(p, b, PG_INT2, pg_array_int(p, c->outcome));
    CHANGE_ARRAY(
        p, b, PG_TIMESTAMP,
        time_or_null(p, c->before && c->before->due.kind, c->before ? due_us(&c->before->due) : 0));
    CHANGE_ARRAY(
        p, b, PG_TIMESTAMPTZ,
        time_or_null(p, c->before && c->before->due.kind, c->before ? c->before->due.at_us : 0));
    CHANGE_ARRAY(p, b, PG_INT4, pg_array_int(p, c->before ? c->before->occurrence : 0));
}

#define FIRE_ARRAY(params, batch, type, add)                                                       \
    do {                                                                                           \
        pg_array_begin((params), (type));                                                          \
        EACH_CHANGE(batch, t, c)                                                                   \
        for (const struct task_fire *x = c->fires; x < c->fires + c->fire_count; x++) {            \
            add;                                                                                   \
        }                                                                                          \
        pg_array_end(params);                                                                      \
    } while (0)

static void fire_params(struct pg_params *p, const struct batch *b)
{
    FIRE_ARRAY(p, b, PG_INT8, pg_array_int(p, ord_of(b, i_)));
    FIRE_ARRAY(p, b, PG_UUID, pg_array_id(p, c->after->id));
    FIRE_ARRAY(p, b, PG_UUID, pg_array_id(p, x->reminder_id));
    FIRE_ARRAY(p, b, PG_INT4, pg_array_int(p, x->occurrence));
    FIRE_ARRAY(p, b, PG_INT4, pg_array_int(p, x->repeat));
    FIRE_ARRAY(p, b, PG_TIMESTAMPTZ, pg_array_time(p, x->at_us));
}

/* What came after the others in time stands after them in the statement. */
static void derived_params(struct pg_params *p, const struct batch *b)
{
    CHANGE_ARRAY(p, b, PG_TIMESTAMP, time_or_null(p, k->has_next, local_us(k->next)));
    CHANGE_ARRAY(p, b, PG_TIMESTAMPTZ, time_or_null(p, k->review_us, k->review_us));
    FIRE_ARRAY(p, b, PG_INT4, pg_array_int(p, x->nag_s));
    FIRE_ARRAY(p, b, PG_INT2, pg_array_int(p, TASK_PRIORITY_MAX - c->after->priority));
}

static void lock_params(struct pg_params *p, const struct batch *b)
{
    pg_array_begin(p, PG_UUID);
    EACH_CHANGE(b, t, c)
    {
        if (c->before)
            pg_array_id(p, c->before->id);
    }
    pg_array_end(p);
    pg_array_begin(p, PG_TEXT);
    EACH_TURN(b, t)
    {
        if (t->dialogue_version >= 0)
            pg_array_text(p, t->user_id);
    }
    pg_array_end(p);
}

enum event_column { EVENT_TURN, EVENT_TYPE, EVENT_PAYLOAD };

static void event_cell(struct pg_params *p, enum event_column column, int64_t ord,
                       const struct task_event_row *event)
{
    if (column == EVENT_PAYLOAD)
        pg_array_text(p, event->payload);
    else
        pg_array_int(p, column == EVENT_TURN ? ord : event->type);
}

static void event_array(struct pg_params *p, const struct batch *b, enum pg_type type,
                        enum event_column column)
{
    pg_array_begin(p, type);
    for (size_t i = 0; i < b->count; i++) {
        const struct task_turn *t = b->members[i];
        for (size_t k = 0; k < t->change_count; k++)
            for (size_t e = 0; e < t->changes[k].event_count; e++)
                event_cell(p, column, ord_of(b, i), &t->changes[k].events[e]);
        for (size_t e = 0; e < t->event_count; e++)
            event_cell(p, column, ord_of(b, i), &t->events[e]);
    }
    pg_array_end(p);
}

static void build(struct store_turns *turns, struct batch *batch)
{
    struct pg_params *p = batch->params;
    pg_params_reset(p);
    turn_params(p, batch);
    change_params(turns, p, batch);
    fire_params(p, batch);
    lock_params(p, batch);
    event_array(p, batch, PG_INT8, EVENT_TURN);
    event_array(p, batch, PG_INT2, EVENT_TYPE);
    event_array(p, batch, PG_TEXT, EVENT_PAYLOAD);
    derived_params(p, batch);
}

/* A turn that was not new: its reply of then, or stale. */

struct lookup {
    struct store_turns *turns;
    struct task_turn *turn;
};

static void on_stored(void *ctx, enum base_err err, const PGresult *result)
{
    struct lookup *lookup = ctx;
    struct base_sv reply = SV_NULL;
    if (err == BASE_OK && PQntuples(result) == 0)
        err = BASE_STALE;
    else if (err == BASE_OK && (uint64_t)pg_int(result, 0, 0) != lookup->turn->hash)
        err = BASE_ID_REUSED;
    else if (err == BASE_OK)
        reply = pg_text(result, 0, 1);
    turn_end(lookup->turns, lookup->turn, err, reply);
    free(lookup);
}

static void look_up(struct store_turns *turns, struct task_turn *turn)
{
    struct lookup *lookup = malloc(sizeof(*lookup));
    struct pg_params *params = NULL;
    if (!lookup || pg_params_new(STORE_REQUEST_MAX, &params) != BASE_OK) {
        free(lookup);
        turn_end(turns, turn, BASE_NO_MEMORY, SV_NULL);
        return;
    }
    *lookup = (struct lookup){turns, turn};
    pg_add_text(params, turn->user_id);
    pg_add_text(params, turn->device);
    pg_add_text(params, turn->client_id);
    store_request(turns->store, "turn_stored", params, on_stored, lookup);
}

static void settle(struct batch *batch, const PGresult *result)
{
    bool fresh[BATCH] = {false};
    struct store_turns *turns = batch->turns;
    struct task_turn *members[BATCH];
    size_t count = batch->count;
    for (int row = 0; row < PQntuples(result); row++) {
        int64_t ord = pg_int(result, row, 0);
        if (ord >= 1 && (size_t)ord <= count)
            fresh[ord - 1] = true;
    }
    memcpy(members, batch->members, sizeof(members[0]) * count);
    batch->count = 0; /* the callbacks below may fill it again */
    for (size_t i = 0; i < count; i++) {
        if (fresh[i])
            turn_end(turns, members[i], BASE_OK, SV_NULL);
        else
            look_up(turns, members[i]);
    }
}

static void give_back(struct batch *batch, bool alone)
{
    struct task_turn *chain = batch->turns->first;
    for (size_t i = batch->count; i-- > 0;) {
        batch->members[i]->alone = batch->members[i]->alone || alone;
        batch->members[i]->next = chain;
        chain = batch->members[i];
    }
    if (!batch->turns->first && batch->count)
        batch->turns->last = &batch->members[batch->count - 1]->next;
    batch->turns->first = chain;
    batch->count = 0;
}

static void on_batch(void *ctx, enum base_err err, const PGresult *result)
{
    struct batch *batch = ctx;
    struct store_turns *turns = batch->turns;
    batch->in_flight = false;
    if (err == BASE_OK) {
        settle(batch, result);
    } else if (err == BASE_UNAVAILABLE || err == BASE_CONFLICT) {
        give_back(batch, false);
        store_turns_expire(turns, base_loop_now_us(store_loop(turns->store)));
    } else if (batch->count > 1) {
        give_back(batch, true);
    } else {
        struct task_turn *turn = batch->members[0];
        batch->count = 0;
        turn_end(turns, turn, err, SV_NULL);
    }
    store_turns_send(turns);
}

static void fill(struct store_turns *turns, struct batch *batch)
{
    while (turns->first && batch->count < BATCH) {
        struct task_turn *turn = turns->first;
        if (turn->alone && batch->count > 0)
            break;
        turns->first = turn->next;
        if (!turns->first)
            turns->last = &turns->first;
        batch->members[batch->count++] = turn;
        if (turn->alone)
            break;
    }
}

void store_turns_send(struct store_turns *turns)
{
    for (size_t i = 0; i < STORE_CONNECTIONS && turns->first; i++) {
        struct batch *batch = &turns->batches[i];
        struct pg_conn *conn = store_conn(turns->store, i);
        if (batch->in_flight || !conn || !pg_conn_up(conn))
            continue;
        fill(turns, batch);
        build(turns, batch);
        enum base_err err = pg_conn_query(conn, "turn_commit", batch->params, on_batch, batch);
        if (err == BASE_OK) {
            batch->in_flight = true;
        } else if (err == BASE_TOO_LARGE && batch->count == 1) {
            struct task_turn *turn = batch->members[0];
            batch->count = 0;
            turn_end(turns, turn, err, SV_NULL);
        } else {
            give_back(batch, err == BASE_TOO_LARGE);
        }
    }
}

void task_store_commit(struct task_store *store, struct task_turn *turn, task_turn_fn fn, void *ctx)
{
    struct store_turns *turns = store_turns_of(store);
    turn->done = fn;
    turn->done_ctx = ctx;
    turn->alone = false;
    turn->deadline_us = base_loop_now_us(store_loop(store)) + (int64_t)STORE_DEADLINE_MS * 1000;
    turns->pending++;
    push_back(turns, turn);
    store_turns_send(turns);
}

void store_turns_expire(struct store_turns *turns, int64_t now_us)
{
    struct task_turn *list = turns->first;
    turns->first = NULL;
    turns->last = &turns->first;
    for (struct task_turn *turn = list, *next; turn; turn = next) {
        next = turn->next;
        if (turn->deadline_us <= now_us)
            turn_end(turns, turn, BASE_UNAVAILABLE, SV_NULL);
        else
            push_back(turns, turn);
    }
}

size_t store_turns_pending(const struct store_turns *turns)
{
    return turns->pending;
}

enum base_err store_turns_new(struct task_store *store, struct store_turns **ret_turns)
{
    struct store_turns *turns = calloc(1, sizeof(*turns));
    if (!turns)
        return BASE_NO_MEMORY;
    turns->store = store;
    turns->last = &turns->first;
    base_buf_init(&turns->scratch, 256 * 1024);
    for (size_t i = 0; i < STORE_CONNECTIONS; i++) {
        turns->batches[i].turns = turns;
        if (pg_params_new(STORE_REQUEST_MAX, &turns->batches[i].params) != BASE_OK) {
            store_turns_free(turns);
            return BASE_NO_MEMORY;
        }
    }
    *ret_turns = turns;
    return BASE_OK;
}

void store_turns_free(struct store_turns *turns)
{
    if (!turns)
        return;
    for (size_t i = 0; i < STORE_CONNECTIONS; i++)
        pg_params_free(turns->batches[i].params);
    base_buf_done(&turns->scratch);
    free(turns);
}
