"""How many contacts may be called now, later or never, before and during a campaign."""

from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry

from domain.campaigns.campaign_terms import CallingTerms, check_calling_terms
from domain.errors import Invalid
from domain.gate import dialability as counted
from domain.gate.decision import LAWFUL_HOURS
from domain.gate.rules import CallPurpose
from domain.values import uuid_or_none
from interfaces.graphql.context import Context, Info
from interfaces.graphql.errors import bad_request
from interfaces.graphql.permissions import EVERYBODY, OPERATORS, must_be, query
from interfaces.graphql.types.campaigns.calling_hours import CallingHoursInput
from interfaces.graphql.types.contacts.imports import unused_upload
from interfaces.graphql.types.enums import WaitingCode, Withheld


@strawberry.type
class DialableLater:
    """Contacts that wait for one reason."""

    code: WaitingCode
    contacts: int
    begins: datetime | None = strawberry.field(
        name="from",
        description="When the first of them may be called; null if no time is known.",
    )


@strawberry.type
class NeverDialable:
    """Contacts that are withheld for one reason."""

    reason: Withheld
    contacts: int


@strawberry.type
class DialableHour:
    """Contacts that may be called at some time within the hour from `from` on."""

    begins: datetime = strawberry.field(name="from")
    contacts: int


@strawberry.type
class PlaceSourceCount:
    """Contacts whose places were determined in one way."""

    source: str = strawberry.field(
        description="COLUMN, POSTAL_CODE, SUBDIVISION or NUMBER."
    )
    contacts: int


@strawberry.type(
    description="Counts of contacts; now, later and never together are all of them."
    " They are exact if nobody is called meanwhile and no rule, list or setting"
    " changes."
)
class Dialability:
    """The counts at one instant."""

    at: datetime = strawberry.field()
    contacts: int = strawberry.field(
        description="Rows of the upload, or contacts of the campaign that wait."
    )
    now: int = strawberry.field(
        description="Contacts that may be called at this moment."
    )
    later: list[DialableLater] = strawberry.field(
        description="Contacts that may be called later, by reason."
    )
    never: list[NeverDialable]
    hours: list[DialableHour] = strawberry.field(
        description="Contacts that may be called in each of the next 72 hours."
    )
    place_sources: list[PlaceSourceCount] = strawberry.field(
        description="How the contacts' places were determined."
    )

    @classmethod
    def of(cls, found: counted.Dialability) -> Self:
        """Build it from the domain's counts; reasons are in alphabetical order."""
        return cls(
            at=found.at,
            contacts=found.contacts,
            now=found.now,
            later=[
                DialableLater(code=code, contacts=one.contacts, begins=one.begins)
                for code, one in sorted(found.later.items())
            ],
            never=[
                NeverDialable(reason=reason, contacts=contacts)
                for reason, contacts in sorted(found.never.items())
            ],
            hours=[
                DialableHour(begins=found.at + n * counted.HOUR, contacts=contacts)
                for n, contacts in enumerate(found.hours)
            ],
            place_sources=[
                PlaceSourceCount(source=str(source), contacts=contacts)
                for source, contacts in sorted(found.sources.items())
            ],
        )


async def dialability_of(context: Context, campaign_id: UUID) -> Dialability | None:
    """Count the contacts of a campaign that wait; None if there is no such campaign."""
    found = await context.loaders.dialability.load(campaign_id)
    return Dialability.of(found) if found else None


@strawberry.type
class DialabilityQueries:
    """Queries of how many contacts may be called."""

    @query(
        EVERYBODY,
        "How many contacts may be called now, later, or never. Pass either an upload"
        " (with the planned campaign's settings; for operators and admins) or a"
        " campaign.",
    )
    async def dialability(  # noqa: PLR0917 - the contract's arguments
        self,
        info: Info,
        upload_id: strawberry.ID | None = None,
        campaign_id: strawberry.ID | None = None,
        purpose: CallPurpose | None = None,
        calling_hours: CallingHoursInput | None = None,
        require_consent: bool | None = None,  # noqa: FBT001 - a GraphQL argument
    ) -> Dialability:
        """Return the counts; BAD_REQUEST unless exactly one of both is named."""
        given = (purpose, calling_hours, require_consent)
        if campaign_id is not None and upload_id is None:
            if given != (None, None, None):
                raise bad_request(
                    "purpose, callingHours and requireConsent are for an upload; a"
                    " campaign has its own."
                )
            return await _of_campaign(info.context, campaign_id)
        if upload_id is None or campaign_id is not None:
            raise bad_request("Pass either uploadId or campaignId.")
        must_be(OPERATORS, info)
        hours = calling_hours.to_hours(info.context.viewer) if calling_hours else None
        terms = CallingTerms(
            purpose=purpose or CallPurpose.TELEMARKETING,
            calling_hours=hours or LAWFUL_HOURS,
            require_consent=bool(require_consent),
        )
        return await _of_upload(info.context, upload_id, terms)


async def _of_campaign(context: Context, campaign_id: strawberry.ID) -> Dialability:
    id_ = uuid_or_none(campaign_id)
    found = await dialability_of(context, id_) if id_ else None
    if found is None:
        raise bad_request("There is no such campaign.")
    return found


async def _of_upload(
    context: Context, upload_id: strawberry.ID, terms: CallingTerms
) -> Dialability:
    backend, id_ = context.backend, uuid_or_none(upload_id)
    if id_ is None or await unused_upload(context, id_) is None:
        raise bad_request("There is no such upload, or it has expired.")
    reader, now = backend.services.dialability, backend.services.now()
    try:
        check_calling_terms(terms, now)
    except Invalid as error:
        raise bad_request(str(error)) from error
    found = await backend.read(reader.of_upload, id_, terms, now)
    return Dialability.of(found)
