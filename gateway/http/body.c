/* SPDX-License-Identifier: Apache-2.0 */
/* One reader per field of the API. */
#include "gateway/http/body.h"

#include "lib/base/clock.h"
#include "lib/time/duration.h"
#include "tasks/recur/pattern.h"

struct reading {
    const json_t *body;
    struct base_arena *arena;
    struct task_patch *patch;
    struct task_problem *problem;
};

static enum base_err refuse(struct reading *r, const char *field, const char *text)
{
    *r->problem = (struct task_problem){field, text};
    return BASE_UNPROCESSABLE;
}

static struct base_sv text_of(const json_t *value)
{
    return base_sv(json_string_value(value), json_string_length(value));
}

static enum base_err read_title(struct reading *r, const json_t *value)
{
    if (!json_is_string(value))
        return refuse(r, "title", "the title must be text");
    r->patch->title = text_of(value);
    r->patch->set |= TASK_F_TITLE;
    return BASE_OK;
}

static enum base_err read_notes(struct reading *r, const json_t *value)
{
    if (!json_is_string(value) && !json_is_null(value))
        return refuse(r, "notes", "the notes must be text");
    r->patch->notes = text_of(value);
    r->patch->set |= TASK_F_NOTES;
    return BASE_OK;
}

static enum base_err read_project(struct reading *r, const json_t *value)
{
    if (!json_is_string(value) && !json_is_null(value))
        return refuse(r, "project", "the project must be text or null");
    r->patch->project = text_of(value);
    r->patch->set |= TASK_F_PROJECT;
    return BASE_OK;
}

static enum base_err read_priority(struct reading *r, const json_t *value)
{
    json_int_t number = json_integer_value(value);
    if (!json_is_null(value) && (!json_is_integer(value) || number < 1 || number > 4))
        return refuse(r, "priority",
                      "the priority is a number from 1 (lowest) to 4 (urgent), or null");
    r->patch->priority = (int)number;
    r->patch->set |= TASK_F_PRIORITY;
    return BASE_OK;
}

static enum base_err read_tags(struct reading *r, const json_t *value)
{
    size_t count = json_array_size(value);
    if (!json_is_array(value))
        return refuse(r, "tags", "the tags must be an array of texts");
    if (count > TASK_TAGS_MAX)
        return refuse(r, "tags", "a task has at most 20 tags");
    r->patch->tags = base_arena_array(r->arena, count + 1, sizeof(*r->patch->tags));
    if (!r->patch->tags)
        return BASE_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (!json_is_string(json_array_get(value, i)))
            return refuse(r, "tags", "the tags must be an array of texts");
        r->patch->tags[r->patch->tag_count++] = text_of(json_array_get(value, i));
    }
    r->patch->set |= TASK_F_TAGS;
    return BASE_OK;
}

/* due_date and timezone belong together: a time without a zone floats with the user. */
static enum base_err read_due(struct reading *r, const json_t *value)
{
    struct task_due *due = &r->patch->due;
    bool has_time;
    r->patch->set |= TASK_F_DUE;
    if (json_is_null(value))
        return BASE_OK;
    if (!json_is_string(value) || !time_civil_parse(text_of(value), &due->local, &has_time))
        return refuse(r, "due_date",
                      "the due date must be a date such as 2026-11-25 or a local time such as "
                      "2026-11-25T09:00:00");
    due->zone = text_of(json_object_get(r->body, "timezone"));
    due->kind = !has_time ? TASK_DUE_DATE : due->zone.len ? TASK_DUE_ZONED : TASK_DUE_FLOATING;
    if (!has_time && due->zone.len)
        return refuse(r, "timezone", "a date without a time has no time zone");
    return BASE_OK;
}

static enum base_err read_zone(struct reading *r, const json_t *value)
{
    if (!json_is_string(value) && !json_is_null(value))
        return refuse(r, "timezone", "the time zone must be an IANA name such as Europe/Berlin");
    if (json_is_string(value) && !json_is_string(json_object_get(r->body, "due_date")))
        return refuse(r, "timezone", "a time zone needs a due_date beside it");
    return BASE_OK;
}

static enum base_err read_reminder(struct reading *r, const json_t *item,
                                   struct task_reminder *reminder)
{
    const json_t *before = json_object_get(item, "before");
    const json_t *at = json_object_get(item, "at");
    const json_t *id = json_object_get(item, "id");
    const json_t *nag = json_object_get(item, "nag_minutes");
    reminder->relative = before != NULL;
    if (!before == !at)
        return refuse(
            r, "reminders",
            "a reminder has either \"before\" (such as PT15M) or \"at\" (an RFC 3339 time)");
    if (before && !time_duration_parse(text_of(before), &reminder->before_s))
        return refuse(r, "reminders", "\"before\" must be a duration such as PT15M or P1D");
    if (at && !base_time_parse(text_of(at), &reminder->at_us))
        return refuse(r, "reminders",
                      "\"at\" must be an RFC 3339 time such as 2026-11-25T08:00:00Z");
    if (nag && (!json_is_integer(nag) || json_integer_value(nag) < TASK_NAG_MIN_S / 60 ||
                json_integer_value(nag) > TASK_NAG_MAX_S / 60))
        return refuse(r, "reminders", "\"nag_minutes\" must be a number from 1 to 1440");
    reminder->nag_s = (int32_t)json_integer_value(nag) * 60;
    if (id && !base_id_parse(text_of(id), &reminder->id))
        return refuse(r, "reminders", "\"id\" is not the id of a reminder");
    return BASE_OK;
}

static enum base_err read_reminders(struct reading *r, const json_t *value)
{
    size_t count = json_array_size(value);
    if (!json_is_array(value))
        return refuse(r, "reminders", "the reminders must be an array");
    if (count > TASK_REMINDERS_MAX)
        return refuse(r, "reminders", "a task has at most 10 reminders");
    r->patch->reminders = base_arena_array(r->arena, count + 1, sizeof(*r->patch->reminders));
    if (!r->patch->reminders)
        return BASE_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        enum base_err err = read_reminder(r, json_array_get(value, i), &r->patch->reminders[i]);
        if (err != BASE_OK)
            return err;
    }
    r->patch->reminder_count = count;
    r->patch->set |= TASK_F_REMINDERS;
    return BASE_OK;
}

static enum base_err read_parent(struct reading *r, const json_t *value)
{
    r->patch->set |= TASK_F_PARENT;
    if (json_is_null(value) || base_id_parse(text_of(value), &r->patch->parent))
        return BASE_OK;
    return refuse(r, "parent_id", "the parent must be the id of a task, or null");
}

static enum base_err read_recurrence(struct reading *r, const json_t *value)
{
    r->patch->set |= TASK_F_RECURRENCE;
    if (json_is_null(value))
        return BASE_OK;
    if (!json_is_object(value))
        return refuse(r, "recurrence_pattern", "the recurrence pattern must be an object or null");
    char *text = json_dumps(value, JSON_COMPACT);
    if (text && strlen(text) > RECUR_PATTERN_TEXT_MAX) {
        free(text);
        return refuse(r, "recurrence_pattern", "the recurrence pattern is too long");
    }
    r->patch->recurrence = text ? base_arena_sv(r->arena, base_sv_from(text)) : SV_NULL;
    free(text);
    return r->patch->recurrence.ptr ? BASE_OK : BASE_NO_MEMORY;
}

static const struct {
    const char *name;
    enum base_err (*read)(struct reading *r, const json_t *value);
} fields[] = {
    {"title", read_title},
    {"notes", read_notes},
    {"priority", read_priority},
    {"tags", read_tags},
    {"project", read_project},
    {"due_date", read_due},
    {"timezone", read_zone},
    {"reminders", read_reminders},
    {"recurrence_pattern", read_recurrence},
    {"parent_id", read_parent},
};

enum base_err gw_body_patch(json_t *body, struct base_arena *arena, struct task_patch *ret_patch,
                            struct task_problem *ret_problem)
{
    struct task_patch patch = {0};
    struct reading r = {body, arena, &patch, ret_problem};
    const char *name;
    json_t *value;
    json_object_foreach(body, name, value)
    {
        size_t i = 0;
        while (i < sizeof(fields) / sizeof(fields[0]) && strcmp(fields[i].name, name) != 0)
            i++;
        if (i == sizeof(fields) / sizeof(fields[0])) {
            struct base_sv copy = base_arena_sv(arena, base_sv_from(name));
            return refuse(&r, copy.ptr ? copy.ptr : "",
                          "this field is not known, or cannot be set");
        }
        enum base_err err = fields[i].read(&r, value);
        if (err != BASE_OK)
            return err;
    }
    *ret_patch = patch;
    return BASE_OK;
}
