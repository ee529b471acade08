-- SPDX-License-Identifier: Apache-2.0
-- What the gateways share for a while: small values that go by themselves.
-- (Where the bus is dapr, the sidecar's state store keeps them instead.)
CREATE SEQUENCE shared_state_etag;

CREATE TABLE shared_state (
    key          text PRIMARY KEY,
    value        text NOT NULL,
    etag         bigint NOT NULL DEFAULT nextval('shared_state_etag'),  -- another one after each write
    expires_at   timestamptz NOT NULL
);
CREATE INDEX shared_state_expires ON shared_state (expires_at);
