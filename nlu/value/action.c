/* SPDX-License-Identifier: Apache-2.0 */
/* Looks up actions by name; used only while rules are compiled. */
#include "nlu/value/action.h"

const struct nlu_action *nlu_action_find(struct base_sv name)
{
    const struct nlu_action *const TABLES[] = {NLU_NUMBER_ACTIONS, NLU_CLOCK_ACTIONS,
                                               NLU_DATE_ACTIONS,   NLU_HOLIDAY_ACTIONS,
                                               NLU_SPAN_ACTIONS,   NLU_REPEAT_ACTIONS};
    for (size_t t = 0; t < sizeof(TABLES) / sizeof(*TABLES); t++) {
        for (const struct nlu_action *action = TABLES[t]; action->name; action++) {
            if (base_sv_eq_c(name, action->name))
                return action;
        }
    }
    return NULL;
}
