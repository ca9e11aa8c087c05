"""The command that forgets people."""

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
from interfaces.cli.output import AsJson, as_mapping, json_of, remark, say
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


def add_to(app: typer.Typer) -> None:
    app.command("erase")(erase)


def erase(
    *,
    phone: Annotated[
        str | None,
        typer.Option(
            help="The number, with its country: +12125550142; all its extensions too."
        ),
    ] = None,
    contact: Annotated[
        UUID | None, typer.Option(help="A contact's id; its number counts everywhere.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--from", help="A file of those, one a line, as --list prints."),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Only tell who was erased, by contacts' ids.")
    ] = False,
    rewrite: Annotated[
        bool,
        typer.Option(
            help="Also write the tables to new files, so that no free space in the old"
            " ones holds a fragment. Locks each table meanwhile."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Erase a person from every campaign, for good; nobody calls the number again.

    Names, numbers, variables, messages, recordings' links and transcripts go, also of
    files that wait to be imported. Counters stay, and the history can be verified. At
    the end VACUUM and ANALYZE remove old row versions and statistics.
    """
    ways = [phone is not None, contact is not None, file is not None, list_]
    if sum(ways) != 1:
        message = "Name one of --phone, --contact, --from and --list."
        raise typer.BadParameter(message)
    # What is wrong in a file is said before anybody is erased.
    wanted = list(_in_file(file)) if file else []
    with workbench(Configuration()) as bench:
        if list_:
            _show(bench.read(_everybody_erased), as_json=as_json)
        elif file:
            _tell(_Eraser(bench).all_of(wanted), as_json=as_json)
            _compact(bench, rewrite=rewrite)
        else:
            who = _e164(phone) if phone is not None else contact
            assert who is not None
            _tell(_Eraser(bench).one(who), as_json=as_json)
            _compact(bench, rewrite=rewrite)


type Who = str | UUID
"""A number in E.164, or a contact's id."""


@dataclass(frozen=True)
class _Eraser:
    bench: Workbench

    def one(self, who: Who) -> Erasure:
        """Raises NotFound for a contact that is unknown, or erased already."""
        number = self._data.phone_of(who) if isinstance(who, UUID) else who
        if number is None:
            raise NotFound("contact that is not erased yet", who)
        return self._erased(number)

    def all_of(self, people: list[Who]) -> Erasure:
        """Erase who is not erased yet: a list may be gone through again."""
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


def _tell(done: Erasure, *, as_json: bool) -> None:
    if as_json:
        say(json_of(as_mapping(done)))
        return
    say(f"Erased: {len(done.contacts)} contacts, {done.calls} calls.")
    if done.live:
        say(f"{done.live} calls are live: nothing that is told of them is kept.")


def _compact(bench: Workbench, *, rewrite: bool) -> None:
    """Remove old row versions and statistics; report what an open transaction holds."""
    if not bench.erasure.compact(rewrite=rewrite):
        remark(
            "An older transaction, such as a dump, keeps old versions of the erased"
            " rows. Autovacuum removes them after its end; or run this command again."
        )


def _everybody_erased(conn: Conn) -> list[dict[str, Any]]:
    names = ("contactId", "erasedAt", "by")
    rows = conn.execute(_ERASED).fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]


def _show(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        say(json_of(rows))
        return
    say(HEADING)
    for row in rows:
        say("\t".join(map(str, row.values())))
    remark("Keep this list outside of the database, with the back-ups.")


def _in_file(file: Path) -> Iterator[Who]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}.") from None
    for number, line in enumerate(lines, start=1):
        said = line.split("\t")[0].strip()
        if said and not said.startswith(COMMENT):
            try:
                yield _who(said)
            except (ValueError, typer.BadParameter):
                message = f"Line {number} has neither a number with its country nor"
                raise typer.BadParameter(f"{message} a contact's id.") from None


def _who(said: str) -> Who:
    return _e164(said) if said.startswith("+") else UUID(said)


def _e164(phone: str) -> str:
    """Read a number as strictly as a phone cell: a guess would erase somebody else.

    An extension is left out, since everybody with that number is erased.
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
