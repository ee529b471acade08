/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts put together: first the schema is brought up to date (waiting for the database as long
 * as it takes), then the parts of the configured roles run until they are drained. Everything
 * belongs to the loop's thread.
 */
#ifndef BRIDGE_DAEMON_H
#define BRIDGE_DAEMON_H

#include "bridge/bus/bus.h"
#include "bridge/config.h"
#include "lib/base/loop.h"
#include "lib/dapr/sidecar.h"

struct bridge_daemon;

/* The configuration and the sidecar's settings must outlive the daemon. */
BASE_MUST_CHECK enum base_err bridge_daemon_new(struct base_loop *loop,
                                                const struct bridge_config *config,
                                                const struct dapr_settings *dapr, unsigned roles,
                                                struct bridge_daemon **ret_daemon,
                                                struct base_buf *errors);
/* May wait a moment for the database while the schema is being brought up to date. */
void bridge_daemon_free(struct bridge_daemon *daemon);

/* NULL where no role needs one. */
struct bus *bridge_daemon_bus(struct bridge_daemon *daemon);

/* Whether all of it works now, and as a JSON object what does and what does not. */
bool bridge_daemon_ready(const struct bridge_daemon *daemon, struct base_buf *json);
void bridge_daemon_reload(struct bridge_daemon *daemon, const struct bridge_config *config);

/* Finishes what is under way; fn(ctx) once when that is done or the time is up. */
void bridge_daemon_drain(struct bridge_daemon *daemon, int64_t deadline_ms, base_call_fn fn,
                         void *ctx);

#endif
