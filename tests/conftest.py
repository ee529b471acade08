# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the integration and end-to-end tests: one stack for the run, new users for each test."""

import itertools
import os
import secrets

import pytest
from support.client import Client
from support.stack import Stack, shared_stack

_numbers = itertools.count(1)
_run = secrets.token_hex(3)


def pytest_collection_modifyitems(items):
    if os.environ.get("TODO_TEST_ALL"):
        return
    for item in items:
        if "long" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="long: scripts/dev test --all runs it"))


@pytest.fixture(scope="session")
def stack():
    with shared_stack() as running:
        yield running


@pytest.fixture
def new_user():
    """A user id that nobody had before, in this run or an earlier one."""
    return lambda name="user": f"{name}-{_run}-{next(_numbers)}"


@pytest.fixture
def user(new_user):
    return new_user()


@pytest.fixture
def connect(stack: Stack):
    """connect(user, device="…", since=…): a WebSocket session that is closed after the test."""
    opened = []

    def open_one(user: str, device: str = "", **more) -> Client:
        token = more.pop("token", None) or stack.token(user)
        client = Client(stack["TODO_WS_URL"], token, device=device, **more)
        opened.append(client)
        return client

    yield open_one
    for client in opened:
        client.close()
