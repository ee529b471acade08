# SPDX-License-Identifier: Apache-2.0
"""Every line of the tour in docs/api.md does what it says."""

import re
import subprocess

from support.stack import ROOT

TOUR = (ROOT / "docs" / "api.md").read_text()
STATUS = "--write-out '\\n%{http_code}\\n'"


def commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", TOUR, re.M | re.S)
    return [line for block in blocks[1:] for line in block.splitlines()]


def test_the_tour(stack, new_user, tmp_path):
    user = new_user("tour")
    script = [
        "set -u",
        f"TODO_URL='{stack['TODO_URL']}'; TOKEN='{stack.token(user)}'",
        next(line for line in TOUR.splitlines() if line.startswith("api() ")),
    ]
    wanted = []
    for said in commands():
        line, _, note = said.replace("confirm=ann", f"confirm={user}").partition(" # ")
        if not line.startswith(("api ", "curl ")):
            script.append(line)
            continue
        wanted.append((line, int(note) if note.isdigit() else None))
        if "--output" in line:
            script.append(f"{line} {STATUS}")
        else:  # the tour pipes bodies into files; the status goes beside them
            script.append(re.sub(r"^(api|curl) ", r"\1 --write-out '%{stderr}%{http_code}\\n' ", line))
    run = subprocess.run(
        ["bash"],
        input="\n".join(script),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    statuses = [int(n) for n in re.findall(r"^(\d{3})$", run.stderr + run.stdout, re.M)]
    assert run.returncode == 0, run.stderr
    assert len(statuses) == len(wanted), run.stderr
    # Those with --output are last but for the imports and the end; order does not matter for them: all are 200.
    failed = sorted(status for status in statuses if status >= 400)
    assert failed == sorted(status for _, status in wanted if status), run.stdout
    assert "libwebsockets" in TOUR and len(wanted) > 25
