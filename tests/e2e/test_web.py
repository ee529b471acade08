# SPDX-License-Identifier: Apache-2.0
"""The chat page in real Chromium: web/e2e, run on this run's stack."""

import contextlib
import os
import shutil
import subprocess

import pytest
from support.stack import ROOT, Daemon, free_port, wait_for

WEB = ROOT / "web"


def npm(file: str, env: dict[str, str]) -> None:
    done = subprocess.run(
        ["npm", "run", "--silent", "e2e", "--", *([file] if file else [])],
        cwd=WEB,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


@pytest.mark.skipif(not shutil.which("chromium"), reason="Chromium is not installed")
@pytest.mark.skipif(not (WEB / "node_modules").is_dir(), reason="web/ is not installed: npm ci")
def test_page_in_chromium(stack):
    npm("", stack.env)


@contextlib.contextmanager
def provider(port: int, redirect: str):
    process = subprocess.Popen(
        ["node", "e2e/provider.mjs", str(port), redirect], cwd=WEB, stdout=subprocess.PIPE, text=True
    )
    try:
        while line := process.stdout.readline():
            if line.startswith("listening"):
                break
        assert process.poll() is None, "the provider ended"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@pytest.mark.skipif(not shutil.which("chromium"), reason="Chromium is not installed")
@pytest.mark.skipif(not (WEB / "node_modules").is_dir(), reason="web/ is not installed: npm ci")
def test_signing_in_at_a_provider(stack, tmp_path):
    """The code flow with PKCE against a real provider, and its tokens at a gateway of their own."""
    at, listen = free_port(), free_port()
    with (
        provider(at, f"http://127.0.0.1:{listen}/") as issuer,
        Daemon(
            stack, "gateway", tmp_path / "gateway.log", listen_port=listen, oidc_issuer=issuer,
            auth_issuer=issuer, auth_jwks=f"{issuer}/jwks", mqtt_url="",
        ) as gateway,
    ):  # fmt: skip
        wait_for("ready", lambda: gateway.http("/readyz") == 200, 20)
        npm("e2e/oidc.test.ts", {**stack.env, "TODO_OIDC_URL": f"http://127.0.0.1:{listen}"})
