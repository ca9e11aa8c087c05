"""The command that erases persons."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, LiteralString
from uuid import UUID

import phonenumbers
import typer

from application.configuration import Configuration
from application.contacts.erasure import Erasure, ErasureService
from application.contacts.phone_cell import InvalidPhone, read_cell
from domain.errors import NotFound
from domain.wording import counted, noun
from interfaces.cli.output import AsJson, as_mapping, json_of, print_line, print_note
from interfaces.cli.workbench import (
    CATCH_UP_SECONDS,
    Workbench,
    actor,
    workbench,
)
from storage.database import Conn
from storage.vault.erasure import ErasureStore

COMMENT = "#"
HEADING = f"{COMMENT} contact\twhen\tby whom"

_ERASED: LiteralString = """
    select aggregate_id, occurred_at, actor from event_index
    where type = 'contact.erased' order by position
"""


type Who = str | UUID
"""A number in E.164, or the id of a contact."""

Phone = Annotated[
    str | None,
    typer.Option(
        help="The number with its country, such as +12125550142; all extensions."
    ),
]
ContactId = Annotated[
    UUID | None,
    typer.Option(help="Id of a contact; its number is erased from all campaigns."),
]
ListFile = Annotated[
    Path | None,
    typer.Option("--from", help="File with one of these per line, as --list prints."),
]
OnlyList = Annotated[
    bool, typer.Option("--list", help="Only list the erased contacts, by id.")
]
Rewrite = Annotated[
    bool,
    typer.Option(
        help="Also rewrite the tables to new files, so that no fragment remains in"
        " the free space of the old ones. Locks each table meanwhile."
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("erase")(erase)


def erase(
    *,
    phone: Phone = None,
    contact: ContactId = None,
    file: ListFile = None,
    list_: OnlyList = False,
    rewrite: Rewrite = False,
    as_json: AsJson = False,
) -> None:
    """Erase a person from all campaigns for good.

    This removes names, numbers, variables, messages, links to recordings and
    transcripts, also from files that were not imported yet. Counters remain, and the
    history can still be verified. A suppressed number stays suppressed; others are not
    suppressed by this command. Finally VACUUM and ANALYZE remove old row versions and
    statistics.
    """
    if sum([phone is not None, contact is not None, file is not None, list_]) != 1:
        message = "Give exactly one of --phone, --contact, --from and --list."
        raise typer.BadParameter(message)
    # Read the whole file first, so that a fault in it is reported before any erasure.
    people = list(_in_file(file)) if file else []
    with workbench(Configuration()) as bench:
        if list_:
            _print_list(bench.read(_everybody_erased), as_json=as_json)
            return
        eraser = _Eraser(bench)
        if file:
            done = eraser.all_of(people)
        else:
            person = _e164(phone) if phone is not None else contact
            assert person is not None
            done = eraser.one(person)
        _print_erased(done, as_json=as_json)
        _compact(bench, rewrite=rewrite)


@dataclass(frozen=True)
class _Eraser:
    bench: Workbench

    def one(self, who: Who) -> Erasure:
        """Erase one person. Raises NotFound if the contact is unknown or erased."""
        number = self._data.phone_of(who) if isinstance(who, UUID) else who
        if number is None:
            raise NotFound("contact that is not erased yet", who)
        return self._erased(number)

    def all_of(self, people: list[Who]) -> Erasure:
        """Erase all that are not erased yet, so that a list can be processed again."""
        done = Erasure((), 0, 0)
        for who in people:
            number = self._data.phone_of(who) if isinstance(who, UUID) else who
            if number is not None:
                more = self._erased(number)
                done = Erasure(
                    done.contacts + more.contacts,
                    done.calls + more.calls,
                    done.live + more.live,
                )
        return done

    @property
    def _data(self) -> ErasureStore:
        return self.bench.erasure

    def _erased(self, number: str) -> Erasure:
        service = ErasureService(self.bench.app, self.bench.context, self._data)
        done = service.erase(number, by=actor())
        self.bench.wait_for_read_model(CATCH_UP_SECONDS)
        return done


def _print_erased(done: Erasure, *, as_json: bool) -> None:
    if as_json:
        print_line(json_of(as_mapping(done)))
        return
    erased = f"{counted(len(done.contacts), 'contact')}, {counted(done.calls, 'call')}"
    print_line(f"Erased: {erased}.")
    if done.live:
        live = noun(
            done.live,
            "call is live: its report",
            "calls are live: their reports",
        )
        print_line(f"{done.live} {live} will not be stored.")


def _compact(bench: Workbench, *, rewrite: bool) -> None:
    """Remove old row versions; warn if an open transaction prevents that."""
    if not bench.erasure.compact(rewrite=rewrite):
        print_note(
            "An older transaction, such as a dump, keeps old versions of the erased"
            " rows. Autovacuum removes them after its end, or run this command again."
        )


def _everybody_erased(conn: Conn) -> list[dict[str, Any]]:
    names = ("contactId", "erasedAt", "by")
    rows = conn.execute(_ERASED).fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]


def _print_list(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_line(json_of(rows))
        return
    print_line(HEADING)
    for row in rows:
        print_line("\t".join(map(str, row.values())))
    print_note("Store this list outside of the database, with the backups.")


def _in_file(file: Path) -> Iterator[Who]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}.") from None
    for number, line in enumerate(lines, start=1):
        text = line.split("\t")[0].strip()
        if text and not text.startswith(COMMENT):
            try:
                yield _who(text)
            except (ValueError, typer.BadParameter):
                message = f"Line {number} has neither a number with its country nor"
                raise typer.BadParameter(f"{message} a contact's id.") from None


def _who(text: str) -> Who:
    return _e164(text) if text.startswith("+") else UUID(text)


def _e164(phone: str) -> str:
    """Parse a number as strictly as in a file: a guess could erase somebody else.

    An extension is dropped, because everybody with that number is erased.
    """
    try:
        text = read_cell(phone)
        if isinstance(text, InvalidPhone):
            raise typer.BadParameter(text.message)
        number = phonenumbers.parse(text.number)
    except phonenumbers.NumberParseException:
        message = "Write the number with its country, such as +12125550142."
        raise typer.BadParameter(message) from None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
