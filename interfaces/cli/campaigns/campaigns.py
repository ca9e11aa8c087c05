"""Commands for campaigns."""

from collections.abc import Iterator
from typing import Annotated, Any
from uuid import UUID

import typer

from application.campaigns.campaigns import StartTime
from application.configuration import Configuration
from domain.errors import NotFound
from domain.values import CampaignState
from domain.wording import counted
from interfaces.cli.campaigns import (
    calling_again,
    changing,
    creating,
    dialability,
    forecasts,
    importing,
    single_test_call,
)
from interfaces.cli.campaigns.campaign_arms import (
    arms_as_json,
    arms_as_text,
)
from interfaces.cli.campaigns.campaign_options import (
    CampaignId,
)
from interfaces.cli.campaigns.campaign_terms import shown_terms, time_of
from interfaces.cli.campaigns.exports import export
from interfaces.cli.campaigns.rehearse import rehearse
from interfaces.cli.output import (
    AsJson,
    as_mapping,
    print_line,
    show_list,
    show_one,
)
from interfaces.cli.workbench import Workbench, actor, workbench
from interfaces.state_reasons import state_reason
from projections.campaigns import campaign_board
from projections.campaigns.campaign_row import CampaignRow
from projections.contacts import contact_results
from projections.contacts.contact_results import Funnel, OutcomeCount
from storage.process.decisions import Decision, Heartbeat

PAGE = 100
MANY = 10_000
"""Contacts from which an import shows its progress."""
SILENT_SECONDS = 120.0
"""The heartbeat of a running scheduler is never that old."""


HIDDEN = ("campaignId", "reasonWordsId", "longestCallSeconds", "version", "terms")
"""Fields of a campaign that are not shown, or in another form."""

COLUMNS = ("id", "name", "state", "contacts", "pending", "active", "ended", "createdAt")

STANDSTILL = {
    CampaignState.CREATED: "It was not started: autolynx campaigns start {id}",
    CampaignState.COMPLETED: "Nobody: every contact is done.",
    CampaignState.CANCELED: "Nobody: it is canceled.",
    CampaignState.FAILED: "Nobody: it failed.",
}


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    group = typer.Typer(help="Create, run and watch campaigns.", rich_markup_mode=None)
    creating.add_commands(group)
    group.command("list")(list_campaigns)
    group.command("show")(show)
    changing.add_commands(group)
    importing.add_commands(group)
    for command in (start, pause, resume, cancel, export):
        group.command()(command)
    calling_again.add_commands(group)
    single_test_call.add_commands(group)
    forecasts.add_commands(group)
    dialability.add_commands(group)
    app.add_typer(group, name="campaigns")
    app.command()(rehearse)


def list_campaigns(
    *,
    state: Annotated[
        list[CampaignState] | None,
        typer.Option(case_sensitive=False, help="Only in this state; may be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the campaigns, newest first."""
    with workbench(Configuration()) as bench:
        rows = [_shown(row) for row in _all(bench, state or None)]
    show_list(rows, COLUMNS, as_json=as_json)


def _all(bench: Workbench, states: list[CampaignState] | None) -> Iterator[CampaignRow]:
    after = None
    while True:
        page = bench.read(campaign_board.page, first=PAGE, after=after, states=states)
        yield from page.nodes
        after = page.end_cursor
        if not page.has_next:
            return


def show(campaign_id: CampaignId, *, as_json: AsJson = False) -> None:
    """Show a campaign: state, counters, outcomes of its calls, and why it waits."""
    with workbench(Configuration()) as bench:
        row = _get(bench, campaign_id)
        outcomes = bench.read(contact_results.outcome_counts, campaign_id)
        funnel = bench.read(contact_results.funnel, campaign_id)
        decision = bench.process_records.decision(campaign_id)
        text = bench.vault.words(row.reason_words_id) if row.reason_words_id else None
        beat = bench.process_records.heartbeat("scheduler")
        form = arms_as_json if as_json else arms_as_text
        arms = form(bench, campaign_id)
    shown = {**_shown(row), "stateReason": state_reason(row.pause_cause, text)}
    if as_json:
        decided = None if decision is None else as_mapping(decision)
        if decision is not None and decided is not None:
            decided["reasons"] = [as_mapping(reason) for reason in decision.reasons]
        shown |= shown_terms(row.calling_terms)
        shown["outcomes"] = [as_mapping(count) for count in outcomes]
        shown["funnel"] = as_mapping(funnel) if funnel else None
        show_one({**shown, "arms": arms, "lastDecision": decided}, as_json=True)
        return
    terms = row.calling_terms
    shown |= {"startsAt": terms.starts_at, "endsAt": terms.ends_at}
    shown["attempts"] = terms.policy.attempts
    shown["outcomes"] = _outcomes(outcomes)
    shown["funnel"] = _stages(funnel) if funnel else None
    shown |= {"arms": arms} if arms else {}
    show_one({**shown, "waits": _waits(row, decision, beat)}, as_json=False)


def _outcomes(counts: list[OutcomeCount]) -> str | None:
    """Write the finished calls by outcome, such as "HUMAN 12, BUSY 3"."""
    return ", ".join(f"{count.outcome} {count.calls}" for count in counts) or None


def _stages(funnel: Funnel) -> str:
    """Write how many contacts reached each stage."""
    return (
        f"{funnel.dialed} of {counted(funnel.contacts, 'contact')} dialed,"
        f" {funnel.answered} answered, {funnel.human} by a person,"
        f" {funnel.goal} reached the goal"
    )


def _get(bench: Workbench, campaign_id: UUID) -> CampaignRow:
    row = bench.read(campaign_board.get, campaign_id)
    if row is None:
        raise NotFound("campaign", campaign_id)
    return row


def _shown(row: CampaignRow) -> dict[str, Any]:
    fields = as_mapping(row, active=row.active)
    first = {"id": row.id, "name": row.name, "state": row.state}
    return first | {k: v for k, v in fields.items() if k not in HIDDEN}


def _waits(row: CampaignRow, decision: Decision | None, beat: Heartbeat | None) -> str:
    if row.state in STANDSTILL:
        return STANDSTILL[row.state].format(id=row.id)
    if beat is None:
        return "No scheduler has run yet: autolynx up"
    if beat.age_seconds > SILENT_SECONDS:
        since = f"{beat.beat_at:%Y-%m-%d %H:%M:%SZ}"
        return f"The scheduler's last heartbeat was at {since}: autolynx up"
    if decision is None:
        return "The scheduler has not planned it yet."
    reasons = " ".join(
        f"{counted(reason.contacts, 'contact')}: {reason.message}"
        + (f" (until {reason.until:%Y-%m-%d %H:%M:%SZ})" if reason.until else "")
        for reason in decision.reasons
    )
    at = f"{decision.decided_at:%H:%M:%SZ}"
    claimed = counted(decision.placed, "call was", "calls were")
    return f"At {at} {claimed} claimed. {reasons}".rstrip()


def start(
    campaign_id: CampaignId,
    *,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="No call before this time; an empty text removes an earlier choice.",
        ),
    ] = None,
) -> None:
    """Start calling; a scheduler must run (`autolynx up`)."""
    starts = None if at is None else StartTime(time_of("--at", at or None))
    with workbench(Configuration()) as bench:
        bench.campaigns.start(campaign_id, by=actor(), starts=starts)
        _print_state(bench, campaign_id)


def pause(
    campaign_id: CampaignId,
    reason: Annotated[str | None, typer.Option(help="Reason, shown to others.")] = None,
) -> None:
    """Start no new calls; calls in progress continue."""
    with workbench(Configuration()) as bench:
        bench.campaigns.pause(campaign_id, by=actor(), reason=reason)
        _print_state(bench, campaign_id)


def resume(campaign_id: CampaignId) -> None:
    """Resume calling after a pause."""
    with workbench(Configuration()) as bench:
        bench.campaigns.resume(campaign_id, by=actor())
        _print_state(bench, campaign_id)


def cancel(
    campaign_id: CampaignId,
    *,
    hang_up: Annotated[
        bool, typer.Option("--hang-up", help="Also end the calls in progress.")
    ] = False,
) -> None:
    """Start no new calls for good."""
    with workbench(Configuration()) as bench:
        bench.read(campaign_board.get, campaign_id)
        bench.campaigns.cancel(campaign_id, hang_up=hang_up, by=actor())
        _print_state(bench, campaign_id)


def _print_state(bench: Workbench, campaign_id: UUID) -> None:
    row = _get(bench, campaign_id)
    print_line(f"{row.name} is {row.state}.")
