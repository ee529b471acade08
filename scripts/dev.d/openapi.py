# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.yaml, which people write, as docs/openapi.json, which the gateway serves."""

import json
import pathlib

import yaml

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"


def as_json() -> str:
    contract = yaml.safe_load((DOCS / "openapi.yaml").read_text())
    return json.dumps(contract, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    (DOCS / "openapi.json").write_text(as_json())
