# SPDX-License-Identifier: Apache-2.0
"""The audit log: every event once, over crashes; and whoever changes it is found out."""

import json
import shutil
import subprocess

from integration.test_bridge import add_events, add_users
from support.stack import BIN, wait_for


def verify(folder) -> subprocess.CompletedProcess:
    return subprocess.run(
        [BIN / "todo-admin", "audit", "verify", folder],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def logged(stack, user: str) -> list[int]:
    """The numbers of a user's events, file by file, in the order in which they stand there."""
    return [
        event["data"]["number"]
        for file in sorted((stack.folder / "audit").glob("*.log"))
        for event in (json.loads(line).get("event", {}) for line in file.read_text().splitlines())
        if event.get("userid") == user
    ]


def test_every_event_once_over_a_crash_and_any_change_shows(stack, user, tmp_path):
    add_users(stack, [user])
    add_events(stack, [user], 1, 200)
    wait_for("some of them", lambda: len(logged(stack, user)) >= 50)
    stack.kill("bridge")
    add_events(stack, [user], 201, 200)
    stack.start("bridge")
    wait_for("all of them", lambda: len(set(logged(stack, user))) == 400, 20)
    assert logged(stack, user) == list(range(1, 401))
    folder = stack.folder / "audit"
    done = verify(folder)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count(" lines, to offset ") == len(list(folder.glob("*.log")))

    file = next(file for file in folder.glob("task-events-*.log") if f'"userid":"{user}"' in file.read_text())
    lines = file.read_text().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if f'"userid":"{user}"' in line)
    changed = lines[at].replace('"task.created"', '"task.deleted"')
    for name, wrong, where in (
        ("changed", [*lines[:at], changed, *lines[at + 1 :]], at + 1),
        ("removed", [*lines[:at], *lines[at + 1 :]], at + 1),
        ("moved", [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]], at + 1),
        ("cut", [*lines[:at], lines[at][:-20]], at + 1),
    ):
        copy = tmp_path / name
        shutil.copytree(folder, copy)
        (copy / file.name).write_text("".join(wrong))
        done = verify(copy)
        assert done.returncode == 1, name
        assert f"{file.name}:{where}: " in done.stdout, (name, done.stdout)
    assert verify(tmp_path / "nowhere").returncode == 1
