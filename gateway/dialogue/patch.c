/* SPDX-License-Identifier: Apache-2.0 */
/* From what was said to what is to change. */
#include "gateway/dialogue/handler.h"
#include "lib/base/json.h"

/* "in 5 seconds" means five whole ones: what is said to the second, or lies within a minute, keeps
 * the fraction of the second in which it was said. */
static bool is_counted_from_now(const struct gw_dialogue *d, const struct task_due *due)
{
    return due->local.second != 0 ||
           (due->at_us > d->at_us && due->at_us - d->at_us < 61 * 1000000);
}

bool gw_due_of(struct gw_dialogue *d, const struct nlu_when *when, struct task_due *ret_due)
{
    if (!when->set)
        return false;
    *ret_due = (struct task_due){.kind = when->has_time ? TASK_DUE_ZONED : TASK_DUE_DATE,
                                 .local = when->at};
    if (when->has_time)
        ret_due->zone = when->zone.len ? when->zone : base_sv_from(time_zone_name(d->zone));
    task_due_resolve(ret_due, &d->ctx.settings);
    if (when->has_time && is_counted_from_now(d, ret_due)) {
        ret_due->micros = (int32_t)(d->at_us % 1000000);
        task_due_resolve(ret_due, &d->ctx.settings);
    }
    return true;
}

int64_t gw_instant_of(struct gw_dialogue *d, const struct nlu_when *when)
{
    struct task_due due = {0};
    (void)gw_due_of(d, when, &due);
    return due.at_us;
}

static enum base_err set_reminders(struct gw_dialogue *d, const struct nlu_fields *fields,
                                   bool at_due, struct task_patch *patch)
{
    patch->reminders =
        base_arena_array(d->arena, fields->reminder_count + 1, sizeof(*patch->reminders));
    if (!patch->reminders)
        return BASE_NO_MEMORY;
    for (size_t i = 0; i < fields->reminder_count; i++) {
        const struct nlu_reminder *said = &fields->reminders[i];
        struct task_reminder *reminder = &patch->reminders[patch->reminder_count++];
        reminder->relative = said->relative;
        if (said->relative)
            reminder->before_s = said->before_s;
        else
            reminder->at_us = gw_instant_of(d, &said->at);
    }
    if (patch->reminder_count == 0 && at_due)
        patch->reminders[patch->reminder_count++].relative = true;
    patch->set |= TASK_F_REMINDERS;
    return BASE_OK;
}

static void add_date(struct gw_dialogue *d, struct base_buf *json, const struct nlu_when *when)
{
    struct base_buf text;
    (void)d;
    base_buf_init(&text, 32);
    if (when->has_time)
        time_civil_format(&text, when->at);
    else
        time_date_format(&text, when->at);
    base_json_str(json, base_buf_sv(&text));
    base_buf_done(&text);
}

/* As the API's recurrence_pattern; the task engine checks it. */
static enum base_err set_recurrence(struct gw_dialogue *d, const struct nlu_fields *fields,
                                    struct task_patch *patch)
{
    struct base_buf json;
    base_buf_init(&json, 4096);
    base_json_open(&json, '{');
    base_json_kv_str(&json, "frequency", SV("custom"));
    base_json_kv_str(&json, "rrule", fields->rrule);
    if (fields->anchor == NLU_ANCHOR_COMPLETION)
        base_json_kv_str(&json, "anchor", SV("completion"));
    if (fields->exdate_count) {
        base_json_key(&json, "exceptions");
        base_json_open(&json, '[');
        for (size_t i = 0; i < fields->exdate_count; i++)
            add_date(d, &json, &fields->exdates[i]);
        base_json_close(&json, ']');
    }
    base_json_close(&json, '}');
    patch->recurrence = base_buf_ok(&json) ? base_arena_sv(d->arena, base_buf_sv(&json)) : SV_NULL;
    base_buf_done(&json);
    patch->set |= TASK_F_RECURRENCE;
    return patch->recurrence.ptr ? BASE_OK : BASE_NO_MEMORY;
}

static enum base_err set_tags(struct gw_dialogue *d, const struct nlu_fields *fields,
                              const struct task *task, struct task_patch *patch)
{
    size_t had = task ? task->tag_count : 0;
    patch->tags = base_arena_array(d->arena, had + fields->tag_count + 1, sizeof(*patch->tags));
    if (!patch->tags)
        return BASE_NO_MEMORY;
    for (size_t i = 0; i < had; i++) {
        bool off = false;
        for (size_t k = 0; k < fields->untag_count; k++)
            off = off || base_sv_eq_i(task->tags[i], fields->untags[k]);
        if (!off)
            patch->tags[patch->tag_count++] = task->tags[i];
    }
    for (size_t i = 0; i < fields->tag_count; i++)
        patch->tags[patch->tag_count++] = fields->tags[i];
    patch->set |= TASK_F_TAGS;
    return BASE_OK;
}

static bool says_clock_only(const struct gw_dialogue *d)
{
    bool clock = false;
    for (size_t i = 0; i < d->understood.span_count; i++) {
        const char *type = d->understood.spans[i].type;
        clock = clock || strcmp(type, "time") == 0;
        if (strcmp(type, "date") == 0 || strcmp(type, "datetime") == 0 ||
            strcmp(type, "duration") == 0)
            return false;
    }
    return clock;
}

/* A clock time alone ("make it 5pm") keeps the day; a day alone ("move it to friday") keeps the
 * clock time. */
static void keep_the_other_half(const struct gw_dialogue *d, const struct task *task,
                                struct task_due *due)
{
    if (!task || task->due.kind == TASK_DUE_NONE)
        return;
    if (due->kind == TASK_DUE_ZONED && says_clock_only(d)) {
        due->local.year = task->due.local.year;
        due->local.month = task->due.local.month;
        due->local.day = task->due.local.day;
        task_due_resolve(due, &d->ctx.settings);
    } else if (due->kind == TASK_DUE_DATE && task->due.kind != TASK_DUE_DATE) {
        struct time_civil day = due->local;
        *due = task->due;
        due->local.year = day.year;
        due->local.month = day.month;
        due->local.day = day.day;
        task_due_resolve(due, &d->ctx.settings);
    }
}

static void shift(const struct gw_dialogue *d, const struct task *task, int64_t seconds,
                  struct task_patch *patch)
{
    if (task->due.kind == TASK_DUE_NONE)
        return;
    patch->due = task->due;
    patch->due.local = time_civil_from_seconds(time_civil_seconds(task->due.local) + seconds);
    if (patch->due.kind == TASK_DUE_DATE && seconds % 86400 != 0)
        patch->due.kind = TASK_DUE_FLOATING;
    task_due_resolve(&patch->due, &d->ctx.settings);
    patch->set |= TASK_F_DUE;
}

enum base_err gw_patch(struct gw_dialogue *d, const struct nlu_fields *fields,
                       const struct task *task, struct task_patch *ret_patch,
                       struct task_problem *ret_problem)
{
    struct task_patch patch = {0};
    enum base_err err = BASE_OK;
    (void)ret_problem;
    if (fields->title.len) {
        patch.title = fields->title;
        patch.set |= TASK_F_TITLE;
    }
    if (fields->notes.len || fields->clear_notes) {
        patch.notes = fields->notes;
        patch.set |= TASK_F_NOTES;
    }
    if (fields->priority) {
        patch.priority = fields->priority > 0 ? fields->priority : 0;
        patch.set |= TASK_F_PRIORITY;
    }
    if (fields->project.len || fields->clear_project) {
        patch.project = fields->project;
        patch.set |= TASK_F_PROJECT;
    }
    if (fields->tag_count || fields->untag_count)
        err = set_tags(d, fields, task, &patch);
    if (gw_due_of(d, &fields->due, &patch.due)) {
        keep_the_other_half(d, task, &patch.due);
        patch.set |= TASK_F_DUE;
    } else if (fields->clear_due) {
        patch.set |= TASK_F_DUE | TASK_F_REMINDERS | TASK_F_RECURRENCE;
    } else if (task && fields->shift_s) {
        shift(d, task, fields->shift_s, &patch);
    }
    if (err == BASE_OK && fields->rrule.len)
        err = set_recurrence(d, fields, &patch);
    else if (fields->clear_recurrence)
        patch.set |= TASK_F_RECURRENCE;
    bool has_due = patch.due.kind != TASK_DUE_NONE;
    bool first_due = has_due && (!task || task->reminder_count == 0);
    if (err == BASE_OK && (fields->reminder_count || first_due))
        err = set_reminders(d, fields, has_due, &patch);
    else if (fields->clear_reminders)
        patch.set |= TASK_F_REMINDERS;
    if (err == BASE_OK)
        *ret_patch = patch;
    return err;
}
