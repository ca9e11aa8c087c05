"""The current settings: one row with a column for each setting."""

from collections.abc import Iterator
from dataclasses import fields
from typing import LiteralString

from psycopg.rows import dict_row

from domain.gate.caps import caps_text, read_caps
from domain.settings import RulesMode, Settings, SettingsValues, values_in_force
from projections.tables.definition import Table
from projections.tables.handlers import handles
from projections.tables.row_operations import RowOperation, put
from storage.database import Conn

BOARD = "settings_board"

TABLE = Table(
    BOARD,
    ("id",),
    """
    create table if not exists settings_board (
        id uuid primary key,
        default_cap integer not null,
        global_cap integer not null,
        tick_seconds integer not null,
        silence_timeout_seconds integer not null,
        dials_per_second double precision not null,
        refill_immediately boolean not null,
        default_region text not null,
        daily_budget numeric,
        spend_alert_threshold numeric not null,
        alert_webhook_url text,
        retention_days integer,
        calling_rules text not null,
        frequency_caps text not null,
        rules_waived_by text,
        rules_reason text,
        version bigint not null
    );
    """,
    handler_version=3,
)


@handles(Settings.Created, Settings.Changed)
def settings_board(event: object, _position: int) -> Iterator[RowOperation]:
    """Store the values of the newest event that has any."""
    match event:
        case (
            Settings.Created(values=SettingsValues() as values)
            | Settings.Changed(values=values)
        ):
            columns = values.by_name() | {
                "version": event.originator_version,
                "frequency_caps": caps_text(values.frequency_caps),
            }
            yield put(BOARD, event.originator_id, **columns)


_BOARD: LiteralString = "select * from settings_board"


def get(conn: Conn) -> SettingsValues | None:
    """Return the stored settings, None while the first values apply."""
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_BOARD).fetchone()
    if row is None:
        return None
    values = {f.name: row[f.name] for f in fields(SettingsValues)} | {
        "calling_rules": RulesMode(row["calling_rules"]),
        "frequency_caps": read_caps(row["frequency_caps"]),
    }
    return SettingsValues(**values)


def in_force(conn: Conn, first: SettingsValues) -> SettingsValues:
    """Return the settings that apply; `first` are the values until some are stored."""
    return values_in_force(get(conn), first)
