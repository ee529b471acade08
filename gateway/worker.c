/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a worker. Draining goes in two steps: turns under way are finished and answered, then
 * the clients are told to reconnect elsewhere (1012), spread over a while so that they do not all
 * come at once.
 */
#include "gateway/worker.h"

#include <stdlib.h>

#include "bridge/bus/bus.h"
#include "gateway/hub/hub.h"
#include "gateway/keyring.h"
#include "gateway/rules.h"
#include "gateway/session/session.h"
#include "gateway/state/state.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/otlp/otlp.h"

/* Of dapr/components/. */
#define STATE_COMPONENT "todo-state"

enum { POLL_MS = 20, CLOSE_MS = 1000, BODY_MAX = 1024 * 1024, RING_MESSAGES = 4096 };

static void on_store_state(void *ctx, bool ready, const char *error)
{
    struct gw_worker *worker = ctx;
    if (ready)
        LOG_INFO("store.ready", LOG_INT("worker", worker->index));
    else
        LOG_WARN("store.away", LOG_INT("worker", worker->index),
                 LOG_STR("why", error ? error : ""));
}

static enum base_err serve(struct gw_worker *worker, int port, struct base_buf *errors)
{
    const struct gw_config *config = worker->shared->config;
    struct net_server_options options;
    net_server_options_init(&options);
    options.loop = worker->loop;
    options.address = config->listen_address;
    options.port = port;
    options.subprotocol = "todo.v1";
    options.origins = worker->shared->origins;
    options.origin_count = worker->shared->origin_count;
    options.max_connections = (size_t)config->max_connections;
    options.max_per_address = (size_t)config->max_per_address;
    options.max_message_bytes = (size_t)config->max_message;
    options.max_queue_bytes = (size_t)config->max_queue;
    options.max_queue_messages = RING_MESSAGES;
    options.max_body_bytes = BODY_MAX;
    options.ping_interval_ms = config->ping_ms;
    options.tls = worker->shared->tls;
    options.certificate_file = config->tls_certificate;
    options.key_file = config->tls_key;
    options.handlers = &gw_session_handlers;
    options.ctx = worker;
    return net_server_new(&options, errors, &worker->server);
}

enum base_err gw_worker_new(struct gw_shared *shared, size_t index, int port,
                            struct gw_worker **ret_worker, struct base_buf *errors)
{
    struct gw_worker *worker = calloc(1, sizeof(*worker));
    if (!worker)
        return BASE_NO_MEMORY;
    worker->shared = shared;
    worker->index = index;
    enum base_err err = net_loop_new(&worker->loop);
    if (err == BASE_OK) {
        worker->base = net_loop_base(worker->loop);
        err = gw_hub_new(worker, &worker->hub);
        worker->pong = net_msg_new_text(SV("{\"type\":\"pong\"}"));
    }
    if (err == BASE_OK && !worker->pong)
        err = BASE_NO_MEMORY;
    if (err == BASE_OK)
        err = otlp_new(&(struct otlp_options){.loop = worker->base,
                                              .endpoint = shared->config->otlp_endpoint,
                                              .service = "todo-gateway",
                                              .percent = shared->config->otlp_percent},
                       &worker->spans, errors);
    if (err == BASE_OK)
        err = task_store_new(&(struct task_store_options){.loop = worker->base,
                                                          .url = shared->config->database_url,
                                                          .application_name = "todo-gateway",
                                                          .on_state = on_store_state,
                                                          .ctx = worker},
                             &worker->store);
    if (err == BASE_INVALID)
        base_buf_add_c(errors, "database.url is not a PostgreSQL URL or key=value list\n");
    if (err == BASE_OK)
        err =
            shared->config->bus == BUS_KIND_DAPR
                ? gw_state_in_sidecar(&shared->dapr, worker->base, STATE_COMPONENT, &worker->state)
                : gw_state_in_database(worker->store, &worker->state);
    if (err == BASE_OK)
        err = serve(worker, port, errors);
    if (err == BASE_OK)
        err = base_timer_new(worker->base, gw_worker_drain_step, worker, &worker->drain_timer);
    if (err != BASE_OK) {
        gw_worker_free(worker);
        return err;
    }
    *ret_worker = worker;
    return BASE_OK;
}

void gw_worker_free(struct gw_worker *worker)
{
    if (!worker)
        return;
    net_server_free(worker->server);
    worker->server = NULL; /* a newer certificate may still be on its way */
    task_store_free(worker->store);
    gw_state_free(worker->state);
    gw_hub_free(worker->hub);
    worker->hub = NULL; /* batches of events may still wait in the loop */
    base_timer_free(worker->drain_timer);
    otlp_free(worker->spans);
    net_loop_free(worker->loop); /* newer keys and rules may still be on their way */
    gw_keys_unref(worker->keys);
    net_msg_unref(worker->pong);
    gw_parser_unref(worker->parser);
    free(worker);
}

void gw_worker_drain_step(void *ctx)
{
    struct gw_worker *worker = ctx;
    int64_t now = base_monotonic_us();
    int64_t spread_ms = worker->shared->config->drain_spread_ms;
    bool late = now >= worker->drain_until_us;
    /* Clients that go on talking must not use up the time in which they are told to leave. */
    bool tell = worker->turns == 0 || now >= worker->drain_until_us - (spread_ms + CLOSE_MS) * 1000;
    if (!worker->told && tell) {
        worker->told = true;
        net_server_close_all(worker->server, NET_CLOSE_RESTART, SV("restart"), spread_ms);
    }
    bool idle = worker->turns == 0 && task_store_pending(worker->store) == 0;
    if (late || (worker->told && idle && net_server_websockets(worker->server) == 0)) {
        net_loop_stop(worker->loop);
        return;
    }
    base_timer_start(worker->drain_timer, POLL_MS);
}

void gw_worker_drain(void *ctx)
{
    struct gw_worker *worker = ctx;
    worker->drain_until_us = base_monotonic_us() + worker->shared->config->drain_ms * 1000;
    net_server_stop_accepting(worker->server);
    gw_worker_drain_step(worker);
}
