# SPDX-License-Identifier: Apache-2.0
"""What time does to tasks: series that roll on, quiet hours, nagging, zones that change."""

import datetime
import json
import os
import re
import subprocess
import uuid

import pytest
import requests
from support.kafka import Topic
from support.stack import BIN, wait_for

UTC = datetime.UTC
TRIGGERED = 6


def utc(hours: float) -> datetime.datetime:
    return datetime.datetime.now(UTC) + datetime.timedelta(hours=hours)


@pytest.fixture
def api(stack, user):
    """api("POST", "/tasks", {...}) as the test's user."""

    def call(method: str, path: str, body: dict | None = None, **headers) -> dict:
        answer = requests.request(
            method,
            stack["TODO_URL"] + "/api/v1" + path,
            json=body,
            headers={"Authorization": f"Bearer {stack.token(user)}", **headers},
            timeout=10,
        )
        assert answer.ok, answer.text
        return answer.json()

    return call


def fired(stack, user: str) -> list[dict]:
    rows = stack.sql(
        f"select payload from events where user_id='{user}' and type={TRIGGERED} order by user_seq"
    )
    return [json.loads(row[0])["data"] for row in rows]


def test_an_ignored_occurrence_does_not_silence_the_next(stack, connect, user, api):
    session = connect(user)
    first = utc(-24 * 14 - 12).replace(microsecond=0, tzinfo=None)
    task = api(
        "POST",
        "/tasks",
        {
            "title": "Water the plants",
            "due_date": first.isoformat(),
            "timezone": "UTC",
            "recurrence_pattern": {"frequency": "weekly"},
            "reminders": [{"before": "PT0S"}],
        },
    )
    assert task["due_date"] == first.isoformat()
    assert task["next_occurrence"] == (first + datetime.timedelta(days=7)).isoformat()
    newest = first + datetime.timedelta(days=14)
    made = session.wait_event("recurring.generated", 10, subject=task["id"])
    assert made.data["reason"] == "rolled" and made.data["closed_occurrence"] == 1
    assert made.data["task"]["due_date"] == newest.isoformat()
    # It began twelve hours ago, with nobody there to tell: now it is told, once.
    [told] = wait_for("its reminder", lambda: fired(stack, user), 10)
    assert told["occurrence"] == 2 and told["late"] is True
    assert stack.sql(f"select outcome from task_occurrence where task_id='{task['id']}'") == [["3"]]
    now = api("GET", f"/tasks/{task['id']}")
    assert now["occurrence"] == 2 and now["status"] == "open"
    # And undone like anything else.
    session.message("undo")
    assert len(fired(stack, user)) == 1


def test_quiet_hours_hold_until_they_end_and_urgent_ones_pass(stack, connect, user, api):
    connect(user)
    quiet = {"from": f"{utc(-1):%H:%M}", "to": f"{utc(2):%H:%M}", "urgent_passes": True}
    me = api("PATCH", "/me", {"timezone": "UTC", "quiet_hours": quiet})
    assert me["quiet_hours"] == quiet and me["timezone"] == "UTC"
    due = {"due_date": utc(1).strftime("%Y-%m-%dT%H:%M:%S"), "timezone": "UTC"}
    soon = [{"at": utc(1.5 / 3600).isoformat()}]
    for title in ("one", "two"):
        api("POST", "/tasks", {"title": title, "reminders": soon, **due})
    urgent = api("POST", "/tasks", {"title": "urgent", "priority": 4, "reminders": soon, **due})
    [told] = wait_for("the urgent one", lambda: fired(stack, user), 10)
    assert told["task_id"] == urgent["id"]
    held = f"select count(*) from reminder_fire where user_id='{user}' and held_from is not null"
    wait_for("the others are held", lambda: stack.sql(held) == [["2"]], 10)
    end = f"""select bool_and(fire_at - held_from between interval '118 min' and interval '121 min')
        from reminder_fire where user_id='{user}'"""
    assert stack.sql(end) == [["t"]]
    # Morning comes.
    assert api("PATCH", "/me", {"quiet_hours": None})["quiet_hours"] is None
    stack.sql(f"update reminder_fire set fire_at=now() where user_id='{user}'")
    told = wait_for("both at once", lambda: fired(stack, user)[1:], 10)
    assert [data["title"] for data in told] == ["2 reminders from your quiet hours"]
    assert {item["title"] for item in told[0]["items"]} == {"one", "two"}
    receipts = f"select count(*) from receipt where user_id='{user}' and held_until is not null and state=1"
    assert stack.sql(receipts) == [["2"]]


def test_it_nags_until_it_is_done(stack, connect, user, api):
    session = connect(user)
    task = api(
        "POST",
        "/tasks",
        {
            "title": "Take the pills",
            "due_date": utc(1).strftime("%Y-%m-%dT%H:%M:%S"),
            "timezone": "UTC",
            "reminders": [{"at": utc(0.5 / 3600).isoformat(), "nag_minutes": 1}],
        },
    )
    assert task["reminders"][0]["nag_minutes"] == 1
    wait_for("it comes", lambda: len(fired(stack, user)) == 1, 10)
    waiting = f"select repeat, fire_at - now() <= interval '1 min' from reminder_fire where user_id='{user}'"
    for count in (2, 3):
        assert stack.sql(waiting) == [[str(count - 1), "t"]]
        stack.sql(f"update reminder_fire set fire_at=now() where user_id='{user}'")
        wait_for("it comes again", lambda n=count: len(fired(stack, user)) == n, 10)
    session.action("complete", task["id"])
    session.wait_event("reminder.cleared", 5, subject=task["id"])
    assert stack.sql(f"select count(*) from reminder_fire where user_id='{user}'") == [["0"]]


def test_days_follow_their_users_home_zone(stack, connect, user, api):
    connect(user)
    api("PATCH", "/me", {"timezone": "UTC"})
    task = api(
        "POST",
        "/tasks",
        {"title": "Pay the rent", "due_date": "2035-03-01", "reminders": [{"before": "PT0S"}]},
    )
    wanted = f"select due_at at time zone 'UTC' from tasks where id='{task['id']}'"
    assert stack.sql(wanted) == [["2035-03-01 09:00:00"]]
    api("PATCH", "/me", {"timezone": "America/New_York"})
    wait_for("derived anew", lambda: stack.sql(wanted) == [["2035-03-01 14:00:00"]], 10)
    queue = f"select fire_at at time zone 'UTC' from reminder_fire where user_id='{user}'"
    assert stack.sql(queue) == [["2035-03-01 14:00:00"]]
    assert api("GET", f"/tasks/{task['id']}")["version"] == 2


def admin(stack, *args: str, status: int = 0) -> str:
    done = subprocess.run(
        [BIN / "todo-admin", *args],
        env={**os.environ, "TODO_DATABASE_URL": stack["TODO_DATABASE_URL"]},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_why_tells_the_way_of_a_reminder(stack, connect, user, api):
    session = connect(user, "desk")
    due = {"due_date": utc(1).strftime("%Y-%m-%dT%H:%M:%S"), "timezone": "UTC"}
    task = api(
        "POST",
        "/tasks",
        {
            "title": "Feed the cat",
            "reminders": [{"at": utc(0.5 / 3600).isoformat()}, {"before": "PT10M"}],
            **due,
        },
    )
    came = session.wait_event("reminder.triggered", 10, subject=task["id"])
    session.ack(came.seq)
    way = "select published_at, delivered_at, acked_at from receipt"
    wait_for("its whole way", lambda: all(stack.sql(f"{way} where task_id='{task['id']}'")[0]), 10)
    told = admin(stack, "why", task["id"])
    assert '"Feed the cat"' in told and user in told
    fired, waiting = (line for line in told.splitlines() if "reminder " in line)
    assert ": fired, 0." in fired and "published +" in fired and "delivered +" in fired
    assert "acknowledged +" in fired
    assert ": waiting" in waiting
    shown = api("GET", f"/tasks/{task['id']}/reminders")
    assert [reminder["id"] for reminder in shown["reminders"]] == [r["id"] for r in task["reminders"]]
    assert [receipt["state"] for receipt in shown["receipts"]] == ["waiting", "fired"]
    assert shown["receipts"][0]["fired_at"] is None
    way = [shown["receipts"][1][f"{step}_at"] for step in ("fired", "published", "delivered", "acknowledged")]
    assert all(way) and way[0] == min(way)
    reply = session.message("why did you not remind me of feed the cat?")
    assert reply["intent"] == "why"
    assert "One of your devices showed it." in reply["text"]
    assert reply["text"].count("\n") == 1, "what came, and what will come"
    # What is still to come can be seen and cancelled.
    [waits] = stack.sql(f"select reminder_id from reminder_fire where user_id='{user}'")
    assert waits[0] in admin(stack, "queue", "list", "--user", user)
    assert "cancelled: occurrence 1" in admin(stack, "queue", "cancel", waits[0])
    assert "no such reminder" in admin(stack, "queue", "cancel", waits[0], status=1)
    assert "not a task" not in admin(stack, "why", task["id"])
    assert "invalid input syntax" in admin(stack, "why", "42", status=1)


def test_a_poisonous_reminder_is_set_aside_told_of_and_replayed(stack, connect, user, api):
    connect(user)
    reminder = str(uuid.uuid4())
    task = api("POST", "/tasks", {"title": "poison"})
    with Topic(stack["TODO_KAFKA_BROKERS"], "reminders.dlq") as letters:
        # An event of that size does not fit anywhere.
        stack.sql(
            f"""update tasks set title = repeat('x', 300000) where id = '{task["id"]}';
            insert into reminder_fire(reminder_id,occurrence,repeat,task_id,user_id,fire_at)
            values ('{reminder}',1,0,'{task["id"]}','{user}',now())"""
        )
        wait_for("it is set aside", lambda: reminder in admin(stack, "dlq", "list", "--user", user), 20)
        letter = letters.wait("the dead letter", lambda r: r.event["reminder_id"] == reminder)
        assert letter.event["task_id"] == task["id"] and letter.event["why"]
    assert reminder not in admin(stack, "queue", "list", "--user", user)
    stack.sql(f"""update tasks set title = 'cured' where id = '{task["id"]}'""")
    assert reminder in admin(stack, "dlq", "replay", reminder)
    wait_for("it fires", lambda: len(fired(stack, user)) == 1, 10)
    assert "nothing" in admin(stack, "dlq", "replay", reminder, status=1)


def test_settings_by_api_and_in_chat(stack, connect, user, api):
    session = connect(user)
    assert api("GET", "/me")["quiet_hours"] is None
    assert "America/New_York" in session.message("set my time zone to New York")["text"]
    assert "22:00" in session.message("quiet hours from 10pm to 7am")["text"]
    me = api("GET", "/me")
    assert me["timezone"] == "America/New_York" and me["default_time"] == "09:00"
    assert me["quiet_hours"] == {"from": "22:00", "to": "07:00", "urgent_passes": False}
    assert session.message("turn off quiet hours")["text"] == "Quiet hours are off."
    me = api("PATCH", "/me", {"default_time": "07:30", "language": "de"})
    assert (me["default_time"], me["language"], me["quiet_hours"]) == ("07:30", "de", None)
    for body, pointer in (
        ({"timezone": "Mars/Base"}, "/timezone"),
        ({"timezone": 7}, "/timezone"),
        ({"language": "tlh"}, "/language"),
        ({"default_time": "25:00"}, "/default_time"),
        ({"quiet_hours": {"from": "22:00"}}, "/quiet_hours"),
        ({"quiet_hours": {"from": "22:00", "to": "22:00"}}, "/quiet_hours"),
        ({"color": "red"}, None),
    ):
        answer = requests.patch(
            stack["TODO_URL"] + "/api/v1/me",
            json=body,
            headers={"Authorization": f"Bearer {stack.token(user)}"},
            timeout=10,
        )
        assert answer.status_code == 422, body
        assert answer.json().get("pointer") == pointer
    assert api("GET", "/me") == me | {"seq": api("GET", "/me")["seq"]}


def test_top_shows_what_is_going_on(stack, connect, user):
    texts = [(stack.folder / "conf" / f"{name}.conf").read_text() for name in ("gateway", "bridge")]
    ports = [re.search(r"internal.port = (\d+)", text)[1] for text in texts]
    urls = ",".join(f"http://127.0.0.1:{port}/metrics" for port in ports)
    connect(user).message("hello")
    shown = admin(stack, "top", "--urls", urls, "--interval", "PT1S", "--times", "1")
    assert "2 of 2 processes answered" in shown
    rows = dict(re.findall(r"^ +(\S.*?) {2,}([\d.e+]+)", shown, re.M))
    assert float(rows["sessions"]) >= 1 and float(rows["connections"]) >= 1
    assert "nobody answers" in admin(stack, "top", "--urls", "http://127.0.0.1:1/metrics", status=1)
