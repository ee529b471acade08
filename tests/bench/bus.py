# SPDX-License-Identifier: Apache-2.0
"""
What sidecars cost: the same events over the direct bus and through Dapr, one stack after the other. First
at a steady pace, from commit to a session's socket; then a backlog, as fast as it goes, with the processor
time of daemons and sidecars for each event (one record in task-updates and one in task-events, consumed by
gateway, MQTT relay, auditor and webhooks).
"""

import json
import os
import pathlib
import sys
import time
import urllib.request
import uuid

from support import events
from support.bench import MINUTES, Report, percentile
from support.client import Client
from support.stack import ROOT, Stack, wait_for

RATE = 100
BACKLOG = 20000
USERS = 500
TICK = os.sysconf("SC_CLK_TCK")


def cpu(stack: Stack, parts: tuple[str, ...]) -> float:
    """Seconds of processor time so far."""
    total = 0.0
    for part in parts:
        fields = pathlib.Path(f"/proc/{stack.pid(part)}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / TICK
    return total


def metric(stack: Stack, daemon: str, name: str) -> float:
    with urllib.request.urlopen(stack[f"TODO_{daemon}_INTERNAL_URL"] + "/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


def steady(stack: Stack, seconds: float, users: int) -> list[float]:
    """From a command's commit to its event at another session, ms, at RATE commands a second of all."""
    tokens = [stack.token(f"bench-{uuid.uuid4()}") for _ in range(users)]
    desks = [Client(stack["TODO_WS_URL"], token, "a") for token in tokens]
    others = [Client(stack["TODO_WS_URL"], token, "b", timeout=60) for token in tokens]
    begin, count = time.monotonic(), int(RATE * seconds)
    for number in range(count):
        time.sleep(max(0, begin + number / RATE - time.monotonic()))
        desks[number % users].send({"type": "message", "id": f"m{number}", "text": "add task wash the car"})
    created = [lambda other=other: [e for e in other.events if e.type == "task.created"] for other in others]
    wait_for("all events", lambda: sum(len(events_of()) for events_of in created) >= count, 60)
    came = sorted(
        (e.at, (e.at - events.instant(e.event["time"])) * 1000) for events_of in created for e in events_of()
    )
    for client in desks + others:
        client.close()
    # The first ones also warm up caches and connections.
    return [late for _, late in came[count // 10 :]]


def backlog(stack: Stack, parts: tuple[str, ...]) -> tuple[float, dict[str, float]]:
    """Events a second, and microseconds of each part for an event."""
    rows = []
    for number in range(BACKLOG):
        user = f"bench-{number % USERS}"
        event = {
            "specversion": "1.0", "id": str(uuid.uuid4()), "source": "/todo-chatbot/tasks",
            "type": "task.created", "time": "2026-01-01T00:00:00Z", "datacontenttype": "application/json",
            "userid": user, "data": {"number": number, "title": "wash the car", "notes": "x" * 200},
        }  # fmt: skip
        rows.append(f"('{user}',1,'{json.dumps(event, separators=(',', ':'))}')")
    stack.sql(
        "insert into users(user_id) select 'bench-'||n from generate_series(0,499) n on conflict do nothing"
    )
    seen = metric(stack, "GATEWAY", "todo_gateway_events_total")
    audited = metric(stack, "BRIDGE", "todo_audit_records_total")
    sent = metric(stack, "BRIDGE", 'todo_mqtt_published_total{kind="updates"}')
    before = {part: cpu(stack, (part,)) for part in parts}
    begin = time.monotonic()
    for first in range(0, BACKLOG, 2000):
        path = stack.folder / "backlog.sql"
        path.write_text(
            "insert into outbox(user_id,type,payload) values " + ",".join(rows[first : first + 2000])
        )
        stack.dev("psql", "-q", "-f", str(path))
    wait_for("gateway", lambda: metric(stack, "GATEWAY", "todo_gateway_events_total") >= seen + BACKLOG, 300)
    rate = BACKLOG / (time.monotonic() - begin)
    wait_for("audit", lambda: metric(stack, "BRIDGE", "todo_audit_records_total") >= audited + BACKLOG, 300)
    wait_for(
        "mqtt",
        lambda: metric(stack, "BRIDGE", 'todo_mqtt_published_total{kind="updates"}') >= sent + BACKLOG,
        300,
    )
    return rate, {part: (cpu(stack, (part,)) - before[part]) / BACKLOG * 1e6 for part in parts}


def measure(bus: str) -> dict:
    stack = Stack(ROOT / ".dev" / "bench")
    stack.environ["TODO_DEV_BUS"] = bus
    parts = ("bridge", "gateway") + (("bridgesidecar", "gatewaysidecar") if bus == "dapr" else ())
    stack.up(*(["--dapr"] if bus == "dapr" else []))
    try:
        time.sleep(3)
        late = steady(stack, 10 * MINUTES, 20)
        alone = steady(stack, 10 * MINUTES, 1)
        rate, spent = backlog(stack, parts)
    finally:
        stack.down()
    return {
        "p50": percentile(late, 0.5), "p99": percentile(late, 0.99),
        "alone p50": percentile(alone, 0.5), "alone p99": percentile(alone, 0.99),
        "rate": rate, "cpu": spent,
    }  # fmt: skip


def main() -> int:
    report = Report("bus")
    version = next(
        line.split()[-1]
        for line in (ROOT / "tests" / "support" / "daprd" / "go.mod").read_text().splitlines()
        if "github.com/dapr/dapr v" in line
    )
    report.head["daprd"] = version
    report.head["method"] = (
        f"{RATE} commands/s of 20 users, the same of one, then {BACKLOG} events of {USERS} users; one run each"
    )
    results = {bus: measure(bus) for bus in ("kafka", "dapr")}
    for bus, result in results.items():
        label = "direct" if bus == "kafka" else "dapr"
        report.add(f"{label}: commit to session, p50", result["p50"], "ms")
        report.add(f"{label}: commit to session, p99", result["p99"], "ms")
        report.add(f"{label}: the same, one user only, p50", result["alone p50"], "ms")
        report.add(f"{label}: the same, one user only, p99", result["alone p99"], "ms")
        report.add(f"{label}: backlog", result["rate"], "events/s")
        for part, micros in result["cpu"].items():
            report.add(f"{label}: processor time, {part}", micros, "µs/event")
        report.add(f"{label}: processor time, all", sum(result["cpu"].values()), "µs/event")
    report.add("dapr ÷ direct: p50", results["dapr"]["p50"] / results["kafka"]["p50"], "×")
    report.add(
        "dapr ÷ direct: processor time",
        sum(results["dapr"]["cpu"].values()) / sum(results["kafka"]["cpu"].values()), "×",
    )  # fmt: skip
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
