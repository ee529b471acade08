# SPDX-License-Identifier: Apache-2.0
"""
docs/openapi.yaml is the API: it says what the routes are, its examples work, and whatever schemathesis
makes of it gets an answer that it describes.
"""

import json
import os
import re
import subprocess
import sys

import jsonschema
import pytest
import requests
import yaml
from support.stack import ROOT

sys.path.insert(0, str(ROOT / "scripts" / "dev.d"))
import openapi  # noqa: E402

CONTRACT = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
VERBS = ("get", "post", "patch", "put", "delete")
LONG = bool(os.environ.get("TODO_TEST_ALL"))
# What a request means is not in its schema (a due date in 1623, a zone that does not exist): those two
# checks of schemathesis want it to be. Our own tests of bad input look at them.
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)


def test_the_gateway_serves_it(stack):
    assert (ROOT / "docs" / "openapi.json").read_text() == openapi.as_json(), "run scripts/dev docs"
    served = requests.get(stack["TODO_URL"] + "/api/v1/openapi.json", timeout=5)
    assert served.json() == CONTRACT
    assert served.headers["Content-Type"] == "application/json"


def test_every_route_is_in_it_and_nothing_else():
    rows = (ROOT / "gateway" / "http" / "routes.def").read_text()
    routes = set(re.findall(r'^X\((\w+), "/api/v1([^"]*)"', rows, re.M))
    described = {
        (verb.upper(), path) for path, item in CONTRACT["paths"].items() for verb in VERBS if verb in item
    }
    assert routes == described


def operations_with_examples():
    for path, item in CONTRACT["paths"].items():
        for verb in VERBS:
            for kind, body in item.get(verb, {}).get("requestBody", {}).get("content", {}).items():
                examples = {name: e["value"] for name, e in body.get("examples", {}).items()}
                if "example" in body:
                    examples["example"] = body["example"]
                for name, value in examples.items():
                    yield pytest.param(verb, path, kind, value, id=f"{verb} {path} {name}")


@pytest.mark.parametrize(("verb", "path", "kind", "example"), operations_with_examples())
def test_its_examples_work(stack, user, verb, path, kind, example):
    head = {"Authorization": f"Bearer {stack.token(user)}", "If-Match": "*"}
    base = stack["TODO_URL"] + "/api/v1"
    due = {"due_date": "2035-01-01T09:00:00", "timezone": "UTC", "reminders": [{"before": "PT0S"}]}
    task = requests.post(base + "/tasks", json={"title": "x", **due}, headers=head, timeout=5).json()
    data = example if isinstance(example, str) else json.dumps(example)
    answer = requests.request(
        verb,
        base + path.replace("{id}", task["id"]),
        data=data.encode(),
        headers={**head, "Content-Type": kind},
        timeout=5,
    )
    assert answer.ok, answer.text
    content = CONTRACT["paths"][path][verb]["responses"][str(answer.status_code)]
    if "$ref" in content:
        content = CONTRACT["components"]["responses"][content["$ref"].rsplit("/", 1)[1]]
    schema = {**content["content"]["application/json"]["schema"], "components": CONTRACT["components"]}
    jsonschema.Draft202012Validator(schema).validate(answer.json())


@pytest.mark.parametrize("seed", range(1, 6) if LONG else [1])
def test_schemathesis_finds_no_drift(stack, user, seed, capsys, tmp_path):
    base = stack["TODO_URL"] + "/api/v1"
    run = subprocess.run(
        [
            ROOT / ".venv" / "bin" / "st",
            *(
                "run",
                base + "/openapi.json",
                "--url",
                base,
                "-H",
                f"Authorization: Bearer {stack.token(user)}",
            ),
            *("--seed", str(seed), "-n", "300" if LONG else "25", "--checks", CHECKS),
            # libwebsockets ends the connection of a request with %00 in its address.
            "--generation-allow-x00=false",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    with capsys.disabled():
        print(" schemathesis:", re.search(r"^ *(\d+ generated.*)$", run.stdout, re.M)[1])
    assert run.returncode == 0, run.stdout[-5000:]
    assert requests.get(base + "/me", headers={"Authorization": f"Bearer {stack.token(user)}"}, timeout=5).ok
