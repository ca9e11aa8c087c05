"""The search for missing calls if some phone lines give no answer."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from application.ports import CallOrder, ProviderRefused, ProviderUnavailable
from domain.dial_view import Phase, Snapshot
from domain.values import call_id_of
from provider.simulator.settings import DEFAULT_PHONE_NUMBER_ID
from scheduler.reconciliation.adopt import SEARCHING, Adoption, ClaimingBlocked
from tests.fakes import an_order
from tests.scheduler.leading import Passes
from tests.wiring import Clock, House, phones

SILENT, HEALTHY, THIRD = DEFAULT_PHONE_NUMBER_ID, "line-2", "line-3"
ERROR = "500: try again"


@pytest.fixture
def passes(house: House) -> Iterator[Passes]:
    made = Passes(house)
    yield made
    made.deps.dispatch.stop()


def campaign_on(house: House, line: str, people: int = 3, first: int = 0) -> UUID:
    return house.campaign(phones(people, first), phone_number_id=line)


def silence(house: House, *lines: str) -> None:
    for line in lines:
        house.provider.lines_down[line] = ProviderUnavailable(ERROR)


def missing_call(house: House, campaign_id: UUID, line: str) -> CallOrder:
    """Show a call at the provider that our log lacks, as after a restore."""
    contact_id = house.candidates(campaign_id)[0].contact_id
    order = an_order(
        call_id=call_id_of(contact_id, 1),
        campaign_id=campaign_id,
        contact_id=contact_id,
        phone_number_id=line,
    )
    house.provider.show(order, f"call on {line}")
    return order


def check(house: House, passes: Passes) -> None:
    """Compare with the provider, as the leader does before it fills slots."""
    passes.scheduler.check.run(house.settings.values())
    house.settle()


def dialled(house: House) -> set[UUID]:
    return {order.campaign_id for order in house.provider.orders}


def search(house: House, adoption: Adoption) -> ClaimingBlocked | None:
    return adoption.run(house.snapshot())


def test_a_line_without_an_answer_holds_back_only_its_own_contacts(
    house: House, passes: Passes
) -> None:
    held = campaign_on(house, SILENT)
    free = campaign_on(house, HEALTHY, first=10)
    silence(house, SILENT)
    check(house, passes)
    check(house, passes)
    passes.run()
    assert dialled(house) == {free}
    decision = house.process_records.decision(held)
    assert decision is not None
    [reason] = decision.reasons
    assert (reason.code, reason.contacts) == ("PROVIDER_DOWN", 3)
    assert ERROR in reason.message


def test_a_line_that_answers_again_is_searched_before_it_is_used(
    house: House, passes: Passes
) -> None:
    campaign_id = campaign_on(house, SILENT)
    campaign_on(house, HEALTHY, first=10)
    order = missing_call(house, campaign_id, SILENT)
    silence(house, SILENT)
    check(house, passes)
    passes.run()
    house.provider.lines_down.clear()
    passes.run()
    assert campaign_id not in dialled(house), "it was not searched yet"
    check(house, passes)
    assert house.topics(order.call_id) == ["created", "placed"]
    assert house.board(campaign_id).queued == 1


def test_a_line_that_fails_only_during_the_search_is_not_used(
    house: House, passes: Passes, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_on(house, SILENT)
    free = campaign_on(house, HEALTHY, first=10)
    silence(house, SILENT)
    search_lines = passes.deps.adoption.run

    def search_then_recover(snapshot: Snapshot) -> ClaimingBlocked | None:
        blocked = search_lines(snapshot)
        house.provider.lines_down.clear()
        return blocked

    monkeypatch.setattr(passes.deps.adoption, "run", search_then_recover)
    check(house, passes)
    passes.run()
    assert dialled(house) == {free}


def test_a_line_that_shows_no_missing_call_is_used_after_its_search(
    house: House, passes: Passes
) -> None:
    campaign_id = campaign_on(house, SILENT)
    campaign_on(house, HEALTHY, first=10)
    silence(house, SILENT)
    check(house, passes)
    house.provider.lines_down.clear()
    check(house, passes)
    passes.run()
    assert campaign_id in dialled(house)


def test_nothing_is_claimed_if_the_first_lines_give_no_answer(house: House) -> None:
    for number, line in enumerate((SILENT, HEALTHY, THIRD)):
        campaign_on(house, line, first=10 * number)
    silence(house, *sorted([SILENT, HEALTHY, THIRD])[:2])
    adoption = Passes(house).deps.adoption
    assert search(house, adoption) == ClaimingBlocked(ERROR)


def test_nothing_is_claimed_if_no_line_can_be_listed(house: House) -> None:
    campaign_on(house, SILENT)
    campaign_on(house, HEALTHY, first=10)
    silence(house, SILENT)
    house.provider.lines_down[HEALTHY] = ProviderRefused("404: not found")
    assert isinstance(search(house, Passes(house).deps.adoption), ClaimingBlocked)


def test_a_missing_call_found_late_blocks_every_line_for_a_quarantine(
    house: House, passes: Passes
) -> None:
    campaign_id = campaign_on(house, SILENT)
    campaign_on(house, HEALTHY, first=10)
    missing_call(house, campaign_id, SILENT)
    silence(house, SILENT)
    adoption = passes.deps.adoption
    assert search(house, adoption) is None
    house.provider.lines_down.clear()
    until = house.now() + passes.deps.reconcile.quarantine()
    assert search(house, adoption) == ClaimingBlocked(SEARCHING, until)
    late = missing_call(house, campaign_on(house, THIRD, first=20), THIRD)
    assert search(house, adoption) == ClaimingBlocked(SEARCHING, until)
    assert house.topics(late.call_id) == ["created", "placed"], "all lines are searched"
    assert isinstance(house.now, Clock)
    house.now.pass_(seconds=passes.deps.reconcile.quarantine().total_seconds())
    assert search(house, adoption) is None
    assert not adoption.unsearched


def test_claims_of_this_term_are_not_released_by_a_later_search(
    house: House, passes: Passes
) -> None:
    campaign_on(house, SILENT)
    campaign_id = campaign_on(house, HEALTHY, first=10)
    silence(house, SILENT)
    adoption = passes.deps.adoption
    search(house, adoption)
    [call_id] = house.claim(campaign_id)
    assert [call.phase for call in house.snapshot().calls] == [Phase.CLAIMED]
    search(house, adoption)
    assert house.topics(call_id) == ["created"]


def test_the_next_leader_searches_an_unsearched_line_from_the_same_time(
    house: House, passes: Passes
) -> None:
    """Claims on other lines must not move the start of the search."""
    held = campaign_on(house, SILENT)
    free = campaign_on(house, HEALTHY, first=10)
    order = missing_call(house, held, SILENT)
    silence(house, SILENT)
    search(house, passes.deps.adoption)
    assert isinstance(house.now, Clock)
    house.now.pass_(hours=1)
    house.claim(free)
    passes.deps.adoption.end()
    house.provider.lines_down.clear()
    successor = Passes(house).deps.adoption
    search(house, successor)
    assert house.topics(order.call_id) == ["created", "placed"]


def test_a_completed_search_moves_the_start_of_the_next_one(
    house: House, passes: Passes
) -> None:
    held = campaign_on(house, SILENT)
    free = campaign_on(house, HEALTHY, first=10)
    silence(house, SILENT)
    search(house, passes.deps.adoption)
    house.provider.lines_down.clear()
    search(house, passes.deps.adoption)
    order = missing_call(house, held, SILENT)
    assert isinstance(house.now, Clock)
    house.now.pass_(hours=1)
    house.claim(free)
    search(house, Passes(house).deps.adoption)
    assert house.topics(order.call_id) == []
