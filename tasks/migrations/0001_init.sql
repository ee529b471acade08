-- SPDX-License-Identifier: Apache-2.0
-- The whole model of version 1. A task is one aggregate in one row: its reminders and its recurrence are
-- versioned with it, so that one compare-and-set on (id, version) covers every change.

CREATE TABLE users (
    user_id      text PRIMARY KEY CHECK (user_id ~ '^[A-Za-z0-9._~@|-]{1,128}$'),
    seq          bigint NOT NULL DEFAULT 0,          -- userseq of the user's newest event
    zone         text NOT NULL DEFAULT 'UTC',        -- home zone: date-only, floating, quiet hours
    zone_set     boolean NOT NULL DEFAULT false,     -- false: the first connect may still set it
    locale       text NOT NULL DEFAULT 'en',
    default_time time NOT NULL DEFAULT '09:00',      -- when a date-only task reminds
    quiet_from   time,
    quiet_to     time,
    not_before   timestamptz,                        -- tokens issued earlier are revoked
    created_at   timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);

CREATE TABLE tasks (
    id           uuid PRIMARY KEY,
    user_id      text NOT NULL REFERENCES users,
    version      integer NOT NULL,
    status       smallint NOT NULL,                  -- 0 open, 1 done, 2 deleted
    title        text NOT NULL,
    notes        text NOT NULL DEFAULT '',
    priority     smallint NOT NULL DEFAULT 0,        -- 0 none, 1 lowest … 4 urgent
    tags         text[] NOT NULL DEFAULT '{}',
    project      text NOT NULL DEFAULT '',
    due_kind     smallint NOT NULL DEFAULT 0,        -- 0 none, 1 date, 2 floating, 3 zoned
    due_local    timestamp,                          -- the truth: wall time …
    due_zone     text,                               -- … and IANA zone (zoned only)
    due_at       timestamptz,                        -- derived from both
    recurrence   jsonb,                              -- recurrence_pattern of the API
    start_local  timestamp,                          -- where the series began (DTSTART)
    occurrence   integer NOT NULL DEFAULT 1,         -- counter, never used again, not even by undo
    reminders    jsonb NOT NULL DEFAULT '[]',
    parent_id    uuid,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    completed_at timestamptz,
    deleted_at   timestamptz
) WITH (fillfactor = 85);
CREATE INDEX tasks_open_due ON tasks (user_id, due_at, id) WHERE status = 0;
CREATE INDEX tasks_by_user ON tasks (user_id, status, updated_at DESC, id);

-- Each task row as it was before a change: what undo goes back to and the audit shows.
CREATE TABLE task_history (
    task_id      uuid NOT NULL,
    version      integer NOT NULL,
    user_id      text NOT NULL,
    at           timestamptz NOT NULL,               -- when it was replaced
    data         jsonb NOT NULL,
    PRIMARY KEY (task_id, version)
);

CREATE TABLE task_occurrence (
    task_id      uuid NOT NULL,
    occurrence   integer NOT NULL,
    due_local    timestamp,
    due_at       timestamptz,
    outcome      smallint NOT NULL,                  -- 1 completed, 2 skipped, 3 missed
    at           timestamptz NOT NULL,
    PRIMARY KEY (task_id, occurrence)
);

-- The firing queue: narrow, only what is still to come. A firing is (reminder, occurrence, repeat).
CREATE TABLE reminder_fire (
    reminder_id  uuid NOT NULL,
    occurrence   integer NOT NULL,
    repeat       integer NOT NULL,
    task_id      uuid NOT NULL,
    user_id      text NOT NULL,
    fire_at      timestamptz NOT NULL,
    attempts     smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (reminder_id, occurrence, repeat)
) WITH (autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX reminder_fire_due ON reminder_fire (fire_at);
CREATE INDEX reminder_fire_task ON reminder_fire (task_id);

-- What became of each firing, for ever: the key makes crashes and clock jumps harmless.
CREATE TABLE receipt (
    reminder_id  uuid NOT NULL,
    occurrence   integer NOT NULL,
    repeat       integer NOT NULL,
    task_id      uuid NOT NULL,
    user_id      text NOT NULL,
    event_id     uuid NOT NULL,
    state        smallint NOT NULL,                  -- 1 fired, 2 late, 3 missed, 4 cleared
    due_at       timestamptz NOT NULL,               -- when it should have fired
    fired_at     timestamptz NOT NULL,
    published_at timestamptz,
    delivered_at timestamptz,
    acked_at     timestamptz,
    PRIMARY KEY (reminder_id, occurrence, repeat)
);
CREATE INDEX receipt_task ON receipt (task_id);

-- One row for each chat line, action or API call that changed or asked something: the idempotency record
-- and the transcript in one.
CREATE TABLE turn (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    user_id      text NOT NULL REFERENCES users,
    device       text NOT NULL,
    client_id    text NOT NULL,
    hash         bigint NOT NULL,                    -- of the content: the same id with another is refused
    channel      smallint NOT NULL,                  -- 0 chat, 1 action, 2 REST
    at           timestamptz NOT NULL,
    text         text NOT NULL,
    reply        text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, device, client_id)
);
CREATE INDEX turn_history ON turn (user_id, id DESC) WHERE channel < 2;

CREATE TABLE dialogue (
    user_id      text PRIMARY KEY REFERENCES users,
    version      bigint NOT NULL,
    state        text NOT NULL,
    updated_at   timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- Commands put events here; the one relay leader numbers them for their user and moves them to events.
CREATE TABLE outbox (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id      text NOT NULL REFERENCES users,
    type         smallint NOT NULL,
    payload      text NOT NULL,                      -- CloudEvent without userseq, which the relay adds
    created_at   timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0.02);

CREATE SEQUENCE events_id;
CREATE TABLE events (
    id           bigint NOT NULL DEFAULT nextval('events_id'),
    user_id      text NOT NULL,
    user_seq     bigint NOT NULL,
    type         smallint NOT NULL,
    payload      text NOT NULL,
    created      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, user_seq, created)
) PARTITION BY RANGE (created);
CREATE TABLE events_default PARTITION OF events DEFAULT;
CREATE INDEX events_by_id ON events (id);

CREATE TABLE relay_cursor (
    name         text PRIMARY KEY,
    position     bigint NOT NULL
);
INSERT INTO relay_cursor VALUES ('bus', 0);

CREATE TABLE device (
    user_id      text NOT NULL REFERENCES users,
    device       text NOT NULL,
    acked        bigint NOT NULL DEFAULT 0,          -- userseq shown on this device
    seen_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, device)
) WITH (fillfactor = 70);
