/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/asker.h"

#include <stdlib.h>

void *gw_asker_new(struct gw_call *call, size_t size, void (*go)(void *self),
                   void (*end)(void *self))
{
    struct gw_asker *asker = calloc(1, size);
    struct gw_user *user = asker ? gw_hub_user(call->worker->hub, call->user_id) : NULL;
    struct gw_call *later = user ? gw_call_later(call) : NULL;
    if (later) {
        *asker = (struct gw_asker){.call = later, .user = user, .go = go, .end = end};
        return asker;
    }
    if (!user)
        gw_call_problem(call, BASE_NO_MEMORY, NULL, NULL);
    gw_user_unref(user);
    free(asker);
    return NULL;
}

void gw_asker_end(void *self)
{
    struct gw_asker *asker = self;
    if (asker->end)
        asker->end(self);
    gw_user_unref(asker->user);
    free(asker->call);
    free(asker);
}

void gw_asker_fail(void *self, enum base_err err, const char *field, const char *detail)
{
    struct gw_asker *asker = self;
    gw_call_problem(asker->call, err, field, detail);
    gw_asker_end(self);
}

static void on_user(void *ctx, enum base_err err)
{
    struct gw_asker *asker = ctx;
    if (err == BASE_OK && gw_user_revoked(asker->user, asker->call->token_us))
        err = BASE_UNAUTHENTICATED;
    if (err == BASE_OK)
        asker->go(asker);
    else
        gw_asker_fail(asker, err, NULL, NULL);
}

void gw_asker_begin(void *self, bool anew)
{
    struct gw_asker *asker = self;
    if (!anew && gw_user_fresh(asker->user))
        on_user(asker, BASE_OK);
    else
        gw_user_read(asker->user, SV_NULL, on_user, asker);
}
