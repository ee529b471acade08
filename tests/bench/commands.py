# SPDX-License-Identifier: Apache-2.0
"""
Chat commands a second through the whole gateway, over WebSocket, with fsync on. The yardstick is
pgbench on the same server in the same run: the same rows written (turn, task, firing, dialogue, two
events), one command a transaction, prepared, eight clients, nothing of ours in between.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from support.bench import MINUTES, Report
from support.stack import ROOT, shared_stack

TEXT = "remind me to water plant %d tomorrow at 9"
SESSIONS = 256
TICKS = os.sysconf("SC_CLK_TCK")
PRELOAD = (1_000, 1_000_000)

PGBENCH = r"""
\set n random(1, 1000000000)
\set u random(1, 256)
BEGIN;
UPDATE dialogue SET version=version+1, state='{"it":"0123456789abcdef0123456789abcdef"}', updated_at=now() WHERE user_id='pgbench-' || :u;
INSERT INTO turn(user_id,device,client_id,hash,channel,at,text,reply) VALUES ('pgbench-' || :u,'bench',gen_random_uuid()::text,42,0,now(),'remind me to water plant tomorrow at 9',repeat('r',900));
WITH t AS (INSERT INTO tasks(id,user_id,version,status,title,due_kind,due_local,due_zone,due_at,occurrence,reminders,created_at,updated_at) VALUES (gen_random_uuid(),'pgbench-' || :u,1,0,'water plant',3,'2035-01-01 09:00','UTC','2035-01-01 09:00+00',1,'[{"id":"01a20b71-fbbb-7003-bf1e-911f2c0609a9","before":"PT0S"}]',now(),now()) RETURNING id) INSERT INTO reminder_fire(reminder_id,occurrence,repeat,task_id,user_id,fire_at) SELECT gen_random_uuid(),1,0,id,'pgbench-' || :u,'2035-01-01 09:00+00' FROM t;
INSERT INTO outbox(user_id,type,payload) VALUES ('pgbench-' || :u,1,'{"payload":"' || repeat('p',900) || '"}');
INSERT INTO outbox(user_id,type,payload) VALUES ('pgbench-' || :u,9,'{"payload":"' || repeat('p',1400) || '"}');
COMMIT;
"""  # noqa: E501


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def preload(stack, total: int) -> None:
    """Tasks of other users, until there are so many."""
    stack.sql(
        f"""insert into users(user_id) select 'old-' || n from generate_series(1,1000) n on conflict do nothing;
        insert into tasks(id,user_id,version,status,title,due_kind,due_local,due_zone,due_at,created_at,updated_at)
        select gen_random_uuid(), 'old-' || (n % 1000 + 1), 1, n % 3 % 2, 'Old task ' || n, 3, at at time zone 'UTC', 'UTC', at, now(), now()
        from (select n, now() + n * interval '1 min' as at from generate_series((select count(*) from tasks)::int, {total}) n) x;
        analyze tasks"""
    )


def pgbench(stack, seconds: int) -> float:
    stack.sql(
        "insert into users(user_id) select 'pgbench-' || n from generate_series(1,256) n on conflict do nothing;"
        "insert into dialogue(user_id,version,state) select 'pgbench-' || n,0,'' from generate_series(1,256) n"
        " on conflict do nothing"
    )
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(PGBENCH)
        script.flush()
        tool = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"), reverse=True)), "pgbench")
        command = [tool, "-n", "-M", "prepared", "-c", "8", "-j", "1", "-T", str(seconds), "-f", script.name]
        done = subprocess.run(
            [*command, stack["TODO_DATABASE_URL"]], capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr[-2000:]
    line = next(line for line in done.stdout.splitlines() if line.startswith("tps"))
    return float(line.split()[2])


def drive(stack, tokens: Path, seconds: float, rate: float) -> dict:
    port = stack["TODO_URL"].rsplit(":", 1)[1]
    tool = ROOT / "build" / "release" / "tests" / "bench_ws_commands"
    gateway = int(stack["TODO_GATEWAY_PID"])
    before = cpu_s(gateway)
    done = subprocess.run(
        [tool, port, tokens, str(seconds), str(rate), TEXT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    result["gateway_us"] = (cpu_s(gateway) - before) * 1e6 / max(result["replies"], 1)
    return result


def main() -> int:
    smoke = MINUTES == 0
    seconds = 3 if smoke else max(10, int(MINUTES * 15))
    subprocess.run(
        ["cmake", "--build", "--preset", "release", "--target", "bench_ws_commands"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    report = Report("commands")
    rates = {}
    with shared_stack() as stack, tempfile.TemporaryDirectory() as folder:
        report.head["method"] = (
            f"{SESSIONS} sessions, {seconds} s each; relay stopped while commands and pgbench are measured"
        )
        tokens = Path(folder) / "tokens"
        run = uuid.uuid4().hex[:6]
        tokens.write_text("".join(stack.token(f"bench-{run}-{n}") + "\n" for n in range(SESSIONS)))
        drive(stack, tokens, 2, 0)  # users made, caches warm
        stack.stop("bridge")
        for total in PRELOAD[:1] if smoke else PRELOAD:
            preload(stack, total)
            yardstick = pgbench(stack, seconds)
            fast = drive(stack, tokens, seconds, 0)
            size = f"at {total:,} tasks"
            rates[total] = fast["rate"]
            report.add(f"commands {size}", fast["rate"], "1/s", lambda v, y=yardstick: v >= 5 * y, "≥ 5 × pgbench",
                       "pgbench, 8 clients", yardstick)  # fmt: skip
            report.add(f"gateway CPU {size}", fast["gateway_us"], "µs", lambda v: v <= 25, "≤ 25")
            half = drive(stack, tokens, seconds, fast["rate"] / 2)
            report.add(f"p99 at half the rate {size}", half["p99_ms"], "ms", lambda v: v <= 25, "≤ 25")
            report.add(f"p50 at half the rate {size}", half["p50_ms"], "ms")
        if not smoke:
            flat = rates[PRELOAD[1]] / rates[PRELOAD[0]]
            report.add("rate with 10⁶ tasks against 10³", flat, "", lambda v: v >= 0.8, "≥ 0.8")
        stack.start("bridge")
        time.sleep(2)
        whole = drive(stack, tokens, seconds, 0)
        report.add("commands, events delivered beside", whole["rate"], "1/s")
        report.add("gateway CPU, events delivered beside", whole["gateway_us"], "µs")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
