"""The plan makes no claim that the check before the request would refuse."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from application.calls.call_service import CallService
from application.suppression_lists.service import ListTerms
from domain.gate.rules import FrequencyCap
from domain.numbers.number import SuppressionSource
from domain.values import ContactStatus, WaitingCode
from projections.contacts import contact_log
from projections.contacts.contact_row import ContactRow
from scheduler.screening import screening_of
from tests.application.contacts.erasing import erase
from tests.scheduler.leading import Leading, Passes
from tests.support import eventually
from tests.wiring import BY, NOON, Clock, Services, phones

ONCE_A_DAY = (FrequencyCap(1, 24),)
CALLED, OTHERS = phones(30, first=100), phones(2, first=200)


@dataclass
class Counted:
    """A scheduler of one call a second; `refused` are the requests not granted."""

    passes: Passes
    services: Services
    refused: list[UUID] = field(default_factory=list)

    def fill(self) -> None:
        """Fill once, as a tick does."""
        seen = self.services.snapshot()
        filler = self.passes.scheduler.filler
        filler.begin_tick()
        filler.fill(Leading(), seen, checked=True)  # type: ignore[arg-type]  # all it needs
        dispatch = self.passes.deps.dispatch
        eventually(lambda: not dispatch._under_way, what="settled calls")
        self.services.settle()

    @property
    def orders(self) -> set[str]:
        return {order.phone for order in self.services.provider.orders}


@pytest.fixture
def counted(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    screening = screening_of(services)
    passes = Passes(
        services, screen=screening, withhold_refused=screening.withhold_refused
    )
    passes.deps.pace.set_full(1.0)
    services.set(global_cap=100)  # Calls of a canceled campaign may still be live.
    found = Counted(passes, services)
    request = CallService.request

    def count(calls: CallService, call_id: UUID, **how: Any) -> Any:
        permission = request(calls, call_id, **how)
        if permission is None:
            found.refused.append(call_id)
        return permission

    monkeypatch.setattr(CallService, "request", count)
    yield found
    passes.deps.dispatch.stop()


def request(services: Services, call_id: UUID) -> None:
    soon = services.now() + timedelta(seconds=5)
    assert services.calls.request(call_id, dial_before=soon)


def call(services: Services, numbers: Sequence[str]) -> None:
    """Call these numbers once, in a campaign that is canceled afterwards."""
    campaign_id = services.campaign(numbers)
    for call_id in services.claim(campaign_id, len(numbers)):
        request(services, call_id)
        services.calls.place(
            call_id, provider_call_id=str(call_id), placed_at=services.now()
        )
        services.calls.time_out(call_id, reason="test")
    services.campaigns.cancel(campaign_id, hang_up=False, by=BY)
    services.settle()


def rows(services: Services, campaign_id: UUID) -> tuple[ContactRow, ...]:
    with services.reading.connection() as conn:
        return contact_log.page(conn, campaign_id, first=100).nodes


def test_numbers_called_as_often_as_allowed_cost_no_refused_claim_and_no_pace(
    counted: Counted,
) -> None:
    services = counted.services
    services.set(frequency_caps=ONCE_A_DAY)
    call(services, CALLED)
    campaign_id = services.campaign((*CALLED, *OTHERS))
    counted.fill()
    assert counted.refused == []
    assert counted.orders == set(OTHERS), "the pace allows two calls"
    deferred = [row for row in rows(services, campaign_id) if row.phone in CALLED]
    assert {row.status for row in deferred} == {ContactStatus.PENDING}
    day = timedelta(days=1)
    assert {(row.deferred_code, row.deferred_until) for row in deferred} == {
        (WaitingCode.FREQUENCY_CAP, NOON + day)
    }
    counted.fill()
    assert counted.refused == []


def test_a_deferred_number_is_called_when_the_cap_allows_it(counted: Counted) -> None:
    services = counted.services
    services.set(frequency_caps=ONCE_A_DAY)
    call(services, CALLED[:1])
    services.campaign(CALLED[:1])
    counted.fill()
    assert counted.orders == set()
    assert isinstance(services.now, Clock)
    services.now.pass_(seconds=timedelta(days=1).total_seconds())
    counted.fill()
    assert (counted.orders, counted.refused) == (set(CALLED[:1]), [])


def test_listed_and_suppressed_numbers_are_withheld_without_a_claim(
    counted: Counted,
) -> None:
    services = counted.services
    listed, erased = CALLED[:20], CALLED[20]
    services.campaign((erased,), start=False)
    person = SuppressionSource.PERSON
    services.numbers.suppress(erased, source=person, reason=None, by=BY)
    erase(services, erased)
    terms = ListTerms("Registry", as_of=date(2026, 3, 1))
    services.suppression_lists.receive(terms, ["\n".join(listed).encode()], by=BY)
    campaign_id = services.campaign((*listed, erased, *OTHERS))
    claims = services.snapshot().claims_seen
    counted.fill()
    assert counted.refused == []
    assert counted.orders == set(OTHERS)
    assert services.snapshot().claims_seen == claims + 1
    withheld = {row.phone for row in rows(services, campaign_id) if row.withheld}
    assert withheld == {*listed, erased}


def test_a_number_is_not_called_by_two_campaigns_at_the_same_time(
    counted: Counted,
) -> None:
    services = counted.services
    [talking] = services.claim(services.campaign(CALLED[:1]))
    request(services, talking)
    services.campaign((*CALLED[:1], *OTHERS))
    counted.fill()
    assert counted.orders == set(OTHERS)
    services.calls.place(talking, provider_call_id="p1", placed_at=services.now())
    services.calls.time_out(talking, reason="test")
    counted.fill()
    assert counted.orders == {CALLED[0], *OTHERS}


def test_held_numbers_are_called_as_soon_as_their_list_can_be_read(
    counted: Counted,
) -> None:
    services = counted.services
    terms = ListTerms("Registry", as_of=date(2026, 3, 1))
    services.suppression_lists.receive(terms, [CALLED[0].encode()], by=BY)
    with services.writing.connection() as conn:
        conn.execute("delete from suppression_block")
    services.campaign(CALLED[1:2])
    counted.fill()
    assert (counted.orders, counted.refused) == (set(), [])
    services.suppression_lists.receive(terms, [CALLED[0].encode()], by=BY)
    counted.fill()
    assert counted.orders == set(CALLED[1:2])
