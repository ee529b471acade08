/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker's plug-in: signs clients in by token and asks lib/auth what they may do. It runs in
 * the broker's only thread, so it never waits for anything but a small local file, at start and on
 * SIGHUP.
 *
 * Who a client is, is kept as the broker's user name for it, which no client can choose: the sub of
 * a user, "service:" and the sub of a service (":" stands in no sub). So it also holds for sessions
 * that are offline or were restored from disk. Reading needs no more than that; writing and
 * subscribing need a live connection with a good token. A will is published when the connection is
 * gone or taken over, hence refused.
 */
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/auth/mosquitto/keyfile.h"
#include "lib/auth/mosquitto/live.h"
#include "lib/auth/mosquitto/revoked.h"
#include "lib/auth/topics.h"
#include "lib/base/clock.h"

#define EXPORT __attribute__((visibility("default")))
#define SERVICE_PREFIX "service:"

/* The issuer's clock and ours need not agree to the second. */
static const int64_t LEEWAY_US = 1000000;

struct plugin {
    mosquitto_plugin_id_t *id;
    char *jwks_file;
    char *issuer;
    char *audience;
    bool hs256_dev;
    struct auth_keys *keys;
    struct auth_live live;
    struct auth_revoked revoked;
};

static int64_t now_us(void)
{
    return base_clock_now_us(&base_clock_system);
}

/* Signing in. */

struct name {
    char text[sizeof(((struct auth_claims *)0)->subject) + sizeof(SERVICE_PREFIX)];
};

static struct name name_of(const struct auth_claims *claims)
{
    struct name name;
    (void)snprintf(name.text, sizeof(name.text), "%s%s", claims->service ? SERVICE_PREFIX : "",
                   claims->subject);
    return name;
}

/* NULL, or why the client must not come in with these claims. After a reload the broker asks again
 * for everybody who is connected, with the name that admit() gave. */
static const char *mismatch(const struct auth_claims *claims, const char *username, const char *id)
{
    struct base_sv subject = base_sv_from(claims->subject), client = base_sv_from(id);
    if (username && *username && strcmp(username, claims->subject) != 0 &&
        strcmp(username, name_of(claims).text) != 0)
        return "the user name is not the token's sub";
    if (!id)
        return "there is no client id";
    if (!claims->service &&
        (!base_sv_starts(client, subject) || client.len <= subject.len || id[subject.len] != ':'))
        return "the client id does not begin with the token's sub and a colon";
    return NULL;
}

static enum base_err admit(struct plugin *plugin, struct mosquitto *client,
                           const struct auth_claims *claims)
{
    if (mosquitto_set_username(client, name_of(claims).text) != MOSQ_ERR_SUCCESS)
        return BASE_NO_MEMORY;
    return auth_live_put(&plugin->live, client, mosquitto_client_id(client),
                         claims->service ? INT64_MAX : claims->issued_us,
                         claims->expires_us + LEEWAY_US);
}

static int on_basic_auth(int event, void *data, void *userdata)
{
    struct plugin *plugin = userdata;
    struct mosquitto_evt_basic_auth *auth = data;
    const struct auth_policy policy = {plugin->issuer, plugin->audience, LEEWAY_US};
    const char *id = mosquitto_client_id(auth->client);
    struct auth_claims claims;
    const char *why = NULL;
    (void)event;
    enum base_err err =
        auth_verify(plugin->keys, &policy, base_sv_from(auth->password), now_us(), &claims, &why);
    if (err == BASE_OK) {
        why = mismatch(&claims, auth->username, id);
        if (!claims.service &&
            auth_revoked_has(&plugin->revoked, base_sv_from(claims.subject), claims.issued_us))
            why = "this token was revoked";
        err = why ? BASE_UNAUTHENTICATED : admit(plugin, auth->client, &claims);
    }
    if (err == BASE_OK)
        return MOSQ_ERR_SUCCESS;
    mosquitto_log_printf(MOSQ_LOG_NOTICE, "todo-auth: client %.100s refused: %s", id ? id : "",
                         why ? why : base_err_text(err));
    return MOSQ_ERR_AUTH;
}

static int on_disconnect(int event, void *data, void *userdata)
{
    struct plugin *plugin = userdata;
    const struct mosquitto_evt_disconnect *disconnect = data;
    (void)event;
    auth_live_remove(&plugin->live, disconnect->client, mosquitto_client_id(disconnect->client));
    return MOSQ_ERR_SUCCESS;
}

/* A kicked client's disconnect event comes before kick returns, hence one at a time. */
static int on_tick(int event, void *data, void *userdata)
{
    struct plugin *plugin = userdata;
    char *id;
    (void)event;
    (void)data;
    while ((id = auth_live_take_expired(&plugin->live, now_us()))) {
        mosquitto_log_printf(MOSQ_LOG_NOTICE, "todo-auth: client %.100s: its token has ended", id);
        (void)mosquitto_kick_client_by_clientid(id, false);
        free(id);
    }
    return MOSQ_ERR_SUCCESS;
}

/* Topics. */

static struct auth_client client_of(struct base_sv username)
{
    struct base_sv prefix = SV(SERVICE_PREFIX);
    bool service = base_sv_starts(username, prefix);
    return (struct auth_client){
        service ? base_sv_sub(username, prefix.len, username.len) : username, service};
}

/* What the bridge publishes goes by here first. */
static void notice_revocation(struct plugin *plugin, const struct mosquitto_evt_acl_check *check)
{
    struct base_sv user;
    int64_t until_us;
    if (!auth_revoked_event(base_sv_from(check->topic), base_sv(check->payload, check->payloadlen),
                            &user, &until_us))
        return;
    auth_revoked_put(&plugin->revoked, user, until_us);
    auth_live_revoke(&plugin->live, user, until_us);
}

static int on_acl_check(int event, void *data, void *userdata)
{
    static const enum auth_access accesses[] = {[MOSQ_ACL_READ] = AUTH_READ,
                                                [MOSQ_ACL_WRITE] = AUTH_WRITE,
                                                [MOSQ_ACL_SUBSCRIBE] = AUTH_SUBSCRIBE};
    struct plugin *plugin = userdata;
    const struct mosquitto_evt_acl_check *check = data;
    struct auth_client client = client_of(base_sv_from(mosquitto_client_username(check->client)));
    (void)event;
    if (check->access == MOSQ_ACL_UNSUBSCRIBE)
        return MOSQ_ERR_SUCCESS;
    if (check->access != MOSQ_ACL_READ && check->access != MOSQ_ACL_WRITE &&
        check->access != MOSQ_ACL_SUBSCRIBE)
        return MOSQ_ERR_ACL_DENIED;
    if (check->access != MOSQ_ACL_READ &&
        !auth_live_has(&plugin->live, check->client, mosquitto_client_id(check->client), now_us()))
        return MOSQ_ERR_ACL_DENIED;
    if (!auth_topic_allowed(&client, accesses[check->access], base_sv_from(check->topic),
                            check->retain))
        return MOSQ_ERR_ACL_DENIED;
    if (check->access == MOSQ_ACL_WRITE && client.service)
        notice_revocation(plugin, check);
    return MOSQ_ERR_SUCCESS;
}

/* Keys. The broker asks on_basic_auth again for each connection after a reload, so that a key that
 * was withdrawn ends the connections it had let in. */

static enum base_err load_keys(struct plugin *plugin)
{
    struct base_buf errors;
    struct auth_keys *keys = NULL;
    base_buf_init(&errors, 1024);
    enum base_err err = auth_keyfile_read(plugin->jwks_file, plugin->hs256_dev, &keys, &errors);
    if (err == BASE_OK) {
        auth_keys_free(plugin->keys);
        plugin->keys = keys;
        mosquitto_log_printf(MOSQ_LOG_NOTICE, "todo-auth: keys loaded, %zu connections",
                             plugin->live.count);
    } else {
        mosquitto_log_printf(MOSQ_LOG_ERR, "todo-auth: %s%s", errors.data ? errors.data : "",
                             plugin->keys ? "; the old keys stay" : "");
    }
    base_buf_done(&errors);
    return err;
}

static int on_reload(int event, void *data, void *userdata)
{
    struct plugin *plugin = userdata;
    (void)event;
    (void)data;
    (void)load_keys(plugin);
    return MOSQ_ERR_SUCCESS;
}

/* Start and end. */

static const struct {
    int event;
    MOSQ_FUNC_generic_callback callback;
} callbacks[] = {
    {MOSQ_EVT_BASIC_AUTH, on_basic_auth}, {MOSQ_EVT_ACL_CHECK, on_acl_check},
    {MOSQ_EVT_DISCONNECT, on_disconnect}, {MOSQ_EVT_TICK, on_tick},
    {MOSQ_EVT_RELOAD, on_reload},
};

static bool take_text(char **target, const char *value)
{
    free(*target);
    *target = strdup(value);
    return *target;
}

static bool take_option(struct plugin *plugin, const char *key, const char *value)
{
    const struct {
        const char *key;
        char **target;
    } texts[] = {{"jwks_file", &plugin->jwks_file},
                 {"issuer", &plugin->issuer},
                 {"audience", &plugin->audience}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strcmp(key, texts[i].key) == 0)
            return take_text(texts[i].target, value);
    if (strcmp(key, "hs256_dev") != 0 ||
        (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)) {
        mosquitto_log_printf(MOSQ_LOG_ERR, "todo-auth: plugin_opt_%s %s: unknown option or value",
                             key, value);
        return false;
    }
    plugin->hs256_dev = strcmp(value, "true") == 0;
    return true;
}

static enum base_err configure(struct plugin *plugin, const struct mosquitto_opt *options, int n)
{
    for (int i = 0; i < n; i++)
        if (!take_option(plugin, options[i].key, options[i].value))
            return BASE_INVALID;
    if (!plugin->jwks_file || !plugin->issuer || !plugin->audience) {
        mosquitto_log_printf(MOSQ_LOG_ERR, "todo-auth: plugin_opt_jwks_file, plugin_opt_issuer and "
                                           "plugin_opt_audience are needed");
        return BASE_INVALID;
    }
    if (plugin->hs256_dev)
        mosquitto_log_printf(MOSQ_LOG_WARNING,
                             "todo-auth: symmetric keys are accepted; for development only");
    return load_keys(plugin);
}

static void plugin_free(struct plugin *plugin)
{
    auth_live_done(&plugin->live);
    auth_keys_free(plugin->keys);
    free(plugin->jwks_file);
    free(plugin->issuer);
    free(plugin->audience);
    free(plugin);
}

EXPORT int mosquitto_plugin_version(int supported_version_count, const int *supported_versions)
{
    for (int i = 0; i < supported_version_count; i++)
        if (supported_versions[i] == MOSQ_PLUGIN_VERSION)
            return MOSQ_PLUGIN_VERSION;
    return -1;
}

/* A failure here ends the broker's start: better none than an open one. */
EXPORT int mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **userdata,
                                 struct mosquitto_opt *options, int option_count)
{
    struct plugin *plugin = calloc(1, sizeof(*plugin));
    if (!plugin)
        return MOSQ_ERR_NOMEM;
    plugin->id = identifier;
    auth_live_init(&plugin->live);
    if (configure(plugin, options, option_count) != BASE_OK) {
        plugin_free(plugin);
        return MOSQ_ERR_INVAL;
    }
    for (size_t i = 0; i < sizeof(callbacks) / sizeof(callbacks[0]); i++) {
        int rc = mosquitto_callback_register(identifier, callbacks[i].event, callbacks[i].callback,
                                             NULL, plugin);
        if (rc != MOSQ_ERR_SUCCESS) {
            mosquitto_log_printf(MOSQ_LOG_ERR, "todo-auth: the broker has no event %d",
                                 callbacks[i].event);
            (void)mosquitto_plugin_cleanup(plugin, NULL, 0);
            return rc;
        }
    }
    *userdata = plugin;
    return MOSQ_ERR_SUCCESS;
}

EXPORT int mosquitto_plugin_cleanup(void *userdata, struct mosquitto_opt *options, int option_count)
{
    struct plugin *plugin = userdata;
    (void)options;
    (void)option_count;
    for (size_t i = 0; plugin && i < sizeof(callbacks) / sizeof(callbacks[0]); i++)
        (void)mosquitto_callback_unregister(plugin->id, callbacks[i].event, callbacks[i].callback,
                                            NULL);
    if (plugin)
        plugin_free(plugin);
    return MOSQ_ERR_SUCCESS;
}
