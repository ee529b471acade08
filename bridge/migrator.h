/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings the schema up to date beside the loop: each attempt in a short-lived thread, because it
 * blocks; again with growing delay until the database lets it.
 */
#ifndef BRIDGE_MIGRATOR_H
#define BRIDGE_MIGRATOR_H

#include "lib/base/loop.h"

struct bridge_migrator;

/* fn(ctx) once, when the schema is there. */
BASE_MUST_CHECK enum base_err bridge_migrator_new(struct base_loop *loop, const char *url,
                                                  base_call_fn fn, void *ctx,
                                                  struct bridge_migrator **ret_migrator);
/* Waits for an attempt that is under way. */
void bridge_migrator_free(struct bridge_migrator *migrator);
bool bridge_migrator_done(const struct bridge_migrator *migrator, const char **ret_why);

#endif
