/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-time sign-in codes: an operator (scripts/dev up, a sign-in service) asks for one on the
 * internal listener of any gateway, a browser exchanges it once, within a minute, at any gateway,
 * for a token. Who reads where they are kept learns no code: the keys are hashes.
 */
#ifndef GATEWAY_HTTP_CODES_H
#define GATEWAY_HTTP_CODES_H

#include "gateway/state/state.h"

enum { GW_CODE_TEXT = 32, GW_CODE_TTL_S = 60, GW_CODE_KEY = 5 + 64 };

void gw_code_new(char ret_code[GW_CODE_TEXT + 1]);
/* The state's key of a code; false: it is none, whatever was kept. */
bool gw_code_key(struct base_sv code, char ret_key[GW_CODE_KEY + 1]);

#endif
