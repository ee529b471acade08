# SPDX-License-Identifier: Apache-2.0
"""scripts/dev itself, on a second stack beside the first: two checkouts must not collide."""

import re
import shutil
import time

import pytest
from support.stack import ROOT, Stack, running, wait_for

PARTS = ("postgres", "kafka", "mosquitto")


@pytest.fixture(scope="module")
def second():
    folder = ROOT / ".dev" / "test-dev"
    shutil.rmtree(folder, ignore_errors=True)
    stack = Stack(folder)
    stack.up("--parts")
    yield stack
    stack.down()
    shutil.rmtree(folder, ignore_errors=True)


def ports(stack):
    return dict(line.split("=") for line in (stack.folder / "ports").read_text().split())


def test_two_stacks_side_by_side(stack, second):
    assert not set(ports(stack).values()) & set(ports(second).values())
    for part in PARTS:
        assert running(stack.pid(part)) and running(second.pid(part))
        assert stack.pid(part) != second.pid(part)


def test_up_again_changes_nothing_and_is_quick(second):
    before = [second.pid(part) for part in PARTS]
    started = time.monotonic()
    second.up("--parts")
    assert time.monotonic() - started < 15
    assert [second.pid(part) for part in PARTS] == before


def test_up_restarts_what_has_died(second):
    before = {part: second.pid(part) for part in PARTS}
    kept = ports(second)
    second.kill("postgres", "mosquitto")
    wait_for("they are gone", lambda: not running(before["postgres"]) and not running(before["mosquitto"]))
    assert re.search(r"^postgres +died", second.dev("status", check=False).stdout, re.M)
    second.up("--parts")
    assert second.pid("postgres") != before["postgres"]
    assert second.pid("kafka") == before["kafka"]
    assert ports(second) == kept
    assert second.dev("psql", "-Atc", "select current_user").stdout.strip() == "todo"


def test_part_that_cannot_start_says_why(second):
    second.stop("postgres")
    control = second.folder / "postgres" / "global" / "pg_control"
    aside = control.rename(control.with_name("aside"))
    try:
        failed = second.dev("part", "start", "postgres", check=False)
    finally:
        aside.rename(control)
        second.start("postgres")
    assert failed.returncode == 1
    assert re.search(r"^scripts/dev: postgres ended while starting: .*pg_control", failed.stderr, re.M)
    assert "pg_control" in failed.stdout, "the last lines of its log"


def test_wrong_calls_are_refused(second):
    for args, word in (
        (("up", "--fast"), "--fast"),
        (("frobnicate",), "frobnicate"),
        (("token", "a b"), "user id"),
        (("logs", "nobody"), "nobody"),
        (("part", "explode", "kafka"), "start, stop or kill"),
        (("test", "nothing"), "nothing"),
    ):
        refused = second.dev(*args, check=False)
        assert refused.returncode != 0, args
        assert word in refused.stderr, refused.stderr


def test_down_leaves_no_process_and_up_keeps_data(second):
    pids = [second.pid(part) for part in PARTS]
    second.dev("psql", "-c", "create table kept as select 42 as answer")
    second.down()
    assert [pid for pid in pids if running(pid)] == []
    second.down()
    second.up("--parts")
    assert second.dev("psql", "-Atc", "select answer from kept").stdout.strip() == "42"
