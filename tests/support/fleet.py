# SPDX-License-Identifier: Apache-2.0
"""Several gateways and bridges on one stack, and people who use whichever is there."""

import contextlib
import itertools
import random
import threading
import time

from websockets.exceptions import WebSocketException

from support.client import Client, Closed, Refused
from support.stack import Daemon, free_port, wait_for

GATEWAYS = 3
AWAY = (OSError, Closed, TimeoutError, AssertionError, WebSocketException)


class Fleet:
    """The stack's own daemons and, beside them, two gateways and a bridge."""

    def __init__(self, stack, folder):
        self.stack = stack
        self.folder = folder
        self.ports = [free_port() for _ in range(GATEWAYS - 1)]
        self.urls = [stack["TODO_WS_URL"]] + [f"ws://127.0.0.1:{port}/ws" for port in self.ports]
        self.starts = itertools.count()
        self.beside = {port: self.start_gateway(port) for port in self.ports}
        self.bridge = self.start_bridge()

    def _started(self, name, **settings):
        daemon = Daemon(self.stack, name, self.folder / f"{next(self.starts)}.log", **settings)
        wait_for(f"another {name}", lambda: daemon.http("/readyz") == 200, 30)
        return daemon

    def start_gateway(self, port):
        return self._started("gateway", listen_port=port)

    def start_bridge(self):
        return self._started("bridge", roles="relay,scheduler,mqtt")

    def restart_beside(self, port, kill=False):
        end(self.beside[port], kill)
        self.beside[port] = self.start_gateway(port)

    def restart_bridge(self, kill=False):
        end(self.bridge, kill)
        self.bridge = self.start_bridge()

    def roll(self):
        """Each in turn: told to end, awaited, started again."""
        for port in self.ports:
            self.restart_beside(port)
        self.restart_bridge()
        for part in ("bridge", "gateway"):
            self.stack.stop(part)
            self.stack.start(part)

    def strike(self, chance: random.Random):
        """kill -9 of one part."""
        part = chance.choice(["gateway", "bridge", "kafka", "bridge beside", *self.ports])
        if part in self.ports:
            self.restart_beside(part, kill=True)
        elif part == "bridge beside":
            self.restart_bridge(kill=True)
        else:
            self.stack.kill(part)
            self.stack.start(part)

    def end(self):
        for daemon in (*self.beside.values(), self.bridge):
            end(daemon, kill=False)


def end(daemon: Daemon, kill: bool) -> None:
    if kill:
        daemon.process.kill()
        daemon.process.wait()
    daemon.__exit__()


def word(number: int) -> str:
    """Letters only: digits in a title could be read as a date."""
    return "".join(chr(ord("a") + int(digit)) for digit in f"{number:05}")


class Page:
    """Resumes where it was, at the next gateway."""

    def __init__(self, fleet, user, device, first):
        self.fleet, self.user, self.device = fleet, user, device
        self.urls = itertools.islice(itertools.cycle(fleet.urls), first, None)
        self.client: Client | None = None
        self.seqs: list[int] = []
        self.codes: list[int] = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stop.is_set():
            since = self.seqs[-1] if self.seqs else 0
            with contextlib.suppress(Refused, *AWAY):
                client = self.client = Client(
                    next(self.urls), self.fleet.stack.token(self.user), self.device, since=since
                )
                while not self.stop.is_set() and not client.closed:
                    time.sleep(0.02)
                client.close()
                self.seqs += [event.seq for event in client.events]
                if client.closed and not self.stop.is_set():
                    self.codes.append(client.closed.code)

    def cut(self):
        """As a train does that enters a tunnel."""
        if self.client:
            self.client.cut()

    def end(self):
        self.stop.set()
        self.thread.join(10)


class Writer:
    """
    Repeats each command under its id, at whatever gateway is there, until it is acknowledged. Each makes two
    events: the task's and the turn's.
    """

    def __init__(self, fleet, user, first, goal=10**5, window=1, pause=0.05):
        self.fleet, self.user = fleet, user
        self.goal, self.window, self.pause = goal, window, pause
        self.urls = itertools.islice(itertools.cycle(fleet.urls), first, None)
        self.done = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ended():
            with (
                contextlib.suppress(Refused, *AWAY),
                Client(next(self.urls), self.fleet.stack.token(self.user), "writer", timeout=5) as client,
            ):
                while not self.ended():
                    self.some(client)
                    time.sleep(self.pause)

    def some(self, client):
        numbers = range(self.done, min(self.done + self.window, self.goal))
        for n in numbers:
            client.send({"type": "message", "id": f"c-{n}", "text": f"add task polish {word(n)}"})
        for n in numbers:
            client.answer(f"c-{n}")
            self.done += 1

    def ended(self) -> bool:
        return self.stop.is_set() or self.done == self.goal

    def end(self):
        self.stop.set()
        self.thread.join(15)
