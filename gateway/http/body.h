/* SPDX-License-Identifier: Apache-2.0 */
/* A task in the API's JSON, as a patch: each field checked for its type, unknown ones refused by
 * name. */
#ifndef GATEWAY_HTTP_BODY_H
#define GATEWAY_HTTP_BODY_H

#include <jansson.h>

#include "tasks/command.h"

/* Views point into body and arena. UNPROCESSABLE with *ret_problem. */
BASE_MUST_CHECK enum base_err gw_body_patch(json_t *body, struct base_arena *arena,
                                            struct task_patch *ret_patch,
                                            struct task_problem *ret_problem);

#endif
