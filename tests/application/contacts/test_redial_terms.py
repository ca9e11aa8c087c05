"""A redial protects contacts as the earlier campaign did, on Postgres."""

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest

from application.campaigns.campaigns import CampaignChange
from application.contacts.redials import RedialSelection
from domain.campaigns.campaign_terms import CALLED_ONCE, CallingTerms
from domain.gate.decision import CallingHours, HoursRule
from tests.application.contacts.campaign_line import Line
from tests.wiring import BY, Services

CHRISTMAS_EVE, CHRISTMAS_DAY = ((date(2026, 12, day),) for day in (24, 25))


@pytest.fixture
def source(services: Services) -> UUID:
    """A campaign with one finished contact."""
    line = Line(services, CALLED_ONCE)
    line.call(endedReason="customer-busy")
    return line.campaign_id


def redial(services: Services, source: UUID, terms: CallingTerms) -> CallingTerms:
    """Create a redial that states these terms; return those that it has."""
    new = replace(services.new_campaign(uuid4(), name="Again"), terms=terms)
    made = services.redials.create_campaign(
        new, RedialSelection(source), default_cap=8, by=BY
    )
    return services.load_campaign(made.campaign_id).terms


def test_a_redial_requires_consent_and_has_the_hours_of_the_earlier_campaign(
    services: Services, source: UUID
) -> None:
    own = CallingHours(blackout_dates=CHRISTMAS_DAY)
    change = CampaignChange(terms={"require_consent": True, "calling_hours": own})
    services.campaigns.change(source, change, by=BY)
    terms = redial(services, source, CALLED_ONCE)
    assert (terms.require_consent, terms.calling_hours) == (True, own)


def test_a_redial_does_not_take_over_a_waiver(services: Services, source: UUID) -> None:
    waived = CallingHours(rules=HoursRule.ANY, waived_by="root", reason="a test")
    services.campaigns.change(
        source, CampaignChange(terms={"calling_hours": waived}), by=BY
    )
    assert redial(services, source, CALLED_ONCE).calling_hours == CallingHours()


def test_a_redial_has_its_own_hours_if_it_states_them(
    services: Services, source: UUID
) -> None:
    old, new = map(hours_without, (CHRISTMAS_EVE, CHRISTMAS_DAY))
    services.campaigns.change(
        source, CampaignChange(terms={"calling_hours": old}), by=BY
    )
    stated = CallingTerms(calling_hours=new)
    assert redial(services, source, stated).calling_hours == new


def hours_without(days: tuple[date, ...]) -> CallingHours:
    return CallingHours(blackout_dates=days)
