#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Adds up the JUnit files of ctest, pytest and the web tests: one line a suite, then the sum."""

import pathlib
import sys
import xml.etree.ElementTree as ET


def main() -> int:
    total = {"tests": 0, "failed": 0, "skipped": 0}
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.xml")):
        count = {"tests": 0, "failed": 0, "skipped": 0}
        try:
            cases = list(ET.parse(path).getroot().iter("testcase"))
        except ET.ParseError as error:
            print(f"{path.name}: not readable: {error}")
            continue
        for case in cases:
            count["tests"] += 1
            if case.find("failure") is not None or case.find("error") is not None:
                count["failed"] += 1
            elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
                count["skipped"] += 1
        if count["tests"]:
            print(f"{path.stem:24} {line(count)}")
        for key, value in count.items():
            total[key] += value
    print(f"{'sum':24} {line(total)}")
    return 0


def line(count: dict) -> str:
    passed = count["tests"] - count["failed"] - count["skipped"]
    return f"{passed:5} passed {count['failed']:4} failed {count['skipped']:4} skipped"


if __name__ == "__main__":
    sys.exit(main())
