/* SPDX-License-Identifier: Apache-2.0 */
/* todo-nlu: the understanding as a filter for JSON lines, for people, tests and measurements. */
#include <getopt.h>
#include <stdlib.h>

#include "nlu/tool/tool.h"

static const char USAGE[] =
    "Usage: todo-nlu [--rules DIR] [--check | --explain TEXT | --bench FILE]\n"
    "Reads JSON lines {\"text\",\"reference\",\"timezone\",\"locale\"} and writes what was "
    "understood.\n"
    "  --rules DIR     rule files to use instead of the built-in ones\n"
    "  --check         compile the rules, run their examples, report, and exit\n"
    "  --explain TEXT  show tokens, rules, spans and scores for one message\n"
    "  --reference T   the local time at which --explain's text was written\n"
    "  --bench FILE    measure messages per second over the lines of FILE\n"
    "  --help, --version\n";

struct options {
    const char *rules, *explain, *bench, *reference;
    bool check;
};

static int explain(const struct nlu *nlu, struct nlu_scratch *scratch, const struct options *o)
{
    struct nlu_input input = {.text = base_sv_from(o->explain), .zone = time_zone_utc()};
    struct time_civil civil = {.year = 2026, .month = 3, .day = 11, .hour = 9, .minute = 30};
    bool has_time;
    if (o->reference && !time_civil_parse(base_sv_from(o->reference), &civil, &has_time)) {
        (void)fprintf(stderr, "todo-nlu: --reference is no local ISO 8601 time\n");
        return 2;
    }
    input.now_us = time_zone_instant(input.zone, civil, NULL);
    struct base_buf out;
    base_buf_init(&out, 1 << 20);
    nlu_explain(nlu, scratch, &input, &out);
    (void)fwrite(out.data ? out.data : "", 1, out.len, stdout);
    base_buf_done(&out);
    return 0;
}

static void answer(const struct nlu *nlu, struct nlu_scratch *scratch, const char *line,
                   struct base_arena *arena, struct base_buf *out)
{
    struct nlu_input input;
    struct nlu_result result;
    const char *error;
    base_buf_reset(out);
    base_arena_reset(arena);
    if (!tool_input_read(line, arena, &input, &error)) {
        base_buf_addf(out, "{\"error\":\"%s\"}\n", error[0] == '"' ? "bad input" : error);
        return;
    }
    enum base_err err = nlu_parse(nlu, scratch, &input, arena, &result);
    if (err != BASE_OK)
        base_buf_addf(out, "{\"error\":\"%s\"}\n", base_err_code(err));
    else
        tool_output_write(out, &result);
}

static int filter(const struct nlu *nlu, struct nlu_scratch *scratch)
{
    static char line[TOOL_LINE_MAX];
    struct base_arena arena;
    struct base_buf out;
    base_arena_init(&arena, TOOL_ARENA_MAX);
    base_buf_init(&out, TOOL_ARENA_MAX);
    while (fgets(line, sizeof(line), stdin)) {
        answer(nlu, scratch, line, &arena, &out);
        (void)fwrite(out.data, 1, out.len, stdout);
    }
    base_buf_done(&out);
    base_arena_done(&arena);
    return ferror(stdin) || fflush(stdout) != 0 ? 1 : 0;
}

static int check(const struct nlu *nlu, struct nlu_scratch *scratch)
{
    struct base_buf out;
    base_buf_init(&out, 1 << 20);
    size_t examples = 0, bad = nlu_check(nlu, scratch, &out, &examples);
    (void)fwrite(out.data ? out.data : "", 1, out.len, stderr);
    (void)printf("%zu examples, %zu wrong\n", examples, bad);
    base_buf_done(&out);
    return bad > 0;
}

static int run(const struct options *o)
{
    struct nlu *nlu = NULL;
    struct nlu_scratch *scratch = NULL;
    struct base_buf errors;
    base_buf_init(&errors, 64 * 1024);
    enum base_err err = nlu_new(o->rules, &nlu, &errors);
    if (err == BASE_OK)
        err = nlu_scratch_new(nlu, &scratch);
    int status = 1;
    if (err != BASE_OK)
        (void)fprintf(stderr, "%.*stodo-nlu: %s\n", SV_FMT(base_buf_sv(&errors)),
                      base_err_text(err));
    else if (o->check)
        status = check(nlu, scratch);
    else if (o->explain)
        status = explain(nlu, scratch, o);
    else if (o->bench)
        status = tool_bench(nlu, scratch, o->bench);
    else
        status = filter(nlu, scratch);
    nlu_scratch_free(scratch);
    nlu_free(nlu);
    base_buf_done(&errors);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option OPTIONS[] = {
        {"rules", required_argument, NULL, 'r'},     {"explain", required_argument, NULL, 'e'},
        {"reference", required_argument, NULL, 'f'}, {"bench", required_argument, NULL, 'b'},
        {"check", no_argument, NULL, 'c'},           {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},         {NULL, 0, NULL, 0}};
    struct options o = {0};
    for (int c = getopt_long(argc, argv, "h", OPTIONS, NULL); c != -1;
         c = getopt_long(argc, argv, "h", OPTIONS, NULL)) {
        switch (c) {
        case 'r':
            o.rules = optarg;
            break;
        case 'e':
            o.explain = optarg;
            break;
        case 'f':
            o.reference = optarg;
            break;
        case 'b':
            o.bench = optarg;
            break;
        case 'c':
            o.check = true;
            break;
        case 'h':
            (void)fputs(USAGE, stdout);
            return 0;
        case 'v':
            (void)puts("todo-nlu " TODO_VERSION);
            return 0;
        default:
            (void)fputs(USAGE, stderr);
            return 2;
        }
    }
    return run(&o);
}
