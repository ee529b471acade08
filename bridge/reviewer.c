/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reviewer: what time alone does to tasks. A batch of tasks whose time has come is leased from
 * the store, task_review decides about each, and what changes is committed as turns, one for each
 * user, like any other command's: with history, events and firings. When there is nothing to do it
 * marks tasks to be derived anew, if this process knows newer time zone rules, and every hour takes
 * away what has been kept for long enough.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bridge/part.h"
#include "lib/base/metrics.h"
#include "tasks/store/record.h"
#include "tasks/store/review.h"

enum { BATCH = 500, ROUND_MS = 500, AGAIN_MS = 5000, ARENA_MAX = 64 << 20, KEY_TEXT = 64 };
enum { SWEEP_MS = 3600 * 1000, DAY_MS = 24 * 3600 * 1000 };

/* No device can have it: its turns can never be taken for a person's. */
#define DEVICE SV("*")

enum result { ROLLED, REDERIVED, UNCHANGED, FAILED, ERASED, RESULTS };
static const char *const results[RESULTS] = {"rolled", "rederived", "unchanged", "failed",
                                             "erased"};

/* One user's changes. */
struct job {
    struct reviewer *reviewer;
    struct task_turn turn;
    struct task_change *changes;
    size_t tally[RESULTS];
    char key[KEY_TEXT];
};

struct reviewer {
    struct base_loop *loop;
    struct task_store *store;
    struct bridge_link link;
    struct base_timer *timer;
    struct base_arena arena;
    struct job jobs[BATCH];
    struct task_change changes[BATCH];
    struct task_reviewed unchanged[BATCH];
    size_t unchanged_count;
    size_t under_way; /* commits and settles */
    bool full;        /* the last batch was: there is more */
    bool zones_checked;
    struct base_id zones_after;
    int32_t trash_days, turns_days;
    int64_t sweep_at_us;
    bool busy, draining;
};

static void round_end(struct reviewer *reviewer, int64_t after_ms)
{
    reviewer->busy = false;
    base_timer_start(reviewer->timer, after_ms);
}

static void one_done(struct reviewer *reviewer)
{
    if (--reviewer->under_way == 0)
        round_end(reviewer, reviewer->full ? 0 : ROUND_MS);
}

static void on_committed(void *ctx, enum base_err err, struct base_sv stored_reply)
{
    struct job *job = ctx;
    (void)stored_reply;
    if (err == BASE_OK) {
        for (int i = 0; i < RESULTS; i++)
            base_metric_add(BASE_M_REVIEWER_TASKS, (size_t)i, (int64_t)job->tally[i]);
    } else {
        /* The lease brings it back; stale only means that its user was first. */
        base_metric_add(BASE_M_REVIEWER_TASKS, FAILED, (int64_t)job->turn.change_count);
        BASE_LOG_AT(err == BASE_STALE ? BASE_LOG_DEBUG : BASE_LOG_WARN, "review.failed",
                    LOG_SV("user", job->turn.user_id), LOG_ERR(err));
    }
    one_done(job->reviewer);
}

static void on_settled(void *ctx, enum base_err err)
{
    struct reviewer *reviewer = ctx;
    if (err == BASE_OK)
        base_metric_add(BASE_M_REVIEWER_TASKS, UNCHANGED, (int64_t)reviewer->unchanged_count);
    one_done(reviewer);
}

/* Looks at one task; true if it changes. */
static bool review(struct reviewer *reviewer, const struct task_reviewee *reviewee,
                   struct task_change *ret_change)
{
    const struct task *task = &reviewee->task;
    struct task_context ctx = {.user_id = task->user_id,
                               .now_us = reviewee->now_us,
                               .settings = reviewee->settings,
                               .arena = &reviewer->arena};
    int64_t review_us = 0;
    if (task_review(&ctx, task, ret_change, &review_us) != BASE_OK) {
        base_metric_add(BASE_M_REVIEWER_TASKS, FAILED, 1);
        return false;
    }
    if (!ret_change->after)
        reviewer->unchanged[reviewer->unchanged_count++] =
            (struct task_reviewed){task->id, task->version, review_us};
    return ret_change->after != NULL;
}

static void commit(struct reviewer *reviewer, struct job *job, int64_t now_us)
{
    const struct task *first = job->changes[0].before;
    char id[BASE_ID_TEXT + 1];
    base_id_text(first->id, id);
    (void)snprintf(job->key, sizeof(job->key), "review-%s-%d", id, first->version);
    job->turn.user_id = first->user_id;
    job->turn.device = DEVICE;
    job->turn.client_id = base_sv_from(job->key);
    job->turn.channel = TASK_CHANNEL_ENGINE;
    job->turn.at_us = now_us;
    job->turn.changes = job->changes;
    job->turn.dialogue_version = -1;
    reviewer->under_way++;
    task_store_commit(reviewer->store, &job->turn, on_committed, job);
}

static void on_reviews(void *ctx, enum base_err err, struct task_reviewee *tasks, size_t count)
{
    struct reviewer *reviewer = ctx;
    size_t jobs = 0;
    size_t changes = 0;
    if (err != BASE_OK || count == 0) {
        round_end(reviewer, ROUND_MS);
        return;
    }
    reviewer->full = count == BATCH;
    reviewer->unchanged_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct task_change *change = &reviewer->changes[changes];
        if (!review(reviewer, &tasks[i], change))
            continue;
        changes++;
        struct job *job = jobs ? &reviewer->jobs[jobs - 1] : NULL;
        if (!job || !base_sv_eq(job->changes[0].before->user_id, tasks[i].task.user_id)) {
            job = &reviewer->jobs[jobs++];
            *job = (struct job){.reviewer = reviewer, .changes = change};
        }
        job->turn.change_count++;
        job->tally[change->outcome == TASK_OUT_MISSED ? ROLLED : REDERIVED]++;
    }
    reviewer->under_way = 1; /* this function */
    for (size_t i = 0; i < jobs; i++)
        commit(reviewer, &reviewer->jobs[i], tasks[0].now_us);
    if (reviewer->unchanged_count) {
        reviewer->under_way++;
        task_store_reviewed(reviewer->store, reviewer->unchanged, reviewer->unchanged_count,
                            on_settled, reviewer);
    }
    one_done(reviewer);
}

static void on_zones(void *ctx, enum base_err err, bool done, struct base_id after)
{
    struct reviewer *reviewer = ctx;
    reviewer->zones_after = after;
    reviewer->zones_checked = done;
    if (err == BASE_OK && !done)
        LOG_INFO("review.zones_changed", LOG_STR("version", time_zone_version()));
    round_end(reviewer, err == BASE_OK ? ROUND_MS : AGAIN_MS);
}

static void on_swept(void *ctx, enum base_err err, int64_t tasks, int64_t turns)
{
    struct reviewer *reviewer = ctx;
    base_metric_add(BASE_M_REVIEWER_TASKS, ERASED, tasks);
    if (tasks || turns)
        LOG_INFO("review.swept", LOG_INT("tasks", tasks), LOG_INT("turns", turns));
    if (err == BASE_OK && tasks < BATCH && turns < BATCH)
        reviewer->sweep_at_us = base_loop_now_us(reviewer->loop) + SWEEP_MS * INT64_C(1000);
    round_end(reviewer, err == BASE_OK ? ROUND_MS : AGAIN_MS);
}

static void on_timer(void *ctx)
{
    struct reviewer *reviewer = ctx;
    if (reviewer->draining)
        return;
    reviewer->busy = true;
    base_arena_reset(&reviewer->arena);
    /* Tasks marked for new rules queue up behind what is due: a chunk only when all else is done.
     */
    if (!reviewer->zones_checked && !reviewer->full)
        task_store_review_zones(reviewer->store, time_zone_version(), reviewer->zones_after,
                                on_zones, reviewer);
    else if (!reviewer->full && base_loop_now_us(reviewer->loop) >= reviewer->sweep_at_us)
        task_store_sweep(reviewer->store, reviewer->trash_days, reviewer->turns_days, BATCH,
                         on_swept, reviewer);
    else
        task_store_reviews(reviewer->store, BATCH, &reviewer->arena, on_reviews, reviewer);
    reviewer->full = false;
}

static void on_state(void *ctx, bool up, const char *why)
{
    struct reviewer *reviewer = ctx;
    bridge_link_set(&reviewer->link, up, why);
}

static void reviewer_free(void *part)
{
    struct reviewer *reviewer = part;
    task_store_free(reviewer->store);
    base_timer_free(reviewer->timer);
    base_arena_done(&reviewer->arena);
    free(reviewer);
}

static enum base_err reviewer_start(const struct bridge_env *env, void **ret_part,
                                    struct base_buf *errors)
{
    struct reviewer *reviewer = calloc(1, sizeof(*reviewer));
    if (!reviewer)
        return BASE_NO_MEMORY;
    reviewer->loop = env->loop;
    reviewer->trash_days = (int32_t)(env->config->trash_keep / DAY_MS);
    reviewer->turns_days = (int32_t)(env->config->turns_keep / DAY_MS);
    reviewer->link =
        (struct bridge_link){.name = "reviewer database", .peer = BRIDGE_PEER_REVIEWER_DATABASE};
    base_arena_init(&reviewer->arena, ARENA_MAX);
    base_metrics_labels(BASE_M_REVIEWER_TASKS, results, RESULTS);
    struct task_store_options options = {.loop = env->loop,
                                         .url = env->config->database_url,
                                         .application_name = "todo-reviewer",
                                         .on_state = on_state,
                                         .ctx = reviewer};
    enum base_err err = base_timer_new(env->loop, on_timer, reviewer, &reviewer->timer);
    if (err == BASE_OK)
        err = task_store_new(&options, &reviewer->store);
    if (err != BASE_OK) {
        base_buf_addf(errors, "reviewer: %s\n", base_err_text(err));
        reviewer_free(reviewer);
        return err;
    }
    base_timer_start(reviewer->timer, 0);
    *ret_part = reviewer;
    return BASE_OK;
}

static bool reviewer_healthy(const void *part, const char **ret_why)
{
    const struct reviewer *reviewer = part;
    *ret_why = reviewer->link.why;
    return task_store_ready(reviewer->store);
}

static void reviewer_sweep(void *part)
{
    struct reviewer *reviewer = part;
    reviewer->sweep_at_us = 0;
    if (!reviewer->busy)
        base_timer_start(reviewer->timer, 0);
}

static void reviewer_drain(void *part)
{
    struct reviewer *reviewer = part;
    reviewer->draining = true;
}

static bool reviewer_drained(const void *part)
{
    const struct reviewer *reviewer = part;
    return !reviewer->busy;
}

const struct bridge_part_type bridge_reviewer_part = {.name = "reviewer",
                                                      .role = BRIDGE_ROLE_SCHEDULER,
                                                      .start = reviewer_start,
                                                      .healthy = reviewer_healthy,
                                                      .sweep = reviewer_sweep,
                                                      .drain = reviewer_drain,
                                                      .drained = reviewer_drained,
                                                      .free = reviewer_free};
