# SPDX-License-Identifier: Apache-2.0
"""
Reminders that are due: claimed, with receipts and events written, numbered by the relay and published
to Kafka. Peers in the same run on the same PostgreSQL: graphile-worker and pg-boss with a handler that
does nothing; they write no outbox and publish nothing.
"""

import contextlib
import json
import subprocess
import sys
import time

from confluent_kafka import Consumer, TopicPartition
from support.bench import MINUTES, Report
from support.stack import ROOT, shared_stack

QUEUES = ROOT / "tests" / "bench" / "queues"
USERS = 2000
SMOKE = MINUTES == 0
DUE = 5_000 if SMOKE else 1_000_000
PEER_JOBS = 2_000 if SMOKE else 100_000
RATE_S = 3 if SMOKE else 30
AT_ONCE = 2_000 if SMOKE else 20_000
LEFT = "select count(*) from (select from reminder_fire where fire_at < now() + interval '1 min' limit 1) x"


def insert(stack, run: str, count: int, fire_at: str) -> None:
    """count tasks of USERS users with a reminder each; fire_at may use n."""
    stack.sql(
        f"""insert into users(user_id) select 'fire-' || n from generate_series(1,{USERS}) n on conflict do nothing;
        with t as (insert into tasks(id,user_id,version,status,title,priority,due_kind,due_local,due_zone,due_at,created_at,updated_at)
          select gen_random_uuid(), 'fire-' || (n % {USERS} + 1), 1, 0, '{run} ' || n, n % 5, 3,
            at at time zone 'UTC', 'UTC', at, now(), now()
          from (select n, {fire_at} as at from generate_series(1,{count}) n) x returning id, user_id, due_at, priority)
        insert into reminder_fire(reminder_id,occurrence,repeat,task_id,user_id,fire_at,rank)
          select gen_random_uuid(), 1, 0, id, user_id, due_at, 4 - priority from t"""
    )


def published(brokers: str) -> int:
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "bench", "log_level": 0})
    parts = consumer.list_topics("reminders", timeout=10).topics["reminders"].partitions
    ends = [consumer.get_watermark_offsets(TopicPartition("reminders", p), timeout=10)[1] for p in parts]
    consumer.close()
    return sum(ends)


def wait_drained(stack, query: str) -> None:
    while stack.sql(query) != [["0"]]:
        time.sleep(0.5)


def lateness(stack, run: str) -> tuple[float, float, float]:
    """p50, p99 and the greatest, in milliseconds, from due to the commit that fires."""
    row = stack.sql(
        f"""select percentile_cont(array[0.5, 0.99, 1]) within group
        (order by extract(epoch from r.fired_at - r.due_at) * 1000)
        from receipt r join tasks t on t.id = r.task_id where t.title like '{run} %'"""
    )[0][0]
    return tuple(float(value) for value in row.strip("{}").split(","))


@contextlib.contextmanager
def bridge(stack):
    """One that fires and publishes: MQTT and the audit log are not what the peers are beside."""
    program = ROOT / "build" / "release" / "bin" / "todo-bridge"
    conf = stack.folder / "conf" / "bridge.conf"
    with subprocess.Popen(
        [program, "--config", conf, "--roles=relay,scheduler"], stderr=subprocess.DEVNULL
    ) as one:
        try:
            yield
        finally:
            one.terminate()
            one.wait()
            stack.start("bridge")


def backlog(stack, report: Report) -> float:
    stack.stop("bridge")
    insert(stack, "backlog", DUE, "now() + interval '10 d'")
    stack.sql("analyze reminder_fire; analyze tasks")
    before = published(stack["TODO_KAFKA_BROKERS"])
    waiting = "fire_at between now() + interval '9 d' and now() + interval '11 d'"
    stack.sql(f"update reminder_fire set fire_at = now() where {waiting}")
    stack.sql("vacuum analyze reminder_fire")
    start = time.monotonic()
    with bridge(stack):
        wait_drained(stack, LEFT)
        fired_s = time.monotonic() - start
        while published(stack["TODO_KAFKA_BROKERS"]) - before < DUE:
            time.sleep(0.5)
        published_s = time.monotonic() - start
    report.add("fired, with receipt and event", DUE / fired_s, "1/s")
    return DUE / published_s


def peer(stack, name: str) -> dict:
    url = stack["TODO_DATABASE_URL"]
    stack.sql("create database queues")
    try:
        done = subprocess.run(
            ["node", "run.js", name, url.rsplit("/", 1)[0] + "/queues", str(PEER_JOBS)],
            cwd=QUEUES,
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout.strip().splitlines()[-1])
    finally:
        stack.sql("drop database queues with (force)")


def main() -> int:
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=QUEUES, check=True)
    report = Report("scheduler")
    report.head["method"] = f"{DUE:,} reminders due at once of {USERS} users; peers: {PEER_JOBS:,} jobs"
    with shared_stack() as stack:
        insert(stack, "steady", 1000 * RATE_S, "now() + interval '3 s' + n * interval '1 ms'")
        wait_drained(stack, LEFT)
        p50, p99, _ = lateness(stack, "steady")
        report.add("lateness at 1,000 due a second, p50", p50, "ms")
        report.add("lateness at 1,000 due a second, p99", p99, "ms", lambda v: v <= 50, "≤ 50")
        insert(stack, "hour", AT_ONCE, "date_trunc('second', now()) + interval '5 s'")
        wait_drained(stack, LEFT)
        _, _, most = lateness(stack, "hour")
        report.add(f"latest of {AT_ONCE:,} due at once", most, "ms", lambda v: v <= 1000, "≤ 1,000")
        peers = {name: peer(stack, name) for name in ("graphile-worker", "pg-boss")}
        for name, result in peers.items():
            report.add(f"{name} {result['version']}", result["rate"], "1/s")
        best = max(peers, key=lambda name: peers[name]["rate"])
        whole = backlog(stack, report)
        report.add("fired and published to Kafka", whole, "1/s", lambda v: v >= 15_000, "≥ 15,000", best, peers[best]["rate"])  # fmt: skip
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
