# SPDX-License-Identifier: Apache-2.0
"""docs/schemas: one for each event type, with examples; and every event of this run keeps to it."""

import json
import re

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from support.stack import ROOT, wait_for

FOLDER = ROOT / "docs" / "schemas"
SCHEMAS = {file.name: json.loads(file.read_text()) for file in FOLDER.glob("*.json")}
REGISTRY = Registry().with_resources((name, Resource.from_contents(s)) for name, s in SCHEMAS.items())
TYPES = dict(
    (int(number), name)
    for number, name in re.findall(r'X\(\w+, (\d+), "([\w.]+)"', (ROOT / "tasks" / "events.def").read_text())
)


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(SCHEMAS[f"{name}.json"], registry=REGISTRY)


def test_each_event_type_has_one():
    assert {f"{name}.json" for name in TYPES.values()} | {"event.json", "task.json", "reminder.json"} == set(
        SCHEMAS
    )


@pytest.mark.parametrize("name", sorted(TYPES.values()))
def test_examples_are_valid_and_a_wrong_one_is_not(name):
    schema = validator(name)
    Draft202012Validator.check_schema(SCHEMAS[f"{name}.json"])
    examples = SCHEMAS[f"{name}.json"]["examples"]
    assert examples
    for example in examples:
        assert list(schema.iter_errors(example)) == []
        assert "userseq" in example
    for key in ("id", "userid", "data"):
        assert list(schema.iter_errors({k: v for k, v in examples[0].items() if k != key})), key
    assert list(schema.iter_errors({**examples[0], "type": "task.invented"}))


def test_every_event_of_this_run(stack, connect, user):
    """All that the tests before this one caused, and one of each kind that a person causes now."""
    session = connect(user)
    made = session.message("water the plants every day at 9 remind me in 1 second")
    task = made["task"]["id"] if "task" in made else session.message("buy milk tomorrow")["task"]["id"]
    for action, event in (("skip", "recurring.generated"), ("complete", "task.completed")):
        session.action(action, task)
        session.wait_event(event, 10, subject=task)
    session.action("delete", task)
    session.wait_event("task.deleted", 10, subject=task)
    seen = {}
    # Events that tests of the bridge put into the outbox themselves carry a number for data.
    query = (
        "select type, payload from events where payload not like '%\"number\":%' order by id desc limit 20000"
    )
    wait_for("events", lambda: stack.sql("select count(*) from outbox") == [["0"]], 20)
    for kind, payload in stack.sql(query):
        name = TYPES[int(kind)]
        errors = [error.message for error in validator(name).iter_errors(json.loads(payload))]
        assert not errors, (errors, payload)
        seen[name] = seen.get(name, 0) + 1
    assert {"task.created", "task.completed", "task.deleted", "recurring.generated", "chat.turn"} <= set(seen)
