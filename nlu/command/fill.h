/* SPDX-License-Identifier: Apache-2.0 */
/* From a reading to a command: the title cleaned of what was understood, times resolved, fields
 * filled. */
#ifndef NLU_COMMAND_FILL_H
#define NLU_COMMAND_FILL_H

#include "nlu/command/reading.h"

BASE_MUST_CHECK enum base_err nlu_fill(struct nlu_match *match, const struct nlu_reading *reading,
                                       size_t from, size_t to, const struct nlu_when *before,
                                       struct base_arena *arena, struct nlu_command *ret_command);
/* All entities in the items, as spans; offset is where the line starts in the message. */
BASE_MUST_CHECK enum base_err nlu_fill_spans(struct nlu_match *match, struct base_arena *arena,
                                             size_t offset, struct nlu_result *result);
/* Words that announce a repetition and led to none. */
BASE_MUST_CHECK enum base_err nlu_fill_warnings(struct nlu_match *match,
                                                const struct nlu_command *command,
                                                struct base_arena *arena,
                                                struct nlu_result *result);
/* what: "quote" */
BASE_MUST_CHECK enum base_err nlu_fill_warning(struct base_arena *arena, struct nlu_result *result,
                                               const char *what, struct base_sv quote);

#endif
