"""Removes secrets from the provider's documents before they are stored.

Stored events are never deleted, so they must not contain anything that gives access:
keys, secrets, headers, links to listen to a call or to fetch a recording.
"""

import math
import re
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from application.vault import is_storable, storable

DEEPEST = 100
"""Levels that are kept; the JSON encoder fails at about 250."""

LARGEST_INTEGER = 2**63 - 1

# Keys are compared in lower case, without characters other than letters and digits.
SECRETS = re.compile(
    r"secret|passw|passphrase|credential|authoriz|apikey|accesskey|privatekey"
    r"|signingkey|signature|cookie|^auth$|authentication(plan)?$|^headers$|^presigned"
    r"|^(control|listen|webcall|call)url$"
)
SIGNED = re.compile(r"signature|token|secret|credential|key", re.IGNORECASE)

ASSISTANT = "assistant"
"""Key of the assistant; only its id and name are kept."""

TWINS = {"messagesopenaiformatted": "messages", "variables": "variableValues"}
"""Old names of keys, removed if the current name is present as well."""


class _Key(NamedTuple):
    """Properties of a key; cached, since messages use the same few keys."""

    plain: str
    secret: bool
    token: bool
    twin: str | None
    harmless: bool
    """The value is kept, whatever it is."""

    link: bool
    """The text may contain a secret, which is removed."""


@lru_cache(maxsize=4096)
def _read(key: str) -> _Key:
    plain = re.sub(r"[^a-z0-9]", "", key.lower())
    secret, token = SECRETS.search(plain) is not None, "token" in plain
    twin = TWINS.get(plain)
    link = plain.endswith("url") or plain == EXPLANATION
    return _Key(plain, secret, token, twin, not (secret or token or twin), link)


SECRET_TEXTS = re.compile(
    r"\bbearer\s+[\w.~+/=-]{8,}"
    r"|\b(?:api.?key|token|secret|password|passwd|pwd|signature)\b\s*[=:]\s*(?:bearer\s+)?\S+"
    r"|\b(?:sk|pk|rk)[-_][\w-]{8,}"
    r"|\beyJ[\w-]{8,}(?:\.[\w-]+)*"
    r"|\b(?:AC|SK)?[0-9a-f]{32,}\b",
    re.IGNORECASE,
)
LINKS = re.compile(r"\bhttps?://\S+", re.IGNORECASE)
PHONE_NUMBERS = re.compile(
    r"\+\d(?:[ ().-]{0,2}\d){6,14}|\b\d(?:[ ().-]{0,2}\d){9,14}\b"
)
EXPLANATION = "endedmessage"
HIDDEN = "[redacted]"


def redact_text(text: str) -> str:
    """Return an explanation without secrets, signed links and phone numbers.

    Used for texts that are shown as the reason of a pause, without a contact.
    """
    text = " ".join(storable(text).split())
    return PHONE_NUMBERS.sub(
        lambda number: f"...{_last_digits(number[0])}", _hide(text)
    )


def _hide(text: str) -> str:
    """Remove secrets from a sentence; idempotent."""
    text = LINKS.sub(lambda link: _unsigned(link[0]), text)
    return SECRET_TEXTS.sub(HIDDEN, text)


def _last_digits(number: str) -> str:
    return re.sub(r"\D", "", number)[-2:]


def redact(document: Any) -> Any:
    """Return a JSON document without its secrets and without redundant parts.

    Deterministic and idempotent. The result can be stored as JSON: no NaN, no NUL,
    nothing deeper than DEEPEST levels.
    """
    if is_storable(document):  # Redaction adds nothing that could not be stored.
        return _clean("", document, DEEPEST)
    return storable(_clean("", storable(_shallow(document, DEEPEST)), DEEPEST))


def _shallow(value: Any, levels: int) -> Any:
    """Remove values below this number of levels."""
    if isinstance(value, dict | list) and not levels:
        return None
    if isinstance(value, dict):
        return {key: _shallow(item, levels - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_shallow(item, levels - 1) for item in value]
    return value


def _clean(key: str, value: Any, levels: int) -> Any:
    match value:
        case str() if key == EXPLANATION:
            return _hide(value)
        case str():
            return _unsigned(value) if key.endswith("url") else value
        case dict() | list() if not levels:
            return None
        case dict():
            return _kept(_trimmed(key, value), levels)
        case list():
            return [
                _kept(item, levels - 1)
                if type(item) is dict and levels > 1 and key != ASSISTANT
                else _clean(key, item, levels - 1)
                for item in value
            ]
        case _:
            return _writable(value)


def _kept(document: dict[str, Any], levels: int) -> dict[str, Any]:
    kept = {}
    for name, value in document.items():
        key = _read(name)
        if type(value) is str and key.harmless and not key.link:
            kept[name] = value  # The most frequent case.
        elif key.harmless or not _goes(key, value, document):
            kept[name] = _clean(key.plain, value, levels - 1)
    return kept


def _goes(key: _Key, value: Any, document: dict[str, Any]) -> bool:
    return _is_secret(key, value) or bool(key.twin and document.get(key.twin))


def _is_secret(key: _Key, value: Any) -> bool:
    """Return whether the value is a secret; numbers of tokens are costs of a model."""
    counts = key.plain.endswith("tokens") and isinstance(value, int | float)
    return key.secret or (key.token and not counts)


def _trimmed(key: str, document: dict[str, Any]) -> dict[str, Any]:
    """Keep only id and name of an assistant: messages repeat its whole prompt."""
    if key != ASSISTANT:
        return document
    return {name: document[name] for name in ("id", "name") if name in document}


def _unsigned(url: str) -> str:
    """Remove all signatures and passwords from a link."""
    while (cleaned := _unsigned_once(url)) != url:
        url = cleaned
    return url


def _unsigned_once(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if "@" in parts.netloc:
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    if SIGNED.search(parts.query):
        return parts._replace(query="").geturl()
    return url


def _writable(value: Any) -> Any:
    match value:
        case None | bool():
            return value
        case int() if abs(value) <= LARGEST_INTEGER:
            return value
        case int() | float():
            return _finite(value)
        case _:
            return str(value)


def _finite(number: float) -> float | None:
    try:
        return float(number) if math.isfinite(number) else None
    except OverflowError:
        return None
