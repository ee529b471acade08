# SPDX-License-Identifier: Apache-2.0
"""
The understanding against the evaluation data, by its own scorer. The floors stand a little below what
was reached, so that a change of the rules that costs more than it brings is seen.
"""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from support.nlu import binary

# task, options of the scorer, {figure: floor (or ceiling where it ends in "<")}
FLOORS = [
    ("intent", [], {"accuracy": 0.960, "false_accept<": 0.022}),
    ("datetime", ["--tier", "core"], {"exact": 0.88, "reject_ok": 0.85}),
    ("datetime", ["--tier", "conv"], {"exact": 0.64}),
    ("datetime", ["--tier", "ext"], {"exact": 0.51}),
    ("recurrence", [], {"exact": 0.95}),
    ("quickadd", ["--kind", "frame"], {"frame_exact": 0.93}),
    ("quickadd", ["--kind", "slots"], {"frame_exact": 0.80}),
    ("quickadd", ["--kind", "title_only", "--frame-only"], {"frame_exact": 0.98}),
]


@pytest.fixture(scope="module")
def data() -> pathlib.Path:
    folder = os.environ.get("TODO_EVAL_DIR")
    if not folder:
        pytest.skip("TODO_EVAL_DIR is not set: the evaluation data is not part of the repository")
    return pathlib.Path(folder) / "nlu"


@pytest.mark.parametrize("task, options, floors", FLOORS, ids=[" ".join([t, *o[1:2]]) for t, o, _ in FLOORS])
def test_floors(data, task, options, floors):
    command = [sys.executable, str(data / "score.py"), task, str(data / f"{task}.jsonl")]
    done = subprocess.run(
        [*command, "--cmd", binary(), "--json", *options],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    print({key: figures[key.rstrip("<")] for key in floors})
    for key, bound in floors.items():
        value = figures[key.rstrip("<")]
        assert value <= bound if key.endswith("<") else value >= bound, f"{key} is {value:.4f}"
