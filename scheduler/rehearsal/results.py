"""What a rehearsal came to: figures, the export, and the event history."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from domain.wording import counted
from projections import campaign_arms
from projections.campaigns import campaign_board
from projections.campaigns.campaign_row import CampaignRow
from projections.composition import Components
from projections.contacts import contact_results
from projections.exports.results import EVERYTHING, ExportOptions, csv_of
from scheduler.rehearsal.run import Rehearsed

PAGE = 1_000

type Figures = dict[str, Any]


def progress_of(row: CampaignRow, at: datetime) -> Figures:
    """Return the campaign's progress at a virtual time, as JSON."""
    counters = ("contacts", "pending", "active", "ended", "failed", "canceled")
    return {
        "at": at.isoformat(),
        "state": str(row.state),
        **{name: getattr(row, name) for name in (*counters, "timed_out")},
        "spend": str(row.spend),
    }


def figures_of(done: Rehearsed) -> Figures:
    """Return the figures of a finished rehearsal, as JSON."""
    built, id_ = done.built, done.campaign_id
    with built.reading.connection() as conn:
        row = campaign_board.get(conn, id_)
        funnel = contact_results.funnel(conn, id_)
        outcomes = contact_results.outcome_counts(conn, id_)
        arms = campaign_arms.arm_rows(conn, id_)
    assert row is not None
    assert funnel is not None
    calls = sum(count.calls for count in outcomes)
    return {
        "rehearsal": True,
        "campaignId": str(id_),
        "name": row.name,
        **progress_of(row, done.clock()),
        "startedAt": row.started_at and row.started_at.isoformat(),
        "completedAt": row.completed_at and row.completed_at.isoformat(),
        "calls": calls,
        "answered": funnel.answered,
        "human": funnel.human,
        "goals": funnel.goal,
        "withheld": funnel.withheld,
        "optedOut": funnel.opted_out,
        "outcomes": {str(count.outcome): count.calls for count in outcomes},
        "arms": [
            {"share": arm.share, "contacts": arm.contacts, "goals": arm.goals}
            for arm in arms
        ],
        "events": built.app.recorder.max_notification_id() or 0,
        "waits": _waits(built, row),
    }


def _waits(built: Components, row: CampaignRow) -> list[str]:
    """Return why contacts still wait, if the campaign did not finish."""
    decision = built.process_records.decision(row.campaign_id)
    if decision is None or not row.pending:
        return []
    return [
        f"{counted(why.contacts, 'contact')}: {why.message}" for why in decision.reasons
    ]


def write_export(
    done: Rehearsed, path: Path, options: ExportOptions = EVERYTHING
) -> None:
    """Write the campaign's CSV export."""
    built = done.built
    with built.reading.connection() as conn, path.open("wb") as file:
        for piece in csv_of(
            conn, done.campaign_id, built.recording_urls, options=options
        ):
            file.write(piece)


def write_events(done: Rehearsed, path: Path, *, payloads: bool) -> None:
    """Write all events in the order of the log, one JSON object in each line."""
    with path.open("wb") as file:
        for event in _events(done.built, payloads=payloads):
            file.write(orjson.dumps(event) + b"\n")


def _events(built: Components, *, payloads: bool) -> Iterator[dict[str, Any]]:
    position = 0
    while stored := built.app.recorder.select_notifications(position + 1, PAGE):
        for event in stored:
            position = event.id
            shown: dict[str, Any] = {
                "position": event.id,
                "aggregateId": str(event.originator_id),
                "version": event.originator_version,
                "type": event.topic,
            }
            if payloads:
                shown["payload"] = orjson.loads(event.state)
            yield shown
