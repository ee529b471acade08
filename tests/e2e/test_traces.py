# SPDX-License-Identifier: Apache-2.0
"""Spans of one message from the gateway to every screen and phone, as a collector gets them by OTLP/HTTP."""

import http.server
import json
import secrets
import threading

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from support.client import Client
from support.stack import Daemon, wait_for


class Collector(http.server.ThreadingHTTPServer):
    """Takes what fits the protocol's own schema, and nothing else."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Received)
        self.spans: list[dict] = []
        self.problems: list[str] = []
        self.status = 200
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def of(self, trace: str) -> dict[tuple[str, str], dict]:
        return {(s["service"], s["name"]): s for s in list(self.spans) if s["traceId"] == trace}


class Received(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.status == 200:
            try:
                json_format.ParseDict(body, ExportTraceServiceRequest())
                assert self.path == "/v1/traces" and self.headers["Content-Type"] == "application/json"
            except (json_format.ParseError, AssertionError) as problem:
                self.server.problems.append(str(problem))
            for resource in body["resourceSpans"]:
                named = {a["key"]: a["value"]["stringValue"] for a in resource["resource"]["attributes"]}
                for scope in resource["scopeSpans"]:
                    self.server.spans.extend({**s, "service": named["service.name"]} for s in scope["spans"])
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


@pytest.fixture
def collector():
    server = Collector()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def traced(stack, collector, tmp_path):
    """Gateway and bridge that send their spans to the collector, instead of the stack's own."""
    settings = {"otlp_endpoint": collector.url}
    stack.stop("gateway", "bridge")
    with (
        Daemon(stack, "bridge", tmp_path / "bridge.log", **settings) as bridge,
        Daemon(stack, "gateway", tmp_path / "gateway.log", **settings) as gateway,
    ):
        wait_for("ready", lambda: gateway.http("/readyz") == 200 and bridge.http("/readyz") == 200, 30)
        yield gateway
    stack.start("bridge", "gateway")


def attributes(span: dict) -> dict:
    return {a["key"]: next(iter(a["value"].values())) for a in span["attributes"]}


def test_a_message_is_seen_from_end_to_end(stack, collector, traced, user):
    trace, parent = secrets.token_hex(16), secrets.token_hex(8)
    with Client(f"ws://127.0.0.1:{traced.port}/ws", stack.token(user)) as page:
        page.request(
            {
                "type": "message",
                "id": "t1",
                "text": "add task trace me",
                "traceparent": f"00-{trace}-{parent}-01",
            }
        )
        page.wait_event("task.created")
    wanted = {
        ("todo-gateway", "turn"), ("todo-bridge", "publish"), ("todo-gateway", "deliver"), ("todo-bridge", "publish mqtt"),
    }  # fmt: skip
    wait_for("all spans", lambda: wanted <= set(collector.of(trace)), 10)
    spans = collector.of(trace)
    turn = spans["todo-gateway", "turn"]
    assert turn["parentSpanId"] == parent
    assert attributes(turn)["todo.intent"] == "task.create"
    for name in wanted - {("todo-gateway", "turn")}:
        assert spans[name]["parentSpanId"] == turn["spanId"], name
    assert len({span["spanId"] for span in spans.values()}) == len(wanted)
    for span in spans.values():
        assert 0 < int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
    assert not collector.problems


def test_a_reminder_is_the_root_of_its_trace(stack, collector, traced, user):
    with Client(f"ws://127.0.0.1:{traced.port}/ws", stack.token(user)) as page:
        page.message("remind me to trace it in 1 second")
        event = page.wait_event("reminder.triggered", timeout=20)
    trace = event.event["traceparent"].split("-")[1]
    wait_for("delivered", lambda: ("todo-gateway", "deliver") in collector.of(trace), 10)
    fired = collector.of(trace)["todo-bridge", "fire"]
    assert "parentSpanId" not in fired
    assert fired["spanId"] == event.event["traceparent"].split("-")[2]
    assert not collector.problems


def test_a_collector_that_is_away_harms_nobody(stack, collector, traced, user):
    collector.status = 503
    with Client(f"ws://127.0.0.1:{traced.port}/ws", stack.token(user)) as page:
        for number in range(50):
            page.message(f"add task number {number}")
        collector.status = 200
        trace = secrets.token_hex(16)
        page.request(
            {
                "type": "message",
                "id": "t1",
                "text": "add task again",
                "traceparent": f"00-{trace}-{'1' * 16}-01",
            }
        )
    wait_for("spans again", lambda: ("todo-gateway", "turn") in collector.of(trace), 10)
