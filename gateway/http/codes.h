/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-time sign-in codes: an operator (scripts/dev up, a sign-in service) asks for one on the
 * internal listener, a browser exchanges it once, within a minute, for a token. Kept in this
 * process; safe from any thread.
 */
#ifndef GATEWAY_HTTP_CODES_H
#define GATEWAY_HTTP_CODES_H

#include "lib/base/err.h"
#include "lib/base/sv.h"

enum { GW_CODE_TEXT = 32, GW_CODE_TTL_S = 60 };

struct gw_codes;

BASE_MUST_CHECK enum base_err gw_codes_new(struct gw_codes **ret_codes);
void gw_codes_free(struct gw_codes *codes);

/* The oldest code gives way when too many are open. user must be a valid user id. */
void gw_codes_make(struct gw_codes *codes, struct base_sv user, int64_t now_us,
                   char ret_code[GW_CODE_TEXT + 1]);
/* The user of a code that is still good; it is good no more afterwards. */
bool gw_codes_take(struct gw_codes *codes, struct base_sv code, int64_t now_us, char ret_user[129]);

#endif
