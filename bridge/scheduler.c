/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler: lets the store fire what is due, counts it, and says so. */
#include <stdlib.h>

#include "bridge/part.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "tasks/store/fire.h"

enum { LETTER_MAX = 4096 };

struct scheduler {
    struct bus *bus; /* or NULL */
    struct base_loop *loop;
    struct otlp_exporter *spans;
    struct bridge_log_budget log;
    struct task_fire *store;
    struct bridge_link link;
};

static const char *const policies[] = {"on_time", "late", "digest", "missed", "cleared", "held"};
_Static_assert(sizeof(policies) / sizeof(policies[0]) == TASK_FIRING_POLICY_COUNT, "a name each");

static void log_fired(const struct task_fired *fired, enum base_log_level level)
{
    char reminder[BASE_ID_TEXT + 1], task[BASE_ID_TEXT + 1], event[BASE_ID_TEXT + 1];
    base_id_text(fired->reminder_id, reminder);
    base_id_text(fired->task_id, task);
    base_id_text(fired->event_id, event);
    BASE_LOG_AT(level, "reminder.fired", LOG_SV("user", fired->user_id), LOG_STR("task", task),
                LOG_STR("reminder", reminder), LOG_INT("occurrence", fired->occurrence),
                LOG_INT("repeat", fired->repeat), LOG_STR("policy", policies[fired->policy]),
                LOG_INT("late_ms", fired->late_us / 1000), LOG_STR("event_id", event),
                LOG_TRACE(&fired->trace));
}

/* From the time it was due until it was written: the root of what follows. */
static void add_span(struct scheduler *scheduler, const struct task_fired *fired)
{
    int64_t now = base_clock_now_us(&base_clock_system);
    struct otlp_span span = {
        .name = "fire",
        .kind = OTLP_INTERNAL,
        .trace = fired->trace,
        .start_us = now - (fired->late_us > 0 ? fired->late_us : 0),
        .end_us = now,
        .attributes = {{.key = "todo.policy", .text = base_sv_from(policies[fired->policy])},
                       {.key = "todo.occurrence", .number = fired->occurrence}}};
    otlp_add(scheduler->spans, &span);
}

static void on_fired(void *ctx, const struct task_fired *fired, size_t n)
{
    struct scheduler *scheduler = ctx;
    int64_t now = base_loop_now_us(scheduler->loop);
    for (size_t i = 0; i < n; i++) {
        base_metric_add(BASE_M_SCHEDULER_FIRED, fired[i].policy, 1);
        if (fired[i].policy != TASK_FIRING_HELD)
            base_metric_observe_us(BASE_M_SCHEDULER_LATENESS, 0, fired[i].late_us);
        log_fired(&fired[i], bridge_log_level(&scheduler->log, now));
        if (scheduler->spans)
            add_span(scheduler, &fired[i]);
    }
    if (n > BRIDGE_LOG_BATCH)
        LOG_INFO("reminder.batch", LOG_INT("reminders", n),
                 LOG_INT("late_ms", fired[0].late_us / 1000));
}

static void on_letter_sent(void *ctx, enum base_err err)
{
    (void)ctx;
    if (err != BASE_OK)
        LOG_WARN("reminder.dead_letter_lost", LOG_ERR(err)); /* the queue still has the row */
}

/* Tells whoever watches the topic; the row itself waits in the queue. */
static void send_letter(struct scheduler *scheduler, const struct task_firing *firing,
                        const char *reminder, const char *task, const char *why)
{
    struct base_buf text;
    base_buf_init(&text, LETTER_MAX);
    base_json_open(&text, '{');
    base_json_kv_str(&text, "reminder_id", base_sv_from(reminder));
    base_json_kv_str(&text, "task_id", base_sv_from(task));
    base_json_kv_str(&text, "user_id", firing->user_id);
    base_json_kv_int(&text, "occurrence", firing->occurrence);
    base_json_kv_int(&text, "repeat", firing->repeat);
    base_json_kv_time(&text, "due_at", firing->fire_at_us);
    base_json_kv_str(&text, "why", base_sv_trim(base_sv_from(why)));
    base_json_close(&text, '}');
    struct bus_message message = {.topic = BUS_TOPIC_REMINDERS BUS_DEAD_LETTERS,
                                  .key = firing->user_id,
                                  .payload = base_buf_sv(&text)};
    enum base_err err = bus_publish(scheduler->bus, &message, on_letter_sent, NULL);
    if (err != BASE_OK)
        on_letter_sent(NULL, err);
    base_buf_done(&text);
}

static void on_set_aside(void *ctx, const struct task_firing *firing, const char *why)
{
    struct scheduler *scheduler = ctx;
    char reminder[BASE_ID_TEXT + 1], task[BASE_ID_TEXT + 1];
    base_id_text(firing->reminder_id, reminder);
    base_id_text(firing->task_id, task);
    base_metric_inc(BASE_M_SCHEDULER_SET_ASIDE);
    LOG_ERROR("reminder.set_aside", LOG_STR("reminder", reminder), LOG_STR("task", task),
              LOG_STR("why", why));
    if (scheduler->bus)
        send_letter(scheduler, firing, reminder, task, why);
}

static void on_overdue(void *ctx, int64_t count)
{
    (void)ctx;
    base_metric_set(BASE_M_SCHEDULER_OVERDUE, 0, count);
}

static void on_state(void *ctx, bool up, const char *why)
{
    struct scheduler *scheduler = ctx;
    bridge_link_set(&scheduler->link, up, why);
}

static void scheduler_free(void *part)
{
    struct scheduler *scheduler = part;
    task_fire_free(scheduler->store);
    free(scheduler);
}

static enum base_err scheduler_start(const struct bridge_env *env, void **ret_part,
                                     struct base_buf *errors)
{
    struct scheduler *scheduler = calloc(1, sizeof(*scheduler));
    if (!scheduler)
        return BASE_NO_MEMORY;
    scheduler->loop = env->loop;
    scheduler->spans = env->spans;
    scheduler->bus = env->bus;
    scheduler->link =
        (struct bridge_link){.name = "scheduler database", .peer = BRIDGE_PEER_SCHEDULER_DATABASE};
    base_metrics_labels(BASE_M_SCHEDULER_FIRED, policies, TASK_FIRING_POLICY_COUNT);
    struct task_fire_options options = {.loop = env->loop,
                                        .url = env->config->database_url,
                                        .batch = (int)env->config->scheduler_batch,
                                        .on_fired = on_fired,
                                        .on_set_aside = on_set_aside,
                                        .on_overdue = on_overdue,
                                        .on_state = on_state,
                                        .ctx = scheduler};
    enum base_err err = task_fire_new(&options, &scheduler->store);
    if (err != BASE_OK) {
        base_buf_addf(errors, "scheduler: %s\n", base_err_text(err));
        scheduler_free(scheduler);
        return err;
    }
    *ret_part = scheduler;
    return BASE_OK;
}

static bool scheduler_healthy(const void *part, const char **ret_why)
{
    const struct scheduler *scheduler = part;
    *ret_why = scheduler->link.why;
    return task_fire_up(scheduler->store);
}

static void scheduler_drain(void *part)
{
    struct scheduler *scheduler = part;
    task_fire_stop(scheduler->store);
}

static bool scheduler_drained(const void *part)
{
    const struct scheduler *scheduler = part;
    return task_fire_idle(scheduler->store);
}

const struct bridge_part_type bridge_scheduler_part = {.name = "scheduler",
                                                       .role = BRIDGE_ROLE_SCHEDULER,
                                                       .start = scheduler_start,
                                                       .healthy = scheduler_healthy,
                                                       .drain = scheduler_drain,
                                                       .drained = scheduler_drained,
                                                       .free = scheduler_free};
