# SPDX-License-Identifier: Apache-2.0
"""The stack with sidecars, and sidecars of a test's own."""

import os
import pathlib
import subprocess

import pytest
from support.dapr import Sidecar
from support.stack import Stack, free_port, wait_for


@pytest.fixture(scope="session", autouse=True)
def behind_sidecars(stack: Stack):
    assert stack["TODO_BUS"] == "dapr", "these tests need scripts/dev up --dapr"


def token_of(stack: Stack) -> str:
    return (stack.folder / "conf" / "dapr.token").read_text()


@pytest.fixture
def gateway_sidecar(stack: Stack) -> Sidecar:
    return Sidecar(stack["TODO_GATEWAY_SIDECAR_URL"], token_of(stack))


@pytest.fixture
def bridge_sidecar(stack: Stack) -> Sidecar:
    return Sidecar(stack["TODO_BRIDGE_SIDECAR_URL"], token_of(stack))


@pytest.fixture
def own_sidecar(stack: Stack, tmp_path):
    """own_sidecar(app, "--flag", …, resources=…): a daprd beside the stack's own, ended after the test."""
    running = []

    def start(app: str, *flags: str, resources: pathlib.Path | None, env=None, token: str = "") -> Sidecar:
        port = free_port()
        log = tmp_path / f"{app}-{port}.log"
        command = [
            stack["TODO_DAPRD"], "--app-id", app, "--dapr-listen-addresses", "127.0.0.1",
            "--dapr-http-port", str(port), "--dapr-grpc-port", str(free_port()),
            "--dapr-internal-grpc-port", str(free_port()),
            "--dapr-internal-grpc-listen-address", "127.0.0.1",
            "--metrics-port", str(free_port()), "--metrics-listen-address", "127.0.0.1",
            *(["--resources-path", str(resources)] if resources else []), *flags,
        ]  # fmt: skip
        environ = {**os.environ, **(env or {})}
        if token:
            environ["DAPR_API_TOKEN"] = token
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )
        running.append(process)
        sidecar = Sidecar(f"http://127.0.0.1:{port}", token)
        wait_for(f"the sidecar of {app} ({log})", lambda: process.poll() is not None or sidecar.healthy(), 40)
        assert process.poll() is None, log.read_text()[-3000:]
        return sidecar

    yield start
    for process in running:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
