/* SPDX-License-Identifier: Apache-2.0 */
/* One output line. What was not said is not written. */
#include "lib/base/json.h"
#include "nlu/tool/tool.h"

static void point(struct base_buf *out, const char *key, const struct nlu_when *when)
{
    char text[40];
    struct base_buf buf = {.data = text, .cap = sizeof(text), .max = sizeof(text) - 1};
    if (!when->set)
        return;
    if (when->has_time)
        time_civil_format(&buf, when->at);
    else
        time_date_format(&buf, when->at);
    if (key)
        base_json_kv_str(out, key, base_buf_sv(&buf));
    else
        base_json_str(out, base_buf_sv(&buf));
}

static void duration(struct base_buf *out, const char *key, const char *sign, int64_t seconds)
{
    char text[40];
    struct base_buf buf = {.data = text, .cap = sizeof(text), .max = sizeof(text) - 1};
    base_buf_addf(&buf, "%sP", sign);
    if (seconds % 86400 == 0 && seconds)
        base_buf_addf(&buf, "%lldD", (long long)(seconds / 86400));
    else if (seconds % 3600 == 0 && seconds)
        base_buf_addf(&buf, "T%lldH", (long long)(seconds / 3600));
    else if (seconds % 60 == 0)
        base_buf_addf(&buf, "T%lldM", (long long)(seconds / 60));
    else
        base_buf_addf(&buf, "T%lldS", (long long)seconds);
    if (key)
        base_json_kv_str(out, key, base_buf_sv(&buf));
    else
        base_json_str(out, base_buf_sv(&buf));
}

static void reminder(struct base_buf *out, const char *key, const struct nlu_reminder *r)
{
    if (r->relative)
        duration(out, key, "-", r->before_s);
    else
        point(out, key, &r->at);
}

static void strings(struct base_buf *out, const char *key, const struct base_sv *list, size_t count)
{
    if (count == 0)
        return;
    base_json_key(out, key);
    base_json_open(out, '[');
    for (size_t i = 0; i < count; i++)
        base_json_str(out, list[i]);
    base_json_close(out, ']');
}

static void fields(struct base_buf *out, const struct nlu_fields *f)
{
    base_json_kv_opt(out, "title", f->title);
    point(out, "due", &f->due);
    if (f->due.set)
        base_json_kv_bool(out, "due_has_time", f->due.has_time);
    base_json_kv_opt(out, "zone", f->due.zone);
    if (f->reminder_count) {
        reminder(out, "reminder", &f->reminders[0]);
        base_json_key(out, "reminders");
        base_json_open(out, '[');
        for (size_t i = 0; i < f->reminder_count; i++)
            reminder(out, NULL, &f->reminders[i]);
        base_json_close(out, ']');
    }
    base_json_kv_opt(out, "rrule", f->rrule);
    if (f->exdate_count) {
        base_json_key(out, "exdate");
        base_json_open(out, '[');
        for (size_t i = 0; i < f->exdate_count; i++)
            point(out, NULL, &f->exdates[i]);
        base_json_close(out, ']');
    }
    if (f->anchor != NLU_ANCHOR_NONE)
        base_json_kv_str(out, "anchor",
                         f->anchor == NLU_ANCHOR_COMPLETION ? SV("completion") : SV("schedule"));
    if (f->priority > 0)
        base_json_kv_int(out, "priority", f->priority);
    strings(out, "tags", f->tags, f->tag_count);
    base_json_kv_opt(out, "project", f->project);
    base_json_kv_opt(out, "notes", f->notes);
}

static void changes(struct base_buf *out, const struct nlu_fields *f)
{
    static const struct {
        const char *key;
        size_t offset;
    } FLAGS[] = {{"clear_due", offsetof(struct nlu_fields, clear_due)},
                 {"clear_recurrence", offsetof(struct nlu_fields, clear_recurrence)},
                 {"clear_reminders", offsetof(struct nlu_fields, clear_reminders)},
                 {"clear_project", offsetof(struct nlu_fields, clear_project)},
                 {"clear_notes", offsetof(struct nlu_fields, clear_notes)}};
    base_json_key(out, "changes");
    base_json_open(out, '{');
    fields(out, f);
    if (f->priority < 0)
        base_json_kv_bool(out, "clear_priority", true);
    strings(out, "untags", f->untags, f->untag_count);
    for (size_t i = 0; i < sizeof(FLAGS) / sizeof(*FLAGS); i++) {
        if (*(const bool *)((const char *)f + FLAGS[i].offset))
            base_json_kv_bool(out, FLAGS[i].key, true);
    }
    if (f->shift_s)
        base_json_kv_int(out, "shift_s", f->shift_s);
    if (f->snooze_s)
        base_json_kv_int(out, "snooze_s", f->snooze_s);
    base_json_close(out, '}');
}

static void target(struct base_buf *out, const struct nlu_target *t)
{
    if (t->ref == NLU_REF_NONE && !t->number && !t->text.len)
        return;
    base_json_key(out, "target");
    base_json_open(out, '{');
    if (t->ref != NLU_REF_NONE)
        base_json_kv_str(out, "ref", t->ref == NLU_REF_ALL ? SV("all") : SV("last"));
    if (t->number)
        base_json_kv_int(out, "number", t->number);
    base_json_kv_opt(out, "text", t->text);
    base_json_close(out, '}');
}

static void filter(struct base_buf *out, const struct nlu_filter *f)
{
    base_json_key(out, "filter");
    base_json_open(out, '{');
    point(out, "from", &f->from);
    point(out, "to", &f->to);
    if (f->overdue)
        base_json_kv_bool(out, "overdue", true);
    if (f->done)
        base_json_kv_bool(out, "done", true);
    if (f->all)
        base_json_kv_bool(out, "all", true);
    if (f->priority)
        base_json_kv_int(out, "priority", f->priority);
    base_json_kv_opt(out, "tag", f->tag);
    base_json_kv_opt(out, "project", f->project);
    base_json_kv_opt(out, "text", f->text);
    base_json_close(out, '}');
}

static void command(struct base_buf *out, const struct nlu_command *c)
{
    base_json_kv_str(out, "intent", base_sv_from(nlu_intent_name(c->intent)));
    base_json_key(out, "confidence");
    char number[16];
    (void)snprintf(number, sizeof(number), "%.2f", c->confidence);
    base_json_raw(out, base_sv_from(number));
    bool changing = c->intent == NLU_TASK_UPDATE || c->intent == NLU_REMINDER_SNOOZE;
    /* The words of the title that name the task, where a command is about an existing one. */
    if (!c->fields.title.len || changing)
        base_json_kv_opt(out, "title", c->target.text);
    if (changing) {
        struct nlu_fields rest = c->fields;
        rest.title = SV_NULL;
        fields(out, &rest);
        changes(out, &c->fields);
    } else {
        fields(out, &c->fields);
    }
    target(out, &c->target);
    if (c->intent == NLU_TASK_LIST || c->intent == NLU_REMINDER_LIST)
        filter(out, &c->filter);
    base_json_kv_opt(out, "setting", c->setting);
    base_json_kv_opt(out, "setting_value", c->setting_value);
}

void tool_output_write(struct base_buf *out, const struct nlu_result *result)
{
    base_json_open(out, '{');
    command(out, &result->commands[0]);
    if (result->command_count > 1) {
        base_json_key(out, "commands");
        base_json_open(out, '[');
        for (size_t i = 1; i < result->command_count; i++) {
            base_json_open(out, '{');
            command(out, &result->commands[i]);
            base_json_close(out, '}');
        }
        base_json_close(out, ']');
    }
    base_json_key(out, "entities");
    base_json_open(out, '[');
    for (size_t i = 0; i < result->span_count; i++) {
        const struct nlu_span *span = &result->spans[i];
        base_json_open(out, '{');
        base_json_kv_str(out, "type", base_sv_from(span->type));
        base_json_kv_int(out, "start", (int64_t)span->start);
        base_json_kv_int(out, "end", (int64_t)span->end);
        base_json_kv_opt(out, "value", span->value);
        base_json_close(out, '}');
    }
    base_json_close(out, ']');
    strings(out, "warnings", result->warnings, result->warning_count);
    base_json_kv_str(out, "language", base_sv_from(result->language));
    base_json_close(out, '}');
    base_buf_add_char(out, '\n');
}
