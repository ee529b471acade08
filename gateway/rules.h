/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The language rules the gateway understands by: compiled at start, and anew on SIGHUP, in a thread
 * of its own. Rules that do not compile change nothing: the running ones stay, and the log names
 * file, line and reason. Each worker has its own parser on the shared rules, so that parsing takes
 * no lock.
 */
#ifndef GATEWAY_RULES_H
#define GATEWAY_RULES_H

#include "gateway/config.h"
#include "nlu/nlu.h"

struct gw_rules;
struct gw_worker;

/* What one worker parses with; counted in its thread only. */
struct gw_parser {
    const struct nlu *nlu;
    struct nlu_scratch *scratch;
    size_t refs;
    struct gw_compiled *compiled;
};

/* A turn that goes on over several steps keeps the parser it began with. */
static inline struct gw_parser *gw_parser_ref(struct gw_parser *parser)
{
    parser->refs++;
    return parser;
}
/* NULL is fine. */
void gw_parser_unref(struct gw_parser *parser);

/* Compiles nlu.rules, or the rules built in. errors names file, line and reason. */
BASE_MUST_CHECK enum base_err gw_rules_new(const struct gw_config *config,
                                           struct gw_rules **ret_rules, struct base_buf *errors);
/* Gives every worker its parser. */
BASE_MUST_CHECK enum base_err gw_rules_begin(struct gw_rules *rules,
                                             struct gw_worker *const *workers, size_t count);
/* SIGHUP: compiles again. In the first worker's thread. */
void gw_rules_look(struct gw_rules *rules);
/* Before the workers go, when their loops do not run any more. NULL is fine. */
void gw_rules_free(struct gw_rules *rules);

#endif
