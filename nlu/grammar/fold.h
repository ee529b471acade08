/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How words are compared: ASCII and Latin-1 letters in lower case, apostrophes dropped ("Don't" is
 * "dont"). The same function serves rule files and messages, so they cannot disagree.
 */
#ifndef NLU_GRAMMAR_FOLD_H
#define NLU_GRAMMAR_FOLD_H

#include "lib/base/sv.h"

enum { NLU_FOLD_MAX = 64 };

/* Longer words are cut: no rule knows them anyway. */
static inline struct base_sv nlu_fold(struct base_sv word, char folded[NLU_FOLD_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < word.len && n < NLU_FOLD_MAX; i++) {
        unsigned char c = (unsigned char)word.ptr[i];
        unsigned char before = i ? (unsigned char)word.ptr[i - 1] : 0;
        if (c == '\'' && word.len > 1)
            continue;
        if (c == 0xe2 && i + 2 < word.len && (unsigned char)word.ptr[i + 1] == 0x80 &&
            ((unsigned char)word.ptr[i + 2] & 0xfe) == 0x98) { /* typographic ’ and ‘ */
            i += 2;
            continue;
        }
        if (c >= 'A' && c <= 'Z')
            c = (unsigned char)(c + 32);
        else if (before == 0xc3 && c >= 0x80 && c <= 0x9e && c != 0x97)
            c = (unsigned char)(c + 32);
        folded[n++] = (char)c;
    }
    return base_sv(folded, n);
}

#endif
