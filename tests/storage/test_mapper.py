"""Events are encoded and decoded strictly, by the annotations of their classes."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Optional
from uuid import UUID, uuid4

import orjson
import pytest
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import MapperDeserialisationError, StoredEvent
from eventsourcing.utils import TopicError
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from storage.log.mapper import NotStorable, TypedMapper

AT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
ONE = Decimal(1)
STREAM = UUID(int=7)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
OFFSETS = [timezone(timedelta(minutes=minutes)) for minutes in (-570, 0, 60, 345)]


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Point:
    x: Decimal
    at: datetime
    note: str | None = None


@dataclass(frozen=True)
class Line:
    points: tuple[Point, ...]
    names: list[str] = field(default_factory=list)


type Lines = tuple[Line, ...]


class Everything(Aggregate.Event):
    TOPIC = "mapper_test.everything"
    SHARED: ClassVar[int] = 1

    text: str
    count: int
    yes: bool
    ratio: float
    nothing: None
    money: Decimal
    day: date
    who: UUID
    colour: Colour
    several: tuple[int, ...]
    pair: tuple[str, Decimal]
    items: list[UUID]
    table: dict[str, Decimal]
    perhaps: datetime | None
    old_style: Optional[Colour]  # noqa: UP045 - tests that Optional works too
    lines: Lines
    open_json: Any


VALUES: dict[str, Any] = {
    "timestamp": AT,
    "text": "ü\n\x01",
    "count": -(2**53) - 1,
    "yes": True,
    "ratio": 0.1,
    "nothing": None,
    "money": Decimal("12.340"),
    "day": date(2026, 2, 28),
    "who": uuid4(),
    "colour": Colour.RED,
    "several": (1, 2),
    "pair": ("a", Decimal(1)),
    "items": [uuid4()],
    "table": {"k": Decimal("0.1")},
    "perhaps": AT,
    "old_style": Colour.RED,
    "lines": (Line((Point(Decimal(1), AT), Point(Decimal(2), AT, "n")), ["l"]),),
    "open_json": {"a": [1, "b", None, {"c": 1.5}]},
}


class Sample(Aggregate):
    """An aggregate, so that its nested events are found by their topics."""

    TOPIC = "mapper_test.sample"

    class Created(Aggregate.Created):
        TOPIC = "mapper_test.created"

    class Small(Aggregate.Event):
        TOPIC = "mapper_test.small"
        name: str
        added_later: tuple[int, ...] = (1,)

    class Third(Aggregate.Event):
        TOPIC = "mapper_test.third"
        class_version = 3
        full_name: str
        at: datetime

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            state["full_name"] = state.pop("name")

        @staticmethod
        def upcast_v2_v3(state: dict[str, Any]) -> None:
            state["at"] = state["timestamp"]


def everything(**changed: Any) -> Everything:
    return Everything(
        originator_id=STREAM, originator_version=3, **{**VALUES, **changed}
    )


def stored(topic: str, **state: Any) -> StoredEvent:
    return StoredEvent(STREAM, 1, topic, orjson.dumps({"timestamp": AT, **state}))


def again(event: Aggregate.Event) -> Any:
    mapper = TypedMapper()
    return mapper.to_domain_event(mapper.to_stored_event(event))


def test_a_value_of_each_type_is_decoded_unchanged() -> None:
    event = everything()
    back = again(event)
    assert back == event
    assert vars(back) == vars(event)
    assert {name: type(value) for name, value in vars(back).items()} == {
        name: type(value) for name, value in vars(event).items()
    }
    assert type(back.lines[0].points[0]) is Point


def test_the_state_is_plain_json_without_the_columns() -> None:
    one = TypedMapper().to_stored_event(everything())
    state = orjson.loads(one.state)
    assert (one.originator_id, one.originator_version) == (STREAM, 3)
    assert one.topic == "mapper_test.everything"
    assert state.keys() == VALUES.keys()
    assert state["timestamp"] == "2026-01-02T03:04:05.000678+00:00"
    assert state["money"] == "12.340"
    assert state["lines"][0]["points"][1]["note"] == "n"


def test_equal_events_have_equal_bytes() -> None:
    mapper = TypedMapper()
    first, second = (mapper.to_stored_event(everything()) for _ in range(2))
    assert first == second


@given(
    st.builds(
        everything,
        text=TEXT,
        count=st.integers(-(2**63), 2**63 - 1),
        ratio=st.floats(allow_nan=False, allow_infinity=False),
        money=st.decimals(allow_nan=False, allow_infinity=False),
        several=st.lists(st.integers(0, 9)).map(tuple),
        table=st.dictionaries(TEXT, st.decimals(allow_nan=False)),
        perhaps=st.none() | st.datetimes(timezones=st.sampled_from(OFFSETS)),
        old_style=st.none() | st.just(Colour.RED),
    )
)
def test_any_value_is_decoded_unchanged(event: Everything) -> None:
    assert again(event) == event


def test_a_time_is_decoded_in_utc() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=5)))
    back = again(everything(perhaps=elsewhere))
    assert back.perhaps == AT
    assert back.perhaps.tzinfo is UTC


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", 1),
        ("text", None),
        ("count", "1"),
        ("count", True),
        ("count", 2**64),
        ("yes", 1),
        ("ratio", float("nan")),
        ("ratio", Decimal(1)),
        ("nothing", 0),
        ("money", 1.5),
        ("money", "1.5"),
        ("day", AT),
        ("who", str(STREAM)),
        ("colour", "red"),
        ("several", [1]),
        ("several", ("1",)),
        ("pair", ("a",)),
        ("items", (STREAM,)),
        ("table", {1: Decimal(1)}),
        ("perhaps", datetime(2026, 1, 1)),  # noqa: DTZ001 - must be refused
        ("perhaps", "2026-01-01T00:00:00Z"),
        ("lines", (Point(Decimal(1), AT),)),
        ("open_json", {1, 2}),
        ("open_json", "\ud800"),
    ],
)
def test_a_value_of_another_type_is_not_encoded(name: str, value: Any) -> None:
    with pytest.raises(NotStorable, match=Everything.TOPIC):
        TypedMapper().to_stored_event(everything(**{name: value}))


@pytest.mark.parametrize("text", ["a\0b", "\0", "\\\0", "\\\\\0"])
def test_a_text_with_nul_is_refused(text: str) -> None:
    for own in ({"text": text}, {"open_json": {"deep": [text]}}, {"pair": (text, ONE)}):
        with pytest.raises(Invalid, match="NUL"):
            TypedMapper().to_stored_event(everything(**own))


@pytest.mark.parametrize("text", ["\\u0000", "\\\\u0000", "u0000", "\\\x01u0000"])
def test_a_text_with_an_escaped_nul_is_accepted(text: str) -> None:
    assert again(everything(text=text)).text == text


def test_a_field_without_annotation_is_not_encoded() -> None:
    event = everything()
    vars(event)["smuggled"] = 1
    with pytest.raises(NotStorable, match="smuggled"):
        TypedMapper().to_stored_event(event)


def test_a_missing_field_gets_its_default() -> None:
    back: Any = TypedMapper().to_domain_event(stored("mapper_test.small", name="n"))
    assert (back.name, back.added_later) == ("n", (1,))


def test_a_stored_field_that_the_class_lacks_is_an_error() -> None:
    with pytest.raises(MapperDeserialisationError, match="unknown fields: extra"):
        TypedMapper().to_domain_event(stored("mapper_test.small", name="n", extra=1))


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ({}, "name is missing"),
        ({"name": None}, "NoneType"),
        ({"name": "n", "added_later": 5}, "int instead of list"),
        ({"name": "n", "timestamp": "2026-01-01T00:00:00"}, "without time zone"),
    ],
)
def test_the_error_of_an_invalid_value_names_the_event(
    state: dict[str, Any], word: str
) -> None:
    with pytest.raises(MapperDeserialisationError, match=word) as refused:
        TypedMapper().to_domain_event(stored("mapper_test.small", **state))
    assert f"mapper_test.small {STREAM} version 1" in str(refused.value)


def test_an_unknown_topic_is_an_error() -> None:
    with pytest.raises(TopicError):
        TypedMapper().to_domain_event(stored("mapper_test.nobody"))


def test_an_old_state_is_upcast_step_by_step() -> None:
    mapper = TypedMapper()
    first: Any = mapper.to_domain_event(stored("mapper_test.third", name="n"))
    second: Any = mapper.to_domain_event(
        stored("mapper_test.third", full_name="n", class_version=2)
    )
    assert (first.full_name, first.at) == ("n", AT)
    assert first == second == again(first)
    assert orjson.loads(mapper.to_stored_event(first).state)["class_version"] == 3


def refused(annotation: Any) -> Aggregate.Event:
    name = f"mapper_test.refused_{uuid4().hex}"
    kind = type(
        "Refused",
        (Aggregate.Event,),
        {"__annotations__": {"field": annotation}, "TOPIC": name, "field": 1},
    )
    event: Aggregate.Event = kind(
        originator_id=STREAM, originator_version=1, timestamp=AT
    )
    return event


@pytest.mark.parametrize(
    "annotation", [bytes, set[int], object, int | str, int | str | None, dict[int, int]]
)
def test_a_type_that_cannot_be_encoded_is_named_in_the_error(annotation: Any) -> None:
    with pytest.raises(NotStorable, match=r"Refused\.field"):
        TypedMapper().to_stored_event(refused(annotation))
