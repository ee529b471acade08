# SPDX-License-Identifier: Apache-2.0
"""
The bridge alone: what stands in the outbox reaches Kafka and MQTT, numbered, in order, once for a
reader that drops doubles, whatever is killed meanwhile.
"""

import json
import subprocess
import time
import uuid
from datetime import UTC, datetime

from support import events
from support.kafka import Topic
from support.mqtt import Phone
from support.stack import Stack, wait_for

CREATED = 1  # tasks/events.def


def put(stack: Stack, users: list[str], count: int) -> dict[str, list[str]]:
    """count events for each user, users mixed, in one transaction. Returns their ids in order."""
    ids: dict[str, list[str]] = {user: [] for user in users}
    rows = []
    for _ in range(count):
        for user in users:
            ident = str(uuid.uuid4())
            ids[user].append(ident)
            event = {
                "specversion": "1.0",
                "id": ident,
                "source": "/todo-chatbot/tasks",
                "type": "task.created",
                "subject": str(uuid.uuid4()),
                "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "userid": user,
                "datacontenttype": "application/json",
                "data": {"title": "wash", "version": 1},
            }
            rows.append(f"('{user}', {CREATED}, '{json.dumps(event, separators=(',', ':'))}')")
    names = ",".join(f"('{user}')" for user in users)
    script = (
        f"begin; insert into users (user_id) values {names} on conflict do nothing;"
        f"insert into outbox (user_id, type, payload) values {','.join(rows)}; commit;"
    )
    subprocess.run(
        ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", stack["TODO_DATABASE_URL"]],
        input=script,
        text=True,
        check=True,
    )
    return ids


def first_seen(records) -> list[str]:
    return list(dict.fromkeys(record.event["id"] for record in records))


def test_event_reaches_both_topics_and_the_phone(stack, user):
    brokers = stack["TODO_KAFKA_BROKERS"]
    with (
        Topic(brokers, "task-updates") as updates,
        Topic(brokers, "task-events") as tasks,
        Topic(brokers, "reminders") as reminders,
        Phone(stack["TODO_MQTT_URL"], user, stack.token(user)) as phone,
    ):
        phone.subscribe(f"todo/v1/{user}/#")
        (warm,) = put(stack, [user], 1)[user]  # the first record after Kafka's start is slow
        updates.wait("the first event", lambda r: r.event["id"] == warm)
        started = time.time()
        (ident,) = put(stack, [user], 1)[user]
        record = updates.wait("the event", lambda r: r.event["id"] == ident)
        assert record.at - started < 0.5
        other = tasks.wait("the event", lambda r: r.event["id"] == ident)
        message = phone.wait("the event", lambda m: m.json["id"] == ident)
        assert message.topic == f"todo/v1/{user}/updates"
        assert not message.retain
        assert record.event == other.event == message.json
        events.check(record.event, user)
        assert record.event["userseq"] == 2
        for each in (record, other):
            assert each.key == user
            assert each.headers["userseq"] == b"2"
        assert reminders.of(user) == []


def test_order_and_numbers_survive_kill_9(stack, new_user):
    users = [new_user("relay") for _ in range(5)]
    count = 400
    with Topic(stack["TODO_KAFKA_BROKERS"], "task-updates") as updates:
        ids: dict[str, list[str]] = {user: [] for user in users}
        for victim in ("bridge", "kafka", "postgres", "mosquitto"):
            for user, more in put(stack, users, count // 4).items():
                ids[user] += more
            stack.kill(victim)
            stack.start(victim)
        wait_for("the outbox is empty", lambda: stack.sql("select count(*) from outbox") == [["0"]], 30)
        for user in users:
            wait_for(
                f"all events of {user}", lambda user=user: len(first_seen(updates.of(user))) == count, 30
            )
            records = updates.of(user)
            assert first_seen(records) == ids[user], "in the order of the outbox"
            numbers = {record.event["id"]: record.event["userseq"] for record in records}
            assert [numbers[ident] for ident in ids[user]] == list(range(1, count + 1)), "no gap, no double"
        stored = stack.sql(f"select max(user_seq), count(*) from events where user_id = '{users[0]}'")
        assert stored == [[str(count), str(count)]]


def test_phone_that_was_away_finds_its_messages(stack, user):
    """A persistent session at the broker keeps QoS 1 messages while the phone is off."""
    with Phone(stack["TODO_MQTT_URL"], user, stack.token(user), clean=False) as phone:
        phone.subscribe(f"todo/v1/{user}/updates")
    idents = put(stack, [user], 3)[user]
    wait_for("the outbox is empty", lambda: stack.sql("select count(*) from outbox") == [["0"]], 10)
    time.sleep(0.5)
    with Phone(stack["TODO_MQTT_URL"], user, stack.token(user), clean=False) as phone:
        phone.wait("the last of them", lambda m: m.json["id"] == idents[-1])
        assert [m.json["id"] for m in phone.received] == idents
