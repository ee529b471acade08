/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys that tokens are checked with: from a secret (development), a JWKS file, which is read
 * anew when it changes, or a JWKS address, which is asked again and again. What cannot be read or
 * has no usable key changes nothing: the last good set stays. Each worker has its own reference, so
 * that checking takes no lock.
 */
#ifndef GATEWAY_KEYRING_H
#define GATEWAY_KEYRING_H

#include "gateway/config.h"
#include "lib/auth/token.h"
#include "lib/base/loop.h"

struct gw_keyring;
struct gw_worker;

/* Reads the first set, and waits for it. */
BASE_MUST_CHECK enum base_err gw_keyring_new(const struct gw_config *config,
                                             struct gw_keyring **ret_ring, struct base_buf *errors);
/* Gives every worker its set, and looks for newer ones in the first worker's loop. */
BASE_MUST_CHECK enum base_err gw_keyring_begin(struct gw_keyring *ring,
                                               struct gw_worker *const *workers, size_t count);
/* SIGHUP: looks at once. In the first worker's thread. */
void gw_keyring_look(struct gw_keyring *ring);
/* Before the workers go, when their loops do not run any more. */
void gw_keyring_free(struct gw_keyring *ring);

/* A set that several threads hold. */
struct gw_keys;
const struct auth_keys *gw_keys_of(const struct gw_keys *keys);
void gw_keys_unref(struct gw_keys *keys);

#endif
