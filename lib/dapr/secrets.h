/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets from a Dapr secret store, once at start. A setting that is secret may say
 * "dapr:NAME" or "dapr:NAME/KEY" instead of the thing itself; a store keeps under each NAME a set
 * of KEYs, and where the KEY is not said it is NAME again or the only one there is.
 */
#ifndef DAPR_SECRETS_H
#define DAPR_SECRETS_H

#include "lib/base/config.h"
#include "lib/dapr/sidecar.h"

/* Does any secret of the configuration say "dapr:…"? Then the sidecar must be waited for. */
bool dapr_secrets_wanted(const struct base_config_table *table, const void *config);

/* Puts the secrets into the configuration; blocks. On failure a line in errors for each one that is
 * not there, with its setting and its name, never with a value; nothing is then kept. */
BASE_MUST_CHECK enum base_err dapr_secrets_fetch(const struct dapr_settings *settings,
                                                 const char *store,
                                                 const struct base_config_table *table,
                                                 void *config, struct base_buf *errors);

/* What a daemon does before it makes anything from its configuration: completes the settings, and
 * where the bus needs the sidecar or a secret is in its store, waits for it and fetches. Blocks. */
BASE_MUST_CHECK enum base_err dapr_meet(struct dapr_settings *settings, char *url_text, bool needed,
                                        const char *store, const struct base_config_table *table,
                                        void *config, struct base_buf *errors);

/* A configuration that was read anew keeps the secrets that were fetched for the old one. */
BASE_MUST_CHECK enum base_err dapr_secrets_keep(const struct base_config_table *table,
                                                const void *old, void *fresh);

/* One secret's value out of the store's answer, a JSON object of strings. NOT_FOUND: it has no such
 * key; MALFORMED. key: empty means name, or the only one. For secrets.c and its tests. */
BASE_MUST_CHECK enum base_err dapr_secret_pick(struct base_sv answer, struct base_sv name,
                                               struct base_sv key, struct base_buf *ret_value);

#endif
