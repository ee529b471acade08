# SPDX-License-Identifier: Apache-2.0
"""The bus with a broker that wants a password over TLS, a client's certificate, SCRAM, or a token."""

import base64
import json
import time

import pytest
from confluent_kafka.admin import AdminClient
from support.secure_kafka import SecureKafka
from support.stack import Daemon, wait_for

pytestmark = pytest.mark.long


def bridge(
    stack, tmp_path, port: int, password: str | None = None, roles: str = "relay", **properties
) -> Daemon:
    """A second relay beside the stack's follows and waits."""
    if password:
        (tmp_path / "password").write_text(password + "\n")
        properties["password_file"] = tmp_path / "password"
    text = ";".join(f"{k.replace('_', '.')}={v}" for k, v in properties.items() if k != "password_file")
    more = {"kafka_password_file": properties["password_file"]} if password else {}
    return Daemon(
        stack,
        "bridge",
        tmp_path / "bridge.log",
        kafka_brokers=f"127.0.0.1:{port}",
        kafka_properties=text,
        kafka_retention="2h",
        roles=roles,
        **more,
    )


def ready(daemon: Daemon) -> bool:
    return daemon.http("/readyz") == 200


def test_a_password_over_tls_that_changes(stack, tmp_path):
    with SecureKafka(tmp_path) as kafka:
        kafka.start("first")
        plain = {
            "security_protocol": "sasl_ssl",
            "sasl_mechanism": "PLAIN",
            "sasl_username": "todo",
            "ssl_ca_location": tmp_path / "ca.pem",
        }
        with bridge(stack, tmp_path, kafka.plain, "wrong", **plain) as daemon:
            wait_for("refused", lambda: "uthentication" in daemon.log.read_text(), 30)
            assert not ready(daemon)
            (tmp_path / "password").write_text("first")
            wait_for("let in with the right one", lambda: ready(daemon), 30)
            kafka.stop()
            wait_for("noticed", lambda: not ready(daemon), 30)
            (tmp_path / "password").write_text("second")
            kafka.start("second")
            wait_for("let in with the new one", lambda: ready(daemon), 60)


def test_a_clients_certificate(stack, tmp_path):
    with SecureKafka(tmp_path) as kafka:
        kafka.start("unused")
        tls = {"security_protocol": "ssl", "ssl_ca_location": tmp_path / "ca.pem"}
        with bridge(stack, tmp_path, kafka.mutual, **tls) as daemon:
            wait_for("refused", lambda: '"peer":"kafka"' in daemon.log.read_text(), 30)
            assert not ready(daemon)
        certificate = {
            "ssl_certificate_location": tmp_path / "client.pem",
            "ssl_key_location": tmp_path / "client.key",
        }
        with bridge(stack, tmp_path, kafka.mutual, **tls, **certificate) as daemon:
            wait_for("let in", lambda: ready(daemon), 30)


def test_scram(stack, tmp_path):
    """Debian 12's librdkafka cannot do it with brokers from 4.0 on (a nonce it gets wrong)."""
    with SecureKafka(tmp_path, "3.9.2") as kafka:
        kafka.start("secret")
        scram = {
            "security_protocol": "sasl_plaintext",
            "sasl_mechanism": "SCRAM-SHA-256",
            "sasl_username": "todo",
        }
        with bridge(stack, tmp_path, kafka.scram, "secret", **scram) as daemon:
            wait_for("let in", lambda: ready(daemon), 30)


def token(lives_s: float) -> str:
    """An unsecured JWT, as the broker's own validator for tests takes it."""

    def part(value: dict) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    now = int(time.time())
    return f"{part({'alg': 'none'})}.{part({'sub': 'todo', 'iat': now, 'exp': now + int(lives_s)})}."


def groups(tmp_path, kafka) -> set[str]:
    files = {
        "ssl.ca.location": "ca.pem",
        "ssl.certificate.location": "client.pem",
        "ssl.key.location": "client.key",
    }
    admin = AdminClient(
        {"bootstrap.servers": f"127.0.0.1:{kafka.mutual}", "security.protocol": "ssl"}
        | {key: str(tmp_path / name) for key, name in files.items()}
    )
    return {group.group_id for group in admin.list_consumer_groups().result(10).valid}


def test_a_token_that_is_replaced_before_it_expires(stack, tmp_path):
    with SecureKafka(tmp_path) as kafka:
        kafka.start("unused")
        oauth = {"security_protocol": "sasl_plaintext", "sasl_mechanism": "OAUTHBEARER"}
        with bridge(stack, tmp_path, kafka.token, "no token", "relay,webhooks", **oauth) as daemon:
            wait_for("refused", lambda: "kafka.token_refused" in daemon.log.read_text(), 30)
            assert not ready(daemon)
            (tmp_path / "password").write_text(token(15))
            wait_for("let in", lambda: ready(daemon), 30)
            (tmp_path / "password").write_text(token(3600))
            time.sleep(16)  # the first one is over
            kafka.stop()
            wait_for("noticed", lambda: not ready(daemon), 30)
            kafka.start("unused")
            wait_for("let in with the second", lambda: ready(daemon), 60)
            wait_for("its consumers too", lambda: "todo-webhooks" in groups(tmp_path, kafka), 30)
