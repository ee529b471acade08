# SPDX-License-Identifier: Apache-2.0
"""The plug-in in a real broker of its own: what test_broker_auth.py cannot try on the shared one
(reload, wills, services, start-up errors, persistent sessions)."""

import base64
import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from support.stack import BIN, dev_token, free_port, wait_for

PLUGIN = BIN.parent / "lib" / "todo-mosquitto-auth.so"
BROKER = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
SECRET, OTHER_SECRET = b"a development secret of this test", b"another development secret of it"
REFUSED = 128

pytestmark = pytest.mark.skipif(
    not (BROKER and PLUGIN.exists()), reason="needs mosquitto and the plug-in (TODO_BIN_DIR)"
)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwks(secret: bytes) -> str:
    return json.dumps({"keys": [{"kty": "oct", "kid": "dev", "k": b64(secret)}]})


def token(user: str, ttl: int = 60, role: str | None = None, secret: bytes = SECRET, **claims) -> str:
    return dev_token.sign(secret, {**dev_token.claims_for(user, ttl, role), **claims})


def unsigned(user: str) -> str:
    head, body = b64(b'{"alg":"none"}'), b64(json.dumps(dev_token.claims_for(user, 60)).encode())
    return f"{head}.{body}."


class Broker:
    def __init__(self, folder: pathlib.Path, **options: str):
        self.folder, self.port = folder, free_port()
        self.keys = folder / "jwks.json"
        self.keys.write_text(jwks(SECRET))
        shutil.copy(PLUGIN, folder / "plugin.so")
        wanted = {"jwks_file": self.keys, "issuer": "todo-chatbot", "audience": "todo-chatbot",
                  "hs256_dev": "true", **options}  # fmt: skip
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous false", "log_dest stderr",
                 f"plugin {folder}/plugin.so", "persistence true", f"persistence_location {folder}/",
                 *(f"plugin_opt_{key} {value}" for key, value in wanted.items())]  # fmt: skip
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        if os.geteuid() == 0:  # then the broker becomes the user mosquitto
            user = pwd.getpwnam("mosquitto")
            for path in (folder, *folder.iterdir()):
                os.chown(path, user.pw_uid, user.pw_gid)
        self.start()

    def start(self):
        self.log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen([BROKER, "-c", self.folder / "mosquitto.conf"], stderr=self.log)

    def lines(self) -> str:
        return (self.folder / "log").read_text()

    def ready(self) -> "Broker":
        wait_for("the broker runs", lambda: "running" in self.lines() or self.process.poll() is not None)
        assert self.process.poll() is None, self.lines()
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()


@pytest.fixture
def folder():
    made = pathlib.Path(tempfile.mkdtemp(prefix="todo-broker-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def broker(folder):
    running = Broker(folder).ready()
    yield running
    running.stop()


class Peer:
    """One MQTT 5 client; every answer of the broker is kept."""

    def __init__(self, broker, client_id, password, username="", will=None, persistent=False):
        self.news = threading.Condition()
        self.connected = self.gone = None
        self.answers: dict[int, int] = {}
        self.received: list[tuple[str, bytes]] = []
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5, reconnect_on_failure=False
        )
        self.client.username_pw_set(username, password)
        if will:
            self.client.will_set(will, b"gone", 1, retain=False)
        self.client.on_connect = lambda _c, _u, _f, reason, _p: self.note("connected", reason.value)
        self.client.on_disconnect = lambda _c, _u, _f, reason, _p: self.note("gone", reason.value)
        self.client.on_subscribe = lambda _c, _u, mid, reasons, _p: self.answer(mid, reasons[0].value)
        self.client.on_publish = lambda _c, _u, mid, reason, _p: self.answer(mid, reason.value)
        self.client.on_message = lambda _c, _u, m: self.received.append((m.topic, m.payload))
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 600 if persistent else 0
        self.client.connect("127.0.0.1", broker.port, clean_start=not persistent, properties=properties)
        self.client.loop_start()
        wait_for("an answer to CONNECT", lambda: self.connected is not None or self.gone is not None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.disconnect()
        self.client.loop_stop()

    def note(self, name, value):
        setattr(self, name, value)

    def answer(self, mid, value):
        with self.news:
            self.answers[mid] = value
            self.news.notify_all()

    def wait(self, mid) -> int:
        with self.news:
            assert self.news.wait_for(lambda: mid in self.answers or self.gone is not None, 10)
        return self.answers.get(mid, REFUSED)

    def subscribe(self, topic) -> int:
        return self.wait(self.client.subscribe(topic, 1)[1])

    def publish(self, topic, payload=b"{}", retain=False) -> int:
        return self.wait(self.client.publish(topic, payload, 1, retain).mid)

    def vanish(self):
        """Without a DISCONNECT, so that the broker sends the will."""
        self.client._sock_close()
        self.client.loop_stop()


def connect_reason(broker, client_id, password, username="") -> int:
    with Peer(broker, client_id, password, username) as peer:
        return peer.connected


@pytest.mark.parametrize("username", ["", "alice"])
def test_a_good_token_opens(broker, username):
    assert connect_reason(broker, "alice:phone", token("alice"), username) == 0


@pytest.mark.parametrize(
    ("client_id", "password", "username"),
    [
        ("alice:phone", token("alice", secret=OTHER_SECRET), "alice"),
        ("alice:phone", token("alice")[:-2] + "AA", "alice"),
        ("alice:phone", token("alice", ttl=-60), "alice"),
        ("alice:phone", token("alice", nbf=int(time.time()) + 600), "alice"),
        ("alice:phone", token("alice", iss="another"), "alice"),
        ("alice:phone", token("alice", aud="another"), "alice"),
        ("alice:phone", token("al/ice"), ""),
        ("+:phone", token("+"), ""),
        ("alice:phone", unsigned("alice"), "alice"),
        ("alice:phone", "not a token", "alice"),
        ("alice:phone", "", "alice"),
        ("alice:phone", token("alice"), "bob"),
        ("alice", token("alice"), "alice"),
        ("alicebob:phone", token("alice"), "alice"),
        ("bob:phone", token("alice"), "alice"),
        ("", token("alice"), "alice"),
    ],
)
def test_other_credentials_do_not(broker, client_id, password, username):
    assert connect_reason(broker, client_id, password, username) >= REFUSED


def test_a_token_is_never_in_the_log(broker):
    bad = token("alice", secret=OTHER_SECRET)
    assert connect_reason(broker, "alice:phone", bad) >= REFUSED
    assert "does not fit" in broker.lines()
    assert bad.split(".")[2] not in broker.lines()


@pytest.mark.parametrize(
    "topic",
    ["#", "+/v1/alice/#", "todo/v1/+/reminders", "todo/v1/+/#", "todo/v1/bob/#", "todo/v1/alice", "$SYS/#",
     "$share/gateways/todo/v1/+/chat/+/in", "$share/g/todo/v1/alice/chat/phone/in"],
)  # fmt: skip
def test_a_user_subscribes_only_to_what_is_theirs(broker, topic):
    with Peer(broker, "alice:phone", token("alice")) as alice:
        assert alice.subscribe("todo/v1/alice/#") < REFUSED
        assert alice.subscribe(topic) >= REFUSED


def test_a_user_writes_only_in_topics_and_not_retained(broker):
    for topic, retain, allowed in (
        ("todo/v1/alice/chat/phone/in", False, True),
        ("todo/v1/alice/actions/phone/in", False, True),
        ("todo/v1/alice/chat/phone/in", True, False),
        ("todo/v1/alice/chat/ph one/in", False, False),
        ("todo/v1/alice/chat/phone/out", False, False),
        ("todo/v1/alice/next", False, False),
        ("todo/v1/bob/chat/phone/in", False, False),
    ):
        with Peer(broker, "alice:phone", token("alice")) as alice:
            assert (alice.publish(topic, retain=retain) < REFUSED) is allowed, topic


def test_a_will_is_never_sent(broker):
    with Peer(broker, "gateway", token("gateway", role="service")) as gateway:
        assert gateway.subscribe("$share/gateways/todo/v1/+/chat/+/in") < REFUSED
        alice = Peer(broker, "alice:phone", token("alice"), will="todo/v1/alice/chat/phone/in")
        alice.vanish()
        wait_for("the end of the connection", lambda: "Client alice:phone closed" in broker.lines())
        with Peer(broker, "alice:tablet", token("alice")) as tablet:
            tablet.publish("todo/v1/alice/chat/tablet/in", b"live")
        wait_for("the live message", lambda: gateway.received)
        assert gateway.received == [("todo/v1/alice/chat/tablet/in", b"live")]


def test_services_have_exact_topics(broker):
    with Peer(broker, "any-id", token("bridge", role="service")) as service:
        for topic in ("$share/gateways/todo/v1/+/chat/+/in", "$share/gateways/todo/v1/+/actions/+/in"):
            assert service.subscribe(topic) < REFUSED, topic
        for topic in ("#", "todo/v1/+/chat/+/in", "todo/v1/alice/#", "$share/other/todo/v1/+/chat/+/in"):
            assert service.subscribe(topic) >= REFUSED, topic
        for topic in ("reminders", "updates", "next", "chat/phone/out", "actions/phone/out"):
            assert service.publish(f"todo/v1/alice/{topic}") < REFUSED, topic
        assert service.publish("todo/v1/alice/next", retain=True) < REFUSED
        assert service.publish("todo/v1/alice/chat/phone/in") >= REFUSED


def test_events_wait_for_a_phone_that_is_away(broker):
    with Peer(broker, "alice:phone", token("alice"), persistent=True) as alice:
        assert alice.subscribe("todo/v1/alice/reminders") < REFUSED
    with Peer(broker, "bridge", token("bridge", role="service")) as bridge:
        bridge.publish("todo/v1/alice/reminders", b"ring")
    with Peer(broker, "alice:phone", token("alice"), persistent=True) as alice:
        wait_for("the reminder", lambda: alice.received)
        assert alice.received == [("todo/v1/alice/reminders", b"ring")]


def test_frames_wait_for_a_gateway_that_is_away(broker):
    service = token("gateway", role="service")
    with Peer(broker, "gateway:1", service, persistent=True) as gateway:
        assert gateway.subscribe("$share/gateways/todo/v1/+/chat/+/in") < REFUSED
    with Peer(broker, "alice:phone", token("alice")) as alice:
        alice.publish("todo/v1/alice/chat/phone/in", b"frame")
    with Peer(broker, "gateway:1", service, persistent=True) as gateway:
        wait_for("the frame", lambda: gateway.received)
        assert gateway.received == [("todo/v1/alice/chat/phone/in", b"frame")]


def test_a_phone_that_is_away_survives_a_restart_of_the_broker(broker):
    with Peer(broker, "alice:phone", token("alice"), persistent=True) as alice:
        assert alice.subscribe("todo/v1/alice/reminders") < REFUSED
    broker.stop()
    (broker.folder / "log").write_text("")
    broker.start()
    broker.ready()
    with Peer(broker, "bridge", token("bridge", role="service")) as bridge:
        bridge.publish("todo/v1/alice/reminders", b"ring")
    with Peer(broker, "alice:phone", token("alice"), persistent=True) as alice:
        wait_for("the reminder", lambda: alice.received)


def test_expiry_ends_a_live_connection_only_of_that_token(broker):
    with (
        Peer(broker, "alice:phone", token("alice", ttl=2)) as short,
        Peer(broker, "alice:tablet", token("alice")) as long,
    ):
        assert short.connected == 0
        wait_for("the end of the connection", lambda: short.gone is not None, 10)
        assert long.gone is None
        assert long.publish("todo/v1/alice/chat/tablet/in") < REFUSED


def test_a_taken_over_client_id_stays_signed_in(broker):
    with (
        Peer(broker, "alice:phone", token("alice")) as first,
        Peer(broker, "alice:phone", token("alice")) as second,
    ):
        wait_for("the first one ends", lambda: first.gone is not None)
        assert second.publish("todo/v1/alice/chat/phone/in") < REFUSED


def test_reload_takes_new_keys_and_keeps_the_old_on_failure(broker):
    def reload(text: str, says: str):
        before = broker.lines().count(says)
        broker.keys.write_text(text)
        broker.process.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: broker.lines().count(says) > before)

    for broken in ("{", '{"keys":[]}', jwks(b"short")):
        reload(broken, "the old keys stay")
        assert connect_reason(broker, "alice:phone", token("alice")) == 0
    reload(jwks(OTHER_SECRET), "keys loaded")
    assert connect_reason(broker, "alice:phone", token("alice")) >= REFUSED
    assert connect_reason(broker, "alice:phone", token("alice", secret=OTHER_SECRET)) == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"hs256_dev": "false"}, "no key"),
        ({"hs256_dev": "yes"}, "unknown option or value"),
        ({"jwks_file": "/nonexistent"}, "No such file"),
        ({"isuer": "typo"}, "unknown option or value"),
    ],
)
def test_a_wrong_configuration_does_not_start(folder, options, says):
    broker = Broker(folder, **options)
    assert broker.process.wait(10) != 0
    broker.log.close()
    assert says in broker.lines()
