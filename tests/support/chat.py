# SPDX-License-Identifier: Apache-2.0
"""
The terminal chat: `scripts/dev chat [USER]`. Prints replies and reminders as they come, also while
the next line is being typed; reconnects by itself and goes on from the last event it saw.
"""

import contextlib
import json
import os
import readline  # noqa: F401 - line editing and history for input()
import secrets
import sys
import threading
import time

from support.client import Client, Closed, Refused

BOLD, DIM, YELLOW, RED, OFF = (
    ("\033[1m", "\033[2m", "\033[33m", "\033[31m", "\033[0m") if sys.stdout.isatty() else ("",) * 5
)
PROMPT = "> "


def local_zone() -> str:
    """The IANA name of this machine's zone; UTC when it has none."""
    with contextlib.suppress(OSError):
        path = os.path.realpath("/etc/localtime")
        if "zoneinfo/" in path:
            return path.split("zoneinfo/", 1)[1]
    return os.environ.get("TZ") or "UTC"


class Chat:
    def __init__(self, url: str, token: str):
        self.url = url
        self.token = token
        self.device = f"terminal-{secrets.token_hex(3)}"
        self.seq: int | None = None
        self.client: Client | None = None
        self.ready = threading.Event()

    def show(self, text: str) -> None:
        """Above the line that is being typed."""
        if sys.stdout.isatty():
            sys.stdout.write(f"\r\033[K{text}\n{PROMPT}{readline.get_line_buffer()}")
        else:
            sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def run(self) -> int:
        threading.Thread(target=self.follow, daemon=True).start()
        if not self.ready.wait(10):
            print(f"no answer from {self.url}: scripts/dev status", file=sys.stderr)
            return 1
        while True:
            try:
                line = input(PROMPT if sys.stdin.isatty() else "").strip()
            except (EOFError, KeyboardInterrupt):
                print()
                return 0
            if line:
                self.say(line)

    def say(self, line: str) -> None:
        ident = secrets.token_hex(8)
        for _ in range(20):
            self.ready.wait(10)
            try:
                reply = self.client.message(line, ident)
            except Refused as error:
                self.show(f"{RED}{error}{OFF}")
                return
            except (Closed, AssertionError, OSError):
                time.sleep(0.5)  # the same id again: done once, whatever was lost
                continue
            self.show_reply(reply)
            return
        self.show(f"{RED}no answer; try again{OFF}")

    def show_reply(self, reply: dict) -> None:
        self.show(f"{BOLD}{reply['text']}{OFF}")
        for warning in reply.get("warnings") or []:
            self.show(f"{YELLOW}{warning if isinstance(warning, str) else json.dumps(warning)}{OFF}")
        labels = [s["label"] for s in reply.get("suggestions") or [] if "label" in s]
        if labels:
            self.show(f"{DIM}[ {' | '.join(labels)} ]{OFF}")

    def follow(self) -> None:
        """Keeps a connection, shows reminders, acknowledges what was shown."""
        wait = 0.2
        while True:
            try:
                self.client = Client(self.url, self.token, self.device, local_zone(), since=self.seq)
                if self.seq is None:
                    self.seq = self.client.connected["seq"]
                self.ready.set()
                wait = 0.2
                self.show_events(self.client)
            except Refused as error:
                print(f"{RED}{error}{OFF}", file=sys.stderr)
                os._exit(1)
            except (Closed, OSError, AssertionError, TimeoutError):
                pass
            self.ready.clear()
            time.sleep(wait)
            wait = min(wait * 2, 5)

    def show_events(self, client: Client) -> None:
        shown = 0
        while True:
            client.wait("events", lambda: len(client.events) > shown, timeout=1e9)
            event = client.events[shown]
            shown += 1
            self.seq = max(self.seq, event.seq)
            if event.type == "reminder.triggered":
                body = event.data.get("body") or ""
                self.show(f"{YELLOW}\a⏰ {event.data.get('title', '')}{OFF} {DIM}{body}{OFF}")
                client.ack(event.seq)
            elif event.type == "chat.turn" and event.data.get("device") != self.device:
                self.show(f"{DIM}{event.data.get('text', '')}{OFF}")


if __name__ == "__main__":
    sys.exit(Chat(sys.argv[1], os.environ["TODO_TOKEN"]).run())
