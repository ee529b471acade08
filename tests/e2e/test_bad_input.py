# SPDX-License-Identifier: Apache-2.0
"""Bad input gets a clear answer and changes nothing."""

import contextlib
import json
import re

import pytest
import requests
from support.client import Client, Closed, Refused
from support.stack import Daemon, wait_for

LONG = "x" * 4097


def clear(code: str, message: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_.]+", code), code
    assert len(message) >= 8 and message != code, message


@pytest.fixture
def unchanged(stack, user):
    """After the test the user has no task and no turn."""
    yield user
    counts = stack.sql(
        f"select (select count(*) from tasks where user_id = '{user}'), (select count(*) from turn where user_id = '{user}')"
    )
    assert counts == [["0", "0"]]


BROKEN = {
    "not JSON": "{",
    "not an object": "[1]",
    "null": "null",
    "empty": "",
    "no type": "{}",
    "unknown type": '{"type":"massage","id":"1","text":"hi"}',
    "type of a wrong type": '{"type":7}',
    "second value": '{"type":"ping"}{"type":"ping"}',
    "deep": "[" * 500 + "]" * 500,
    "no text": '{"type":"message","id":"1"}',
    "text of a wrong type": '{"type":"message","id":"1","text":["add task x"]}',
    "no id": '{"type":"message","text":"add task x"}',
    "id of a wrong type": '{"type":"message","id":5,"text":"add task x"}',
    "empty id": '{"type":"message","id":"","text":"add task x"}',
    "long id": json.dumps({"type": "message", "id": "i" * 1000, "text": "add task x"}),
    "empty text": '{"type":"message","id":"1","text":"   "}',
    "long text": json.dumps({"type": "message", "id": "1", "text": "add task " + LONG}),
    "lone surrogate": '{"type":"message","id":"1","text":"add task \\ud800"}',
    "NUL": '{"type":"message","id":"1","text":"add task a\\u0000b"}',
    "at is no time": '{"type":"message","id":"1","text":"add task x","at":"yesterday"}',
    "unknown action": '{"type":"action","id":"1","action":"explode"}',
    "no task": '{"type":"action","id":"1","action":"complete"}',
    "task id of a wrong form": '{"type":"action","id":"1","action":"complete","task":"../1"}',
    "ack of a wrong type": '{"type":"ack","seq":"1"}',
    "history with a wrong limit": '{"type":"history","id":"1","limit":-5}',
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_frame(connect, unchanged, case):
    client = connect(unchanged, "desk")
    client.send_raw(BROKEN[case])
    try:
        error = client.wait("an error", lambda: client.last("error"))
    except Closed as closed:
        assert closed.code in (1003, 1007, 1008, 1009), closed
        assert closed.reason
    else:
        clear(error["code"], error["message"])
        # and the connection is of use still
        client.send({"type": "ping"})
        client.wait("pong", lambda: client.last("pong"))


def test_binary_and_oversized_frames_close_the_connection(connect, unchanged):
    client = connect(unchanged, "desk")
    client.send_raw(b"\x00\x01")
    assert client.wait_closed().code in (1003, 1008)
    client = connect(unchanged, "desk")
    client.send_raw(json.dumps({"type": "message", "id": "1", "text": "x" * 2_000_000}))
    assert client.wait_closed().code == 1009


@pytest.mark.parametrize(
    "name",
    ["garbage", "other secret", "expired", "other issuer", "other audience", "no sub", "bad sub", "alg none"],
)
def test_wrong_token(stack, unchanged, name):
    user = unchanged
    token = {
        "garbage": lambda: "not.a.token",
        "other secret": lambda: stack.token(user, secret=b"0" * 64),
        "expired": lambda: stack.token(user, ttl=-120),
        "other issuer": lambda: stack.token(user, iss="somebody-else"),
        "other audience": lambda: stack.token(user, aud="another-product"),
        "no sub": lambda: stack.token(user, sub=None),
        "bad sub": lambda: stack.token(user, sub="a/b"),
        "alg none": lambda: "eyJhbGciOiJub25lIn0." + stack.token(user).split(".")[1] + ".",
    }[name]()
    with Client(stack["TODO_WS_URL"], token, "desk", hello=False) as client:
        with pytest.raises((Refused, Closed)):
            client.say_hello()
        closed = client.wait_closed()
        assert closed.code == 4401
        assert client.connected is None
    answer = requests.get(
        stack["TODO_URL"] + "/api/v1/tasks", headers={"Authorization": f"Bearer {token}"}, timeout=5
    )
    assert answer.status_code == 401


def test_no_token(stack):
    with Client(stack["TODO_WS_URL"], None, "desk", hello=False) as client:
        with pytest.raises((Refused, Closed)):
            client.say_hello()
        assert client.wait_closed().code == 4401
    # The first frame must be connect.
    with Client(stack["TODO_WS_URL"], None, "desk", hello=False) as client:
        client.send({"type": "message", "id": "1", "text": "add task x"})
        assert client.wait_closed().code in (4401, 1008)
    assert requests.get(stack["TODO_URL"] + "/api/v1/tasks", timeout=5).status_code == 401


@pytest.mark.parametrize("device", ["a b", "x" * 65, "a/b", "ä"])
def test_wrong_device(stack, user, device):
    with (
        Client(stack["TODO_WS_URL"], stack.token(user), device, hello=False) as client,
        pytest.raises((Refused, Closed)),
    ):
        client.say_hello()


def test_unknown_zone_is_said(stack, user):
    with Client(
        stack["TODO_WS_URL"], stack.token(user), "desk", timezone="Mars/Olympus", hello=False
    ) as client:
        try:
            client.say_hello()
        except Refused as refused:
            clear(refused.frame["code"], refused.frame["message"])
            assert "Mars/Olympus" in refused.frame["message"] or "zone" in refused.frame["message"]


def test_empty_title(stack, connect, unchanged):
    api = stack["TODO_URL"] + "/api/v1/tasks"
    head = {"Authorization": f"Bearer {stack.token(unchanged)}"}
    for body, status in (
        ({"title": ""}, 422),
        ({"title": "  "}, 422),
        ({}, 422),
        ({"title": 5}, 422),
        ({"title": "x" * 501}, 422),
        ({"title": "x", "priority": 9}, 422),
        ({"title": "x", "due_date": "soon"}, 422),
        ({"title": "x", "colour": "red"}, 422),
    ):
        answer = requests.post(api, json=body, headers=head, timeout=5)
        assert answer.status_code == status, (body, answer.status_code, answer.text)
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        problem = answer.json()
        assert problem["status"] == status and problem["title"] and problem["detail"]
    for data in (b"{", b"[]", b"", b"\xff"):
        answer = requests.post(
            api, data=data, headers={**head, "Content-Type": "application/json"}, timeout=5
        )
        assert answer.status_code in (400, 422), (data, answer.text)


def test_unknown_task_and_missing_precondition(stack, connect, user):
    api = stack["TODO_URL"] + "/api/v1/tasks"
    head = {"Authorization": f"Bearer {stack.token(user)}"}
    nobody = "0198c0de-0000-7000-8000-000000000000"
    assert requests.get(f"{api}/{nobody}", headers=head, timeout=5).status_code == 404
    assert requests.get(f"{api}/nonsense", headers=head, timeout=5).status_code in (400, 404)
    made = requests.post(api, json={"title": "read"}, headers=head, timeout=5)
    assert made.status_code == 201
    mine = f"{api}/{made.json()['id']}"
    assert requests.patch(mine, json={"title": "write"}, headers=head, timeout=5).status_code == 428
    stale = {**head, "If-Match": '"999"'}
    assert requests.patch(mine, json={"title": "write"}, headers=stale, timeout=5).status_code == 412
    assert requests.delete(mine, headers=head, timeout=5).status_code == 428
    # Another user's task is not there.
    other = {"Authorization": f"Bearer {stack.token(user + '-x')}"}
    assert requests.get(mine, headers=other, timeout=5).status_code == 404
    assert requests.get(mine, headers=head, timeout=5).json()["title"] == "read"


def test_action_on_a_task_that_is_not_there(stack, connect, user):
    """The dialogue answers it, so it may be a reply: but nothing is done."""
    desk = connect(user, "desk")
    nobody = "0198c0de-0000-7000-8000-000000000000"
    for action in ("complete", "reopen", "skip", "delete", "snooze", "dismiss"):
        try:
            reply = desk.action(action, nobody)
        except Refused as refused:
            clear(refused.frame["code"], refused.frame["message"])
        else:
            assert "task" not in reply and len(reply["text"]) > 8
    assert stack.sql(f"select count(*) from tasks where user_id = '{user}'") == [["0"]]
    # Nor is another user's task there.
    theirs = connect(user + "-x", "desk").message("add task keep me")["task"]["id"]
    with contextlib.suppress(Refused):
        desk.action("delete", theirs)
    assert stack.sql(f"select status from tasks where id = '{theirs}'") == [["0"]]


def test_a_user_has_so_many_sessions_and_no_more(stack, tmp_path, new_user):
    """The one too many is told so and closed; the others, and other users, notice nothing."""
    ann, bob = stack.token(new_user("ann")), stack.token(new_user("bob"))
    with Daemon(stack, "gateway", tmp_path / "log", limits_sessions=2, threads=1, mqtt_url="") as gateway:
        wait_for("ready", lambda: gateway.http("/readyz") == 200, 20)
        url = f"ws://127.0.0.1:{gateway.port}/ws"
        with Client(url, ann) as first, Client(url, ann) as second, Client(url, bob) as other:
            third = Client(url, ann, hello=False)
            third.send({"type": "connect", "token": ann})
            assert third.wait_closed().code == 4429
            assert third.last("error")["code"] == "rate_limited"
            for client in (first, second, other):
                assert client.message("add task still here")["type"] == "reply"
            second.close()
            wait_for("room again", lambda: Client(url, ann, timeout=2).connected, 5)
