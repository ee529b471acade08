# SPDX-License-Identifier: Apache-2.0
"""Every test that docs/security.md names is there."""

import re

from support.stack import ROOT


def test_each_attempt_has_its_test():
    named = re.findall(r"`(tests/[^`]+?)(?:::(\w+))?`", (ROOT / "docs" / "security.md").read_text())
    assert len(named) > 20
    for path, test in named:
        text = (ROOT / path).read_text()
        assert not test or re.search(rf"(def|void) {test}\b", text), f"{path} has no {test}"
