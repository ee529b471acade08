# SPDX-License-Identifier: Apache-2.0
"""
A private copy of the whole product, run by scripts/dev in a folder of its own. Parts can be stopped,
killed and started one by one; tokens are signed here, so that a test can also make wrong ones.
"""

import contextlib
import importlib.util
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEV = ROOT / "scripts" / "dev"
BIN = pathlib.Path(os.environ.get("TODO_BIN_DIR", ROOT / "build" / "release" / "bin"))

_spec = importlib.util.spec_from_file_location("dev_token", ROOT / "scripts" / "dev.d" / "token.py")
dev_token = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(dev_token)


def wait_for(what: str, probe: Callable[[], Any], timeout: float = 10.0, step: float = 0.05) -> Any:
    """The first true answer of probe; an assertion that says what was waited for otherwise."""
    deadline = time.monotonic() + timeout
    while True:
        answer = probe()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {timeout:g} s in vain: {what}"
        time.sleep(step)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def running(pid: int) -> bool:
    """A zombie that nobody has collected yet does not run."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


class Stack:
    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.environ = {**os.environ, "TODO_DEV_DIR": str(folder)}

    def dev(self, *args: str, timeout: float = 300, check: bool = True) -> subprocess.CompletedProcess:
        done = subprocess.run(
            [DEV, *args],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"scripts/dev {' '.join(args)}:\n{done.stdout}{done.stderr}"
        return done

    def up(self, *args: str) -> None:
        self.dev("up", "--detach", *args)

    def down(self) -> None:
        self.dev("down")

    def start(self, *parts: str) -> None:
        self.dev("part", "start", *parts)

    def stop(self, *parts: str) -> None:
        self.dev("part", "stop", *parts)

    def kill(self, *parts: str) -> None:
        """kill -9"""
        self.dev("part", "kill", *parts)

    @property
    def env(self) -> dict[str, str]:
        """.dev/env, read anew: pids change with a restart."""
        text = (self.folder / "env").read_text()
        return dict(line.split("=", 1) for line in text.splitlines())

    def __getitem__(self, key: str) -> str:
        return self.env[key]

    def pid(self, part: str) -> int:
        return int((self.folder / "run" / part).read_text().split()[0])

    def token(
        self, user: str, ttl: int = 3600, role: str | None = None, secret: bytes | None = None, **claims
    ) -> str:
        """claims override or, being None, leave out."""
        wanted = {**dev_token.claims_for(user, ttl, role), **claims}
        wanted = {key: value for key, value in wanted.items() if value is not None}
        return dev_token.sign(secret or (self.folder / "secret").read_bytes(), wanted)

    def sql(self, query: str) -> list[list[str]]:
        out = subprocess.run(
            ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", self["TODO_DATABASE_URL"], "-c", query],
            capture_output=True,
            text=True,
            check=True,
        ).stdout  # fmt: skip
        return [line.split("\t") for line in out.splitlines()]

    def log(self, part: str) -> list[dict]:
        """The JSON lines of a daemon's log."""
        lines = []
        for line in (self.folder / "log" / f"{part}.log").read_text(errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                value = json.loads(line)
                if isinstance(value, dict):
                    lines.append(value)
        return lines

    def config(self, daemon: str) -> pathlib.Path:
        return self.folder / "conf" / f"{daemon}.conf"


class Daemon:
    """A daemon beside the stack's own, with a setting or two changed: for tests of start and outage."""

    def __init__(self, stack: Stack, name: str, log: pathlib.Path, **settings: str | int):
        self.internal = free_port()
        own = {"TODO_INTERNAL_PORT": self.internal}
        self.port = free_port()
        if name == "gateway":
            own["TODO_LISTEN_PORT"] = self.port
        own.update({f"TODO_{key.upper()}": value for key, value in settings.items()})
        self.log = log
        self._file = log.open("wb")
        self.process = subprocess.Popen(
            [BIN / f"todo-{name}", "--config", stack.config(name)],
            env={**os.environ, **{key: str(value) for key, value in own.items()}},
            stdin=subprocess.DEVNULL,
            stdout=self._file,
            stderr=subprocess.STDOUT,
        )

    def http(self, path: str) -> int:
        """Status of a GET on the internal listener; 0 = nobody answers."""
        try:
            with socket.create_connection(("127.0.0.1", self.internal), 2) as s:
                s.settimeout(2)
                s.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                return int(s.recv(200).split()[1])
        except (OSError, IndexError, ValueError):
            return 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._file.close()


@contextlib.contextmanager
def shared_stack() -> Iterator[Stack]:
    """The stack of `scripts/dev test` when that runs us; else one of our own for this pytest run."""
    given = os.environ.get("TODO_DEV_DIR")
    stack = Stack(pathlib.Path(given) if given else ROOT / ".dev" / "pytest")
    stack.up()
    try:
        yield stack
    finally:
        if not given:
            stack.down()
