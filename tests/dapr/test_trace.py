# SPDX-License-Identifier: Apache-2.0
"""One trace from a request to its delivery on both sides, seen in a real Zipkin; sidecars' own metrics."""

import json
import os
import secrets
import subprocess
import urllib.error
import urllib.request

import pytest
from support.dapr import Sidecar
from support.stack import free_port, wait_for

ZIPKIN = "io.zipkin:zipkin-server:3.4.4:jar:exec"


@pytest.fixture
def zipkin(stack, tmp_path):
    """Its address, with the stack's sidecars sending all their spans there."""
    subprocess.run(
        ["mvn", "-q", "-B", "-ntp", "dependency:copy", f"-Dartifact={ZIPKIN}", f"-DoutputDirectory={tmp_path}"],
        check=True, timeout=300,
    )  # fmt: skip
    port, log = free_port(), tmp_path / "zipkin.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-jar", next(tmp_path.glob("*.jar"))],
            env={**os.environ, "QUERY_PORT": str(port), "ARMERIA_VERBOSE_EXCEPTIONS": "never"},
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    wait_for(f"Zipkin ({log})", lambda: get(url + "/health"), 60)
    stack.environ["TODO_DAPR_VALUES"] = f"sampling=1 zipkin={url}/api/v2/spans"
    stack.up("--dapr")
    yield url
    del stack.environ["TODO_DAPR_VALUES"]
    stack.up("--dapr")
    process.terminate()
    process.wait(20)


def get(url: str):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None


@pytest.mark.long
def test_one_trace_from_request_to_delivery(stack, zipkin, user, connect):
    trace = secrets.token_hex(16)
    client = connect(user)
    gateway = Sidecar(stack["TODO_URL"], "")
    status, body = gateway.call(
        "POST", "/api/v1/tasks", {"title": "traced"},
        traceparent=f"00-{trace}-{secrets.token_hex(8)}-01", authorization=f"Bearer {stack.token(user)}",
    )  # fmt: skip
    assert status == 201, body
    event = client.wait_event("task.created")
    assert event.event["traceparent"].split("-")[1] == trace

    def spans():
        found = get(f"{zipkin}/api/v2/trace/{trace}") or []
        have = {(span["localEndpoint"]["serviceName"], span.get("name", "")) for span in found}
        return have if len({service for service, _ in have}) >= 2 and len(have) >= 4 else None

    have = wait_for("spans of both sidecars", spans, 30)
    names = " ".join(f"{service}:{name}" for service, name in sorted(have))
    # Published by the bridge's sidecar, delivered to the gateway and to the bridge's consumers.
    assert "todo-bridge:" in names and "publish" in names, names
    assert "todo-gateway:pubsub/task-updates" in names, names
    assert "todo-bridge:pubsub/task-events" in names, names


def test_sidecars_have_metrics_beside_ours(stack, connect, user):
    client = connect(user)
    client.message("add task to be counted")
    client.wait_event("task.created")
    ports = dict(line.split("=") for line in (stack.folder / "ports").read_text().splitlines())
    for part in ("BRIDGESIDECAR", "GATEWAYSIDECAR"):
        url = f"http://127.0.0.1:{ports[part + '_METRICS_PORT']}/metrics"

        def counts(url=url):
            with urllib.request.urlopen(url, timeout=5) as answer:
                return b"dapr_component_pubsub_ingress" in answer.read()

        wait_for(f"ingress of {part}", counts, 10)
