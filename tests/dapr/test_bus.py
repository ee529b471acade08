# SPDX-License-Identifier: Apache-2.0
"""Events through sidecars: as the direct bus writes them, once for everybody, whoever dies; tokens; dead letters."""

import json
import os
import signal
import time
import uuid

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from support.client import Client
from support.dapr import Sidecar
from support.kafka import Topic
from support.mqtt import Phone
from support.stack import Daemon, free_port, running, wait_for

APP_PATHS = (
    ("GET", "/dapr/subscribe"),
    ("POST", "/dapr/events/todo-audit/task-events"),
    ("POST", "/dapr/foreign/todo-audit/task-events"),
    ("POST", "/dapr/bindings/todo-sweep"),
)


def app_call(stack, daemon: str, method: str, path: str, token: str | None, body: bytes = b"{}"):
    return Sidecar(stack[f"TODO_{daemon}_INTERNAL_URL"], token or "").call(method, path, body)


def phone_of(stack, user: str) -> Phone:
    phone = Phone(stack["TODO_MQTT_URL"], user, stack.token(user))
    assert phone.subscribe(f"todo/v1/{user}/updates") < 128
    return phone


def app_token(stack) -> str:
    return (stack.folder / "conf" / "app.token").read_text()


def metric(stack, daemon: str, name: str) -> float:
    text = app_call(stack, daemon, "GET", "/metrics", None, None)[1].decode()
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.split("{")[0].split()[0] == name)


def test_events_on_the_broker_are_those_of_the_direct_bus(stack, connect, user):
    with Topic(stack["TODO_KAFKA_BROKERS"], "task-updates") as updates:
        client = connect(user)
        for number in range(20):
            client.message(f"add task order {number}")
        wait_for(
            "all", lambda: len([r for r in updates.of(user) if r.headers["ce_type"] == b"task.created"]) >= 20
        )
        records = updates.of(user)
    assert {record.partition for record in records} == {records[0].partition}
    assert [record.event["userseq"] for record in records] == list(range(1, len(records) + 1))
    for record in records:
        assert set(record.headers) == {"userseq", "ce_type", "ce_id", "content-type", "traceparent"}
        assert record.headers["content-type"] == b"application/cloudevents+json"
        assert record.headers["ce_id"].decode() == record.event["id"]
        assert next(iter(record.event)) == "userseq" and "pubsubname" not in record.event


def test_everybody_gets_each_event_once(stack, connect, user):
    with phone_of(stack, user) as phone:
        client = connect(user)
        for number in range(100):
            client.send({"type": "message", "id": f"m{number}", "text": f"add task many {number}"})
        for number in range(100):
            client.answer(f"m{number}")
        head = 200  # a chat turn and a task each
        wait_for("all on the page", lambda: len({e.seq for e in client.events}) >= head, 20)
        wait_for("all on the phone", lambda: len({m.json["userseq"] for m in phone.received}) >= head, 20)
    assert [event.seq for event in client.events] == list(range(1, head + 1))
    assert list(dict.fromkeys(m.json["userseq"] for m in phone.received)) == list(range(1, head + 1))


@pytest.mark.parametrize("daemon", ["GATEWAY", "BRIDGE"])
def test_only_the_sidecar_may_bring_events(stack, daemon):
    for method, path in APP_PATHS:
        for token in (None, "wrong", app_token(stack)[:-1]):
            assert app_call(stack, daemon, method, path, token)[0] == 401, (path, token)
        assert app_call(stack, daemon, method, path, app_token(stack))[0] == 200, path


def test_sidecar_asks_for_its_token(gateway_sidecar):
    gateway_sidecar.token = "wrong"
    assert gateway_sidecar.call("GET", "/v1.0/metadata")[0] == 401


@pytest.mark.parametrize(
    "body, status",
    [
        (b"", "DROP"),
        (b"not json", "DROP"),
        (b"[1]", "DROP"),
        (b"{}", "DROP"),
        (b'{"specversion":"1.0","id":"x","type":"task.created"}', "DROP"),
        (b'{"specversion":"1.0","id":"x","type":"task.created","userid":"u","userseq":"7"}', "DROP"),
        (b'{"specversion":"1.0","id":"x","type":"task.created","userid":"u","userseq":7}', "SUCCESS"),
    ],
)
def test_one_event_alone_is_answered_by_what_it_is(stack, body, status):
    answer = app_call(
        stack, "GATEWAY", "POST", "/dapr/events/todo-broadcast/task-updates", app_token(stack), body
    )
    assert answer == (200, json.dumps({"status": status}, separators=(",", ":")).encode())


def test_nobody_consumes_means_try_again_never_404(stack):
    body = json.dumps({"entries": [{"entryId": "a", "event": {
        "specversion": "1.0", "id": "x", "type": "task.created", "userid": "u", "userseq": 1}}, {"entryId": "b", "event": 7}]})  # fmt: skip
    answer = app_call(
        stack, "BRIDGE", "POST", "/dapr/events/todo-audit/no-such-topic", app_token(stack), body.encode()
    )
    assert answer[0] == 200
    assert json.loads(answer[1])["statuses"] == [
        {"entryId": "a", "status": "RETRY"},
        {"entryId": "b", "status": "DROP"},
    ]


@pytest.mark.parametrize(
    "poison",
    [
        b'{"specversion":"1.0","id":"%s","source":"x","type":"task.created","data":{}}',
        b'{"id":"%s"}',
        b"no json %s",
    ],
    ids=["no user", "no event", "no json"],
)
def test_poison_becomes_a_dead_letter_and_the_rest_goes_on(stack, connect, user, poison):
    mark = uuid.uuid4().hex
    seen = metric(stack, "BRIDGE", "todo_dapr_dead_letters_seen_total")
    producer = Producer({"bootstrap.servers": stack["TODO_KAFKA_BROKERS"], "linger.ms": 0})
    letters = []
    consumer = Consumer({"bootstrap.servers": stack["TODO_KAFKA_BROKERS"], "group.id": mark, "log_level": 0})
    consumer.assign([TopicPartition("task-events.dlq", 0, 0)])
    try:
        for partition in range(8):
            producer.produce("task-events", poison % mark.encode(), partition=partition)
        assert producer.flush(10) == 0
        client = connect(user)
        client.message("add task goes on")
        client.wait_event("task.created")

        def all_letters():
            for message in consumer.consume(1000, 0.2):
                if not message.error() and mark.encode() in message.value():
                    letters.append(message.value())
            return len(letters) >= 8

        wait_for("eight dead letters", all_letters, 20)
    finally:
        consumer.close()
    wait_for("counted", lambda: metric(stack, "BRIDGE", "todo_dapr_dead_letters_seen_total") >= seen + 8, 20)
    # The audit log has what came after: no partition is stuck.
    wait_for(
        "audited", lambda: user in "".join(p.read_text() for p in (stack.folder / "audit").glob("*.log")), 20
    )


def test_cron_makes_the_bridge_sweep(stack):
    assert app_call(stack, "BRIDGE", "POST", "/dapr/bindings/todo-sweep", app_token(stack))[0] == 200
    wait_for("swept", lambda: any(line["event"] == "bridge.sweep" for line in stack.log("bridge")))


class Load:
    """Commands at a steady pace; what was acknowledged must have its event everywhere, once."""

    def __init__(self, stack, user: str):
        self.stack, self.user, self.sent = stack, user, 0
        self.client = Client(stack["TODO_WS_URL"], stack.token(user), device="load")
        self.phone = phone_of(stack, user)

    def run(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.client.message(f"add task load {self.sent}")
            self.sent += 1
            time.sleep(0.02)

    def check(self) -> None:
        head = 2 * self.sent
        wait_for("the page has all", lambda: len({e.seq for e in self.client.events}) >= head, 60)
        wait_for(
            "the phone has all", lambda: len({m.json["userseq"] for m in self.phone.received}) >= head, 60
        )
        assert [event.seq for event in self.client.events] == list(range(1, head + 1))
        # A phone drops what it knows by its id.
        assert list(dict.fromkeys(m.json["userseq"] for m in self.phone.received)) == list(range(1, head + 1))
        self.client.close()
        self.phone.drop()


def test_a_user_with_thousands_of_events_does_not_hold_up_the_others(stack, connect, new_user):
    """His go one call after the other, to stay in order; somebody else's are numbered and out meanwhile."""
    busy, other = new_user("busy"), new_user()
    event = {
        "specversion": "1.0",
        "type": "chat.turn",
        "userid": busy,
        "data": {"number": 1, "text": "x" * 200},
    }
    connect(busy).close()
    session = connect(other)
    stack.sql(f"""insert into outbox(user_id, type, payload)
        select '{busy}', 9, replace('{json.dumps(event)}', '"specversion"', '"id": "' || gen_random_uuid() || '", "specversion"')
        from generate_series(1, 20000)""")
    left = f"select count(*) from outbox where user_id = '{busy}'"
    try:
        wait_for("he is held", lambda: metric(stack, "BRIDGE", "todo_relay_held_users") == 1, 20)
        for number in range(20):
            session.message(f"add task quick {number}")
            session.wait("its events", lambda number=number: len(session.events) == 2 * (number + 1))
        assert int(stack.sql(left)[0][0]) > 10000
    finally:
        stack.sql(f"delete from outbox where user_id = '{busy}'")
    wait_for("let go", lambda: metric(stack, "BRIDGE", "todo_relay_held_users") == 0, 60)


@pytest.mark.parametrize("part", ["gatewaysidecar", "bridgesidecar", "kafka"])
def test_killed_under_load_nothing_is_lost_or_doubled(stack, user, part):
    load = Load(stack, user)
    load.run(1)
    stack.kill(part)
    load.run(2)
    stack.start(part)
    load.run(1)
    load.check()


@pytest.mark.parametrize("daemon", ["gateway", "bridge"])
def test_frozen_app_goes_on_where_it_stood(stack, user, daemon):
    """Long enough for its sidecar to think it dead."""
    load = Load(stack, user)
    load.run(1)
    pid = stack.pid(daemon)
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(6)
    finally:
        os.kill(pid, signal.SIGCONT)
    load.run(1)
    load.check()


def test_a_sidecar_that_asked_too_early_is_noticed(stack, own_sidecar, tmp_path):
    """It met another program on the app's port, and will never bring anything: not ready, and says why."""
    port = free_port()
    sidecar = own_sidecar(
        "todo-gateway", "--app-port", str(port), resources=stack.folder / "dapr" / "resources",
        env={"APP_API_TOKEN": app_token(stack)},
    )  # fmt: skip
    with Daemon(stack, "gateway", tmp_path / "first", bus="kafka", kafka_brokers=stack["TODO_KAFKA_BROKERS"],
                internal_port=port):  # fmt: skip
        wait_for("asked", lambda: sidecar.call("GET", "/v1.0/healthz")[0] == 204, 20)
    with Daemon(
        stack, "gateway", tmp_path / "second", dapr_url=sidecar.url, dapr_token="", internal_port=port
    ):
        inside = Sidecar(f"http://127.0.0.1:{port}", "")

        reason = "the sidecar does not bring task-updates of todo-broadcast"

        def told():
            try:
                status, body = inside.call("GET", "/readyz")
            except OSError:
                return False
            return status == 503 and json.loads(body).get("bus_reason") == reason

        wait_for("the reason", told, 20)


def test_a_pod_that_ends_drains_with_its_sidecar(stack, user):
    """SIGTERM to daemon and sidecar in the same moment, as Kubernetes sends it."""
    load = Load(stack, user)
    load.run(1)
    for part in ("bridge", "bridgesidecar"):
        os.kill(stack.pid(part), signal.SIGTERM)
    load.run(1)
    for part in ("bridge", "bridgesidecar"):
        wait_for(f"{part} gone", lambda part=part: not running(stack.pid(part)), 20)
    stack.start("bridgesidecar", "bridge")
    load.run(1)
    load.check()
