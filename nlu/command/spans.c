/* SPDX-License-Identifier: Apache-2.0 */
/* What was found where, and what was not understood. */
#include <stdio.h>

#include "nlu/command/fill.h"
#include "nlu/value/repeat.h"

static bool is_entity(const struct nlu_match *m, size_t i)
{
    static const enum nlu_known CLASSES[] = {NLU_KNOWN_WHEN, NLU_KNOWN_REPEAT, NLU_KNOWN_DUR,
                                             NLU_KNOWN_AHEAD, NLU_KNOWN_RIGHT_NOW};
    for (size_t k = 0; k < sizeof(CLASSES) / sizeof(*CLASSES); k++) {
        if ((int)m->codes[i] == m->grammar->known[CLASSES[k]])
            return m->items[i].value != NULL;
    }
    return false;
}

enum base_err nlu_fill_spans(struct nlu_match *match, struct base_arena *arena, size_t offset,
                             struct nlu_result *result)
{
    size_t count = 0;
    for (size_t i = 0; i < match->item_count; i++)
        count += is_entity(match, i);
    struct nlu_span *spans =
        base_arena_array(arena, result->span_count + count + 1, sizeof(*spans));
    if (!spans)
        return BASE_NO_MEMORY;
    if (result->span_count)
        memcpy(spans, result->spans, result->span_count * sizeof(*spans));
    result->spans = spans;
    for (size_t i = 0; i < match->item_count; i++) {
        if (!is_entity(match, i))
            continue;
        char text[256];
        struct base_buf out = {.data = text, .cap = sizeof(text), .max = sizeof(text) - 1};
        struct nlu_span *span = &result->spans[result->span_count++];
        span->type = nlu_value_format(&out, match->items[i].value, match->eval.now);
        span->start = offset + match->items[i].start;
        span->end = offset + match->items[i].end;
        span->value = base_arena_sv(arena, base_buf_sv(&out));
        if (!span->value.ptr)
            return BASE_NO_MEMORY;
    }
    return BASE_OK;
}

enum base_err nlu_fill_warning(struct base_arena *arena, struct nlu_result *result,
                               const char *what, struct base_sv quote)
{
    struct base_sv *longer = base_arena_array(arena, result->warning_count + 1, sizeof(*longer));
    size_t len = strlen(what) + quote.len + 5;
    char *text = base_arena_alloc(arena, len);
    if (!longer || !text)
        return BASE_NO_MEMORY;
    if (result->warning_count)
        memcpy(longer, result->warnings, result->warning_count * sizeof(*longer));
    (void)snprintf(text, len, "%s \"%.*s\"", what, SV_FMT(quote));
    longer[result->warning_count++] = base_sv_from(text);
    result->warnings = longer;
    return BASE_OK;
}

enum base_err nlu_fill_warnings(struct nlu_match *match, const struct nlu_command *command,
                                struct base_arena *arena, struct nlu_result *result)
{
    int hint = match->grammar->known[NLU_KNOWN_HINT];
    bool makes = command->intent == NLU_TASK_CREATE || command->intent == NLU_REMINDER_SET ||
                 command->intent == NLU_TASK_UPDATE;
    for (size_t i = 0; makes && hint >= 0 && i < match->item_count; i++) {
        const struct nlu_item *item = &match->items[i];
        int64_t ignored;
        if (!item->word || !nlu_word_value(item->word, hint, &ignored))
            continue;
        size_t last = i + 2 < match->item_count ? i + 2 : match->item_count - 1;
        struct base_sv quote =
            base_sv(match->text.ptr + item->start, match->items[last].end - item->start);
        return nlu_fill_warning(arena, result, "not understood:", quote);
    }
    return BASE_OK;
}
