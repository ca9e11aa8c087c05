"""Whether a webhook comes from whom it says: over its raw bytes, in constant time."""

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from application.configuration import Configuration

type Authenticate = Callable[[Mapping[str, str], bytes], bool]
"""Judges headers (any spelling of their names is found) and raw body."""

MILLISECONDS_FROM = 1e11
"""A larger timestamp is not in seconds: those would be after the year 5000."""


def authenticator(
    configuration: Configuration, now: Callable[[], datetime]
) -> Authenticate | None:
    """Build what the environment asks for; None where there is no secret."""
    if configuration.webhook_secret is None:
        return None
    secret = configuration.webhook_secret.get_secret_value()
    header = configuration.webhook_auth_header
    if not secret:
        return None
    match configuration.webhook_auth:
        case "secret":
            return SharedSecret(secret, header or "X-Vapi-Secret")
        case "bearer":
            return Bearer(secret, header or "Authorization")
        case "hmac":
            return Signature(
                secret=secret,
                now=now,
                header=header or "x-signature",
                timestamp_header=configuration.webhook_auth_timestamp_header,
                algorithm=configuration.webhook_auth_algorithm,
                encoding=configuration.webhook_auth_encoding,
                tolerance=timedelta(
                    seconds=configuration.webhook_auth_tolerance_seconds
                ),
            )


@dataclass(frozen=True, slots=True)
class SharedSecret:
    secret: str
    header: str = "X-Vapi-Secret"

    def __call__(self, headers: Mapping[str, str], body: bytes) -> bool:  # noqa: ARG002 - proves the sender only
        return _same(headers.get(self.header, ""), self.secret)


@dataclass(frozen=True, slots=True)
class Bearer:
    """A header of another name may come without the word Bearer."""

    token: str
    header: str = "Authorization"

    def __call__(self, headers: Mapping[str, str], body: bytes) -> bool:  # noqa: ARG002 - proves the sender only
        given = headers.get(self.header, "")
        scheme, _, token = given.partition(" ")
        if scheme.lower() == "bearer":
            given = token.strip()
        elif self.header.lower() == "authorization":
            return False
        return _same(given, self.token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """HMAC over `{timestamp}.{body}`, or over the body where no header is named.

    The signature may begin with the algorithm and "=". Timestamps are seconds or
    milliseconds since 1970; `tolerance` is to both sides of `now`.
    """

    secret: str
    now: Callable[[], datetime]
    header: str = "x-signature"
    timestamp_header: str = "x-timestamp"
    algorithm: Literal["sha256", "sha512", "sha1"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    tolerance: timedelta = timedelta(minutes=5)

    def __call__(self, headers: Mapping[str, str], body: bytes) -> bool:
        signed = body
        if self.timestamp_header:
            timestamp = headers.get(self.timestamp_header, "")
            if not self._is_fresh(timestamp):
                return False
            signed = timestamp.encode() + b"." + body
        expected = hmac.digest(self.secret.encode(), signed, self.algorithm)
        return hmac.compare_digest(self._decoded(headers), expected)

    def _is_fresh(self, timestamp: str) -> bool:
        # Only plain digits: it is signed as it was sent.
        if not (timestamp.isascii() and timestamp.isdigit()):
            return False
        moment = float(timestamp)
        if moment >= MILLISECONDS_FROM:
            moment /= 1000
        return abs(self.now().timestamp() - moment) <= self.tolerance.total_seconds()

    def _decoded(self, headers: Mapping[str, str]) -> bytes:
        given = headers.get(self.header, "").removeprefix(f"{self.algorithm}=")
        try:
            if self.encoding == "hex":
                return bytes.fromhex(given)
            return base64.b64decode(given, validate=True)
        except (ValueError, binascii.Error):
            return b""


def _same(given: str, expected: str) -> bool:
    # Headers are decoded as Latin-1, whatever bytes they are.
    return hmac.compare_digest(given.encode("latin-1", "replace"), expected.encode())
