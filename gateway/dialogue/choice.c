/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pointing at one of several tasks: by place ("the second one", "Nummer 2", "last") or by words of
 * its title. A place must be all that was said: "buy 2 apples" points at nothing.
 */
#include "gateway/dialogue/handler.h"

static const struct {
    const char *word;
    int number;
} places[] = {
    {"first", 1},   {"second", 2},  {"third", 3},    {"fourth", 4},   {"fifth", 5},
    {"sixth", 6},   {"seventh", 7}, {"eighth", 8},   {"ninth", 9},    {"tenth", 10},
    {"last", -1},   {"two", 2},     {"three", 3},    {"four", 4},     {"five", 5},
    {"erste", 1},   {"ersten", 1},  {"erster", 1},   {"erstes", 1},   {"zweite", 2},
    {"zweiten", 2}, {"zweiter", 2}, {"zweites", 2},  {"dritte", 3},   {"dritten", 3},
    {"dritter", 3}, {"drittes", 3}, {"vierte", 4},   {"vierten", 4},  {"fünfte", 5},
    {"fünften", 5}, {"letzte", -1}, {"letzten", -1}, {"letzter", -1}, {"letztes", -1},
};

/* Said beside a place or a title without being part of it. */
static const char *const fillers[] = {
    "the", "a",   "an",  "my",   "one",  "ones",   "task",    "number", "no",    "nr",
    "der", "die", "das", "den",  "dem",  "mein",   "meine",   "meinen", "bitte", "please",
    "it",  "is",  "i",   "mean", "with", "nummer", "aufgabe", "und",    "and",
};

static bool is_filler(struct base_sv word)
{
    for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++)
        if (base_sv_eq_i(word, base_sv_from(fillers[i])))
            return true;
    return false;
}

/* Without the punctuation around it. */
static struct base_sv bare(struct base_sv word)
{
    static const char marks[] = "#.,!?()\"'";
    while (word.len && strchr(marks, word.ptr[0]))
        word = base_sv_sub(word, 1, word.len);
    while (word.len && strchr(marks, word.ptr[word.len - 1]))
        word.len--;
    return word;
}

static int place_of(struct base_sv word)
{
    int64_t number;
    size_t digits = 0;
    while (digits < word.len && word.ptr[digits] >= '0' && word.ptr[digits] <= '9')
        digits++;
    struct base_sv ending = base_sv_sub(word, digits, word.len);
    bool is_ordinal = base_sv_eq_i(ending, SV("st")) || base_sv_eq_i(ending, SV("nd")) ||
                      base_sv_eq_i(ending, SV("rd")) || base_sv_eq_i(ending, SV("th"));
    if (digits && (ending.len == 0 || is_ordinal) &&
        base_sv_int64(base_sv_sub(word, 0, digits), &number) && number >= 1 && number <= 1000)
        return (int)number;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (base_sv_eq_i(word, base_sv_from(places[i].word)))
            return places[i].number;
    return 0;
}

int gw_choice_number(struct base_sv text)
{
    int found = 0;
    while (text.ptr) {
        struct base_sv word = bare(base_sv_split(&text, ' '));
        int place = place_of(word);
        if (place && found)
            return 0;
        if (place)
            found = place;
        else if (word.len && !is_filler(word))
            return 0;
    }
    return found;
}

bool gw_choice_is_all(struct base_sv text)
{
    static const char *const words[] = {"all", "everything", "alle", "alles"};
    while (text.ptr) {
        struct base_sv word = bare(base_sv_split(&text, ' '));
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
            if (base_sv_eq_i(word, base_sv_from(words[i])))
                return true;
    }
    return false;
}

bool gw_choice_is_it(struct base_sv text)
{
    static const char *const pronouns[] = {"it", "that", "this", "to", "es", "sie", "ihn", "auf"};
    bool any = false;
    while (text.ptr) {
        struct base_sv word = bare(base_sv_split(&text, ' '));
        bool known = word.len == 0;
        for (size_t i = 0; i < sizeof(pronouns) / sizeof(pronouns[0]); i++)
            known = known || base_sv_eq_i(word, base_sv_from(pronouns[i]));
        if (!known)
            return false;
        any = any || word.len > 0;
    }
    return any;
}

size_t gw_choice_words(struct base_sv text, struct base_sv *words, size_t max)
{
    struct base_sv rest = text;
    size_t count = 0;
    while (rest.ptr && count < max) {
        struct base_sv word = bare(base_sv_split(&rest, ' '));
        if (word.len && !is_filler(word))
            words[count++] = word;
    }
    if (count > 0)
        return count;
    for (rest = text; rest.ptr && count < max;) { /* a title made of such words only */
        struct base_sv word = bare(base_sv_split(&rest, ' '));
        if (word.len)
            words[count++] = word;
    }
    return count;
}
