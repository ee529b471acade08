# SPDX-License-Identifier: Apache-2.0
"""
The broker's plug-in in a broker of its own: who gets in, what each may do, and what stays so when
keys rotate, sessions are offline and connections break. (test_broker_auth.py asks the stack's.)
"""

import base64
import contextlib
import getpass
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time

import pytest
from support.mqtt import Phone
from support.stack import BIN, dev_token, free_port, wait_for

PLUGIN = BIN.parent / "lib" / "todo-mosquitto-auth.so"
MOSQUITTO = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
REFUSED = 128
SHARED = "$share/gateways/todo/v1/+/chat/+/in"


def oct_key(secret: bytes, kid: str = "dev") -> dict:
    return {"kty": "oct", "use": "sig", "alg": "HS256", "kid": kid, "k": dev_token.b64(secret)}


class RsaKey:
    """openssl's command does the cryptography: one dependency less."""

    def __init__(self, folder):
        self.file = folder / "rsa.pem"
        self._run("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self.file)
        self.public_pem = self._run("pkey", "-in", self.file, "-pubout")
        modulus = self._run("rsa", "-in", self.file, "-noout", "-modulus").decode().strip().partition("=")[2]
        self.jwk = {"kty": "RSA", "kid": "rsa", "n": dev_token.b64(bytes.fromhex(modulus)), "e": "AQAB"}

    def _run(self, *args, data: bytes | None = None) -> bytes:
        return subprocess.run(["openssl", *args], input=data, capture_output=True, check=True).stdout

    def sign(self, claims: dict) -> str:
        text = unsigned({"alg": "RS256", "kid": "rsa"}, claims)
        return f"{text}.{dev_token.b64(self._run('dgst', '-sha256', '-sign', self.file, data=text.encode()))}"


def unsigned(header: dict, claims: dict) -> str:
    return f"{dev_token.b64(json.dumps(header).encode())}.{dev_token.b64(json.dumps(claims).encode())}"


class Broker:
    def __init__(self, folder, **options: str):
        self.secret = secrets.token_bytes(32)
        self.keys = folder / "jwks.json"
        self.log = folder / "mosquitto.log"
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self.write_keys(oct_key(self.secret))
        wanted = {
            "jwks_file": self.keys,
            "issuer": "todo-chatbot",
            "audience": "todo-chatbot",
            "hs256_dev": "true",
            **options,
        }
        self.config = folder / "mosquitto.conf"
        self.config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\nuser {getpass.getuser()}\n"
            f"persistence true\npersistence_location {folder}/\nlog_dest stderr\nplugin {PLUGIN}\n"
            + "".join(f"plugin_opt_{key} {value}\n" for key, value in wanted.items())
        )
        self.start()

    def start(self) -> None:
        self._file = self.log.open("ab")
        self.process = subprocess.Popen(
            [MOSQUITTO, "-c", self.config], stdin=subprocess.DEVNULL, stdout=self._file, stderr=self._file
        )

    def write_keys(self, *keys: dict) -> None:
        self.keys.write_text(json.dumps({"keys": keys}))

    def wait_ready(self) -> None:
        def answers():
            assert self.process.poll() is None, self.text()
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", self.port)) == 0

        wait_for("the broker listens", answers)

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def reload(self) -> str:
        """What the broker says about it."""
        before = len(self.text())
        self.process.send_signal(signal.SIGHUP)
        return wait_for(
            "the reload",
            lambda: "\n".join(line for line in self.text()[before:].splitlines() if "todo-auth" in line),
        )

    def claims(self, user: str, ttl: int = 600, role: str | None = None, **more) -> dict:
        claims = {**dev_token.claims_for(user, ttl, role), **more}
        return {key: value for key, value in claims.items() if value is not None}

    def token(self, user: str, ttl: int = 600, role: str | None = None, **more) -> str:
        return dev_token.sign(self.secret, self.claims(user, ttl, role, **more))

    def phone(self, user: str, token: str | None = None, **more) -> Phone:
        return Phone(self.url, user, self.token(user) if token is None else token, **more)

    def service(self, name: str = "bridge", **more) -> Phone:
        return Phone(self.url, name, self.token(name, role="service"), **more)

    def stop(self) -> None:
        assert self.process.poll() is None, f"the broker died:\n{self.text()}"
        self.process.terminate()
        assert self.process.wait(10) == 0
        self._file.close()


@pytest.fixture(scope="module")
def rsa(tmp_path_factory):
    return RsaKey(tmp_path_factory.mktemp("rsa"))


@pytest.fixture(scope="module")
def broker(tmp_path_factory, rsa):
    """HS256 and RS256 keys; stop() says if it died meanwhile."""
    running = Broker(tmp_path_factory.mktemp("broker"))
    running.wait_ready()
    running.write_keys(oct_key(running.secret), rsa.jwk)
    assert "keys loaded" in running.reload()
    yield running
    running.stop()


@pytest.fixture
def own(tmp_path):
    """A broker for tests that change its keys."""
    running = Broker(tmp_path)
    running.wait_ready()
    yield running
    running.stop()


# --- getting in


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"username": ""},
        {"client_id": "ann:"},
        {"client_id": "ann:any thing/else"},
    ],
)
def test_a_good_token_is_let_in(broker, given):
    with broker.phone("ann", **given) as phone:
        assert phone.connect_reason == 0


def test_mqtt_5_needs_no_user_name(broker):
    """CONNECT by hand, since clients in libraries do not let the name out."""

    def field(data: bytes) -> bytes:
        return len(data).to_bytes(2, "big") + data

    body = (
        field(b"MQTT") + b"\x05\x42\x00\x3c\x00" + field(b"ann:phone") + field(broker.token("ann").encode())
    )
    packet = b"\x10" + bytes([len(body) % 128 | 128, len(body) // 128]) + body
    with socket.create_connection(("127.0.0.1", broker.port), 5) as s:
        s.sendall(packet)
        assert s.recv(4)[3] == 0, "CONNACK's reason"


def test_an_rs256_token_is_let_in(broker, rsa):
    with broker.phone("ann", rsa.sign(broker.claims("ann"))) as phone:
        assert phone.connect_reason == 0


def test_a_service_has_any_client_id(broker):
    with broker.service("bridge", client_id="gateway-7") as service:
        assert service.connect_reason == 0


@pytest.mark.parametrize(
    "claims",
    [
        {"ttl": -10},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": time.time() + 3600},
        {"iat": time.time() + 3600},
        {"iss": "somebody"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["another", 1]},
        {"sub": "b b"},
        {"sub": "a/b"},
        {"sub": "+"},
        {"sub": ""},
        {"sub": "a" * 129},
        {"sub": None},
        {"sub": 1},
    ],
    ids=str,
)
def test_wrong_claims_are_refused(broker, claims):
    sub = claims.get("sub", "ann")
    with broker.phone("ann", broker.token("ann", **claims), username="", client_id=f"{sub}:phone") as phone:
        assert phone.connect_reason >= REFUSED


def test_forged_tokens_are_refused(broker, rsa):
    claims = broker.claims("ann")
    good = broker.token("ann")
    head, body, mac = good.split(".")
    other = dev_token.b64(json.dumps(broker.claims("bob")).encode())
    for case, token in {
        "none": "",
        "garbage": "x" * 5000,
        "dots": "..",
        "alg none": unsigned({"alg": "none"}, claims) + ".",
        "alg None, a signature": unsigned({"alg": "None"}, claims) + "." + mac,
        "another secret": dev_token.sign(secrets.token_bytes(32), claims),
        "another body": f"{head}.{other}.{mac}",
        "another header": f"{dev_token.b64(b'{}')}.{body}.{mac}",
        "no signature": f"{head}.{body}.",
        "cut": good[:-1],
        "public key as secret": dev_token.sign(rsa.public_pem, claims, kid="rsa"),
        "the other key's kid": dev_token.sign(broker.secret, claims, kid="rsa"),
        "unknown kid": dev_token.sign(broker.secret, claims, kid="none such"),
        "JSON serialisation": json.dumps({"payload": body, "protected": head, "signature": mac}),
    }.items():
        with broker.phone("ann", token) as phone:
            assert phone.connect_reason >= REFUSED, case


@pytest.mark.parametrize(
    "given",
    [
        {"client_id": "bob:phone"},
        {"client_id": "ann"},
        {"client_id": "annx:phone"},
        {"client_id": "an:phone"},
        {"client_id": "Ann:phone"},
        {"client_id": ""},
        {"username": "bob"},
        {"username": "service:ann"},
        {"username": "ann "},
    ],
    ids=str,
)
def test_other_names_are_refused(broker, given):
    with broker.phone("ann", **given) as phone:
        assert phone.connect_reason >= REFUSED


@pytest.mark.parametrize(
    "token", ["eyJhbGciOiJIUzI1NiJ9.Y=Bz.AAAA", "eyJhbGciOiJIUzI1NiJ9.e30.A=AA", "e=Jh.e30.AAAA", "=.=.="]
)
def test_padding_inside_a_token_does_not_end_the_broker(broker, token):
    with broker.phone("ann", token) as phone:
        assert phone.connect_reason >= REFUSED
    with broker.phone("ann") as phone:
        assert phone.connect_reason == 0


def test_a_token_is_never_in_the_log(broker):
    for token in (broker.token("ann"), dev_token.sign(secrets.token_bytes(32), broker.claims("ann"))):
        broker.phone("ann", token).client.disconnect()
        for part in token.split("."):
            assert part not in broker.text()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"hs256_dev": "false"}, "no key that may sign"),
        ({"hs256_dev": "yes"}, "unknown option or value"),
        ({"jwks_file": "/nonexistent"}, "No such file"),
        ({"jwks_file": "/dev/null"}, "cannot be read"),
        ({"isuer": "typo"}, "unknown option or value"),
    ],
    ids=str,
)
def test_a_wrong_configuration_does_not_start(tmp_path, options, says):
    broker = Broker(tmp_path, **options)
    assert broker.process.wait(10) != 0
    assert says in broker.text()


# --- topics


def test_users_reach_only_their_own(broker):
    with broker.phone("ann") as ann, broker.service() as service:
        assert ann.subscribe("todo/v1/ann/#") < REFUSED
        for topic in (
            "todo/v1/bob/reminders",
            "todo/v1/+/reminders",
            "todo/v1/#",
            "+/v1/ann/#",
            "#",
            "$SYS/#",
            "$share/g/todo/v1/ann/#",
            SHARED,
        ):
            assert ann.subscribe(topic) >= REFUSED, topic
        for topic in (
            "todo/v1/bob/chat/phone/in",
            "todo/v1/ann/chat/phone/out",
            "todo/v1/ann/reminders",
            "elsewhere",
        ):
            assert ann.publish(topic, b"{}") >= REFUSED, topic
        assert service.publish("todo/v1/bob/reminders", b"bob's") < REFUSED
        assert service.publish("todo/v1/ann/reminders", b"ann's") < REFUSED
        ann.wait("the reminder", lambda message: message.payload == b"ann's")
        assert [message.topic for message in ann.received] == ["todo/v1/ann/reminders"]


def test_a_service_has_exact_topics(broker):
    with broker.service() as service, broker.phone("ann") as ann:
        assert service.subscribe(SHARED) < REFUSED
        assert service.subscribe("$share/gateways/todo/v1/+/actions/+/in") < REFUSED
        for topic in (
            "#",
            "todo/v1/+/chat/+/in",
            "$share/other/todo/v1/+/chat/+/in",
            "todo/v1/ann/#",
            "$SYS/#",
        ):
            assert service.subscribe(topic) >= REFUSED, topic
        assert ann.publish("todo/v1/ann/chat/phone/in", b"hello") < REFUSED
        assert ann.publish("todo/v1/ann/actions/phone/in", b"done") < REFUSED
        service.wait("the line", lambda message: message.payload == b"hello")
        service.wait("the action", lambda message: message.payload == b"done")
        assert ann.subscribe("todo/v1/ann/chat/phone/out") < REFUSED
        assert service.publish("todo/v1/ann/chat/phone/out", b"hi") < REFUSED
        ann.wait("the answer", lambda message: message.payload == b"hi")
        for topic in ("todo/v1/ann/chat/phone/in", "todo/v1/ann", "todo/v1/ann/other", "$SYS/x"):
            assert service.publish(topic, b"{}") >= REFUSED, topic


def test_only_next_is_retained(broker):
    with broker.service() as service:
        assert service.publish("todo/v1/ann/next", b"at nine", retain=True) < REFUSED
        assert service.publish("todo/v1/ann/reminders", b"{}", retain=True) >= REFUSED
        with broker.phone("ann") as ann:
            assert ann.publish("todo/v1/ann/chat/phone/in", b"{}", retain=True) >= REFUSED
            ann.subscribe("todo/v1/ann/#")
            assert ann.wait("what is retained", lambda message: message.retain).payload == b"at nine"
        assert service.publish("todo/v1/ann/next", b"", retain=True) < REFUSED


# --- wills, sessions, expiry


@pytest.mark.parametrize("how", ["dropped", "taken over", "delayed"])
def test_no_will_is_published(broker, how):
    session = 60 if how == "delayed" else 0
    with broker.service() as service:
        service.subscribe(SHARED)
        phone = broker.phone(
            "ann",
            session=session,
            will={"topic": "todo/v1/ann/chat/phone/in", "payload": b"last words", "qos": 1},
        )
        assert phone.connect_reason == 0
        if how == "taken over":
            broker.phone("ann").client.disconnect()
            wait_for("the end of the first", phone.disconnected.is_set)
        else:
            phone.drop()
        with broker.phone("bob") as bob:
            assert bob.publish("todo/v1/bob/chat/phone/in", b"alive") < REFUSED
        service.wait("another's line", lambda message: message.payload == b"alive")
        time.sleep(0.3)
        assert [message.payload for message in service.received] == [b"alive"]


def test_a_session_keeps_what_came_while_away(broker):
    with broker.phone("ann", session=60, clean=True) as ann:
        ann.subscribe("todo/v1/ann/reminders")
    with broker.service() as service:
        assert service.publish("todo/v1/ann/reminders", b"meanwhile") < REFUSED
    with broker.phone("ann", clean=False) as ann:
        ann.wait("the reminder", lambda message: message.payload == b"meanwhile")


def test_a_session_outlives_the_broker(own):
    """
    mosquitto 2.0.11 writes to disk only sessions that did not ask for a clean start, and no shared
    subscriptions: a gateway subscribes again whenever it connects.
    """
    with own.phone("ann", session=60, clean=False) as ann:
        ann.subscribe("todo/v1/ann/reminders")
    own.stop()
    own.start()
    own.wait_ready()
    with own.service() as service:
        assert service.publish("todo/v1/ann/reminders", b"meanwhile") < REFUSED
    with own.phone("ann", clean=False) as ann:
        ann.wait("the reminder", lambda message: message.payload == b"meanwhile")


def test_a_user_gets_nothing_from_a_services_session(broker):
    """A client id in which the service's name is a user's: the session changes hands, not the rights."""
    with broker.service("gw", client_id="gw:1", session=60) as service:
        assert service.subscribe(SHARED) < REFUSED
    with broker.phone("ann") as ann:
        assert ann.publish("todo/v1/ann/chat/phone/in", b"secret") < REFUSED
    with broker.phone("gw", client_id="gw:1", clean=False) as user:
        assert user.connect_reason == 0
        with broker.phone("ann") as ann:
            assert ann.publish("todo/v1/ann/chat/phone/in", b"secret") < REFUSED
        time.sleep(0.5)
        assert user.received == []


def test_expiry_ends_a_live_connection(broker):
    with broker.phone("ann", broker.token("ann", ttl=2)) as brief, broker.phone("bob") as bob:
        assert brief.connect_reason == 0
        begin = time.monotonic()
        wait_for("the end", brief.disconnected.is_set, 8)
        assert 0.5 < time.monotonic() - begin < 5
        assert not bob.disconnected.is_set()


def test_connections_are_forgotten(own):
    with own.phone("ann") as first, own.phone("ann") as second:
        wait_for("the take-over", first.disconnected.is_set)
        assert second.publish("todo/v1/ann/chat/phone/in", b"{}") < REFUSED
        assert "keys loaded, 1 connections" in own.reload()
        own.phone("bob").drop()
        own.phone("bob").client.disconnect()
    wait_for("no connection", lambda: "keys loaded, 0 connections" in own.reload())


# --- keys


def test_keys_rotate_without_a_break(own):
    secret = secrets.token_bytes(32)
    old, new = own.token("ann"), dev_token.sign(secret, own.claims("ann"), kid="new")
    with own.phone("ann", old) as connected, own.service() as service:
        with own.phone("ann", new, device="b") as phone:
            assert phone.connect_reason >= REFUSED
        own.write_keys(oct_key(own.secret), oct_key(secret, "new"))
        assert "keys loaded, 2 connections" in own.reload()
        for token in (old, new):
            with own.phone("ann", token, device="b") as phone:
                assert phone.connect_reason == 0
        assert connected.subscribe("todo/v1/ann/#") < REFUSED
        assert service.publish("todo/v1/ann/updates", b"still here") < REFUSED
        connected.wait("the update", lambda message: message.payload == b"still here")


def test_a_withdrawn_key_ends_its_connections(own):
    secret = secrets.token_bytes(32)
    new = dev_token.sign(secret, own.claims("bob"), kid="new")
    own.write_keys(oct_key(own.secret), oct_key(secret, "new"))
    own.reload()
    with own.phone("ann") as ann, own.phone("bob", new) as bob:
        own.write_keys(oct_key(secret, "new"))
        own.reload()
        wait_for("the end of the old key's connection", ann.disconnected.is_set)
        assert not bob.disconnected.is_set()
        with own.phone("ann") as again:
            assert again.connect_reason >= REFUSED


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"keys":[]}', '{"keys":[{"kty":"none"},7]}', "x" * 300_000, None]
)
def test_bad_keys_change_nothing(own, content):
    if content is None:
        own.keys.unlink()
    else:
        own.keys.write_text(content)
    said = own.reload()
    assert str(own.keys) in said and "the old keys stay" in said
    with own.phone("ann") as phone:
        assert phone.connect_reason == 0


def test_garbage_does_not_end_the_broker(broker):
    for junk in (
        b"\0" * 64,
        b"\xff" * 64,
        bytes(range(256)),
        base64.b64decode("EBYABE1RVFQFwgA8AAAEYW5uOgD//w=="),
    ):
        with socket.create_connection(("127.0.0.1", broker.port), 5) as s:
            s.settimeout(5)
            with contextlib.suppress(OSError):  # the broker may have closed it already
                s.sendall(junk)
                s.shutdown(socket.SHUT_WR)
                s.recv(100)
    with broker.phone("ann") as phone:
        assert phone.connect_reason == 0
