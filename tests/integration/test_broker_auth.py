# SPDX-License-Identifier: Apache-2.0
"""The broker's plug-in: a user reaches what is theirs, and nothing else."""

import pytest
from support.mqtt import Phone
from support.stack import wait_for

REFUSED = 128


@pytest.fixture
def phone(stack, user):
    with Phone(stack["TODO_MQTT_URL"], user, stack.token(user)) as opened:
        assert opened.connect_reason == 0
        yield opened


def test_own_topics_are_granted(phone, user):
    for level in ("#", "reminders", "updates", "next", "chat/phone/out", "actions/phone/out"):
        assert phone.subscribe(f"todo/v1/{user}/{level}") < REFUSED, level


@pytest.mark.parametrize(
    "topic",
    ["#", "+/v1/{u}/#", "todo/#", "todo/v1/#", "todo/v1/+/reminders", "todo/v1/+/#", "todo/v1/{u}x/reminders", "$SYS/#",
     "$share/g/todo/v1/{u}/chat/phone/in", "$share/g/todo/v1/+/reminders", "todo/v1/someone/reminders"],
)  # fmt: skip
def test_other_topics_are_refused(phone, user, topic):
    assert phone.subscribe(topic.format(u=user)) >= REFUSED


def test_writes_only_in_topics(phone, user):
    for level, allowed in (
        ("chat/phone/in", True),
        ("actions/phone/in", True),
        ("chat/phone/out", False),
        ("reminders", False),
        ("updates", False),
        ("next", False),
    ):
        code = phone.publish(f"todo/v1/{user}/{level}", {"type": "ping"})
        assert (code < REFUSED) is allowed, level
    assert phone.publish(f"todo/v1/{user}-other/chat/phone/in", {"type": "ping"}) >= REFUSED


def test_no_retained_message(phone, user):
    topic = f"todo/v1/{user}/chat/phone/in"
    try:
        refused = phone.publish(topic, {"type": "ping"}, retain=True) >= REFUSED
    except AssertionError:
        refused = phone.disconnected.is_set()
    assert refused


@pytest.mark.parametrize(
    "case", ["other secret", "expired", "other user name", "other client id", "no token", "other audience"]
)
def test_wrong_credentials_are_refused(stack, user, case):
    good = stack.token(user)
    given = {
        "other secret": {"token": stack.token(user, secret=b"0" * 64)},
        "expired": {"token": stack.token(user, ttl=-120)},
        "other user name": {"token": good, "username": "somebody"},
        "other client id": {"token": good, "client_id": "somebody:phone"},
        "no token": {"token": ""},
        "other audience": {"token": stack.token(user, aud="another")},
    }[case]
    with Phone(stack["TODO_MQTT_URL"], user, **given) as phone:
        assert phone.connect_reason >= REFUSED


def test_expiry_ends_a_live_connection(stack, user):
    with Phone(stack["TODO_MQTT_URL"], user, stack.token(user, ttl=3)) as phone:
        assert phone.connect_reason == 0
        phone.subscribe(f"todo/v1/{user}/#")
        wait_for("the broker ends the connection", phone.disconnected.is_set, 20)
