/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/certificate.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "gateway/worker.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"

enum { LOOK_MS = 10 * 1000, ERRORS_MAX = 4096 };

/* What tells that a file is another one. */
struct look {
    struct timespec changed;
    ino_t inode;
    off_t size;
};

struct gw_certificate {
    const struct gw_config *config;
    struct net_tls *tls;
    struct look seen[2];
    struct gw_worker *const *workers;
    size_t worker_count;
    struct base_timer *timer;
};

static void look_at(const struct gw_config *config, struct look looks[2])
{
    const char *const paths[2] = {config->tls_certificate, config->tls_key};
    for (size_t i = 0; i < 2; i++) {
        struct stat st;
        looks[i] = stat(paths[i], &st) == 0 ? (struct look){st.st_ctim, st.st_ino, st.st_size}
                                            : (struct look){0};
    }
}

static bool same(const struct look a[2], const struct look b[2])
{
    for (size_t i = 0; i < 2; i++)
        if (a[i].changed.tv_sec != b[i].changed.tv_sec ||
            a[i].changed.tv_nsec != b[i].changed.tv_nsec || a[i].inode != b[i].inode ||
            a[i].size != b[i].size)
            return false;
    return true;
}

/* From worker to worker. */

struct handover {
    struct gw_worker *worker;
    struct net_tls *tls;
};

static void take_over(void *ctx)
{
    struct handover *handover = ctx;
    struct net_server *server = handover->worker->server;
    if (server && net_server_use_tls(server, handover->tls) != BASE_OK)
        LOG_ERROR("certificate.not_taken", LOG_INT("worker", handover->worker->index));
    net_tls_unref(handover->tls);
    free(handover);
}

static void hand_over(struct gw_certificate *certificate)
{
    for (size_t i = 0; i < certificate->worker_count; i++) {
        struct handover *handover = malloc(sizeof(*handover));
        if (!handover)
            continue; /* it goes on with the last one */
        *handover = (struct handover){certificate->workers[i], net_tls_ref(certificate->tls)};
        if (base_loop_post(certificate->workers[i]->base, take_over, handover) == BASE_OK)
            continue;
        net_tls_unref(handover->tls);
        free(handover);
    }
}

static void tell_end(const struct gw_certificate *certificate)
{
    base_metric_set(BASE_M_TLS_UNTIL, 0, net_tls_until_us(certificate->tls) / 1000000);
}

static int64_t now_of(const struct gw_certificate *certificate)
{
    return gw_now_us(certificate->workers[0]);
}

static void on_timer(void *ctx)
{
    struct gw_certificate *certificate = ctx;
    const struct gw_config *config = certificate->config;
    struct look looks[2];
    struct net_tls *tls;
    struct base_buf errors;
    base_timer_start(certificate->timer, LOOK_MS);
    look_at(config, looks);
    if (same(looks, certificate->seen))
        return;
    memcpy(certificate->seen, looks, sizeof(looks));
    base_buf_init(&errors, ERRORS_MAX);
    if (net_tls_load(config->tls_certificate, config->tls_key, now_of(certificate), &tls,
                     &errors) == BASE_OK) {
        net_tls_unref(certificate->tls);
        certificate->tls = tls;
        hand_over(certificate);
        tell_end(certificate);
        LOG_INFO("certificate.read");
    } else {
        LOG_ERROR("certificate.kept", LOG_SV("why", base_sv_trim(base_buf_sv(&errors))));
    }
    base_buf_done(&errors);
}

void gw_certificate_look(struct gw_certificate *certificate)
{
    if (certificate && certificate->timer)
        base_timer_start(certificate->timer, 0);
}

struct net_tls *gw_certificate_tls(const struct gw_certificate *certificate)
{
    return certificate ? certificate->tls : NULL;
}

enum base_err gw_certificate_begin(struct gw_certificate *certificate,
                                   struct gw_worker *const *workers, size_t count)
{
    if (!certificate)
        return BASE_OK;
    certificate->workers = workers;
    certificate->worker_count = count;
    enum base_err err =
        base_timer_new(workers[0]->base, on_timer, certificate, &certificate->timer);
    if (err == BASE_OK)
        base_timer_start(certificate->timer, LOOK_MS);
    return err;
}

void gw_certificate_free(struct gw_certificate *certificate)
{
    if (!certificate)
        return;
    base_timer_free(certificate->timer);
    net_tls_unref(certificate->tls);
    free(certificate);
}

enum base_err gw_certificate_new(const struct gw_config *config,
                                 struct gw_certificate **ret_certificate, struct base_buf *errors)
{
    if (!config->tls_certificate[0] && !config->tls_key[0])
        return BASE_OK;
    struct gw_certificate *certificate = calloc(1, sizeof(*certificate));
    if (!certificate)
        return BASE_NO_MEMORY;
    certificate->config = config;
    look_at(config, certificate->seen);
    enum base_err err =
        net_tls_load(config->tls_certificate, config->tls_key,
                     base_clock_now_us(&base_clock_system), &certificate->tls, errors);
    if (err != BASE_OK) {
        gw_certificate_free(certificate);
        return err;
    }
    tell_end(certificate);
    *ret_certificate = certificate;
    return BASE_OK;
}
