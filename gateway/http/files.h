/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chat page: every file of a folder, read once at start and served from memory, so that a
 * request never touches the disk and no path can lead out of the folder. A file NAME.gz beside NAME
 * is what clients that accept gzip get.
 */
#ifndef GATEWAY_HTTP_FILES_H
#define GATEWAY_HTTP_FILES_H

#include "lib/base/buf.h"
#include "lib/net/server.h"

struct gw_files;

/* provider is the address of the OpenID provider that the page may speak to, or "". INVALID: the
 * folder cannot be read, a file is too large, or that is no address; told in errors. */
BASE_MUST_CHECK enum base_err gw_files_new(const char *root, const char *provider,
                                           struct gw_files **ret_files, struct base_buf *errors);
void gw_files_free(struct gw_files *files);

/* Answers if there is such a file ("/" is index.html); files may be NULL. False: nothing was
 * answered. */
bool gw_files_serve(const struct gw_files *files, struct net_request *req);

#endif
