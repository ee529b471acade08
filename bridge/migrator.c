/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/migrator.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "tasks/store/migrate.h"

enum { BACKOFF_FIRST_MS = 250, BACKOFF_LAST_MS = 5000 };

struct bridge_migrator {
    struct base_loop *loop;
    char *url;
    base_call_fn fn;
    void *ctx;
    struct base_timer *timer;
    int64_t backoff_ms;
    pthread_t thread;
    bool running; /* the thread is there and must be joined */
    bool done;
    bool closing;
    char why[256];
    /* The thread's until its post has arrived. */
    struct {
        enum base_err err;
        int from, to;
        struct base_buf errors;
    } result;
};

static void on_result(void *ctx)
{
    struct bridge_migrator *migrator = ctx;
    if (migrator->closing)
        return;
    pthread_join(migrator->thread, NULL);
    migrator->running = false;
    migrator->done = migrator->result.err == BASE_OK;
    if (migrator->done) {
        LOG_INFO("schema.ready", LOG_INT("from", migrator->result.from),
                 LOG_INT("to", migrator->result.to));
        migrator->fn(migrator->ctx);
        return;
    }
    struct base_sv rest = base_buf_sv(&migrator->result.errors);
    struct base_sv line = base_sv_trim(base_sv_split(&rest, '\n'));
    (void)base_sv_cstr(base_sv_sub(line, 0, sizeof(migrator->why) - 1), migrator->why,
                       sizeof(migrator->why));
    LOG_WARN("schema.waiting", LOG_ERR(migrator->result.err), LOG_STR("why", migrator->why),
             LOG_INT("again_ms", migrator->backoff_ms));
    base_timer_start(migrator->timer, migrator->backoff_ms);
    migrator->backoff_ms *= 2;
    if (migrator->backoff_ms > BACKOFF_LAST_MS)
        migrator->backoff_ms = BACKOFF_LAST_MS;
}

static void *migrate_thread(void *arg)
{
    struct bridge_migrator *migrator = arg;
    base_buf_reset(&migrator->result.errors);
    migrator->result.err = task_migrate(migrator->url, &migrator->result.from, &migrator->result.to,
                                        &migrator->result.errors);
    if (base_loop_post(migrator->loop, on_result, migrator) != BASE_OK)
        abort(); /* nobody would ever hear of it */
    return NULL;
}

static void on_timer(void *ctx)
{
    struct bridge_migrator *migrator = ctx;
    migrator->running = pthread_create(&migrator->thread, NULL, migrate_thread, migrator) == 0;
    if (!migrator->running)
        base_timer_start(migrator->timer, BACKOFF_LAST_MS);
}

static void dispose(void *ctx)
{
    struct bridge_migrator *migrator = ctx;
    base_buf_done(&migrator->result.errors);
    free(migrator->url);
    free(migrator);
}

void bridge_migrator_free(struct bridge_migrator *migrator)
{
    if (!migrator)
        return;
    migrator->closing = true;
    base_timer_free(migrator->timer);
    if (!migrator->running) {
        dispose(migrator);
        return;
    }
    pthread_join(migrator->thread, NULL);
    /* Its post is still in the loop's queue; ours comes after it. */
    if (base_loop_post(migrator->loop, dispose, migrator) != BASE_OK)
        abort();
}

bool bridge_migrator_done(const struct bridge_migrator *migrator, const char **ret_why)
{
    *ret_why = migrator->why;
    return migrator->done;
}

enum base_err bridge_migrator_new(struct base_loop *loop, const char *url, base_call_fn fn,
                                  void *ctx, struct bridge_migrator **ret_migrator)
{
    struct bridge_migrator *migrator = calloc(1, sizeof(*migrator));
    if (!migrator)
        return BASE_NO_MEMORY;
    migrator->loop = loop;
    migrator->fn = fn;
    migrator->ctx = ctx;
    migrator->backoff_ms = BACKOFF_FIRST_MS;
    base_buf_init(&migrator->result.errors, 16 * 1024);
    (void)base_sv_cstr(SV("under way"), migrator->why, sizeof(migrator->why));
    migrator->url = strdup(url);
    enum base_err err = migrator->url ? BASE_OK : BASE_NO_MEMORY;
    if (err == BASE_OK)
        err = base_timer_new(loop, on_timer, migrator, &migrator->timer);
    if (err != BASE_OK) {
        dispose(migrator);
        return err;
    }
    base_timer_start(migrator->timer, 0);
    *ret_migrator = migrator;
    return BASE_OK;
}
