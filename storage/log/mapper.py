"""Encodes events as plain JSON; the annotations of their classes define the types.

The annotations of each event class are compiled once into a codec for each field.
Encoding is as strict as decoding. Otherwise a value of a wrong type would be noticed
only when the event is read.
"""

import re
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache, lru_cache
from typing import (
    Any,
    ClassVar,
    NamedTuple,
    TypeAliasType,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    override,
)
from uuid import UUID

import orjson
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    JSONTranscoder,
    Mapper,
    MapperDeserialisationError,
    StoredEvent,
)
from eventsourcing.utils import get_topic, resolve_topic

from domain.errors import Invalid

ENVELOPE = frozenset({"originator_id", "originator_version"})
"""Fields that have their own columns; all others are in the state."""

CACHED_UUIDS = 10_000
"""UUIDs that are not parsed again: the events of a stream repeat the same few."""

NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""NUL as JSON escapes it; Postgres stores it neither in text nor in jsonb."""


class NotStorable(TypeError):
    """A type or value that cannot be encoded."""


class _Codec(NamedTuple):
    """How values of one annotation are encoded and decoded.

    Values of exactly the types `unencoded` are their own encoded form, and those of
    `undecoded` their own decoded form: for them neither function needs to be called.
    """

    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]
    unencoded: frozenset[type] = frozenset()
    undecoded: frozenset[type] = frozenset()


class _Plan(NamedTuple):
    """The fields of a class, in the order in which they are stored."""

    encoders: tuple[tuple[str, frozenset[type], Callable[[Any], Any]], ...]
    decoders: tuple[tuple[str, frozenset[type], Callable[[Any], Any]], ...]
    defaults: dict[str, Callable[[], Any]]


class TypedMapper(Mapper[UUID]):
    """Encodes events for storage and decodes them; safe to share between threads.

    A stored field that the class does not have is an error. A missing field gets the
    default of the class. The library's `class_version` and `upcast_v1_v2` (and so on)
    work on the decoded JSON.
    """

    def __init__(self) -> None:
        super().__init__(transcoder=JSONTranscoder())

    @override
    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        kind = type(domain_event)
        topic = get_topic(kind)
        try:
            state = _encoded(_plan_of(kind), vars(domain_event), ENVELOPE)
            if (version := getattr(kind, "class_version", 1)) > 1:
                state["class_version"] = version
            stored = orjson.dumps(state)
        except TypeError as error:
            raise NotStorable(f"{topic}: {error}") from error
        if b"\\u0000" in stored and NUL.search(stored):
            # The projector could not write such a text, and would stop for all events.
            raise Invalid("A text must not contain the character NUL.")
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=topic,
            state=stored,
        )

    @override
    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[UUID]:
        kind = resolve_topic(stored_event.topic)
        plan = _plan_of(kind)
        try:
            values = _decoded(plan, _upcast(kind, stored_event))
        except Exception as error:
            raise MapperDeserialisationError(
                f"{stored_event.topic} {stored_event.originator_id}"
                f" version {stored_event.originator_version}: {error}"
            ) from error
        values["originator_id"] = stored_event.originator_id
        values["originator_version"] = stored_event.originator_version
        event: DomainEventProtocol[UUID] = object.__new__(kind)
        object.__setattr__(event, "__dict__", values)
        return event


def to_plain(value: Any) -> Any:
    """Return the stored form of a frozen dataclass, as nested in events."""
    return _codec(type(value)).encode(value)


def from_plain(kind: type, plain: Any) -> Any:
    """Return the frozen dataclass of that kind from its stored form."""
    return _codec(kind).decode(plain)


def _upcast(kind: type, stored_event: StoredEvent) -> dict[str, Any]:
    state: dict[str, Any] = orjson.loads(stored_event.state)
    version = state.pop("class_version", 1)
    wanted = getattr(kind, "class_version", 1)
    if version < wanted:
        state["originator_id"] = stored_event.originator_id
        state["originator_version"] = stored_event.originator_version
        for step in range(version, wanted):
            getattr(kind, f"upcast_v{step}_v{step + 1}")(state)
        for name in ENVELOPE:
            state.pop(name, None)
    return state


def _encoded(
    plan: _Plan,
    values: Mapping[str, Any],
    unencoded: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    state = {}
    name = ""
    try:
        for name, as_is, encode in plan.encoders:
            value = values[name]
            state[name] = value if type(value) in as_is else encode(value)
    except KeyError:
        raise NotStorable(f"{name} is not set") from None
    except (TypeError, ValueError) as error:
        raise NotStorable(f"{name}: {error}") from error
    if len(values) != len(state) + len(unencoded):
        unknown = sorted(values.keys() - state.keys() - unencoded)
        raise NotStorable(f"fields without annotation: {', '.join(unknown)}")
    return state


def _decoded(plan: _Plan, state: dict[str, Any]) -> dict[str, Any]:
    values, missing = {}, 0
    for name, as_is, decode in plan.decoders:
        try:
            value = state[name]
        except KeyError:
            if name not in plan.defaults:
                raise ValueError(f"{name} is missing") from None
            values[name] = plan.defaults[name]()
            missing += 1
        else:
            values[name] = value if type(value) in as_is else decode(value)
    if len(values) != len(state) + missing:
        unknown = sorted(state.keys() - values.keys())
        raise ValueError(f"unknown fields: {', '.join(unknown)}")
    return values


@cache
def _plan_of(kind: type) -> _Plan:
    """Return the codecs of the fields of an event class or a frozen dataclass."""
    codecs = {}
    for name, annotation in get_type_hints(kind).items():
        if name in ENVELOPE or get_origin(annotation) is ClassVar:
            continue
        try:
            codecs[name] = _codec(annotation)
        except NotStorable as error:
            raise NotStorable(f"{kind.__qualname__}.{name}: {error}") from error
    return _Plan(
        tuple((name, one.unencoded, one.encode) for name, one in codecs.items()),
        tuple((name, one.undecoded, one.decode) for name, one in codecs.items()),
        _defaults(kind),
    )


def _defaults(kind: type) -> dict[str, Callable[[], Any]]:
    found: dict[str, Callable[[], Any]] = {}
    for field in fields(kind) if is_dataclass(kind) else ():
        if field.default_factory is not MISSING:
            found[field.name] = field.default_factory
        elif field.default is not MISSING:
            found[field.name] = _always(field.default)
    return found


def _always(value: Any) -> Callable[[], Any]:
    return lambda: value


def _codec(annotation: Any) -> _Codec:
    if isinstance(annotation, TypeAliasType):
        return _codec(annotation.__value__)
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    origin = get_origin(annotation)
    if origin in _GENERIC:
        return _GENERIC[origin](*get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        members = frozenset({annotation})  # orjson encodes them.
        return _Codec(_only(annotation), annotation, members)
    if isinstance(annotation, type) and is_dataclass(annotation):
        return _nested(annotation)
    raise NotStorable(f"{annotation!r} cannot be encoded")


def _only(*kinds: type) -> Callable[[Any], Any]:
    """Return a function that returns a value of these types and refuses others.

    A bool is not accepted as an int.
    """
    exact = frozenset(kinds)

    def check(value: Any) -> Any:
        if type(value) in exact or (
            isinstance(value, kinds) and not isinstance(value, bool)
        ):
            return value
        raise NotStorable(f"{type(value).__name__} instead of {kinds[0].__name__}")

    return check


def _same(kind: type) -> _Codec:
    itself = frozenset({kind})
    return _Codec(_only(kind), _only(kind), itself, itself)


def _text_of(
    kind: type, write: Callable[[Any], str], read: Callable[[str], Any]
) -> _Codec:
    check = _only(kind)
    return _Codec(lambda value: write(check(value)), read)


def _encode_date(value: Any) -> str:
    if type(value) is not date:
        raise NotStorable(f"{type(value).__name__} instead of date")
    return value.isoformat()


def _encode_time(value: datetime) -> str:
    if value.tzinfo is None:
        raise NotStorable("a time without time zone")
    return (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat()


def _decode_time(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise ValueError("a time without time zone")
    return value if value.tzinfo is UTC else value.astimezone(UTC)


@lru_cache(maxsize=CACHED_UUIDS)
def _decode_uuid(text: str) -> UUID:
    return UUID(text)


def _encode_float(value: Any) -> float:
    number = float(_only(float, int)(value))
    if number - number != 0:
        raise NotStorable("a number that is not finite")
    return number


def _unchanged(value: Any) -> Any:
    return value


def _optional(*members: Any) -> _Codec:
    inner = [member for member in members if member is not types.NoneType]
    if len(inner) != 1 or len(inner) == len(members):
        raise NotStorable("a union of more than one type and None")
    encode, decode, unencoded, undecoded = _codec(inner[0])
    nothing = frozenset({types.NoneType})
    return _Codec(
        lambda value: None if value is None else encode(value),
        lambda value: None if value is None else decode(value),
        unencoded | nothing,
        undecoded | nothing,
    )


def _sequence(kind: type, item: Any) -> _Codec:
    check, check_list = _only(kind), _only(list)
    encode, decode, *_ = _codec(item)
    return _Codec(
        lambda value: [encode(one) for one in check(value)],
        lambda value: kind([decode(one) for one in check_list(value)]),
    )


def _tuple(*members: Any) -> _Codec:
    if members[1:] == (Ellipsis,):
        return _sequence(tuple, members[0])
    check = _only(tuple)
    codecs = [_codec(member) for member in members]
    return _Codec(
        lambda value: [
            c.encode(one) for c, one in zip(codecs, check(value), strict=True)
        ],
        lambda value: tuple(
            c.decode(one) for c, one in zip(codecs, value, strict=True)
        ),
    )


def _list(item: Any) -> _Codec:
    return _sequence(list, item)


def _dict(key: Any, item: Any) -> _Codec:
    if key is not str:
        raise NotStorable("keys that are not str")
    check, check_key = _only(dict), _only(str)
    encode, decode, *_ = _codec(item)
    return _Codec(
        lambda value: {check_key(k): encode(v) for k, v in check(value).items()},
        lambda value: {k: decode(v) for k, v in check(value).items()},
    )


def _nested(kind: type) -> _Codec:
    check, check_dict, plan = _only(kind), _only(dict), _plan_of(kind)
    names = tuple(name for name, _, _ in plan.encoders)

    def encode(value: Any) -> dict[str, Any]:
        check(value)
        return _encoded(plan, {name: getattr(value, name) for name in names})

    return _Codec(encode, lambda value: kind(**_decoded(plan, check_dict(value))))


_PLAIN: dict[Any, _Codec] = {
    str: _same(str),
    int: _same(int),
    bool: _same(bool),
    float: _Codec(_encode_float, lambda value: float(_only(float, int)(value))),
    None: _same(types.NoneType),
    types.NoneType: _same(types.NoneType),
    Any: _Codec(_unchanged, _unchanged),
    Decimal: _text_of(Decimal, str, Decimal),
    datetime: _text_of(datetime, _encode_time, _decode_time),
    date: _Codec(_encode_date, date.fromisoformat),
    UUID: _Codec(_only(UUID), _decode_uuid, frozenset({UUID})),  # orjson encodes it.
}

_GENERIC: dict[Any, Callable[..., _Codec]] = {
    Union: _optional,
    types.UnionType: _optional,
    tuple: _tuple,
    list: _list,
    dict: _dict,
}
