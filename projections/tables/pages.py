"""Pages of long lists, and the cursors between them."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from domain.errors import Invalid

LARGEST = 2**63
"""Positions are smaller than this."""


@dataclass(frozen=True, slots=True)
class Page[T]:
    """A part of a list, in its order, as of a position of the log."""

    nodes: tuple[T, ...]
    cursors: tuple[str, ...]
    has_next: bool
    total: int
    position: int

    @property
    def end_cursor(self) -> str | None:
        return self.cursors[-1] if self.cursors else None


def page_of[T](
    found: Sequence[T],
    first: int,
    cursor: Callable[[T], str],
    *,
    total: int,
    position: int,
) -> Page[T]:
    """Return a page of `first` rows; one row more shows that there is a next page."""
    nodes = tuple(found[:first])
    cursors = tuple(cursor(node) for node in nodes)
    return Page(nodes, cursors, len(found) > first, total, position)


def as_cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def from_cursor(cursor: str, *kinds: Callable[[Any], Any]) -> tuple[Any, ...]:
    """Decode a cursor; each part is converted by the function at its index.

    Raises:
        Invalid: it was not made by `as_cursor` from such parts.
    """
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        parts = orjson.loads(text)
        return tuple(kind(part) for kind, part in zip(kinds, parts, strict=True))
    except (TypeError, ValueError, AttributeError):
        raise Invalid(
            "The cursor is not one of this list.", after="is unknown"
        ) from None


def whole(part: Any) -> int:
    """Return a part of a cursor that is a position; raise ValueError otherwise."""
    if isinstance(part, int) and 0 <= part < LARGEST:
        return part
    raise ValueError(part)
