-- SPDX-License-Identifier: Apache-2.0
-- What the relay and the scheduler need besides the tables: ways in, and the events table's daily partitions.

-- An event finds its receipts: published, delivered, acknowledged.
CREATE INDEX receipt_event ON receipt (event_id);
-- All that is overdue for one user (digest), and a user's next reminder.
CREATE INDEX reminder_fire_user ON reminder_fire (user_id, fire_at);

-- Makes the partitions of today and the days ahead, drops those older than keep days whose events were all
-- published. Days are UTC. Waits for a lock only briefly: the caller tries again.
CREATE FUNCTION events_partitions(ahead integer, keep integer, OUT made integer, OUT dropped integer)
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    today     date := (now() AT TIME ZONE 'UTC')::date;
    day       date;
    part      text;
    published bigint;
    newest    bigint;
BEGIN
    made := 0;
    dropped := 0;
    FOR i IN 0..ahead LOOP
        day := today + i;
        part := 'events_' || to_char(day, 'YYYYMMDD');
        IF to_regclass(part) IS NULL THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF events FOR VALUES FROM (%L) TO (%L)', part,
                           day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
            made := made + 1;
        END IF;
    END LOOP;
    SELECT c.position INTO published FROM relay_cursor c WHERE c.name = 'bus';
    FOR part IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'events'::regclass AND c.relname ~ '^events_[0-9]{8}$'
          AND to_date(substr(c.relname, 8), 'YYYYMMDD') < today - keep
        ORDER BY 1
    LOOP
        EXECUTE format('SELECT max(id) FROM %I', part) INTO newest;
        IF coalesce(newest, 0) <= published THEN
            EXECUTE format('DROP TABLE %I', part);
            dropped := dropped + 1;
        END IF;
    END LOOP;
END $$;
