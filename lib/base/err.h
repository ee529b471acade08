/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one error type. Fallible functions return it, carry BASE_MUST_CHECK, and leave their ret_*
 * parameters untouched on failure. Library code returns errors and does not log them; whoever
 * decides what happens next logs once.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum base_err {
#define X(name, code, http, level, text) BASE_##name,
#include "lib/base/err.def"
#undef X
    BASE_ERR_COUNT
};

#define BASE_MUST_CHECK __attribute__((warn_unused_result))
#define BASE_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* The stable code of the protocol, the problem type and the metric label: "not_found". */
const char *base_err_code(enum base_err err);
/* A sentence for people, without a full stop. */
const char *base_err_text(enum base_err err);
int base_err_http(enum base_err err);
/* An enum base_log_level. */
int base_err_level(enum base_err err);

#endif
