-- SPDX-License-Identifier: Apache-2.0
-- Who made each version of a task; and what commands and reminders cost the database.

-- The turn that made the present version. task_history keeps whole rows, so it has the others'.
ALTER TABLE tasks
    ADD COLUMN by_channel smallint NOT NULL DEFAULT 2,
    ADD COLUMN by_device  text NOT NULL DEFAULT '',
    ADD COLUMN by_id      text NOT NULL DEFAULT '';

-- Each check of a reference locks the user's row, which the relay writes all the time: a third of what
-- a reminder costs. Users are made before their first turn and deleted together with these rows.
ALTER TABLE turn DROP CONSTRAINT turn_user_id_fkey;
ALTER TABLE outbox DROP CONSTRAINT outbox_user_id_fkey;

-- A receipt is changed up to three times (published, delivered, acknowledged): with room in its page none
-- of its indexes has to know.
ALTER TABLE receipt SET (fillfactor = 60);
