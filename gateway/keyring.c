/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/keyring.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/worker.h"
#include "lib/base/log.h"
#include "lib/net/client.h"

enum { JWKS_MAX = 1024 * 1024, FILE_MS = 10 * 1000, FETCH_MS = 10 * 1000, ERRORS_MAX = 4096 };

struct gw_keys {
    _Atomic size_t refs;
    struct auth_keys *keys;
};

struct gw_keyring {
    const struct gw_config *config;
    struct gw_keys *keys;
    uint64_t seen; /* the text they were made of */
    struct gw_worker *const *workers;
    size_t worker_count;
    struct base_timer *timer;
    struct net_client *client; /* of an address */
    bool failing;
};

static bool is_address(const char *source)
{
    return strncmp(source, "https://", 8) == 0 || strncmp(source, "http://", 7) == 0;
}

const struct auth_keys *gw_keys_of(const struct gw_keys *keys)
{
    return keys->keys;
}

void gw_keys_unref(struct gw_keys *keys)
{
    if (!keys || atomic_fetch_sub(&keys->refs, 1) != 1)
        return;
    auth_keys_free(keys->keys);
    free(keys);
}

/* Takes the keys. */
static struct gw_keys *keys_new(struct auth_keys *set)
{
    struct gw_keys *keys = set ? calloc(1, sizeof(*keys)) : NULL;
    if (!keys) {
        auth_keys_free(set);
        return NULL;
    }
    keys->keys = set;
    atomic_store(&keys->refs, 1);
    return keys;
}

static bool read_file(const char *path, struct base_buf *ret_text)
{
    FILE *file = fopen(path, "rbe");
    char *at = file ? base_buf_reserve(ret_text, JWKS_MAX) : NULL;
    if (at)
        ret_text->len = fread(at, 1, JWKS_MAX, file);
    if (file)
        (void)fclose(file);
    return at != NULL;
}

/* Handing over. */

struct handover {
    struct gw_worker *worker;
    struct gw_keys *keys;
};

static void take_over(void *ctx)
{
    struct handover *handover = ctx;
    gw_keys_unref(handover->worker->keys);
    handover->worker->keys = handover->keys;
    free(handover);
}

static void hand_over(struct gw_keyring *ring)
{
    for (size_t i = 0; i < ring->worker_count; i++) {
        struct gw_worker *worker = ring->workers[i];
        struct handover *handover = malloc(sizeof(*handover));
        if (!handover)
            continue; /* it goes on with the last set */
        *handover = (struct handover){worker, ring->keys};
        atomic_fetch_add(&ring->keys->refs, 1);
        if (base_loop_post(worker->base, take_over, handover) == BASE_OK)
            continue;
        (void)atomic_fetch_sub(&ring->keys->refs, 1); /* never the last: the ring has its own */
        free(handover);
    }
}

/* Looking. */

static void failed(struct gw_keyring *ring, struct base_sv why)
{
    if (!ring->failing)
        LOG_WARN("keys.kept", LOG_STR("source", ring->config->auth_jwks_file),
                 LOG_SV("why", base_sv_trim(why)));
    ring->failing = true;
}

static void use(struct gw_keyring *ring, struct base_sv text)
{
    struct base_buf errors;
    struct auth_keys *set = NULL;
    uint64_t hash = base_sv_hash(text, 0);
    if (hash == ring->seen) {
        ring->failing = false;
        return;
    }
    base_buf_init(&errors, ERRORS_MAX);
    struct gw_keys *keys =
        auth_keys_from_jwks(text, false, &set, &errors) == BASE_OK ? keys_new(set) : NULL;
    if (keys) {
        gw_keys_unref(ring->keys);
        ring->keys = keys;
        ring->seen = hash;
        ring->failing = false;
        hand_over(ring);
        LOG_INFO("keys.read", LOG_STR("source", ring->config->auth_jwks_file));
    } else {
        failed(ring, base_buf_sv(&errors));
    }
    base_buf_done(&errors);
}

static void wait(struct gw_keyring *ring)
{
    base_timer_start(ring->timer, ring->client ? ring->config->auth_refresh_ms : FILE_MS);
}

static void on_fetched(void *ctx, int status, const char *why, struct base_sv body)
{
    struct gw_keyring *ring = ctx;
    char text[64];
    (void)snprintf(text, sizeof(text), "it answered %d", status);
    if (status == 200)
        use(ring, body);
    else
        failed(ring, base_sv_from(status ? text : why));
    wait(ring);
}

static void look(void *ctx)
{
    struct gw_keyring *ring = ctx;
    const char *source = ring->config->auth_jwks_file;
    struct base_buf text;
    if (ring->client) {
        const struct net_client_request request = {
            .method = "GET", .url = source, .answer_max = JWKS_MAX};
        if (net_client_send(ring->client, &request, on_fetched, ring) != BASE_OK)
            wait(ring);
        return;
    }
    base_buf_init(&text, JWKS_MAX);
    if (read_file(source, &text))
        use(ring, base_buf_sv(&text));
    else
        failed(ring, SV("the file cannot be read"));
    base_buf_done(&text);
    wait(ring);
}

void gw_keyring_look(struct gw_keyring *ring)
{
    if (ring->timer)
        base_timer_start(ring->timer, 0);
}

/* The first set. */

static bool fetch_first(const char *source, struct base_buf *ret_text, char *why)
{
    const struct net_client_request request = {.method = "GET", .url = source};
    int status = 0;
    if (net_fetch(&request, FETCH_MS, &status, ret_text, why) != BASE_OK)
        return false;
    if (status != 200)
        (void)snprintf(why, NET_FETCH_WHY, "it answered %d", status);
    return status == 200;
}

static enum base_err read_first(struct gw_keyring *ring, struct base_buf *ret_text,
                                struct base_buf *errors)
{
    const char *source = ring->config->auth_jwks_file;
    char why[NET_FETCH_WHY] = "cannot read the file";
    bool ok = is_address(source) ? fetch_first(source, ret_text, why) : read_file(source, ret_text);
    if (ok)
        return BASE_OK;
    base_buf_addf(errors, "auth.jwks = %s: %s\n", source, why);
    return BASE_INVALID;
}

static enum base_err load(struct gw_keyring *ring, struct auth_keys **ret_set,
                          struct base_buf *errors)
{
    const struct gw_config *config = ring->config;
    struct base_buf text;
    if (!config->auth_jwks_file[0] && !config->auth_secret[0]) {
        base_buf_add_c(errors, "auth.jwks (production) or auth.secret (development) must be set\n");
        return BASE_INVALID;
    }
    if (!config->auth_jwks_file[0])
        return auth_keys_from_secret(base_sv_from(config->auth_secret), ret_set, errors);
    base_buf_init(&text, JWKS_MAX);
    enum base_err err = read_first(ring, &text, errors);
    if (err == BASE_OK)
        err = auth_keys_from_jwks(base_buf_sv(&text), false, ret_set, errors);
    ring->seen = base_sv_hash(base_buf_sv(&text), 0);
    base_buf_done(&text);
    return err;
}

enum base_err gw_keyring_new(const struct gw_config *config, struct gw_keyring **ret_ring,
                             struct base_buf *errors)
{
    struct auth_keys *set = NULL;
    struct gw_keyring *ring = calloc(1, sizeof(*ring));
    if (!ring)
        return BASE_NO_MEMORY;
    ring->config = config;
    enum base_err err = load(ring, &set, errors);
    if (err == BASE_OK) {
        ring->keys = keys_new(set);
        err = ring->keys ? BASE_OK : BASE_NO_MEMORY;
    }
    if (err != BASE_OK) {
        gw_keyring_free(ring);
        return err;
    }
    *ret_ring = ring;
    return BASE_OK;
}

enum base_err gw_keyring_begin(struct gw_keyring *ring, struct gw_worker *const *workers,
                               size_t count)
{
    struct base_loop *loop = workers[0]->base;
    ring->workers = workers;
    ring->worker_count = count;
    for (size_t i = 0; i < count; i++) {
        workers[i]->keys = ring->keys;
        atomic_fetch_add(&ring->keys->refs, 1);
    }
    if (!ring->config->auth_jwks_file[0])
        return BASE_OK;
    if (is_address(ring->config->auth_jwks_file)) {
        enum base_err err = net_client_new(
            &(struct net_client_options){.loop = loop,
                                         .private_allowed = true, /* it is the operator's */
                                         .timeout_ms = FETCH_MS,
                                         .user_agent = "todo-chatbot"},
            &ring->client);
        if (err != BASE_OK)
            return err;
    }
    enum base_err err = base_timer_new(loop, look, ring, &ring->timer);
    if (err == BASE_OK)
        wait(ring);
    return err;
}

void gw_keyring_free(struct gw_keyring *ring)
{
    if (!ring)
        return;
    net_client_free(ring->client);
    base_timer_free(ring->timer);
    gw_keys_unref(ring->keys);
    free(ring);
}
