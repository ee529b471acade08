# SPDX-License-Identifier: Apache-2.0
"""The REST API besides its lists: batches, undo, records of a task, and the conventions of HTTP."""

import concurrent.futures
import re
import time

import pytest
import requests


@pytest.fixture
def call(stack, user):
    session = requests.Session()

    def one(method: str, path: str, body=None, **headers) -> requests.Response:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return session.request(
            method,
            stack["TODO_URL"] + "/api/v1" + path,
            json=body,
            headers={"Authorization": f"Bearer {stack.token(user)}", **headers},
            timeout=20,
        )

    return one


@pytest.fixture
def make(call):
    def one(title: str, **fields) -> dict:
        answer = call("POST", "/tasks", {"title": title, **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()

    return one


def titles(call, query: str = "") -> set[str]:
    return {task["title"] for task in call("GET", "/tasks?limit=100" + query).json()["tasks"]}


# Batches


def test_a_batch_gives_each_operation_its_own_result(call, make):
    milk, tea = make("milk"), make("tea")
    answer = call(
        "POST",
        "/tasks:batch",
        {
            "operations": [
                {"op": "create", "task": {"title": "bread", "tags": ["shop"]}},
                {"op": "create", "task": {"title": ""}},
                {"op": "update", "id": milk["id"], "if_match": 1, "task": {"priority": 4}},
                {"op": "update", "id": tea["id"], "if_match": 7, "task": {"priority": 4}},
                {"op": "complete", "id": milk["id"]},
                {"op": "delete", "id": "01a20b71-fbbb-7003-bf1e-911f2c0609a9"},
                {"op": "explode", "id": tea["id"]},
                {"op": "complete", "id": "x"},
                {"op": "create", "task": {"title": "a", "colour": "red"}},
                {"op": "create", "if_match": 3, "task": {"title": "salt"}},
            ]
        },
    )
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [result["status"] for result in results] == [201, 422, 200, 412, 409, 404, 422, 422, 422, 201]
    assert results[0]["task"]["tags"] == ["shop"]
    assert results[1]["problem"]["pointer"] == "/title"
    assert results[2]["task"]["priority"] == 4
    assert results[6]["problem"]["pointer"] == "/op"
    assert results[8]["problem"]["pointer"] == "/colour"
    assert titles(call) == {"bread", "milk", "tea", "salt"}


def test_a_batch_is_done_once_and_undone_at_once(call, make):
    old = make("old")
    operations = [{"op": "create", "task": {"title": f"new {n}"}} for n in range(99)]
    operations.append({"op": "complete", "id": old["id"]})
    first = call("POST", "/tasks:batch", {"operations": operations}, Idempotency_Key="b1")
    again = call("POST", "/tasks:batch", {"operations": operations}, Idempotency_Key="b1")
    assert first.status_code == again.status_code == 200 and first.json() == again.json()
    assert (
        call("POST", "/tasks:batch", {"operations": operations[:3]}, Idempotency_Key="b1").status_code == 422
    )
    assert len(titles(call)) == 99
    undone = call("POST", "/undo")
    assert undone.status_code == 200 and len(undone.json()["tasks"]) == 100
    assert titles(call) == {"old"}


@pytest.mark.parametrize("body", [{}, {"operations": []}, {"operations": [{}] * 101}, {"operations": 5}])
def test_a_batch_of_no_sense(call, body):
    answer = call("POST", "/tasks:batch", body)
    assert answer.status_code == 422 and answer.json()["pointer"] == "/operations"


# Undo


def test_undo_goes_back_through_chat_and_rest(call, make, connect, user):
    session = connect(user, "desk")
    task = make("water the plants", priority=2)
    session.message("remind me to feed the cat tomorrow at 9")
    changed = call("PATCH", f"/tasks/{task['id']}", {"title": "water the roses"}, If_Match='"1"').json()
    assert call("DELETE", f"/tasks/{task['id']}", If_Match=f'"{changed["version"]}"').status_code == 204
    assert titles(call) == {"feed the cat"}
    assert call("POST", "/undo").json()["tasks"][0]["title"] == "water the roses"
    session.message("undo")
    assert titles(call) == {"water the plants", "feed the cat"}
    assert call("POST", "/undo").json()["tasks"][0]["title"] == "feed the cat"  # made in chat
    assert titles(call) == {"water the plants"}
    assert call("POST", "/undo").status_code == 200
    assert titles(call) == set()
    nothing = call("POST", "/undo")
    assert nothing.status_code == 409 and nothing.json()["type"] == "/problems/conflict"


def test_an_undo_that_is_repeated_is_one(call, make):
    make("one")
    make("two")
    answers = [call("POST", "/undo", Idempotency_Key="u").json() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert titles(call) == {"one"}


def test_what_was_deleted_can_be_reopened(call, make):
    task = make("phoenix")
    call("DELETE", f"/tasks/{task['id']}", If_Match="*")
    assert call("GET", f"/tasks/{task['id']}").status_code == 404
    assert titles(call, "&status=deleted") == {"phoenix"}
    assert call("POST", f"/tasks/{task['id']}/reopen").json()["status"] == "open"
    assert titles(call) == {"phoenix"}


# Records


def test_occurrences(call, make):
    task = make(
        "stretch",
        due_date="2035-01-01T08:00:00",
        timezone="Europe/Berlin",
        recurrence_pattern={"frequency": "daily"},
    )
    call("POST", f"/tasks/{task['id']}/complete")
    call("POST", f"/tasks/{task['id']}/skip")
    shown = call("GET", f"/tasks/{task['id']}/occurrences?limit=3").json()
    assert [one["due_date"] for one in shown["upcoming"]] == [f"2035-01-0{n}T08:00:00" for n in (3, 4, 5)]
    assert (
        shown["upcoming"][0]["occurrence"] == 3 and shown["upcoming"][0]["due_at"] == "2035-01-03T07:00:00Z"
    )
    assert [(one["occurrence"], one["outcome"]) for one in shown["past"]] == [
        (2, "skipped"),
        (1, "completed"),
    ]
    assert shown["past"][1]["due_date"] == "2035-01-01T08:00:00"
    plain = make("once", due_date="2035-01-01")
    assert [o["due_date"] for o in call("GET", f"/tasks/{plain['id']}/occurrences").json()["upcoming"]] == [
        "2035-01-01"
    ]
    assert call("GET", f"/tasks/{plain['id']}/occurrences?limit=0").status_code == 400


def test_audit_says_who_changed_what(call, connect, user):
    session = connect(user, "desk")
    task = session.message("remind me to call mum tomorrow at 9 #family")["task"]
    call(
        "PATCH",
        f"/tasks/{task['id']}",
        {"title": "call dad", "priority": 3},
        If_Match='"1"',
        Idempotency_Key="k",
    )
    session.action("complete", task["id"])
    call("DELETE", f"/tasks/{task['id']}", If_Match="*")
    shown = call("GET", f"/tasks/{task['id']}/audit").json()
    assert [(e["version"], e["channel"], e["device"]) for e in shown["entries"]] == [
        (4, "rest", ":rest"),
        (3, "action", "desk"),
        (2, "rest", ":rest"),
        (1, "chat", "desk"),
    ]
    entries = shown["entries"]
    assert entries[0]["changes"]["status"] == {"before": "done", "after": "deleted"}
    assert entries[1]["changes"]["status"] == {"before": "open", "after": "done"}
    assert entries[2]["id"] == "k"
    assert entries[2]["changes"] == {
        "title": {"before": "call mum", "after": "call dad"},
        "priority": {"before": None, "after": 3},
    }
    assert entries[3]["text"] == "remind me to call mum tomorrow at 9 #family"
    assert entries[3]["changes"]["tags"] == {"before": None, "after": ["family"]}
    assert shown["next_before"] is None
    page = call("GET", f"/tasks/{task['id']}/audit?limit=3").json()
    assert [e["version"] for e in page["entries"]] == [4, 3, 2] and page["next_before"] == 2
    rest = call("GET", f"/tasks/{task['id']}/audit?limit=3&before=2").json()
    assert rest["entries"] == entries[3:] and rest["next_before"] is None


def test_records_are_the_users_own(call, make, stack, new_user):
    task = make("secret")
    stranger = {"Authorization": f"Bearer {stack.token(new_user())}"}
    for part in ("", "/reminders", "/occurrences", "/audit"):
        answer = requests.get(
            stack["TODO_URL"] + f"/api/v1/tasks/{task['id']}{part}", headers=stranger, timeout=10
        )
        assert answer.status_code == 404, part


# HTTP


def test_options_and_unknown_methods_say_what_is_allowed(stack):
    url = stack["TODO_URL"] + "/api/v1/tasks/01a20b71-fbbb-7003-bf1e-911f2c0609a9"
    for answer, status in (
        (requests.options(url, timeout=5), 204),
        (requests.put(url, data="", timeout=5), 405),
    ):
        assert answer.status_code == status
        allowed = set(re.split(", *", answer.headers["Allow"]))
        assert allowed == {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"}
    assert requests.options(stack["TODO_URL"] + "/api/v1/nothing", timeout=5).status_code == 404


def test_cors_is_for_listed_origins(stack, call):
    own = stack["TODO_URL"]
    preflight = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "if-match"}
    url = own + "/api/v1/tasks/01a20b71-fbbb-7003-bf1e-911f2c0609a9"
    allowed = requests.options(url, headers={"Origin": own, **preflight}, timeout=5).headers
    assert (
        allowed["Access-Control-Allow-Origin"] == own and "PATCH" in allowed["Access-Control-Allow-Methods"]
    )
    assert "If-Match" in allowed["Access-Control-Allow-Headers"]
    foreign = requests.options(
        url, headers={"Origin": "https://evil.example", **preflight}, timeout=5
    ).headers
    assert "Access-Control-Allow-Origin" not in foreign
    assert "ETag" in call("GET", "/me", Origin=own).headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Origin" not in call("GET", "/me", Origin="null").headers


def test_reading_again_costs_nothing(call, make):
    task = make("cached")
    for path in (f"/tasks/{task['id']}", "/tasks"):
        first = call("GET", path)
        assert first.headers["Cache-Control"] == "private, no-cache"
        again = call("GET", path, If_None_Match=f'"x", W/{first.headers["ETag"]}')
        assert (
            again.status_code == 304 and not again.content and again.headers["ETag"] == first.headers["ETag"]
        )
        call("PATCH", f"/tasks/{task['id']}", {"notes": path}, If_Match="*")
        assert call("GET", path, If_None_Match=first.headers["ETag"]).status_code == 200
        head = call("HEAD", path)
        assert head.status_code == 200 and not head.content and int(head.headers["Content-Length"]) > 0


def test_answers_are_packed_for_those_who_can_unpack(call, make):
    make("x" * 500, notes="y" * 5000)
    packed = call("GET", "/tasks", Accept_Encoding="gzip")
    plain = call("GET", "/tasks", Accept_Encoding="identity")
    assert packed.headers["Content-Encoding"] == "gzip" and "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 5
    assert "Accept-Encoding" in packed.headers["Vary"]


def test_minimal_answers_and_where_a_new_task_is(call):
    made = call("POST", "/tasks", {"title": "brief"}, Prefer="return=minimal")
    assert made.status_code == 201 and not made.content
    assert made.headers["Preference-Applied"] == "return=minimal" and made.headers["ETag"] == '"1"'
    where = made.headers["Location"].removeprefix("/api/v1")
    assert call("GET", where).json()["title"] == "brief"
    changed = call("PATCH", where, {"title": "briefer"}, If_Match='"1"', Prefer="return=minimal")
    assert changed.status_code == 204 and changed.headers["ETag"] == '"2"'


def test_each_user_has_a_quota_that_is_told(call):
    first = call("GET", "/me").headers
    quota = int(re.fullmatch(r'"user";q=(\d+);w=60', first["RateLimit-Policy"])[1])
    left = [
        int(re.match(r'"user";r=(\d+);t=\d+', call("GET", "/me").headers["RateLimit"])[1]) for _ in range(3)
    ]
    assert quota >= left[0] >= left[1] >= left[2] > 0


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_a_body_of_another_kind(stack, user, kind):
    answer = requests.post(
        stack["TODO_URL"] + "/api/v1/tasks",
        data='{"title":"x"}',
        headers={"Authorization": f"Bearer {stack.token(user)}", "Content-Type": kind},
        timeout=5,
    )
    assert answer.status_code == 415 and answer.json()["type"] == "/problems/unsupported_media_type"


def test_one_key_in_flight_twice_is_done_once(stack, user):
    def post(n: int) -> tuple[int, str]:
        answer = requests.post(
            stack["TODO_URL"] + "/api/v1/tasks",
            json={"title": "once"},
            headers={"Authorization": f"Bearer {stack.token(user)}", "Idempotency-Key": "same"},
            timeout=20,
        )
        return answer.status_code, answer.json()["id"]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(post, range(24)))
    assert len(answers) == 1 and answers.pop()[0] == 201


def test_text_is_kept_as_it_was_sent(call, make):
    decomposed, composed = "Cafe\u0301 \U0001f468\u200d\U0001f469", "Caf\u00e9"
    one, other = make(decomposed), make(composed)
    assert call("GET", f"/tasks/{one['id']}").json()["title"] == decomposed
    assert call("GET", f"/tasks/{other['id']}").json()["title"] == composed


def test_time_is_up_to_the_database(call, make):
    """Reading, changing and reading again shows the change at once, on whatever connection."""
    task = make("fast")
    for n in range(2, 12):
        assert (
            call("PATCH", f"/tasks/{task['id']}", {"title": f"fast {n}"}, If_Match="*").json()["version"] == n
        )
        assert call("GET", f"/tasks/{task['id']}").json()["version"] == n
        time.sleep(0.001)


# Subtasks and search


def test_subtasks(call, make):
    party = make("party")
    cake = make("cake", parent_id=party["id"])
    assert party["parent_id"] is None and cake["parent_id"] == party["id"]
    assert titles(call, f"&parent={party['id']}") == {"cake"}
    for fields, why in (
        ({"title": "x", "parent_id": cake["id"]}, "subtask cannot have"),
        ({"title": "x", "parent_id": "01a20b71-fbbb-7003-bf1e-911f2c0609a9"}, "no such task"),
        ({"title": "x", "parent_id": 7}, "parent"),
    ):
        answer = call("POST", "/tasks", fields)
        assert (
            answer.status_code == 422
            and answer.json()["pointer"] == "/parent_id"
            and why in answer.json()["detail"]
        )
    own = call("PATCH", f"/tasks/{party['id']}", {"parent_id": party["id"]}, If_Match="*")
    assert own.status_code == 422
    assert call("PATCH", f"/tasks/{party['id']}", {"parent_id": cake["id"]}, If_Match="*").status_code == 422
    freed = call("PATCH", f"/tasks/{cake['id']}", {"parent_id": None}, If_Match="*").json()
    assert freed["parent_id"] is None and titles(call, f"&parent={party['id']}") == set()


def test_another_users_task_is_no_parent(call, make, stack, new_user):
    party = make("party")
    answer = requests.post(
        stack["TODO_URL"] + "/api/v1/tasks",
        json={"title": "spy", "parent_id": party["id"]},
        headers={"Authorization": f"Bearer {stack.token(new_user())}"},
        timeout=5,
    )
    assert answer.status_code == 422


def test_search_looks_for_all_words_in_title_and_notes(call, make):
    make("Rent a van", notes="for the Big move, in June")
    make("Big plans")
    make("100% sure_thing")
    assert titles(call, "&q=big") == {"Rent a van", "Big plans"}
    assert titles(call, "&q=BIG%20van") == {"Rent a van"}
    assert titles(call, "&q=%25") == {"100% sure_thing"}
    assert titles(call, "&q=e_t") == {"100% sure_thing"}
    assert titles(call, "&q=nothing") == set()
    assert call("GET", "/tasks?q=" + "+".join("a" * 17)).status_code == 400
