# SPDX-License-Identifier: Apache-2.0
"""
The plans of the store's statements with a million tasks: what is asked often must find its rows by an
index of its own and touch about as many as it returns. TODO_PLANS names a file to write them to.
"""

import json
import os
import pathlib
import re
import subprocess

import pytest
from support.stack import ROOT

pytestmark = pytest.mark.long

TOTAL = 1_000_000
STORE = (
    "set jit=off; set enable_nestloop=off; set enable_seqscan=off; set enable_bitmapscan=off;"
    " set plan_cache_mode=force_generic_plan;"
)
FIRE = "set jit=off; set enable_seqscan=off; set plan_cache_mode=force_generic_plan;"
NOBODY = "01a20b71-fbbb-7003-bf1e-911f2c0609a9"
ANY = "null, null, null, null, 0, '', '', '{}', '{}', 50, null, 0"
# name: (settings, parameters, the index it must use, buffers it may touch)
WANTED = {
    "task_open": (STORE, f"'plan-1', '{{0}}', {ANY}", "tasks_open_due", 400),
    "task_due overdue": (
        STORE,
        "'plan-1', '{0}', '0001-01-01', now(), now(), now()::timestamp, 0, '', '', '{}', '{}', 50, null, 0",
        "tasks_open_due",
        400,
    ),
    "task_due today": (
        STORE,
        "'plan-1', '{0}', now(), now() + interval '1 d', null, null, 0, '', '', '{}', '{}', 50, null, 0",
        "tasks_open_due",
        400,
    ),
    "task_open search": (
        STORE,
        "'plan-1', '{0}', null, null, null, null, 0, '', '', '{%dentist 17%}', '{}', 50, null, 0",
        "tasks_open_due",
        4200,  # a word is looked for in all open tasks of the user, here 3,750
    ),
    "task_ids": (
        STORE,
        f"'plan-1', '{{0,1}}', null, null, null, null, 0, '', '', '{{}}', array['{NOBODY}']::uuid[], 50, null, 0",
        "tasks_pkey",
        10,
    ),
    "task_status": (STORE, f"'plan-1', '{{1}}', {ANY}", "tasks_by_user", 400),
    "task_open_after": (
        STORE,
        f"'plan-1', '{{0}}', {ANY}, now() + interval '60 d', '{NOBODY}'",
        "tasks_open_due",
        400,
    ),
    "task_undated_after": (
        STORE,
        f"'plan-1', '{{0}}', {ANY}, now(), '{NOBODY}'",
        "tasks_open_due",
        20,
    ),
    "task_status_after": (
        STORE,
        f"'plan-1', '{{1}}', {ANY}, now() - interval '5 d', '{NOBODY}'",
        "tasks_by_user",
        400,
    ),
    "user_get": (STORE, "'plan-1'", "users_pkey", 20),
    "review_claim": (STORE, "500", "tasks_review", 60_000),
    "fire_due": (FIRE, "", "reminder_fire_due", 10),
    "fire_claim": (FIRE, "500", "reminder_fire_due", 20_000),
    "fire_overdue": (FIRE, "", "reminder_fire_due", 400),
}


@pytest.fixture(scope="module")
def database(stack):
    """One of its own, migrated, with a million tasks of 200 users."""
    url = stack["TODO_DATABASE_URL"].rsplit("/", 1)[0] + "/plans"
    stack.sql("create database plans")
    try:
        binary = ROOT / "build" / "release" / "bin" / "todo-admin"
        subprocess.run([binary, "migrate", "--database-url", url], check=True, capture_output=True)
        psql(
            url,
            f"""insert into users(user_id) select 'plan-' || n from generate_series(0,199) n;
            insert into dialogue(user_id,version,state) select user_id,0,'' from users;
            insert into tasks(id,user_id,version,status,title,tags,due_kind,due_local,due_zone,due_at,review_at,created_at,updated_at)
              select gen_random_uuid(), 'plan-' || n % 200, 1, (n / 200 % 4 = 0)::int, 'Call the dentist ' || n,
                array['t' || n % 7], 3, at at time zone 'UTC', 'UTC', at,
                case when n % 10 = 0 then at + interval '7 d' end, now(), now() - n * interval '1 s'
              from (select n, now() + (n - 5000) * interval '10 s' as at from generate_series(1,{TOTAL}) n) x;
            insert into reminder_fire(reminder_id,occurrence,repeat,task_id,user_id,fire_at)
              select gen_random_uuid(), 1, 0, id, user_id, due_at from tasks where status = 0;
            """,
        )
        psql(url, "vacuum analyze")
        yield url
    finally:
        stack.sql("drop database plans with (force)")


def psql(url: str, text: str) -> str:
    command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url, "-c", text]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def statements() -> dict[str, str]:
    folder = ROOT / "build" / "asan"
    subprocess.run(
        ["cmake", "--build", folder, "--target", "print_statements"], check=True, capture_output=True
    )
    lines = subprocess.run(
        [folder / "tests" / "print_statements"], check=True, capture_output=True, text=True
    )
    return {row["name"]: row["sql"] for row in map(json.loads, lines.stdout.splitlines())}


def test_what_is_asked_often_finds_its_rows(database):
    known = statements()
    report, wrong = [], []
    for title, (settings, params, index, most) in WANTED.items():
        name = title.split()[0]
        call = f"{name}({params})" if params else name
        plan = psql(
            database,
            f"{settings} prepare {name} as {known[name]}; begin;"
            f" explain (analyze, buffers, costs off) execute {call}; rollback",
        )
        touched = sum(int(n) for n in re.findall(r"(?:hit|read)=(\d+)", plan.split("\n\n")[0].split("->")[0]))
        report.append(f"### {title}\n\n```\n{plan.strip()}\n```\n")
        if index not in plan or "Seq Scan on" in plan:
            wrong.append(f"{title}: no {index} in\n{plan}")
        if touched > most:
            wrong.append(f"{title}: {touched} buffers, {most} expected\n{plan}")
    if os.environ.get("TODO_PLANS"):
        pathlib.Path(os.environ["TODO_PLANS"]).write_text("\n".join(report))
    assert not wrong, "\n".join(wrong)
