# SPDX-License-Identifier: Apache-2.0
"""kill -9 of each part in turn, in the middle of work: nothing acknowledged is lost, nothing doubled."""

import collections
import itertools
import json
import random
import threading
import time

import pytest
from support.client import Client, Closed, Refused
from support.fleet import word
from support.kafka import Topic
from support.stack import wait_for
from websockets.exceptions import WebSocketException

USERS = 4
COMMANDS = 250  # of each user
WINDOW = 8  # in flight of each user
DONE_BY = 150  # seconds
VICTIMS = ("gateway", "bridge", "kafka", "postgres")


class Writer:
    """Sends its commands in order of their ids; repeats what has no reply until it has one."""

    def __init__(self, stack, user: str, line: str = "add task {}", pause: float = 0):
        self.stack = stack
        self.user = user
        self.line = line
        self.pause = pause
        self.open = collections.OrderedDict((f"c-{n}", f"polish q{word(n)}") for n in range(COMMANDS))
        self.acked: dict[str, dict] = {}
        self.refusals: collections.Counter = collections.Counter()
        self.reconnects = 0
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        while self.open:
            try:
                with Client(
                    self.stack["TODO_WS_URL"], self.stack.token(self.user), "writer", timeout=5
                ) as client:
                    self.work(client)
            except (OSError, Closed, Refused, TimeoutError, AssertionError, WebSocketException):
                self.reconnects += 1
                time.sleep(0.2)

    def work(self, client: Client) -> None:
        while self.open:
            batch = list(itertools.islice(self.open.items(), WINDOW))
            for ident, title in batch:
                client.send({"type": "message", "id": ident, "text": self.line.format(title)})
            for ident, _ in batch:
                try:
                    self.acked[ident] = client.answer(ident)
                    del self.open[ident]
                except Refused as refused:
                    # A command may be refused while a part is away; it must then not have been done.
                    self.refusals[refused.code] += 1
                    time.sleep(0.2)
            time.sleep(self.pause)


def test_kill_9_of_each_part_loses_nothing(stack, new_user):
    writers = [Writer(stack, new_user("w")) for _ in range(USERS)]

    def acked() -> int:
        return sum(len(writer.acked) for writer in writers)

    total = USERS * COMMANDS
    with Topic(stack["TODO_KAFKA_BROKERS"], "task-updates") as topic:
        for writer in writers:
            writer.thread.start()
        times = {}
        for number, victim in enumerate(VICTIMS):
            goal = total * (number + 1) // (len(VICTIMS) + 2)
            wait_for(f"{goal} commands done", lambda goal=goal: acked() >= goal, 60)
            stack.kill(victim)
            time.sleep(0.3)
            started = time.monotonic()
            stack.start(victim)
            times[victim] = round(time.monotonic() - started, 1)
        wait_for(f"all {total} commands done", lambda: acked() == total, DONE_BY)
        wait_for("the outbox is empty", lambda: stack.sql("select count(*) from outbox") == [["0"]], 30)

        for writer in writers:
            user = writer.user
            rows = stack.sql(f"select id, title from tasks where user_id = '{user}'")
            assert len(rows) == COMMANDS, "each command made one task"
            stored = dict(rows)
            for ident, reply in writer.acked.items():
                assert stored[reply["task"]["id"]] == reply["task"]["title"], f"{ident} was acknowledged"
            assert {title for _, title in rows} == {f"polish q{word(n)}" for n in range(COMMANDS)}

            # Two events a command: the task and the turn. The numbers have no gap anywhere.
            last = 2 * COMMANDS
            with Client(stack["TODO_WS_URL"], stack.token(user), "reader", since=0, timeout=30) as reader:
                assert reader.connected["seq"] == last
                assert reader.connected["recovered"] is True
                reader.wait("all events", lambda reader=reader: len(reader.events) >= last)
                assert [event.seq for event in reader.events] == list(range(1, last + 1))
                created = [event.event["subject"] for event in reader.events if event.type == "task.created"]
            assert sorted(created) == sorted(stored)

            def first_seen(user=user):
                numbers = [record.event["userseq"] for record in topic.of(user)]
                return list(dict.fromkeys(numbers)) == list(range(1, last + 1))

            wait_for("Kafka has every event of the user in order", first_seen, 20)
    print(
        f"restart s: {times}; reconnects {[w.reconnects for w in writers]}; refusals {[dict(w.refusals) for w in writers]}"
    )


def test_reminder_due_while_all_daemons_are_dead_comes_late_but_comes(stack, connect, user):
    desk = connect(user, "desk")
    task = desk.message("remind me to carry on in 3 seconds")["task"]
    desk.wait_event("task.created", subject=task["id"])
    seq = desk.events[-1].seq
    stack.kill("gateway", "bridge")
    time.sleep(4)
    stack.start("bridge", "gateway")
    back = connect(user, "desk", since=seq)
    back.wait_event("reminder.triggered", 15, subject=task["id"])
    time.sleep(1)
    assert len([e for e in back.events if e.type == "reminder.triggered"]) == 1


def fired(stack, user: str) -> list[str]:
    """The reminders of a user's events, those in digests and missed ones included, with doubles."""
    rows = stack.sql(f"select payload from events where user_id = '{user}' and type in (6, 8)")
    data = [json.loads(row[0])["data"] for row in rows]
    return [item["reminder_id"] for one in data for item in one.get("items", [one])]


@pytest.mark.long
def test_two_minutes_of_random_kills_under_commands_and_firings(stack, new_user):
    """
    Each line makes a task that reminds some seconds later, while one part or another is being killed. What is
    past when the database is back would be asked about, not made: so some more seconds than a restart takes.
    """
    dice = random.Random(5)
    line = "remind me to {} in 25 seconds"
    writers = [Writer(stack, new_user("k"), line, pause=3.2) for _ in range(USERS)]
    started = time.monotonic()
    for writer in writers:
        writer.thread.start()
    kills = collections.Counter()
    while time.monotonic() - started < 120:
        time.sleep(dice.uniform(1, 6))
        victims = dice.sample(VICTIMS, dice.choice((1, 1, 2)))
        kills.update(victims)
        stack.kill(*victims)
        time.sleep(dice.uniform(0, 2))
        stack.start(*sorted(victims, key=("postgres", "kafka", "bridge", "gateway").index))
    total = USERS * COMMANDS
    wait_for(f"all {total} commands done", lambda: sum(len(w.acked) for w in writers) == total, DONE_BY)
    names = ",".join(f"'{writer.user}'" for writer in writers)
    waiting = f"select count(*) from reminder_fire where user_id in ({names})"
    wait_for("an empty queue", lambda: stack.sql(waiting) == [["0"]], 60)
    wait_for("an empty outbox", lambda: stack.sql("select count(*) from outbox") == [["0"]], 60)
    for writer in writers:
        rows = stack.sql(f"select id, title from tasks where user_id = '{writer.user}'")
        assert [reply["text"] for reply in writer.acked.values() if "task" not in reply] == []
        assert len(rows) == COMMANDS, "each command made one task"
        assert {reply["task"]["id"] for reply in writer.acked.values()} == {row[0] for row in rows}
        told = fired(stack, writer.user)
        assert len(told) == len(set(told)) == COMMANDS, "each reminder once"
        numbers = stack.sql(f"select user_seq from events where user_id = '{writer.user}' order by 1")
        assert [int(row[0]) for row in numbers] == list(range(1, len(numbers) + 1)), "no gap"
    print(f"kills {dict(kills)}; refusals {[dict(w.refusals) for w in writers]}")
