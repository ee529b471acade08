/* SPDX-License-Identifier: Apache-2.0 */
/* From claimed rows to receipts, events and rows for the queue. */
#include "tasks/store/fire_batch.h"

#include "tasks/event.h"

enum { EVENT_MAX = 256 * 1024, PAYLOADS_MAX = 32 * 1024 * 1024, ARENA_MAX = 4 * 1024 * 1024 };

/* receipt.state */
enum { RECEIPT_FIRED = 1, RECEIPT_LATE, RECEIPT_MISSED, RECEIPT_CLEARED };

void fire_batch_init(struct fire_batch *batch)
{
    base_arena_init(&batch->arena, ARENA_MAX);
    base_buf_init(&batch->payload, EVENT_MAX);
    base_buf_init(&batch->payloads, PAYLOADS_MAX);
}

void fire_batch_done(struct fire_batch *batch)
{
    base_arena_done(&batch->arena);
    base_buf_done(&batch->payload);
    base_buf_done(&batch->payloads);
}

void fire_batch_clear(struct fire_batch *batch)
{
    batch->count = batch->event_count = batch->again_count = 0;
}

/* Reading. */

static struct base_sv keep(struct fire_batch *batch, const PGresult *result, int row, int column)
{
    return base_arena_sv(&batch->arena, pg_text(result, row, column));
}

static void read_row(struct fire_batch *batch, const PGresult *r, int i)
{
    batch->now_us = pg_time_us(r, i, 6);
    batch->firings[i] = (struct task_firing){
        .reminder_id = pg_id(r, i, 0),
        .occurrence = (int32_t)pg_int(r, i, 1),
        .repeat = (int32_t)pg_int(r, i, 2),
        .task_id = pg_id(r, i, 3),
        .user_id = keep(batch, r, i, 4),
        .fire_at_us = pg_time_us(r, i, 5),
        .live = pg_int(r, i, 7) != 0,
        .title = keep(batch, r, i, 8),
        .priority = (int)pg_int(r, i, 9),
        .due_kind = (int)pg_int(r, i, 10),
        .due_local_us = pg_time_us(r, i, 11),
        .due_zone = keep(batch, r, i, 12),
        .due_at_us = pg_time_us(r, i, 13),
        .nag_s = (int32_t)pg_int(r, i, 14),
        .rank = (int)pg_int(r, i, 15),
        .held_from_us = pg_is_null(r, i, 16) ? 0 : pg_time_us(r, i, 16),
        .home_zone = keep(batch, r, i, 17),
        .quiet = {(int)pg_int(r, i, 18), (int)pg_int(r, i, 19), pg_int(r, i, 20) != 0}};
}

/* Back into the queue. */

static void add_again(struct fire_batch *batch, size_t i)
{
    const struct task_firing *firing = &batch->firings[i];
    struct fire_again *again = &batch->again[batch->again_count];
    int32_t nag = task_nag_repeat(firing);
    if (batch->fired[i].policy == TASK_FIRING_HELD)
        *again = (struct fire_again){.of = firing,
                                     .repeat = firing->repeat,
                                     .at_us = task_quiet_until(firing, batch->now_us),
                                     .held_from_us = firing->held_from_us ? firing->held_from_us
                                                                          : firing->fire_at_us};
    else if (nag)
        *again = (struct fire_again){.of = firing,
                                     .repeat = nag,
                                     .at_us = batch->now_us + firing->nag_s * INT64_C(1000000),
                                     .after = batch->fired[i].event_id};
    else
        return;
    batch->again_count++;
}

/* Events. */

enum together { ALONE, AWAY, MISSED, QUIET };

/* Why a firing may share an event with others of its user. */
static enum together together(const struct fire_batch *batch, size_t i)
{
    switch (batch->fired[i].policy) {
    case TASK_FIRING_DIGEST:
        return AWAY;
    case TASK_FIRING_MISSED:
        return MISSED;
    case TASK_FIRING_ON_TIME:
    case TASK_FIRING_LATE:
        return batch->firings[i].held_from_us ? QUIET : ALONE;
    default:
        return ALONE;
    }
}

static bool joins(const struct fire_batch *batch, size_t first, size_t i)
{
    return together(batch, first) != ALONE && together(batch, first) == together(batch, i) &&
           base_sv_eq(batch->firings[first].user_id, batch->firings[i].user_id);
}

static void add_data(struct fire_batch *batch, size_t from, size_t to)
{
    static const enum task_digest digests[] = {
        [AWAY] = TASK_DIGEST_AWAY, [MISSED] = TASK_DIGEST_MISSED, [QUIET] = TASK_DIGEST_QUIET};
    const struct task_firing *first = &batch->firings[from];
    if (to - from > 1)
        task_firings_json(&batch->payload, first, to - from, digests[together(batch, from)],
                          batch->now_us);
    else
        task_firing_json(&batch->payload, first, batch->fired[from].policy != TASK_FIRING_ON_TIME,
                         batch->now_us);
}

/* One event for the firings [from, to), all of one user and one policy. */
static void add_event(struct fire_batch *batch, size_t from, size_t to)
{
    const struct task_firing *first = &batch->firings[from];
    bool missed = batch->fired[from].policy == TASK_FIRING_MISSED;
    char subject[BASE_ID_TEXT + 1];
    struct base_trace trace = base_trace_new();
    struct fire_event *event = &batch->events[batch->event_count++];
    base_id_text(first->task_id, subject);
    *event = (struct fire_event){.id = base_id_new(batch->now_us),
                                 .user_id = first->user_id,
                                 .type = missed ? TASK_EVENT_REMINDER_MISSED
                                                : TASK_EVENT_REMINDER_TRIGGERED,
                                 .offset = batch->payloads.len};
    struct task_event_head head = {.type = event->type,
                                   .id = event->id,
                                   .user_id = event->user_id,
                                   .subject = to - from > 1 ? SV_NULL : base_sv_from(subject),
                                   .time_us = batch->now_us,
                                   .trace = &trace};
    base_buf_reset(&batch->payload);
    task_event_begin(&batch->payload, &head);
    add_data(batch, from, to);
    task_event_end(&batch->payload);
    if (!base_buf_ok(&batch->payload))
        batch->payloads.failed = true;
    base_buf_add(&batch->payloads, base_buf_sv(&batch->payload));
    event->length = batch->payloads.len - event->offset;
    for (size_t i = from; i < to; i++) {
        batch->fired[i].event_id = event->id;
        batch->fired[i].trace = trace;
    }
}

static void decide(struct fire_batch *batch, size_t i)
{
    const struct task_firing *firing = &batch->firings[i];
    batch->fired[i] = (struct task_fired){.policy = task_firing_policy(firing, batch->now_us),
                                          .reminder_id = firing->reminder_id,
                                          .task_id = firing->task_id,
                                          .event_id = base_id_new(batch->now_us),
                                          .user_id = firing->user_id,
                                          .occurrence = firing->occurrence,
                                          .repeat = firing->repeat,
                                          .late_us = batch->now_us - firing->fire_at_us};
}

static bool has_event(const struct fire_batch *batch, size_t i)
{
    return batch->fired[i].policy != TASK_FIRING_CLEARED &&
           batch->fired[i].policy != TASK_FIRING_HELD;
}

enum base_err fire_batch_read(struct fire_batch *batch, const PGresult *result)
{
    base_arena_reset(&batch->arena);
    base_buf_reset(&batch->payloads);
    fire_batch_clear(batch);
    batch->count = (size_t)PQntuples(result);
    for (size_t i = 0; i < batch->count; i++) {
        read_row(batch, result, (int)i);
        decide(batch, i);
    }
    /* Rows come ordered by user and time, so what belongs together is adjacent. */
    for (size_t i = 0, end; i < batch->count; i = end) {
        end = i + 1;
        while (end < batch->count && joins(batch, i, end))
            end++;
        if (has_event(batch, i))
            add_event(batch, i, end);
    }
    for (size_t i = 0; i < batch->count; i++)
        add_again(batch, i);
    return base_buf_ok(&batch->payloads) ? BASE_OK : BASE_TOO_LARGE;
}

/* Settling. */

static int receipt_state(enum task_firing_policy policy)
{
    static const int states[TASK_FIRING_POLICY_COUNT] = {[TASK_FIRING_ON_TIME] = RECEIPT_FIRED,
                                                         [TASK_FIRING_LATE] = RECEIPT_LATE,
                                                         [TASK_FIRING_DIGEST] = RECEIPT_LATE,
                                                         [TASK_FIRING_MISSED] = RECEIPT_MISSED,
                                                         [TASK_FIRING_CLEARED] = RECEIPT_CLEARED};
    return states[policy];
}

static void time_or_null(struct pg_params *params, int64_t at_us)
{
    if (at_us)
        pg_array_time(params, at_us);
    else
        pg_array_null(params);
}

static void id_or_null(struct pg_params *params, struct base_id id)
{
    if (base_id_is_null(id))
        pg_array_null(params);
    else
        pg_array_id(params, id);
}

#define ARRAY(type, n, call)                                                                       \
    do {                                                                                           \
        pg_array_begin(params, type);                                                              \
        for (size_t i = 0; i < (n); i++) {                                                         \
            call;                                                                                  \
        }                                                                                          \
        pg_array_end(params);                                                                      \
    } while (0)

#define RECEIPTS(type, call)                                                                       \
    ARRAY(type, batch->count, if (batch->fired[i].policy != TASK_FIRING_HELD) call)

static void bind_receipts(const struct fire_batch *batch, struct pg_params *params)
{
    const struct task_firing *f = batch->firings;
    const struct task_fired *d = batch->fired;
    RECEIPTS(PG_UUID, pg_array_id(params, f[i].reminder_id));
    RECEIPTS(PG_INT4, pg_array_int(params, f[i].occurrence));
    RECEIPTS(PG_INT4, pg_array_int(params, f[i].repeat));
    RECEIPTS(PG_UUID, pg_array_id(params, f[i].task_id));
    RECEIPTS(PG_TEXT, pg_array_text(params, f[i].user_id));
    RECEIPTS(PG_UUID, pg_array_id(params, d[i].event_id));
    RECEIPTS(PG_INT2, pg_array_int(params, receipt_state(d[i].policy)));
    RECEIPTS(PG_TIMESTAMPTZ,
             pg_array_time(params, f[i].held_from_us ? f[i].held_from_us : f[i].fire_at_us));
    RECEIPTS(PG_TIMESTAMPTZ, time_or_null(params, f[i].held_from_us ? f[i].fire_at_us : 0));
}

static void bind_events(const struct fire_batch *batch, struct pg_params *params)
{
    const struct fire_event *e = batch->events;
    struct base_sv payloads = base_buf_sv(&batch->payloads);
    size_t n = batch->event_count;
    ARRAY(PG_UUID, n, pg_array_id(params, e[i].id));
    ARRAY(PG_TEXT, n, pg_array_text(params, e[i].user_id));
    ARRAY(PG_INT2, n, pg_array_int(params, e[i].type));
    ARRAY(PG_TEXT, n,
          pg_array_text(params, base_sv_sub(payloads, e[i].offset, e[i].offset + e[i].length)));
}

static void bind_again(const struct fire_batch *batch, struct pg_params *params)
{
    const struct fire_again *a = batch->again;
    size_t n = batch->again_count;
    ARRAY(PG_UUID, n, pg_array_id(params, a[i].of->reminder_id));
    ARRAY(PG_INT4, n, pg_array_int(params, a[i].of->occurrence));
    ARRAY(PG_INT4, n, pg_array_int(params, a[i].repeat));
    ARRAY(PG_UUID, n, pg_array_id(params, a[i].of->task_id));
    ARRAY(PG_TEXT, n, pg_array_text(params, a[i].of->user_id));
    ARRAY(PG_TIMESTAMPTZ, n, pg_array_time(params, a[i].at_us));
    ARRAY(PG_INT4, n, pg_array_int(params, a[i].of->nag_s));
    ARRAY(PG_INT2, n, pg_array_int(params, a[i].of->rank));
    ARRAY(PG_TIMESTAMPTZ, n, time_or_null(params, a[i].held_from_us));
    ARRAY(PG_UUID, n, id_or_null(params, a[i].after));
}

void fire_batch_bind(const struct fire_batch *batch, struct pg_params *params)
{
    pg_params_reset(params);
    bind_receipts(batch, params);
    bind_events(batch, params);
    bind_again(batch, params);
}

static bool is_new(const struct task_fired *fired, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++)
        if (base_id_eq(fired->event_id, pg_id(result, row, 0)))
            return true;
    return false;
}

void fire_batch_settled(struct fire_batch *batch, const PGresult *result)
{
    size_t held = 0;
    for (size_t i = 0; i < batch->count; i++)
        held += batch->fired[i].policy == TASK_FIRING_HELD;
    if ((size_t)PQntuples(result) + held == batch->count)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < batch->count; i++)
        if (batch->fired[i].policy == TASK_FIRING_HELD || is_new(&batch->fired[i], result))
            batch->fired[kept++] = batch->fired[i];
    batch->count = kept;
}
