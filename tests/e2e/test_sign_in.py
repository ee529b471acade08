# SPDX-License-Identifier: Apache-2.0
"""One-time sign-in codes: made at one gateway, good at every other, once and for a minute."""

import requests
from support.stack import Daemon, wait_for


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
