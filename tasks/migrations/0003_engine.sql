-- SPDX-License-Identifier: Apache-2.0
-- What time alone does to tasks: series roll on, due times are derived anew, reminders nag and keep quiet.

ALTER TABLE tasks
    ADD COLUMN next_local timestamp,                 -- the occurrence after the present one (derived)
    ADD COLUMN review_at  timestamptz;               -- when the task must be looked at again; null = never
CREATE INDEX tasks_review ON tasks (review_at) WHERE review_at IS NOT NULL;

ALTER TABLE reminder_fire
    ADD COLUMN nag_s      integer NOT NULL DEFAULT 0,   -- comes again so often until the task is done
    ADD COLUMN rank       smallint NOT NULL DEFAULT 4,  -- of what is due at once the lowest goes first
    ADD COLUMN held_from  timestamptz;                  -- when it was due, if quiet hours held it back
DROP INDEX reminder_fire_due;
CREATE INDEX reminder_fire_due ON reminder_fire (fire_at, rank);

ALTER TABLE receipt ADD COLUMN held_until timestamptz;  -- quiet hours held it back until then
ALTER TABLE users ADD COLUMN quiet_urgent boolean NOT NULL DEFAULT false;  -- urgent tasks remind all the same

-- One value each that outlives the processes: "tzdata", the newest time zone rules due times were derived by.
CREATE TABLE engine_state (
    name         text PRIMARY KEY,
    value        text NOT NULL
);

-- Days and floating times lie where their user's home zone puts them, whoever changes it.
CREATE FUNCTION review_tasks_of_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tasks SET review_at = now() WHERE user_id = NEW.user_id AND status = 0 AND due_kind IN (1, 2);
    RETURN NULL;
END $$;
CREATE TRIGGER users_home AFTER UPDATE OF zone, default_time ON users FOR EACH ROW
    WHEN (OLD.zone IS DISTINCT FROM NEW.zone OR OLD.default_time IS DISTINCT FROM NEW.default_time)
    EXECUTE FUNCTION review_tasks_of_user();
