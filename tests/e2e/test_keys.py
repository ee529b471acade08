# SPDX-License-Identifier: Apache-2.0
"""The keys of tokens rotate while a gateway runs: by file and by address, the last good set staying in force."""

import base64
import http.server
import json
import signal
import subprocess
import threading
import time

import pytest
import requests
from support.stack import Daemon, wait_for


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Key:
    """An RSA key; openssl makes it and signs with it."""

    def __init__(self, folder, kid: str):
        self.kid, self.file = kid, folder / f"{kid}.pem"
        self._openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self.file)

    @staticmethod
    def _openssl(*args, data: bytes = b"") -> bytes:
        return subprocess.run(["openssl", *args], input=data, check=True, capture_output=True).stdout

    def jwk(self) -> dict:
        modulus = self._openssl("rsa", "-in", self.file, "-noout", "-modulus").decode().strip().split("=")[1]
        return {
            "kty": "RSA",
            "kid": self.kid,
            "alg": "RS256",
            "use": "sig",
            "n": b64(bytes.fromhex(modulus)),
            "e": "AQAB",
        }

    def token(self, user: str, issuer: str = "todo-chatbot") -> str:
        now = int(time.time())
        claims = {"sub": user, "iss": issuer, "aud": "todo-chatbot", "iat": now, "exp": now + 600}
        text = ".".join(
            b64(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": self.kid}, claims)
        )
        return text + "." + b64(self._openssl("dgst", "-sha256", "-sign", self.file, data=text.encode()))


def jwks(*keys: Key) -> str:
    return json.dumps({"keys": [key.jwk() for key in keys]})


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return Key(folder, "one"), Key(folder, "two")


def status(daemon: Daemon, key: Key, user: str) -> int:
    url = f"http://127.0.0.1:{daemon.port}/api/v1/me"
    # A new connection each time, so that every thread of the gateway is asked.
    return requests.get(url, headers={"Authorization": f"Bearer {key.token(user)}"}, timeout=5).status_code


def always(daemon: Daemon, key: Key, user: str, wanted: int) -> bool:
    return all(status(daemon, key, user) == wanted for _ in range(8))


def gateway(stack, tmp_path, source) -> Daemon:
    daemon = Daemon(
        stack, "gateway", tmp_path / "gateway.log", auth_jwks=source, auth_refresh="1s", mqtt_url=""
    )
    wait_for("ready", lambda: daemon.http("/readyz") == 200, 20)
    return daemon


def test_a_file_that_is_replaced(stack, tmp_path, keys, user):
    one, two = keys
    file = tmp_path / "jwks.json"
    file.write_text(jwks(one))
    with gateway(stack, tmp_path, file) as daemon:
        assert always(daemon, one, user, 200) and always(daemon, two, user, 401)
        file.write_text(jwks(one, two))
        daemon.process.send_signal(signal.SIGHUP)
        wait_for("both", lambda: always(daemon, two, user, 200) and always(daemon, one, user, 200), 5)
        for broken in ("", "{", '{"keys":[]}', json.dumps({"keys": [{"kty": "oct", "k": "AAAA"}]})):
            file.write_text(broken)
            daemon.process.send_signal(signal.SIGHUP)
            time.sleep(0.3)
            assert always(daemon, one, user, 200), broken
        assert "keys.kept" in daemon.log.read_text()
        file.write_text(jwks(two))
        wait_for("the first is out, without a signal", lambda: always(daemon, one, user, 401), 20)
        assert always(daemon, two, user, 200)


class Provider(http.server.ThreadingHTTPServer):
    answer: tuple[int, str] = (200, "")

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Asked)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/jwks.json"


class Asked(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        code, text = self.server.answer
        self.send_response(code)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


def test_an_address_that_is_asked_again(stack, tmp_path, keys, user):
    one, two = keys
    provider = Provider()
    provider.answer = (200, jwks(one))
    with gateway(stack, tmp_path, provider.url) as daemon:
        assert always(daemon, one, user, 200) and always(daemon, two, user, 401)
        provider.answer = (200, jwks(two))
        wait_for("the new one", lambda: always(daemon, two, user, 200), 10)
        assert always(daemon, one, user, 401)
        for answer in ((500, ""), (200, "nonsense"), (200, "x" * 3_000_000), (302, jwks(one))):
            provider.answer = answer
            time.sleep(1.5)
            assert always(daemon, two, user, 200), answer[0]
        provider.shutdown()
        provider.server_close()
        time.sleep(2.5)
        assert always(daemon, two, user, 200)
        assert daemon.log.read_text().count("keys.kept") >= 1


def test_without_keys_nothing_starts(stack, tmp_path):
    for source, why in (
        ("http://127.0.0.1:1/jwks", "auth.jwks = http://127.0.0.1:1/jwks"),
        (tmp_path / "none", "cannot read"),
    ):
        daemon = Daemon(stack, "gateway", tmp_path / "log", auth_jwks=source)
        assert daemon.process.wait(20) != 0
        assert why in daemon.log.read_text()
