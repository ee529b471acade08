/* SPDX-License-Identifier: Apache-2.0 */
/* The error table, see err.def. */
#include "lib/base/err.h"

#include "lib/base/log.h"

static const struct {
    const char *code;
    const char *text;
    int http;
    int level;
} rows[] = {
#define X(name, code, http, level, text) [BASE_##name] = {code, text, http, BASE_LOG_##level},
#include "lib/base/err.def"
#undef X
};
_Static_assert(sizeof(rows) / sizeof(rows[0]) == BASE_ERR_COUNT, "a row for each error");

static unsigned row(enum base_err err)
{
    return (unsigned)err < BASE_ERR_COUNT ? (unsigned)err : BASE_INTERNAL;
}

const char *base_err_code(enum base_err err)
{
    return rows[row(err)].code;
}

const char *base_err_text(enum base_err err)
{
    return rows[row(err)].text;
}

int base_err_http(enum base_err err)
{
    return rows[row(err)].http;
}

int base_err_level(enum base_err err)
{
    return rows[row(err)].level;
}
