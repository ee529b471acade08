/* SPDX-License-Identifier: Apache-2.0 */
/* One function for each rule; the order is the order in which problems are reported. */
#include "tasks/fields.h"

#include "lib/base/utf8.h"
#include "tasks/series.h"

enum { YEAR_FIRST = 1970, YEAR_LAST = 2199 };

static enum base_err problem(struct task_problem *ret_problem, const char *field, const char *text)
{
    *ret_problem = (struct task_problem){field, text};
    return BASE_UNPROCESSABLE;
}

static bool has_control(struct base_sv text, bool lines_allowed)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == 0x7f || (c < 0x20 && !(lines_allowed && (c == '\n' || c == '\t'))))
            return true;
    }
    return false;
}

bool task_name_valid(struct base_sv name)
{
    return name.len > 0 && base_utf8_valid(name) && !has_control(name, false) &&
           base_utf8_count(name) <= TASK_NAME_MAX && base_sv_trim(name).len == name.len &&
           base_sv_find(name, ',') == name.len;
}

static enum base_err set_title(const struct task_context *ctx, struct task *task,
                               const struct task_patch *patch, struct task_problem *ret_problem)
{
    (void)ctx;
    struct base_sv title = base_sv_trim(patch->title);
    if (title.len == 0)
        return problem(ret_problem, "title", "a task needs a title");
    if (!base_utf8_valid(title) || has_control(title, false))
        return problem(ret_problem, "title", "the title must be one line of UTF-8 text");
    if (base_utf8_count(title) > TASK_TITLE_MAX)
        return problem(ret_problem, "title", "the title is longer than 500 characters");
    task->title = title;
    return BASE_OK;
}

static enum base_err set_notes(const struct task_context *ctx, struct task *task,
                               const struct task_patch *patch, struct task_problem *ret_problem)
{
    (void)ctx;
    if (patch->notes.len > TASK_NOTES_MAX)
        return problem(ret_problem, "notes", "the notes are longer than 16384 bytes");
    if (!base_utf8_valid(patch->notes) || has_control(patch->notes, true))
        return problem(ret_problem, "notes", "the notes must be UTF-8 text");
    task->notes = patch->notes;
    return BASE_OK;
}

static enum base_err set_priority(const struct task_context *ctx, struct task *task,
                                  const struct task_patch *patch, struct task_problem *ret_problem)
{
    (void)ctx;
    if (patch->priority < 0 || patch->priority > TASK_PRIORITY_MAX)
        return problem(ret_problem, "priority",
                       "the priority is a number from 1 (lowest) to 4 (urgent)");
    task->priority = patch->priority;
    return BASE_OK;
}

static enum base_err set_tags(const struct task_context *ctx, struct task *task,
                              const struct task_patch *patch, struct task_problem *ret_problem)
{
    if (patch->tag_count > TASK_TAGS_MAX)
        return problem(ret_problem, "tags", "a task has at most 20 tags");
    struct base_sv *tags = base_arena_array(ctx->arena, patch->tag_count + 1, sizeof(*tags));
    if (!tags)
        return BASE_NO_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < patch->tag_count; i++) {
        bool twice = false;
        if (!task_name_valid(patch->tags[i]))
            return problem(ret_problem, "tags",
                           "a tag is 1 to 100 characters without commas or spaces at its ends");
        for (size_t k = 0; k < count; k++)
            twice = twice || base_sv_eq_i(tags[k], patch->tags[i]);
        if (!twice)
            tags[count++] = patch->tags[i];
    }
    task->tags = tags;
    task->tag_count = count;
    return BASE_OK;
}

static enum base_err set_project(const struct task_context *ctx, struct task *task,
                                 const struct task_patch *patch, struct task_problem *ret_problem)
{
    (void)ctx;
    if (patch->project.len && !task_name_valid(patch->project))
        return problem(ret_problem, "project",
                       "a project is 1 to 100 characters without commas or spaces at its ends");
    task->project = patch->project;
    return BASE_OK;
}

static enum base_err set_due(const struct task_context *ctx, struct task *task,
                             const struct task_patch *patch, struct task_problem *ret_problem)
{
    const struct time_zone *zone;
    struct task_due due = patch->due;
    if (due.kind != TASK_DUE_ZONED)
        due.zone = SV_NULL;
    if (due.kind != TASK_DUE_NONE) {
        if (!time_civil_valid(due.local))
            return problem(ret_problem, "due_date", "there is no such date or time");
        if (due.local.year < YEAR_FIRST || due.local.year > YEAR_LAST)
            return problem(ret_problem, "due_date", "the year must lie between 1970 and 2199");
    }
    if (due.kind == TASK_DUE_ZONED && time_zone_load(due.zone, &zone) != BASE_OK)
        return problem(ret_problem, "timezone",
                       "this time zone is not known (use an IANA name such as Europe/Berlin)");
    task_due_resolve(&due, &ctx->settings);
    task->due = due;
    return BASE_OK;
}

/* Whether the parent can be one is for those to say who can look at it. */
static enum base_err set_parent(const struct task_context *ctx, struct task *task,
                                const struct task_patch *patch, struct task_problem *ret_problem)
{
    (void)ctx;
    if (base_id_eq(patch->parent, task->id))
        return problem(ret_problem, "parent_id", "a task cannot be its own subtask");
    task->parent = patch->parent;
    return BASE_OK;
}

static enum base_err set_recurrence(const struct task_context *ctx, struct task *task,
                                    const struct task_patch *patch,
                                    struct task_problem *ret_problem)
{
    task->recurrence = patch->recurrence;
    if (patch->recurrence.len == 0)
        return BASE_OK;
    return task_series_begin(ctx, task, ret_problem);
}

/* A reminder that the task has already keeps its id and its counter of firings; any other gets a
 * new id, so that no firing's key can come twice. */
static void identify(const struct task_context *ctx, const struct task *task,
                     struct task_reminder *reminders, size_t at)
{
    struct task_reminder *reminder = &reminders[at];
    bool known = false;
    for (size_t i = 0; i < task->reminder_count && !known; i++)
        if (base_id_eq(task->reminders[i].id, reminder->id)) {
            reminder->repeat = task->reminders[i].repeat;
            known = true;
        }
    for (size_t i = 0; i < at && known; i++)
        known = !base_id_eq(reminders[i].id, reminder->id);
    if (known)
        return;
    reminder->id = base_id_new(ctx->now_us);
    reminder->repeat = 0;
}

static enum base_err set_reminders(const struct task_context *ctx, struct task *task,
                                   const struct task_patch *patch, struct task_problem *ret_problem)
{
    if (patch->reminder_count > TASK_REMINDERS_MAX)
        return problem(ret_problem, "reminders", "a task has at most 10 reminders");
    struct task_reminder *reminders =
        base_arena_array(ctx->arena, patch->reminder_count + 1, sizeof(*reminders));
    if (!reminders)
        return BASE_NO_MEMORY;
    for (size_t i = 0; i < patch->reminder_count; i++) {
        reminders[i] = patch->reminders[i];
        if (reminders[i].relative && task->due.kind == TASK_DUE_NONE)
            return problem(ret_problem, "reminders",
                           "a reminder before the due time needs a due date");
        identify(ctx, task, reminders, i);
    }
    task->reminders = reminders;
    task->reminder_count = patch->reminder_count;
    return BASE_OK;
}

/* What one field alone cannot see. */
static enum base_err check_together(const struct task *task, struct task_problem *ret_problem)
{
    if (task->due.kind != TASK_DUE_NONE)
        return BASE_OK;
    if (task->recurrence.len > 0)
        return problem(ret_problem, "due_date", "a recurring task needs a due date to start from");
    for (size_t i = 0; i < task->reminder_count; i++)
        if (task->reminders[i].relative)
            return problem(ret_problem, "due_date", "its reminders count from the due date");
    return BASE_OK;
}

enum base_err task_fields_apply(const struct task_context *ctx, struct task *task,
                                const struct task_patch *patch, struct task_problem *ret_problem)
{
    static const struct {
        unsigned field;
        enum base_err (*set)(const struct task_context *ctx, struct task *task,
                             const struct task_patch *patch, struct task_problem *ret_problem);
    } setters[] = {
        {TASK_F_TITLE, set_title},           {TASK_F_NOTES, set_notes},
        {TASK_F_PRIORITY, set_priority},     {TASK_F_TAGS, set_tags},
        {TASK_F_PROJECT, set_project},       {TASK_F_DUE, set_due},
        {TASK_F_RECURRENCE, set_recurrence}, {TASK_F_REMINDERS, set_reminders},
        {TASK_F_PARENT, set_parent},
    };
    struct task_due was = task->due;
    for (size_t i = 0; i < sizeof(setters) / sizeof(setters[0]); i++) {
        if (!(patch->set & setters[i].field))
            continue;
        enum base_err err = setters[i].set(ctx, task, patch, ret_problem);
        if (err != BASE_OK)
            return err;
    }
    enum base_err err = check_together(task, ret_problem);
    bool moved = (patch->set & TASK_F_DUE) && !(patch->set & TASK_F_RECURRENCE);
    if (err == BASE_OK && moved && task->recurrence.len > 0)
        err = task_series_move(ctx, task, &was, ret_problem);
    return err;
}
