# SPDX-License-Identifier: Apache-2.0
"""The daemons as programs: flags, wrong configuration, ports in use, parts that are away, stopping."""

import contextlib
import signal
import socket
import subprocess
import time
import urllib.parse

import pytest
import requests
from support.proxy import Proxy
from support.stack import BIN, Daemon, wait_for

DAEMONS = ("gateway", "bridge")


def run(*args, timeout=20, **more) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(a) for a in args],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
        **more,
    )


def target(url: str) -> tuple[str, int]:
    at = urllib.parse.urlsplit(url if "//" in url else "//" + url)
    return at.hostname, at.port


@pytest.mark.parametrize("program", ["todo-gateway", "todo-bridge", "todo-nlu", "todo-admin"])
def test_help_and_version(stack, program):
    shown = run(BIN / program, "--help")
    assert shown.returncode == 0 and program in shown.stdout
    version = run(BIN / program, "--version")
    assert version.returncode == 0 and version.stdout.strip().startswith(program)
    assert len(version.stdout.splitlines()) <= 3


@pytest.mark.parametrize("daemon", DAEMONS)
def test_configuration_checks_and_prints(stack, daemon, tmp_path):
    program, conf = BIN / f"todo-{daemon}", stack.config(daemon)
    assert run(program, "--config", conf, "--check-config").returncode == 0
    printed = run(program, "--config", conf, "--print-config")
    assert printed.returncode == 0
    assert "internal.port = " in printed.stdout
    assert stack["TODO_DATABASE_URL"] not in printed.stdout, "a secret is not printed"
    (tmp_path / "again.conf").write_text(printed.stdout)
    again = run(program, "--config", tmp_path / "again.conf", "--print-config")
    assert [x for x in again.stdout.splitlines() if x[:1] != "#"] == [
        x for x in printed.stdout.splitlines() if x[:1] != "#"
    ]


@pytest.mark.parametrize("daemon", DAEMONS)
def test_misspelt_key_is_named_with_the_nearest(stack, daemon, tmp_path):
    conf = tmp_path / "wrong.conf"
    conf.write_text(stack.config(daemon).read_text() + "internal.prot = 5\n")
    wrong = run(BIN / f"todo-{daemon}", "--config", conf, "--check-config")
    assert wrong.returncode != 0
    said = wrong.stdout + wrong.stderr
    assert "internal.prot" in said and "internal.port" in said and "wrong.conf" in said
    wrong = run(
        BIN / f"todo-{daemon}", "--config", stack.config(daemon), "--internal.port=many", "--check-config"
    )
    assert wrong.returncode != 0
    assert "internal.port" in wrong.stdout + wrong.stderr


@pytest.mark.parametrize("setting", ["listen_port", "internal_port"])
def test_port_in_use_ends_with_a_clear_word(stack, setting, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with Daemon(stack, "gateway", tmp_path / "log", **{setting: port}) as daemon:
            assert daemon.process.wait(15) != 0
    said = (tmp_path / "log").read_text()
    assert str(port) in said and "in use" in said.lower(), said[-500:]


@contextlib.contextmanager
def behind_proxies(stack, name, tmp_path, up):
    """A daemon that reaches each part through a switch."""
    with (
        Proxy(target(stack["TODO_DATABASE_URL"]), up=up) as database,
        Proxy(target(stack["TODO_KAFKA_BROKERS"]), up=up) as kafka,
        Proxy(target(stack["TODO_MQTT_URL"]), up=up) as mqtt,
        Daemon(
            stack,
            name,
            tmp_path / "log",
            database_url=stack["TODO_DATABASE_URL"].replace(
                f":{target(stack['TODO_DATABASE_URL'])[1]}/", f":{database.port}/"
            ),
            # Kafka's clients go on to the address that the broker advertises; only the first contact
            # passes the switch, and that is what "away at start" needs.
            kafka_brokers=f"127.0.0.1:{kafka.port}",
            mqtt_url=f"mqtt://127.0.0.1:{mqtt.port}",
        ) as daemon,
    ):
        yield daemon, database, kafka, mqtt


@pytest.mark.parametrize("name", DAEMONS)
def test_waits_for_parts_that_are_away_at_start(stack, name, tmp_path):
    stack.stop(name)  # one client id at the broker, one leader: not two of it
    try:
        with behind_proxies(stack, name, tmp_path, up=False) as (daemon, *proxies):
            wait_for("the internal listener", lambda: daemon.http("/healthz") == 200, 10)
            time.sleep(1)
            assert daemon.process.poll() is None, "it waits"
            assert daemon.http("/readyz") == 503
            for proxy in proxies:
                assert daemon.http("/readyz") == 503
                proxy.up()
            wait_for("ready", lambda: daemon.http("/readyz") == 200, 30)
            proxies[0].down()
            wait_for("not ready without its database", lambda: daemon.http("/readyz") == 503, 15)
            assert daemon.process.poll() is None
            proxies[0].up()
            wait_for("ready again by itself", lambda: daemon.http("/readyz") == 200, 30)
            daemon.process.send_signal(signal.SIGTERM)
            assert daemon.process.wait(15) == 0
    finally:
        stack.start(name)


@pytest.mark.parametrize("name", DAEMONS)
def test_internal_listener(stack, name):
    base = stack[f"TODO_{name.upper()}_INTERNAL_URL"]
    assert requests.get(base + "/healthz", timeout=5).status_code == 200
    assert requests.get(base + "/readyz", timeout=5).status_code == 200
    metrics = requests.get(base + "/metrics", timeout=5)
    assert metrics.status_code == 200
    assert metrics.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    names = {
        line.split("{")[0].split(" ")[0] for line in metrics.text.splitlines() if line and line[0] != "#"
    }
    assert len(names) >= 5
    # Not on the public listener.
    assert requests.get(stack["TODO_URL"] + "/metrics", timeout=5).status_code == 404


def test_gateway_drains_on_sigterm(stack, connect, user):
    desk = connect(user, "desk")
    replies = [desk.new_id() for _ in range(20)]
    for ident in replies:
        desk.send({"type": "message", "id": ident, "text": "add task drain"})
    stack.stop("gateway")
    try:
        closed = desk.wait_closed()
        assert closed.code in (1001, 1012), closed
        answered = [i for i in replies if desk.answered(i)]
        stored = stack.sql(f"select count(*) from tasks where user_id = '{user}'")
        assert int(stored[0][0]) == len(answered), "what was done was answered before the end"
    finally:
        stack.start("gateway")
