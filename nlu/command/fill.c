/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fills a command. A time is taken out of the title when it is what makes the task due; another one
 * ("the monday newsletter") stays. Nothing else is lost from a title but the words that led to what
 * was understood.
 */
#include "nlu/command/fill.h"

#include "nlu/value/repeat.h"

enum { TITLE_PIECES_MAX = 32 };

struct fill {
    struct nlu_match *m;
    const struct nlu_reading *reading;
    size_t from, to;
    const struct nlu_when *before; /* when the command before it in the line is due */
    struct base_arena *arena;
    struct nlu_command *out;
    bool no_memory;
    bool taken[NLU_TOKENS_MAX]; /* items that are no part of a title */
};

static int class_of(const struct fill *f, enum nlu_known known)
{
    return f->m->grammar->known[known];
}

static struct base_sv item_text(const struct fill *f, size_t i)
{
    const struct nlu_item *item = &f->m->items[i];
    return base_sv(f->m->text.ptr + item->start, item->end - item->start);
}

static bool is_class(const struct fill *f, size_t i, int class_id)
{
    return class_id >= 0 && f->m->codes[i] == class_id;
}

/* ---- titles ---- */

static bool is_loose_sign(char c)
{
    return strchr(".,;:!-?", c) != NULL;
}

static struct base_sv trim_signs(struct base_sv s)
{
    for (;;) {
        struct base_sv t = base_sv_trim(s);
        if (t.len > 0 && is_loose_sign(t.ptr[0]) && !(t.len > 1 && t.ptr[0] == '-'))
            t = base_sv_sub(t, 1, t.len);
        if (t.len > 0 && is_loose_sign(t.ptr[t.len - 1]))
            t = base_sv_sub(t, 0, t.len - 1);
        if (t.len == s.len)
            return t;
        s = t;
    }
}

static struct base_sv unquote(struct base_sv s)
{
    if (s.len >= 2 && (s.ptr[0] == '"' || s.ptr[0] == '\'') && s.ptr[s.len - 1] == s.ptr[0] &&
        base_sv_find(base_sv_sub(s, 1, s.len - 1), s.ptr[0]) == s.len - 2)
        return base_sv_sub(s, 1, s.len - 1);
    if (s.len >= 6 && !memcmp(s.ptr, "\xe2\x80\x9c", 3) &&
        !memcmp(s.ptr + s.len - 3, "\xe2\x80\x9d", 3))
        return base_sv_sub(s, 3, s.len - 3);
    return s;
}

/* The text of the items in [from, to) that nothing has taken, pieces joined by one space. */
static struct base_sv title_text(struct fill *f, size_t from, size_t to)
{
    struct base_sv pieces[TITLE_PIECES_MAX];
    size_t count = 0, total = 0;
    for (size_t i = from; i < to; i++) {
        if (f->taken[i])
            continue;
        struct base_sv text = item_text(f, i);
        bool joins = count > 0 && i > from && !f->taken[i - 1];
        if (joins) {
            pieces[count - 1].len = (size_t)(text.ptr + text.len - pieces[count - 1].ptr);
        } else {
            if (count == TITLE_PIECES_MAX)
                break;
            pieces[count++] = text;
        }
    }
    if (count == 0)
        return SV_NULL;
    if (count == 1)
        return unquote(trim_signs(pieces[0]));
    for (size_t i = 0; i < count; i++)
        total += pieces[i].len + 1;
    char *joined = base_arena_alloc(f->arena, total);
    if (!joined) {
        f->no_memory = true;
        return SV_NULL;
    }
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        struct base_sv piece = base_sv_trim(pieces[i]);
        if (piece.len == 0)
            continue;
        if (len > 0 && !strchr(",.;:!?", piece.ptr[0]))
            joined[len++] = ' ';
        memcpy(joined + len, piece.ptr, piece.len);
        len += piece.len;
    }
    return unquote(trim_signs(base_sv(joined, len)));
}

/* ---- times ---- */

static struct nlu_when when_of(struct fill *f, const struct nlu_value *value)
{
    struct nlu_when when = {.set = true, .zone = value->zone};
    when.at = nlu_value_due(f->m->eval.now, value, &when.has_time);
    return when;
}

static bool is_time_only(const struct nlu_value *v)
{
    return (v->flags & NLU_HAS_TIME) && !(v->flags & NLU_HAS_DATE);
}

/* A time in the middle of words, behind an article or before a noun, belongs to them. */
static bool is_part_of_words(const struct fill *f, size_t i)
{
    const struct nlu_item *item = &f->m->items[i];
    bool leads = f->m->tokens[item->first].word && f->m->tokens[item->first].word->literal;
    if (item->count > 1 && leads)
        return false;
    if (i + 1 < f->to && item_text(f, i + 1).ptr[0] == '\'')
        return true;
    if (i == f->from || i + 1 >= f->to)
        return false;
    struct base_sv before = item_text(f, i - 1);
    static const char *const ARTICLES[] = {"the", "a", "an", "my", "our", "his", "her", "their"};
    for (size_t k = 0; k < sizeof(ARTICLES) / sizeof(*ARTICLES); k++) {
        if (base_sv_eq_i(before, base_sv_from(ARTICLES[k])))
            return true;
    }
    return false;
}

static int time_rank(const struct fill *f, size_t i, const struct nlu_value *v)
{
    int rank = 4;
    if (i == f->from || i + 1 == f->to)
        rank += 2;
    if (f->m->items[i].count > 1)
        rank += 1;
    if (v->flags & NLU_HAS_TIME)
        rank += 1;
    return is_part_of_words(f, i) ? 0 : rank;
}

static void join_day_and_time(struct fill *f, struct nlu_when *due, const struct nlu_value *day,
                              const struct nlu_value *time)
{
    struct nlu_eval *eval = &f->m->eval;
    memset(eval->args, 0, sizeof(eval->args));
    eval->args[NLU_KEY('d')] = (struct nlu_arg){.set = true, .value = day};
    eval->args[NLU_KEY('t')] = (struct nlu_arg){.set = true, .value = time};
    const struct nlu_action *join = nlu_action_find(SV("join"));
    struct nlu_value both = {0};
    if (join->run(eval, &both))
        *due = when_of(f, &both);
}

/* A clock time in the words that name an existing task is one of its words: "meet john at 8". */
static bool in_target(const struct fill *f, size_t i)
{
    const struct nlu_stretch *target = &f->reading->slots[NLU_SLOT_TARGET];
    bool settled = f->out->intent == NLU_TASK_COMPLETE || f->out->intent == NLU_TASK_DELETE;
    return settled && target->set && i >= target->from && i < target->to;
}

static bool names_task(const struct fill *f, size_t i, const struct nlu_value *v)
{
    return in_target(f, i) && (v->flags & NLU_HAS_TIME);
}

static void take_times(struct fill *f)
{
    int when = class_of(f, NLU_KNOWN_WHEN), right_now = class_of(f, NLU_KNOWN_RIGHT_NOW);
    size_t best = f->to;
    int best_rank = 0;
    for (size_t i = f->from; i < f->to; i++) {
        const struct nlu_value *v = f->m->items[i].value;
        if (!(is_class(f, i, when) || is_class(f, i, right_now)) || !v || (v->flags & NLU_PAST) ||
            names_task(f, i, v))
            continue;
        int rank = time_rank(f, i, v);
        if (rank > best_rank) {
            best_rank = rank;
            best = i;
        }
    }
    if (best == f->to)
        return;
    const struct nlu_value *chosen = f->m->items[best].value;
    f->out->fields.due = when_of(f, chosen);
    f->taken[best] = true;
    if (is_time_only(chosen) && f->before && f->before->set) { /* "tomorrow at 9 … and at 10" */
        struct nlu_value day = {0};
        nlu_value_day(&day, f->before->at);
        if (nlu_days(f->before->at) > nlu_days(f->m->eval.now))
            join_day_and_time(f, &f->out->fields.due, &day, chosen);
    }
    for (size_t i = f->from; i < f->to; i++) { /* "tomorrow … at 5" */
        const struct nlu_value *v = f->m->items[i].value;
        if (i == best || !is_class(f, i, when) || !v || is_part_of_words(f, i))
            continue;
        if (is_time_only(v) && !is_time_only(chosen) && !(chosen->flags & NLU_HAS_TIME))
            join_day_and_time(f, &f->out->fields.due, chosen, v);
        else if (is_time_only(chosen) && (v->flags & NLU_HAS_DATE) && !(v->flags & NLU_HAS_TIME))
            join_day_and_time(f, &f->out->fields.due, v, chosen);
        else
            continue;
        f->taken[i] = true;
        return;
    }
}

static bool is_bare(const struct fill *f, size_t repeat)
{
    if (f->reading->intent == NLU_OUT_OF_SCOPE)
        return true;
    for (size_t i = f->from; i < f->to; i++) {
        if (i != repeat && !f->taken[i] && !is_loose_sign(item_text(f, i).ptr[0]))
            return false;
    }
    return true;
}

/* A repetition that nothing is to be done at has no first occurrence: it counts from now. */
static void rest_at_now(struct fill *f, const struct nlu_set *set, struct nlu_when *due)
{
    struct nlu_value time = {.flags = NLU_HAS_TIME};
    due->set = set->freq >= NLU_DAY;
    due->at = nlu_midnight(f->m->eval.now);
    if (set->time_count) {
        time.from = set->times[0];
        due->at = nlu_next_time(f->m->eval.now, &time);
    }
}

static void take_repeat(struct fill *f)
{
    int repeat = class_of(f, NLU_KNOWN_REPEAT);
    struct nlu_fields *fields = &f->out->fields;
    size_t longest = f->to;
    for (size_t i = f->from; i < f->to; i++) {
        const struct nlu_item *item = &f->m->items[i];
        if (is_class(f, i, repeat) && item->value && item->value->set && !in_target(f, i) &&
            (longest == f->to || item->count > f->m->items[longest].count))
            longest = i;
    }
    for (size_t i = longest; i < f->to && i == longest; i++) {
        const struct nlu_value *v = f->m->items[i].value;
        f->taken[i] = true;
        struct nlu_set set = *v->set;
        struct time_civil first;
        bool has_time;
        if (fields->due.set && fields->due.has_time && set.time_count == 0)
            set.times[set.time_count++] = fields->due.at;
        if (fields->due.set && !set.has_start &&
            (nlu_days(fields->due.at) > nlu_days(f->m->eval.now))) {
            set.has_start = true;
            set.start = fields->due.at;
        }
        nlu_set_settle(&set, f->m->eval.now, &first, &has_time);
        fields->due = (struct nlu_when){.set = true, .has_time = has_time, .at = first};
        if (!set.has_start && is_bare(f, i))
            rest_at_now(f, &set, &fields->due);
        fields->anchor = set.after_completion ? NLU_ANCHOR_COMPLETION : NLU_ANCHOR_SCHEDULE;
        char text[512];
        struct base_buf out = {.data = text, .cap = sizeof(text), .max = sizeof(text) - 1};
        nlu_set_format(&out, &set);
        fields->rrule = base_arena_sv(f->arena, base_buf_sv(&out));
        fields->exdates = base_arena_array(f->arena, set.exdate_count + 1, sizeof(struct nlu_when));
        if (!fields->rrule.ptr || !fields->exdates) {
            f->no_memory = true;
            return;
        }
        for (size_t k = 0; k < set.exdate_count; k++)
            fields->exdates[fields->exdate_count++] = (struct nlu_when){
                .set = true, .has_time = set.exdates[k].has_time, .at = set.exdates[k].at};
    }
}

/* ---- the rest ---- */

static void add_sv(struct fill *f, struct base_sv **list, size_t *count, struct base_sv value)
{
    struct base_sv *longer = base_arena_array(f->arena, *count + 1, sizeof(*longer));
    if (!longer) {
        f->no_memory = true;
        return;
    }
    if (*count)
        memcpy(longer, *list, *count * sizeof(*longer));
    longer[*count] = value;
    *list = longer;
    (*count)++;
}

static void add_reminder(struct fill *f, int64_t before_s)
{
    struct nlu_fields *fields = &f->out->fields;
    struct nlu_reminder *longer =
        base_arena_array(f->arena, fields->reminder_count + 1, sizeof(*longer));
    if (!longer) {
        f->no_memory = true;
        return;
    }
    if (fields->reminder_count)
        memcpy(longer, fields->reminders, fields->reminder_count * sizeof(*longer));
    longer[fields->reminder_count++] =
        (struct nlu_reminder){.relative = true, .before_s = before_s};
    fields->reminders = longer;
}

static void take_extras(struct fill *f)
{
    int ahead = class_of(f, NLU_KNOWN_AHEAD), prio = class_of(f, NLU_KNOWN_PRIO),
        project = class_of(f, NLU_KNOWN_PROJECT);
    struct nlu_fields *fields = &f->out->fields;
    for (size_t i = f->from; i < f->to; i++) {
        const struct nlu_item *item = &f->m->items[i];
        struct base_sv text = item_text(f, i);
        if (item->code == NLU_CODE_TAG) {
            add_sv(f, &fields->tags, &fields->tag_count, base_sv_sub(text, 1, text.len));
        } else if (item->code == NLU_CODE_PLUS) {
            fields->project = base_sv_sub(text, 1, text.len);
        } else if (is_class(f, i, prio) && item->value) {
            fields->priority = (int)item->value->n;
        } else if (is_class(f, i, project)) {
            const struct nlu_item *last = &f->m->tokens[item->first + item->count - 1];
            fields->project =
                unquote(base_sv(f->m->text.ptr + last->start, last->end - last->start));
        } else if (is_class(f, i, ahead)) {
            for (const struct nlu_value *v = item->value; v; v = v->next)
                add_reminder(f, v->seconds);
        } else {
            continue;
        }
        f->taken[i] = true;
    }
}

static void set_target(struct fill *f, const struct nlu_stretch *stretch)
{
    struct nlu_target *target = &f->out->target;
    struct base_sv text = title_text(f, stretch->from, stretch->to);
    static const char *const IT[] = {"it",        "that",     "this",
                                     "this one",  "that one", "that task",
                                     "this task", "the task", "the last task"};
    static const char *const ALL[] = {"all",         "everything",   "them",       "all tasks",
                                      "all of them", "all my tasks", "every task", "them all"};
    for (size_t i = 0; i < sizeof(IT) / sizeof(*IT); i++) {
        if (base_sv_eq_i(text, base_sv_from(IT[i])))
            target->ref = NLU_REF_LAST;
    }
    for (size_t i = 0; i < sizeof(ALL) / sizeof(*ALL); i++) {
        if (base_sv_eq_i(text, base_sv_from(ALL[i])))
            target->ref = NLU_REF_ALL;
    }
    int num = NLU_CODE_NUM, ord = class_of(f, NLU_KNOWN_ORD);
    size_t left = stretch->to;
    for (size_t i = stretch->from; i < stretch->to; i++) {
        if (f->taken[i])
            continue;
        const struct nlu_item *item = &f->m->items[i];
        bool numeric = item->code == num || is_class(f, i, ord);
        int64_t n;
        if (!numeric && item->word && ord >= 0 && nlu_word_value(item->word, ord, &n))
            numeric = true;
        if (numeric)
            left = i;
    }
    static const char *const COUNTED[] = {"one", "task", "item", "todo",    "number",
                                          "no",  "#",    "the",  "reminder"};
    bool plain = left < stretch->to;
    for (size_t i = stretch->from; plain && i < stretch->to; i++) {
        bool known = i == left || f->taken[i];
        for (size_t k = 0; !known && k < sizeof(COUNTED) / sizeof(*COUNTED); k++)
            known = base_sv_eq_i(item_text(f, i), base_sv_from(COUNTED[k]));
        plain = known;
    }
    if (plain && nlu_item_n(&f->m->items[left], ord) < 10000)
        target->number = (int)nlu_item_n(&f->m->items[left], ord);
    if (base_sv_eq_i(text, SV("the last one")) || base_sv_eq_i(text, SV("last one")))
        target->number = -1;
    if (target->ref == NLU_REF_NONE && target->number == 0)
        target->text = text;
}

static void set_filter(struct fill *f)
{
    int when = class_of(f, NLU_KNOWN_WHEN);
    struct nlu_filter *filter = &f->out->filter;
    for (size_t i = f->from; i < f->to; i++) {
        const struct nlu_value *v = f->m->items[i].value;
        if (!is_class(f, i, when) || !v || !(v->flags & NLU_HAS_DATE))
            continue;
        if (!(v->flags & NLU_NO_FROM))
            filter->from = (struct nlu_when){.set = true, .has_time = true, .at = v->from};
        if (!(v->flags & NLU_NO_TO))
            filter->to = (struct nlu_when){.set = true, .has_time = true, .at = v->to};
        f->taken[i] = true;
    }
    for (size_t i = 0; i < f->m->token_count; i++) { /* tokens: a noun may have taken the word in */
        const struct nlu_item *token = &f->m->tokens[i];
        struct base_sv text = base_sv(f->m->text.ptr + token->start, token->end - token->start);
        filter->overdue |= base_sv_eq_i(text, SV("overdue")) || base_sv_eq_i(text, SV("late"));
        filter->done |= base_sv_eq_i(text, SV("done")) || base_sv_eq_i(text, SV("completed")) ||
                        base_sv_eq_i(text, SV("finished"));
        filter->all |= base_sv_eq_i(text, SV("all")) || base_sv_eq_i(text, SV("everything"));
    }
    filter->priority = f->out->fields.priority;
    if (f->out->fields.tag_count)
        filter->tag = f->out->fields.tags[0];
    filter->project = f->out->fields.project;
    if (f->reading->slots[NLU_SLOT_TEXT].set)
        filter->text = title_text(f, f->reading->slots[NLU_SLOT_TEXT].from,
                                  f->reading->slots[NLU_SLOT_TEXT].to);
}

/* What an update takes away, and by how much it moves. */
static void set_changes(struct fill *f)
{
    const struct nlu_stretch *slots = f->reading->slots;
    struct nlu_fields *fields = &f->out->fields;
    fields->clear_due = slots[NLU_SLOT_CLEAR_DUE].set;
    fields->clear_recurrence = slots[NLU_SLOT_CLEAR_REPEAT].set;
    fields->clear_reminders = slots[NLU_SLOT_CLEAR_REMINDERS].set;
    fields->clear_project = slots[NLU_SLOT_CLEAR_PROJECT].set;
    fields->clear_notes = slots[NLU_SLOT_CLEAR_NOTES].set;
    if (slots[NLU_SLOT_CLEAR_PRIORITY].set)
        fields->priority = -1;
    if (slots[NLU_SLOT_UNTAG].set) {
        fields->untags = fields->tags;
        fields->untag_count = fields->tag_count;
        fields->tag_count = 0;
    }
    if (slots[NLU_SLOT_NOTES].set)
        fields->notes = title_text(f, slots[NLU_SLOT_NOTES].from, slots[NLU_SLOT_NOTES].to);
    int64_t shift = 0, sign = 1;
    for (size_t i = f->from; i < f->to; i++) {
        const struct nlu_value *v = f->m->items[i].value;
        static const char *const EARLIER[] = {"earlier", "sooner", "up", "forward"};
        for (size_t k = 0; k < sizeof(EARLIER) / sizeof(*EARLIER); k++)
            sign = base_sv_eq_i(item_text(f, i), base_sv_from(EARLIER[k])) ? -1 : sign;
        if (v && !f->taken[i] && !v->set && !(v->flags & (NLU_HAS_DATE | NLU_HAS_TIME)))
            shift = v->seconds + v->months * INT64_C(2592000);
    }
    if (!fields->due.set)
        fields->shift_s = sign * shift;
}

static void set_setting(struct fill *f)
{
    static const struct {
        enum nlu_slot slot;
        const char *name;
    } SETTINGS[] = {{NLU_SLOT_TIMEZONE, "timezone"},
                    {NLU_SLOT_QUIET, "quiet_hours"},
                    {NLU_SLOT_DEFAULT_TIME, "default_time"},
                    {NLU_SLOT_LANGUAGE, "language"}};
    for (size_t i = 0; i < sizeof(SETTINGS) / sizeof(*SETTINGS); i++) {
        const struct nlu_stretch *slot = &f->reading->slots[SETTINGS[i].slot];
        if (!slot->set)
            continue;
        f->out->setting = base_sv_from(SETTINGS[i].name);
        memset(f->taken, 0, sizeof(f->taken));
        f->out->setting_value = title_text(f, slot->from, slot->to);
        for (size_t k = slot->from; k < slot->to; k++) { /* a time is given as one */
            const struct nlu_value *v = f->m->items[k].value;
            char text[96];
            struct base_buf out = {.data = text, .cap = sizeof(text), .max = sizeof(text) - 1};
            if (!v || !(v->flags & NLU_HAS_TIME))
                continue;
            (void)nlu_value_format(&out, v, f->m->eval.now);
            f->out->setting_value = base_arena_sv(f->arena, base_buf_sv(&out));
            f->no_memory |= f->out->setting_value.ptr == NULL;
        }
    }
}

static bool is_length(const struct fill *f, const struct nlu_stretch *stretch)
{
    const struct nlu_value *v = f->m->items[stretch->from].value;
    return v && stretch->to - stretch->from == 1;
}

static void set_snooze(struct fill *f)
{
    for (size_t i = f->from; i < f->to; i++) {
        const struct nlu_value *v = f->m->items[i].value;
        if (v && v->seconds > 0 && !(v->flags & (NLU_HAS_DATE | NLU_HAS_TIME)))
            f->out->fields.snooze_s = v->seconds;
    }
}

enum base_err nlu_fill(struct nlu_match *match, const struct nlu_reading *reading, size_t from,
                       size_t to, const struct nlu_when *before, struct base_arena *arena,
                       struct nlu_command *ret_command)
{
    struct fill f = {
        .m = match, .reading = reading, .from = from, .to = to, .before = before, .arena = arena};
    *ret_command = (struct nlu_command){.intent = reading->intent,
                                        .confidence = (double)reading->score / 100.0};
    f.out = ret_command;
    take_extras(&f);
    take_times(&f);
    take_repeat(&f);
    if (reading->slots[NLU_SLOT_PRIORITY].set)
        ret_command->fields.priority = (int)reading->slots[NLU_SLOT_PRIORITY].n;
    const struct nlu_stretch *title = &reading->slots[NLU_SLOT_TITLE],
                             *target = &reading->slots[NLU_SLOT_TARGET];
    if (reading->intent == NLU_TASK_LIST || reading->intent == NLU_REMINDER_LIST)
        set_filter(&f);
    if (reading->intent == NLU_REMINDER_SNOOZE)
        set_snooze(&f);
    if (reading->intent == NLU_TASK_UPDATE)
        set_changes(&f);
    if (reading->intent == NLU_SETTINGS)
        set_setting(&f);
    if (target->set && !is_length(&f, target))
        set_target(&f, target);
    if (reading->intent == NLU_OUT_OF_SCOPE && to > from) { /* "the second one": an answer */
        set_target(&f, &(struct nlu_stretch){.set = true, .from = from, .to = to});
        ret_command->target.text = SV_NULL;
    }
    if (title->set)
        ret_command->fields.title = title_text(&f, title->from, title->to);
    else if (reading->intent == NLU_TASK_CREATE || reading->intent == NLU_OUT_OF_SCOPE)
        ret_command->fields.title = title_text(&f, from, to);
    return f.no_memory ? BASE_NO_MEMORY : BASE_OK;
}
