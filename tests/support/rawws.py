# SPDX-License-Identifier: Apache-2.0
"""
WebSocket frames by hand, so that tests can send what no client library would. Nothing is checked
on the way out; what comes in is parsed strictly.
"""

import base64
import hashlib
import json
import secrets
import socket
import struct
import urllib.parse
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bytes | None = b"\x5a\xa5\x0f\xf0",
) -> bytes:
    """RFC 6455, section 5.2."""
    size = len(payload)
    masked = 0x80 if mask is not None else 0
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if size < 126:
        head += bytes([masked | size])
    elif size < 1 << 16:
        head += struct.pack(">BH", masked | 126, size)
    else:
        head += struct.pack(">BQ", masked | 127, size)
    if mask is None:
        return head + payload
    return head + mask + bytes(byte ^ mask[i & 3] for i, byte in enumerate(payload))


def close_payload(code: int, reason: bytes = b"") -> bytes:
    return struct.pack(">H", code) + reason


@dataclass
class Frame:
    opcode: int
    payload: bytes

    @property
    def code(self) -> int | None:
        return struct.unpack(">H", self.payload[:2])[0] if len(self.payload) >= 2 else None


class Ended(Exception):
    """The connection is at its end."""


class RawWebSocket:
    def __init__(self, url: str, timeout: float = 5):
        where = urllib.parse.urlsplit(url)
        self.host = where.netloc
        self.path = where.path
        self.socket = socket.create_connection((where.hostname, where.port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data: bytes, step: int | None = None) -> None:
        """step: so many bytes in each segment."""
        try:
            for first in range(0, len(data), step or len(data)):
                self.socket.sendall(data[first : first + (step or len(data))])
        except OSError as error:
            raise Ended(str(error)) from error

    def _more(self) -> None:
        try:
            data = self.socket.recv(65536)
        except ConnectionError as error:
            raise Ended(str(error)) from error
        if not data:
            raise Ended("end of stream")
        self._rest += data

    def _take(self, count: int) -> bytes:
        while len(self._rest) < count:
            self._more()
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def request(self, changes: dict[str, str | None] | None = None, line: str | None = None) -> bytes:
        """The opening request of section 4.1; changes: other headers, None takes one away."""
        self.key = base64.b64encode(secrets.token_bytes(16)).decode()
        headers = {
            "Host": self.host,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": self.key,
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": "todo.v1",
        } | (changes or {})
        lines = [line or f"GET {self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def response(self) -> tuple[int, dict[str, str]]:
        while b"\r\n\r\n" not in self._rest:
            self._more()
        head, self._rest = self._rest.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        pairs = (line.split(":", 1) for line in lines)
        return int(first.split()[1]), {name.strip().lower(): value.strip() for name, value in pairs}

    def open(self, step: int | None = None) -> "RawWebSocket":
        self.send(self.request(), step)
        status, headers = self.response()
        digest = hashlib.sha1((self.key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        assert status == 101, status
        assert headers["sec-websocket-accept"] == base64.b64encode(digest).decode()
        return self

    def read(self) -> Frame:
        """What the server sends is never masked (5.1) and, from this server, never in fragments."""
        first, second = self._take(2)
        assert first & 0x70 == 0 and second & 0x80 == 0, (first, second)
        size = second & 0x7F
        if size >= 126:
            size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
        assert first & 0x80, "a fragment"
        return Frame(first & 0x0F, self._take(size))

    def read_json(self) -> dict:
        got = self.read()
        assert got.opcode == TEXT, got
        return json.loads(got.payload)

    def end(self) -> int | None:
        """Reads to the end, answering a close frame; its code, None if there was none."""
        code = None
        try:
            while True:
                got = self.read()
                if got.opcode == CLOSE:
                    code = got.code
                    self.send(frame(CLOSE, got.payload))
        except Ended:
            return code
