/* SPDX-License-Identifier: Apache-2.0 */
/* A client's message or action: a turn with everything a commit needs, or a reason. */
#include <stdlib.h>

#include "gateway/turn/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gw_worker *worker(void)
{
    static struct gw_shared shared;
    static struct gw_worker made;
    if (made.hub)
        return &made;
    shared.clock = &base_clock_system;
    made.shared = &shared;
    if (net_loop_new(&made.loop) != BASE_OK)
        abort();
    made.base = net_loop_base(made.loop);
    if (gw_hub_new(&made, &made.hub) != BASE_OK)
        abort();
    return &made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *why = NULL;
    struct gw_turn *turn;
    json_t *frame = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    struct gw_user *user = gw_hub_user(worker()->hub, SV("ann"));
    if (json_is_object(frame)) {
        enum base_err err = gw_frame_turn(worker(), user, SV("phone"), frame, &turn, &why);
        if (err == BASE_OK) {
            if (turn->client_id.len == 0 || turn->client_id.len > GW_FRAME_ID_MAX ||
                turn->text.len > NLU_TEXT_MAX)
                abort();
            gw_turn_discard(turn);
        } else if (!why) {
            abort();
        }
    }
    gw_user_unref(user);
    if (user->refs != 0)
        abort();
    json_decref(frame);
    return 0;
}
