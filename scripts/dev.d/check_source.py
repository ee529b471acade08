#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules that no general tool knows: banned functions, licence lines, who may include whom."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

BANNED = {
    "strcpy": "base_buf_add_*",
    "strcat": "base_buf_add_*",
    "sprintf": "snprintf or base_buf",
    "vsprintf": "vsnprintf or base_buf",
    "strtok": "base_sv",
    "atoi": "base_sv",
    "atol": "base_sv",
    "scanf": "base_sv",
    "sscanf": "base_sv",
    "gets": "fgets",
    "rand": "getrandom or a seeded generator of your own",
    "srand": "getrandom or a seeded generator of your own",
    "localtime": "lib/time",
    "localtime_r": "lib/time: TZ is process-wide",
    "gmtime": "gmtime_r or lib/time",
    "ctime": "lib/time",
    "alloca": "an arena or a bounded array",
}
BANNED_CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")

# A folder may include from itself and from these (docs/architecture.md). The longest prefix counts.
MAY_INCLUDE = {
    "lib/base": (),
    "lib/time": ("lib/base",),
    "lib/net": ("lib/base",),
    "lib/auth": ("lib/base", "lib/net"),
    "nlu": ("lib/base", "lib/time"),
    "tasks": ("lib",),
    "bridge": ("lib", "tasks"),
    "gateway": ("lib", "nlu", "tasks", "bridge/bus", "bridge/mqtt"),
    "admin": ("lib", "nlu", "tasks", "bridge"),
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)

LICENSED = {
    ".c", ".h", ".cc", ".def", ".sh", ".py", ".ts", ".tsx", ".js", ".mjs", ".css", ".html", ".sql",
}  # fmt: skip


def files() -> list[str]:
    out = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    return sorted(f for f in out.split("\0") if f and (ROOT / f).is_file())


def blank(match: re.Match) -> str:
    return re.sub(r"[^\n]", " ", match.group(0))


def check_c(name: str, text: str) -> list[str]:
    wrong = []
    code = NOISE.sub(blank, text)
    for match in BANNED_CALL.finditer(code):
        line = code.count("\n", 0, match.start()) + 1
        wrong.append(f"{name}:{line}: {match[1]}() is banned: use {BANNED[match[1]]}")
    rooms = [room for room in MAY_INCLUDE if name.startswith(room + "/")]
    if rooms:
        room = max(rooms, key=len)
        allowed = (room, *MAY_INCLUDE[room])
        for match in INCLUDE.finditer(text):
            path = match[1]
            if "/" in path and not any(path.startswith(a + "/") for a in allowed):
                line = text.count("\n", 0, match.start()) + 1
                wrong.append(f"{name}:{line}: {room}/ may not include {path}")
    return wrong


def is_script(path: pathlib.Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def main() -> int:
    wrong = []
    for name in files():
        path = ROOT / name
        suffix = path.suffix
        if "/corpus/" in name or name.startswith("tests/data/"):
            continue
        if suffix in LICENSED or name.endswith("CMakeLists.txt") or (not suffix and is_script(path)):
            text = path.read_text(encoding="utf-8", errors="replace")
            if not name.endswith("CMakeLists.txt") and "SPDX-License-Identifier: Apache-2.0" not in "\n".join(
                text.split("\n", 6)[:6]
            ):
                wrong.append(f"{name}:1: no SPDX-License-Identifier line")
            if suffix in {".c", ".h"}:
                wrong += check_c(name, text)
            for number, line in enumerate(text.split("\n"), 1):
                if line != line.rstrip():
                    wrong.append(f"{name}:{number}: space at the end of the line")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
