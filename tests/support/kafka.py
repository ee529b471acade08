# SPDX-License-Identifier: Apache-2.0
"""Reads a topic from its start or end, all partitions, without a group."""

import json
import threading
import time
import uuid
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from support.stack import wait_for


@dataclass
class Record:
    at: float
    partition: int
    offset: int
    key: str
    headers: dict[str, bytes]
    event: dict


class Topic:
    def __init__(self, brokers: str, name: str, beginning: bool = False):
        self.name = name
        self.records: list[Record] = []
        self._stop = threading.Event()
        self._consumer = Consumer(
            {
                "bootstrap.servers": brokers,
                "group.id": f"test-{uuid.uuid4()}",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 20,
                "reconnect.backoff.max.ms": 500,
                "log_level": 0,
            }
        )
        parts = wait_for(f"topic {name}", self._partitions, 20)
        start = []
        for part in parts:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(name, part), timeout=10)
            del low
            start.append(TopicPartition(name, part, OFFSET_BEGINNING if beginning else high))
        self._consumer.assign(start)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _partitions(self) -> list[int]:
        try:
            topic = self._consumer.list_topics(self.name, timeout=5).topics[self.name]
        except KafkaException:
            return []
        return [] if topic.error else list(topic.partitions)

    def _read(self) -> None:
        while not self._stop.is_set():
            message = self._consumer.poll(0.1)
            if message is None or message.error():
                continue
            self.records.append(
                Record(
                    time.time(),
                    message.partition(),
                    message.offset(),
                    (message.key() or b"").decode(),
                    dict(message.headers() or []),
                    json.loads(message.value()),
                )
            )

    def of(self, user: str) -> list[Record]:
        return [record for record in list(self.records) if record.key == user]

    def wait(self, what: str, probe, timeout: float = 10.0) -> Record:
        return wait_for(
            f"{what} in {self.name}", lambda: next((r for r in list(self.records) if probe(r)), None), timeout
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(5)
        self._consumer.close()
