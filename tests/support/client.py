# SPDX-License-Identifier: Apache-2.0
"""
A client of the WebSocket protocol todo.v1. One thread reads; whoever sends waits for its own answer.
Every frame is kept with the time it came, so that tests can ask afterwards.
"""

import contextlib
import itertools
import json
import secrets
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


class Closed(Exception):
    def __init__(self, code: int, reason: str):
        super().__init__(f"connection closed: {code} {reason}".rstrip())
        self.code = code
        self.reason = reason


class Refused(Exception):
    """An error frame in answer to a request."""

    def __init__(self, frame: dict):
        super().__init__(f"{frame.get('code')}: {frame.get('message')}")
        self.frame = frame
        self.code = frame.get("code")


@dataclass
class Event:
    at: float  # time.time() of arrival
    seq: int
    event: dict

    @property
    def type(self) -> str:
        return self.event["type"]

    @property
    def data(self) -> dict:
        return self.event.get("data") or {}


@dataclass
class Client:
    url: str
    token: str | None
    device: str = ""
    timezone: str = "UTC"
    since: int | None = None
    locale: str = "en"
    headers: dict[str, str] = field(default_factory=dict)
    hello: bool = True  # send the connect frame and wait for its answer
    timeout: float = 10.0

    def __post_init__(self):
        self.frames: list[tuple[float, dict]] = []
        self.events: list[Event] = []
        self.connected: dict | None = None
        self.closed: Closed | None = None
        self._answers: dict[str, dict] = {}
        self._news = threading.Condition()
        self._ids = itertools.count(1)
        self._salt = secrets.token_hex(4)
        self._socket = connect(
            self.url,
            subprotocols=["todo.v1"],
            additional_headers=self.headers,
            open_timeout=self.timeout,
            ping_interval=None,
            max_size=4 << 20,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if self.hello:
            self.say_hello()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- sending

    def send(self, frame: Any) -> None:
        self.send_raw(json.dumps(frame, ensure_ascii=False))

    def send_raw(self, text: str | bytes) -> None:
        try:
            self._socket.send(text)
        except ConnectionClosed as error:
            self._reader.join(5)
            raise self.closed or Closed(1006, str(error)) from error

    def say_hello(self) -> dict:
        frame = {"type": "connect", "device": self.device, "timezone": self.timezone, "locale": self.locale}
        if self.token is not None:
            frame["token"] = self.token
        if self.since is not None:
            frame["since"] = self.since
        self.send(frame)
        self.wait("connected", lambda: self.connected or self.last("error"))
        if not self.connected:
            raise Refused(self.last("error"))
        return self.connected

    def new_id(self) -> str:
        return f"{self._salt}-{next(self._ids)}"

    def request(self, frame: dict) -> dict:
        """Sends a frame with an id and waits for its one answer; Refused when that is an error."""
        ident = frame.setdefault("id", self.new_id())
        self._answers.pop(ident, None)
        self.send(frame)
        return self.answer(ident)

    def answer(self, ident: str) -> dict:
        answer = self.wait(f"an answer to {ident}", lambda: self._answers.get(ident))
        if answer["type"] == "error":
            raise Refused(answer)
        return answer

    def request_error(self, frame: dict) -> dict:
        """The error frame that a request must be answered with."""
        try:
            answer = self.request(frame)
        except Refused as refused:
            return refused.frame
        raise AssertionError(f"not refused: {answer}")

    def answered(self, ident: str) -> dict | None:
        return self._answers.get(ident)

    def message(self, text: str, ident: str | None = None, **more) -> dict:
        return self.request({"type": "message", "text": text, **({"id": ident} if ident else {}), **more})

    def action(self, action: str, task: str | None = None, ident: str | None = None, **args) -> dict:
        frame: dict = {"type": "action", "action": action}
        if task:
            frame["task"] = task
        if args:
            frame["args"] = args
        if ident:
            frame["id"] = ident
        return self.request(frame)

    def history(self, **args) -> dict:
        return self.request({"type": "history", **args})

    def ack(self, seq: int) -> None:
        self.send({"type": "ack", "seq": seq})

    def close(self) -> None:
        self._socket.close()
        self._reader.join(5)

    def cut(self) -> None:
        """The connection is gone, without a close frame."""
        with contextlib.suppress(OSError):
            self._socket.socket.shutdown(socket.SHUT_RDWR)

    # --- receiving

    def _read(self) -> None:
        closed = Closed(1006, "")
        try:
            for text in self._socket:
                self._take(json.loads(text))
        except ConnectionClosed:
            pass
        if self._socket.close_code is not None:
            closed = Closed(self._socket.close_code, self._socket.close_reason or "")
        with self._news:
            self.closed = closed
            self._news.notify_all()

    def _take(self, frame: dict) -> None:
        with self._news:
            now = time.time()
            self.frames.append((now, frame))
            kind = frame.get("type")
            if kind == "connected":
                self.connected = frame
            elif kind == "event":
                self.events.append(Event(now, frame["seq"], frame["event"]))
            if "to" in frame:
                self._answers[frame["to"]] = frame
            self._news.notify_all()

    def last(self, kind: str) -> dict | None:
        return next((frame for _, frame in reversed(self.frames) if frame.get("type") == kind), None)

    def wait(self, what: str, probe, timeout: float | None = None) -> Any:
        """Waits until probe() is true; Closed when the connection ends before."""
        deadline = time.monotonic() + (timeout or self.timeout)
        with self._news:
            while True:
                answer = probe()
                if answer:
                    return answer
                if self.closed:
                    raise self.closed
                left = deadline - time.monotonic()
                assert left > 0, f"waited in vain for {what}; last frames: {[f for _, f in self.frames[-5:]]}"
                self._news.wait(left)

    def wait_event(self, kind: str, timeout: float | None = None, **data) -> Event:
        """The first event of that type whose subject or data agrees."""

        def probe():
            for event in self.events:
                subject = data.get("subject", event.event.get("subject"))
                rest = {key: value for key, value in data.items() if key != "subject"}
                if (
                    event.type == kind
                    and event.event.get("subject") == subject
                    and rest.items() <= event.data.items()
                ):
                    return event
            return None

        return self.wait(f"event {kind} {data or ''}", probe, timeout)

    def wait_closed(self, timeout: float = 10.0) -> Closed:
        with self._news:
            self._news.wait_for(lambda: self.closed, timeout)
        assert self.closed, "the server kept the connection open"
        return self.closed
