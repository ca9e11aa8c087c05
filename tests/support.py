"""Aggregates from past events, the new events of a command, and waiting."""

import inspect
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from eventsourcing.domain import (
    BaseAggregate,
    CanInitAggregate,
    CanMutateAggregate,
)
from eventsourcing.utils import get_topic

type Fact = tuple[type[CanMutateAggregate[UUID]], dict[str, Any]]
"""An event class and its own fields, without the envelope."""

ENVELOPE = {"originator_id", "originator_topic", "originator_version", "timestamp"}
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def given[A: BaseAggregate[UUID]](kind: type[A], *facts: Fact) -> A:
    """Rebuild an aggregate from its past, as the repository would.

    A fact may name its own `timestamp` or `originator_id`; else they are made up.
    """
    stream = uuid4()
    aggregate: BaseAggregate[UUID] | None = None
    for version, (event, own) in enumerate(facts, start=1):
        envelope: dict[str, Any] = {
            "originator_id": stream,
            "originator_version": version,
            "timestamp": EPOCH,
        }
        if issubclass(event, CanInitAggregate):
            envelope["originator_topic"] = get_topic(kind)
        stream = own.get("originator_id", stream)
        make: type[Any] = event  # The library makes its constructor.
        aggregate = make(**envelope | own).mutate(aggregate)
    assert isinstance(aggregate, kind)
    return aggregate


def new_events(aggregate: BaseAggregate[UUID]) -> list[Fact]:
    """Take the pending events as (class, own fields)."""
    return [
        (type(event), {k: v for k, v in vars(event).items() if k not in ENVELOPE})
        for event in aggregate.collect_events()
    ]


def replayed(events: Iterable[CanMutateAggregate[UUID]]) -> dict[str, Any]:
    """Fold events into an aggregate and show its state."""
    aggregate: BaseAggregate[UUID] | None = None
    for event in events:
        aggregate = event.mutate(aggregate)
    assert aggregate is not None
    return state_of(aggregate)


def state_of(aggregate: BaseAggregate[UUID]) -> dict[str, Any]:
    """Return the state of an aggregate, defaults included, without pending events."""
    state: dict[str, Any] = {}
    for part in reversed(type(aggregate).__mro__):
        names = inspect.get_annotations(part)
        state |= {name: vars(part)[name] for name in names if name in vars(part)}
    state |= vars(aggregate)
    return {k: v for k, v in state.items() if k != "_pending_events"}


def eventually(
    condition: Callable[[], object], within: float = 30.0, what: str = "a condition"
) -> None:
    """Wait until `condition()` is true; fail with `what` after `within` seconds.

    The pause between two calls of `condition` grows to 0.1 seconds, so that waiting
    does not keep the machine busy.
    """
    began = time.monotonic()
    pause = threading.Event()
    while not condition():
        waited = time.monotonic() - began
        if waited > within:
            message = f"Waited {within} s in vain for {what}."
            raise AssertionError(message)
        pause.wait(min(max(waited / 20, 0.01), 0.1))
