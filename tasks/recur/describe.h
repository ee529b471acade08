/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule in plain words: "every 2 weeks on Mon and Wed until 24 Dec", "alle 2 Wochen am Mo und Mi
 * bis 24. Dez.". Every part of the rule is said, but for the clock time of an UNTIL.
 */
#ifndef RECUR_DESCRIBE_H
#define RECUR_DESCRIBE_H

#include "tasks/recur/rule.h"

enum recur_language { RECUR_ENGLISH, RECUR_GERMAN, RECUR_LANGUAGE_COUNT };

/* "de", "de-AT" → German; anything else → English. */
enum recur_language recur_language_of(struct base_sv locale);

/* An end in this_year is said without its year; 0 always says it. */
void recur_describe(struct base_buf *buf, const struct recur_rule *rule,
                    enum recur_language language, int32_t this_year);

#endif
