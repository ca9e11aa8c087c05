"""Every event class of the domain, and one example of each."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import NoneType
from typing import Any, ClassVar, get_args, get_origin, get_type_hints
from uuid import UUID, uuid5

import orjson
from eventsourcing.domain import CanMutateAggregate
from eventsourcing.persistence import StoredEvent
from eventsourcing.utils import resolve_topic

import domain
from domain.values import NAMESPACE
from storage.log.mapper import TypedMapper

FOLDER = Path(__file__).parent
STREAM, VERSION = uuid5(NAMESPACE, "golden"), 7

type EventClass = type[CanMutateAggregate[UUID]]


def event_classes() -> dict[str, EventClass]:
    """Map each topic to the class that reads it."""
    return {topic: resolve_topic(topic) for topic in sorted(topics())}


def topics() -> dict[str, set[str]]:
    """Map each topic to the names of the classes that claim it.

    The library makes an event class twice under one name; only one of them reads.
    """
    claims: dict[str, set[str]] = {}
    for kind in declared():
        if topic := vars(kind).get("TOPIC"):
            name = f"{kind.__module__}:{kind.__qualname__}"
            claims.setdefault(topic, set()).add(name)
    return claims


def declared() -> Iterator[EventClass]:
    """Yield all event classes that the domain's modules declare, bases included."""
    for module in pkgutil.walk_packages(domain.__path__, "domain."):
        importlib.import_module(module.name)
    for kind in _subclasses(CanMutateAggregate):
        if kind.__module__.startswith("domain."):
            yield kind


def _subclasses(kind: type) -> Iterator[EventClass]:
    subclasses: Any = kind.__subclasses__()
    for subclass in subclasses:
        yield subclass
        yield from _subclasses(subclass)


def own_fields(kind: type) -> dict[str, Any]:
    """Name the annotated fields of an event that stand in its stored state."""
    envelope = {"originator_id", "originator_version"}
    return {
        name: annotation
        for name, annotation in get_type_hints(kind).items()
        if name not in envelope and get_origin(annotation) is not ClassVar
    }


def event_with(kind: EventClass, fields: dict[str, Any]) -> Any:
    make: type[Any] = kind  # The library makes its constructor.
    return make(originator_id=STREAM, originator_version=VERSION, **fields)


# --- Examples -------------------------------------------------------------------


def example(topic: str) -> Any:
    """Make one event of the topic, always the same, with every field filled."""
    kind: EventClass = resolve_topic(topic)
    fields = {name: _example(a, name) for name, a in own_fields(kind).items()}
    if "originator_topic" in fields:
        fields["originator_topic"] = topic.partition(".")[0]
    return event_with(kind, fields)


def _example(annotation: Any, name: str) -> Any:
    if annotation in SIMPLE:
        return SIMPLE[annotation](name)
    if get_origin(annotation) is tuple:
        return (_example(get_args(annotation)[0], name),)
    if get_origin(annotation) is dict:
        return {name: {"nested": [1, None, True]}}
    if inner := [a for a in get_args(annotation) if a is not NoneType]:
        return _example(inner[0], name)
    if issubclass(annotation, StrEnum):
        return list(annotation)[-1]
    assert is_dataclass(annotation), annotation
    hints = get_type_hints(annotation)
    make: Any = annotation
    return make(**{field: _example(hint, field) for field, hint in hints.items()})


SIMPLE: dict[Any, Callable[[str], Any]] = {
    str: lambda name: f"some {name}",
    Any: lambda name: {name: [1, "one", None]},
    int: len,
    bool: lambda _: True,
    float: lambda _: 0.5,
    Decimal: lambda _: Decimal("12.340"),
    datetime: lambda _: datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC),
    date: lambda _: date(2026, 1, 2),
    UUID: lambda name: uuid5(NAMESPACE, name),
}


# --- Stored form ----------------------------------------------------------------


def state_of(event: Any) -> Any:
    return orjson.loads(TypedMapper().to_stored_event(event).state)


def event_of(topic: str, state: Any) -> Any:
    stored = StoredEvent(STREAM, VERSION, topic, orjson.dumps(state))
    return TypedMapper().to_domain_event(stored)


def golden_files() -> list[Path]:
    return sorted(FOLDER.glob("*.json"))


def golden_file(topic: str, folder: Path = FOLDER) -> Path:
    return folder / f"{topic}.json"


def topic_of(file: Path) -> str:
    return ".".join(file.name.split(".")[:2])


def is_old(file: Path) -> bool:
    """Say whether the file holds a form that is read still but written no more."""
    return file != golden_file(topic_of(file))


def write_missing(folder: Path) -> list[Path]:
    """Write an example of each event class that has no file there; name the new."""
    files = {topic: golden_file(topic, folder) for topic in event_classes()}
    new = {topic: file for topic, file in files.items() if not file.exists()}
    for topic, file in new.items():
        state = orjson.dumps(state_of(example(topic)), option=orjson.OPT_INDENT_2)
        file.write_bytes(state + b"\n")
    return list(new.values())
