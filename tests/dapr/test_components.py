# SPDX-License-Identifier: Apache-2.0
"""Both forms of dapr/components/ are taken by a real daprd, and say the same as the programs do."""

import base64
import http.server
import json
import re
import subprocess
import threading

import pytest
from support.stack import ROOT, wait_for

COMPONENTS = {
    "todo-gateway": {"todo-secrets", "todo-broadcast", "todo-state"},
    "todo-bridge": {
        "todo-secrets", "todo-events", "todo-bridge-mqtt", "todo-audit", "todo-webhooks",
        "todo-sweep", "todo-dead-letters",
    },
}  # fmt: skip


def render(form: str, out, *values: str) -> None:
    subprocess.run([ROOT / "dapr" / "render", form, "--out", out, *values], check=True)


def metadata(sidecar) -> dict:
    status, body = sidecar.call("GET", "/v1.0/metadata")
    assert status == 200
    return json.loads(body)


@pytest.mark.parametrize("app", COMPONENTS)
def test_development_form_is_loaded_and_subscribed(gateway_sidecar, bridge_sidecar, app):
    sidecar = gateway_sidecar if app == "todo-gateway" else bridge_sidecar
    wait_for("subscriptions", lambda: metadata(sidecar).get("subscriptions"), 20)
    told = metadata(sidecar)
    assert told["runtimeVersion"] == "1.16.0"
    names = {component["name"] for component in told["components"]}
    assert names == COMPONENTS[app] | {"todo-environment"}
    for subscription in told["subscriptions"]:
        assert subscription["pubsubname"] in names
        assert subscription["deadLetterTopic"] == subscription["topic"] + ".dlq"
        assert subscription["type"] == "PROGRAMMATIC"


class Kubernetes(http.server.BaseHTTPRequestHandler):
    """As much of the API server as the secret store asks for."""

    secrets: dict[str, dict[str, str]] = {}

    def do_GET(self):  # noqa: N802
        found = re.fullmatch(r"/api/v1/namespaces/todo/secrets/([a-z-]+)", self.path.split("?")[0])
        data = self.secrets.get(found[1]) if found else None
        body = {
            "kind": "Secret", "apiVersion": "v1", "metadata": {"name": found[1] if found else ""},
            "data": {key: base64.b64encode(value.encode()).decode() for key, value in (data or {}).items()},
        }  # fmt: skip
        text = json.dumps(body).encode()
        self.send_response(200 if data else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@pytest.fixture
def cluster(stack, tmp_path):
    """A KUBECONFIG whose API server knows our Secrets."""
    Kubernetes.secrets = {"database": {"url": stack["TODO_DATABASE_URL"]}, "kafka": {"password": "x"}}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Kubernetes)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = tmp_path / "kubeconfig"
    config.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [
                    {"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_address[1]}"}}
                ],
                "users": [{"name": "u", "user": {}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "todo"}}],
                "current-context": "x",
            }
        )
    )
    yield {"KUBECONFIG": str(config), "NAMESPACE": "todo"}
    server.shutdown()


@pytest.mark.parametrize("app", COMPONENTS)
def test_cluster_form_is_loaded_with_secrets_from_kubernetes(stack, own_sidecar, cluster, tmp_path, app):
    """Only what this machine lacks is replaced: a broker with TLS and passwords."""
    render(
        "cluster", tmp_path / "dapr", f"kafka_brokers={stack['TODO_KAFKA_BROKERS']}", "kafka_auth=none",
        "kafka_disable_tls=true", "kafka_mechanism=", "zipkin=",
    )  # fmt: skip
    sidecar = own_sidecar(
        app, "--config", str(tmp_path / "dapr" / "config" / f"configuration-{app}.yaml"),
        resources=tmp_path / "dapr" / "resources", env=cluster,
    )  # fmt: skip
    told = metadata(sidecar)
    assert {component["name"] for component in told["components"]} == COMPONENTS[app]
    status, body = sidecar.call("GET", "/v1.0/secrets/todo-secrets/database")
    assert status == 200 and json.loads(body)["url"] == stack["TODO_DATABASE_URL"]
    assert sidecar.call("GET", "/v1.0/secrets/todo-secrets/somebody-elses")[0] == 403


def test_declared_subscriptions_are_those_the_apps_ask_for(stack, tmp_path):
    render("cluster", tmp_path)
    app_token = (stack.folder / "conf" / "app.token").read_text()
    asked = []
    for app in ("GATEWAY", "BRIDGE"):
        out = subprocess.run(
            ["curl", "-sS", "-H", f"dapr-api-token: {app_token}",
             stack[f"TODO_{app}_INTERNAL_URL"] + "/dapr/subscribe"],
            capture_output=True, check=True,
        ).stdout  # fmt: skip
        asked += json.loads(out)
    assert len(asked) == 6
    for wanted in asked:
        name = f"subscription-{wanted['pubsubname']}-{wanted['topic']}.yaml"
        text = (tmp_path / "resources" / name).read_text()
        for value in (
            wanted["deadLetterTopic"],
            wanted["routes"]["rules"][0]["match"],
            wanted["routes"]["rules"][0]["path"],
            wanted["routes"]["default"],
            str(wanted["bulkSubscribe"]["maxMessagesCount"]),
            f"maxAwaitDurationMs: {wanted['bulkSubscribe']['maxAwaitDurationMs']}",
        ):
            assert value in text, (name, value)
    assert len(list((tmp_path / "resources").glob("subscription-*"))) == len(asked)


def test_unknown_values_are_refused():
    done = subprocess.run(
        [ROOT / "dapr" / "render", "dev", "kafka_broker=x"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "kafka_brokers" in done.stderr
