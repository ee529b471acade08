/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calendar feed: open tasks as iCalendar under an address that calendars can read without a
 * token. Its secret is 128 random bits, shown once and kept as a hash; a new one revokes the old.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/http/asker.h"
#include "gateway/http/export.h"
#include "lib/base/json.h"
#include "tasks/store/record.h"

enum { SECRET_BYTES = 16, SECRET_TEXT = 2 * SECRET_BYTES, DIGEST_TEXT = 64 };
#define SUFFIX ".ics"

/* One that is made or revoked. */
struct feed {
    struct gw_asker by;
    char secret[SECRET_TEXT + 1];
    char digest[DIGEST_TEXT + 1];
    bool makes;
};

static void to_hex(const unsigned char *bytes, size_t count, char *dst)
{
    for (size_t i = 0; i < count; i++)
        (void)snprintf(dst + 2 * i, 3, "%02x", bytes[i]);
}

static void digest(const char *secret, char ret_digest[DIGEST_TEXT + 1])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    (void)EVP_Digest(secret, SECRET_TEXT, hash, NULL, EVP_sha256(), NULL);
    to_hex(hash, DIGEST_TEXT / 2, ret_digest);
}

static void on_set(void *ctx, enum base_err err)
{
    struct feed *feed = ctx;
    struct base_buf buf;
    char path[64];
    base_buf_init(&buf, 256);
    if (err != BASE_OK) {
        gw_call_problem(feed->by.call, err, NULL, NULL);
    } else if (feed->makes) {
        (void)snprintf(path, sizeof(path), "/feed/%s" SUFFIX, feed->secret);
        base_json_open(&buf, '{');
        base_json_kv_str(&buf, "path", base_sv_from(path));
        base_json_close(&buf, '}');
        gw_call_json(feed->by.call, 201, base_buf_sv(&buf), NULL, 0);
    } else {
        gw_call_json(feed->by.call, 204, SV_NULL, NULL, 0);
    }
    base_buf_done(&buf);
    gw_asker_end(feed);
}

static void go(void *self)
{
    struct feed *feed = self;
    task_store_set_feed(feed->by.call->worker->store, feed->by.user->id, base_sv_from(feed->digest),
                        on_set, feed);
}

static void set(struct gw_call *call, bool makes)
{
    unsigned char bytes[SECRET_BYTES];
    struct feed *feed = gw_asker_new(call, sizeof(*feed), go, NULL);
    if (!feed)
        return;
    feed->makes = makes;
    if (makes) {
        base_random(bytes, sizeof(bytes));
        to_hex(bytes, sizeof(bytes), feed->secret);
        digest(feed->secret, feed->digest);
    }
    gw_asker_begin(feed, true);
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
    struct gw_call *call = ctx;
    if (err == BASE_OK && base_sv_cstr(user_id, call->user_text, sizeof(call->user_text))) {
        call->user_id = base_sv(call->user_text, user_id.len);
        call->token_us = INT64_MAX; /* revoking tokens is not revoking the feed */
        gw_export(call, true, TASK_QUERY_OPEN);
    } else {
        gw_call_problem(call, err, NULL, "there is no such feed");
    }
    free(call);
}

void gw_http_feed(struct gw_call *call)
{
    char hash[DIGEST_TEXT + 1];
    struct base_sv name = call->id;
    if (!base_sv_ends(name, SV(SUFFIX)) || name.len != SECRET_TEXT + sizeof(SUFFIX) - 1) {
        gw_call_problem(call, BASE_NOT_FOUND, NULL, "there is no such feed");
        return;
    }
    digest(name.ptr, hash);
    struct gw_call *later = gw_call_later(call);
    if (later)
        task_store_feed(call->worker->store, base_sv_from(hash), on_found, later);
}
