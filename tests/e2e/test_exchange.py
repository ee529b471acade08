# SPDX-License-Identifier: Apache-2.0
"""Tasks go out and come in again as they were; files of others come in; a bad file changes nothing."""

import concurrent.futures
import json
import time

import pytest
import requests
from support.stack import wait_for

DERIVED = ("id", "version", "updated_at", "reminder_time", "occurrence")


@pytest.fixture
def call(stack):
    def one(user: str, method: str, path: str, data=None, kind="application/json", **headers):
        body = data if isinstance(data, str | bytes | None) else json.dumps(data)
        return requests.request(
            method,
            stack["TODO_URL"] + "/api/v1" + path,
            data=body.encode() if isinstance(body, str) else body,
            headers={"Authorization": f"Bearer {stack.token(user)}", "Content-Type": kind, **headers},
            timeout=120,
        )

    return one


WANTED = [
    {"title": "plain"},
    {"title": 'every, "odd"; thing \\ here', "notes": "two\nlines, and; more \\n\n" + " long" * 60, "priority": 1},
    {"title": "Ünïcödé 👩‍👩‍👧 " + "ÄÖÜ" * 40, "tags": ["home", "größe"], "project": "House; Garden", "priority": 4},
    {"title": "day", "due_date": "2035-03-01", "reminders": [{"before": "PT0S"}, {"before": "P1DT2H"}]},
    {"title": "floating", "due_date": "2035-03-01T10:00:00", "reminders": [{"before": "PT15M", "nag_minutes": 5}]},
    {"title": "zoned", "due_date": "2035-03-01T10:00:00", "timezone": "Europe/Berlin"},
    {"title": "in UTC", "due_date": "2035-03-01T10:00:00", "timezone": "UTC", "reminders": [{"at": "2035-02-01T00:00:00Z"}]},
    {
        "title": "series",
        "due_date": "2035-01-01T08:00:00",
        "timezone": "America/New_York",
        "recurrence_pattern": {
            "frequency": "weekly",
            "interval": 2,
            "by_day": ["MO", "TH"],
            "ends": {"count": 30},
            "exceptions": ["2035-01-18T08:00:00"],
        },
    },
    {"title": "workdays", "due_date": "2035-01-01", "recurrence_pattern": {"frequency": "custom", "unit": "workday", "interval": 3}},
    {
        "title": "after it is done",
        "due_date": "2035-01-01",
        "recurrence_pattern": {"frequency": "daily", "interval": 10, "anchor": "completion"},
    },
]  # fmt: skip


def bare(export: dict) -> list[dict]:
    tasks = [{key: value for key, value in task.items() if key not in DERIVED} for task in export["tasks"]]
    for task in tasks:
        for reminder in task["reminders"]:
            del reminder["id"]
    return sorted(tasks, key=lambda task: task["title"])


@pytest.mark.parametrize(("name", "kind"), [("json", "application/json"), ("ical", "text/calendar")])
def test_round_trip(call, new_user, name, kind):
    one, other = new_user("out"), new_user("in")
    made = [call(one, "POST", "/tasks", task).json() for task in WANTED]
    call(one, "POST", f"/tasks/{made[0]['id']}/complete")
    call(one, "POST", f"/tasks/{made[7]['id']}/complete")  # the series goes on
    gone = call(one, "POST", "/tasks", {"title": "gone"}).json()
    call(one, "DELETE", f"/tasks/{gone['id']}", **{"If-Match": "*"})
    out = call(one, "GET", f"/export?format={name}")
    assert (
        out.headers["Content-Type"].split(";")[0] == kind
        and "attachment" in out.headers["Content-Disposition"]
    )
    came = call(other, "POST", "/import", out.content, kind)
    assert came.json() == {"imported": 10, "already_there": 0}, came.text
    there, here = (call(user, "GET", "/export").json() for user in (one, other))
    if name == "ical":  # which knows whole seconds
        for task in there["tasks"] + here["tasks"]:
            for key in ("created_at", "completed_at"):
                task[key] = task[key] and task[key][:19]
    assert bare(here) == bare(there)
    again = call(other, "POST", "/import", out.content, kind)
    assert again.json() == {"imported": 0, "already_there": 10}
    series = next(task for task in here["tasks"] if task["title"] == "series")
    assert series["due_date"] == "2035-01-04T08:00:00" and series["series_start"] == "2035-01-01T08:00:00"


def test_lines_of_a_calendar_are_short_and_end_rightly(call, user):
    for task in WANTED:
        call(user, "POST", "/tasks", task)
    out = call(user, "GET", "/export?format=ical").content
    lines = out.split(b"\r\n")
    assert lines[-1] == b"" and b"\n" not in b"".join(lines)
    assert max(map(len, lines)) <= 75
    for line in lines:
        line.decode()


CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Nextcloud Tasks v0.16//
BEGIN:VTIMEZONE
TZID:Europe/Berlin
END:VTIMEZONE
BEGIN:VTODO
UID:a1
CREATED:20200102T030405Z
SUMMARY:Steuer\\, endlich
DESCRIPTION:Zeile 1\\nZeile 2
PRIORITY:1
CATEGORIES:amt,geld
DUE;TZID=/freeassociation.sourceforge.net/Europe/Berlin:20350601T090000
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER;RELATED=END:-PT1H
END:VALARM
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER;VALUE=DATE-TIME:20350531T100000Z
END:VALARM
END:VTODO
BEGIN:VTODO
UID:a2
SUMMARY:Müll
DTSTART;VALUE=DATE:20350101
RRULE:FREQ=WEEKLY;BYDAY=MO
EXDATE;VALUE=DATE:20350108
END:VTODO
BEGIN:VTODO
UID:a2
RECURRENCE-ID;VALUE=DATE:20350115
SUMMARY:Müll\\, ausnahmsweise
END:VTODO
BEGIN:VTODO
UID:a3
SUMMARY:A very long summary that goes on and on until it needs
  to be folded
STATUS:COMPLETED
COMPLETED:20240101T000000Z
END:VTODO
END:VCALENDAR
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_calendar_of_somebody_else(call, user, end):
    came = call(user, "POST", "/import", CALENDAR.replace("\n", end), "text/calendar; charset=utf-8")
    assert came.json() == {"imported": 3, "already_there": 0}, came.text
    tasks = {task["title"]: task for task in call(user, "GET", "/tasks?status=all").json()["tasks"]}
    tax, bins = tasks["Steuer, endlich"], tasks["Müll"]
    assert (tax["notes"], tax["priority"], tax["tags"]) == ("Zeile 1\nZeile 2", 4, ["amt", "geld"])
    assert (tax["due_date"], tax["timezone"]) == ("2035-06-01T09:00:00", "Europe/Berlin")
    assert [r.get("before") or r.get("at") for r in tax["reminders"]] == ["PT1H", "2035-05-31T10:00:00Z"]
    assert tax["created_at"] == "2020-01-02T03:04:05Z"
    assert bins["due_date"] == "2035-01-01" and bins["next_occurrence"] == "2035-01-15"
    done = tasks["A very long summary that goes on and on until it needs to be folded"]
    assert done["status"] == "done" and done["completed_at"] == "2024-01-01T00:00:00Z"


TODOIST = """\ufeffTYPE,CONTENT,DESCRIPTION,PRIORITY,INDENT,AUTHOR,RESPONSIBLE,DATE,DATE_LANG,TIMEZONE,DURATION,DURATION_UNIT
meta,view_style=list,,,,,,,,,,
section,Errands,,,,,,,,,,
task,Buy milk @shop @urgent,"Two ""big"" bottles,
not small ones",1,1,Ann (1),,2035-03-04,en,Europe/Berlin,,
task,Stretch,,4,1,Ann (1),,every day at 9am,en,Europe/Berlin,,
note,"remember, both legs",,,,Ann (1),,,,,,
task,Just so,,4,2,Ann (1),,,,,,
,,,,,,,,,,,
"""


def test_a_project_of_todoist(call, user):
    came = call(user, "POST", "/import", TODOIST, "text/csv")
    assert came.json() == {"imported": 3, "already_there": 0}, came.text
    tasks = {task["title"]: task for task in call(user, "GET", "/tasks").json()["tasks"]}
    milk, stretch = tasks["Buy milk"], tasks["Stretch"]
    assert milk["notes"] == 'Two "big" bottles,\nnot small ones'
    assert (milk["priority"], milk["tags"], milk["due_date"]) == (4, ["shop", "urgent"], "2035-03-04")
    assert stretch["recurrence_pattern"]["frequency"] == "daily" and stretch["due_date"][11:] == "09:00:00"
    assert stretch["notes"] == "remember, both legs" and stretch["timezone"] == "Europe/Berlin"
    assert tasks["Just so"]["due_date"] is None
    assert call(user, "POST", "/import", TODOIST, "text/csv").json() == {"imported": 0, "already_there": 3}


MARCH_1 = 2056356000000  # 2035-03-01T10:00:00Z
TASKS_ORG = {
    "version": 130900,
    "timestamp": 1,
    "data": {
        "tags": [{"name": "unused"}],
        "tasks": [
            {
                "task": {
                    "title": "Pay rent",
                    "notes": "by bank",
                    "priority": 0,
                    "dueDate": MARCH_1 + 1000,
                    "recurrence": "RRULE:FREQ=MONTHLY;BYMONTHDAY=1",
                    "creationDate": 1577934245000,
                    "remoteId": "r1",
                },
                "alarms": [
                    {"type": 2, "time": -3600000},
                    {"type": 0, "time": MARCH_1 - 86400000},
                    {"type": 3, "time": 1},
                ],
                "tags": [{"name": "home"}],
            },
            {
                "task": {
                    "title": "A day",
                    "dueDate": MARCH_1,
                    "priority": 3,
                    "repeatFrom": 1,
                    "recurrence": "FREQ=DAILY;INTERVAL=3",
                }
            },
            {"task": {"title": "Done", "completionDate": 1704067200000}},
            {"task": {"title": "Gone", "deletionDate": 1704067200000}},
        ],
        "places": [],
    },
}
GOOGLE = {
    "kind": "tasks#taskLists",
    "items": [
        {"kind": "tasks#tasks", "id": "l1", "title": "Empty"},
        {
            "kind": "tasks#tasks",
            "id": "l2",
            "title": "My tasks",
            "items": [
                {
                    "id": "g1",
                    "title": "Buy milk",
                    "notes": "two",
                    "status": "needsAction",
                    "due": "2035-03-01T00:00:00.000Z",
                },
                {"id": "g2", "title": "", "status": "needsAction"},
                {"id": "g3", "title": "Done", "status": "completed", "completed": "2024-01-01T00:00:00.000Z"},
            ],
            "updated": "2024-01-01T00:00:00.000Z",
        },
        {"id": "l3", "items": []},
        {"id": "l4", "items": [{"id": "g4", "title": "Last", "links": [{"x": 1}]}]},
    ],
}


@pytest.mark.parametrize("indent", [None, 1])
def test_a_backup_of_tasks_org(call, user, indent):
    came = call(user, "POST", "/import", json.dumps(TASKS_ORG, indent=indent))
    assert came.json() == {"imported": 3, "already_there": 0}, came.text
    tasks = {task["title"]: task for task in call(user, "GET", "/tasks?status=all").json()["tasks"]}
    rent = tasks["Pay rent"]
    assert (rent["notes"], rent["priority"], rent["tags"]) == ("by bank", 4, ["home"])
    assert (rent["due_date"], rent["timezone"]) == ("2035-03-01T10:00:00", "UTC")
    assert [r.get("before") or r.get("at") for r in rent["reminders"]] == ["PT1H", "2035-02-28T10:00:00Z"]
    assert (
        rent["recurrence_pattern"]["frequency"] == "monthly" and rent["created_at"] == "2020-01-02T03:04:05Z"
    )
    assert tasks["A day"]["due_date"] == "2035-03-01" and tasks["A day"]["priority"] is None
    assert tasks["A day"]["recurrence_pattern"]["anchor"] == "completion"
    assert tasks["Done"]["completed_at"] == "2024-01-01T00:00:00Z"


@pytest.mark.parametrize("indent", [None, 1])
def test_a_takeout_of_google(call, user, indent):
    came = call(user, "POST", "/import", json.dumps(GOOGLE, indent=indent))
    assert came.json() == {"imported": 3, "already_there": 0}, came.text
    tasks = {task["title"]: task for task in call(user, "GET", "/tasks?status=all").json()["tasks"]}
    assert set(tasks) == {"Buy milk", "Done", "Last"}
    assert (tasks["Buy milk"]["due_date"], tasks["Buy milk"]["notes"]) == ("2035-03-01", "two")
    assert tasks["Done"]["status"] == "done"
    again = call(
        user, "POST", "/import", json.dumps({**GOOGLE, "items": GOOGLE["items"][::-1]}, indent=indent)
    )
    assert again.json() == {"imported": 0, "already_there": 3}, again.text


BAD = {
    "nothing": ("application/json", "", "line 1:"),
    "no JSON": ("application/json", '[{"title":"a"},\n{"title":}]', "line 2:"),
    "cut off": ("application/json", '[{"title":"a"}', "line 1:"),
    "no tasks": ("application/json", '{"format":"todo-chatbot/1"}', 'no array "tasks"'),
    "a number": ("application/json", "[1]", "must be a JSON object"),
    "no title": ("application/json", '[{"title":"a"},\n\n{"notes":"b"}]', "line 3:"),
    "a field we do not know": ("application/json", '[{"title":"a","colour":1}]', "not known"),
    "twice": ("application/json", '[{"uid":"1","title":"a"},\n{"uid":"1","title":"b"}]', "line 2: a task of this id"),
    "an impossible rule": ("application/json", '[{"title":"a","due_date":"2035-01-01","recurrence_pattern":{"frequency":"daily","interval":0}}]', "line 1:"),
    "bytes": ("application/json", b'[{"title":"\xff"}]', "UTF-8"),
    "no calendar": ("text/calendar", "HELLO", "no iCalendar"),
    "a todo without end": ("text/calendar", "BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:a\n", "line 2: this VTODO has no end"),
    "a bad date": ("text/calendar", "BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:a\nDUE:tomorrow\nEND:VTODO\n", "line 2:"),
    "a zone of its own": ("text/calendar", "BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:a\nDUE;TZID=My Zone:20350101T000000\nEND:VTODO\n", "line 2:"),
    "no summary": ("text/calendar", "BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:1\nEND:VTODO\n", "title"),
    "no todoist": ("text/csv", "a,b\n1,2\n", "no Todoist"),
    "strange words": ("text/csv", "TYPE,CONTENT,DATE\ntask,a,when pigs fly\n", "line 2:"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_told_where_and_changes_nothing(call, user, name):
    kind, text, why = BAD[name]
    answer = call(user, "POST", "/import", text, kind)
    assert answer.status_code == 422, answer.text
    assert why in answer.json()["detail"], answer.text
    assert call(user, "GET", "/tasks?status=all").json()["tasks"] == []


def test_a_file_of_another_kind(call, user):
    assert call(user, "POST", "/import", "x", "image/png").status_code == 415
    assert call(user, "POST", "/import?format=yaml", "x").status_code == 415
    assert call(user, "GET", "/export?format=yaml").status_code == 400


def test_a_large_file_holds_up_nobody(stack, call, new_user):
    """Others' commands go in between, and the file needs no more memory than its text and a little."""
    user, other = new_user("large"), new_user("other")
    count = 20_000
    lines = ["BEGIN:VCALENDAR"]
    for n in range(count):
        lines += ["BEGIN:VTODO", f"UID:{n}", f"SUMMARY:Task {n}", "DUE:20350101T090000Z", "END:VTODO"]
    text = "\r\n".join([*lines, "END:VCALENDAR", ""])
    call(other, "POST", "/tasks", {"title": "first"})
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        imported = pool.submit(
            call, user, "POST", "/import", text, "text/calendar", **{"Idempotency-Key": "big"}
        )
        slowest = 0.0
        seen = set()
        while not imported.done():
            start = time.monotonic()
            assert call(other, "POST", "/tasks", {"title": "between"}).status_code == 201
            slowest = max(slowest, time.monotonic() - start)
            progress = call(user, "GET", "/import/big")
            seen.add(progress.json().get("imported", 0))
            time.sleep(0.02)
    assert imported.result().json() == {"imported": count, "already_there": 0}
    assert len(seen) > 3 and max(seen) <= count, seen
    assert call(user, "GET", "/import/big").json() == imported.result().json()
    assert call(other, "GET", "/import/big").status_code == 404
    print(f"slowest command beside it: {slowest * 1000:.0f} ms")
    assert slowest < 5
    assert stack.sql(f"select count(*) from tasks where user_id = '{user}'") == [[str(count)]]


def test_an_import_that_is_cut_off_goes_on(stack, call, user):
    text = json.dumps([{"uid": str(n), "title": f"Task {n}", "notes": "x" * 300} for n in range(5_000)])
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        first = pool.submit(call, user, "POST", "/import", text)
        some = f"select count(*) > 0 from tasks where user_id = '{user}'"
        while not first.done() and stack.sql(some) != [["t"]]:
            time.sleep(0.01)
        stack.kill("gateway")
        stack.start("gateway")
        with pytest.raises(requests.RequestException):
            first.result()
    answer = call(user, "POST", "/import", text)
    assert answer.status_code == 200, answer.text
    assert sum(answer.json().values()) == 5_000
    count = f"select count(*), count(distinct title) from tasks where user_id = '{user}'"
    assert stack.sql(count) == [["5000", "5000"]]


@pytest.mark.parametrize("token", [True, False])
def test_long_bodies_are_for_imports_of_known_users(stack, user, token):
    head = {"Content-Type": "application/json"}
    if token:
        head["Authorization"] = f"Bearer {stack.token(user)}"
    long = b"[" + b" " * 2_000_000 + b"]"
    url = stack["TODO_URL"] + "/api/v1"
    imported = requests.post(url + "/import", data=long, headers=head, timeout=20)
    assert imported.status_code == (200 if token else 413)
    assert requests.post(url + "/tasks", data=long, headers=head, timeout=20).status_code == 413


# The feed


def test_a_calendar_reads_the_feed_until_it_is_revoked(stack, call, user, new_user):
    for title, due in (("first", "2035-01-01"), ("second", "2035-01-02T10:00:00")):
        call(user, "POST", "/tasks", {"title": title, "due_date": due})
    done = call(user, "POST", "/tasks", {"title": "done"}).json()
    call(user, "POST", f"/tasks/{done['id']}/complete")
    path = call(user, "POST", "/feed").json()["path"]
    feed = requests.get(stack["TODO_URL"] + path, timeout=5)
    assert feed.headers["Content-Type"].startswith("text/calendar")
    assert {line for line in feed.text.split("\r\n") if line.startswith("SUMMARY")} == {
        "SUMMARY:first",
        "SUMMARY:second",
    }
    assert call(new_user(), "POST", "/import", feed.content, "text/calendar").json()["imported"] == 2
    newer = call(user, "POST", "/feed").json()["path"]
    assert requests.get(stack["TODO_URL"] + path, timeout=5).status_code == 404
    assert requests.get(stack["TODO_URL"] + newer, timeout=5).ok
    assert stack.sql(f"select feed::text from users where user_id = '{user}'")[0][0].find(newer[6:38]) < 0
    assert call(user, "DELETE", "/feed").status_code == 204
    for gone in (newer, "/feed/" + "0" * 32 + ".ics", "/feed/x.ics", "/feed/"):
        assert requests.get(stack["TODO_URL"] + gone, timeout=5).status_code == 404


# Deletion


def test_an_account_is_erased_with_a_receipt(stack, call, user, connect):
    session = connect(user, "desk")
    session.message("remind me to feed the cat every day at 9")
    task = call(user, "POST", "/tasks", {"title": "second"}).json()
    call(user, "PATCH", f"/tasks/{task['id']}", {"title": "changed"}, **{"If-Match": "*"})
    call(user, "PATCH", "/me", {"timezone": "Asia/Tokyo"})
    before = requests.Session()
    before.headers["Authorization"] = f"Bearer {stack.token(user)}"
    url = stack["TODO_URL"] + "/api/v1"
    for confirm in ("", "?confirm=yes"):
        assert call(user, "DELETE", "/me" + confirm).status_code == 428
    numbered = f"select count(*) >= 3 from events where user_id = '{user}'"
    wait_for("events that can be erased", lambda: stack.sql(numbered) == [["t"]], 30)
    receipt = before.delete(f"{url}/me?confirm={user}", timeout=20).json()
    assert (
        (receipt["user"], receipt["tasks"]) == (user, 2) and receipt["turns"] == 3 and receipt["events"] >= 3
    )
    assert before.get(url + "/tasks", timeout=10).status_code == 401
    before.close()
    time.sleep(1.1)  # tokens say when they were issued in whole seconds
    assert call(user, "GET", "/tasks?status=all").json()["tasks"] == []
    assert call(user, "GET", "/me").json()["timezone"] == "UTC"
    assert call(user, "GET", "/export").json()["transcript"] == []
    for table in ("tasks", "task_history", "reminder_fire", "receipt", "turn", "device"):
        assert stack.sql(f"select count(*) from {table} where user_id = '{user}'") == [["0"]], table
    told = f"select type from events where user_id = '{user}' union all select type from outbox where user_id = '{user}'"
    assert stack.sql(told) == [["10"]], "only that the tokens are revoked"
    assert call(user, "POST", "/tasks", {"title": "a new life"}).status_code == 201


def test_the_trash_is_emptied_and_the_transcript_ends(stack, call, user, connect):
    session = connect(user, "desk")
    session.message("hello")
    old, young = (call(user, "POST", "/tasks", {"title": title}).json() for title in ("old", "young"))
    for task in (old, young):
        call(user, "DELETE", f"/tasks/{task['id']}", **{"If-Match": "*"})
    stack.sql(f"""update tasks set deleted_at = now() - interval '31 d' where id = '{old["id"]}';
        update turn set created_at = now() - interval '91 d' where user_id = '{user}' and channel = 0""")
    stack.stop("bridge")  # it sweeps when it starts, and every hour
    stack.start("bridge")
    trash = f"select title from tasks where user_id = '{user}'"
    deadline = time.monotonic() + 20
    while stack.sql(trash) != [["young"]] and time.monotonic() < deadline:
        time.sleep(0.2)
    assert stack.sql(trash) == [["young"]]
    assert stack.sql(f"select count(*) from task_history where task_id = '{old['id']}'") == [["0"]]
    assert stack.sql(f"select count(*) from turn where user_id = '{user}' and channel = 0") == [["0"]]
    assert call(user, "POST", f"/tasks/{young['id']}/reopen").json()["status"] == "open"
