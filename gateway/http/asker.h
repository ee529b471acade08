/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks: a call that is answered later, with its user, once that user was read and the call's
 * token found not to be revoked. What a handler keeps until then begins with one of these.
 */
#ifndef GATEWAY_HTTP_ASKER_H
#define GATEWAY_HTTP_ASKER_H

#include "gateway/http/router.h"
#include "gateway/hub/hub.h"

struct gw_asker {
    struct gw_call *call;
    struct gw_user *user;
    void (*go)(void *self);
    void (*end)(void *self); /* frees what the handler has besides; or NULL */
};

/* size bytes, zeroed, that begin with the asker of this call; NULL and answered: out of memory. */
void *gw_asker_new(struct gw_call *call, size_t size, void (*go)(void *self),
                   void (*end)(void *self));
/* go when the user is known; otherwise the call is answered and ended. anew: as the database has
 * the user now, not as it was a moment ago. */
void gw_asker_begin(void *self, bool anew);
/* After the answer. */
void gw_asker_end(void *self);
/* Answers with a problem and ends. */
void gw_asker_fail(void *self, enum base_err err, const char *field, const char *detail);

#endif
