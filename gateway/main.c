/* SPDX-License-Identifier: Apache-2.0 */
/*
 * todo-gateway: configuration, shared parts, one worker for each thread, signals. The first worker
 * runs in the main thread and has the internal listener and the links beside its clients. SIGTERM
 * and SIGINT drain, the second one leaves at once; SIGHUP reads the settings again that may change.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bridge/bus/dapr.h"
#include "bridge/bus/kafka.h"
#include "gateway/certificate.h"
#include "gateway/http/files.h"
#include "gateway/http/router.h"
#include "gateway/keyring.h"
#include "gateway/link/link.h"
#include "gateway/rules.h"
#include "gateway/worker.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/dapr/secrets.h"
#include "tasks/store/store.h"

enum { WORKERS_MAX = 256, ORIGINS_MAX = 32, TEXT_MAX = 1 << 20 };

struct app {
    int argc;
    char **argv;
    struct gw_config config;
    struct gw_shared shared;
    struct gw_keyring *keyring;
    struct gw_certificate *certificate;
    struct base_sv origins[ORIGINS_MAX];
    char own_origins[2][96];
    char dapr_url[DAPR_URL_MAX];
    struct gw_files *files;
    struct gw_rules *rules;
    struct gw_worker *workers[WORKERS_MAX];
    pthread_t threads[WORKERS_MAX];
    size_t count;
    struct net_server *internal;
    struct gw_link *link;
};

/* Parts that all workers share. */

static void list_origins(struct app *app)
{
    struct base_sv rest = base_sv_from(app->config.origins);
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(app->own_origins[i], sizeof(app->own_origins[i]), "%s://%s:%d",
                       app->config.tls_certificate[0] ? "https" : "http", hosts[i],
                       (int)app->config.listen_port);
        app->origins[app->shared.origin_count++] = base_sv_from(app->own_origins[i]);
    }
    while (rest.ptr && app->shared.origin_count < ORIGINS_MAX) {
        struct base_sv origin = base_sv_trim(base_sv_split(&rest, ','));
        if (origin.len)
            app->origins[app->shared.origin_count++] = origin;
    }
    app->shared.origins = app->origins;
}

static enum base_err make_shared(struct app *app, struct base_buf *errors)
{
    const struct gw_config *config = &app->config;
    app->shared.config = config;
    app->shared.clock = &base_clock_system;
    app->shared.policy = (struct auth_policy){.issuer = config->auth_issuer,
                                              .audience = config->auth_audience,
                                              .leeway_us = config->auth_leeway_ms * 1000};
    list_origins(app);
    enum base_err err = gw_keyring_new(config, &app->keyring, errors);
    if (err == BASE_OK)
        err = gw_certificate_new(config, &app->certificate, errors);
    app->shared.tls = gw_certificate_tls(app->certificate);
    if (err == BASE_OK)
        err = gw_rules_new(config, &app->rules, errors);
    if (err == BASE_OK && config->web_root[0] && access(config->web_root, R_OK) == 0)
        err = gw_files_new(config->web_root, config->oidc_issuer, &app->files, errors);
    app->shared.files = app->files;
    return err;
}

static enum base_err make_workers(struct app *app, struct base_buf *errors)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = app->config.threads ? (size_t)app->config.threads
                    : cores > 0         ? (size_t)cores
                                        : 1;
    int port = (int)app->config.listen_port;
    enum base_err err = BASE_OK;
    for (size_t i = 0; err == BASE_OK && i < wanted && i < WORKERS_MAX; i++) {
        err = gw_worker_new(&app->shared, i, port, &app->workers[i], errors);
        if (err == BASE_OK) {
            port = net_server_port(app->workers[i]->server);
            app->count++;
        }
    }
    return err;
}

static const struct net_server_handlers internal_handlers = {.body_limit = gw_router_internal_limit,
                                                             .on_request = gw_router_internal};

static enum base_err serve_internal(struct app *app, struct base_buf *errors)
{
    struct net_server_options options;
    net_server_options_init(&options);
    options.loop = app->workers[0]->loop;
    options.address = app->config.internal_address;
    options.port = (int)app->config.internal_port;
    options.handlers = &internal_handlers;
    options.ctx = app->workers[0];
    return net_server_new(&options, errors, &app->internal);
}

/* Signals. */

static void on_stop(void *ctx)
{
    struct app *app = ctx;
    if (atomic_exchange(&app->shared.draining, true)) {
        LOG_WARN("gateway.left_at_once");
        _exit(1);
    }
    LOG_INFO("gateway.draining", LOG_INT("deadline_ms", app->config.drain_ms));
    for (size_t i = 0; i < app->count; i++)
        if (base_loop_post(app->workers[i]->base, gw_worker_drain, app->workers[i]) != BASE_OK)
            net_loop_stop(app->workers[i]->loop);
}

static void on_hangup(void *ctx)
{
    struct app *app = ctx;
    struct gw_config fresh;
    enum base_config_mode mode;
    struct base_buf errors;
    base_buf_init(&errors, TEXT_MAX);
    if (base_config_load(&gw_config_table, &fresh, app->argc, app->argv, environ, &mode, &errors,
                         &errors) == BASE_OK &&
        dapr_secrets_keep(&gw_config_table, &app->config, &fresh) == BASE_OK) {
        base_log_set_level((enum base_log_level)fresh.log_level);
        gw_keyring_look(app->keyring);
        gw_certificate_look(app->certificate);
        gw_rules_look(app->rules);
        LOG_INFO("gateway.reloaded");
        base_config_done(&gw_config_table, &fresh);
    } else {
        LOG_ERROR("gateway.reload_failed", LOG_SV("why", base_sv_trim(base_buf_sv(&errors))));
    }
    base_buf_done(&errors);
}

static enum base_err handle_signals(struct app *app)
{
    enum base_err err = net_loop_on_signal(app->workers[0]->loop, SIGTERM, on_stop, app);
    if (err == BASE_OK)
        err = net_loop_on_signal(app->workers[0]->loop, SIGINT, on_stop, app);
    if (err == BASE_OK)
        err = net_loop_on_signal(app->workers[0]->loop, SIGHUP, on_hangup, app);
    return err;
}

/* Running. */

static void *run_worker(void *ctx)
{
    struct gw_worker *worker = ctx;
    net_loop_run(worker->loop);
    return NULL;
}

static enum base_err start(struct app *app, struct base_buf *errors)
{
    enum base_err err = make_shared(app, errors);
    if (err == BASE_OK)
        err = make_workers(app, errors);
    if (err == BASE_OK)
        err = gw_rules_begin(app->rules, app->workers, app->count);
    if (err == BASE_OK)
        err = gw_keyring_begin(app->keyring, app->workers, app->count);
    if (err == BASE_OK)
        err = gw_certificate_begin(app->certificate, app->workers, app->count);
    if (err == BASE_OK)
        err = serve_internal(app, errors);
    if (err == BASE_OK)
        err = gw_link_new(app->workers, app->count, &app->link, errors);
    if (err == BASE_OK)
        err = handle_signals(app);
    return err;
}

static void run(struct app *app)
{
    static const char *codes[BASE_ERR_COUNT];
    static const char *const resumes[] = {"recovered", "lost", "fresh"};
    for (int i = 0; i < BASE_ERR_COUNT; i++)
        codes[i] = base_err_code((enum base_err)i);
    /* Of users: the engine takes no turns. */
    base_metrics_labels(BASE_M_TURN_SECONDS, task_channel_names, TASK_CHANNEL_ENGINE);
    base_metrics_labels(BASE_M_TURNS, codes, BASE_ERR_COUNT);
    base_metrics_labels(BASE_M_SESSIONS_BEGUN, resumes, 3);
    LOG_INFO("gateway.listening", LOG_STR("address", app->config.listen_address),
             LOG_INT("port", net_server_port(app->workers[0]->server)),
             LOG_INT("internal_port", net_server_port(app->internal)),
             LOG_INT("workers", app->count));
    for (size_t i = 1; i < app->count; i++)
        if (pthread_create(&app->threads[i], NULL, run_worker, app->workers[i]) != 0)
            abort();
    net_loop_run(app->workers[0]->loop);
    for (size_t i = 1; i < app->count; i++)
        (void)pthread_join(app->threads[i], NULL);
    LOG_INFO("gateway.stopped");
}

static void stop(struct app *app)
{
    gw_link_free(app->link);
    net_server_free(app->internal);
    gw_keyring_free(app->keyring);
    gw_certificate_free(app->certificate);
    for (size_t i = 0; i < app->count; i++)
        gw_worker_free(app->workers[i]);
    gw_files_free(app->files);
    gw_rules_free(app->rules);
}

/* The command line. */

static void show(int fd, struct base_buf *text)
{
    for (size_t at = 0; at < text->len;) {
        ssize_t n = write(fd, text->data + at, text->len - at);
        if (n <= 0)
            return;
        at += (size_t)n;
    }
}

static int inform(struct app *app, enum base_config_mode mode)
{
    struct base_buf out;
    base_buf_init(&out, TEXT_MAX);
    switch (mode) {
    case BASE_CONFIG_HELP:
        base_buf_add_c(&out,
                       "todo-gateway: WebSocket, REST and MQTT clients to the to-do chatbot\n\n"
                       "  --config FILE     settings, \"key = value\" lines\n"
                       "  --check-config    checks all settings and leaves\n"
                       "  --print-config    shows them and leaves\n"
                       "  --version, --help\n\n"
                       "Settings (also TODO_KEY_NAME in the environment):\n");
        base_config_help(&gw_config_table, &out);
        break;
    case BASE_CONFIG_VERSION:
        base_buf_addf(&out, "todo-gateway %s\n", TODO_VERSION);
        break;
    case BASE_CONFIG_PRINT:
        base_config_print(&gw_config_table, &app->config, &out);
        break;
    default:
        base_buf_add_c(&out, "the configuration is good\n");
    }
    show(1, &out);
    base_buf_done(&out);
    return 0;
}

static enum base_err meet_sidecar(struct app *app, struct base_buf *errors)
{
    const struct gw_config *config = &app->config;
    app->shared.dapr = (struct dapr_settings){.url = config->dapr_url,
                                              .token = config->dapr_token,
                                              .app_token = config->dapr_app_token,
                                              .wait_ms = config->dapr_wait};
    return dapr_meet(&app->shared.dapr, app->dapr_url, config->bus == BUS_KIND_DAPR,
                     config->dapr_secrets, &gw_config_table, &app->config, errors);
}

int main(int argc, char **argv)
{
    static struct app app;
    enum base_config_mode mode;
    struct base_buf errors;
    struct base_buf warnings;
    base_buf_init(&errors, TEXT_MAX);
    base_buf_init(&warnings, TEXT_MAX);
    app.argc = argc;
    app.argv = argv;
    if (base_config_load(&gw_config_table, &app.config, argc, argv, environ, &mode, &errors,
                         &warnings) != BASE_OK ||
        ((mode == BASE_CONFIG_RUN || mode == BASE_CONFIG_CHECK) &&
         !bus_kafka_check(app.config.kafka_properties, app.config.kafka_password_file, &errors))) {
        show(2, &errors);
        base_buf_done(&errors);
        base_buf_done(&warnings);
        return 2;
    }
    show(2, &warnings);
    int status = 0;
    if (mode != BASE_CONFIG_RUN) {
        status = inform(&app, mode);
    } else {
        base_log_init("todo-gateway", TODO_VERSION, (enum base_log_format)app.config.log_format);
        base_log_set_level((enum base_log_level)app.config.log_level);
        enum base_err err = meet_sidecar(&app, &errors);
        if (err == BASE_OK)
            err = start(&app, &errors);
        if (err == BASE_OK) {
            run(&app);
        } else {
            LOG_ERROR("gateway.not_started", LOG_ERR(err),
                      LOG_SV("why", base_sv_trim(base_buf_sv(&errors))));
            status = 1;
        }
        stop(&app);
    }
    base_config_done(&gw_config_table, &app.config);
    base_buf_done(&errors);
    base_buf_done(&warnings);
    return status;
}
