/* SPDX-License-Identifier: Apache-2.0 */
/* Chat lines and actions of phones: shared subscriptions in, the same turns as over WebSocket, the
 * reply on …/out. */
#ifndef GATEWAY_MQTT_INTAKE_H
#define GATEWAY_MQTT_INTAKE_H

#include "gateway/worker.h"

struct gw_intake;

BASE_MUST_CHECK enum base_err gw_intake_new(struct gw_worker *worker, struct gw_intake **ret_intake,
                                            struct base_buf *errors);
void gw_intake_free(struct gw_intake *intake);
/* NULL: no MQTT is wanted, which is fine. */
bool gw_intake_up(const struct gw_intake *intake);

#endif
