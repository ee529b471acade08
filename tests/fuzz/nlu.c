/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a message. What comes back must lie within the message. */
#include <stdlib.h>

#include "nlu/nlu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct nlu *nlu;
    static struct nlu_scratch *scratch;
    if (!nlu && (nlu_new(NULL, &nlu, NULL) != BASE_OK || nlu_scratch_new(nlu, &scratch) != BASE_OK))
        abort();
    struct base_arena arena;
    base_arena_init(&arena, 1 << 20);
    struct nlu_input input = {.text = base_sv((const char *)data, size),
                              .zone = time_zone_utc(),
                              .now_us = INT64_C(1773221400000000)};
    struct nlu_result result;
    if (nlu_parse(nlu, scratch, &input, &arena, &result) == BASE_OK) {
        for (size_t i = 0; i < result.span_count; i++) {
            if (result.spans[i].end > size || result.spans[i].start >= result.spans[i].end)
                abort();
        }
        for (size_t i = 0; i < result.command_count; i++) {
            if ((unsigned)result.commands[i].intent >= NLU_INTENT_COUNT)
                abort();
        }
    }
    base_arena_done(&arena);
    return 0;
}
