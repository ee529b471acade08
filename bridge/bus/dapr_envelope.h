/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Dapr sidecar posts to a subscription's route, taken apart: the envelope of a bulk
 * subscription with up to DAPR_ENTRIES_MAX events, or one CloudEvent alone. Pure.
 * https://docs.dapr.io/reference/api/pubsub_api/
 */
#ifndef BRIDGE_BUS_DAPR_ENVELOPE_H
#define BRIDGE_BUS_DAPR_ENVELOPE_H

#include "bridge/bus/bus.h"
#include "lib/base/buf.h"

enum { DAPR_ENTRIES_MAX = 1000 };

struct dapr_entry {
    struct base_sv id; /* what the answer calls it; empty in a CloudEvent that came alone */
    bool fit;          /* it is an event of ours: a CloudEvent with userid, userseq, id and type */
    bool placed;       /* partition and offset are the broker's own */
    struct bus_record record; /* topic is left NULL */
};

struct dapr_envelope {
    bool bulk;
    size_t count;
    struct dapr_entry *entries;
    void *memory; /* what the views point into */
};

/* MALFORMED: it is not JSON, or neither of the two; TOO_LARGE: too many entries. An entry that is
 * no event of ours is no error: it is not fit. */
BASE_MUST_CHECK enum base_err dapr_envelope_read(struct base_sv body,
                                                 struct dapr_envelope *ret_envelope);
void dapr_envelope_done(struct dapr_envelope *envelope);

#endif
