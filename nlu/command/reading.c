/* SPDX-License-Identifier: Apache-2.0 */
/* Intent patterns describe a whole message. Each is tried against one of two views of it: all
 * items, or the items without modifiers (times, tags, priorities), as the pattern asks for. */
#include "nlu/command/reading.h"

struct view {
    uint16_t codes[NLU_TOKENS_MAX + 1];
    uint16_t items[NLU_TOKENS_MAX + 1]; /* code → item */
    size_t count;
};

bool nlu_is_modifier(const struct nlu_match *match, size_t item)
{
    return match->codes[item] < match->grammar->class_count &&
           nlu_codeset_has(&match->grammar->modifiers, match->codes[item]);
}

static bool is_sign(const struct nlu_match *m, size_t item, const char *signs)
{
    const struct nlu_item *it = &m->items[item];
    return it->count == 1 && strchr(signs, m->text.ptr[it->start]) != NULL;
}

static void build_view(const struct nlu_match *m, size_t from, size_t to, bool with_modifiers,
                       struct view *view)
{
    view->count = 0;
    for (size_t i = from; i < to; i++) {
        if (!with_modifiers && nlu_is_modifier(m, i))
            continue;
        view->codes[view->count] = m->codes[i];
        view->items[view->count++] = (uint16_t)i;
    }
    while (view->count > 0 && is_sign(m, view->items[view->count - 1], ".?!,;:-"))
        view->count--;
    view->codes[view->count] = NLU_CODE_EOT;
    view->items[view->count] = (uint16_t)to;
}

/* The longest rule of the level that fits at the place; 0 if none does. */
static size_t longest(struct nlu_match *m, const struct nlu_level *level, const struct view *view,
                      size_t at, bool to_end)
{
    size_t best = 0;
    const uint64_t *first = level->first + view->codes[at] * level->words;
    const uint64_t *second = level->second + view->codes[at + 1] * level->words;
    for (size_t w = 0; w < level->words; w++) {
        for (uint64_t left = first[w] & second[w]; left; left &= left - 1) {
            size_t end;
            const struct nlu_rule *rule = &level->rules[w * 64 + (size_t)__builtin_ctzll(left)];
            if (nlu_match_run(m, rule, view->codes, view->count, at, &end) && end - at > best &&
                (!to_end || end == view->count))
                best = end - at;
        }
    }
    return best;
}

/* A message that is nothing but courtesy keeps it: it is a greeting or thanks. */
static size_t skip_lead(struct nlu_match *m, const struct view *view)
{
    size_t at = 0;
    for (int i = 0; i < 6 && at < view->count; i++) {
        size_t n = longest(m, &m->grammar->lead, view, at, false);
        if (n == 0 || at + n >= view->count)
            break;
        at += n;
    }
    return at;
}

static size_t skip_tail(struct nlu_match *m, const struct view *view, size_t from)
{
    size_t end = view->count;
    struct view cut = *view;
    for (int i = 0; i < 3; i++) {
        size_t best = 0;
        for (size_t n = 1; n <= 4 && end > from + n; n++) {
            if (longest(m, &m->grammar->tail, &cut, end - n, true) == n)
                best = n;
        }
        if (best == 0)
            break;
        end -= best;
        while (end > from + 1 && is_sign(m, view->items[end - 1], ".!,;:-"))
            end--;
        cut.count = end;
        cut.codes[end] = NLU_CODE_EOT;
    }
    return end;
}

static enum nlu_slot slot_of(struct base_sv name)
{
    static const char *const NAMES[NLU_SLOT_COUNT] = {[NLU_SLOT_TITLE] = "title",
                                                      [NLU_SLOT_TARGET] = "target",
                                                      [NLU_SLOT_NOTES] = "notes",
                                                      [NLU_SLOT_TEXT] = "text",
                                                      [NLU_SLOT_PRIORITY] = "priority",
                                                      [NLU_SLOT_TIMEZONE] = "timezone",
                                                      [NLU_SLOT_QUIET] = "quiet",
                                                      [NLU_SLOT_DEFAULT_TIME] = "defaulttime",
                                                      [NLU_SLOT_LANGUAGE] = "language",
                                                      [NLU_SLOT_UNTAG] = "untag",
                                                      [NLU_SLOT_CLEAR_DUE] = "cleardue",
                                                      [NLU_SLOT_CLEAR_REPEAT] = "clearrepeat",
                                                      [NLU_SLOT_CLEAR_REMINDERS] = "clearreminders",
                                                      [NLU_SLOT_CLEAR_PRIORITY] = "clearpriority",
                                                      [NLU_SLOT_CLEAR_PROJECT] = "clearproject",
                                                      [NLU_SLOT_CLEAR_NOTES] = "clearnotes"};
    for (int i = 0; i < NLU_SLOT_COUNT; i++) {
        if (base_sv_eq_c(name, NAMES[i]))
            return (enum nlu_slot)i;
    }
    return NLU_SLOT_COUNT;
}

static void take_slots(const struct nlu_match *m, const struct nlu_rule *rule,
                       const struct view *view, struct nlu_reading *out)
{
    memset(out->slots, 0, sizeof(out->slots));
    for (int g = 1; g <= rule->pattern->group_count; g++) {
        enum nlu_slot slot = slot_of(rule->pattern->groups[g].name);
        size_t from, to;
        if (slot == NLU_SLOT_COUNT || !nlu_match_group(m, g, &from, &to))
            continue;
        out->slots[slot] = (struct nlu_stretch){
            .set = true,
            .from = view->items[from],
            .to = (size_t)view->items[to - 1] + 1,
            .n = nlu_item_n(&m->items[view->items[from]], rule->pattern->groups[g].class_id)};
    }
}

struct search {
    struct nlu_match *m;
    struct nlu_reading *out;
    void (*fits)(void *context, const struct nlu_rule *rule);
    void *context;
};

/* Of one word of a level's rule set: those that can begin at from, and hold before to a code that
 * they need. */
static uint64_t possible(const struct nlu_level *level, size_t word, const struct view *view,
                         size_t from, size_t to)
{
    uint64_t held = 0;
    for (size_t i = from; i < to; i++)
        held |= level->need[view->codes[i] * level->words + word];
    return held & level->first[view->codes[from] * level->words + word] &
           level->second[view->codes[from + 1] * level->words + word];
}

static bool worth_trying(const struct search *s, const struct nlu_rule *rule, bool full)
{
    bool capital = s->m->token_count > 0 && (s->m->tokens[0].flags & NLU_TOKEN_CAPITAL);
    return rule->full == full && (!rule->capital || capital) &&
           (s->fits || rule->score > s->out->score);
}

static void search_view(struct search *s, const struct view *view, size_t from, size_t to,
                        bool full)
{
    const struct nlu_level *level = &s->m->grammar->intents;
    for (size_t w = 0; w < level->words; w++) {
        for (uint64_t left = possible(level, w, view, from, to); left; left &= left - 1) {
            const struct nlu_rule *rule = &level->rules[w * 64 + (size_t)__builtin_ctzll(left)];
            size_t end;
            if (!worth_trying(s, rule, full) ||
                !nlu_match_run(s->m, rule, view->codes, to, from, &end))
                continue;
            if (s->fits) {
                s->fits(s->context, rule);
                continue;
            }
            s->out->rule = rule;
            s->out->score = rule->score;
            s->out->intent = (enum nlu_intent)rule->intent;
            take_slots(s->m, rule, view, s->out);
        }
    }
}

static void search_all(struct search *s, size_t from, size_t to)
{
    struct view view;
    for (int pass = 0; pass < 2; pass++) {
        build_view(s->m, from, to, pass == 0, &view);
        size_t lead = skip_lead(s->m, &view), tail = skip_tail(s->m, &view, lead);
        if (pass == 0) {
            s->out->from = lead < view.count ? view.items[lead] : to;
            s->out->to = tail > 0 ? (size_t)view.items[tail - 1] + 1 : from;
        }
        uint16_t code = view.codes[tail];
        if (view.count) {
            search_view(s, &view, 0, view.count, pass == 0);
            if (lead > 0)
                search_view(s, &view, lead, view.count, pass == 0);
            view.codes[tail] = NLU_CODE_EOT;
            if (tail < view.count)
                search_view(s, &view, lead, tail, pass == 0);
            view.codes[tail] = code;
        }
    }
}

void nlu_reading_find(struct nlu_match *match, size_t from, size_t to,
                      struct nlu_reading *ret_reading)
{
    *ret_reading = (struct nlu_reading){.intent = NLU_OUT_OF_SCOPE};
    struct search s = {.m = match, .out = ret_reading};
    search_all(&s, from, to);
    ret_reading->question =
        match->text.len > 0 && match->item_count > 0 && is_sign(match, match->item_count - 1, "?");
}

/* The joint that the rule found, if it is before the one there is. */
static void take_joint(const struct nlu_match *m, const struct nlu_rule *rule,
                       const struct view *view, size_t *at, size_t *next)
{
    for (int g = 1; g <= rule->pattern->group_count; g++) {
        size_t from, to;
        if (!base_sv_eq_c(rule->pattern->groups[g].name, "joint") ||
            !nlu_match_group(m, g, &from, &to) || to >= view->count || view->items[from] >= *at)
            continue;
        *at = view->items[from];
        *next = view->items[to];
    }
}

bool nlu_reading_joint(struct nlu_match *match, size_t from, size_t to, size_t *ret_at,
                       size_t *ret_next)
{
    const struct nlu_level *level = &match->grammar->joint;
    struct view view;
    if (level->rule_count == 0)
        return false;
    build_view(match, from, to, true, &view);
    *ret_at = to;
    for (size_t w = 0; w < level->words && view.count > 2; w++) {
        for (uint64_t left = possible(level, w, &view, 0, view.count); left; left &= left - 1) {
            const struct nlu_rule *rule = &level->rules[w * 64 + (size_t)__builtin_ctzll(left)];
            size_t end;
            if (nlu_match_run(match, rule, view.codes, view.count, 0, &end))
                take_joint(match, rule, &view, ret_at, ret_next);
        }
    }
    return *ret_at < to;
}

static bool is_dash(const struct nlu_match *m, size_t i)
{
    static const char *const DASHES[] = {"-", "\xe2\x80\x93", "\xe2\x80\x94"};
    const struct nlu_item *item = &m->items[i];
    struct base_sv text = base_sv_sub(m->text, item->start, item->end);
    bool alone = item->start > 0 && m->text.ptr[item->start - 1] == ' ' &&
                 item->end < m->text.len && m->text.ptr[item->end] == ' ';
    for (size_t k = 0; alone && k < sizeof(DASHES) / sizeof(*DASHES); k++) {
        if (base_sv_eq_c(text, DASHES[k]))
            return true;
    }
    return false;
}

size_t nlu_reading_dash(const struct nlu_match *match, size_t from, size_t to)
{
    size_t dash = to, words[2] = {0};
    for (size_t i = from; i < to; i++) {
        bool found = is_dash(match, i);
        if (found && dash < to)
            return to;
        if (found)
            dash = i;
        else if (!nlu_is_modifier(match, i) && !is_sign(match, i, ".,;:!?-"))
            words[dash < to]++;
    }
    return words[0] > 1 && words[1] > 1 ? dash : to;
}

void nlu_reading_each(struct nlu_match *match, size_t from, size_t to,
                      void (*fits)(void *context, const struct nlu_rule *rule), void *context)
{
    struct nlu_reading ignored = {0};
    struct search s = {.m = match, .out = &ignored, .fits = fits, .context = context};
    search_all(&s, from, to);
}
