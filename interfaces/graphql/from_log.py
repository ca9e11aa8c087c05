"""A campaign and its imports, computed from their own events.

Used when the read model does not yet include a command that was just executed.
"""

from dataclasses import fields
from typing import Any
from uuid import UUID

from application.app import AutoLynx
from domain.contacts.contact_list import ContactList
from domain.values import ZERO, CampaignState
from interfaces.graphql.backend import Backend
from interfaces.graphql.types.contacts.imports import MOST_SHOWN, ImportReport, Skipped
from projections.campaigns.campaign_board import (
    CampaignProgress,
    CampaignRow,
    campaign_board,
)
from projections.tables.row_operations import Kind

COUNTERS = {
    field.name
    for field in fields(CampaignProgress)
    if field.name not in {"campaign_id", "state", "contacts"}
}
NOTHING_YET: dict[str, Any] = {
    "pause_cause": None,
    "reason_words_id": None,
    "queued_at": None,
    "started_at": None,
    "completed_at": None,
    "expired_at": None,
    **dict.fromkeys(COUNTERS, 0),
    "contacts": 0,
    "costs_reported": 0,
    "spend": ZERO,
}


def campaign_from_log(
    app: AutoLynx, campaign_id: UUID, shown: CampaignRow | None
) -> CampaignRow:
    """Fold the campaign's own events as the projection does.

    Counters that depend on calls are taken from `shown`, the row of the read model.
    """
    columns = dict(NOTHING_YET)
    for event in app.events.get(campaign_id):
        _apply(columns, event)
    columns |= _counted(columns, shown)
    known = {field.name for field in fields(CampaignRow)}
    row = {name: value for name, value in columns.items() if name in known}
    row["state"] = CampaignState(row["state"])
    return CampaignRow(campaign_id=campaign_id, **row)


def _counted(columns: dict[str, Any], shown: CampaignRow | None) -> dict[str, Any]:
    """Return the counters, with contacts imported or canceled since `shown`."""
    if shown is not None:
        counters = {name: getattr(shown, name) for name in COUNTERS}
        counters["pending"] += columns["contacts"] - shown.contacts
    else:
        counters = {name: columns[name] for name in COUNTERS}
    if columns["state"] == CampaignState.CANCELED:
        counters["canceled"] += counters["pending"]
        counters["pending"] = 0
    return counters


def _apply(columns: dict[str, Any], event: object) -> None:
    for operation in campaign_board(event, 0):
        for name, value in operation.columns.items():
            before = columns.get(name, 0) if operation.kind is Kind.ADD else 0
            columns[name] = before + value if operation.kind is Kind.ADD else value


def report_from_log(backend: Backend, list_id: UUID) -> ImportReport:
    """Build the report of an import from its contact list's events and the vault."""
    contacts = backend.services.app.load(ContactList, list_id)
    rows: Any = backend.services.vault.rejects(list_id, limit=MOST_SHOWN)
    shown: list[Skipped] = rows
    return ImportReport.of(
        accepted=contacts.accepted,
        skipped=contacts.skipped,
        rows=shown,
        url=f"/imports/{list_id}/rejects.csv",
        not_kept=contacts.rejects_not_kept,
    )
