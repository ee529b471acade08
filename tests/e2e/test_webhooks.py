# SPDX-License-Identifier: Apache-2.0
"""Events go to webhooks: signed, again after a failure, given up at last, and to nobody's private address."""

import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import subprocess
import threading
import time

import pytest
import requests
from support.kafka import Topic
from support.stack import ROOT, wait_for


class Receiver(http.server.ThreadingHTTPServer):
    """Answers what it is told to, and keeps what came."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.came: list[tuple[dict, bytes]] = []
        self.status = 204
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"

    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.came]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((dict(self.headers), body))
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    server = Receiver()
    yield server
    server.shutdown()


@pytest.fixture
def call(stack, user):
    def one(method: str, path: str, body=None, as_user: str = user) -> requests.Response:
        return requests.request(
            method,
            stack["TODO_URL"] + "/api/v1" + path,
            json=body,
            headers={"Authorization": f"Bearer {stack.token(as_user)}", "If-Match": "*"},
            timeout=10,
        )

    return one


def due_now(stack, hook: dict) -> None:
    """Nobody waits for the next attempt."""
    stack.sql(f"update webhook_delivery set next_at = now() where hook_id = '{hook['id']}'")


def test_events_come_signed_and_only_those_that_were_asked_for(stack, call, receiver):
    made = call("POST", "/webhooks", {"url": receiver.url, "types": ["task.created", "task.completed"]})
    assert made.status_code == 201, made.text
    hook = made.json()
    task = call("POST", "/tasks", {"title": "Ünïcode"}).json()
    call("PATCH", f"/tasks/{task['id']}", {"title": "changed"})
    call("POST", f"/tasks/{task['id']}/complete")
    wait_for("both", lambda: len(receiver.came) >= 2, 15)
    time.sleep(0.3)
    assert sorted(receiver.types()) == ["task.completed", "task.created"]
    for headers, body in receiver.came:
        event = json.loads(body)
        assert (
            headers["webhook-id"] == event["id"] and event["subject"] == task["id"] and event["userseq"] > 0
        )
        assert headers["Content-Type"] == "application/cloudevents+json"
        assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
        key = base64.b64decode(hook["secret"].removeprefix("whsec_"))
        text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        wanted = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == "v1," + wanted
    shown = call("GET", "/webhooks").json()["webhooks"]
    assert [(h["id"], h["types"], "secret" in h) for h in shown] == [(hook["id"], hook["types"], False)]
    wait_for("the count", lambda: call("GET", "/webhooks").json()["webhooks"][0]["delivered"] == 2, 5)
    assert call("DELETE", f"/webhooks/{hook['id']}").status_code == 204
    call("POST", "/tasks", {"title": "unheard"})
    time.sleep(1)
    assert len(receiver.came) == 2


def test_reminders_come_too_and_another_user_hears_nothing(stack, call, connect, user, new_user, receiver):
    call("POST", "/webhooks", {"url": receiver.url})
    session, stranger = connect(user), connect(new_user())
    stranger.message("remind me to snoop in 1 second")
    session.message("remind me to breathe in 1 second")
    wait_for("the reminder", lambda: "reminder.triggered" in receiver.types(), 15)
    assert {json.loads(body)["userid"] for _, body in receiver.came} == {user}


def test_a_failure_is_tried_again_and_given_up_at_last(stack, call, user, receiver):
    hook = call("POST", "/webhooks", {"url": receiver.url}).json()
    receiver.status = 503
    with Topic(stack["TODO_KAFKA_BROKERS"], "webhooks.dlq") as letters:
        task = call("POST", "/tasks", {"title": "stubborn"}).json()
        for attempt in range(1, 9):
            wait_for(f"attempt {attempt}", lambda n=attempt: len(receiver.came) >= n, 15)
            failures = f"select failures from webhook where id = '{hook['id']}'"
            wait_for("it is noted", lambda n=attempt, q=failures: stack.sql(q) == [[str(n)]], 5)
            due_now(stack, hook)
        letter = letters.wait("the dead letter", lambda r: r.event["webhook_id"] == hook["id"])
    assert letter.event["user_id"] == user and letter.event["attempts"] == 8
    assert letter.event["event"]["subject"] == task["id"] and letter.event["why"] == "answered 503"
    assert len({headers["webhook-id"] for headers, _ in receiver.came}) == 1
    assert call("GET", "/webhooks").json()["webhooks"][0]["last_error"] == "answered 503"
    receiver.status = 200
    call("POST", "/tasks", {"title": "next"})
    wait_for("the next one", lambda: len(receiver.came) == 9, 15)
    wait_for("no failures", lambda: call("GET", "/webhooks").json()["webhooks"][0]["failures"] == 0, 5)


def test_gone_is_gone_and_redirects_are_not_followed(stack, call, receiver):
    hook = call("POST", "/webhooks", {"url": receiver.url}).json()
    receiver.status = 302
    call("POST", "/tasks", {"title": "one"})
    wait_for("the first", lambda: len(receiver.came) == 1, 15)
    wait_for(
        "noted", lambda: call("GET", "/webhooks").json()["webhooks"][0]["last_error"] == "answered 302", 5
    )
    receiver.status = 410
    due_now(stack, hook)
    wait_for("the second", lambda: len(receiver.came) == 2, 15)
    wait_for("disabled", lambda: call("GET", "/webhooks").json()["webhooks"][0]["disabled"], 5)
    call("POST", "/tasks", {"title": "two"})
    time.sleep(1)
    assert len(receiver.came) == 2


def test_what_happened_while_the_bridge_was_away_comes_afterwards(stack, call, receiver):
    call("POST", "/webhooks", {"url": receiver.url, "types": ["task.created"]})
    call("POST", "/tasks", {"title": "before"})
    wait_for("the first", lambda: len(receiver.came) == 1, 15)
    stack.kill("bridge")
    for n in range(20):
        call("POST", "/tasks", {"title": f"away {n}"})
    stack.start("bridge")
    wait_for("all of them", lambda: len({h["webhook-id"] for h, _ in receiver.came}) == 21, 30)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/url"),
        ({"url": "ftp://example.org/"}, "/url"),
        ({"url": "https:///nohost"}, "/url"),
        ({"url": "https://user:pass@example.org/"}, "/url"),
        ({"url": "https://example.org/ a"}, "/url"),
        ({"url": "https://example.org/" + "x" * 2000}, "/url"),
        ({"url": "https://example.org/", "types": ["task.invented"]}, "/types"),
        ({"url": "https://example.org/", "types": ["chat.turn"]}, "/types"),
        ({"url": "https://example.org/", "types": "task.created"}, "/types"),
    ],
)
def test_a_webhook_of_no_sense(call, body, pointer):
    answer = call("POST", "/webhooks", body)
    assert answer.status_code == 422 and answer.json()["pointer"] == pointer


def test_ten_at_most_and_only_ones_own(call, new_user):
    made = [
        call("POST", "/webhooks", {"url": f"https://example.org/{n}", "types": ["task.deleted"]})
        for n in range(11)
    ]
    assert [answer.status_code for answer in made] == [201] * 10 + [409]
    own = made[0].json()["id"]
    assert call("DELETE", f"/webhooks/{own}", as_user=new_user()).status_code == 404
    assert call("GET", "/webhooks", as_user=new_user()).json()["webhooks"] == []
    assert call("DELETE", "/webhooks/x").status_code == 404


@contextlib.contextmanager
def strict_bridge(stack):
    """The stack's own, but with webhooks as a product refuses them."""
    conf = stack.folder / "conf" / "bridge.conf"
    stack.stop("bridge")
    program = ROOT / "build" / "release" / "bin" / "todo-bridge"
    with subprocess.Popen(
        [program, "--config", conf, "--webhooks.private=refuse"], stderr=subprocess.DEVNULL
    ) as one:
        try:
            yield
        finally:
            one.terminate()
            one.wait()
            stack.start("bridge")


def test_private_addresses_are_refused(stack, call, receiver):
    port = receiver.server_address[1]
    urls = [
        receiver.url,
        f"http://localhost:{port}/",
        f"http://[::ffff:127.0.0.1]:{port}/",
        f"http://0:{port}/",
    ]
    hooks = [call("POST", "/webhooks", {"url": url}).json() for url in urls]
    with strict_bridge(stack):
        call("POST", "/tasks", {"title": "secret"})
        refused = (
            "select count(*) from webhook where last_error = 'its address is private' and id in ({})".format(
                ",".join(f"'{hook['id']}'" for hook in hooks)
            )
        )
        wait_for("all refused", lambda: stack.sql(refused) == [[str(len(hooks))]], 20)
    assert receiver.came == []
