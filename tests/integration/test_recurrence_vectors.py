# SPDX-License-Identifier: Apache-2.0
"""
The recurrence engine through todo-admin rrule, against vectors: those of the evaluation data (every
one exact), our own, every change of the clocks in ten zones, and python-dateutil on random rules.
"""

import datetime
import os
import pathlib
import random
import subprocess

import pytest
from support.recurrence import DATA, FORM, TooSlow, expand, oracle, random_rule, read_lines


def evaluation(name: str) -> list[dict]:
    folder = os.environ.get("TODO_EVAL_DIR")
    if not folder:
        pytest.skip("TODO_EVAL_DIR is not set: the evaluation data is not part of the repository")
    return read_lines(pathlib.Path(folder) / "recurrence" / name)


def report(wrong: list[str], total: int) -> None:
    assert not wrong, f"{len(wrong)} of {total} differ:\n" + "\n".join(wrong[:10])


def test_every_rrule_vector():
    vectors = evaluation("rrule.jsonl")
    wrong = []
    for vector, answer in zip(vectors, expand(vectors), strict=True):
        expected, utc = vector["expected"], vector["expected_utc"] or []
        local = answer.get("occurrences", [])
        if not vector["complete"]:
            local = local[: len(expected)]
        if local != expected or answer.get("utc", [])[: len(expected)] != utc:
            wrong.append(f"{vector['id']} {vector['rrule']}: {answer.get('error') or local[:5]}")
    report(wrong, len(vectors))


def test_every_policy_vector():
    vectors = evaluation("policy.jsonl")
    wrong = [
        f"{vector['id']} {vector['rrule']}: {answer}"
        for vector, answer in zip(vectors, expand(vectors), strict=True)
        if (answer.get("next"), answer.get("next_utc"))
        != (vector["expected_next"], vector["expected_next_utc"])
    ]
    report(wrong, len(vectors))


def test_cases_written_by_hand():
    cases = read_lines(DATA / "hand.jsonl")
    wrong = [
        f"{case['id']} {case['rrule']} ({case['why']}): {answer.get('error') or answer['occurrences'][:9]}"
        for case, answer in zip(cases, expand(cases), strict=True)
        if answer.get("occurrences") != case["expected"]
    ]
    report(wrong, len(cases))


def shifted(at: datetime.datetime, offset_minutes: int) -> str:
    return (at - datetime.timedelta(minutes=offset_minutes)).strftime(FORM) + "Z"


def test_every_change_of_the_clocks():
    """Wall times up to the change's later side have the offset before it, gap and overlap alike."""
    requests, expected = [], []
    for zone in read_lines(DATA / "dst.jsonl"):
        assert len(zone["changes"]) >= 21, zone["tzid"]
        for settled, before, after in zone["changes"]:
            edge = datetime.datetime.strptime(settled, FORM)
            middle = edge - datetime.timedelta(minutes=abs(after - before) // 2)
            day, quarter = datetime.timedelta(days=1), datetime.timedelta(minutes=15)
            for start, step, rule in (
                (middle - day, day, "FREQ=DAILY;COUNT=3"),
                (edge - 14 * quarter, quarter, "FREQ=MINUTELY;INTERVAL=15;COUNT=20"),
            ):
                walls = [start + i * step for i in range(int(rule.split("=")[-1]))]
                requests.append(
                    {
                        "id": f"{zone['tzid']} {settled} {rule}",
                        "dtstart": start.strftime(FORM),
                        "tzid": zone["tzid"],
                        "rrule": rule,
                    }
                )
                expected.append([shifted(wall, before if wall < edge else after) for wall in walls])
    assert len(requests) > 400
    wrong = [
        f"{answer['id']}: {answer.get('error') or answer['utc'][:5]}, expected {utc[:5]}"
        for utc, answer in zip(expected, expand(requests), strict=True)
        if answer.get("utc") != utc
    ]
    report(wrong, len(requests))


def test_another_time_zone_database(tmp_path):
    """TZDIR chooses the database: rules of our own making, compiled by zic."""
    source = tmp_path / "source"
    source.write_text(
        "Rule T 2026 max - Jun lastSun 2:00 2:00 S\n"
        "Rule T 2026 max - Sep 1 2:00 0 -\n"
        "Zone Test/Town 3:30 T T%s\n"
    )
    for folder in ("zones", "later"):
        compiled = subprocess.run(
            ["/usr/sbin/zic", "-d", str(tmp_path / folder), str(source)], check=False, capture_output=True
        )
        if compiled.returncode:
            pytest.skip("zic cannot compile a zone here")
        source.write_text(source.read_text().replace("2:00 2:00 S", "2:00 1:00 S"))
    request = {"id": 1, "dtstart": "20260627T023000", "tzid": "Test/Town", "rrule": "FREQ=DAILY;COUNT=3"}
    # The gap, read with 3:30 before it; then 5:30 in one database, 4:30 in the other.
    for folder, last in (("zones", "20260628T210000Z"), ("later", "20260628T220000Z")):
        answer = expand([request], TZDIR=str(tmp_path / folder))[0]
        assert answer["utc"] == ["20260626T230000Z", "20260627T230000Z", last]
    assert "tzid" in expand([request])[0]["error"]


REFUSED = [
    ({"rrule": "FREQ=DAYLY"}, "FREQ"),
    ({"rrule": "INTERVAL=2"}, "FREQ"),
    ({"rrule": "FREQ=DAILY;COUNT=2;UNTIL=20261224"}, "COUNT"),
    ({"rrule": "FREQ=DAILY;INTERVAL=0"}, "INTERVAL"),
    ({"rrule": "FREQ=WEEKLY;BYDAY=2MO"}, "BYDAY"),
    ({"rrule": "FREQ=MONTHLY;BYMONTHDAY=32"}, "BYMONTHDAY"),
    ({"rrule": "FREQ=MONTHLY;BYSETPOS=1"}, "BYSETPOS"),
    ({"rrule": "FREQ=DAILY;UNTIL=20260230"}, "UNTIL"),
    ({"rrule": "FREQ=DAILY;BYEASTER=1"}, "BYEASTER"),
    ({"rrule": "FREQ=HOURLY", "dtstart": "20261201"}, "FREQ"),
    ({"rrule": "FREQ=DAILY", "dtstart": "20261301T090000"}, "dtstart"),
    ({"rrule": "FREQ=DAILY", "tzid": "Europe/Atlantis"}, "tzid"),
    ({}, "rrule"),
]


def test_refusals_name_the_part():
    requests = [{"id": i, "dtstart": "20261201T090000", **fields} for i, (fields, _) in enumerate(REFUSED)]
    for (fields, part), answer in zip(REFUSED, expand(requests), strict=True):
        assert answer.get("error", "").startswith(part + ":"), (fields, answer)
        assert "occurrences" not in answer


def compare_with_dateutil(seed: int, count: int, seconds: float, limit: int = 40) -> None:
    rng = random.Random(seed)
    requests, expected, slow = [], [], 0
    while len(requests) < count:
        start, text = random_rule(rng)
        try:
            expected.append(oracle(start, text, limit, seconds))
        except TooSlow:
            slow += 1
            continue
        requests.append({"id": len(requests), "dtstart": start.strftime(FORM), "rrule": text, "limit": limit})
    wrong = []
    for request, found, answer in zip(requests, expected, expand(requests), strict=True):
        ours = answer.get("occurrences", [])
        # Beyond dateutil's reach we may know more; what it found must be the beginning of ours.
        if "error" in answer or ours[: len(found)] != found or (len(found) == limit) > (len(ours) == limit):
            wrong.append(f"{request['rrule']} from {request['dtstart']}: {ours[:6]}, dateutil {found[:6]}")
    report(wrong, count)
    assert slow < count, "dateutil was too slow for most rules"


def test_random_rules_agree_with_dateutil():
    compare_with_dateutil(seed=20261124, count=250, seconds=0.1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_many_random_rules_agree_with_dateutil(seed):
    compare_with_dateutil(seed, count=1000, seconds=0.2)
