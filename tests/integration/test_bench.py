# SPDX-License-Identifier: Apache-2.0
"""The benches that need the whole product, each as a short run: they must work, figures are not judged."""

import json
import os
import subprocess
import sys

import pytest
from support.stack import ROOT

pytestmark = pytest.mark.long


@pytest.mark.parametrize("name", ["commands", "scheduler"])
def test_it_runs(stack, name):
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "bench" / f"{name}.py"],
        env={
            **os.environ,
            "TODO_DEV_DIR": str(stack.folder),
            "TODO_BENCH_MINUTES": "0",
            "PYTHONPATH": str(ROOT / "tests"),
        },
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    rows = json.loads((ROOT / "build" / "bench" / f"{name}.json").read_text())
    assert rows and all(row["value"] > 0 for row in rows)
