# SPDX-License-Identifier: Apache-2.0
"""
The whole path, from a chat line to the reminder on another session: how fast the reply, how late the
reminder. A Python client is slow: these are upper bounds of what a user feels, not the server's limit.
"""

import pathlib
import sys
import threading
import time

from support import events
from support.bench import MINUTES, Report, percentile
from support.client import Client
from support.stack import ROOT, Stack

USERS = 8
WINDOW = 16


def commands(stack: Stack, seconds: float) -> tuple[float, list[float]]:
    """Commands a second and reply times in ms, USERS sessions with WINDOW commands in flight each."""
    replies: list[float] = []
    end = time.monotonic() + seconds

    def work(number: int) -> None:
        with Client(stack["TODO_WS_URL"], stack.token(f"bench-{number}"), "bench") as client:
            while time.monotonic() < end:
                sent = {}
                for _ in range(WINDOW):
                    ident = client.new_id()
                    sent[ident] = time.time()
                    client.send({"type": "message", "id": ident, "text": "add task wash the car"})
                for ident in sent:
                    client.answer(ident)
                arrived = {frame["to"]: at for at, frame in client.frames if "to" in frame}
                replies.extend((arrived[ident] - at) * 1000 for ident, at in sent.items())
                client.frames.clear()
                client.events.clear()

    started = time.monotonic()
    threads = [threading.Thread(target=work, args=(n,)) for n in range(USERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(replies) / (time.monotonic() - started), replies


def single(stack: Stack, count: int) -> list[float]:
    times = []
    with Client(stack["TODO_WS_URL"], stack.token("bench-one"), "bench") as client:
        for _ in range(count):
            sent = time.perf_counter()
            client.message("add task wash the car")
            times.append((time.perf_counter() - sent) * 1000)
    return times


def reminders(stack: Stack, count: int) -> list[float]:
    """How late reminders reach a second session, in ms."""
    token = stack.token("bench-late")
    with (
        Client(stack["TODO_WS_URL"], token, "a") as desk,
        Client(stack["TODO_WS_URL"], token, "b", timeout=60) as other,
    ):
        due = {}
        for number in range(count):
            task = desk.message(f"remind me to breathe in {3 + number % 5} seconds")["task"]
            due[task["id"]] = events.instant(task["due_at"])

        def came():
            return {e.event["subject"]: e.at for e in other.events if e.type == "reminder.triggered"}

        other.wait("all reminders", lambda: len(came()) == count)
        return [(at - due[task]) * 1000 for task, at in came().items()]


def main() -> int:
    stack = Stack(ROOT / ".dev" / "bench")
    stack.up()
    report = Report("path")
    try:
        one = single(stack, 200)
        report.add("reply, one at a time, p50", percentile(one, 0.5), "ms")
        report.add("reply, one at a time, p99", percentile(one, 0.99), "ms", lambda v: v < 100, "< 100")
        rate, replies = commands(stack, 20 * MINUTES)
        report.add(f"commands, {USERS} sessions", rate, "1/s")
        report.add("reply under that load, p99", percentile(replies, 0.99), "ms", lambda v: v < 500, "< 500")
        late = reminders(stack, 100)
        report.add("reminder after its due time, p50", percentile(late, 0.5), "ms")
        report.add("reminder after its due time, max", max(late), "ms", lambda v: v < 500, "< 500")
        report.head["daemon memory"] = " ".join(
            f"{part} {rss(stack.pid(part))} MiB" for part in ("gateway", "bridge")
        )
    finally:
        stack.down()
    return report.finish()


def rss(pid: int) -> int:
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) >> 10


if __name__ == "__main__":
    sys.exit(main())
