"""Operations that are sent by the digest of their text: the dashboard's own."""

from collections.abc import Mapping
from typing import Any

import orjson
from graphql import GraphQLError

UNKNOWN = "{ __typename @unknownDocument }"
"""Stands for a text that is not here: it is refused, and the refusal names why."""


def free_query() -> GraphQLError:
    message = (
        "A browser's session sends the dashboard's own operations, by documentId."
        " For others use an API token."
    )
    return GraphQLError(message, extensions={"code": "FORBIDDEN"})


class Documents:
    """Puts the text in the place of `documentId`, over HTTP and over the socket."""

    def __init__(self, text_by_id: Mapping[str, str]) -> None:
        self._text_by_id = text_by_id
        self._texts = frozenset(text_by_id.values())

    def __contains__(self, text: object) -> bool:
        return text in self._texts

    def filled(self, message: Any) -> Any:
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
    """Say whether a body, or a frame of the socket, has parts of the right kinds.

    The library takes that for granted. Lists it refuses by itself.
    """
    if isinstance(message, list):
        return True
    operation = _operation(message)
    if operation is None or not isinstance(message.get("id", ""), str):
        return False
    parts = ((operation.get(name), kind) for name, kind in KINDS.items())
    return all(part is None or isinstance(part, kind) for part, kind in parts)


def is_text(message: Any) -> bool:
    """Say whether it can be written as it was read.

    Half a character cannot, nor a whole number of more than 64 bits.
    """
    try:
        orjson.dumps(message)
    except TypeError:
        return False
    return True


def _operation(message: Any) -> dict[str, Any] | None:
    """Find the operation in a request's body, or in a frame of the socket."""
    if isinstance(message, dict) and message.get("type") == "subscribe":
        message = message.get("payload")
    return message if isinstance(message, dict) else None
