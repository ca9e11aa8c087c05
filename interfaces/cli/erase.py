"""The command that forgets a person."""

from typing import Annotated
from uuid import UUID

import phonenumbers
import typer

from application.configuration import Configuration
from application.erasure import ErasureService
from domain.errors import NotFound
from interfaces.cli.words import AsJson, as_mapping, json_of, say
from interfaces.cli.workbench import actor, workbench
from storage.erasure import ErasureStore


def add_to(app: typer.Typer) -> None:
    app.command("erase")(erase)


def erase(
    *,
    phone: Annotated[
        str | None, typer.Option(help="The number, with its country: +12125550142.")
    ] = None,
    contact: Annotated[
        UUID | None, typer.Option(help="A contact's id; its number counts everywhere.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Erase a person from every campaign, for good; nobody calls the number again.

    Names, numbers, variables, messages, recordings' links and transcripts go, also of
    files that wait to be imported. Counters stay, and the history can be verified.
    """
    with workbench(Configuration()) as bench:
        data = ErasureStore(bench.pool)
        number = _number(data, phone, contact)
        done = ErasureService(bench.app, bench.means, data).erase(number, by=actor())
        bench.include_all()
    if as_json:
        say(json_of(as_mapping(done)))
        return
    say(f"Erased: {len(done.contacts)} contacts, {done.calls} calls.")
    if done.live:
        say(f"{done.live} calls are live: nothing that is told of them is kept.")


def _number(data: ErasureStore, phone: str | None, contact: UUID | None) -> str:
    if phone is not None and contact is None:
        return _e164(phone)
    if contact is not None and phone is None:
        return _of(data, contact)
    raise typer.BadParameter("Name either --phone or --contact.")


def _e164(phone: str) -> str:
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        message = "Write the number with its country, such as +12125550142."
        raise typer.BadParameter(message) from None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _of(data: ErasureStore, contact_id: UUID) -> str:
    number = data.phone_of(contact_id)
    if number is None:
        raise NotFound("contact that is not erased yet", contact_id)
    return number
