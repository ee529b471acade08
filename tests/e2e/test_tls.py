# SPDX-License-Identifier: Apache-2.0
"""TLS on the public listener: what is spoken and what is not; a certificate that is replaced under connections."""

import contextlib
import http.client
import json
import signal
import socket
import ssl
import subprocess
import time

import pytest
from support.stack import BIN, Daemon, wait_for
from websockets.sync.client import connect as ws_connect


def make(folder, name: str) -> None:
    """A self-signed certificate for 127.0.0.1, replaced as a whole."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", folder / "new.key", "-out", folder / "new.pem", "-days", "30", "-subj", f"/CN={name}",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    (folder / "new.key").rename(folder / "server.key")
    (folder / "new.pem").rename(folder / "server.pem")


def expire(folder) -> None:
    """The same key, with a certificate of another time."""
    subprocess.run(
        ["openssl", "req", "-new", "-key", folder / "server.key", "-subj", "/CN=old", "-out", folder / "csr"],
        check=True, capture_output=True,
    )  # fmt: skip
    subprocess.run(
        ["openssl", "x509", "-req", "-in", folder / "csr", "-signkey", folder / "server.key", "-days", "-1",
         "-out", folder / "server.pem"],
        check=True, capture_output=True,
    )  # fmt: skip


@pytest.fixture
def gateway(stack, tmp_path):
    make(tmp_path, "first")
    with Daemon(
        stack, "gateway", tmp_path / "log",
        tls_certificate=tmp_path / "server.pem", tls_key=tmp_path / "server.key", threads=2,
    ) as daemon:  # fmt: skip
        wait_for("ready", lambda: daemon.http("/readyz") == 200, 20)
        yield daemon


def trusting(tmp_path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=tmp_path / "server.pem")


def served(port: int) -> str:
    """The name in the certificate that a new connection gets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), 5) as raw, context.wrap_socket(raw) as tls:
        text = subprocess.run(
            ["openssl", "x509", "-inform", "der", "-noout", "-subject"],
            input=tls.getpeercert(True), capture_output=True, check=True,
        ).stdout.decode()  # fmt: skip
    return text.split("CN = ")[1].strip()


class Session:
    def __init__(self, stack, gateway, context, user):
        self.ws = ws_connect(
            f"wss://127.0.0.1:{gateway.port}/ws", subprotocols=["todo.v1"], ssl=context, max_size=4 << 20
        )
        self.ws.send(json.dumps({"type": "connect", "token": stack.token(user), "device": "d"}))
        assert json.loads(self.ws.recv(10))["type"] == "connected"

    def say(self, ident: str, text: str) -> dict:
        self.ws.send(json.dumps({"type": "message", "id": ident, "text": text}))
        while True:
            frame = json.loads(self.ws.recv(10))
            if frame.get("to") == ident:
                return frame


def test_page_api_and_session_over_tls(stack, gateway, tmp_path, user):
    context = trusting(tmp_path)
    client = http.client.HTTPSConnection("127.0.0.1", gateway.port, context=context, timeout=10)
    for _ in range(3):  # one connection
        client.request("GET", "/api/v1/me", headers={"Authorization": f"Bearer {stack.token(user)}"})
        answer = client.getresponse()
        assert answer.status == 200 and json.loads(answer.read())["user"] == user
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    client.request("GET", "/api/v1/openapi.json")
    assert len(client.getresponse().read()) > 30000  # more than one record
    session = Session(stack, gateway, context, user)
    assert session.say("a", "add task over tls")["type"] == "reply"


def test_many_frames_in_one_record_all_come(stack, gateway, tmp_path, user):
    """What OpenSSL has decrypted already wakes no poll."""
    session = Session(stack, gateway, trusting(tmp_path), user)
    for number in range(200):
        session.ws.send(
            json.dumps({"type": "message", "id": f"m{number}", "text": f"add task {number} of many"})
        )
    answered = set()
    while len(answered) < 200:
        frame = json.loads(session.ws.recv(10))
        if "to" in frame:
            answered.add(frame["to"])


def test_only_modern_tls(gateway):
    def works(*flags: str) -> bool:
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", *flags],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False,
        )  # fmt: skip
        return b"Cipher is (NONE)" not in done.stdout and done.returncode == 0

    assert works("-tls1_3") and works("-tls1_2")
    assert not works("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    assert not works("-tls1_2", "-cipher", "AES128-SHA")
    assert not works("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA")


def test_plain_text_gets_nothing(gateway):
    with socket.create_connection(("127.0.0.1", gateway.port), 5) as s:
        s.settimeout(5)
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            assert b"HTTP/1.1 2" not in s.recv(1000)
    assert gateway.http("/healthz") == 200  # the internal listener stays plain


def test_handshake_that_never_ends_is_dropped(gateway):
    with socket.create_connection(("127.0.0.1", gateway.port), 5) as s:
        s.settimeout(15)
        s.sendall(b"\x16\x03\x01")
        started = time.monotonic()
        with contextlib.suppress(ConnectionError):
            assert s.recv(100) == b""
        assert time.monotonic() - started < 14


def test_new_certificate_without_losing_a_connection(stack, gateway, tmp_path, user):
    session = Session(stack, gateway, trusting(tmp_path), user)
    assert served(gateway.port) == "first"
    make(tmp_path, "second")
    gateway.process.send_signal(signal.SIGHUP)
    wait_for("the second", lambda: {served(gateway.port) for _ in range(6)} == {"second"}, 5)
    assert session.say("b", "add task still there")["type"] == "reply"
    again = Session(stack, gateway, trusting(tmp_path), user)
    assert again.say("c", "add task on the new one")["type"] == "reply"


@pytest.mark.parametrize(
    "spoil, why",
    [
        (lambda folder: (folder / "server.pem").write_text("nonsense"), "no certificate"),
        (lambda folder: (folder / "server.key").unlink(), "No such file"),
        (expire, "expired"),
    ],
    ids=["nonsense", "no key", "expired"],
)  # fmt: skip
def test_bad_certificate_changes_nothing(gateway, tmp_path, spoil, why):
    spoil(tmp_path)
    gateway.process.send_signal(signal.SIGHUP)
    wait_for("told", lambda: why in gateway.log.read_text(), 5)
    assert "certificate.kept" in gateway.log.read_text()
    assert served(gateway.port) == "first"


def test_other_key_is_refused_at_start(stack, tmp_path):
    make(tmp_path, "one")
    (tmp_path / "server.key").rename(tmp_path / "kept.key")
    make(tmp_path, "two")
    done = subprocess.run(
        [BIN / "todo-gateway", "--config", stack.config("gateway"), "--listen.port=0", "--internal.port=0",
         f"--tls.certificate={tmp_path / 'server.pem'}", f"--tls.key={tmp_path / 'kept.key'}"],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "it is not the key of the certificate" in done.stdout + done.stderr


def test_an_address_has_its_limit(stack, tmp_path):
    """On each thread; those of another address get in."""
    with Daemon(stack, "gateway", tmp_path / "log", limits_address=3, threads=1) as gateway:
        wait_for("ready", lambda: gateway.http("/readyz") == 200, 20)
        held = [socket.create_connection(("127.0.0.1", gateway.port), 5) for _ in range(3)]
        for number in range(3):  # they are open
            held[number].sendall(b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
            assert held[number].recv(12) == b"HTTP/1.1 200"
        with socket.create_connection(("127.0.0.1", gateway.port), 5) as refused:
            refused.settimeout(5)
            with contextlib.suppress(ConnectionError):
                assert refused.recv(1) == b""
        with socket.create_connection(
            ("127.0.0.1", gateway.port), 5, source_address=("127.0.0.2", 0)
        ) as other:
            other.sendall(b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
            assert other.recv(12) == b"HTTP/1.1 200"
        held.pop().close()

        def let_in() -> bool:
            with socket.create_connection(("127.0.0.1", gateway.port), 5) as again:
                again.settimeout(5)
                try:
                    again.sendall(b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
                    return again.recv(12) == b"HTTP/1.1 200"
                except ConnectionError:
                    return False

        wait_for("room again", let_in, 5)
        for connection in held:
            connection.close()
