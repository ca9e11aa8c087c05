"""Columns of the CSV export: the name of each and its SQL."""

import csv
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from itertools import count
from typing import LiteralString, Self
from uuid import UUID

from application.contacts.files.spreadsheet_text import protected
from application.vault import PHONE_AS_GIVEN
from domain.errors import Invalid
from projections.calls.call_log import RING_SECONDS
from projections.contacts.contact_row import SHOWN_STATUS, WITHHELD
from projections.exports.cells import (
    harmless,
    harmless_or_number,
    harmless_phone,
    identifier,
    literal,
    time,
)
from projections.exports.places import ONLY_ZONE, PLACE_CODES
from projections.exports.recording_links import ACCEPTED_URL
from projections.exports.report_facts import report_facts
from storage.database import Conn

ALL = "all"
"""As the only name of a column: all columns."""

RECORDING = "recording_url"

OUTPUT = "output."
"""Prefix of the columns with structured outputs."""

MOST_COLUMNS = 1_500
"""Postgres allows 1,664 columns in a result."""

_FEW_NAMES = 8
"""Up to this many values are found faster one by one than by `json_to_record`."""

_LONGEST_IDENTIFIER = 63
"""Bytes; Postgres cuts longer names off."""

_OWN, _OUTPUT = "own", "output"
_DOCUMENTS = {_OWN: "v.variables", _OUTPUT: "m.structured_outputs"}
"""The JSON object with the values of each table that `JsonColumn` names."""

DEFAULT: Mapping[str, str] = {
    "name": harmless("v.name"),
    "business_name": harmless("v.business_name"),
    "phone": harmless_phone("v.phone", "v.extension"),
    "status": SHOWN_STATUS,
    "ended_reason": harmless("call.ended_reason"),
    "cost": "call.cost",
    # Release 1 stored whatever URL the provider sent.
    RECORDING: f"""case when %(links)s::text is null then {ACCEPTED_URL}
        when {ACCEPTED_URL} is not null then
            %(links)s::text || call.call_id || '/recording' end""",
    # JSON begins with a bracket or a quote.
    "transcript_json": "m.transcript",
}
"""The columns of an export that names none."""

_MORE: Mapping[str, str] = {
    "outcome": "result.outcome",
    "disposition": "result.disposition",
    "withheld": WITHHELD,
    "attempts": "result.placed",
    "note": harmless("note.words"),
    "contact_id": "k.contact_id",
    "call_id": "call.call_id",
    "provider_call_id": harmless("call.provider_call_id"),
    "extension": "v.extension",
    "place": PLACE_CODES,
    # An upload reads this column, and refuses several zones.
    "time_zone": ONLY_ZONE,
    "first_called_at": time("result.first_placed_at"),
    "answered_at": time("call.started_at"),
    "ended_at": time("call.ended_at"),
    "ring_seconds": RING_SECONDS,
    "duration_seconds": "call.duration_seconds",
    "summary": harmless("m.summary"),
    "arm": harmless("arm.name"),
}

_WRITTEN = f"v.attributes ->> '{PHONE_AS_GIVEN}'"
_AS_GIVEN = (
    f"case when ({_WRITTEN}) is null then {DEFAULT['phone']}"
    f" else {harmless(f'({_WRITTEN})')} end"
)

_OWN_NAMES: LiteralString = """
    select array(select json_object_keys(first.variables)) from contact_import i
    cross join lateral (
        select v.variables from contact_log k
        join contact_vault v using (contact_id, list_id)
        where k.list_id = i.list_id and v.variables is not null limit 1
    ) first
    where i.campaign_id = %(campaign)s and i.imported_position is not null
    order by i.imported_position
"""
"""All contacts of a list have the same variables, in the order of the columns."""


@dataclass(frozen=True, slots=True)
class JsonColumn:
    """A value of the JSON object in `table`: `own` variables, or a report's `output`s.

    `name` is that of the value in the object.
    """

    table: str
    name: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of one export by name, in their order: their SQL, or a JSON value."""

    sql: Mapping[str, str | JsonColumn]

    def without(self, value: str) -> Self:
        """Return the same columns, those with the SQL `value` being empty.

        The join that finds the value is then left out.
        """
        sql = {
            name: "null::text" if isinstance(one, str) and value in one else one
            for name, one in self.sql.items()
        }
        return replace(self, sql=sql)

    @property
    def header(self) -> str:
        """Return the header line of the CSV file."""
        line = StringIO()
        csv.writer(line, lineterminator="\n").writerow(map(protected, self.sql))
        return line.getvalue()


def parse_columns(text: str) -> tuple[str, ...]:
    """Read a list of column names separated by commas, quoted like a row of CSV.

    Raises:
        Invalid: the list is empty or names a column twice.
    """
    names = tuple(name.strip() for name in next(csv.reader([text]), []))
    if not all(names) or not names:
        raise Invalid("columns= needs names separated by commas, or all.")
    for name in names:
        if names.count(name) > 1:
            raise Invalid(f'columns= names "{name[:100]}" twice.')
    return names


def column_names(conn: Conn, campaign_id: UUID) -> list[str]:
    """Return the names of all columns that an export of the campaign may contain.

    Raises:
        Invalid: there are more than MOST_COLUMNS.
    """
    outputs = report_facts(conn, campaign_id, outputs=True).outputs
    return list(choose_columns(conn, campaign_id, [ALL], outputs).sql)


def are_default(wanted: Sequence[str]) -> bool:
    """Say whether the columns are the same in every campaign."""
    return set(wanted) <= DEFAULT.keys()


def choose_columns(
    conn: Conn, campaign_id: UUID, wanted: Sequence[str], outputs: Sequence[str]
) -> Columns:
    """Return the columns with these names; none means the default columns.

    `outputs` are the names of the campaign's structured outputs.

    Raises:
        Invalid: the campaign has no such column, or more than MOST_COLUMNS are wanted.
    """
    if are_default(wanted):
        return Columns({name: DEFAULT[name] for name in wanted or DEFAULT})
    values = {"campaign": campaign_id}
    listed = [row[0] for row in conn.execute(_OWN_NAMES, values)]
    own = list(dict.fromkeys(name for names in listed for name in names))
    known: dict[str, str | JsonColumn] = {**DEFAULT, **_MORE}
    known[PHONE_AS_GIVEN] = _AS_GIVEN
    for name in own:
        known[_free_name(name, known)] = JsonColumn(_OWN, name)
    for name in outputs:
        known[_free_name(OUTPUT + name, known)] = JsonColumn(_OUTPUT, name)
    chosen = list(known) if list(wanted) == [ALL] else list(wanted)
    _check(chosen, known)
    return Columns({name: known[name] for name in chosen})


def _check(chosen: Sequence[str], known: Collection[str]) -> None:
    for name in chosen:
        if name not in known:
            shown = ", ".join(list(known)[:100])
            message = f'There is no column "{name[:100]}". The columns are: {shown}.'
            raise Invalid(message)
    if len(chosen) > MOST_COLUMNS:
        raise Invalid(
            f"The campaign has {len(chosen):,} columns, and an export at most"
            f" {MOST_COLUMNS:,}: choose some with columns=."
        )


def _free_name(name: str, taken: Iterable[str]) -> str:
    """Number a column of the file that is named like one of ours: status_2."""
    if name not in taken:
        return name
    return next(f"{name}_{n}" for n in count(2) if f"{name}_{n}" not in taken)


def _is_identifier(name: str) -> bool:
    return len(name.encode()) <= _LONGEST_IDENTIFIER


@dataclass(frozen=True, slots=True)
class Selection:
    """SQL of the columns of an export.

    `values` are computed where the tables are joined, under the names `value_0`,
    `value_1`, and so on; `cells` are the cells made of them. `joins` are the joins that
    some values need.
    """

    values: tuple[str, ...]
    cells: tuple[str, ...]
    joins: str


def selection_of(columns: Columns) -> Selection:
    """Return the SQL of the columns.

    A cell mentions its value several times, and a value of JSON takes long to find. So
    it is computed once, apart from its cell.
    """
    joined, joins = _records(columns)
    values, cells = list[str](), list[str]()
    for at, column in enumerate(columns.sql.values()):
        value = f"each.value_{at}"
        if isinstance(column, str):
            values.append(column)
            cells.append(value)
            continue
        document = _DOCUMENTS[column.table]
        values.append(
            f"{column.table}.{identifier(column.name)}"
            if column in joined
            else f"({document} ->> {literal(column.name)})"
        )
        is_output = column.table == _OUTPUT
        cells.append(harmless_or_number(value) if is_output else harmless(value))
    return Selection(tuple(values), tuple(cells), joins)


def _records(columns: Columns) -> tuple[set[JsonColumn], str]:
    """Return the columns whose object is parsed as a whole, and the joins for it.

    That is faster than `->>` for each of many values.
    """
    joined, joins = set[JsonColumn](), ""
    for table, document in _DOCUMENTS.items():
        listed = [
            column
            for column in columns.sql.values()
            if isinstance(column, JsonColumn)
            and column.table == table
            and _is_identifier(column.name)
        ]
        if len(listed) > _FEW_NAMES:
            joined.update(listed)
            typed = ", ".join(f"{identifier(one.name)} text" for one in listed)
            object_ = (
                f"case when json_typeof({document}) = 'object' then {document} end"
            )
            record = f"json_to_record({object_}) {table} ({typed})"
            joins += f" left join lateral {record} on true"
    return joined, joins
