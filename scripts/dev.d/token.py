#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints a development token (JWT, HS256). Standard library only: it runs before anything is installed."""

import argparse
import base64
import hashlib
import hmac
import json
import pathlib
import re
import secrets
import sys
import time


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(secret: bytes, claims: dict, kid: str = "dev") -> str:
    head = b64(json.dumps({"alg": "HS256", "typ": "JWT", "kid": kid}).encode())
    body = b64(json.dumps(claims, separators=(",", ":")).encode())
    mac = hmac.new(secret, f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{b64(mac)}"


def claims_for(user: str, ttl: int, role: str | None = None) -> dict:
    now = int(time.time())
    claims = {
        "iss": "todo-chatbot",
        "aud": "todo-chatbot",
        "sub": user,
        "iat": now,
        "nbf": now - 5,
        "exp": now + ttl,
        "jti": secrets.token_hex(8),
    }
    if role:
        claims["role"] = role
    return claims


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("user")
    parser.add_argument("--secret-file", required=True, type=pathlib.Path)
    parser.add_argument("--ttl", type=int, default=12 * 3600, help="seconds")
    parser.add_argument("--role")
    args = parser.parse_args()
    if not re.fullmatch(r"[A-Za-z0-9._~@|-]{1,128}", args.user):
        print("a user id is 1 to 128 of A-Z a-z 0-9 . _ ~ @ | -", file=sys.stderr)
        return 2
    print(sign(args.secret_file.read_bytes(), claims_for(args.user, args.ttl, args.role)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
