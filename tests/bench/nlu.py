# SPDX-License-Identifier: Apache-2.0
"""
The understanding on one core: messages a second over mixed texts and start-up; chrono-node, which reads dates only, on the same texts in the same run.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

from support.bench import Report
from support.stack import ROOT

CHRONO = "2.10.3"
PEER = """
import * as chrono from "chrono-node";
import fs from "node:fs";
const rows = fs.readFileSync(process.argv[2], "utf8").trim().split("\\n").map((l) => JSON.parse(l));
let best = 0;
for (let round = 0; round < 4; round++) {
    const start = process.hrtime.bigint();
    for (const row of rows) chrono.parse(row.text, new Date(row.reference + "Z"), { forwardDate: true });
    best = Math.max(best, rows.length / (Number(process.hrtime.bigint() - start) / 1e9));
}
console.log(best);
"""


def texts(folder: pathlib.Path) -> tuple[pathlib.Path, str]:
    """The evaluation data if it is there, otherwise our own messages."""
    evaluation = os.environ.get("TODO_EVAL_DIR")
    if not evaluation:
        return ROOT / "tests" / "data" / "nlu" / "messages.jsonl", "own messages"
    target = folder / "mixed.jsonl"
    with target.open("w") as out:
        for file in sorted((pathlib.Path(evaluation) / "nlu").glob("*.jsonl")):
            for line in file.read_text().splitlines():
                row = json.loads(line)
                row = {
                    "text": row["text"],
                    "reference": row.get("reference", "2026-03-11T09:30:00"),
                    "timezone": "UTC",
                }
                out.write(json.dumps(row) + "\n")
    return target, "evaluation texts"


def last_word(command: list[str]) -> float:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return float(done.stdout.split()[-1])


def children_ms() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1000


def startup_ms(binary: str) -> float:
    """Of processor time, so that other load on the machine does not count."""
    best = 1e9
    for _ in range(5):
        before = children_ms()
        subprocess.run([binary], input='{"text":"hi"}\n', capture_output=True, text=True, check=True)
        best = min(best, children_ms() - before)
    return best


def chrono(file: pathlib.Path) -> float | None:
    """Messages a second of chrono-node, None where node or the network is missing."""
    if not shutil.which("npm"):
        return None
    folder = ROOT / "build" / "bench" / "chrono"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "peer.mjs").write_text(PEER)
    if not (folder / "node_modules" / "chrono-node").is_dir():
        install = [
            "npm",
            "install",
            "--silent",
            "--no-audit",
            "--prefix",
            str(folder),
            f"chrono-node@{CHRONO}",
        ]
        if subprocess.run(install, capture_output=True, timeout=300, check=False).returncode:
            return None
    return last_word(["node", str(folder / "peer.mjs"), str(file)])


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    arguments.add_argument("--out", type=pathlib.Path, help="a second place for the figures")
    options = arguments.parse_args()
    binary = str(options.build / "bin" / "todo-nlu")
    report = Report("nlu")
    with tempfile.TemporaryDirectory() as folder:
        file, what = texts(pathlib.Path(folder))
        ours = max(last_word([binary, "--bench", str(file)]) for _ in range(3))
        peer = chrono(file)
        report.add(
            f"understanding, {what}",
            ours,
            "messages/s on one core",
            lambda v: v >= 200_000,
            ">= 200,000",
            f"chrono-node {CHRONO}, dates only, same run" if peer else "",
            peer,
        )
    report.add("start-up, rules compiled", startup_ms(binary), "ms of CPU", lambda v: v <= 100, "<= 100")
    status = report.finish()
    written = ROOT / "build" / "bench" / "nlu.json"
    if options.out and options.out.resolve() != written:
        shutil.copyfile(written, options.out)
    return status


if __name__ == "__main__":
    sys.exit(main())
