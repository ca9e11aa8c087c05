"""Every stored event stays readable; `python -m tests.golden` writes new files."""

import re
from collections.abc import Callable
from dataclasses import is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson
import pytest
from eventsourcing.domain import Aggregate, CanInitAggregate
from eventsourcing.utils import resolve_topic
from hypothesis import given
from hypothesis import strategies as st

from domain.gate.rules import DAY_MINUTES, Window
from tests.examples import examples
from tests.golden.catalogue import (
    FOLDER,
    EventClass,
    declared,
    event_classes,
    event_of,
    event_with,
    example,
    golden_files,
    is_old,
    own_fields,
    state_of,
    topic_of,
    topics,
    write_missing,
)

CLASSES = event_classes()
FILES = golden_files()
CURRENT = [file for file in FILES if not is_old(file)]
each_class = pytest.mark.parametrize(("topic", "kind"), CLASSES.items(), ids=CLASSES)


def named(file: Path) -> str:
    return file.stem


# --- Golden files ---------------------------------------------------------------


def test_every_event_class_has_a_golden_file() -> None:
    assert CLASSES.keys() - {topic_of(file) for file in CURRENT} == set()


def test_every_golden_file_has_an_event_class() -> None:
    assert {topic_of(file) for file in FILES} - CLASSES.keys() == set()


@pytest.mark.parametrize("file", FILES, ids=named)
def test_a_golden_file_is_read(file: Path) -> None:
    event = event_of(topic_of(file), orjson.loads(file.read_bytes()))
    assert type(event) is CLASSES[topic_of(file)]
    assert event_of(topic_of(file), state_of(event)) == event


@pytest.mark.parametrize("file", CURRENT, ids=named)
def test_a_golden_file_equals_what_is_written_now(file: Path) -> None:
    state = orjson.loads(file.read_bytes())
    assert state_of(event_of(topic_of(file), state)) == state


@pytest.mark.parametrize("file", CURRENT, ids=named)
def test_a_golden_file_has_each_field_with_its_type(file: Path) -> None:
    event = event_of(topic_of(file), orjson.loads(file.read_bytes()))
    expected = vars(example(topic_of(file)))
    assert {k: type(v) for k, v in vars(event).items()} == {
        k: type(v) for k, v in expected.items()
    }


@pytest.mark.parametrize(
    "file",
    [f for f in FILES if issubclass(CLASSES[topic_of(f)], CanInitAggregate)],
    ids=named,
)
def test_a_stored_first_event_creates_its_aggregate(file: Path) -> None:
    state = orjson.loads(file.read_bytes())
    aggregate = event_of(topic_of(file), state).mutate(None)
    assert type(aggregate) is resolve_topic(state["originator_topic"])
    assert isinstance(aggregate, Aggregate)


def test_an_existing_golden_file_is_never_replaced(tmp_path: Path) -> None:
    files = write_missing(tmp_path)
    assert {topic_of(file) for file in files} == CLASSES.keys()
    first, second, *_ = files
    first.write_text("{}")
    second.unlink()
    assert write_missing(tmp_path) == [second]
    assert first.read_text() == "{}"


def test_a_golden_file_with_a_date_is_an_old_form() -> None:
    file = FOLDER / "call.ended.2026-12-01.json"
    assert (topic_of(file), is_old(file)) == ("call.ended", True)
    assert not is_old(FOLDER / "call.ended.json")


# --- Topics ---------------------------------------------------------------------


def test_a_topic_names_one_class() -> None:
    assert {topic: names for topic, names in topics().items() if len(names) > 1} == {}


def test_a_topic_has_the_form_aggregate_dot_event_in_lower_case() -> None:
    pattern = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")
    assert [topic for topic in CLASSES if not pattern.fullmatch(topic)] == []


@each_class
def test_a_topic_starts_with_its_aggregate(topic: str, kind: EventClass) -> None:
    owner = kind.__qualname__.partition(".")[0]
    assert topic.partition(".")[0] == re.sub(r"(?<!^)(?=[A-Z])", "_", owner).lower()


def test_every_event_class_of_an_aggregate_has_a_topic() -> None:
    facts = {
        kind.__qualname__
        for kind in declared()
        if "." in kind.__qualname__ and not kind.__qualname__.endswith(".Event")
    }
    assert facts == {kind.__qualname__ for kind in CLASSES.values()}


@each_class
def test_every_event_has_an_actor(topic: str, kind: EventClass) -> None:
    assert own_fields(kind)["actor"] is str, topic


# --- Encode, decode, equal ------------------------------------------------------

type Strategy = st.SearchStrategy[Any]

WHOLE = st.integers(-(2**53), 2**53)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
JSON = st.recursive(
    st.none() | st.booleans() | WHOLE | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=5,
)
STRATEGIES: dict[Any, Strategy] = {
    str: TEXT,
    int: WHOLE,
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    datetime: st.datetimes(timezones=st.just(UTC)),
    date: st.dates(),
    UUID: st.uuids(),
    Window: st.builds(Window, st.integers(0, 719), st.integers(720, DAY_MINUTES)),
    NoneType: st.none(),
    Any: JSON,
}


def strategy_of(annotation: Any) -> Strategy:
    if annotation in STRATEGIES:
        return STRATEGIES[annotation]
    if get_origin(annotation) in CONTAINERS:
        return CONTAINERS[get_origin(annotation)](*get_args(annotation))
    if members := get_args(annotation):
        return st.one_of([strategy_of(member) for member in members])
    if issubclass(annotation, StrEnum):
        return st.sampled_from(list(annotation))
    assert is_dataclass(annotation), annotation
    hints = get_type_hints(annotation)
    make: Any = annotation
    return st.builds(make, **{name: strategy_of(hint) for name, hint in hints.items()})


CONTAINERS: dict[Any, Callable[..., Strategy]] = {
    tuple: lambda item, _: st.lists(strategy_of(item), max_size=3).map(tuple),
    dict: lambda _, item: st.dictionaries(TEXT, strategy_of(item), max_size=3),
}


@each_class
def test_a_decoded_event_equals_the_encoded_one(topic: str, kind: EventClass) -> None:
    fields = {name: strategy_of(hint) for name, hint in own_fields(kind).items()}

    @examples(10)
    @given(st.fixed_dictionaries(fields))
    def store_and_read(values: dict[str, Any]) -> None:
        event = event_with(kind, values)
        read = event_of(topic, state_of(event))
        assert read == event
        assert vars(read) == vars(event)

    store_and_read()


@each_class
def test_a_stored_event_is_plain_json(topic: str, kind: EventClass) -> None:
    state = state_of(example(topic))
    assert state.keys() - {"class_version"} == own_fields(kind).keys()
    assert "_type_" not in orjson.dumps(state).decode()
