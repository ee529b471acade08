/* SPDX-License-Identifier: Apache-2.0 */
/* Messages a second on one core: the lines are read first, then parsed over and over for two
 * seconds; the best of the rounds counts, since other programs share the core. */
#include <stdlib.h>
#include <time.h>

#include "nlu/tool/tool.h"

enum { LINES_MAX = 100000, ROUND_NS = 200 * 1000 * 1000, ROUNDS = 10 };

static int64_t cpu_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static double one_round(const struct nlu *nlu, struct nlu_scratch *scratch,
                        const struct nlu_input *inputs, size_t count, size_t *next,
                        struct base_arena *arena)
{
    int64_t start = cpu_ns(), now = start;
    int64_t done = 0;
    while (now - start < ROUND_NS) {
        for (int i = 0; i < 100; i++, done++) {
            struct nlu_result result;
            base_arena_reset(arena);
            if (nlu_parse(nlu, scratch, &inputs[*next], arena, &result) != BASE_OK)
                return 0;
            *next = (*next + 1) % count;
        }
        now = cpu_ns();
    }
    return (double)done * 1e9 / (double)(now - start);
}

static size_t read_all(FILE *file, struct base_arena *arena, struct nlu_input *inputs)
{
    static char line[TOOL_LINE_MAX];
    size_t count = 0;
    const char *error;
    while (count < LINES_MAX && fgets(line, sizeof(line), file)) {
        if (tool_input_read(line, arena, &inputs[count], &error) &&
            inputs[count].text.len <= NLU_TEXT_MAX)
            count++;
    }
    return count;
}

int tool_bench(const struct nlu *nlu, struct nlu_scratch *scratch, const char *path)
{
    FILE *file = fopen(path, "rb");
    struct nlu_input *inputs = calloc(LINES_MAX, sizeof(*inputs));
    struct base_arena texts, arena;
    base_arena_init(&texts, 256 << 20);
    base_arena_init(&arena, TOOL_ARENA_MAX);
    size_t count = file && inputs ? read_all(file, &texts, inputs) : 0;
    if (file)
        (void)fclose(file);
    double best = 0;
    size_t next = 0;
    for (int i = 0; count > 0 && i < ROUNDS; i++) {
        double rate = one_round(nlu, scratch, inputs, count, &next, &arena);
        best = rate > best ? rate : best;
    }
    if (count == 0)
        (void)fprintf(stderr, "todo-nlu: no messages in %s\n", path);
    else
        (void)printf("%zu texts, best of %d rounds, messages/s on one core: %.0f\n", count, ROUNDS,
                     best);
    base_arena_done(&texts);
    base_arena_done(&arena);
    free(inputs);
    return count > 0 ? 0 : 1;
}
