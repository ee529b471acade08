-- SPDX-License-Identifier: Apache-2.0
-- A user's tokens issued until now are not valid any more. Every gateway hears of it by an event
-- (10 is session.revoked in tasks/events.def), so that open connections end at once.
CREATE FUNCTION revoke_user(who text) RETURNS timestamptz
LANGUAGE plpgsql AS $$
DECLARE
    at text := to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
BEGIN
    INSERT INTO users (user_id, not_before) VALUES (who, now())
        ON CONFLICT (user_id) DO UPDATE SET not_before = now();
    INSERT INTO outbox (user_id, type, payload)
        VALUES (who, 10, '{"specversion":"1.0","id":"' || gen_random_uuid() || '","source":"/todo-chatbot/tasks",'
            || '"type":"session.revoked","time":"' || at || '","datacontenttype":"application/json","userid":'
            || to_json(who) || ',"data":{"issued_until":"' || at || '"}}');
    RETURN now();
END $$;

-- As before, but that the gateways hear of it.
CREATE OR REPLACE FUNCTION erase_user(who text, OUT tasks bigint, OUT turns bigint, OUT events bigint)
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
        quiet_to = NULL, quiet_urgent = false, feed = NULL WHERE u.user_id = who;
    PERFORM revoke_user(who);
END $$;
