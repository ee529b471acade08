/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker is one thread with everything it needs: loop, store, hub, server, understanding. Workers
 * share only what never changes while they run (struct gw_shared) and hand each other whole
 * messages.
 */
#ifndef GATEWAY_WORKER_H
#define GATEWAY_WORKER_H

#include <stdatomic.h>

#include "gateway/config.h"
#include "lib/auth/token.h"
#include "lib/base/clock.h"
#include "lib/dapr/sidecar.h"
#include "lib/net/server.h"
#include "tasks/store/store.h"

struct gw_files;
struct gw_hub;
struct gw_keys;
struct gw_parser;
struct gw_state;
struct otlp_exporter;
struct gw_user;

/* Made by main() before the workers start; read by all. */
struct gw_shared {
    const struct gw_config *config;
    const struct base_clock *clock;
    struct auth_policy policy;
    struct dapr_settings dapr;
    struct net_tls *tls;          /* of the public listeners when they are made; NULL: none */
    const struct gw_files *files; /* NULL: no page */
    const struct base_sv *origins;
    size_t origin_count;
    _Atomic bool bus_ready; /* the position in task-updates is fixed: sessions may begin */
    _Atomic bool draining;
};

struct gw_worker {
    struct gw_shared *shared;
    size_t index;
    struct net_loop *loop;
    struct base_loop *base;
    struct task_store *store;
    struct gw_state *state;
    struct gw_hub *hub;
    struct gw_keys *keys;     /* the keyring puts newer ones here */
    struct gw_parser *parser; /* and the rules theirs */
    struct net_server *server;
    struct otlp_exporter *spans; /* NULL: none are wanted */
    struct net_msg *pong;        /* the answer to a ping frame */
    size_t turns;                /* under way */
    struct base_timer *drain_timer;
    int64_t drain_until_us;
    bool told; /* the clients, to go elsewhere */
};

/* The port may be 0 for the first worker; the others must name the one it got. */
BASE_MUST_CHECK enum base_err gw_worker_new(struct gw_shared *shared, size_t index, int port,
                                            struct gw_worker **ret_worker, struct base_buf *errors);
/* When its loop does not run any more. */
void gw_worker_free(struct gw_worker *worker);
/* In the worker's thread: finishes, then stops its loop. */
void gw_worker_drain(void *ctx);
void gw_worker_drain_step(void *ctx);

static inline int64_t gw_now_us(const struct gw_worker *worker)
{
    return base_clock_now_us(worker->shared->clock);
}

#endif
