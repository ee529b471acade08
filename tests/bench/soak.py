# SPDX-License-Identifier: Apache-2.0
"""
Hours of a gateway's life in minutes: many idle sessions, a crowd that comes and goes, storms of reconnects,
readers that got stuck, and events all the while. Memory and descriptors must not grow: the second half of
the time is compared with the first, after a warm-up.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

import realtime
from support.bench import MINUTES, Report
from support.stack import ROOT, Stack


class Sampler(threading.Thread):
    """Memory, descriptors and sessions of the gateway, once a second."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.daemon_, self.samples, self.over = daemon, [], threading.Event()

    def run(self) -> None:
        pid = self.daemon_.process.pid
        while not self.over.wait(1):
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            self.samples.append(
                (pages * os.sysconf("SC_PAGESIZE") / 1024, len(os.listdir(f"/proc/{pid}/fd")))
            )


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def crowd(server, idle: int, seconds: float):
    """Sessions that stay."""
    return subprocess.Popen(server.command(idle, 1, seconds, "idle"), stdout=subprocess.DEVNULL)


def churn(server, stuck, end: float, turns: list[int]) -> None:
    """Sessions that come, talk and go: a storm of 500 at once, and some that stop reading."""
    while time.monotonic() < end:
        server.measure(500, 100, 1, "ping", 1)
        with subprocess.Popen(stuck.command(40, 20, 4, "stuck", 0), stdout=subprocess.DEVNULL):
            pass
        turns[0] += 1


def main() -> int:
    smoke = MINUTES == 0
    seconds, idle = (12, 300) if smoke else (60 * MINUTES, 9000)
    targets = ["bench_ws_sessions"]
    subprocess.run(["cmake", "--build", "--preset", "release", "--target", *targets], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    report = Report("soak")
    report.head["method"] = (
        f"{idle} idle sessions, 540 that come and go, events at 100/s, for {seconds:.0f} s"
    )
    stack = Stack(ROOT / ".dev" / "bench")
    stack.up()
    try:
        stack.stop("gateway")
        with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as open_:
            folder = Path(name)
            run = uuid.uuid4().hex[:8]
            # A queue small enough that a stuck reader is let go within its turn.
            daemon = open_.enter_context(realtime.gateway(stack, folder, limits_queue="64k"))
            users = realtime.tokens(stack, folder, "users", [f"soak-{run}-{n}" for n in range(2000)])
            alone = realtime.tokens(stack, folder, "one", [f"soak-{run}-0"])
            server = realtime.Server(daemon.process.pid, daemon.port, "ws", users)
            stuck = realtime.Server(daemon.process.pid, daemon.port, "ws", alone)
            writer = realtime.Writer(stack, f"soak-{run}-0")
            open_.callback(writer.close)
            stay = crowd(server, idle, seconds + 60)
            open_.callback(stay.kill)
            time.sleep(3 if smoke else 15)
            sampler, turns = Sampler(daemon), [0]
            sampler.start()
            end = time.monotonic() + seconds
            worker = threading.Thread(target=churn, args=(server, stuck, end, turns))
            worker.start()
            writer.pace(100, 10, seconds)
            worker.join()
            assert stay.poll() is None, "the sessions that stay were lost"
            assert daemon.process.poll() is None, "the gateway ended"
            sampler.over.set()
            samples = sampler.samples[len(sampler.samples) // 5 :]
            half = len(samples) // 2
            for what, index, unit in (("memory", 0, "KB"), ("descriptors", 1, "")):
                first, second = (mean([s[index] for s in part]) for part in (samples[:half], samples[half:]))
                report.add(f"{what}, second half of the time", second, unit,
                           lambda v, f=first: v <= 1.05 * f, "≤ 1.05 × first half", "first half", first)  # fmt: skip
            report.add("turns of coming and going", turns[0], "", lambda v: v > 0, "> 0")
    finally:
        stack.down()
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
