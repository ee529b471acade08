/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway's outer links, on the first worker: the bus brings events for all workers' hubs, the
 * broker brings chat lines and actions of phones.
 */
#ifndef GATEWAY_LINK_LINK_H
#define GATEWAY_LINK_LINK_H

#include "gateway/worker.h"

struct gw_link;

/* Workers: all of them, the first is the caller's. On failure errors tells what setting is wrong.
 */
BASE_MUST_CHECK enum base_err gw_link_new(struct gw_worker *const *workers, size_t count,
                                          struct gw_link **ret_link, struct base_buf *errors);
void gw_link_free(struct gw_link *link);

/* A request of the sidecar to /dapr/… on the internal listener. From the first worker. */
void gw_link_serve(struct net_request *req);

/* {"ready":…,"database":…,"bus":…,"mqtt":…} into buf; true if this process can serve. From the
 * first worker. */
bool gw_link_status(struct gw_worker *worker, struct base_buf *buf);

#endif
