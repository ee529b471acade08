# SPDX-License-Identifier: Apache-2.0
"""The bus with a broker that wants a password over TLS, a client's certificate, or SCRAM."""

import pytest
from support.secure_kafka import SecureKafka
from support.stack import Daemon, wait_for

pytestmark = pytest.mark.long


def bridge(stack, tmp_path, port: int, password: str | None = None, **properties) -> Daemon:
    """A bridge that only audits and relays; a second one beside the stack's follows and waits."""
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
        roles="relay",
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
