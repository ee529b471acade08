# SPDX-License-Identifier: Apache-2.0
"""The chat page in real Chromium: web/e2e, run on this run's stack."""

import os
import shutil
import subprocess

import pytest
from support.stack import ROOT

WEB = ROOT / "web"


@pytest.mark.skipif(not shutil.which("chromium"), reason="Chromium is not installed")
@pytest.mark.skipif(not (WEB / "node_modules").is_dir(), reason="web/ is not installed: npm ci")
def test_page_in_chromium(stack):
    done = subprocess.run(
        ["npm", "run", "--silent", "e2e"],
        cwd=WEB,
        env={**os.environ, **stack.env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
