/* SPDX-License-Identifier: Apache-2.0 */
/* A base_loop over poll(2) for tests: small, single-threaded, without libuv. */
#ifndef TESTS_SUPPORT_POLL_LOOP_H
#define TESTS_SUPPORT_POLL_LOOP_H

#include "lib/base/loop.h"

struct base_loop *poll_loop_new(void);
void poll_loop_free(struct base_loop *loop);
/* Runs until *done is true; false after timeout_ms. */
bool poll_loop_until(struct base_loop *loop, const bool *done, int64_t timeout_ms);

#endif
