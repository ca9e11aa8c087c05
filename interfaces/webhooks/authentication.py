"""Authentication of webhooks, over the raw body and in constant time."""

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from application.configuration import Configuration

type Headers = Mapping[str, str]
"""Headers of a request; names are case-insensitive."""

MILLISECONDS_FROM = 1e11
"""Larger timestamps are in milliseconds; as seconds they are after the year 5000."""

MOST_PARTS = 32
"""Most signatures and versions that are read from one header."""

PATH = "/webhooks/vapi"

STANDARD = "{id}.{timestamp}.{body}"
"""The signed content according to the Standard Webhooks specification."""

_PLACEHOLDER = re.compile(r"\{(id|svix-id|timestamp|method|url|body)\}")
_BETWEEN = re.compile(r"[\s,]+")
_VERSION = re.compile(r"(v\d+|sha\d+)=")


class Authenticate(Protocol):
    """Authenticates in two steps: most false requests are refused by their headers."""

    def admits(self, headers: Headers) -> bool:
        """Return whether the body is worth reading."""

    def __call__(self, headers: Headers, body: bytes) -> bool:
        """Return whether the request is authentic; `body` is as it was sent."""


def authenticator(
    configuration: Configuration, now: Callable[[], datetime]
) -> Authenticate | None:
    """Build the configured authentication; None without a secret."""
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
            return AnyOf(tuple(_signatures(configuration, secret, now)))


def _signatures(
    configuration: Configuration, secret: str, now: Callable[[], datetime]
) -> Iterator["Signature"]:
    """Yield the configured signature, and the standard ones unless a header is set."""
    header = configuration.webhook_auth_header
    tolerance = timedelta(seconds=configuration.webhook_auth_tolerance_seconds)
    timestamp_header = configuration.webhook_auth_timestamp_header
    payload = configuration.webhook_auth_payload_format
    yield Signature(
        secret=secret,
        now=now,
        header=header or "x-signature",
        timestamp_header=timestamp_header,
        message_id_header=configuration.webhook_auth_message_id_header,
        payload=payload or ("{timestamp}.{body}" if timestamp_header else "{body}"),
        url=f"{configuration.own_url}{PATH}",
        prefix=configuration.webhook_auth_prefix,
        algorithm=configuration.webhook_auth_algorithm,
        encoding=configuration.webhook_auth_encoding,
        tolerance=tolerance,
    )
    if header is not None:
        return
    for name in ("webhook", "svix"):
        yield Signature(
            secret=secret,
            now=now,
            header=f"{name}-signature",
            timestamp_header=f"{name}-timestamp",
            message_id_header=f"{name}-id",
            payload=STANDARD,
            encoding="base64",
            tolerance=tolerance,
        )


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """The secret itself in a header, as the provider sends it by default."""

    secret: str
    header: str = "X-Vapi-Secret"

    def admits(self, headers: Headers) -> bool:
        """Compare the header in constant time."""
        return _same(headers.get(self.header, ""), self.secret)

    def __call__(self, headers: Headers, body: bytes) -> bool:  # noqa: ARG002 - the headers suffice
        """Return whether the header is the secret."""
        return self.admits(headers)


@dataclass(frozen=True, slots=True)
class Bearer:
    """In another header than Authorization, the word Bearer may be missing."""

    token: str
    header: str = "Authorization"

    def admits(self, headers: Headers) -> bool:
        """Compare the token in constant time."""
        given = headers.get(self.header, "")
        scheme, _, token = given.partition(" ")
        if scheme.lower() == "bearer":
            given = token.strip()
        elif self.header.lower() == "authorization":
            return False
        return _same(given, self.token)

    def __call__(self, headers: Headers, body: bytes) -> bool:  # noqa: ARG002 - the headers suffice
        """Return whether the header has the token."""
        return self.admits(headers)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Accepts a request if one of several signatures is valid."""

    forms: tuple["Signature", ...]

    def admits(self, headers: Headers) -> bool:
        """Return whether the headers suit one of the signatures."""
        return any(form.admits(headers) for form in self.forms)

    def __call__(self, headers: Headers, body: bytes) -> bool:
        """Return whether one of the signatures is valid."""
        return any(form(headers, body) for form in self.forms if form.admits(headers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """HMAC over `payload`, in which names in braces are replaced by request parts.

    `{id}` (or `{svix-id}`) and `{timestamp}` are the values of their headers,
    `{method}` is POST, `{url}` is `url`, `{body}` the body as it was sent.

    The header may hold several signatures, separated by blanks or commas, each with a
    version or algorithm before it: `sha256=...`, `v1=...`, `v1,...`. `prefix` is cut
    off first. The key is the secret as it is written or, since it may be base64 (with
    `whsec_` before it), what it decodes to.

    Timestamps are seconds or milliseconds since 1970, or ISO 8601 with an offset;
    `tolerance` applies before and after `now`. A signature without `{timestamp}` never
    expires.
    """

    secret: str
    now: Callable[[], datetime]
    header: str = "x-signature"
    timestamp_header: str = "x-timestamp"
    message_id_header: str = "webhook-id"
    payload: str = "{timestamp}.{body}"
    url: str = ""
    prefix: str = ""
    algorithm: Literal["sha256", "sha512", "sha1"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    tolerance: timedelta = timedelta(minutes=5)

    def admits(self, headers: Headers) -> bool:
        """Return whether there is a signature, and a timestamp within `tolerance`."""
        if not any(self._given(headers)):
            return False
        if "{timestamp}" not in self.payload:
            return True
        moment = _moment(headers.get(self.timestamp_header, ""))
        if moment is None:
            return False
        return abs(self.now().timestamp() - moment) <= self.tolerance.total_seconds()

    def __call__(self, headers: Headers, body: bytes) -> bool:
        """Return whether one of the header's signatures is valid for the body."""
        if not self.admits(headers):
            return False
        given = tuple(self._given(headers))
        return any(
            hmac.compare_digest(one, expected)
            for expected in self._expected(headers, body)
            for one in given
        )

    def _expected(self, headers: Headers, body: bytes) -> Iterator[bytes]:
        for key in _keys(self.secret):
            made = hmac.new(key, digestmod=self.algorithm)
            for part in self._signed(headers, body):
                made.update(part)
            yield made.digest()

    def _signed(self, headers: Headers, body: bytes) -> Iterator[bytes]:
        """Yield the signed content in parts, so that a large body is not copied."""
        message_id = headers.get(self.message_id_header, "")
        values = {
            "id": message_id,
            "svix-id": message_id,
            "timestamp": headers.get(self.timestamp_header, ""),
            "method": "POST",
            "url": self.url,
        }
        # Every second part is a placeholder's name.
        for at, part in enumerate(_PLACEHOLDER.split(self.payload)):
            if at % 2 == 0:
                yield part.encode()
            elif part == "body":
                yield body
            else:
                yield values[part].encode("latin-1", "replace")

    def _given(self, headers: Headers) -> Iterator[bytes]:
        """Yield the decoded signatures of the header; skip values that are none."""
        value = headers.get(self.header, "").strip().removeprefix(self.prefix)
        for one in _BETWEEN.split(value)[:MOST_PARTS]:
            decoded = self._decoded(_VERSION.sub("", one, count=1))
            if decoded:
                yield decoded

    def _decoded(self, given: str) -> bytes:
        try:
            if self.encoding == "hex":
                return bytes.fromhex(given)
            return base64.b64decode(given, validate=True)
        except (ValueError, binascii.Error):
            return b""


def _keys(secret: str) -> Iterator[bytes]:
    yield secret.encode()
    try:
        decoded = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (ValueError, binascii.Error):
        return
    if decoded:
        yield decoded


def _moment(timestamp: str) -> float | None:
    """Parse a timestamp to seconds since 1970; None if it is invalid."""
    if not timestamp.isascii():
        return None
    if timestamp.isdigit():
        moment = float(timestamp)
        return moment / 1000 if moment >= MILLISECONDS_FROM else moment
    try:
        at = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    return at.timestamp() if at.tzinfo else None


def _same(given: str, expected: str) -> bool:
    # The server decodes all headers as Latin-1.
    return hmac.compare_digest(given.encode("latin-1", "replace"), expected.encode())
