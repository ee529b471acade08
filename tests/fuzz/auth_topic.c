/* SPDX-License-Identifier: Apache-2.0 */
/* Topics from outside: first byte the kind of access and flags, then "user\ntopic". Nothing that is
 * granted to a user may lie outside of "todo/v1/{user}/". */
#include <stdlib.h>

#include "lib/auth/names.h"
#include "lib/auth/topics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_wildcard(struct base_sv topic)
{
    return base_sv_find(topic, '+') < topic.len || base_sv_find(topic, '#') < topic.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct base_sv topic = base_sv((const char *)data + 1, size - 1);
    struct auth_client client = {base_sv_split(&topic, '\n'), (data[0] & 4) != 0};
    enum auth_access access = (enum auth_access)((data[0] & 3) % 3);
    bool retain = (data[0] & 8) != 0;
    if (!auth_topic_allowed(&client, access, topic, retain))
        return 0;
    if (access == AUTH_WRITE && has_wildcard(topic))
        abort();
    if (client.service)
        return 0;
    struct base_sv own = base_sv_sub(topic, 8, 8 + client.user.len);
    if (!auth_user_valid(client.user) || !base_sv_starts(topic, SV("todo/v1/")) ||
        !base_sv_eq(own, client.user) || topic.len <= 9 + client.user.len ||
        topic.ptr[8 + client.user.len] != '/')
        abort();
    if (access == AUTH_WRITE && (retain || !base_sv_ends(topic, SV("/in"))))
        abort();
    return 0;
}
