# SPDX-License-Identifier: Apache-2.0
"""A broker of a test's own that lets nobody in without a password or a certificate."""

import os
import pathlib
import re
import socket
import subprocess
import uuid

from support.stack import ROOT, free_port, wait_for

CACHE = pathlib.Path(os.environ.get("TODO_CACHE_DIR", pathlib.Path.home() / ".cache" / "todo-chatbot"))
POM = ROOT / "scripts" / "dev.d" / "kafka" / "pom.xml"


def jars(version: str | None = None) -> pathlib.Path:
    """The folder of a version's jars: the one scripts/dev uses, or another that Maven fetches."""
    usual = re.search(r"<kafka.version>(.*)</kafka.version>", POM.read_text())[1]
    folder = CACHE / f"kafka-{version or usual}"
    if not (folder / "complete").exists():
        command = f"mvn -q -B -ntp dependency:copy-dependencies -Dkafka.version={version or usual}"
        subprocess.run(
            [*command.split(), f"-DoutputDirectory={folder}", "-DincludeScope=runtime"],
            cwd=POM.parent,
            check=True,
            timeout=600,
        )
        (folder / "complete").touch()
    return folder


def openssl(*args: str | pathlib.Path) -> None:
    subprocess.run(["openssl", *args], check=True, capture_output=True)


def certificates(folder: pathlib.Path) -> None:
    """An authority, and a certificate each of it for the server and for a client."""
    ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    openssl("req", "-x509", *ec, "-keyout", folder / "ca.key", "-out", folder / "ca.pem", "-subj", "/CN=ca")
    for name, more in (("server", "subjectAltName=IP:127.0.0.1"), ("client", "keyUsage=digitalSignature")):
        (folder / "ext").write_text(more)
        openssl("req", *ec, "-keyout", folder / f"{name}.key", "-out", folder / "csr", "-subj", f"/CN={name}")
        ca = ("-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-CAcreateserial", "-days", "2")
        openssl(
            "x509",
            "-req",
            "-in",
            folder / "csr",
            *ca,
            "-extfile",
            folder / "ext",
            "-out",
            folder / f"{name}.pem",
        )
    store = (folder / "server.key").read_text() + (folder / "server.pem").read_text()
    (folder / "server.store.pem").write_text(store)


class SecureKafka:
    """Listeners: PLAIN over TLS, mutual TLS, SCRAM and OAUTHBEARER (unsecured tokens) without TLS. User todo."""

    def __init__(self, folder: pathlib.Path, version: str | None = None):
        self.folder = folder
        self.jars = jars(version)
        self.plain, self.mutual, self.scram, self.token, self.controller = (free_port() for _ in range(5))
        self.process: subprocess.Popen | None = None
        self._formatted = False
        certificates(folder)

    def _properties(self, password: str) -> str:
        login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        return f"""
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{self.controller}
listeners=PLAIN://127.0.0.1:{self.plain},MUTUAL://127.0.0.1:{self.mutual},SCRAM://127.0.0.1:{self.scram},TOKEN://127.0.0.1:{self.token},CONTROLLER://127.0.0.1:{self.controller}
listener.security.protocol.map=PLAIN:SASL_SSL,MUTUAL:SSL,SCRAM:SASL_PLAINTEXT,TOKEN:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=MUTUAL
controller.listener.names=CONTROLLER
log.dirs={self.folder / "data"}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
ssl.keystore.type=PEM
ssl.keystore.location={self.folder / "server.store.pem"}
ssl.truststore.type=PEM
ssl.truststore.location={self.folder / "ca.pem"}
listener.name.mutual.ssl.client.auth=required
listener.name.plain.sasl.enabled.mechanisms=PLAIN
listener.name.plain.plain.sasl.jaas.config={login} user_todo="{password}";
listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-256
listener.name.scram.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.token.sasl.enabled.mechanisms=OAUTHBEARER
listener.name.token.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
"""

    def _java(self, *args: str) -> list[str]:
        return [
            "java",
            "-Xmx320m",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-cp",
            f"{self.jars}/*",
            *args,
        ]

    def start(self, password: str) -> None:
        file = self.folder / "server.properties"
        file.write_text(self._properties(password))
        if not self._formatted:
            cluster = uuid.uuid4().hex[:22]
            scram = f"SCRAM-SHA-256=[name=todo,password={password}]"
            tool = self._java(
                "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(file), "--add-scram", scram
            )
            subprocess.run(tool, check=True, capture_output=True, timeout=120)
            self._formatted = True
        with (self.folder / "broker.log").open("ab") as log:
            self.process = subprocess.Popen(self._java("kafka.Kafka", str(file)), stdout=log, stderr=log)
        wait_for("the broker", self._started, 90)

    def _started(self) -> bool:
        assert self.process.poll() is None, (self.folder / "broker.log").read_text()[-2000:]
        for port in (self.plain, self.mutual, self.scram):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)):
                    return False
        return True

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(60)
            self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
