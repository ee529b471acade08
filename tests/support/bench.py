# SPDX-License-Identifier: Apache-2.0
"""
The common form of a bench: a table for people and build/bench/NAME.json for machines. The head names
the machine and every version that matters, so that a figure is never read without them.
"""

import json
import os
import pathlib
import platform
import subprocess
from collections.abc import Callable

from support.stack import ROOT

MINUTES = float(os.environ.get("TODO_BENCH_MINUTES", "1"))


def percentile(values: list[float], share: float) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, int(len(ordered) * share + 0.5) - 1))]


def _first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return "not installed"
    return (done.stdout or done.stderr).strip().split("\n")[0]


def machine() -> dict[str, str]:
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    memory = pathlib.Path("/proc/meminfo").read_text().split()[1]
    return {
        "cpu": f"{os.cpu_count()} × {cpu}",
        "memory": f"{int(memory) >> 20} GiB",
        "kernel": platform.release(),
        "load before": f"{os.getloadavg()[0]:.2f}",
        "todo-chatbot": _first_line("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "compiler": _first_line("cc", "--version"),
        "PostgreSQL": _first_line("psql", "--version"),
        "mosquitto": _first_line("mosquitto", "-h"),
        "Java": _first_line("java", "-version"),
        "Python": platform.python_version(),
    }


class Report:
    def __init__(self, name: str):
        self.name = name
        self.head = machine()
        self.rows: list[dict] = []

    def add(
        self,
        metric: str,
        value: float,
        unit: str,
        goal: Callable[[float], bool] | None = None,
        goal_text: str = "",
        reference: str = "",
        reference_value: float | None = None,
    ) -> None:
        """goal decides about ok; reference is what somebody else's software reached, and where that is said."""
        self.rows.append(
            {
                "metric": metric,
                "value": value,
                "unit": unit,
                "reference": reference or None,
                "reference_value": reference_value,
                "ratio": round(value / reference_value, 3) if reference_value else None,
                "goal": goal_text or None,
                "ok": bool(goal(value)) if goal else None,
            }
        )

    def finish(self) -> int:
        """Prints and writes; the exit code: 1 when a goal was missed."""
        print(f"bench {self.name}")
        for key, value in self.head.items():
            print(f"  {key:14} {value}")
        columns = ("metric", "value", "unit", "goal", "ok", "reference", "reference_value", "ratio")
        table = [columns] + [tuple(self._cell(row[c]) for c in columns) for row in self.rows]
        widths = [max(len(line[i]) for line in table) for i in range(len(columns))]
        for line in table:
            print(
                "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            )
        folder = ROOT / "build" / "bench"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.json").write_text(json.dumps(self.rows, indent=1, ensure_ascii=False) + "\n")
        return 0 if all(row["ok"] is not False for row in self.rows) else 1

    @staticmethod
    def _cell(value) -> str:
        if value is None:
            return "-"
        if isinstance(value, bool):
            return "yes" if value else "NO"
        return f"{value:,.4g}" if isinstance(value, float) else str(value)
