/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of todo-nlu: JSON lines in, JSON lines out, and a bench over the same lines. */
#ifndef NLU_TOOL_TOOL_H
#define NLU_TOOL_TOOL_H

#include <stdio.h>

#include "nlu/nlu.h"

enum { TOOL_LINE_MAX = 64 * 1024, TOOL_ARENA_MAX = 1 << 20 };

/* {"text","reference","timezone","locale"}; text is copied into the arena. False: *ret_error says
 * why. */
bool tool_input_read(const char *line, struct base_arena *arena, struct nlu_input *ret_input,
                     const char **ret_error);

void tool_output_write(struct base_buf *out, const struct nlu_result *result);

/* Exit status. */
int tool_bench(const struct nlu *nlu, struct nlu_scratch *scratch, const char *path);

#endif
