/* SPDX-License-Identifier: Apache-2.0 */
/* Keys from a JWKS file, as a whole or not at all; blocks for no longer than a local file takes. */
#ifndef AUTH_MOSQUITTO_KEYFILE_H
#define AUTH_MOSQUITTO_KEYFILE_H

#include "lib/auth/token.h"

/* A file that is no regular one, or larger than 256 KiB, is refused. */
BASE_MUST_CHECK enum base_err auth_keyfile_read(const char *path, bool allow_hs256,
                                                struct auth_keys **ret_keys,
                                                struct base_buf *errors);

#endif
