"""The dialability of a campaign, compared with decisions about each of its contacts."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from application.calls.call_gate import terms_of
from application.calls.called_numbers import newest_number
from application.contacts.files.contact_groups import group_of
from application.suppression_lists.service import ListTerms
from domain.calls.deferrals import DeferralReason
from domain.gate.decision import Gate, Numbers
from domain.gate.dialability import HOUR, Dialability, Later
from domain.gate.permit import Granted, Never
from domain.gate.rules import FrequencyCap
from domain.numbers.number import SuppressionSource, number_id_of
from domain.outcomes import Withheld
from domain.settings import RulesMode
from domain.values import WaitingCode
from tests.application.contacts.erasing import erase
from tests.wiring import BY, Clock, Services

AFTERNOON = datetime(2026, 3, 2, 19, 5, tzinfo=UTC)
"""14:05 in New York, a Monday."""

PEOPLE = [f"+1{area}555014{n}" for area in (212, 213, 808) for n in range(6)]
SUPPRESSED, ERASED, CALLED, RELEASED, LISTED = PEOPLE[:5]
TWICE_A_DAY = (FrequencyCap(2, 24),)


@pytest.fixture
def prepared(services: Services) -> Services:
    """Enforce the shipped rules, at 14:05 in New York."""
    enforced = {"calling_rules": RulesMode.ENFORCED, "frequency_caps": TWICE_A_DAY}
    services.settings.amend(enforced, by=BY)
    assert isinstance(services.now, Clock)
    services.now.time = AFTERNOON
    services.settle()
    return services


def dialability(services: Services, campaign_id: UUID) -> Dialability:
    row = services.board(campaign_id)
    with services.reading.connection() as conn:
        return services.dialability.of_campaign(
            conn, campaign_id, row.calling_terms, services.now()
        )


def suppress(services: Services, phone: str) -> None:
    services.numbers.suppress(
        phone, source=SuppressionSource.PERSON, reason=None, by=BY
    )


def call(services: Services, phone: str) -> UUID:
    """Request a call to a number in a campaign of its own."""
    [call_id] = services.claim(services.campaign((phone,)))
    soon = services.now() + timedelta(seconds=5)
    assert services.calls.request(call_id, dial_before=soon)
    return call_id


def number_of(services: Services, phone: str) -> Numbers:
    """Return what the stream of a number says, not the read tables."""
    number_id = number_id_of(services.installation_key.of_number(phone))
    number = newest_number(services.app, number_id, AFTERNOON)
    return Numbers(tuple(number.requested.values()), number.is_suppressed)


def test_the_counts_are_those_of_decisions_about_each_contact(
    prepared: Services,
) -> None:
    suppress(prepared, SUPPRESSED)
    prepared.campaign((ERASED,))
    suppress(prepared, ERASED)
    erase(prepared, ERASED)
    for _ in range(2):
        call(prepared, CALLED)
    call(prepared, RELEASED)
    prepared.calls.defer(
        call(prepared, RELEASED), reason=DeferralReason.NEVER_LEFT, until=AFTERNOON
    )
    campaign_id = prepared.campaign(PEOPLE)
    found = dialability(prepared, campaign_id)
    demands = terms_of(
        prepared.board(campaign_id).calling_terms,
        prepared.settings.values(),
        prepared.rule_book.current(),
    )
    now, never, hours = 0, Counter[Withheld](), [0] * 72
    for phone in PEOPLE:
        gate = Gate(demands, group_of(phone, None).places, computed_at=AFTERNOON)
        number = number_of(prepared, phone)
        first = gate.decide(number, has_consent=False, now=AFTERNOON)
        now += isinstance(first, Granted)
        if isinstance(first, Never):
            never[first.reason] += 1
        for hour in range(72):
            minutes = (AFTERNOON + timedelta(minutes=m) for m in range(60))
            decisions = (
                gate.decide(number, has_consent=False, now=at + hour * HOUR)
                for at in minutes
            )
            hours[hour] += any(isinstance(one, Granted) for one in decisions)
    assert (found.contacts, found.now) == (len(PEOPLE), now)
    assert found.never == never == {Withheld.SUPPRESSED: 2}
    assert list(found.hours) == hours
    free = AFTERNOON + timedelta(hours=24)
    assert found.later[WaitingCode.FREQUENCY_CAP] == Later(1, free)


def receive(services: Services, as_of: date) -> None:
    terms = ListTerms("Registry", as_of, max_age_days=31, covers=("+1212",))
    services.suppression_lists.receive(terms, [f"{LISTED}\n".encode()], by=BY)


def test_a_list_withholds_its_numbers_and_holds_all_it_covers_once_it_is_stale(
    prepared: Services,
) -> None:
    campaign_id = prepared.campaign(PEOPLE)
    receive(prepared, date(2026, 3, 1))
    assert dialability(prepared, campaign_id).never == {Withheld.SUPPRESSED: 1}
    receive(prepared, date(2026, 1, 1))
    found = dialability(prepared, campaign_id)
    assert (dict(found.never), found.later[WaitingCode.LIST_STALE]) == (
        {},
        Later(6, None),
    )


def test_nobody_whom_an_unreadable_list_covers_may_be_called(
    prepared: Services,
) -> None:
    campaign_id = prepared.campaign(PEOPLE)
    receive(prepared, date(2026, 3, 1))
    with prepared.writing.connection() as conn:
        conn.execute("delete from suppression_block")
    found = dialability(prepared, campaign_id)
    assert found.later[WaitingCode.RULES_UNAVAILABLE] == Later(6, None)


def test_a_campaign_that_is_over_has_nobody_to_call(prepared: Services) -> None:
    campaign_id = prepared.campaign(PEOPLE)
    prepared.campaigns.cancel(campaign_id, hang_up=False, by=BY)
    assert dialability(prepared, campaign_id).contacts == 0
