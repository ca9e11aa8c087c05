"""What is taken out of the provider's documents before anything is stored.

An event store does not forget, so nothing that opens a door may enter it: keys,
secrets, headers, links that let a stranger listen in or fetch a recording.
"""

import math
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from application.vault import storable

DEEPEST = 100
"""Levels that are kept; what writes JSON gives up at some 250."""

LARGEST_INTEGER = 2**63 - 1

# Keys are compared in small letters, without what is neither letter nor digit.
SECRETS = re.compile(
    r"secret|passw|passphrase|credential|authoriz|apikey|accesskey|privatekey"
    r"|signingkey|signature|cookie|^auth$|authentication(plan)?$|^headers$|^presigned"
    r"|^(control|listen|webcall|call)url$"
)
SIGNED = re.compile(r"signature|token|secret|credential|key", re.IGNORECASE)

type _Rule = Callable[[str, Any, dict[str, Any]], bool]


def redact(document: Any) -> Any:
    """Return a JSON document without its secrets and without what only bloats it.

    The same document gives the same answer, and redacting twice changes nothing. The
    answer can be written as JSON: no NaN, no NUL, nothing deeper than DEEPEST.
    """
    return storable(_clean("", storable(_shallow(document, DEEPEST)), DEEPEST))


def _shallow(value: Any, levels: int) -> Any:
    """Cut off what lies too deep, so that the rest can be walked and written."""
    if isinstance(value, dict | list) and not levels:
        return None
    if isinstance(value, dict):
        return {key: _shallow(item, levels - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_shallow(item, levels - 1) for item in value]
    return value


def _clean(key: str, value: Any, levels: int) -> Any:
    match value:
        case dict():
            return dict(_kept(_trimmed(key, value), levels))
        case list():
            return [_clean(key, item, levels - 1) for item in value]
        case str():
            return _unsigned(value) if key.endswith("url") else value
        case bool() | None:
            return value
        case int() | float():
            return _writable(value)
        case _:
            return str(value)


def _kept(document: dict[str, Any], levels: int) -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        plain = re.sub(r"[^a-z0-9]", "", key.lower())
        if not any(drops(plain, value, document) for drops in RULES):
            yield key, _clean(plain, value, levels - 1)


def _is_secret(key: str, value: Any, _document: dict[str, Any]) -> bool:
    if SECRETS.search(key):
        return True
    # A number of tokens is what a model cost.
    counts = key.endswith("tokens") and isinstance(value, int | float)
    return "token" in key and not counts


def _is_a_twin(key: str, _value: Any, document: dict[str, Any]) -> bool:
    """Say whether the same stands beside it under the name in use today."""
    twin = TWINS.get(key)
    return twin is not None and bool(document.get(twin))


TWINS = {"messagesopenaiformatted": "messages", "variables": "variableValues"}
RULES: tuple[_Rule, ...] = (_is_secret, _is_a_twin)


def _trimmed(key: str, document: dict[str, Any]) -> dict[str, Any]:
    """Keep of an assistant who it is; every message repeats its whole prompt."""
    if key != "assistant":
        return document
    return {name: document[name] for name in ("id", "name") if name in document}


def _unsigned(url: str) -> str:
    """Take a signature and a password out of a link, until it has none."""
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


def _writable(number: float) -> float | None:
    if isinstance(number, int) and abs(number) <= LARGEST_INTEGER:
        return number
    try:
        return float(number) if math.isfinite(number) else None
    except OverflowError:
        return None
