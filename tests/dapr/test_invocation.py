# SPDX-License-Identifier: Apache-2.0
"""Calls between apps through sidecars: the REST API for whoever has both tokens, nothing for strangers."""

import json
import pathlib
import subprocess

import pytest
from support.dapr import Sidecar
from support.stack import ROOT, free_port, wait_for

API = "/v1.0/invoke/todo-gateway/method/api/v1"


def test_the_rest_api_through_a_sidecar(stack, bridge_sidecar, user):
    bearer = {"authorization": f"Bearer {stack.token(user)}"}
    status, body = bridge_sidecar.call(
        "POST", f"{API}/tasks", {"title": "by invocation"}, idempotency_key="k1", **bearer
    )
    assert status == 201, body
    task = json.loads(body)
    status, body = bridge_sidecar.call("GET", f"{API}/tasks/{task['id']}", **bearer)
    assert status == 200 and json.loads(body)["title"] == "by invocation"
    status, body = bridge_sidecar.call("GET", f"{API}/tasks?limit=5", **bearer)
    assert [item["id"] for item in json.loads(body)["tasks"]] == [task["id"]]
    assert bridge_sidecar.call("GET", f"{API}/me")[0] == 401
    assert bridge_sidecar.call("GET", f"{API}/nothing", **bearer)[0] == 404


def test_the_bridge_through_a_sidecar(gateway_sidecar):
    status, body = gateway_sidecar.call("GET", "/v1.0/invoke/todo-bridge/method/readyz")
    assert status == 200 and json.loads(body)["status"] == "ready"


def test_a_users_token_alone_does_not_do_on_the_internal_listener(stack, user):
    bearer = {"authorization": f"Bearer {stack.token(user)}"}
    inside = Sidecar(stack["TODO_GATEWAY_INTERNAL_URL"], "")
    assert inside.call("GET", "/api/v1/me", **bearer)[0] == 401
    inside.token = (stack.folder / "conf" / "app.token").read_text()
    assert inside.call("GET", "/api/v1/me", **bearer)[0] == 200
    assert inside.call("GET", "/api/v1/me")[0] == 401
    outside = Sidecar(stack["TODO_URL"], inside.token)
    for path in ("/dapr/subscribe", "/dapr/events/todo-broadcast/task-updates", "/metrics"):
        assert outside.call("GET", path)[0] == 404


@pytest.fixture
def authority(stack, tmp_path):
    """Dapr's own certificate authority: flags and environment of a sidecar that has its identity from it."""
    sentry = pathlib.Path(stack["TODO_DAPRD"]).with_name("sentry")
    port, log, folder = free_port(), tmp_path / "sentry.log", tmp_path / "certs"
    folder.mkdir()
    config = tmp_path / "sentry.yaml"
    config.write_text("apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata:\n  name: sentry\n")
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sentry, "--issuer-credentials", folder, "--port", str(port), "--listen-address", "127.0.0.1",
             "--healthz-port", str(free_port()), "--metrics-port", str(free_port()),
             "--trust-domain", "public", "--config", config],
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    anchor = folder / "ca.crt"
    wait_for(f"certificates ({log})", lambda: anchor.exists() and anchor.stat().st_size, 20)
    yield (
        ["--enable-mtls", "--sentry-address", f"127.0.0.1:{port}", "--control-plane-trust-domain", "public"],
        {"DAPR_TRUST_ANCHORS": anchor.read_text(), "NAMESPACE": "default"},
    )
    process.terminate()
    process.wait(10)


def test_who_is_not_named_is_refused(stack, own_sidecar, authority, tmp_path, user):
    """The access control of the cluster form, with identities from Dapr's certificate authority."""
    flags, env = authority
    subprocess.run(
        [ROOT / "dapr" / "render", "dev", "--out", tmp_path / "dapr", "access=deny",
         f"secrets_file={stack.folder / 'conf' / 'secrets.json'}",
         f"kafka_brokers={stack['TODO_KAFKA_BROKERS']}"],
        check=True,
    )  # fmt: skip
    internal = stack["TODO_GATEWAY_INTERNAL_URL"].rsplit(":", 1)[1]
    own_sidecar(
        "todo-gateway-secured", "--app-port", internal, "--app-protocol", "http", *flags,
        "--config", str(tmp_path / "dapr" / "config" / "configuration-todo-gateway.yaml"),
        resources=None, env={**env, "APP_API_TOKEN": (stack.folder / "conf" / "app.token").read_text()},
    )  # fmt: skip
    bearer = {"authorization": f"Bearer {stack.token(user)}"}
    path = "/v1.0/invoke/todo-gateway-secured/method/api/v1/me"
    named = own_sidecar("todo-bridge", *flags, resources=None, env=env)
    status, body = named.call("GET", path, **bearer)
    assert status == 200 and json.loads(body)["user"] == user
    stranger = own_sidecar("somebody-else", *flags, resources=None, env=env)
    status, body = stranger.call("GET", path, **bearer)
    assert status == 403 and b"access control policy has denied" in body
