"""A campaign and its imports, computed from their own events.

Used when the read model does not yet include a command that was just executed.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from application.app import AutoLynx
from domain.contacts.contact_list import ContactList
from domain.errors import NotFound
from interfaces.graphql.backend import Backend
from interfaces.graphql.types.contacts.imports import MOST_SHOWN, ImportReport, Skipped
from projections.campaigns.campaign_row import CampaignRow
from projections.engine.as_of import COUNTERS, campaign_from_events


def campaign_from_log(
    app: AutoLynx, campaign_id: UUID, shown: CampaignRow | None
) -> CampaignRow:
    """Fold the campaign's own events as the projection does. Raises NotFound.

    Counters that depend on calls are taken from `shown`, the row of the read model;
    contacts that were imported since then are pending.
    """
    events = [(event, 0) for event in app.events.get(campaign_id)]
    position = shown.position if shown else 0
    row = campaign_from_events(campaign_id, events, position, {})
    if row is None:
        raise NotFound("campaign", campaign_id)
    if shown is None:
        return row
    counters: Any = {name: getattr(shown, name) for name in (*COUNTERS, "spend")}
    counters["pending"] += row.contacts - shown.contacts
    return replace(row, **counters).with_shown_counters()


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
