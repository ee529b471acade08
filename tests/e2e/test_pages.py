# SPDX-License-Identifier: Apache-2.0
"""Lists over REST come in pages that stay right while tasks change."""

import pytest
import requests


@pytest.fixture
def call(stack, user):
    def one(method: str, path: str, body: dict | None = None, **headers) -> requests.Response:
        return requests.request(
            method,
            stack["TODO_URL"] + "/api/v1" + path,
            json=body,
            headers={"Authorization": f"Bearer {stack.token(user)}", **headers},
            timeout=10,
        )

    return one


def pages(call, query: str, limit: int, between=lambda n: None) -> list[list[dict]]:
    found, cursor = [], None
    while True:
        arguments = [f"limit={limit}", query, f"cursor={cursor}" if cursor else ""]
        answer = call("GET", "/tasks?" + "&".join(a for a in arguments if a))
        assert answer.status_code == 200, answer.text
        found.append(answer.json()["tasks"])
        cursor = answer.json()["next_cursor"]
        if not cursor:
            return found
        assert len(found[-1]) == limit
        between(len(found))


def titles(found: list[list[dict]]) -> list[str]:
    return [task["title"] for page in found for task in page]


@pytest.fixture
def some(call) -> list[dict]:
    """Twelve with a due time, three of them at the same, and eleven without."""
    made = []
    for n in range(23):
        due = {"due_date": f"2035-01-{1 + n // 3:02}T09:00:00", "timezone": "UTC"} if n < 12 else {}
        answer = call("POST", "/tasks", {"title": f"task {n:02}", **due})
        assert answer.status_code == 201, answer.text
        made.append(answer.json())
    return made


@pytest.mark.parametrize("limit", [1, 4, 5, 11, 12, 13, 22, 23, 100])
def test_each_task_once_and_in_order(call, some, limit):
    found = pages(call, "", limit)
    assert titles(found) == [task["title"] for task in some]
    assert titles(pages(call, "due_from=2035-01-02T00:00:00Z&due_to=2035-01-04T00:00:00Z", limit)) == [
        f"task {n:02}" for n in range(3, 9)
    ]


def test_changes_between_pages_move_nothing_else(call, some):
    def between(n: int) -> None:
        call("POST", f"/tasks/{some[n]['id']}/complete")  # one that was shown already
        call("POST", "/tasks", {"title": f"new {n}", "due_date": "2034-12-31"})  # before all others

    found = titles(pages(call, "", 5, between))
    assert found == [task["title"] for task in some]
    # Done ones by when they were done, the newest first.
    done = titles(pages(call, "status=done", 2))
    assert done == [f"task {n:02}" for n in (4, 3, 2, 1)]
    everything = titles(pages(call, "status=all", 7))
    assert len(everything) == len(set(everything)) == 27


@pytest.mark.parametrize(
    "cursor", ["x", "d", "d1", "d1.", "d1.zz", "q1.01a20b71-fbbb-7003-bf1e-911f2c0609a9", "d" * 500]
)
def test_a_cursor_that_is_none_is_refused(call, cursor):
    answer = call("GET", f"/tasks?cursor={cursor}")
    assert answer.status_code == 400
    assert "cursor" in answer.json()["detail"] or "argument" in answer.json()["detail"]


def test_a_cursor_of_another_list_is_refused(call, some):
    cursor = call("GET", "/tasks?limit=2").json()["next_cursor"]
    answer = call("GET", f"/tasks?status=done&cursor={cursor}")
    assert answer.status_code == 400 and "another status" in answer.json()["detail"]
    assert call("GET", f"/tasks?sort=updated&cursor={cursor}").status_code == 400


def test_open_tasks_by_their_latest_change(call, some):
    call("PATCH", f"/tasks/{some[3]['id']}", {"notes": "touched"}, **{"If-Match": "*"})
    found = titles(pages(call, "sort=updated", 5))
    assert found[0] == "task 03" and found[1] == "task 22"
    assert sorted(found) == sorted(task["title"] for task in some)
    assert call("GET", "/tasks?sort=colour").status_code == 400
