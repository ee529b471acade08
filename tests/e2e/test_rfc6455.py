# SPDX-License-Identifier: Apache-2.0
"""
The WebSocket protocol as RFC 6455 has it, sentence by sentence, with frames made by hand. Sections are
named at each test. It is not an echo server that is asked but the product: a ping frame of todo.v1 gets a pong.
What libwebsockets does otherwise, and no program above it can change, is said in docs/security.md and at DROPPED below.
"""

import json

import pytest
from support.rawws import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Ended,
    RawWebSocket,
    close_payload,
    frame,
)

HELLO = b'{"type":"ping"}'
PROTOCOL_ERROR, BAD_TEXT = 1002, 1007
DROPPED = None  # the connection ends without a close frame, which 7.1.7 allows


@pytest.fixture
def raw(stack):
    with RawWebSocket(stack["TODO_WS_URL"]) as socket:
        yield socket


@pytest.fixture
def ws(raw, stack, user):
    """Signed in."""
    raw.open()
    raw.send(
        frame(TEXT, json.dumps({"type": "connect", "token": stack.token(user), "device": "raw"}).encode())
    )
    assert raw.read_json()["type"] == "connected"
    return raw


def alive(ws) -> bool:
    ws.send(frame(TEXT, HELLO))
    return ws.read_json()["type"] == "pong"


# --- the opening handshake (4.2)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"Sec-WebSocket-Key": None}, None),  # 4.2.1 (5)
        ({"Sec-WebSocket-Version": None}, None),  # 4.2.1 (6)
        ({"Upgrade": None}, None),  # 4.2.1 (3)
        ({"Connection": "keep-alive"}, None),  # 4.2.1 (4)
        ({}, "POST /ws HTTP/1.1"),  # 4.2.1 (1)
        ({}, "GET /ws HTTP/1.0"),
    ],
)  # fmt: skip
def test_a_request_that_lacks_a_part_is_no_handshake(raw, changes, line):
    raw.send(raw.request(changes, line))
    try:
        status, headers = raw.response()
    except Ended:
        return
    assert status != 101 and "sec-websocket-accept" not in headers


def test_another_version_is_told_which_one_there_is(raw):
    raw.send(raw.request({"Sec-WebSocket-Version": "12"}))  # 4.4
    status, headers = raw.response()
    assert (status, headers["sec-websocket-version"]) == (426, "13")


@pytest.mark.parametrize(
    "changes",
    [
        {"Upgrade": "WebSocket"},  # 4.2.1: no difference between cases
        {"Connection": "keep-alive, uPGRADE"},
        {"Sec-WebSocket-Protocol": "chat, todo.v1"},
        {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"},
    ],
)
def test_forms_of_one_handshake(raw, changes):
    raw.send(raw.request(changes))
    status, headers = raw.response()
    assert status == 101 and headers["sec-websocket-protocol"] == "todo.v1"
    assert "sec-websocket-extensions" not in headers  # none is spoken here (9.1)


def test_handshake_and_frames_byte_by_byte(raw, stack, user):
    raw.open(step=1)
    hello = json.dumps({"type": "connect", "token": stack.token(user), "device": "raw"}).encode()
    raw.send(frame(TEXT, hello), step=1)
    assert raw.read_json()["type"] == "connected"
    raw.send(frame(PING, b"slow"), step=1)
    got = raw.read()
    assert (got.opcode, got.payload) == (PONG, b"slow")


# --- frames (5.2)


@pytest.mark.parametrize("mask", [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\x80\x7f\xfe"])
def test_any_mask(ws, mask):
    ws.send(frame(TEXT, HELLO, mask=mask))
    assert ws.read_json()["type"] == "pong"


@pytest.mark.parametrize("rsv", [1, 2, 4, 7])
@pytest.mark.parametrize("opcode", [TEXT, PING])
def test_reserved_bits(ws, opcode, rsv):
    ws.send(frame(opcode, HELLO, rsv=rsv))
    assert ws.end() == PROTOCOL_ERROR


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_reserved_opcodes(ws, opcode):
    ws.send(frame(opcode, HELLO))
    assert ws.end() == PROTOCOL_ERROR


@pytest.mark.parametrize("size", [len(HELLO), 125, 126, 127, 4000])
def test_each_form_of_a_length(ws, size):
    ws.send(frame(TEXT, HELLO + b" " * (size - len(HELLO))))
    assert ws.read_json()["type"] == "pong"


def test_a_length_of_64_bits_whose_first_is_set(ws):
    ws.send(bytes([0x81, 0xFF]) + b"\xff" * 8 + b"\0" * 4)
    assert ws.end() is DROPPED


def test_binary_is_not_spoken_here(ws):
    ws.send(frame(BINARY, HELLO))
    assert ws.end() == 1003  # 7.4.1


# --- fragments (5.4)


@pytest.mark.parametrize("cut", range(len(HELLO) + 1))
def test_a_message_in_two_fragments(ws, cut):
    ws.send(frame(TEXT, HELLO[:cut], fin=False) + frame(CONTINUATION, HELLO[cut:]))
    assert ws.read_json()["type"] == "pong"


def test_a_message_in_fragments_of_a_byte_with_a_ping_between(ws):
    fragments = [
        frame(CONTINUATION if at else TEXT, HELLO[at : at + 1], fin=False) for at in range(len(HELLO))
    ]
    fragments.insert(5, frame(PING, b"between"))
    ws.send(b"".join(fragments) + frame(CONTINUATION))
    answers = {got.opcode: got.payload for got in (ws.read(), ws.read())}
    assert answers[PONG] == b"between" and json.loads(answers[TEXT])["type"] == "pong"


@pytest.mark.parametrize(
    "wrong",
    [
        frame(CONTINUATION, HELLO),  # nothing to continue
        frame(CONTINUATION, b"", fin=False),
        frame(TEXT, HELLO) + frame(CONTINUATION, b""),
        frame(TEXT, b"{", fin=False) + frame(TEXT, HELLO),  # the first is not at its end
        frame(TEXT, b"{", fin=False) + frame(BINARY, HELLO),
    ],
)
def test_fragments_out_of_place(ws, wrong):
    ws.send(wrong)
    assert ws.end() == PROTOCOL_ERROR


# --- control frames (5.5)


@pytest.mark.parametrize("payload", [b"", b"x", b"\0\xff\xfe binary", b"p" * 125])
def test_ping(ws, payload):
    ws.send(frame(PING, payload))
    got = ws.read()
    assert (got.opcode, got.payload) == (PONG, payload)


def test_a_pong_nobody_asked_for(ws):
    ws.send(frame(PONG, b"unasked"))
    assert alive(ws)


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
def test_control_frames_are_short_and_whole(ws, opcode):
    ws.send(frame(opcode, close_payload(1000) + b"p" * 124))
    assert ws.end() is DROPPED


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
def test_control_frames_have_no_fragments(ws, opcode):
    ws.send(frame(opcode, close_payload(1000), fin=False))
    assert ws.end() == PROTOCOL_ERROR


# --- closing (5.5.1, 7.4)


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
)
def test_close_is_answered_and_ends_the_connection(ws, code):
    ws.send(frame(CLOSE, close_payload(code, b"bye")))
    assert ws.end() == code


def test_close_without_a_code(ws):
    ws.send(frame(CLOSE))
    assert ws.end() in (None, 1000)


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1014, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
def test_codes_that_must_not_be_sent(ws, code):
    ws.send(frame(CLOSE, close_payload(code)))
    assert ws.end() == PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("payload", "codes"),
    [
        (b"\x03", (PROTOCOL_ERROR,)),
        (close_payload(1000, b"\xce\xba\xed\xa0\x80"), (BAD_TEXT, DROPPED)),
        (close_payload(1000, b"\xf0\x9f"), (BAD_TEXT,)),
    ],
)
def test_close_with_a_wrong_body(ws, payload, codes):
    ws.send(frame(CLOSE, payload))
    assert ws.end() in codes


def test_nothing_is_done_after_close(ws, stack, user):
    message = json.dumps({"type": "message", "id": "late", "text": "add task too late"}).encode()
    ws.send(frame(CLOSE, close_payload(1000)) + frame(TEXT, message))
    assert ws.end() == 1000
    assert stack.sql(f"select count(*) from tasks where user_id = '{user}'") == [["0"]]


# --- text is UTF-8 (8.1)

NOT_UTF8 = {
    "a byte that never occurs": b"\xff",
    "a continuation alone": b"\x80",
    "overlong": b"\xc0\xaf",
    "overlong in three": b"\xe0\x80\xaf",
    "surrogate": b"\xed\xa0\x80",
    "above U+10FFFF": b"\xf4\x90\x80\x80",
    "cut short": b"\xe2\x82",
}


@pytest.mark.parametrize("kind", NOT_UTF8)
def test_text_that_is_not_utf8(ws, kind):
    ws.send(frame(TEXT, b'{"type":"ping","x":"' + NOT_UTF8[kind] + b'"}'))
    assert ws.end() == BAD_TEXT


@pytest.mark.parametrize("kind", NOT_UTF8)
def test_text_that_is_not_utf8_over_fragments(ws, kind):
    bad = NOT_UTF8[kind]
    ws.send(frame(TEXT, b'{"type":"ping","x":"' + bad[:1], fin=False) + frame(CONTINUATION, bad[1:] + b'"}'))
    assert ws.end() == BAD_TEXT


def test_a_character_cut_by_a_fragment_is_whole(ws):
    text = '{"type":"ping","x":"€ 𐍈 é"}'.encode()
    for cut in range(1, len(text)):
        ws.send(frame(TEXT, text[:cut], fin=False) + frame(CONTINUATION, text[cut:]))
        assert ws.read_json()["type"] == "pong"


def test_text_that_ends_inside_a_character(ws):
    ws.send(frame(TEXT, '{"type":"ping","x":"€'.encode()[:-1]))
    assert ws.end() == BAD_TEXT
