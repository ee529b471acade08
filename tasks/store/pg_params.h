/* SPDX-License-Identifier: Apache-2.0 */
/* What pg.c needs to see of built parameters; everybody else uses pg.h. */
#ifndef TASKS_STORE_PG_PARAMS_H
#define TASKS_STORE_PG_PARAMS_H

#include "lib/base/buf.h"

enum { PG_PARAMS_MAX = 64 };

struct pg_params {
    struct base_buf bytes;
    size_t count;
    size_t offset[PG_PARAMS_MAX];
    int length[PG_PARAMS_MAX]; /* -1: null */
    int array_type;            /* of the array being built, 0 outside of one */
    int32_t array_count;
};

#endif
