/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calendar feed: open tasks as iCalendar under an address that calendars can read without a
 * token. Its secret is 128 random bits, shown once and kept as a hash; a new one revokes the old.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/http/export.h"
#include "gateway/hub/hub.h"
#include "lib/base/json.h"
#include "tasks/store/record.h"

enum { SECRET_BYTES = 16, SECRET_TEXT = 2 * SECRET_BYTES, DIGEST_TEXT = 64 };
#define SUFFIX ".ics"

struct feed {
    struct gw_call *call;
    struct gw_user *user; /* of one that is made */
    char secret[SECRET_TEXT + 1];
    char digest[DIGEST_TEXT + 1];
    bool makes;
};

static void to_hex(const unsigned char *bytes, size_t count, char *dst)
{
    for (size_t i = 0; i < count; i++)
        (void)snprintf(dst + 2 * i, 3, "%02x", bytes[i]);
}

static void digest(struct feed *feed)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    (void)EVP_Digest(feed->secret, SECRET_TEXT, hash, NULL, EVP_sha256(), NULL);
    to_hex(hash, DIGEST_TEXT / 2, feed->digest);
}

static void end(struct feed *feed)
{
    gw_user_unref(feed->user);
    free(feed->call);
    free(feed);
}

static void on_set(void *ctx, enum base_err err)
{
    struct feed *feed = ctx;
    struct base_buf buf;
    char path[64];
    base_buf_init(&buf, 256);
    if (err != BASE_OK) {
        gw_call_problem(feed->call, err, NULL, NULL);
    } else if (feed->makes) {
        (void)snprintf(path, sizeof(path), "/feed/%s" SUFFIX, feed->secret);
        base_json_open(&buf, '{');
        base_json_kv_str(&buf, "path", base_sv_from(path));
        base_json_close(&buf, '}');
        gw_call_json(feed->call, 201, base_buf_sv(&buf), NULL, 0);
    } else {
        gw_call_json(feed->call, 204, SV_NULL, NULL, 0);
    }
    base_buf_done(&buf);
    end(feed);
}

static void on_user(void *ctx, enum base_err err)
{
    struct feed *feed = ctx;
    if (err == BASE_OK && gw_user_revoked(feed->user, feed->call->token_us))
        err = BASE_UNAUTHENTICATED;
    if (err != BASE_OK)
        on_set(feed, err);
    else
        task_store_set_feed(feed->call->worker->store, feed->user->id, base_sv_from(feed->digest),
                            on_set, feed);
}

static void set(struct gw_call *call, bool makes)
{
    unsigned char bytes[SECRET_BYTES];
    struct feed *feed = calloc(1, sizeof(*feed));
    if (feed)
        feed->user = gw_hub_user(call->worker->hub, call->user_id);
    if (!feed || !feed->user) {
        gw_call_problem(call, BASE_NO_MEMORY, NULL, NULL);
        free(feed);
        return;
    }
    feed->call = gw_call_later(call);
    if (!feed->call) {
        end(feed);
        return;
    }
    feed->makes = makes;
    if (makes) {
        base_random(bytes, sizeof(bytes));
        to_hex(bytes, sizeof(bytes), feed->secret);
        digest(feed);
    }
    gw_user_read(feed->user, SV_NULL, on_user, feed);
}

void gw_http_feed_make(struct gw_call *call)
{
    set(call, true);
}

void gw_http_feed_revoke(struct gw_call *call)
{
    set(call, false);
}

static void on_found(void *ctx, enum base_err err, struct base_sv user_id)
{
    struct feed *feed = ctx;
    struct gw_call *call = feed->call;
    if (err == BASE_OK && base_sv_cstr(user_id, call->user_text, sizeof(call->user_text))) {
        call->user_id = base_sv(call->user_text, user_id.len);
        call->token_us = INT64_MAX; /* revoking tokens is not revoking the feed */
        gw_export(call, true, TASK_QUERY_OPEN);
    } else {
        gw_call_problem(call, err, NULL, "there is no such feed");
    }
    end(feed);
}

void gw_http_feed(struct gw_call *call)
{
    struct feed *feed = calloc(1, sizeof(*feed));
    struct base_sv name = call->id;
    bool ok = base_sv_ends(name, SV(SUFFIX)) && name.len == SECRET_TEXT + sizeof(SUFFIX) - 1;
    if (!ok || !feed) {
        gw_call_problem(call, ok ? BASE_NO_MEMORY : BASE_NOT_FOUND, NULL, "there is no such feed");
        free(feed);
        return;
    }
    memcpy(feed->secret, name.ptr, SECRET_TEXT);
    digest(feed);
    feed->call = gw_call_later(call);
    if (feed->call)
        task_store_feed(call->worker->store, base_sv_from(feed->digest), on_found, feed);
    else
        free(feed);
}
