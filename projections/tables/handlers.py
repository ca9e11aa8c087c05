"""Handlers of read tables, and the events for which each of them has to be called."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from projections.tables.row_operations import RowOperation

type Handler = Callable[[Any, int], Iterator[RowOperation]]
"""Returns the row operations of an event, given with its position."""

_EVENTS: dict[Handler, tuple[type, ...]] = {}


def handles[H: Handler](*events: type) -> Callable[[H], H]:
    """Declare that a handler returns nothing for events of other classes than these.

    A handler without a declaration is called for every event.
    """

    def declare(handler: H) -> H:
        _EVENTS[handler] = events
        return handler

    return declare


def handlers_of(event: type, handlers: Iterable[Handler]) -> tuple[Handler, ...]:
    """Return those of the handlers that have to be called for events of this class."""
    return tuple(
        handler
        for handler in handlers
        if issubclass(event, _EVENTS.get(handler, (object,)))
    )
