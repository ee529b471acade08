# SPDX-License-Identifier: Apache-2.0
"""Settings that name a secret of the sidecar's store; a start that waits for its sidecar."""

import json
import subprocess
import time

import pytest
from support.stack import BIN, Daemon, free_port, wait_for


def test_a_start_fetches_its_secrets(stack, tmp_path):
    with Daemon(stack, "gateway", tmp_path / "log", database_url="dapr:database/url") as gateway:
        wait_for("ready", lambda: gateway.http("/readyz") == 200, 20)
    assert stack["TODO_DATABASE_URL"] not in (tmp_path / "log").read_text()


def test_the_only_key_need_not_be_said(stack, tmp_path):
    with Daemon(stack, "gateway", tmp_path / "log", database_url="dapr:database") as gateway:
        wait_for("ready", lambda: gateway.http("/readyz") == 200, 20)


@pytest.mark.parametrize("daemon", ["gateway", "bridge"])
@pytest.mark.parametrize(
    "settings, said",
    [
        ({"DATABASE_URL": "dapr:database/password"}, ["database.url", '"database/password"', "no such key"]),
        ({"DATABASE_URL": "dapr:nothing"}, ["database.url", '"nothing"', "does not let this app"]),
        ({"MQTT_TOKEN": "dapr:a b"}, ["mqtt.token", "letters, digits"]),
        (
            {"DATABASE_URL": "dapr:database", "DAPR_SECRETS": "other"},
            ["database.url", '"other"', "no such store"],
        ),
        ({"DATABASE_URL": "dapr:database", "DAPR_TOKEN": "wrong"}, ["database.url", "refuses our token"]),
    ],
)
def test_what_is_missing_is_named_and_no_value_told(stack, daemon, settings, said):
    done = subprocess.run(
        [BIN / f"todo-{daemon}", "--config", stack.config(daemon), "--internal.port=0"],
        env={**{f"TODO_{key}": value for key, value in settings.items()}, "TODO_DAPR_WAIT": "1s"},
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    told = done.stdout + done.stderr
    assert done.returncode == 1, told
    for part in said:
        assert part in told.replace('\\"', '"'), told
    secrets = json.loads((stack.folder / "conf" / "secrets.json").read_text())
    assert secrets["database"]["url"] not in told


@pytest.mark.parametrize("daemon", ["gateway", "bridge"])
def test_a_start_waits_for_the_sidecar_until_its_deadline(stack, daemon):
    started = time.monotonic()
    done = subprocess.run(
        [BIN / f"todo-{daemon}", "--config", stack.config(daemon), "--internal.port=0",
         f"--dapr.url=http://127.0.0.1:{free_port()}", "--dapr.wait=2s"],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert 1.5 < time.monotonic() - started < 10
    assert "the Dapr sidecar at http://127.0.0.1:" in done.stdout + done.stderr
