# SPDX-License-Identifier: Apache-2.0
"""
Three gateways and two bridges on one Kafka, PostgreSQL and mosquitto: daemons are restarted in turn or killed at random
while people write, and every page and phone has each event once, in order.
"""

import random
import time

import pytest
from support.fleet import GATEWAYS, Fleet, Page, Writer
from support.mqtt import Phone
from support.stack import wait_for


@pytest.fixture
def fleet(stack, tmp_path):
    if stack["TODO_BUS"] == "dapr":
        pytest.skip("each daemon would need a sidecar of its own")
    running = Fleet(stack, tmp_path)
    yield running
    running.end()


class Town:
    """People, each with two pages, a phone and a hand that writes."""

    def __init__(self, fleet, users, **writing):
        self.stack = fleet.stack
        self.pages = [Page(fleet, user, f"page{n}", i + n) for i, user in enumerate(users) for n in range(2)]
        self.phones = [Phone(self.stack["TODO_MQTT_URL"], u, self.stack.token(u), clean=False) for u in users]
        for phone in self.phones:
            assert phone.subscribe(f"todo/v1/{phone.user}/updates") < 128
        self.writers = [Writer(fleet, user, i, **writing) for i, user in enumerate(users)]

    def heads(self, patience: float) -> dict[str, int]:
        """Everybody's last number, once nothing is left to number."""
        heads = {}
        for writer in self.writers:
            writer.end()
            tasks = int(self.stack.sql(f"select count(*) from tasks where user_id = '{writer.user}'")[0][0])
            assert writer.done <= tasks <= writer.done + writer.window  # some may wait for an answer still
            heads[writer.user] = 2 * tasks
        for user, head in heads.items():
            query = f"select seq from users where user_id = '{user}'"
            wait_for(
                "all numbered",
                lambda query=query, head=head: self.stack.sql(query) == [[str(head)]],
                patience,
            )
        return heads

    def check(self, patience: float) -> None:
        heads = self.heads(patience)
        for phone in self.phones:
            expected = list(range(1, heads[phone.user] + 1))
            wait_for(
                "the phone's events",
                lambda phone=phone, e=expected: {m.json["userseq"] for m in phone.received} == set(e),
                patience,
            )
            # A phone drops what it knows: at QoS 1 and after a change of bridges it may come again.
            assert list(dict.fromkeys(m.json["userseq"] for m in phone.received)) == expected
            phone.drop()
        time.sleep(1)
        for page in self.pages:
            page.end()
            assert page.seqs == list(range(1, heads[page.user] + 1)), page.user


def test_rolling_restart_loses_and_doubles_nothing(fleet, new_user):
    town = Town(fleet, [new_user("roll") for _ in range(6)])
    wait_for("they write", lambda: min(writer.done for writer in town.writers) > 5, 20)
    fleet.roll()
    after = [writer.done for writer in town.writers]
    wait_for("they go on", lambda: all(w.done > n + 5 for w, n in zip(town.writers, after, strict=True)), 20)
    town.check(20)
    codes = [code for page in town.pages for code in page.codes]
    assert len(codes) >= GATEWAYS and set(codes) <= {1001, 1012}, codes


@pytest.mark.long
def test_a_hundred_thousand_events_whatever_dies(fleet, new_user):
    """Connections that are cut, gateways, bridges and Kafka killed in the midst of it, from a fixed seed."""
    chance = random.Random(7)
    town = Town(fleet, [new_user("town") for _ in range(20)], goal=2500, window=16, pause=0)
    strikes = 0
    deadline = time.monotonic() + 500
    while not all(writer.ended() for writer in town.writers):
        assert time.monotonic() < deadline, [writer.done for writer in town.writers]
        for page in chance.sample(town.pages, 5):
            page.cut()
        time.sleep(chance.uniform(0.2, 2))
        fleet.strike(chance)
        strikes += 1
    print(f" {strikes} parts killed", end="")
    town.check(60)
    assert strikes >= 5
