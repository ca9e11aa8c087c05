"""Campaigns that tests need in a certain state, made without the browser."""

import os
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from playwright.sync_api import Page, Route

from application.campaigns.campaigns import StartTime
from application.contacts.imports import NewCampaign
from domain.campaigns.campaign_terms import CallingTerms
from domain.values import CampaignState, DialMode
from interfaces.dashboard.documents import read_documents
from provider.simulator.settings import DEFAULT_PHONE_NUMBER_ID
from storage.database import Conn
from tests.browser.installation import Installation
from tests.end_to_end.processes import state_of
from tests.staged_uploads import StagedUploads
from tests.support import eventually

BY = "cli:test"
FAR_AHEAD = datetime.fromisoformat("2999-01-01T09:00:00Z")
"""A time of the first call that no test reaches."""

API, PROJECTOR, SCHEDULER = "interfaces.asgi", "projections", "scheduler"
"""Modules of the processes that `frozen` can stop."""

NAMES_BY_ID = {document.id: document.name for document in read_documents()}
"""Names of the dashboard's operations."""


def created(
    installation: Installation,
    name: str,
    phones: Sequence[str],
    *,
    starts_at: datetime | None = None,
) -> UUID:
    """Create a campaign of these people; it is not started."""
    staged = StagedUploads()
    new = NewCampaign(
        name=name,
        upload_id=staged.stage(phones),
        assistant_id=installation.assistant_id,
        phone_number_id=DEFAULT_PHONE_NUMBER_ID,
        cap=len(phones),
        mode=DialMode.CONTINUOUS,
        line_quiet_gating=False,
        budget=None,
        terms=CallingTerms(starts_at=starts_at),
    )
    imports = installation.bench.imports_from(staged)
    return imports.create_campaign(new, default_cap=8, by=BY).campaign_id


def queued(installation: Installation, name: str, phones: Sequence[str]) -> UUID:
    """Create and start a campaign that will not call anybody during the test."""
    campaign_id = created(installation, name, phones)
    starts = StartTime(FAR_AHEAD)
    installation.bench.campaigns.start(campaign_id, by=BY, starts=starts)
    return campaign_id


def called(installation: Installation, name: str, phones: Sequence[str]) -> UUID:
    """Create a campaign and wait until all its people were called."""
    campaign_id = created(installation, name, phones)
    installation.bench.campaigns.start(campaign_id, by=BY)
    url = installation.settings["DATABASE_URL"]
    eventually(
        lambda: state_of(url, campaign_id) is CampaignState.COMPLETED,
        within=150.0,
        what="the completed campaign",
    )
    return campaign_id


def contacts_of(installation: Installation, campaign_id: UUID) -> list[UUID]:
    """Return the ids of a campaign's contacts in the order of the file."""
    return installation.bench.read(_contact_ids, campaign_id)


def _contact_ids(conn: Conn, campaign_id: UUID) -> list[UUID]:
    query = "select contact_id from contact_log where campaign_id = %s order by seq"
    return [id_ for (id_,) in conn.execute(query, (campaign_id,))]


def facts_of(installation: Installation, aggregate_id: UUID) -> Counter[str]:
    """Count the stored events of an aggregate, by the names of their classes."""
    events = installation.bench.app.events.get(aggregate_id)
    return Counter(type(event).__name__ for event in events)


@contextmanager
def frozen(installation: Installation, module: str) -> Iterator[None]:
    """Freeze the process of this module in this context."""
    child = installation.up.child(module)
    os.kill(child, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(child, signal.SIGCONT)


def operation_of(route: Route) -> str:
    """Return the name of the GraphQL operation that a request of a page contains."""
    body: Any = route.request.post_data_json
    return NAMES_BY_ID[body["documentId"]]


@contextmanager
def lost_responses(page: Page, *operations: str) -> Iterator[None]:
    """Execute these operations, but abort the connection instead of answering."""

    def handle(route: Route) -> None:
        if operation_of(route) in operations:
            route.fetch(max_retries=3)
            route.abort("connectionreset")
        else:
            route.fallback()

    page.route("**/graphql", handle)
    try:
        yield
    finally:
        page.unroute("**/graphql", handle)


@contextmanager
def lost_requests(page: Page, *operations: str) -> Iterator[None]:
    """Abort the connections of these operations before they reach the API."""

    def handle(route: Route) -> None:
        if operation_of(route) in operations:
            route.abort("connectionrefused")
        else:
            route.fallback()

    page.route("**/graphql", handle)
    try:
        yield
    finally:
        page.unroute("**/graphql", handle)


@contextmanager
def provider_down(installation: Installation) -> Iterator[None]:
    """Let the provider reset every connection in this context."""
    installation.simulator.set_faults(down=True)
    try:
        yield
    finally:
        installation.simulator.set_faults()
