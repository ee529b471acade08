# SPDX-License-Identifier: Apache-2.0
"""
The bridge on real parts: events are numbered without gap and reach Kafka and MQTT in order, whoever dies;
a due reminder fires once, whoever looks; what is late is told late, together, or only noted.
"""

import contextlib
import json
import signal
import time
import urllib.parse
import urllib.request
import uuid

import pytest
from support.kafka import Topic
from support.mqtt import Phone
from support.proxy import Proxy
from support.stack import Daemon, wait_for

CREATED, TRIGGERED, MISSED = 1, 6, 8
DAY = 86400


def envelope(user: str, number: int) -> str:
    return json.dumps(
        {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": "/todo-chatbot/tasks",
            "type": "task.created",
            "time": "2026-01-01T00:00:00Z",
            "datacontenttype": "application/json",
            "userid": user,
            "data": {"number": number},
        },
        separators=(",", ":"),
    )


def add_users(stack, users: list[str]) -> None:
    rows = ",".join(f"('{user}')" for user in users)
    stack.sql(f"insert into users(user_id) values {rows} on conflict do nothing")


def add_events(stack, users: list[str], first: int, count: int) -> None:
    """One event for each user and number, in one transaction."""
    rows = ",".join(
        f"('{user}',{CREATED},'{envelope(user, number)}')"
        for number in range(first, first + count)
        for user in users
    )
    stack.sql(f"insert into outbox(user_id,type,payload) values {rows}")


def add_reminder(stack, user: str, title: str, late_s: float = 0, status: int = 0) -> str:
    """A task with a reminder that was due so long ago; returns the reminder's id."""
    task, reminder = uuid.uuid4(), str(uuid.uuid4())
    at = f"(now() - interval '{late_s} s')"
    stack.sql(
        f"""begin;
        insert into tasks(id,user_id,version,status,title,due_kind,due_local,due_zone,due_at,created_at,updated_at)
          values ('{task}','{user}',1,{status},'{title}',3,{at} at time zone 'UTC','UTC',{at},now(),now());
        insert into reminder_fire(reminder_id,occurrence,repeat,task_id,user_id,fire_at)
          values ('{reminder}',1,0,'{task}','{user}',{at});
        commit"""
    )
    return reminder


def numbers_in_database(stack, user: str) -> list[int]:
    return [
        int(row[0]) for row in stack.sql(f"select user_seq from events where user_id='{user}' order by id")
    ]


def first_seen(topic: Topic, user: str) -> list[int]:
    """The userseqs in the order of their first appearance: what a consumer that drops doubles sees."""
    return list(dict.fromkeys(record.event["userseq"] for record in topic.of(user)))


def metric(daemon: Daemon, name: str) -> float | None:
    try:
        url = f"http://127.0.0.1:{daemon.internal}/metrics"
        text = urllib.request.urlopen(url, timeout=2).read().decode()
    except OSError:
        return None
    values = [line.split()[-1] for line in text.splitlines() if line.split(" ")[0] == name]
    return float(values[0]) if values else None


def leads(daemon: Daemon) -> bool:
    return metric(daemon, "todo_relay_leader") == 1


def triggered(stack, user: str, kind: int = TRIGGERED) -> list[dict]:
    rows = stack.sql(f"select payload from events where user_id='{user}' and type={kind} order by user_seq")
    return [json.loads(row[0])["data"] for row in rows]


@contextlib.contextmanager
def own_bridges(stack, tmp_path, count: int, **settings):
    """Bridges of the test's own; the stack's rests meanwhile."""
    stack.stop("bridge")
    try:
        with contextlib.ExitStack() as several:
            bridges = [
                several.enter_context(Daemon(stack, "bridge", tmp_path / f"bridge{n}.log", **settings))
                for n in range(count)
            ]
            for bridge in bridges:
                wait_for("a bridge that is ready", lambda b=bridge: b.http("/readyz") == 200, 20)
            yield bridges
    finally:
        stack.start("bridge")


def test_events_are_numbered_and_reach_every_topic_in_order(stack, new_user):
    users = [new_user() for _ in range(3)]
    add_users(stack, users)
    with (
        Topic(stack["TODO_KAFKA_BROKERS"], "task-updates") as updates,
        Topic(stack["TODO_KAFKA_BROKERS"], "task-events") as events,
        Phone(stack["TODO_MQTT_URL"], users[0], stack.token(users[0])) as phone,
    ):
        assert phone.subscribe(f"todo/v1/{users[0]}/updates") < 128
        for first in (1, 101):
            add_events(stack, users, first, 100)
        for user in users:
            for topic in (updates, events):
                wait_for(f"200 events of {user}", lambda t=topic, u=user: len(t.of(u)) >= 200)
                records = topic.of(user)
                assert [r.event["userseq"] for r in records] == list(range(1, 201))
                assert [r.event["data"]["number"] for r in records] == list(range(1, 201))
                assert [r.headers["userseq"] for r in records] == [str(n).encode() for n in range(1, 201)]
                assert {r.headers["ce_type"] for r in records} == {b"task.created"}
                assert {r.headers["ce_id"].decode() for r in records} == {r.event["id"] for r in records}
            assert numbers_in_database(stack, user) == list(range(1, 201))
        wait_for("200 messages at the phone", lambda: len(phone.received) >= 200)
        assert [m.json["userseq"] for m in phone.received] == list(range(1, 201))
        assert {m.topic for m in phone.received} == {f"todo/v1/{users[0]}/updates"}
        assert all(0 < m.expiry <= 7 * DAY for m in phone.received)


def test_when_the_leader_dies_nothing_is_lost_and_no_number_twice(stack, new_user, tmp_path):
    users = [new_user() for _ in range(5)]
    add_users(stack, users)
    with (
        own_bridges(stack, tmp_path, 2) as bridges,
        Topic(stack["TODO_KAFKA_BROKERS"], "task-updates") as updates,
    ):
        wait_for("a leader", lambda: any(map(leads, bridges)))
        assert sum(map(leads, bridges)) == 1
        first = 1
        for victim in ("leader", None):
            if victim:
                leader = next(filter(leads, bridges))
                other = next(b for b in bridges if b is not leader)
            for _ in range(10):
                add_events(stack, users, first, 50)
                first += 50
                if victim and first > 200 and leader.process.poll() is None:
                    leader.process.send_signal(signal.SIGKILL)
        wait_for("the other one to lead", lambda: leads(other), 15)
        wanted = list(range(1, first))
        for user in users:
            wait_for(
                f"all events of {user}", lambda u=user: len(set(first_seen(updates, u))) >= first - 1, 20
            )
            assert first_seen(updates, user) == wanted
            assert numbers_in_database(stack, user) == wanted
            seen = {r.event["userseq"]: r.event["data"]["number"] for r in updates.of(user)}
            assert seen == {n: n for n in wanted}, "the order of the outbox is the order of the numbers"


def test_a_due_reminder_fires_once_with_two_schedulers(stack, new_user, tmp_path):
    users = [new_user() for _ in range(10)]
    add_users(stack, users)
    with (
        own_bridges(stack, tmp_path, 2) as bridges,
        Topic(stack["TODO_KAFKA_BROKERS"], "reminders") as reminders,
    ):
        rows = ",".join(f"('{user}')" for user in users)
        stack.sql(
            f"""with u(user_id) as (values {rows}), t as (
              insert into tasks(id,user_id,version,status,title,created_at,updated_at)
              select gen_random_uuid(),user_id,1,0,'Many '||n,now(),now() from u, generate_series(1,100) n
              returning id,user_id)
            insert into reminder_fire(reminder_id,occurrence,repeat,task_id,user_id,fire_at)
              select gen_random_uuid(),1,0,id,user_id,now()+interval '1 s' from t"""
        )
        due = time.time() + 1
        for user in users:
            wait_for(f"reminders of {user}", lambda u=user: len(reminders.of(u)) >= 100, 15)
        assert max(r.at for r in reminders.records) - due < 3
        time.sleep(0.5)
        ids = [r.event["data"]["reminder_id"] for u in users for r in reminders.of(u)]
        assert len(ids) == len(set(ids)) == 1000
        fired = [metric(b, 'todo_scheduler_fired_total{policy="on_time"}') for b in bridges]
        assert sum(fired) >= 1000
        names = "','".join(users)
        receipts = stack.sql(
            f"select count(*), count(distinct event_id), count(*) filter (where state = 1) from receipt where user_id in ('{names}')"
        )
        assert receipts == [["1000", "1000", "1000"]]
        wait_for(
            "receipts that say published",
            lambda: (
                stack.sql(
                    f"select count(*) from receipt where published_at is not null and user_id in ('{names}')"
                )
                == [["1000"]]
            ),
        )


def test_a_reminder_reaches_the_phone_soon_and_can_be_followed(stack, user):
    add_users(stack, [user])
    wanted = {"reminder.fired", "relay.event", "mqtt.event"}

    def logged(trace: str) -> set[str]:
        return {line["event"] for line in stack.log("bridge") if line.get("trace_id") == trace}

    with Phone(stack["TODO_MQTT_URL"], user, stack.token(user)) as phone:
        assert phone.subscribe(f"todo/v1/{user}/reminders") < 128
        # Single reminders are logged up to so many a second, and others may have come just now.
        for _ in range(5):
            time.sleep(1.1)
            before = time.time()
            reminder = add_reminder(stack, user, "Call Ann")
            got = phone.wait("the reminder", lambda m, r=reminder: m.json["data"]["reminder_id"] == r)
            assert got.at - before < 1.0
            assert 0 < got.expiry <= DAY
            event = got.json
            assert event["type"] == "reminder.triggered" and event["data"]["title"] == "Call Ann"
            assert event["data"]["tag"] == event["subject"] == event["data"]["task_id"]
            assert [a["id"] for a in event["data"]["actions"]] == ["complete", "snooze", "snooze"]
            assert "late" not in event["data"]
            time.sleep(0.2)
            if logged(event["traceparent"].split("-")[1]) >= wanted:
                return
    raise AssertionError("no reminder of five has its way in the log")


def test_after_an_outage_late_is_told_late_and_much_of_it_once(stack, new_user, tmp_path):
    late, many, old, done = (new_user(name) for name in ("late", "many", "old", "done"))
    add_users(stack, [late, many, old, done])
    stack.stop("bridge")
    try:
        add_reminder(stack, late, "five minutes", 300)
        for n in range(4):
            add_reminder(stack, many, f"hours {n}", 7200 + n)
        for n in range(3):
            add_reminder(stack, old, f"days {n}", 2 * DAY + n)
        cleared = add_reminder(stack, done, "done meanwhile", 300, status=1)
    finally:
        stack.start("bridge")
    [data] = wait_for("the late one", lambda: triggered(stack, late))
    assert data["late"] is True and data["title"] == "five minutes" and "digest" not in data
    [data] = wait_for("the digest", lambda: triggered(stack, many))
    assert data["digest"] is True and data["count"] == 4
    assert {item["title"] for item in data["items"]} == {f"hours {n}" for n in range(4)}
    [data] = wait_for("the missed ones", lambda: triggered(stack, old, MISSED))
    assert data["count"] == 3 and not triggered(stack, old)
    state = f"select state from receipt where reminder_id='{cleared}'"
    assert wait_for("the cleared one's receipt", lambda: stack.sql(state)) == [["4"]]
    assert not triggered(stack, done)


def test_a_backlog_larger_than_a_batch_still_gives_each_user_one_digest(stack, new_user):
    users = [new_user("backlog") for _ in range(100)]
    add_users(stack, users)
    names = ",".join(f"('{user}')" for user in users)
    stack.sql(
        f"""with u(user_id) as (values {names}), t as (
          insert into tasks(id,user_id,version,status,title,created_at,updated_at)
          select gen_random_uuid(),user_id,1,0,'Old '||n,now(),now() from u, generate_series(1,50) n
          returning id,user_id)
        insert into reminder_fire(reminder_id,occurrence,repeat,task_id,user_id,fire_at)
          select gen_random_uuid(),1,0,id,user_id,now()-interval '2 h' from t"""
    )
    several = ",".join(f"'{user}'" for user in users)
    left = f"select count(*) from reminder_fire where user_id in ({several})"
    wait_for("an empty queue", lambda: stack.sql(left) == [["0"]], 20)
    done = f"select count(*), count(distinct user_id) from events where type = {TRIGGERED} and user_id in ({several})"
    wait_for("one digest each", lambda: stack.sql(done) == [["100", "100"]])
    assert {triggered(stack, user)[0]["count"] for user in users} == {50}


def test_a_row_that_cannot_fire_is_set_aside_and_holds_up_nobody(stack, new_user):
    good = new_user("good")
    add_users(stack, [good])
    poison = str(uuid.uuid4())
    # An event of that size does not fit anywhere.
    task = uuid.uuid4()
    stack.sql(
        f"""begin;
        insert into tasks(id,user_id,version,status,title,created_at,updated_at)
          values ('{task}','{good}',1,0,repeat('x',300000),now(),now());
        insert into reminder_fire(reminder_id,occurrence,repeat,task_id,user_id,fire_at)
          values ('{poison}',1,0,'{task}','{good}',now());
        commit"""
    )
    try:
        for n in range(3):
            add_reminder(stack, good, f"good {n}")
        wait_for("the good ones", lambda: len(triggered(stack, good)) == 3, 15)
        attempts = f"select attempts from reminder_fire where reminder_id='{poison}'"
        wait_for("five attempts", lambda: stack.sql(attempts) == [["5"]], 15)
        add_reminder(stack, good, "after")
        wait_for("one that comes after", lambda: len(triggered(stack, good)) == 4, 2)
    finally:
        stack.sql(f"delete from reminder_fire where reminder_id='{poison}'")


def test_what_mqtt_missed_comes_when_it_is_back(stack, user, tmp_path):
    add_users(stack, [user])
    at = urllib.parse.urlsplit(stack["TODO_MQTT_URL"])
    with (
        Proxy((at.hostname, at.port)) as proxy,
        own_bridges(stack, tmp_path, 1, mqtt_url=f"mqtt://127.0.0.1:{proxy.port}") as [bridge],
        Phone(stack["TODO_MQTT_URL"], user, stack.token(user)) as phone,
    ):
        assert phone.subscribe(f"todo/v1/{user}/updates") < 128
        add_events(stack, [user], 1, 20)
        wait_for("the first", lambda: len(phone.received) >= 20, 20)
        proxy.down()
        wait_for("not ready", lambda: bridge.http("/readyz") == 503)
        add_events(stack, [user], 21, 200)
        wait_for("all numbered", lambda: len(numbers_in_database(stack, user)) == 220)
        proxy.up()
        wait_for("all of them", lambda: len({m.json["userseq"] for m in phone.received}) >= 220, 20)
        assert list(dict.fromkeys(m.json["userseq"] for m in phone.received)) == list(range(1, 221))
        wait_for("ready again", lambda: bridge.http("/readyz") == 200)


@pytest.mark.parametrize("part", ["kafka", "postgres"])
def test_parts_that_die_come_back_without_loss(stack, user, part):
    add_users(stack, [user])
    with Topic(stack["TODO_KAFKA_BROKERS"], "task-updates") as updates:
        add_events(stack, [user], 1, 50)
        wait_for("the first", lambda: len(updates.of(user)) >= 50)
        stack.kill(part)
        if part == "kafka":
            add_events(stack, [user], 51, 50)
            time.sleep(1)
        stack.start(part)
        if part == "postgres":
            add_events(stack, [user], 51, 50)
        wait_for("the rest", lambda: len(set(first_seen(updates, user))) >= 100, 40)
        assert first_seen(updates, user) == list(range(1, 101))
        assert numbers_in_database(stack, user) == list(range(1, 101))


def test_sigterm_drains_and_leaves_nothing_unsaved(stack, user, tmp_path):
    add_users(stack, [user])
    with own_bridges(stack, tmp_path, 1) as [bridge]:
        wait_for("the leader", lambda: leads(bridge))
        for first in range(1, 2001, 200):
            add_events(stack, [user], first, 200)
        bridge.process.send_signal(signal.SIGTERM)
        assert bridge.process.wait(12) == 0
        # What was numbered was published and its cursor saved.
        assert stack.sql("select (select position from relay_cursor) = (select max(id) from events)") == [
            ["t"]
        ]
