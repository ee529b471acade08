/* SPDX-License-Identifier: Apache-2.0 */
/* What a sidecar, or somebody with its token, posts: an entry that is fit has all it needs. */
#include <stdlib.h>

#include "bridge/bus/dapr_envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dapr_envelope envelope;
    if (dapr_envelope_read(base_sv((const char *)data, size), &envelope) != BASE_OK)
        return 0;
    for (size_t i = 0; i < envelope.count; i++) {
        const struct dapr_entry *entry = &envelope.entries[i];
        int64_t seq;
        if (entry->fit &&
            (entry->record.key.len == 0 || entry->record.payload.len == 0 ||
             !base_sv_int64(bus_record_header(&entry->record, BUS_H_USERSEQ), &seq) || seq <= 0))
            abort();
        if (entry->placed && (entry->record.offset < 0 || entry->record.partition < 0))
            abort();
    }
    dapr_envelope_done(&envelope);
    return 0;
}
