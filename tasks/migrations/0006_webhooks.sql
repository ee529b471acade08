-- SPDX-License-Identifier: Apache-2.0
-- Webhooks: who wants which events where, and what is still to be delivered.

CREATE TABLE webhook (
    id           uuid PRIMARY KEY,
    user_id      text NOT NULL REFERENCES users ON DELETE CASCADE,
    url          text NOT NULL,
    secret       text NOT NULL,                      -- signs what is sent; shown once
    types        text[] NOT NULL DEFAULT '{}',       -- empty: every type
    created_at   timestamptz NOT NULL DEFAULT now(),
    delivered    bigint NOT NULL DEFAULT 0,
    failures     integer NOT NULL DEFAULT 0,         -- in a row
    last_error   text NOT NULL DEFAULT '',
    disabled     boolean NOT NULL DEFAULT false      -- the other side answered 410
);
CREATE INDEX webhook_user ON webhook (user_id);

CREATE TABLE webhook_delivery (
    hook_id      uuid NOT NULL REFERENCES webhook ON DELETE CASCADE,
    event_id     uuid NOT NULL,
    payload      text NOT NULL,
    attempts     smallint NOT NULL DEFAULT 0,
    next_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (hook_id, event_id)
) WITH (autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX webhook_delivery_next ON webhook_delivery (next_at);
