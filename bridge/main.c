/* SPDX-License-Identifier: Apache-2.0 */
/*
 * todo-bridge: configuration, log, signals, the internal HTTP listener; everything else is
 * daemon.c's. SIGTERM and SIGINT drain, within the deadline at any rate; the second one leaves at
 * once; SIGHUP reads again what may change.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "bridge/bus/dapr.h"
#include "bridge/daemon.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/dapr/secrets.h"
#include "lib/net/server.h"

enum { METRICS_MAX = 1 << 20, TEXT_MAX = 64 * 1024 };

struct app {
    int argc;
    char **argv;
    struct bridge_config config;
    unsigned roles;
    struct dapr_settings dapr;
    char dapr_url[DAPR_URL_MAX];
    struct net_loop *loop;
    struct net_server *server;
    struct bridge_daemon *daemon;
    bool draining;
};

/* The internal listener. */

static void respond(struct net_request *req, int status, const char *type, struct base_buf *body)
{
    struct net_header headers[] = {{SV("content-type"), base_sv_from(type)},
                                   {SV("cache-control"), SV("no-store")}};
    net_respond(req, base_buf_ok(body) ? status : 500, headers, 2, base_buf_sv(body));
}

static void serve_metrics(struct app *app, struct net_request *req, struct base_buf *body)
{
    (void)app;
    base_metrics_render(body);
    respond(req, 200, "text/plain; version=0.0.4; charset=utf-8", body);
}

static void serve_health(struct app *app, struct net_request *req, struct base_buf *body)
{
    (void)app;
    base_buf_add_c(body, "{\"status\":\"ok\"}");
    respond(req, 200, "application/json", body);
}

static void serve_ready(struct app *app, struct net_request *req, struct base_buf *body)
{
    bool ready = bridge_daemon_ready(app->daemon, body);
    respond(req, ready ? 200 : 503, "application/json", body);
}

static const struct {
    const char *path;
    void (*serve)(struct app *app, struct net_request *req, struct base_buf *body);
} routes[] = {{"/metrics", serve_metrics}, {"/healthz", serve_health}, {"/readyz", serve_ready}};

static void on_request(void *ctx, struct net_request *req)
{
    struct app *app = ctx;
    struct base_buf body;
    if (base_sv_starts(net_request_path(req), SV("/dapr/"))) {
        bus_dapr_serve(bridge_daemon_bus(app->daemon), req);
        return;
    }
    bool known = base_sv_eq_c(net_request_method(req), "GET") ||
                 base_sv_eq_c(net_request_method(req), "HEAD");
    base_buf_init(&body, METRICS_MAX);
    for (size_t i = 0; known && i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (base_sv_eq_c(net_request_path(req), routes[i].path)) {
            routes[i].serve(app, req, &body);
            base_buf_done(&body);
            return;
        }
    }
    respond(req, known ? 404 : 405, "text/plain", &body);
    base_buf_done(&body);
}

static size_t body_limit(void *ctx, const struct net_request *req)
{
    const struct app *app = ctx;
    bool events = app->config.bus == BUS_KIND_DAPR &&
                  base_sv_starts(net_request_path(req), SV("/dapr/")) &&
                  dapr_from_sidecar(&app->dapr, req);
    return events ? bus_dapr_body_limit() : 0;
}

static const struct net_server_handlers handlers = {.body_limit = body_limit,
                                                    .on_request = on_request};

static enum base_err serve(struct app *app, struct base_buf *errors)
{
    struct net_server_options options;
    net_server_options_init(&options);
    options.loop = app->loop;
    options.address = app->config.internal_address;
    options.port = (int)app->config.internal_port;
    options.handlers = &handlers;
    options.ctx = app;
    return net_server_new(&options, errors, &app->server);
}

/* Signals. */

static void on_drained(void *ctx)
{
    struct app *app = ctx;
    net_loop_stop(app->loop);
}

/* Closing connections to a peer that is gone can take longer than we have. What was not finished
 * is done again after the next start, by this process or another. */
static void on_deadline(int signum)
{
    (void)signum;
    _exit(0);
}

static void start_deadline(int64_t deadline_ms)
{
    struct itimerval when = {
        .it_value = {.tv_sec = deadline_ms / 1000, .tv_usec = deadline_ms % 1000 * 1000 + 1}};
    struct sigaction action = {.sa_handler = on_deadline};
    (void)sigaction(SIGALRM, &action, NULL);
    (void)setitimer(ITIMER_REAL, &when, NULL);
}

static void on_stop(void *ctx)
{
    struct app *app = ctx;
    if (app->draining) {
        LOG_WARN("bridge.left_at_once");
        _exit(1);
    }
    app->draining = true;
    LOG_INFO("bridge.draining", LOG_INT("deadline_ms", app->config.drain_deadline));
    start_deadline(app->config.drain_deadline);
    bridge_daemon_drain(app->daemon, app->config.drain_deadline, on_drained, app);
}

static void on_hangup(void *ctx)
{
    struct app *app = ctx;
    struct bridge_config fresh;
    enum base_config_mode mode;
    struct base_buf errors, warnings;
    base_buf_init(&errors, TEXT_MAX);
    base_buf_init(&warnings, TEXT_MAX);
    if (base_config_load(&bridge_config_table, &fresh, app->argc, app->argv, environ, &mode,
                         &errors, &warnings) == BASE_OK &&
        dapr_secrets_keep(&bridge_config_table, &app->config, &fresh) == BASE_OK) {
        base_log_set_level((enum base_log_level)fresh.log_level);
        bridge_daemon_reload(app->daemon, &fresh);
        LOG_INFO("bridge.reloaded");
        base_config_done(&bridge_config_table, &fresh);
    } else {
        LOG_ERROR("bridge.reload_failed", LOG_SV("why", base_sv_trim(base_buf_sv(&errors))));
    }
    base_buf_done(&errors);
    base_buf_done(&warnings);
}

static enum base_err handle_signals(struct app *app)
{
    enum base_err err = net_loop_on_signal(app->loop, SIGTERM, on_stop, app);
    if (err == BASE_OK)
        err = net_loop_on_signal(app->loop, SIGINT, on_stop, app);
    if (err == BASE_OK)
        err = net_loop_on_signal(app->loop, SIGHUP, on_hangup, app);
    return err;
}

/* Start. */

static void print(int fd, const struct base_buf *text)
{
    size_t at = 0;
    while (at < text->len) {
        ssize_t n = write(fd, text->data + at, text->len - at);
        if (n <= 0)
            return;
        at += (size_t)n;
    }
}

static int run(struct app *app, struct base_buf *errors)
{
    static const char *const versions[] = {TODO_VERSION};
    base_metrics_labels(BASE_M_BUILD_INFO, versions, 1);
    base_metric_set(BASE_M_BUILD_INFO, 0, 1);
    base_metric_set(BASE_M_START_TIME, 0, base_clock_now_us(&base_clock_system) / 1000000);
    enum base_err err = net_loop_new(&app->loop);
    if (err == BASE_OK)
        err = bridge_daemon_new(net_loop_base(app->loop), &app->config, &app->dapr, app->roles,
                                &app->daemon, errors);
    if (err == BASE_OK)
        err = serve(app, errors);
    if (err == BASE_OK)
        err = handle_signals(app);
    if (err == BASE_OK) {
        LOG_INFO("bridge.listening", LOG_STR("address", app->config.internal_address),
                 LOG_INT("port", net_server_port(app->server)));
        net_loop_run(app->loop);
    } else {
        LOG_ERROR("bridge.start_failed", LOG_ERR(err),
                  LOG_SV("why", base_sv_trim(base_buf_sv(errors))));
    }
    bridge_daemon_free(app->daemon);
    net_server_free(app->server);
    net_loop_free(app->loop);
    return err == BASE_OK ? 0 : 1;
}

static void print_mode(const struct app *app, enum base_config_mode mode, struct base_buf *out)
{
    switch (mode) {
    case BASE_CONFIG_HELP:
        base_buf_add_c(out, "Usage: todo-bridge [--config FILE] [--KEY=VALUE …]\n"
                            "       todo-bridge --check-config | --print-config | --version\n\n"
                            "Numbers and publishes events (relay), fires reminders (scheduler), "
                            "and brings events to MQTT (mqtt).\n\n");
        base_config_help(&bridge_config_table, out);
        break;
    case BASE_CONFIG_VERSION:
        base_buf_add_c(out, "todo-bridge " TODO_VERSION "\n");
        break;
    case BASE_CONFIG_PRINT:
        base_config_print(&bridge_config_table, &app->config, out);
        break;
    case BASE_CONFIG_CHECK:
        base_buf_add_c(out, "the configuration is valid\n");
        break;
    case BASE_CONFIG_RUN:
        break;
    }
}

static enum base_err meet_sidecar(struct app *app, struct base_buf *errors)
{
    const struct bridge_config *config = &app->config;
    app->dapr = (struct dapr_settings){.url = config->dapr_url,
                                       .token = config->dapr_token,
                                       .app_token = config->dapr_app_token,
                                       .wait_ms = config->dapr_wait};
    return dapr_meet(&app->dapr, app->dapr_url, config->bus == BUS_KIND_DAPR, config->dapr_secrets,
                     &bridge_config_table, &app->config, errors);
}

static int start(struct app *app, struct base_buf *errors, struct base_buf *text)
{
    enum base_config_mode mode = BASE_CONFIG_RUN;
    enum base_err err = base_config_load(&bridge_config_table, &app->config, app->argc, app->argv,
                                         environ, &mode, errors, text);
    print(STDERR_FILENO, text);
    base_buf_reset(text);
    if (err == BASE_OK && mode == BASE_CONFIG_RUN && meet_sidecar(app, errors) != BASE_OK) {
        print(STDERR_FILENO, errors);
        return 1;
    }
    if (err == BASE_OK && (mode == BASE_CONFIG_RUN || mode == BASE_CONFIG_CHECK))
        err = bridge_config_check(&app->config, &app->roles, errors);
    if (err != BASE_OK) {
        print(STDERR_FILENO, errors);
        return 2;
    }
    if (mode != BASE_CONFIG_RUN) {
        print_mode(app, mode, text);
        print(STDOUT_FILENO, text);
        return 0;
    }
    base_log_init("todo-bridge", TODO_VERSION, (enum base_log_format)app->config.log_format);
    base_log_set_level((enum base_log_level)app->config.log_level);
    return run(app, errors);
}

int main(int argc, char **argv)
{
    struct app app = {.argc = argc, .argv = argv};
    struct base_buf errors, text;
    base_buf_init(&errors, TEXT_MAX);
    base_buf_init(&text, TEXT_MAX);
    int status = start(&app, &errors, &text);
    base_config_done(&bridge_config_table, &app.config);
    base_buf_done(&errors);
    base_buf_done(&text);
    return status;
}
