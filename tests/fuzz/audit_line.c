/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of an audit log from a disk nobody can trust; and what is written always follows. */
#include <stdlib.h>

#include "bridge/audit/chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct base_sv text = base_sv((const char *)data, size);
    struct audit_chain chain, follower;
    struct base_buf line;
    audit_chain_begin(&chain);
    audit_chain_begin(&follower);
    if (audit_chain_resume(&follower, text) == AUDIT_FINE && follower.offset < 0)
        abort();
    audit_chain_begin(&follower);
    if (audit_chain_follow(&chain, text) == AUDIT_FINE)
        audit_chain_begin(&chain);
    base_buf_init(&line, 1 << 20);
    if (audit_chain_add(&chain, 7, text, &line) == BASE_OK &&
        audit_chain_follow(&follower, base_sv_sub(base_buf_sv(&line), 0, line.len - 1)) !=
            AUDIT_FINE)
        abort();
    base_buf_done(&line);
    return 0;
}
