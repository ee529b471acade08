# SPDX-License-Identifier: Apache-2.0
"""
What the recurrence tests share: todo-admin rrule as a function, and rules made at random for the
comparison with python-dateutil.

Run as a program it writes tests/data/recurrence/dst.jsonl anew: every change of the clocks in ten
zones from 2020 to 2030, as Python's zoneinfo knows them.
"""

import datetime
import json
import pathlib
import random
import signal
import subprocess
import zoneinfo

from dateutil import rrule as dateutil_rrule

from support.stack import BIN, ROOT

DATA = ROOT / "tests" / "data" / "recurrence"
FORM = "%Y%m%dT%H%M%S"

# Laws that have not changed lately, so that the data holds for every tzdata in use.
ZONES = (
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "Asia/Jerusalem",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Antarctica/Troll",
)


def expand(requests: list[dict], **environment: str) -> list[dict]:
    """The answers of todo-admin rrule, one for each request."""
    done = subprocess.run(
        [str(BIN / "todo-admin"), "rrule"],
        input="".join(json.dumps(request) + "\n" for request in requests),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
        env=environment or None,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [a["id"] for a in answers] == [r["id"] for r in requests]
    return answers


def read_lines(path: pathlib.Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines() if line]


# --- python-dateutil as the oracle ---

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# How far a rule of each frequency is followed: dateutil walks, and is slow.
REACH_DAYS = {
    "SECONDLY": 0.1,
    "MINUTELY": 3,
    "HOURLY": 60,
    "DAILY": 6 * 365,
    "WEEKLY": 10 * 365,
    "MONTHLY": 30 * 365,
    "YEARLY": 60 * 365,
}


def _numbers(rng: random.Random, low: int, high: int, signed: bool) -> str:
    chosen = [rng.randint(low, high) for _ in range(rng.choice((1, 1, 2, 3)))]
    return ",".join(str(-n if signed and rng.random() < 0.3 else n) for n in chosen)


def _by_day(rng: random.Random, freq: str, parts: dict) -> str:
    # Numbered and plain days together are an intersection in dateutil, a union in the RFC.
    if freq in ("MONTHLY", "YEARLY") and "BYWEEKNO" not in parts and rng.random() < 0.5:
        most = 5 if freq == "MONTHLY" or "BYMONTH" in parts else 53
        return ",".join(
            f"{rng.choice(('', '-'))}{rng.randint(1, most)}{rng.choice(DAYS)}"
            for _ in range(rng.choice((1, 2)))
        )
    return ",".join(rng.sample(DAYS, rng.randint(1, 5)))


def random_rule(rng: random.Random) -> tuple[datetime.datetime, str]:
    """A start and a rule on which dateutil and RFC 5545 agree."""
    freq = rng.choice(tuple(REACH_DAYS))
    start = datetime.datetime(2000, 1, 1) + datetime.timedelta(
        days=rng.randint(0, 15000), seconds=rng.choice((0, 0, 32400, 86399, rng.randint(0, 86399)))
    )
    parts: dict[str, str] = {}
    if rng.random() < 0.4:
        parts["INTERVAL"] = str(rng.choice((2, 3, 4, 5, 7, 10, 12, 13, 30, 90)))
    if rng.random() < 0.3:
        parts["BYMONTH"] = _numbers(rng, 1, 12, False)
    # Where the last week of a year reaches into January, dateutil (2.9) looks at the wrong year's
    # length and may miss it (2078-01-02 is in week 52 of 2077); nor does it know a week 1 as the
    # 52nd or 53rd from the end.
    if freq == "YEARLY" and rng.random() < 0.2:
        parts["BYWEEKNO"] = _numbers(rng, 1, 51, True)
    if rng.random() < 0.15:
        parts["BYYEARDAY"] = _numbers(rng, 1, 366, True)
    if rng.random() < 0.25:
        parts["BYMONTHDAY"] = _numbers(rng, 1, 31, True)
    # Without a day, dateutil takes the whole week; we take the start's weekday.
    if rng.random() < 0.35 or "BYWEEKNO" in parts:
        parts["BYDAY"] = _by_day(rng, freq, parts)
    for name, high, chance in (("BYHOUR", 23, 0.2), ("BYMINUTE", 59, 0.15), ("BYSECOND", 59, 0.1)):
        if rng.random() < chance:
            parts[name] = _numbers(rng, 0, high, False)
    if rng.random() < 0.3:
        parts["WKST"] = rng.choice(DAYS)
    if any(name.startswith("BY") for name in parts) and rng.random() < 0.3:
        parts["BYSETPOS"] = _numbers(rng, 1, rng.choice((3, 10)), True)
        if freq == "WEEKLY":
            # dateutil counts the first week from the start only.
            first = DAYS.index(parts.get("WKST", "MO"))
            start -= datetime.timedelta(days=(start.weekday() - first) % 7)
    if rng.random() < 0.3:
        parts["COUNT"] = str(rng.randint(1, 30))
    return start, ";".join([f"FREQ={freq}"] + [f"{k}={v}" for k, v in parts.items()])


class TooSlow(Exception):
    pass


def oracle(start: datetime.datetime, text: str, limit: int, seconds: float) -> list[str]:
    """The occurrences within the frequency's reach; TooSlow if dateutil does not get there."""
    end = start + datetime.timedelta(days=REACH_DAYS[text.split(";", maxsplit=1)[0][5:]])

    def give_up(_signal, _frame):
        raise TooSlow

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    found = []
    try:
        for at in dateutil_rrule.rrulestr(text, dtstart=start):
            if at > end or len(found) == limit:
                break
            found.append(at.strftime(FORM))
    except ValueError:
        # "Invalid combination of interval and …": it never occurs.
        assert not found
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return found


# --- the data ---


def clock_changes(name: str) -> list[list]:
    """[wall time at which the new offset holds for sure, minutes before, minutes after]"""
    zone = zoneinfo.ZoneInfo(name)
    utc = datetime.UTC

    def minutes(at: datetime.datetime) -> int:
        return int(at.astimezone(zone).utcoffset().total_seconds()) // 60

    changes = []
    at = datetime.datetime(2020, 1, 1, tzinfo=utc)
    while at.year < 2031:
        later = at + datetime.timedelta(minutes=15)
        before, after = minutes(at), minutes(later)
        if before != after:
            settled = later.replace(tzinfo=None) + datetime.timedelta(minutes=max(before, after))
            changes.append([settled.strftime(FORM), before, after])
        at = later
    return changes


def main() -> None:
    lines = [json.dumps({"tzid": name, "changes": clock_changes(name)}) for name in ZONES]
    (DATA / "dst.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
