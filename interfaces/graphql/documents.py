"""Persisted operations: the dashboard sends the digest of a text it shipped with."""

from collections.abc import Mapping
from typing import Any

import orjson
from graphql import GraphQLError

UNKNOWN = "{ __typename @unknownDocument }"
"""Replaces an unknown document; its validation error states the cause."""


def free_query() -> GraphQLError:
    """Return the error for a text of its own that a browser's session sent."""
    message = (
        "A browser's session sends the dashboard's own operations, by documentId."
        " For others use an API token."
    )
    return GraphQLError(message, extensions={"code": "FORBIDDEN"})


class Documents:
    """Replaces `documentId` by the operation's text, over HTTP and over sockets."""

    def __init__(self, text_by_id: Mapping[str, str]) -> None:
        self._text_by_id = text_by_id
        self._texts = frozenset(text_by_id.values())

    def __contains__(self, text: object) -> bool:
        return text in self._texts

    def with_text(self, message: Any) -> Any:
        """Replace the `documentId` of a parsed message in place; return the message."""
        operation = _operation(message)
        if operation is not None and "documentId" in operation:
            named = operation.pop("documentId")
            known = isinstance(named, str) and named in self._text_by_id
            operation["query"] = self._text_by_id[named] if known else UNKNOWN
        return message


KINDS: dict[str, type] = {
    "query": str,
    "operationName": str,
    "variables": dict,
    "extensions": dict,
}


def is_well_formed(message: Any) -> bool:
    """Return whether the parts of a body, or of a socket message, have the right types.

    Strawberry does not check this. It refuses lists itself.
    """
    if isinstance(message, list):
        return True
    operation = _operation(message)
    if operation is None or not isinstance(message.get("id", ""), str):
        return False
    parts = ((operation.get(name), kind) for name, kind in KINDS.items())
    return all(part is None or isinstance(part, kind) for part, kind in parts)


def is_text(message: Any) -> bool:
    """Return whether a parsed message can be serialized again.

    A lone surrogate cannot, nor can an integer of more than 64 bits.
    """
    try:
        orjson.dumps(message)
    except TypeError:
        return False
    return True


def _operation(message: Any) -> dict[str, Any] | None:
    """Return the operation in a request body, or in a socket's subscribe message."""
    if isinstance(message, dict) and message.get("type") == "subscribe":
        message = message.get("payload")
    return message if isinstance(message, dict) else None
