# SPDX-License-Identifier: Apache-2.0
"""docs/asyncapi.yaml: its examples are valid, those of clients work, and what a gateway sends keeps to it."""

import json
import re

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from support.client import Client
from support.stack import ROOT

DOCS = ROOT / "docs"
CONTRACT = yaml.safe_load((DOCS / "asyncapi.yaml").read_text())
MESSAGES = CONTRACT["components"]["messages"]


def resource(uri: str) -> Resource:
    """Schemas refer to each other by file name, and the contract to them by folder."""
    return Resource.from_contents(
        json.loads((DOCS / "schemas" / uri.rsplit("/", 1)[-1]).read_text()), DRAFT202012
    )


BASE = "http://docs/asyncapi.yaml"
REGISTRY = Registry(retrieve=resource).with_resource(BASE, DRAFT202012.create_resource(CONTRACT))


def errors(message: str, payload: dict) -> list[str]:
    schema = {"$ref": BASE + MESSAGES[message]["payload"]["$ref"]}
    return [error.message for error in Draft202012Validator(schema, registry=REGISTRY).iter_errors(payload)]


def frames(operation: str) -> dict[str, str]:
    """The name of each message by the type of its frame."""
    found = {}
    for ref in CONTRACT["operations"][operation]["messages"]:
        name = ref["$ref"].rsplit("/", 1)[1]
        found[CONTRACT["components"]["schemas"][name]["properties"]["type"]["const"]] = name
    return found


@pytest.mark.parametrize("name", [name for name, message in MESSAGES.items() if "examples" in message])
def test_examples_are_valid_and_a_wrong_one_is_not(name):
    for example in MESSAGES[name]["examples"]:
        assert errors(name, example["payload"]) == []
        for key in MESSAGES[name].get("required", ["type"]):
            assert errors(name, {k: v for k, v in example["payload"].items() if k != key})


def test_every_reference_leads_somewhere():
    refs = re.findall(r'\$ref: "([^"]+)"', (DOCS / "asyncapi.yaml").read_text())
    for ref in refs:
        if not ref.startswith("#"):
            assert (DOCS / ref).exists(), ref
            continue
        node = CONTRACT
        for part in ref[2:].split("/"):
            node = node[part]


def test_the_frames_are_those_of_the_gateway():
    table = (ROOT / "gateway" / "session" / "frames.c").read_text()
    assert set(re.findall(r'\{"(\w+)", on_\w+, (?:true|false)\}', table)) == set(frames("talk"))
    verbs = re.findall(r'\[GW_\w+\] = \{"(\w+)"', (ROOT / "gateway" / "dialogue" / "dialogue.c").read_text())
    assert set(CONTRACT["components"]["schemas"]["action"]["properties"]["action"]["enum"]) == set(verbs)


def test_the_examples_of_clients_work(stack, user):
    """All of them in one session; every frame that comes back is described."""
    names = frames("listen")
    token = stack.token(user)
    with Client(stack["TODO_WS_URL"], token, "desk", hello=False) as client:
        task = None
        for name in frames("talk").values():
            for example in MESSAGES[name]["examples"]:
                if name == "connect" and example["name"] != "first":
                    continue  # one for each session
                if name == "ack":
                    client.wait("an event", lambda: client.last("event"))
                text = json.dumps(example["payload"]).replace("TOKEN", token).replace("TASK", task or "")
                client.send(json.loads(text))
                if name in ("message", "action"):
                    ident = example["payload"]["id"]
                    reply = client.wait("a reply", lambda i=ident: client.answered(i))
                    task = reply.get("task", {}).get("id", task)
                elif name == "connect":
                    client.wait("connected", lambda: client.last("connected"))
        client.send({"type": "massage"})
        for kind in names:
            client.wait(kind, lambda k=kind: client.last(k))
        for _, frame in client.frames:
            assert errors(names[frame["type"]], frame) == [], frame
    with Client(stack["TODO_WS_URL"], token, "desk", hello=False) as client:
        again = MESSAGES["connect"]["examples"][1]["payload"]
        client.send({**again, "token": token})
        assert client.wait("connected", lambda: client.last("connected"))["recovered"] is True
