/* SPDX-License-Identifier: Apache-2.0 */
/* The library's front: languages, scratch, and the path of one message through the stages. */
#include "nlu/nlu.h"

#include <stdlib.h>

#include "lib/base/utf8.h"
#include "nlu/command/fill.h"
#include "nlu/language.h"
#include "nlu/rules.h"

enum { SOURCE_BYTES_MAX = 64 << 20, LINES_MAX = 16, JOINTS_MAX = 3 };

struct nlu_scratch {
    struct nlu_match *match;
};

static const struct {
    const char *wire;
} INTENTS[NLU_INTENT_COUNT] = {
#define X(name, wire, help) [NLU_##name] = {wire},
#include "nlu/intents.def"
#undef X
};

const char *nlu_intent_name(enum nlu_intent intent)
{
    return (unsigned)intent < NLU_INTENT_COUNT ? INTENTS[intent].wire : "";
}

static bool same_language(const char *a, const char *b)
{
    size_t n = base_sv_find(base_sv_from(a), '/');
    return strncmp(a, b, n + 1) == 0;
}

static enum base_err compile_language(struct nlu *nlu, const struct nlu_rule_file *files, size_t n,
                                      struct base_buf *errors)
{
    char language[8] = {0};
    size_t len = base_sv_find(base_sv_from(files->name), '/');
    if (nlu->language_count == NLU_LANGUAGES_MAX || len >= sizeof(language))
        return BASE_UNSUPPORTED;
    memcpy(language, files->name, len);
    struct nlu_source source;
    nlu_source_init(&source, &nlu->arena, errors);
    for (size_t i = 0; i < n; i++)
        nlu_source_read(&source, files[i].name, base_sv((const char *)files[i].data, files[i].len));
    enum base_err err = nlu_grammar_new(language, &source, &nlu->languages[nlu->language_count]);
    if (err == BASE_OK)
        nlu->language_count++;
    return err;
}

enum base_err nlu_new(const char *rules_dir, struct nlu **ret_nlu, struct base_buf *errors)
{
    struct nlu *nlu = calloc(1, sizeof(*nlu));
    if (!nlu)
        return BASE_NO_MEMORY;
    base_arena_init(&nlu->arena, SOURCE_BYTES_MAX);
    const struct nlu_rule_file *files = NLU_BUILT_IN;
    enum base_err err = BASE_OK;
    if (rules_dir) {
        struct nlu_rule_file *loaded = NULL;
        err = nlu_rules_load(rules_dir, &nlu->arena, &loaded, errors);
        files = loaded;
    }
    while (err == BASE_OK && files->name) {
        size_t n = 1;
        while (files[n].name && same_language(files->name, files[n].name))
            n++;
        err = compile_language(nlu, files, n, errors);
        files += n;
    }
    if (err != BASE_OK) {
        nlu_free(nlu);
        return err;
    }
    *ret_nlu = nlu;
    return BASE_OK;
}

void nlu_free(struct nlu *nlu)
{
    if (!nlu)
        return;
    for (size_t i = 0; i < nlu->language_count; i++)
        nlu_grammar_free(nlu->languages[i]);
    base_arena_done(&nlu->arena);
    free(nlu);
}

enum base_err nlu_scratch_new(const struct nlu *nlu, struct nlu_scratch **ret_scratch)
{
    (void)nlu; /* the sizes do not depend on the rules today, but the caller must not rely on it */
    struct nlu_scratch *scratch = calloc(1, sizeof(*scratch));
    if (!scratch)
        return BASE_NO_MEMORY;
    enum base_err err = nlu_match_new(&scratch->match);
    if (err != BASE_OK) {
        free(scratch);
        return err;
    }
    *ret_scratch = scratch;
    return BASE_OK;
}

void nlu_scratch_free(struct nlu_scratch *scratch)
{
    if (!scratch)
        return;
    nlu_match_free(scratch->match);
    free(scratch);
}

/* The lines of a message are tasks of their own: "- buy milk\n- call Bob". */
struct lines {
    struct base_sv line[LINES_MAX];
    size_t count;
    bool more;
};

static struct base_sv without_bullet(struct base_sv line)
{
    line = base_sv_trim(line);
    size_t n = 0;
    while (n < line.len && n < 3 && line.ptr[n] >= '0' && line.ptr[n] <= '9')
        n++;
    bool numbered = n > 0 && n + 1 < line.len && (line.ptr[n] == '.' || line.ptr[n] == ')');
    bool bullet = n == 0 && line.len > 1 && (line.ptr[0] == '-' || line.ptr[0] == '*');
    if ((numbered || bullet) && line.ptr[n + 1] == ' ')
        line = base_sv_trim(base_sv_sub(line, n + 1, line.len));
    return line;
}

static void split_lines(struct base_sv text, struct lines *out)
{
    out->count = 0;
    out->more = false;
    struct base_sv rest = text;
    while (rest.ptr) {
        struct base_sv line = without_bullet(base_sv_split(&rest, '\n'));
        bool heading = line.len > 0 && line.ptr[line.len - 1] == ':' && rest.len > 0;
        if (line.len == 0 || heading)
            continue;
        if (out->count == LINES_MAX) {
            out->more = true;
            return;
        }
        out->line[out->count++] = line;
    }
    if (out->count == 0)
        out->line[out->count++] = base_sv_trim(text);
}

static bool creates(enum nlu_intent intent)
{
    return intent == NLU_TASK_CREATE || intent == NLU_REMINDER_SET;
}

/* "remind me to call mum at 9 and to feed the cat at 10": what follows is meant as what went
 * before, unless it says more clearly what it is. */
static void continue_reading(const struct nlu_reading *before, size_t from, size_t to,
                             struct nlu_reading *reading)
{
    struct nlu_stretch *title = &reading->slots[NLU_SLOT_TITLE];
    if (creates(reading->intent) && reading->score >= before->score)
        return;
    if (!creates(reading->intent) || !title->set)
        *title = (struct nlu_stretch){.set = true, .from = from, .to = to};
    reading->intent = before->intent;
    reading->score = before->score;
}

static struct base_sv text_from(const struct nlu_match *m, size_t item)
{
    return base_sv_sub(m->text, m->items[item].start, m->text.len);
}

/* One command of a matched line, with the notes behind its dash. A title of one word is none. */
static enum base_err read_command(struct nlu_match *m, size_t from, size_t to,
                                  const struct nlu_reading *before, const struct nlu_command *last,
                                  struct base_arena *arena, struct nlu_reading *reading,
                                  struct nlu_command *ret_command)
{
    enum base_err err;
    size_t end = nlu_reading_dash(m, from, to), dash;
    do {
        dash = end;
        nlu_reading_find(m, from, dash, reading);
        if (last)
            continue_reading(before, from, dash, reading);
        err = nlu_fill(m, reading, from, dash, last ? &last->fields.due : NULL, arena, ret_command);
        struct base_sv title = ret_command->fields.title;
        if (!creates(reading->intent) || base_sv_find(title, ' ') == title.len)
            end = to;
    } while (err == BASE_OK && dash < end);
    if (dash < to)
        ret_command->fields.notes =
            base_sv_sub(m->text, m->items[dash + 1].start, m->items[to - 1].end);
    return err;
}

/* The commands of a matched line, one after the other. */
static enum base_err read_commands(struct nlu_match *m, struct base_arena *arena, int *joints_left,
                                   struct nlu_result *out)
{
    struct nlu_reading reading, before = {0};
    const struct nlu_command *last = NULL;
    size_t from = 0;
    enum base_err err = BASE_OK;
    do {
        size_t to = m->item_count, next = m->item_count;
        bool more = *joints_left > 0 && nlu_reading_joint(m, from, m->item_count, &to, &next);
        err = read_command(m, from, to, &before, last, arena, &reading,
                           &out->commands[out->command_count]);
        if (err == BASE_OK && more && !creates(reading.intent)) {
            err = nlu_fill_warning(arena, out, "not understood:", text_from(m, next));
            more = false;
        }
        last = &out->commands[out->command_count++];
        before = reading;
        from = next;
        *joints_left -= more;
        if (!more)
            return err;
    } while (err == BASE_OK);
    return err;
}

/* One line; its commands and spans are appended. */
static enum base_err understand_line(const struct nlu *nlu, struct nlu_match *m,
                                     const struct nlu_input *input, struct base_sv line,
                                     struct base_arena *arena, int *joints_left,
                                     struct nlu_result *out)
{
    struct time_civil now =
        time_zone_civil(input->zone ? input->zone : time_zone_utc(), input->now_us);
    struct nlu_input one = *input;
    one.text = line;
    const struct nlu_grammar *grammar = nlu_language_choose(nlu, m, &one, now, arena);
    nlu_match_levels(m);
    size_t first = out->command_count;
    enum base_err err = read_commands(m, arena, joints_left, out);
    out->language = grammar->language;
    if (m->no_memory)
        return BASE_NO_MEMORY;
    if (err == BASE_OK)
        err = nlu_fill_warnings(m, &out->commands[first], arena, out);
    if (err == BASE_OK)
        err = nlu_fill_spans(m, arena, (size_t)(line.ptr - input->text.ptr), out);
    return err;
}

static enum base_err understand(const struct nlu *nlu, struct nlu_match *m,
                                const struct nlu_input *input, struct base_arena *arena,
                                struct nlu_result *out)
{
    struct lines lines;
    split_lines(input->text.ptr ? input->text : SV(""), &lines);
    out->commands = base_arena_array(arena, lines.count + JOINTS_MAX, sizeof(*out->commands));
    if (!out->commands)
        return BASE_NO_MEMORY;
    enum base_err err = BASE_OK;
    struct nlu_input one = *input;
    one.text = input->text.ptr ? input->text : SV("");
    int joints_left = JOINTS_MAX;
    for (size_t i = 0; err == BASE_OK && i < lines.count; i++)
        err = understand_line(nlu, m, &one, lines.line[i], arena, &joints_left, out);
    if (err == BASE_OK && lines.more)
        err = nlu_fill_warning(arena, out, "only the first lines were read; the rest begins behind",
                               lines.line[LINES_MAX - 1]);
    return err;
}

enum base_err nlu_parse(const struct nlu *nlu, struct nlu_scratch *scratch,
                        const struct nlu_input *input, struct base_arena *arena,
                        struct nlu_result *ret_result)
{
    if (input->text.len > NLU_TEXT_MAX)
        return BASE_TOO_LARGE;
    if (!base_utf8_valid(input->text))
        return BASE_MALFORMED;
    struct nlu_result result = {0};
    enum base_err err = understand(nlu, scratch->match, input, arena, &result);
    if (err != BASE_OK)
        return err;
    *ret_result = result;
    return BASE_OK;
}

static void explain_item(struct base_buf *out, const struct nlu_match *m, size_t i)
{
    const struct nlu_item *item = &m->items[i];
    base_buf_addf(out, "  %-24.*s ", (int)(item->end - item->start), m->text.ptr + item->start);
    if (item->rule)
        base_buf_addf(out, "<%.*s>  %s:%d", SV_FMT(m->grammar->class_names[item->code]),
                      item->rule->where.file, item->rule->where.line);
    else if (item->code < m->grammar->class_count)
        base_buf_addf(out, "<%.*s>", SV_FMT(m->grammar->class_names[item->code]));
    for (size_t k = 0; item->word && k < item->word->sense_count; k++)
        base_buf_addf(out, "<%.*s=%d> ",
                      SV_FMT(m->grammar->class_names[item->word->senses[k].class_id]),
                      item->word->senses[k].value);
    base_buf_add_char(out, '\n');
}

static void explain_rule(void *context, const struct nlu_rule *rule)
{
    base_buf_addf(context, "  %3d %-18s %s:%d  %.*s\n", rule->score,
                  nlu_intent_name((enum nlu_intent)rule->intent), rule->where.file,
                  rule->where.line, SV_FMT(rule->text));
}

void nlu_explain(const struct nlu *nlu, struct nlu_scratch *scratch, const struct nlu_input *input,
                 struct base_buf *out)
{
    struct base_arena arena;
    base_arena_init(&arena, 1 << 20);
    struct nlu_result result = {0};
    enum base_err err = nlu_parse(nlu, scratch, input, &arena, &result);
    if (err != BASE_OK) {
        base_buf_addf(out, "%s\n", base_err_text(err));
    } else {
        struct nlu_match *m = scratch->match;
        base_buf_addf(out, "language %s\nitems\n", result.language);
        for (size_t i = 0; i < m->item_count; i++)
            explain_item(out, m, i);
        base_buf_add_c(out, "intent patterns that fit\n");
        nlu_reading_each(m, 0, m->item_count, explain_rule, out);
        base_buf_add_c(out, "spans\n");
        for (size_t i = 0; i < result.span_count; i++)
            base_buf_addf(
                out, "  %-10s %.*s  \"%.*s\"\n", result.spans[i].type,
                SV_FMT(result.spans[i].value),
                SV_FMT(base_sv_sub(input->text, result.spans[i].start, result.spans[i].end)));
        for (size_t i = 0; i < result.command_count; i++)
            base_buf_addf(out, "command %s %.2f  title \"%.*s\"  target \"%.*s\"\n",
                          nlu_intent_name(result.commands[i].intent), result.commands[i].confidence,
                          SV_FMT(result.commands[i].fields.title),
                          SV_FMT(result.commands[i].target.text));
        for (size_t i = 0; i < result.warning_count; i++)
            base_buf_addf(out, "warning %.*s\n", SV_FMT(result.warnings[i]));
    }
    base_arena_done(&arena);
}
