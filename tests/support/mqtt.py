# SPDX-License-Identifier: Apache-2.0
"""An MQTT 5 client as a user's phone is one: user name and client id begin with the user's id."""

import json
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties


@dataclass
class Received:
    at: float
    topic: str
    payload: bytes
    retain: bool
    expiry: int | None

    @property
    def json(self) -> dict:
        return json.loads(self.payload)


@dataclass
class Phone:
    url: str
    user: str
    token: str
    device: str = "phone"
    client_id: str | None = None
    username: str | None = None
    clean: bool = True
    session: int = 0  # seconds for which the broker keeps it; 0: an hour if not clean
    will: dict | None = None  # arguments of paho's will_set
    received: list[Received] = field(default_factory=list)

    def __post_init__(self):
        at = urllib.parse.urlsplit(self.url)
        self._news = threading.Condition()
        self._grants: dict[int, list[int]] = {}
        self._published: dict[int, int] = {}
        self.connect_reason: int | None = None
        self.disconnected = threading.Event()
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.client_id if self.client_id is not None else f"{self.user}:{self.device}",
            protocol=paho.MQTTv5,
            reconnect_on_failure=False,
        )
        self.client.username_pw_set(self.username if self.username is not None else self.user, self.token)
        self.client.on_connect = self._on_connect
        self.client.on_message = self._on_message
        self.client.on_subscribe = self._on_subscribe
        self.client.on_publish = self._on_publish
        self.client.on_disconnect = lambda *_: self.disconnected.set()
        if self.will:
            self.client.will_set(**self.will)
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = self.session or (0 if self.clean else 3600)
        self.client.connect(at.hostname, at.port, clean_start=self.clean, properties=properties)
        self.client.loop_start()
        with self._news:
            self._news.wait_for(lambda: self.connect_reason is not None, 10)
        assert self.connect_reason is not None, "the broker did not answer"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.disconnect()
        self.client.loop_stop()

    def drop(self) -> None:
        """Ends the connection without a word, so that a will is due."""
        self.client.loop_stop()
        self.client.socket().close()

    def subscribe(self, topic: str, qos: int = 1) -> int:
        """The reason code of the broker: 128 and above = refused."""
        _, mid = self.client.subscribe(topic, qos)
        with self._news:
            assert self._news.wait_for(lambda: mid in self._grants, 10), "no SUBACK"
        return self._grants[mid][0]

    def publish(self, topic: str, payload: dict | bytes, qos: int = 1, retain: bool = False) -> int:
        """The reason code of the broker's PUBACK."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        info = self.client.publish(topic, body, qos, retain)
        with self._news:
            assert self._news.wait_for(lambda: info.mid in self._published, 10), "no PUBACK"
        return self._published[info.mid]

    def wait(self, what: str, probe, timeout: float = 10.0) -> Received:
        """The first message received that probe likes."""

        def found():
            return next((message for message in self.received if probe(message)), None)

        with self._news:
            self._news.wait_for(found, timeout)
            answer = found()
        assert answer, f"waited {timeout:g} s in vain for {what}; got {[m.topic for m in self.received]}"
        return answer

    def ask(self, topic: str, frame: dict, patience: float = 40.0) -> dict:
        """The answer to a frame on topic/in. Repeats it until the answer comes, as every device must."""
        deadline = time.monotonic() + patience
        while True:
            assert self.publish(f"{topic}/in", frame) < 128
            try:
                return self.wait("the answer", lambda m: m.json.get("to") == frame["id"], 3.0).json
            except AssertionError:
                if time.monotonic() > deadline:
                    raise

    def _on_connect(self, _client, _data, _flags, reason, _properties):
        with self._news:
            self.connect_reason = reason.value
            self._news.notify_all()

    def _on_subscribe(self, _client, _data, mid, reasons, _properties):
        with self._news:
            self._grants[mid] = [reason.value for reason in reasons]
            self._news.notify_all()

    def _on_publish(self, _client, _data, mid, reason, _properties):
        with self._news:
            self._published[mid] = reason.value
            self._news.notify_all()

    def _on_message(self, _client, _data, message):
        expiry = getattr(message.properties, "MessageExpiryInterval", None)
        with self._news:
            self.received.append(
                Received(time.time(), message.topic, message.payload, message.retain, expiry)
            )
            self._news.notify_all()
