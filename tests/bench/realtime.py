# SPDX-License-Identifier: Apache-2.0
"""
What delivery costs: the gateway (one thread) beside the least a WebSocket server can do (ws_bare) and
mosquitto, in one run. A message's price is the server's processor time, all its threads, over the messages
of a closed loop or of a paced one; latencies count from the moment a message was due or written.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

from support.bench import MINUTES, Report
from support.stack import ROOT, Daemon, Stack, free_port, wait_for

TOOLS = ROOT / "build" / "release" / "tests"
EVENT = """{"specversion":"1.0","id":"' || gen_random_uuid() || '","source":"/todo-chatbot/tasks",\
"type":"task.created","time":"2026-01-01T00:00:00Z","datacontenttype":"application/json","userid":"USER",\
"data":{"at":' || extract(epoch from clock_timestamp()) || ',"title":"wash the car"}}"""
INSERT = (
    f"insert into outbox(user_id,type,payload) select 'USER',1,'{EVENT}' from generate_series(1,COUNT);\n"
)


class Server:
    """A process that is measured: where it listens, what its sessions begin with."""

    def __init__(self, pid: int, port: int, wire: str = "ws", tokens: Path | str = "-"):
        self.pid, self.port, self.wire, self.tokens = pid, port, wire, tokens

    def command(self, count: int, active: int, seconds: float, *work) -> list[str]:
        words = (
            TOOLS / "bench_ws_sessions",
            self.port,
            self.pid,
            self.wire,
            self.tokens,
            count,
            active,
            seconds,
        )
        return [str(word) for word in (*words, *work)]

    def measure(self, *args) -> dict:
        done = subprocess.run(self.command(*args), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


class Writer:
    """Events of one user, written into the outbox through one open connection."""

    def __init__(self, stack: Stack, user: str):
        self.user = user
        stack.sql(f"insert into users(user_id) values ('{user}') on conflict do nothing")
        self.psql = subprocess.Popen(
            ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", stack["TODO_DATABASE_URL"]],
            stdin=subprocess.PIPE,
            text=True,
        )

    def write(self, count: int) -> None:
        self.psql.stdin.write(INSERT.replace("USER", self.user).replace("COUNT", str(count)))
        self.psql.stdin.flush()

    def pace(self, rate: float, batch: int, seconds: float) -> None:
        begin = time.monotonic()
        for number in range(int(rate * seconds / batch)):
            time.sleep(max(0, begin + number * batch / rate - time.monotonic()))
            self.write(batch)

    def close(self) -> None:
        self.psql.stdin.close()
        self.psql.wait()


@contextlib.contextmanager
def bare():
    process = subprocess.Popen([TOOLS / "bench_ws_bare"], stdout=subprocess.PIPE, text=True)
    try:
        yield Server(process.pid, int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def mosquitto(folder: Path):
    port = free_port()
    config = folder / "bench.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
    process = subprocess.Popen(["mosquitto", "-c", config], stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        yield Server(process.pid, port, "mqtt")
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def gateway(stack: Stack, folder: Path, **settings):
    with Daemon(
        stack, "gateway", folder / "gateway.log", threads=1, mqtt_url="", limits_sessions=0, **settings
    ) as daemon:
        wait_for("ready", lambda: daemon.http("/readyz") == 200, 30)
        yield daemon


def certificate(folder: Path) -> dict:
    pem, key = folder / "server.pem", folder / "server.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-subj", "/CN=localhost", "-days", "2", "-keyout", key, "-out", pem],
        check=True, capture_output=True,
    )  # fmt: skip
    return {"tls_certificate": pem, "tls_key": key}


def events(
    server: Server, writer: Writer, sessions: int, wanted: int, seconds: float, send, work="listen"
) -> dict:
    """What the sessions of the writer's user get while send() writes."""
    active = sessions if work == "listen" else sessions * 19 // 20
    process = subprocess.Popen(
        server.command(sessions, active, seconds, work, wanted), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    thread = threading.Thread(target=send)
    thread.start()
    out, _ = process.communicate(timeout=seconds + 120)
    thread.join()
    assert process.returncode == 0, out
    return json.loads(out)


def tokens(stack: Stack, folder: Path, name: str, users: list[str]) -> Path:
    path = folder / name
    path.write_text("".join(stack.token(user) + "\n" for user in users))
    return path


def run(report: Report, stack: Stack, folder: Path, smoke: bool) -> None:
    seconds = 2 if smoke else 8 * MINUTES
    crowd, idle, fans = (400, 500, 100) if smoke else (8000, 10000, 2000)
    users = tokens(stack, folder, "users", [f"rt-{uuid.uuid4().hex[:8]}-{n}" for n in range(idle)])
    one = f"rt-{uuid.uuid4().hex[:8]}"
    alone = tokens(stack, folder, "one", [one])
    writer = Writer(stack, one)
    limit: dict[str, dict] = {}
    with bare() as server:
        for name, count, flight in (("100", 100, 1), (f"{crowd:,}", crowd, 1), ("burst", 100, 16)):
            limit[name] = server.measure(count, min(count, 100), seconds, "ping", flight)
        limit["fan-out"] = server.measure(fans + 1, fans, seconds, "publish", 20, 260)
        limit["bursts"] = server.measure(fans + 1, fans, 60, "burst", 500, 260)
    with bare() as server:
        limit["idle"] = server.measure(idle, 100, 0, "idle")
    with mosquitto(folder) as server:
        peer = server.measure(fans, fans, seconds, "publish", 20, 260)
        peer_bursts = server.measure(fans, fans, 60, "burst", 500, 260)
    certified = certificate(folder)
    for wire, settings in (("ws", {}), ("wss", certified)):
        plain = wire == "ws"
        label = "" if plain else "TLS: "
        with gateway(stack, folder, **settings) as daemon:
            server = Server(daemon.process.pid, daemon.port, wire, users)
            for name, count, flight, goal in (
                ("100", 100, 1, 1.10),
                (f"{crowd:,}", crowd, 1, 1.10),
                ("burst", 100, 16, None),
            ):
                got = server.measure(count, min(count, 100), seconds, "ping", flight)
                base = limit[name]["cpu_us"]
                what = f"{label}ping, {count:,} sessions, 100 of them with {flight} under way"
                good = (lambda v, b=base, g=goal: v <= g * b) if plain and goal else None
                report.add(
                    what, got["cpu_us"], "µs", good, f"≤ {goal} × bare" if good else "", "bare epoll", base
                )
        with gateway(stack, folder, **settings) as daemon:
            server = Server(daemon.process.pid, daemon.port, wire, users)
            held = 1 if smoke else max(35, 35 * MINUTES)
            got = server.measure(idle, 100, held, "idle")
            report.add(f"{label}memory of an idle session, {idle:,} of them", got["session_kb"], "KB",
                       (lambda v: v <= 4) if plain else None, "≤ 4" if plain else "", "bare epoll", limit["idle"]["session_kb"])  # fmt: skip
            report.add(f"{label}idle, a ping each 30 s, of a core", 100 * got["cpu_s"] / got["seconds"], "%",
                       (lambda v: v <= 1) if plain else None, "≤ 1" if plain else "")  # fmt: skip
        with gateway(stack, folder, **settings) as daemon:
            server = Server(daemon.process.pid, daemon.port, wire, alone)
            wanted = int(20 * seconds)
            got = events(server, writer, fans, wanted, seconds + 20, lambda n=seconds: writer.pace(20, 1, n))
            base = limit["fan-out"]["cpu_us"]
            report.add(f"{label}fan-out to {fans:,} sessions, 20/s", got["cpu_us"], "µs",
                       (lambda v, b=base: v <= 1.15 * b) if plain else None, "≤ 1.15 × bare" if plain else "", "bare epoll", base)  # fmt: skip
            if plain:
                report.add(
                    "the same by mosquitto, MQTT",
                    peer["cpu_us"],
                    "µs",
                    reference="bare epoll",
                    reference_value=base,
                )
                healthy = got["p99_ms"]
                stuck = events(
                    server, writer, fans, 0, seconds, lambda n=seconds - 1: writer.pace(20, 1, n), "stuck"
                )
                report.add("fan-out p99 with 5 % stuck readers", stuck["p99_ms"], "ms", lambda v, h=healthy: v <= 1.2 * h,
                           "≤ 1.2 × without", "none stuck", healthy)  # fmt: skip
            got = events(server, writer, fans, 500, 120, lambda: writer.write(500))
            report.add(f"{label}500 events at once to each of {fans:,}", got["cpu_us"], "µs",
                       (lambda v: v <= 1.0) if plain else None, "≤ 1" if plain else "", "bare epoll", limit["bursts"]["cpu_us"])  # fmt: skip
            if plain:
                report.add("the same by mosquitto, MQTT", peer_bursts["cpu_us"], "µs", reference="bare epoll",
                           reference_value=limit["bursts"]["cpu_us"])  # fmt: skip
            rate = 200 if smoke else 2000
            got = events(server, writer, 1, int(rate * seconds), seconds + 20,
                         lambda n=seconds, r=rate: writer.pace(r, r // 200, n))  # fmt: skip
            report.add(f"{label}Kafka to one session, {rate:,}/s", got["cpu_us"], "µs",
                       (lambda v: v <= 20) if plain else None, "≤ 20" if plain else "")  # fmt: skip
            report.add(f"{label}the same, from outbox to socket, p99", got["p99_ms"], "ms",
                       (lambda v: v <= 8) if plain else None, "≤ 8" if plain else "")  # fmt: skip
    writer.close()


def main() -> int:
    targets = ["bench_ws_sessions", "bench_ws_bare"]
    subprocess.run(["cmake", "--build", "--preset", "release", "--target", *targets], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    report = Report("realtime")
    report.head["method"] = (
        "processor time of the server's threads (schedstat); a gateway of one thread; load, "
    )
    report.head["method"] += "PostgreSQL, Kafka and bridge on the same cores"
    stack = Stack(ROOT / ".dev" / "bench")
    stack.up()
    try:
        stack.stop("gateway")
        with tempfile.TemporaryDirectory() as folder:
            run(report, stack, Path(folder), MINUTES == 0)
    finally:
        stack.down()
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
