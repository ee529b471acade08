# SPDX-License-Identifier: Apache-2.0
"""
The recurrence engine: occurrences per CPU-second beside libical and python-dateutil in the same run,
what one question costs from nothing, and how soon a rule that never occurs is known.
"""

import argparse
import datetime
import importlib.metadata
import json
import pathlib
import subprocess
import sys
import time

from dateutil import rrule

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.bench import MINUTES, Report
from support.stack import ROOT

START = datetime.datetime(2026, 11, 24, 9)
HORIZON = START.replace(year=START.year + 60)
GOALS = {"daily": 5e6, "every 3 days": 5e6, "weekly": 5e6, "weekly, 3 days": 5e6, "monthly": 1e6}
GOALS |= {"monthly, last Friday": 1e6, "monthly, last weekday": 1e6}
RULES = {
    "daily": "FREQ=DAILY",
    "every 3 days": "FREQ=DAILY;INTERVAL=3",
    "weekly": "FREQ=WEEKLY",
    "weekly, 3 days": "FREQ=WEEKLY;BYDAY=MO,WE,FR",
    "monthly": "FREQ=MONTHLY",
    "monthly, last Friday": "FREQ=MONTHLY;BYDAY=-1FR",
    "monthly, last weekday": "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "yearly": "FREQ=YEARLY",
    "every 15 minutes": "FREQ=MINUTELY;INTERVAL=15",
}


def dateutil_rate(text: str, seconds: float) -> float:
    """Wall times only, as libical."""
    begin, count = time.process_time(), 0
    while True:
        for number, at in enumerate(rrule.rrulestr(text, dtstart=START)):
            if at >= HORIZON or number == 100000:
                break
            count += 1
            if count % 64 == 0 and time.process_time() - begin > seconds:
                return count / (time.process_time() - begin)


def run_program(build: pathlib.Path, seconds: float) -> list[dict]:
    subprocess.run(["cmake", "--build", str(build), "--target", "bench_recurrence"], check=True, stdout=2)
    program = build / "tests" / "bench_recurrence"
    done = subprocess.run([str(program), str(seconds)], check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--out", type=pathlib.Path, help="write the figures there, too")
    options = parser.parse_args()
    seconds = 0.5 * MINUTES
    report = Report("recurrence")
    rows = run_program(options.build, seconds)
    value = {(row["engine"].split()[0], row["kind"], row["name"]): row["value"] for row in rows}
    report.head["libical"] = next((r["engine"][8:] for r in rows if r["engine"] != "ours"), "not installed")
    report.head["dateutil"] = importlib.metadata.version("python-dateutil")
    for name, text in RULES.items():
        ours = value["ours", "iterate", name]
        others = {
            "libical": value.get(("libical", "iterate", name)),
            "dateutil": dateutil_rate(text, seconds),
        }
        for other, rate in others.items():
            if rate:
                goal = GOALS.get(name)
                report.add(
                    name,
                    round(ours),
                    "1/CPU-s",
                    (lambda v, goal=goal: v >= goal) if goal else None,
                    f">= {goal / 1e6:g} M" if goal else "",
                    other,
                    round(rate),
                )
    for name in RULES:
        report.add(f"next after, from nothing: {name}", value["ours", "ask", name], "µs")
    worst = max((row for row in rows if row["kind"] == "refuse"), key=lambda row: row["value"])
    report.add('slowest "none"', worst["value"], "ms", lambda v: v < 1, "< 1", worst["name"])
    status = report.finish()
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(report.rows, indent=1, ensure_ascii=False) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
