/* SPDX-License-Identifier: Apache-2.0 */
/* Message and action frames, the same over WebSocket and MQTT: checked, and made into a turn. */
#ifndef GATEWAY_TURN_FRAME_H
#define GATEWAY_TURN_FRAME_H

#include <jansson.h>

#include "gateway/turn/turn.h"

enum { GW_FRAME_ID_MAX = 64 };
#define GW_FRAME_ID_WRONG "\"id\" must be a text of 1 to 64 bytes, new for each command"

/* The frame's id; empty if it has none that is usable. */
struct base_sv gw_frame_id(const json_t *frame);

/* A turn of the frame, answer still to be set; or what is wrong with it, and *ret_why names the
 * field. */
BASE_MUST_CHECK enum base_err gw_frame_turn(struct gw_worker *worker, struct gw_user *user,
                                            struct base_sv device, json_t *frame,
                                            struct gw_turn **ret_turn, const char **ret_why);

#endif
