-- SPDX-License-Identifier: Apache-2.0
-- How long things are kept, and how an account is erased.

CREATE INDEX tasks_trash ON tasks (deleted_at) WHERE status = 2;
CREATE INDEX turn_created ON turn USING brin (created_at) WITH (pages_per_range = 32);

-- A task with all that is on record of it.
CREATE FUNCTION erase_tasks(ids uuid[]) RETURNS void LANGUAGE sql AS $$
    DELETE FROM reminder_fire WHERE task_id = ANY(ids);
    DELETE FROM receipt WHERE task_id = ANY(ids);
    DELETE FROM task_occurrence WHERE task_id = ANY(ids);
    DELETE FROM task_history WHERE task_id = ANY(ids);
    DELETE FROM tasks WHERE id = ANY(ids);
$$;

-- Takes away, some rows at a time, what was in the trash for trash_days and what was said turns_days ago.
-- How many tasks and turns went.
CREATE FUNCTION sweep(trash_days integer, turns_days integer, most integer, OUT trash integer, OUT turns integer)
LANGUAGE plpgsql SET enable_bitmapscan = on SET enable_seqscan = off AS $$
DECLARE
    ids uuid[];
BEGIN
    ids := ARRAY(SELECT id FROM tasks WHERE status = 2 AND deleted_at < now() - trash_days * interval '1 day'
                 ORDER BY deleted_at LIMIT most FOR UPDATE SKIP LOCKED);
    trash := cardinality(ids);
    IF trash > 0 THEN
        PERFORM erase_tasks(ids);
    END IF;
    DELETE FROM turn WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM turn WHERE created_at < now() - turns_days * interval '1 day' LIMIT most
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS turns = ROW_COUNT;
END $$;

-- Everything of a user. What stays is the name, so that tokens issued until now are refused.
CREATE FUNCTION erase_user(who text, OUT tasks bigint, OUT turns bigint, OUT events bigint)
LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[];
BEGIN
    PERFORM FROM users u WHERE u.user_id = who FOR UPDATE;
    ids := ARRAY(SELECT id FROM tasks t WHERE t.user_id = who FOR UPDATE);
    tasks := cardinality(ids);
    PERFORM erase_tasks(ids);
    DELETE FROM turn t WHERE t.user_id = who;
    GET DIAGNOSTICS turns = ROW_COUNT;
    DELETE FROM outbox o WHERE o.user_id = who;
    DELETE FROM events e WHERE e.user_id = who;
    GET DIAGNOSTICS events = ROW_COUNT;
    DELETE FROM device d WHERE d.user_id = who;
    DELETE FROM webhook w WHERE w.user_id = who;
    UPDATE dialogue d SET version = version + 1, state = '' WHERE d.user_id = who;
    UPDATE users u SET zone = 'UTC', zone_set = false, locale = 'en', default_time = '09:00', quiet_from = NULL,
        quiet_to = NULL, quiet_urgent = false, feed = NULL, not_before = now() WHERE u.user_id = who;
END $$;

-- Who knows the address of a user's calendar feed may read it; kept as the SHA-256 of its secret part.
ALTER TABLE users ADD COLUMN feed bytea;
CREATE UNIQUE INDEX users_feed ON users (feed) WHERE feed IS NOT NULL;

CREATE INDEX tasks_parent ON tasks (parent_id) WHERE parent_id IS NOT NULL;
