"""New campaigns for contacts of an earlier campaign.

The chosen contacts are staged like the rows of an upload, by one statement in the
database, and are then imported like them.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Protocol
from uuid import UUID, uuid5

from application.app import AutoLynx
from application.contacts.files.uploads import Uploads
from application.contacts.imports import (
    SAME_REQUEST,
    Imported,
    ImportService,
    NewCampaign,
)
from application.errors import ReadModelBehind
from application.event_context import EventContext
from application.ports import ReadModel
from application.vault import canonical
from domain.campaigns.campaign import Campaign
from domain.contacts.contact_list import ContactList
from domain.errors import Conflict, Invalid, NotFound
from domain.outcomes import CallOutcome, Disposition
from domain.values import NAMESPACE, ContactStatus

STAGED_FOR = timedelta(days=1)
"""How long an interrupted redial can be continued."""

LAG_SECONDS = 10.0

MOST_CONTACTS = 1_000
"""Contacts that a selection may name one by one."""


@dataclass(frozen=True, slots=True)
class RedialSelection:
    """Finished contacts of a campaign to which all given filters apply.

    None for a filter: any value, or none. Contacts that were erased, withheld or opted
    out are never included.
    """

    campaign_id: UUID
    statuses: Collection[ContactStatus] | None = None
    outcomes: Collection[CallOutcome] | None = None
    dispositions: Collection[Disposition] | None = None
    contacts: Collection[UUID] | None = None

    def check(self) -> None:
        """Raise Invalid if it names more contacts than one request may."""
        if self.contacts is not None and len(self.contacts) > MOST_CONTACTS:
            wrong = f"may name at most {MOST_CONTACTS:,} contacts"
            raise Invalid(f"A redial {wrong}: use the other filters.", redial=wrong)


@dataclass(frozen=True, slots=True)
class StagedRedial:
    """Contacts to stage as the list `list_id`.

    `fingerprint` identifies equal input of a member if it has no request id, else None.
    """

    list_id: UUID
    filename: str
    fingerprint: bytes | None
    created_by: str
    created_at: datetime
    expires_at: datetime
    same_since: datetime
    """Staged lists of this time and later with the fingerprint are the same request."""


class RedialSource(Protocol):
    """The contacts of campaigns with their personal data."""

    def count(self, selection: RedialSelection) -> int:
        """Return the number of contacts that a redial would include."""

    def stage(self, selection: RedialSelection, staged: StagedRedial) -> UUID | None:
        """Stage the contacts in the order of their campaign, in one transaction.

        Returns the id of the staged list: an earlier one if it is the same request.
        None, and nothing is stored, if there is no contact.
        """


def redial_list_id(request_id: UUID | None, new_id: Callable[[], UUID]) -> UUID:
    """Return the id of the contact list of a redial.

    It is the same for the same request id, and a new one without a request id.
    """
    if request_id is None:
        return new_id()
    return uuid5(NAMESPACE, f"redial:{request_id}")


def list_id_of(
    upload_id: UUID | None,
    selection: RedialSelection | None,
    request_id: UUID | None,
    new_id: Callable[[], UUID],
) -> UUID:
    """Return the id of the contact list of a new campaign: its upload, or a redial.

    Raises:
        Invalid: an upload and a redial are given, or neither.
    """
    if selection is None and upload_id is not None:
        return upload_id
    if selection is None or upload_id is not None:
        wrong = "exactly one of uploadId and redial is required"
        raise Invalid(f"Give either uploadId or redial: {wrong}.", upload_id=wrong)
    return redial_list_id(request_id, new_id)


class RedialService:
    """Creates campaigns from finished contacts of other campaigns."""

    def __init__(
        self,
        *,
        app: AutoLynx,
        context: EventContext,
        imports: ImportService,
        uploads: Uploads,
        source: RedialSource,
        read_model: ReadModel,
    ) -> None:
        self._app, self._context, self._imports = app, context, imports
        self._uploads, self._source, self._read_model = uploads, source, read_model

    def count(self, selection: RedialSelection) -> int:
        """Return the number of contacts that a redial would include.

        Raises NotFound if there is no such campaign.
        """
        self._campaign(selection)
        return self._source.count(selection)

    def create_campaign(
        self,
        new: NewCampaign,
        selection: RedialSelection,
        *,
        default_cap: int,
        by: str,
    ) -> Imported:
        """Create a campaign with the selected contacts, all at once.

        `new.upload_id` is the id of its contact list, unless the same request was made
        before: with the same request id, or with equal input of the same member within
        SAME_REQUEST. Then the campaign of that request is returned, and an interrupted
        redial continues where it stopped.

        The campaign requires consent, and has the calling hours, as the earlier one.

        Raises:
            Conflict: a redial with this request id was interrupted more than a day ago.
            Invalid: the selection includes no contact, or other input is wrong.
            NotFound: the campaign of the selection does not exist.
            ReadModelBehind: the read model does not include the last calls in time.
        """
        source = self._campaign(selection)
        terms = new.terms.for_redial_of(source.terms)
        new = replace(new, redial_of=source.id, terms=terms)
        known = new.request_id is not None and self._app.find(Campaign, new.campaign_id)
        if not known:
            self._imports.check(new, default_cap=default_cap, by=by)
            list_id = self._staged(new, selection, by)
            new = replace(new, upload_id=list_id)
        return self._imports.create_campaign(new, default_cap=default_cap, by=by)

    def _campaign(self, selection: RedialSelection) -> Campaign:
        selection.check()
        campaign = self._app.find(Campaign, selection.campaign_id)
        if campaign is None:
            raise NotFound("campaign", selection.campaign_id)
        return campaign

    def _staged(self, new: NewCampaign, selection: RedialSelection, by: str) -> UUID:
        """Return the id of the staged list; stage it unless the import has begun."""
        if self._app.find(ContactList, new.upload_id) is not None:
            return self._continued(new.upload_id)
        self._wait_for_last_calls()
        now = self._context.now()
        staged = StagedRedial(
            list_id=new.upload_id,
            filename=self._campaign(selection).name,
            fingerprint=None if new.request_id else _fingerprint(new, selection, by),
            created_by=by,
            created_at=now,
            expires_at=now + STAGED_FOR,
            same_since=now - SAME_REQUEST,
        )
        list_id = self._source.stage(selection, staged)
        if list_id is None:
            wrong = "includes no contact"
            raise Invalid("No finished contact matches the selection.", redial=wrong)
        return list_id

    def _continued(self, list_id: UUID) -> UUID:
        """Return the id of a list whose import has begun. Raises Conflict."""
        if self._uploads.get(list_id, self._context.now()) is None:
            raise Conflict(
                "This redial was interrupted more than a day ago: request it again"
                " with another requestId."
            )
        return list_id

    def _wait_for_last_calls(self) -> None:
        """Wait until the read model includes all calls. Raises ReadModelBehind."""
        position = self._app.recorder.max_notification_id() or 0
        if not self._read_model.wait_for(position, LAG_SECONDS):
            raise ReadModelBehind(
                "The read model is behind; see that a projector runs, then try again."
            )


def _fingerprint(new: NewCampaign, selection: RedialSelection, by: str) -> bytes:
    """Return a digest of everything that a member asked for."""
    filters = (
        selection.statuses,
        selection.outcomes,
        selection.dispositions,
        selection.contacts,
    )
    asked: list[Any] = [
        by,
        str(selection.campaign_id),
        [
            None if each is None else sorted({str(one) for one in each})
            for each in filters
        ],
        repr(replace(new, upload_id=NAMESPACE)),
    ]
    return sha256(canonical(asked)).digest()
