# SPDX-License-Identifier: Apache-2.0
"""What every event must be: a CloudEvent 1.0 in structured JSON with our extensions."""

import re
from datetime import datetime

TYPES = {
    "task.created", "task.updated", "task.completed", "task.deleted", "recurring.generated",
    "reminder.triggered", "reminder.cleared", "reminder.missed", "chat.turn",
    "session.revoked",
}  # fmt: skip
TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")


def instant(text: str) -> float:
    """RFC 3339 in UTC as a POSIX time."""
    assert text.endswith("Z"), f"not UTC: {text}"
    return datetime.fromisoformat(text).timestamp()


def check(event: dict, user: str) -> None:
    assert event["specversion"] == "1.0"
    assert isinstance(event["id"], str) and event["id"]
    assert event["source"] == "/todo-chatbot/tasks"
    assert event["type"] in TYPES
    assert event["userid"] == user
    assert isinstance(event["userseq"], int) and event["userseq"] > 0
    assert event.get("datacontenttype", "application/json") == "application/json"
    instant(event["time"])
    assert isinstance(event["data"], dict)
    if event["type"] not in ("chat.turn", "session.revoked"):
        assert isinstance(event["subject"], str) and event["subject"]
    if "traceparent" in event:
        assert TRACEPARENT.fullmatch(event["traceparent"]), event["traceparent"]
    unknown = {key for key in event if not re.fullmatch(r"[a-z0-9]{1,20}", key)}
    assert not unknown, f"not names of CloudEvents attributes: {unknown}"


def trace_id(event: dict) -> str:
    return TRACEPARENT.fullmatch(event["traceparent"])[1]
