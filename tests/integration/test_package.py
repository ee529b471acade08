# SPDX-License-Identifier: Apache-2.0
"""The Debian package: what is in it works, and its units are as closed as they can be."""

import re
import shutil
import subprocess

import pytest
from support.stack import ROOT

pytestmark = pytest.mark.long


def run(*command, ok: bool = True) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    folder = tmp_path_factory.mktemp("package")
    run("cpack", "--config", ROOT / "build" / "release" / "CPackConfig.cmake", "-B", folder)
    [package] = folder.glob("*.deb")
    run("dpkg-deb", "-x", package, folder / "tree")
    depends = run("dpkg-deb", "-f", package, "Depends")
    for name in ("libpq5", "librdkafka1", "libwebsockets-evlib-uv"):
        assert name in depends
    assert run("dpkg-deb", "-f", package, "Version").strip() == version()
    return folder / "tree"


def version() -> str:
    return re.search(r"project\(todo-chatbot VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())[1]


@pytest.mark.parametrize("name", ["todo-gateway", "todo-bridge", "todo-admin", "todo-nlu"])
def test_programs_and_manual(tree, name):
    assert run(tree / "usr" / "bin" / name, "--version").split()[-1] == version()
    assert list((tree / "usr" / "share" / "man").rglob(f"{name}.[18]*"))


@pytest.mark.parametrize("name", ["gateway", "bridge"])
def test_the_configuration_that_is_installed_is_right(tree, tmp_path, name):
    text = (tree / "etc" / "todo-chatbot" / f"{name}.conf").read_text()
    jwks = tmp_path / "jwks.json"
    jwks.write_text('{"keys":[]}')
    text = text.replace("/etc/todo-chatbot/jwks.json", str(jwks)).replace("/usr/share", f"{tree}/usr/share")
    text = text.replace("/var/lib/todo-chatbot/audit", str(tmp_path / "audit"))
    (tmp_path / "conf").write_text(text)
    run(tree / "usr" / "bin" / f"todo-{name}", "--config", tmp_path / "conf", "--check-config")


@pytest.mark.parametrize("name", ["todo-gateway", "todo-bridge"])
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
def test_units(tree, name):
    unit = tree / "usr" / "lib" / "systemd" / "system" / f"{name}.service"
    said = run("systemd-analyze", "security", "--offline=true", "--threshold=30", unit)
    assert "OK" in said
