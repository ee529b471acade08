# SPDX-License-Identifier: Apache-2.0
"""A Dapr sidecar's HTTP API."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass


@dataclass
class Sidecar:
    """One of the stack's, or one of a test's own."""

    url: str
    token: str

    def call(self, method: str, path: str, body=None, **headers) -> tuple[int, bytes]:
        """Header names with _ for -."""
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        request.add_header("content-type", "application/json")
        if self.token:
            request.add_header("dapr-api-token", self.token)
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def healthy(self) -> bool:
        try:
            return self.call("GET", "/v1.0/healthz/outbound")[0] == 204
        except OSError:
            return False
