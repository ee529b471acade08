/* SPDX-License-Identifier: Apache-2.0 */
/* From a reading to a command: the title cleaned of what was understood, times resolved, fields
 * filled. */
#ifndef NLU_COMMAND_FILL_H
#define NLU_COMMAND_FILL_H

#include "nlu/command/reading.h"

BASE_MUST_CHECK enum base_err nlu_fill(struct nlu_match *match, const struct nlu_reading *reading,
                                       size_t from, size_t to, struct base_arena *arena,
                                       struct nlu_command *ret_command);
/* All entities in the items, as spans; and the times the message holds. */
BASE_MUST_CHECK enum base_err nlu_fill_spans(struct nlu_match *match, struct base_arena *arena,
                                             struct nlu_result *result);

#endif
