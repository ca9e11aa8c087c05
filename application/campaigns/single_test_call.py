"""Test calls: campaigns with one contact, under the same rules as all other calls."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from application.app import AutoLynx
from application.campaigns.campaigns import CampaignService
from application.contacts.files.uploads import Upload, Uploads
from application.contacts.imports import SAME_REQUEST, ImportService, NewCampaign
from application.event_context import EventContext
from application.vault import canonical
from domain.campaigns.campaign import Campaign
from domain.campaigns.campaign_terms import CallingTerms
from domain.errors import Invalid
from domain.values import NAMESPACE, DialMode, campaign_id_of_request

PLACED_WITHIN = timedelta(minutes=2)
"""A test call that was not placed by then expires."""

LONGEST_VARIABLE_NAME = 100
MOST_VARIABLES = 200
OWN_COLUMNS = ("phone", "name")


@dataclass(frozen=True, slots=True)
class NewTestCall:
    """A member's request for a test call.

    `phone` is written as in a contact file; `variables` are the values of the other
    columns of such a file.
    """

    assistant_id: UUID
    phone_number_id: str
    phone: str
    name: str = "Test"
    variables: Mapping[str, str] | None = None
    request_id: UUID | None = None


type Receive = Callable[[UUID, bytes, str], Upload]
"""Stages the rows of a contact file: its upload's id, its bytes, the member."""


class TestCallService:
    """Creates and starts campaigns with a single contact."""

    __test__ = False  # Not a test, in spite of its name.

    def __init__(
        self,
        *,
        app: AutoLynx,
        context: EventContext,
        imports: ImportService,
        campaigns: CampaignService,
        uploads: Uploads,
        receive: Receive,
    ) -> None:
        self._app, self._context = app, context
        self._imports, self._campaigns = imports, campaigns
        self._uploads, self._receive = uploads, receive

    def place(self, new: NewTestCall, *, by: str) -> tuple[UUID, int]:
        """Place a test call; return its campaign and the position to read.

        The same request returns the same campaign: with the same request id, or
        without one, with equal input of the same member within `SAME_REQUEST`. After a
        crash it continues where it stopped.

        Raises:
            Invalid: the number cannot be called, or the assistant, the line or a
                variable is not valid.
        """
        now = self._context.now()
        request_id = self._request_id(new, now, by)
        campaign_id = campaign_id_of_request(request_id)
        if self._app.find(Campaign, campaign_id) is None:
            self._create(new, request_id, now, by)
        position = self._campaigns.start(campaign_id, by=by)
        return campaign_id, position or self._app.recorder.max_notification_id() or 0

    def _request_id(self, new: NewTestCall, now: datetime, by: str) -> UUID:
        if new.request_id is not None:
            return new.request_id
        length = SAME_REQUEST.total_seconds()
        period = int(now.timestamp() // length)
        before, current = (
            _derived_request_id(new, by, number) for number in (period - 1, period)
        )
        earlier = self._app.find(Campaign, campaign_id_of_request(before))
        is_recent = earlier is not None and now - earlier.created_on < SAME_REQUEST
        return before if is_recent else current

    def _create(
        self, new: NewTestCall, request_id: UUID, now: datetime, by: str
    ) -> None:
        campaign = NewCampaign(
            name="Test call",
            upload_id=self._context.new_id(),
            assistant_id=new.assistant_id,
            phone_number_id=new.phone_number_id,
            cap=1,
            mode=DialMode.CONTINUOUS,
            line_quiet_gating=False,
            budget=None,
            terms=CallingTerms(ends_at=now + PLACED_WITHIN),
            request_id=request_id,
            is_test=True,
        )
        self._imports.check(campaign, default_cap=1, by=by)
        self._stage(campaign.upload_id, new, by)
        self._imports.create_campaign(campaign, default_cap=1, by=by)

    def _stage(self, upload_id: UUID, new: NewTestCall, by: str) -> None:
        upload = self._receive(upload_id, _file_of(new), by)
        if not upload.accepted:
            [refused] = self._uploads.rejects(upload_id, 0, 1)
            raise Invalid(refused.message, phone="cannot be called")


def _derived_request_id(new: NewTestCall, by: str, period: int) -> UUID:
    variables = dict(new.variables or {})
    given: list[Any] = [by, str(new.assistant_id), new.phone_number_id, new.phone]
    content = canonical([*given, new.name, variables, period])
    return uuid5(NAMESPACE, f"test call:{sha256(content).hexdigest()}")


def _file_of(new: NewTestCall) -> bytes:
    """Write a contact file with one row, so that its cells are read like any other."""
    variables = dict(_checked_variables(new.variables or {}))
    text = io.StringIO()
    rows = csv.writer(text, quoting=csv.QUOTE_ALL)
    rows.writerow([*OWN_COLUMNS, *variables])
    rows.writerow([new.phone, new.name, *variables.values()])
    return text.getvalue().encode()


def _checked_variables(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if len(variables) > MOST_VARIABLES:
        rule = f"must not be more than {MOST_VARIABLES}"
        raise Invalid(f"The variables {rule}.", variables=rule)
    for name, value in variables.items():
        if not 0 < len(name.strip()) <= LONGEST_VARIABLE_NAME:
            rule = f"must have names of 1 to {LONGEST_VARIABLE_NAME} characters"
            raise Invalid(f"The variables {rule}.", variables=rule)
        if name.strip().lower() in OWN_COLUMNS:
            rule = f"must not include {name.strip()}"
            raise Invalid(f"The variables {rule}.", variables=rule)
        yield name, value
