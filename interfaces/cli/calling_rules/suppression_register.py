"""Commands for the register of suppressed numbers."""

from typing import Annotated, Any
from uuid import UUID

import typer

from application.configuration import Configuration
from application.numbers import read_number
from domain.errors import NotFound
from domain.numbers.number import SuppressionSource
from interfaces.cli.output import AsJson, print_line, show_list, show_one
from interfaces.cli.workbench import Workbench, actor, workbench
from projections.registers import suppression_board, suppression_list_board
from projections.registers.suppression_board import SuppressionRow
from storage.database import Conn

Phone = Annotated[str, typer.Argument(metavar="NUMBER", show_default=False)]

COLUMNS = ("phone", "source", "addedAt", "addedBy", "reason")
PAGE = 1000


def add_commands(suppressions: typer.Typer) -> None:
    """Add the commands to the group `autolynx suppressions`."""
    suppressions.command("add")(add_number)
    suppressions.command("check")(check_number)
    suppressions.command("lift")(lift_number)
    suppressions.command("list")(list_numbers)


def add_number(
    phone: Phone,
    reason: Annotated[str | None, typer.Option(help="Why it is suppressed.")] = None,
) -> None:
    """Add a number to the register: it is not called again in any campaign."""
    with workbench(Configuration()) as bench:
        number = _read(bench, phone)
        person = SuppressionSource.PERSON
        _, position = bench.numbers.suppress(
            number, source=person, reason=reason, by=actor()
        )
    result = "is suppressed" if position else "was suppressed already"
    print_line(f"{number} {result}.")


def check_number(phone: Phone, *, as_json: AsJson = False) -> None:
    """Show where a number is suppressed; exit with 1 if it is nowhere."""
    with workbench(Configuration()) as bench:
        number = _read(bench, phone)
        row = bench.read(suppression_board.get, bench.numbers.id_of(number))
        lists = bench.read(
            suppression_list_board.containing, bench.suppression_blocks, number
        )
        if row is None and not lists:
            raise NotFound("suppressed number", phone)
        entry = _shown(bench, [row])[0] if row else {"phone": number}
        names = ", ".join(found.name for found in lists) or None
        show_one({**entry, "lists": names}, as_json=as_json)


def lift_number(
    phone: Phone,
    reason: Annotated[str, typer.Option(help="Why it may be called again.")],
) -> None:
    """Remove a number from the register."""
    with workbench(Configuration()) as bench:
        number = _read(bench, phone)
        bench.numbers.lift(bench.numbers.id_of(number), reason=reason, by=actor())
    print_line(f"{number} may be called again.")


def list_numbers(*, as_json: AsJson = False) -> None:
    """List the register, newest first. Numbers of erased people are not shown."""
    with workbench(Configuration()) as bench:
        rows = _shown(bench, bench.read(_everything))
    show_list(rows, COLUMNS, as_json=as_json)


def _read(bench: Workbench, phone: str) -> str:
    return read_number(phone, bench.settings.values().default_region)


def _everything(conn: Conn) -> list[SuppressionRow]:
    rows: list[SuppressionRow] = []
    after: str | None = None
    while True:
        page = suppression_board.page(conn, first=PAGE, after=after)
        rows += page.nodes
        if not page.has_next:
            return rows
        after = page.end_cursor


def _shown(bench: Workbench, rows: list[SuppressionRow]) -> list[dict[str, Any]]:
    ids = {id_ for row in rows for id_ in (row.phone_id, row.reason_id) if id_}
    texts: dict[UUID, str] = bench.vault.words_of(ids)
    return [
        {
            "id": row.id,
            "phone": texts.get(row.phone_id, "") if row.phone_id else "",
            "source": row.source,
            "reason": texts.get(row.reason_id) if row.reason_id else None,
            "addedAt": row.added_at,
            "addedBy": row.added_by,
            "callId": row.call_id,
        }
        for row in rows
    ]
