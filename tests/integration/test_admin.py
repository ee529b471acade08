# SPDX-License-Identifier: Apache-2.0
"""todo-admin from outside: what it prints, where, and with which exit status."""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import time

import pytest
from support.stack import BIN

SECRET = b"a secret of more than 16 bytes"
OK, FAILED, USAGE = 0, 1, 2


def admin(*args, **env) -> subprocess.CompletedProcess:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("TODO_")}
    return subprocess.run(
        [BIN / "todo-admin", *args],
        env={**clean, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def secret_file(tmp_path):
    file = tmp_path / "secret"
    file.write_bytes(SECRET)
    return str(file)


def read(token: str) -> dict:
    """The claims, the signature checked."""

    def decode(part: str) -> bytes:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

    head, body, mac = token.strip().split(".")
    assert json.loads(decode(head))["alg"] == "HS256"
    assert hmac.compare_digest(decode(mac), hmac.digest(SECRET, f"{head}.{body}".encode(), hashlib.sha256))
    return json.loads(decode(body))


def test_help_lists_every_command():
    done = admin("--help")
    assert done.returncode == OK and not done.stderr
    for command in ("dlq", "migrate", "queue", "rrule", "token", "why"):
        assert f"\n  {command} " in done.stdout
        own = admin(command, "--help")
        assert own.returncode == OK and command in own.stdout, command
    assert admin("--version").stdout.startswith("todo-admin ")


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("unknown",),
        ("token", "--nonsense"),
        ("migrate", "now"),
        ("token", "--user"),
        ("queue",),
        ("queue", "burn"),
        ("queue", "cancel"),
        ("dlq", "replay"),
        ("why",),
    ],
)
def test_wrong_usage_is_said_on_standard_error(args):
    done = admin(*args)
    assert done.returncode == USAGE
    assert done.stderr and not done.stdout


@pytest.mark.parametrize(
    ("ttl", "seconds"), [(None, 43200), ("90", 90), ("90s", 90), ("30m", 1800), ("2h", 7200), ("7d", 604800)]
)
def test_a_token_for_a_user(secret_file, ttl, seconds):
    done = admin(
        "token", "--user", "auth0|ann", "--secret-file", secret_file, *(("--ttl", ttl) if ttl else ())
    )
    assert done.returncode == OK, done.stderr
    claims = read(done.stdout)
    assert abs(claims["iat"] - time.time()) < 5
    assert claims["exp"] - claims["iat"] == seconds
    assert {key: claims[key] for key in ("iss", "aud", "sub")} == {
        "iss": "todo-chatbot",
        "aud": "todo-chatbot",
        "sub": "auth0|ann",
    }
    assert "role" not in claims


def test_a_token_for_a_service_with_settings_from_the_environment():
    done = admin(
        "token", "--user=bridge", "--role=service", "--audience=flag",
        TODO_AUTH_SECRET=SECRET.decode(), TODO_AUTH_ISSUER="us", TODO_AUTH_AUDIENCE="env",
    )  # fmt: skip
    claims = read(done.stdout)
    assert (claims["role"], claims["iss"], claims["aud"]) == ("service", "us", "flag")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--user", "a b"), "--user"),
        (("--user", "a" * 129), "--user"),
        (("--user", "ann", "--role", "admin"), "--role"),
        *(
            (("--user", "ann", "--ttl", ttl), "--ttl")
            for ttl in ("", "0", "-1", "1x", "h", "367d", "9" * 30, "1h1")
        ),
        (("--user", "ann", "--secret-file", "/nonexistent"), "--secret-file"),
        (("--user", "ann", "--secret-file", "/dev/zero"), "--secret-file"),
        (("--user", "ann", "--secret-file", "/dev/null"), "16 bytes"),
        ((), "--user is needed"),
    ],
    ids=str,
)
def test_no_token_without_all_that_is_needed(args, says):
    done = admin("token", *args, TODO_AUTH_SECRET="" if "--secret-file" in args else SECRET.decode())
    assert done.returncode == USAGE
    assert says in done.stderr and not done.stdout


def test_a_short_secret_signs_nothing():
    assert admin("token", "--user", "ann", TODO_AUTH_SECRET="15 bytes of it ").returncode == USAGE


def test_migrate_without_a_database():
    done = admin("migrate", "--database-url", "postgresql://127.0.0.1:1/none")
    assert done.returncode == FAILED
    assert "127.0.0.1" in done.stderr and not done.stdout
    assert "--database-url is needed, or TODO_DATABASE_URL" in admin("migrate").stderr


def test_migrate_again_changes_nothing(stack):
    done = admin("migrate", TODO_DATABASE_URL=stack["TODO_DATABASE_URL"])
    assert done.returncode == OK, done.stderr
    before, _, after = done.stdout.removeprefix("schema ").partition(" → ")
    assert int(before) == int(after) > 0
