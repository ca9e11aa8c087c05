"""The contract's scalars: parsing and serialization."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from domain.gate.rules import DAY_MINUTES, clock

BigInt = NewType("BigInt", int)
JSON = NewType("JSON", object)
LocalTime = NewType("LocalTime", int)
"""Minutes since midnight on a wall clock, up to those of a whole day."""

LOCAL_TIME = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])")
LARGEST = 2**63 - 1
EARLIEST_YEAR, LATEST_YEAR = 1900, 2999
"""Bounds of a DateTime argument, inclusive."""


def _written_time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat()


def _read_time(value: Any) -> datetime:
    """Parse a time; the bounds leave room for time zones and for arithmetic."""
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        time = None
    if time is None or time.tzinfo is None:
        raise GraphQLError("A DateTime is ISO 8601 with an offset.")
    if not EARLIEST_YEAR <= time.year <= LATEST_YEAR:
        raise GraphQLError(
            f"A DateTime lies in the years {EARLIEST_YEAR} to {LATEST_YEAR}."
        )
    return time.astimezone(UTC)


def _written_amount(value: Decimal) -> str:
    return f"{value:f}"


def _read_amount(value: Any) -> Decimal:
    if isinstance(value, str | int) and not isinstance(value, bool):
        try:
            amount = Decimal(value)
        except InvalidOperation:
            amount = Decimal("nan")
        if amount.is_finite():
            return amount
    raise GraphQLError("A Decimal is a number as a string, such as '12.50'.")


def _read_whole(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST:
        return value
    raise GraphQLError("A BigInt is a whole number of 64 bits.")


def _as_it_is(value: Any) -> Any:
    return value


def _read_date(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise GraphQLError("A Date is ISO 8601, such as '2026-12-01'.") from None


def _read_local_time(value: Any) -> int:
    found = LOCAL_TIME.fullmatch(value) if isinstance(value, str) else None
    minutes = int(found[1]) * 60 + int(found[2]) if found else DAY_MINUTES + 1
    if minutes > DAY_MINUTES:
        raise GraphQLError("A LocalTime is HH:MM, from 00:00 to 24:00.")
    return minutes


SCALARS: dict[object, ScalarDefinition] = {
    date: strawberry.scalar(
        name="Date",
        description="A calendar date, ISO 8601.",
        serialize=date.isoformat,
        parse_value=_read_date,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="ISO 8601 with an offset, always UTC when sent.",
        serialize=_written_time,
        parse_value=_read_time,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description="A decimal number as a string. Amounts are US dollars.",
        serialize=_written_amount,
        parse_value=_read_amount,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value.",
        serialize=_as_it_is,
        parse_value=_as_it_is,
    ),
    LocalTime: strawberry.scalar(
        name="LocalTime",
        description="A time of day on a wall clock, HH:MM, 24:00 allowed as an end.",
        serialize=clock,
        parse_value=_read_local_time,
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A 64-bit whole number, sent as a JSON number.",
        serialize=int,
        parse_value=_read_whole,
    ),
}
