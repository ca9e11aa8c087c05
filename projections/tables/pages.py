"""Pages of long lists, and the cursors between them."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from domain.errors import Invalid

LARGEST = 2**63
"""All positions of the log are smaller."""


@dataclass(frozen=True, slots=True)
class Page[T]:
    """A page of a list as of a position of the log.

    Each node has a cursor. `total` counts the whole list; 0 where it is not counted.
    """

    nodes: tuple[T, ...]
    cursors: tuple[str, ...]
    has_next: bool
    total: int
    position: int

    @property
    def end_cursor(self) -> str | None:
        """The cursor after which the next page begins; None for an empty page."""
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
    """Encode the sort key of a node as an opaque text; parts are JSON values."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def from_cursor(cursor: str, *kinds: Callable[[Any], Any]) -> tuple[Any, ...]:
    """Decode a cursor; each part is converted by the function at its index.

    Raises:
        Invalid: the cursor does not contain such parts.
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
