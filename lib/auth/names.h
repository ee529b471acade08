/* SPDX-License-Identifier: Apache-2.0 */
/* Who and what may be named: the alphabets are small, so that a name is safe in a topic, a log line
 * and a URL. */
#ifndef AUTH_NAMES_H
#define AUTH_NAMES_H

#include "lib/base/sv.h"

/* A user id, which is a token's sub: [A-Za-z0-9._~@|-]{1,128}. */
bool auth_user_valid(struct base_sv user);
/* A device id: [A-Za-z0-9._~-]{1,64}. */
bool auth_device_valid(struct base_sv device);

#endif
