/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/rules.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "gateway/worker.h"
#include "lib/base/log.h"

enum { ERRORS_MAX = 64 * 1024 };

/* Rules that several workers hold. */
struct gw_compiled {
    _Atomic size_t refs;
    struct nlu *nlu;
};

struct gw_rules {
    const char *folder; /* NULL: those built in */
    struct gw_compiled *compiled;
    struct gw_worker *const *workers;
    size_t worker_count;
    pthread_t thread; /* that compiles */
    bool compiling, again;
    struct nlu *fresh; /* the thread's, until it has been joined; NULL: failed */
    struct base_buf errors;
};

static void compiled_unref(struct gw_compiled *compiled)
{
    if (!compiled || atomic_fetch_sub(&compiled->refs, 1) != 1)
        return;
    nlu_free(compiled->nlu);
    free(compiled);
}

/* Takes nlu. */
static struct gw_compiled *compiled_new(struct nlu *nlu)
{
    struct gw_compiled *compiled = calloc(1, sizeof(*compiled));
    if (!compiled) {
        nlu_free(nlu);
        return NULL;
    }
    compiled->nlu = nlu;
    atomic_store(&compiled->refs, 1);
    return compiled;
}

static struct gw_parser *parser_new(struct gw_compiled *compiled)
{
    struct gw_parser *parser = calloc(1, sizeof(*parser));
    if (!parser || nlu_scratch_new(compiled->nlu, &parser->scratch) != BASE_OK) {
        free(parser);
        return NULL;
    }
    atomic_fetch_add(&compiled->refs, 1);
    parser->compiled = compiled;
    parser->nlu = compiled->nlu;
    parser->refs = 1;
    return parser;
}

void gw_parser_unref(struct gw_parser *parser)
{
    if (!parser || --parser->refs > 0)
        return;
    nlu_scratch_free(parser->scratch);
    compiled_unref(parser->compiled);
    free(parser);
}

/* From worker to worker. */

struct handover {
    struct gw_worker *worker;
    struct gw_parser *parser;
};

static void take_over(void *ctx)
{
    struct handover *handover = ctx;
    gw_parser_unref(handover->worker->parser);
    handover->worker->parser = handover->parser;
    free(handover);
}

static void hand_over(struct gw_rules *rules)
{
    for (size_t i = 0; i < rules->worker_count; i++) {
        struct handover *handover = malloc(sizeof(*handover));
        struct gw_parser *parser = handover ? parser_new(rules->compiled) : NULL;
        if (parser) {
            *handover = (struct handover){rules->workers[i], parser};
            if (base_loop_post(rules->workers[i]->base, take_over, handover) == BASE_OK)
                continue;
        }
        gw_parser_unref(parser); /* it goes on with the last one */
        free(handover);
    }
}

/* Compiling again. */

static void on_compiled(void *ctx)
{
    struct gw_rules *rules = ctx;
    (void)pthread_join(rules->thread, NULL);
    rules->compiling = false;
    struct gw_compiled *compiled = rules->fresh ? compiled_new(rules->fresh) : NULL;
    rules->fresh = NULL;
    if (compiled) {
        compiled_unref(rules->compiled);
        rules->compiled = compiled;
        hand_over(rules);
        LOG_INFO("rules.read", LOG_STR("source", rules->folder));
    } else {
        LOG_ERROR("rules.kept", LOG_STR("source", rules->folder),
                  LOG_SV("why", base_sv_trim(base_buf_sv(&rules->errors))));
    }
    if (rules->again)
        gw_rules_look(rules);
}

static void *compile(void *ctx)
{
    struct gw_rules *rules = ctx;
    if (nlu_new(rules->folder, &rules->fresh, &rules->errors) != BASE_OK)
        rules->fresh = NULL;
    if (base_loop_post(rules->workers[0]->base, on_compiled, rules) != BASE_OK)
        LOG_ERROR("rules.not_taken"); /* the gateway is ending, or out of memory */
    return NULL;
}

void gw_rules_look(struct gw_rules *rules)
{
    if (!rules->folder)
        return; /* what is built in never changes */
    rules->again = rules->compiling;
    if (rules->compiling)
        return;
    base_buf_reset(&rules->errors);
    rules->compiling = pthread_create(&rules->thread, NULL, compile, rules) == 0;
}

enum base_err gw_rules_new(const struct gw_config *config, struct gw_rules **ret_rules,
                           struct base_buf *errors)
{
    struct gw_rules *rules = calloc(1, sizeof(*rules));
    struct nlu *nlu = NULL;
    if (!rules)
        return BASE_NO_MEMORY;
    base_buf_init(&rules->errors, ERRORS_MAX);
    rules->folder = config->nlu_rules[0] ? config->nlu_rules : NULL;
    enum base_err err = nlu_new(rules->folder, &nlu, errors);
    if (err == BASE_OK) {
        rules->compiled = compiled_new(nlu);
        err = rules->compiled ? BASE_OK : BASE_NO_MEMORY;
    }
    if (err != BASE_OK) {
        gw_rules_free(rules);
        return err;
    }
    *ret_rules = rules;
    return BASE_OK;
}

enum base_err gw_rules_begin(struct gw_rules *rules, struct gw_worker *const *workers, size_t count)
{
    rules->workers = workers;
    rules->worker_count = count;
    for (size_t i = 0; i < count; i++) {
        workers[i]->parser = parser_new(rules->compiled);
        if (!workers[i]->parser)
            return BASE_NO_MEMORY;
    }
    return BASE_OK;
}

void gw_rules_free(struct gw_rules *rules)
{
    if (!rules)
        return;
    if (rules->compiling) {
        (void)pthread_join(rules->thread, NULL);
        nlu_free(rules->fresh);
    }
    compiled_unref(rules->compiled);
    base_buf_done(&rules->errors);
    free(rules);
}
