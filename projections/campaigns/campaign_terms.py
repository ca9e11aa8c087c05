"""The terms of campaigns, and the counters of the calls that are planned by them."""

from collections.abc import Iterator
from typing import Any

import orjson

from domain.calls.call import Call
from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_terms import CallingTerms
from domain.contacts.contact import Contact
from domain.contacts.contact_events import ContactEvent
from domain.contacts.contact_history import PlanKind
from projections.tables.definition import Table
from projections.tables.handlers import handles
from projections.tables.row_operations import Columns, RowOperation, put
from storage.log.mapper import from_plain, to_plain

TERMS = "campaign_terms"

TABLE = Table(
    TERMS,
    ("campaign_id", "version"),
    """
    create table if not exists campaign_terms (
        campaign_id uuid not null,
        version bigint not null,
        primary key (campaign_id, version)
    );
    """,
)

ANY_TERMS = 0
"""The version of planned calls that do not depend on the terms: all but retries."""

PLANNED_COUNTER = {
    PlanKind.RETRY: "planned_retries",
    PlanKind.RETURNED: "planned_retries",
    PlanKind.CALLBACK: "planned_callbacks",
}
"""The column of `campaign_board` that counts the contacts with such a planned call."""


@handles(Campaign.Created, Campaign.Changed)
def campaign_terms(event: object, _position: int) -> Iterator[RowOperation]:
    """List the versions of a campaign's terms by which calls may be planned."""
    match event:
        case Campaign.Created():
            yield put(TERMS, (event.originator_id, ANY_TERMS))
            yield put(TERMS, (event.originator_id, event.originator_version))
        case Campaign.Changed(terms_version=int(version)):
            yield put(TERMS, (event.originator_id, version))


def terms_columns(event: Campaign.Created | Campaign.Changed) -> Columns:
    """Return the columns of `campaign_board` for the terms of an event.

    Calls claimed by earlier terms may need reports, so that is never taken back.
    """
    terms = event.terms
    version = event.originator_version
    if isinstance(event, Campaign.Changed):
        if event.terms_version is None:
            return {}
        version = event.terms_version
    columns: Columns = {
        "terms": orjson.dumps(to_plain(terms)).decode(),
        "terms_version": version,
        "starts_at": terms.starts_at,
        "ends_at": terms.ends_at,
    }
    return columns | ({"needs_reports": True} if terms.need_reports else {})


def terms_of(stored: str) -> CallingTerms:
    """Return the terms that `terms_columns` stored."""
    terms: CallingTerms = from_plain(CallingTerms, orjson.loads(stored))
    return terms


def planned_deltas(event: object) -> Columns:
    """Return by how much an event changes the counters of planned calls."""
    match event:
        case Call.Created():
            return _counted(event.plan, -1)
        case Contact.CallPlanned():
            before, after = _counted(event.plan_was, -1), _counted(event.kind, 1)
            return {} if before.keys() == after.keys() else before | after
        case Contact.Returned():
            return _counted(PlanKind.RETURNED, 1)
        case ContactEvent() if event.was is not event.standing:
            return _counted(event.plan_was, -1)
    return {}


def _counted(kind: PlanKind | None, delta: int) -> Columns:
    return {} if kind is None else {PLANNED_COUNTER[kind]: delta}


NOT_PLANNED: dict[str, Any] = {
    "planned_at": None,
    "planned_kind": None,
    "planned_until": None,
    "planned_terms": None,
}


def planned_columns(event: Contact.CallPlanned | Contact.Returned) -> Columns:
    """Return the columns of `contact_log` for a planned call.

    The contact leaves its batch, so that a batch does not wait for it.
    """
    if isinstance(event, Contact.Returned):
        kind, until = PlanKind.RETURNED, None
    else:
        kind, until = event.kind, event.expires_at
    return {
        "planned_at": event.due_at,
        "planned_kind": kind,
        "planned_until": until,
        "planned_terms": event.terms_version if kind is PlanKind.RETRY else ANY_TERMS,
        "batch": None,
    }
