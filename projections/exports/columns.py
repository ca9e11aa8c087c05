"""Columns of the CSV export: the name of each and its SQL."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import count
from typing import LiteralString
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
from projections.exports.recording_links import ACCEPTED_URL
from storage.database import Conn

ALL = "all"
"""As the only name of a column: all columns."""

OUTPUT = "output."
"""Prefix of the columns with structured outputs."""

MOST_COLUMNS = 1_500
"""Postgres allows 1,664 columns in a result."""

_FEW_NAMES = 8
"""Up to this many values are found faster one by one than by `json_to_record`."""

_LONGEST_IDENTIFIER = 63
"""Bytes; Postgres cuts longer names off."""

DEFAULT: Mapping[str, str] = {
    "name": harmless("v.name"),
    "business_name": harmless("v.business_name"),
    "phone": harmless_phone("v.phone", "v.extension"),
    "status": SHOWN_STATUS,
    "ended_reason": harmless("call.ended_reason"),
    "cost": "call.cost",
    # Release 1 stored whatever URL the provider sent.
    "recording_url": f"""case when %(links)s::text is null then {ACCEPTED_URL}
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
    "place": "place.code_list",
    # An upload reads this column, and refuses several zones.
    "time_zone": "place.only_zone",
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

_OUTPUT_NAMES: LiteralString = """
    select distinct json_object_keys(m.structured_outputs) from call_log call
    join message_vault m on m.id = call.report_message_id
    where call.campaign_id = %(campaign)s
        and json_typeof(m.structured_outputs) = 'object'
    order by 1
"""


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of one export: SQL by name, in their order.

    `own` and `outputs` are the names of the variables and of the structured outputs
    that they use.
    """

    sql: Mapping[str, str]
    own: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

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
    return list(choose_columns(conn, campaign_id, [ALL]).sql)


def choose_columns(conn: Conn, campaign_id: UUID, wanted: Sequence[str]) -> Columns:
    """Return the columns with these names; none means the default columns.

    Raises:
        Invalid: the campaign has no such column, or more than MOST_COLUMNS are wanted.
    """
    if set(wanted) <= DEFAULT.keys():
        return Columns({name: DEFAULT[name] for name in wanted or DEFAULT})
    values = {"campaign": campaign_id}
    listed = [row[0] for row in conn.execute(_OWN_NAMES, values)]
    own = list(dict.fromkeys(name for names in listed for name in names))
    outputs = [row[0] for row in conn.execute(_OUTPUT_NAMES, values)]
    known = {**DEFAULT, **_MORE, PHONE_AS_GIVEN: _AS_GIVEN}
    origin: dict[str, tuple[str, str]] = {}
    for table, names, prefix in (("own", own, ""), ("output", outputs, OUTPUT)):
        for name in names:
            column = _free_name(prefix + name, known)
            known[column] = _from_json(table, name)
            origin[column] = (table, name)
    chosen = list(known) if list(wanted) == [ALL] else list(wanted)
    _check(chosen, known)
    used = [origin[name] for name in chosen if name in origin]
    return Columns(
        {name: known[name] for name in chosen},
        own=tuple(name for table, name in used if table == "own"),
        outputs=tuple(name for table, name in used if table == "output"),
    )


def _check(chosen: Sequence[str], known: Mapping[str, str]) -> None:
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


def _from_json(table: str, name: str) -> str:
    """Return the SQL of a value; `own` and `output` are made by `records`."""
    document = {"own": "v.variables", "output": "m.structured_outputs"}[table]
    value = (
        f"{table}.{identifier(name)}"
        if _is_identifier(name)
        else f"({document} ->> {literal(name)})"
    )
    return harmless_or_number(value) if table == "output" else harmless(value)


def records(columns: Columns) -> str:
    """Return the joins that take the values out of each contact's JSON."""
    own = _record("own", "v.variables", columns.own)
    return own + _record("output", "m.structured_outputs", columns.outputs)


def _record(table: str, document: str, names: Sequence[str]) -> str:
    """Parse the whole document once, or, for few names, once for each of them."""
    listed = [name for name in names if _is_identifier(name)]
    if not listed:
        return ""
    if len(listed) <= _FEW_NAMES:
        values = ", ".join(
            f"{document} ->> {literal(name)} as {identifier(name)}" for name in listed
        )
        return f" left join lateral (select {values} offset 0) {table} on true"
    typed = ", ".join(f"{identifier(name)} text" for name in listed)
    objects = f"case when json_typeof({document}) = 'object' then {document} end"
    return f" left join lateral json_to_record({objects}) {table} ({typed}) on true"
