# SPDX-License-Identifier: Apache-2.0
"""todo-nlu as a function, for tests and benches."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
REFERENCE = "2026-03-11T09:30:00"


def binary() -> str:
    folder = os.environ.get("TODO_BIN_DIR", ROOT / "build" / "release" / "bin")
    return str(pathlib.Path(folder) / "todo-nlu")


def run(arguments: list[str], text: str = "") -> subprocess.CompletedProcess:
    return subprocess.run(
        [binary(), *arguments], input=text, capture_output=True, text=True, timeout=300, check=False
    )


def understand(messages: list[str], reference: str = REFERENCE, zone: str = "UTC") -> list[dict]:
    lines = "".join(
        json.dumps({"text": message, "reference": reference, "timezone": zone}) + "\n" for message in messages
    )
    done = run([], lines)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
