# SPDX-License-Identifier: Apache-2.0
"""
Lists of 50 open tasks by due time, of users with 1,000 tasks among a million, at 1,000 requests a second.
The limit is the bare query: pgbench, prepared, on the same server in the same run.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from commands import cpu_s
from support.bench import MINUTES, Report
from support.stack import ROOT, shared_stack

SMOKE = MINUTES == 0
USERS = 1000
TASKS = 20_000 if SMOKE else 1_000_000
SECONDS = 3 if SMOKE else max(10, int(MINUTES * 20))
RATE = 1000

COLUMNS = (
    "id,user_id,version,status,title,notes,priority,array_to_string(tags,E'\\x1f'),project,due_kind,due_local,"
    "due_zone,due_at,recurrence::text,start_local,occurrence,reminders::text,parent_id,created_at,updated_at,"
    "completed_at,deleted_at,next_local"
)
QUERY = f"""\\set u random(1, {USERS})
SELECT {COLUMNS} FROM tasks WHERE user_id='list-' || :u AND status=0 ORDER BY due_at NULLS LAST,id LIMIT 51;
"""


def fill(stack) -> None:
    stack.sql(
        f"""insert into users(user_id) select 'list-' || n from generate_series(1,{USERS}) n on conflict do nothing;
        insert into tasks(id,user_id,version,status,title,due_kind,due_local,due_zone,due_at,created_at,updated_at)
        select gen_random_uuid(), 'list-' || (n % {USERS} + 1), 1, 0, 'Task number ' || n, 3, at at time zone 'UTC', 'UTC', at, now(), now()
        from (select n, now() + n * interval '1 min' as at from generate_series(1,{TASKS}) n) x"""
    )
    stack.sql("vacuum analyze tasks")


def backends(stack, name: str) -> list[int]:
    rows = stack.sql(f"select pid from pg_stat_activity where application_name = '{name}'")
    return [int(row[0]) for row in rows]


def lists(stack, seconds: int) -> dict:
    tool = ROOT / "build" / "release" / "tests" / "bench_http_load"
    port = stack["TODO_URL"].rsplit(":", 1)[1]
    pids = [int(stack["TODO_GATEWAY_PID"]), *backends(stack, "todo-gateway")]
    with tempfile.NamedTemporaryFile("w", suffix=".tokens") as tokens:
        tokens.write("".join(stack.token(f"list-{n}") + "\n" for n in range(1, USERS + 1)))
        tokens.flush()
        before = sum(map(cpu_s, pids))
        done = subprocess.run(
            [tool, port, "/api/v1/tasks?limit=50", tokens.name, "32", str(seconds), str(RATE)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        result = json.loads(done.stdout)
        result["cpu_us"] = (sum(map(cpu_s, pids)) - before) * 1e6 / result["done"]
    return result


def bare(stack, seconds: int) -> tuple[float, float]:
    """CPU of the server's side, and p-mean latency, of one query."""
    tool = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"), reverse=True)), "pgbench")
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(QUERY)
        script.flush()
        run = subprocess.Popen(
            [tool, "-n", "-M", "prepared", "-c", "4", "-j", "1", "-R", str(RATE), "-T", str(seconds), "-f", script.name,
             stack["TODO_DATABASE_URL"]],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        pids = []
        while len(pids) < 4 and run.poll() is None:
            pids = backends(stack, "pgbench")
        before = sum(map(cpu_s, pids))
        used = before
        while run.poll() is None:
            try:
                used = sum(map(cpu_s, pids))
                run.wait(0.05)
            except (OSError, subprocess.TimeoutExpired):
                continue
    text = run.stdout.read()
    assert run.returncode == 0, run.stderr.read()
    count = int(
        next(line for line in text.splitlines() if "actually processed" in line).split(":")[1].split("/")[0]
    )
    latency = float(next(line for line in text.splitlines() if line.startswith("latency average")).split("=")[1].split()[0])  # fmt: skip
    return (used - before) * 1e6 / count, latency


def main() -> int:
    subprocess.run(
        ["cmake", "--build", "--preset", "release", "--target", "bench_http_load"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    report = Report("rest")
    report.head["method"] = (
        f"{RATE}/s, open loop, {SECONDS} s; {USERS} users, {TASKS:,} tasks; the bridge is stopped"
    )
    with shared_stack() as stack:
        fill(stack)
        stack.stop("bridge")
        lists(stack, 2)  # users read, plans made
        bare_us, bare_ms = bare(stack, SECONDS)
        result = lists(stack, SECONDS)
        stack.start("bridge")
        report.add("lists of 50", result["rate"], "1/s")
        report.add("p50", result["p50_ms"], "ms", None, "", "pgbench, mean", bare_ms)
        report.add("p99", result["p99_ms"], "ms", lambda v: v <= 5, "≤ 5")
        report.add("answer", result["bytes"] / 1024, "KiB")
        report.add("CPU of gateway and database", result["cpu_us"], "µs", lambda v: v <= 1.5 * bare_us, "≤ 1.5 × bare",
                   "bare query, database only", bare_us)  # fmt: skip
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
