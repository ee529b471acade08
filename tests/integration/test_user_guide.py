# SPDX-License-Identifier: Apache-2.0
"""docs/user-guide.md says what messages mean; todo-nlu must agree, row by row."""

import json

import pytest
from support.nlu import ROOT, run, understand


def rows() -> list[tuple[str, dict]]:
    found = []
    for line in (ROOT / "docs" / "user-guide.md").read_text().splitlines():
        if line.startswith("| ") and line.endswith("` |"):
            message, meaning = line[2:-2].split(" | ", 1)
            found.append((message, json.loads("{" + meaning.strip().strip("`") + "}")))
    return found


@pytest.fixture(scope="module")
def answers() -> dict:
    messages = [message for message, _ in rows()]
    return dict(zip(messages, understand(messages), strict=True))


def test_the_tour_is_long_enough():
    assert len(rows()) >= 30


@pytest.mark.parametrize("message, meaning", rows(), ids=[message for message, _ in rows()])
def test_message(answers, message, meaning):
    answer = answers[message]
    answer |= {key: value for key, value in answer.get("changes", {}).items() if key not in answer}
    assert {key: answer.get(key) for key in meaning} == meaning


def test_rules_of_the_tree_hold_their_examples():
    done = run(["--rules", str(ROOT / "nlu" / "rules"), "--check"])
    assert done.returncode == 0, done.stderr
