/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule files as text: reads the line format of docs/nlu.md into plain lists, without knowing what a
 * pattern means. Everything keeps its file and line, so that later stages can name them.
 */
#ifndef NLU_GRAMMAR_SOURCE_H
#define NLU_GRAMMAR_SOURCE_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"

struct nlu_where {
    const char *file;
    int line;
};

enum nlu_source_kind {
    NLU_SOURCE_WORDS,  /* one line of a word class: name = class, number = value, text = words */
    NLU_SOURCE_DEFINE, /* name = text */
    NLU_SOURCE_SHAPE,  /* text = byte pattern, action = "class action key=n …" */
    NLU_SOURCE_RULE,   /* name = level, text = token pattern, action as above */
    NLU_SOURCE_LEAD,   /* text = token pattern that is skipped at the start of a message */
    NLU_SOURCE_TAIL,   /* … at its end */
    NLU_SOURCE_JOINT,  /* text = token pattern of a command and the (joint: words) behind it */
    NLU_SOURCE_INTENT, /* name = intent, number = score, text = token pattern */
};

enum nlu_example_kind { NLU_EXAMPLE_IS, NLU_EXAMPLE_IS_NOT };

struct nlu_source_example {
    struct nlu_source_example *next;
    struct nlu_where where;
    enum nlu_example_kind kind;
    struct base_sv text;
    struct base_sv value; /* behind "->"; empty: only that something is found */
};

struct nlu_source_line {
    struct nlu_source_line *next;
    struct nlu_where where;
    enum nlu_source_kind kind;
    struct base_sv name;
    int64_t number;
    bool capital; /* intents: only for messages that begin with a capital letter */
    struct base_sv text;
    struct base_sv action;
    struct nlu_source_example *examples; /* of this line and of lines above it since the last */
};

struct nlu_source {
    struct base_arena *arena;
    struct base_buf *errors;
    size_t error_count;
    struct nlu_source_line *first, **last;
};

void nlu_source_init(struct nlu_source *source, struct base_arena *arena, struct base_buf *errors);
/* Appends one file's lines; text must outlive the source. Errors go to the error buffer. */
void nlu_source_read(struct nlu_source *source, const char *file, struct base_sv text);
/* "file:line: reason" */
void nlu_source_error(struct nlu_source *source, struct nlu_where where, const char *fmt, ...)
    BASE_PRINTF(3, 4);

#endif
