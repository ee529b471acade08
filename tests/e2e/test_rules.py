# SPDX-License-Identifier: Apache-2.0
"""Language rules are read again while a gateway runs; rules that do not compile change nothing."""

import shutil
import signal

import pytest
import requests
from support.client import Client
from support.stack import ROOT, Daemon, wait_for

WORD = "  1: tomorrow tmrw"
NEW_WORD = "  1: tomorrow mananita tmrw"


def replace(folder, old: str, new: str) -> None:
    file = folder / "en" / "10-words.rules"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@pytest.fixture
def rules(tmp_path):
    return shutil.copytree(ROOT / "nlu" / "rules", tmp_path / "rules")


@pytest.fixture
def gateway(stack, tmp_path, rules):
    with Daemon(stack, "gateway", tmp_path / "gateway.log", nlu_rules=rules, mqtt_url="") as daemon:
        wait_for("ready", lambda: daemon.http("/readyz") == 200, 20)
        yield daemon


def understood(gateway: Daemon, token: str) -> set[bool]:
    """Whether each of several new connections, so each thread, knows when the new word is."""
    url = f"http://127.0.0.1:{gateway.port}/api/v1/parse"
    body = {"text": "add task call mum mananita"}
    headers = {"Authorization": f"Bearer {token}"}
    answers = [requests.post(url, json=body, headers=headers, timeout=5).json() for _ in range(8)]
    return {"due_date" in answer["commands"][0] for answer in answers}


def test_a_new_word_without_losing_a_connection(stack, gateway, rules, user):
    token = stack.token(user)
    with Client(f"ws://127.0.0.1:{gateway.port}/ws", token) as page:
        assert understood(gateway, token) == {False}
        replace(rules, WORD, NEW_WORD)
        gateway.process.send_signal(signal.SIGHUP)
        wait_for("understood", lambda: understood(gateway, token) == {True}, 5)
        reply = page.message("add task call mum mananita")
        assert "call mum" in reply["text"] and "mananita" not in reply["text"]


def test_rules_that_do_not_compile_change_nothing(stack, gateway, rules, user):
    replace(rules, WORD, NEW_WORD)
    gateway.process.send_signal(signal.SIGHUP)
    token = stack.token(user)
    wait_for("understood", lambda: understood(gateway, token) == {True}, 5)
    with (rules / "en" / "40-dates.rules").open("a") as file:
        file.write("level days\n  (never closed => date day\n")
    gateway.process.send_signal(signal.SIGHUP)
    wait_for("told", lambda: "rules.kept" in gateway.log.read_text(), 5)
    assert "40-dates.rules:" in gateway.log.read_text()
    assert understood(gateway, token) == {True}
