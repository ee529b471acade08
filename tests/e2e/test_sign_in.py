# SPDX-License-Identifier: Apache-2.0
"""One-time sign-in codes: made at one gateway, good at every other, once and for a minute. Signing out, everywhere."""

import subprocess
import time

import pytest
import requests
from support.client import Client, Closed
from support.mqtt import Phone
from support.stack import BIN, Daemon, wait_for


def make(stack, user: str) -> str:
    answer = requests.post(stack["TODO_GATEWAY_INTERNAL_URL"] + "/codes", json={"user": user}, timeout=10)
    assert answer.status_code == 201 and answer.json()["expires_in"] == 60
    return answer.json()["code"]


def exchange(url: str, code) -> requests.Response:
    return requests.post(url + "/auth/code", json={"code": code}, timeout=10)


def test_a_code_works_once_at_any_gateway(stack, user, tmp_path):
    code, other = make(stack, user), make(stack, user)
    with Daemon(stack, "gateway", tmp_path / "log") as second:
        wait_for("ready", lambda: second.http("/readyz") == 200, 20)
        url = f"http://127.0.0.1:{second.port}"
        first = exchange(url, code)
        assert first.status_code == 200 and first.json()["user"] == user
        assert exchange(url, code).status_code == 401
        assert exchange(stack["TODO_URL"], code).status_code == 401
    assert exchange(stack["TODO_URL"], other).status_code == 200
    me = requests.get(
        stack["TODO_URL"] + "/api/v1/me",
        headers={"Authorization": f"Bearer {first.json()['token']}"},
        timeout=10,
    )
    assert me.json()["user"] == user


def test_what_is_no_code_is_refused(stack, user):
    code = make(stack, user)
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    for given in (wrong, code[:-1], code + "0", "", None, 7, [code]):
        answer = exchange(stack["TODO_URL"], given)
        assert answer.status_code == 401 and answer.json()["pointer"] == "/code", given
    assert exchange(stack["TODO_URL"], code).status_code == 200


def test_only_valid_users_get_one(stack):
    for user in ("", "a b", None, "x" * 129):
        answer = requests.post(stack["TODO_GATEWAY_INTERNAL_URL"] + "/codes", json={"user": user}, timeout=10)
        assert answer.status_code == 422, user


def sign_out_by_rest(stack, user, token):
    answer = requests.post(
        stack["TODO_URL"] + "/api/v1/me/sign-out", headers={"Authorization": f"Bearer {token}"}, timeout=10
    )
    assert (answer.status_code, answer.content) == (204, b"")


def revoke_by_the_operator(stack, user, token):
    command = [BIN / "todo-admin", "revoke", user, "--database-url", stack["TODO_DATABASE_URL"]]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("tokens issued until 2")


@pytest.mark.parametrize("revoke", [sign_out_by_rest, revoke_by_the_operator])
def test_who_is_signed_out_is_out_everywhere_at_once(stack, new_user, connect, tmp_path, revoke):
    user, other = new_user(), new_user()
    token = stack.token(user)
    bus = {"bus": "kafka", "kafka_brokers": stack["TODO_KAFKA_BROKERS"]}  # it has no sidecar of its own
    with Daemon(stack, "gateway", tmp_path / "log", **bus) as second:
        wait_for("ready", lambda: second.http("/readyz") == 200, 20)
        far = f"ws://127.0.0.1:{second.port}/ws"
        sessions = [connect(user, f"d{n}", token=token) for n in range(4)]
        sessions += [Client(far, token, f"far{n}") for n in range(4)]
        bystander = Client(far, stack.token(other), "desk")
        phone, phone_of_other = (
            Phone(stack["TODO_MQTT_URL"], who, stack.token(who)) for who in (user, other)
        )
        before = time.monotonic()
        revoke(stack, user, token)
        for session in sessions:
            with pytest.raises(Closed) as closed:
                session.wait("the end", lambda: False, 5)
            assert closed.value.code == 4401
            assert [event.type for event in session.events] == ["session.revoked"]
        wait_for("the end of the phone's connection", phone.disconnected.is_set, 5)
        assert time.monotonic() - before < 5, "not with the sweep, which takes a minute"
        for url in (stack["TODO_URL"], f"http://127.0.0.1:{second.port}"):
            answer = requests.get(
                url + "/api/v1/me", headers={"Authorization": f"Bearer {token}"}, timeout=10
            )
            assert answer.status_code == 401
        with Phone(stack["TODO_MQTT_URL"], user, token) as late:
            assert late.connect_reason >= 128
        assert not phone_of_other.disconnected.is_set()
        phone_of_other.drop()
        bystander.message("add task undisturbed")
        time.sleep(1.1)  # tokens say when they were issued in whole seconds
        assert connect(user, "again").message("add task back again")["task"]
        bystander.close()
