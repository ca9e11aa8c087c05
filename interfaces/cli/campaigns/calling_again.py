"""Commands that call people again, or not again: redials and single contacts."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

import typer

from application.configuration import Configuration
from application.contacts.imports import NewCampaign
from application.contacts.redials import RedialSelection, redial_list_id
from domain.campaigns.campaign_terms import CallingTerms
from domain.errors import NotFound
from domain.outcomes import Disposition, Withheld
from domain.wording import counted
from interfaces.cli.assistants import assistant_here
from interfaces.cli.campaigns.campaign_options import (
    CampaignId,
    Contacts,
    CountOnly,
    Dispositions,
    Outcomes,
    RequestId,
    SameAssistant,
    SameCap,
    SameLine,
    SameName,
    Start,
    Statuses,
)
from interfaces.cli.campaigns.campaign_terms import NewTermsOptions, time_of
from interfaces.cli.directory import line_here
from interfaces.cli.option_groups import takes
from interfaces.cli.output import AsJson, json_of, print_line, print_note
from interfaces.cli.workbench import Workbench, actor, workbench
from projections import campaign_arms
from projections.campaigns import campaign_board
from projections.campaigns.campaign_row import CampaignRow
from projections.contacts import contact_log

ContactId = Annotated[UUID, typer.Argument(metavar="CONTACT", show_default=False)]


def add_commands(group: typer.Typer) -> None:
    """Add the commands to the group `campaigns`."""
    for name, command in (
        ("redial", redial),
        ("call-again", call_again),
        ("remove-contact", remove_contact),
        ("set-disposition", set_disposition),
    ):
        group.command(name)(command)


@takes(terms=NewTermsOptions)
def redial(
    campaign_id: CampaignId,
    *,
    outcome: Outcomes = None,
    status: Statuses = None,
    disposition: Dispositions = None,
    contact: Contacts = None,
    name: SameName = None,
    assistant: SameAssistant = None,
    phone_number: SameLine = None,
    cap: SameCap = None,
    terms: NewTermsOptions,
    request_id: RequestId = None,
    count: CountOnly = False,
    start: Start = False,
    as_json: AsJson = False,
) -> None:
    """Create a campaign from finished contacts of another one; print its id.

    Contacts that were erased, withheld or opted out are never included.
    """
    filters = _given(
        statuses=status, outcomes=outcome, dispositions=disposition, contacts=contact
    )
    selection = RedialSelection(campaign_id, **filters)
    chosen = terms.terms()
    if count:
        _print_count(selection, as_json=as_json)
        return
    with workbench(Configuration()) as bench:
        source = _source(bench, campaign_id)
        contacts = bench.redials.count(selection)
        changes = _changes(bench, assistant, phone_number, name=name, cap=cap)
        new = _redial_of(source, bench.context.new_id, chosen, request_id)
        if assistant is None:
            new = replace(new, compared=_compared(bench, campaign_id))
        made = bench.redials.create_campaign(
            replace(new, **changes), selection, default_cap=source.cap, by=actor()
        )
        if start:
            bench.campaigns.start(made.campaign_id, by=actor())
    _print_redial(made.campaign_id, contacts, as_json=as_json)


def _compared(bench: Workbench, campaign_id: UUID) -> tuple[tuple[UUID, int], ...]:
    """Return the further assistants that the campaign compares, with their shares."""
    arms = bench.read(campaign_arms.arm_rows, campaign_id)
    return tuple((arm.assistant_id, arm.share) for arm in arms[1:])


def _print_count(selection: RedialSelection, *, as_json: bool) -> None:
    with workbench(Configuration()) as bench:
        _source(bench, selection.campaign_id)
        contacts = bench.redials.count(selection)
    print_line(json_of({"contacts": contacts}) if as_json else str(contacts))


def _source(bench: Workbench, campaign_id: UUID) -> CampaignRow:
    row = bench.read(campaign_board.get, campaign_id)
    if row is None:
        raise NotFound("campaign", campaign_id)
    return row


def _print_redial(campaign_id: UUID, contacts: int, *, as_json: bool) -> None:
    if as_json:
        print_line(json_of({"id": campaign_id, "contacts": contacts}))
    else:
        print_note(f"{counted(contacts, 'contact')}.")
        print_line(str(campaign_id))


def _changes(
    bench: Workbench, assistant: str | None, line: str | None, **values: Any
) -> dict[str, Any]:
    """Return the values that differ from those of the other campaign, by name."""
    assistant_id = assistant_here(bench, assistant) if assistant else None
    line_id = line_here(bench, line) if line else None
    return _given(assistant_id=assistant_id, phone_number_id=line_id, **values)


def _given(**options: Any) -> dict[str, Any]:
    """Return the options that were given; the others stay as in the other campaign."""
    return {name: value for name, value in options.items() if value}


def _redial_of(
    source: CampaignRow,
    new_id: Callable[[], UUID],
    terms: CallingTerms,
    request_id: UUID | None,
) -> NewCampaign:
    """Return a new campaign like `source`, but without its budget."""
    return NewCampaign(
        name=f"Redial of {source.name}",
        upload_id=redial_list_id(request_id, new_id),
        assistant_id=source.assistant_id,
        phone_number_id=source.phone_number_id,
        cap=source.cap,
        mode=source.mode,
        line_quiet_gating=source.line_quiet_gating,
        budget=None,
        terms=terms,
        request_id=request_id,
    )


def call_again(
    contact_id: ContactId,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Not before; default: now.")
    ] = None,
) -> None:
    """Call a finished contact once more; its campaign must not be over."""
    not_before = time_of("--at", at)
    with workbench(Configuration()) as bench:
        campaign_id = _campaign_of(bench, contact_id)
        bench.planned_calls.call_again(
            contact_id, campaign_id, not_before=not_before, by=actor()
        )
        _print_status(bench, contact_id)


def remove_contact(contact_id: ContactId) -> None:
    """Remove a contact that waits to be called."""
    with workbench(Configuration()) as bench:
        campaign_id = _campaign_of(bench, contact_id)
        bench.planned_calls.withhold(
            contact_id, campaign_id, Withheld.REMOVED, by=actor()
        )
        _print_status(bench, contact_id)


def set_disposition(
    contact_id: ContactId,
    disposition: Annotated[
        Disposition | None,
        typer.Argument(case_sensitive=False, help="Without it: clear it."),
    ] = None,
    note: Annotated[str | None, typer.Option(help="A note about the contact.")] = None,
) -> None:
    """Set or clear what came of the calls to a contact, by hand."""
    with workbench(Configuration()) as bench:
        _campaign_of(bench, contact_id)
        bench.contacts.set_disposition(contact_id, disposition, note, by=actor())
    print_line(f"The disposition is {disposition or 'cleared'}.")


def _campaign_of(bench: Workbench, contact_id: UUID) -> UUID:
    row = bench.read(contact_log.get, contact_id)
    if row is None:
        raise NotFound("contact", contact_id)
    return row.campaign_id


def _print_status(bench: Workbench, contact_id: UUID) -> None:
    row = bench.read(contact_log.get, contact_id)
    if row is not None:
        withheld = f" ({row.withheld})" if row.withheld else ""
        print_line(f"The contact is {row.status}{withheld}.")
