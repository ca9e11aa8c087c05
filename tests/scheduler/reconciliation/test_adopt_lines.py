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
from tests.wiring import Clock, Services, phones

SILENT, HEALTHY, THIRD = DEFAULT_PHONE_NUMBER_ID, "line-2", "line-3"
ERROR = "500: try again"


@pytest.fixture
def passes(services: Services) -> Iterator[Passes]:
    made = Passes(services)
    yield made
    made.deps.dispatch.stop()


def campaign_on(services: Services, line: str, people: int = 3, first: int = 0) -> UUID:
    return services.campaign(phones(people, first), phone_number_id=line)


def silence(services: Services, *lines: str) -> None:
    for line in lines:
        services.provider.lines_down[line] = ProviderUnavailable(ERROR)


def missing_call(services: Services, campaign_id: UUID, line: str) -> CallOrder:
    """Show a call at the provider that our log lacks, as after a restore."""
    contact_id = services.candidates(campaign_id)[0].contact_id
    order = an_order(
        call_id=call_id_of(contact_id, 1),
        campaign_id=campaign_id,
        contact_id=contact_id,
        phone_number_id=line,
    )
    services.provider.show(order, f"call on {line}")
    return order


def check(services: Services, passes: Passes) -> None:
    """Compare with the provider, as the leader does before it fills slots."""
    passes.scheduler.check.run(services.settings.values())
    services.settle()


def dialled(services: Services) -> set[UUID]:
    return {order.campaign_id for order in services.provider.orders}


def search(services: Services, adoption: Adoption) -> ClaimingBlocked | None:
    return adoption.run(services.snapshot())


def test_a_line_without_an_answer_holds_back_only_its_own_contacts(
    services: Services, passes: Passes
) -> None:
    held = campaign_on(services, SILENT)
    free = campaign_on(services, HEALTHY, first=10)
    silence(services, SILENT)
    check(services, passes)
    check(services, passes)
    passes.run()
    assert dialled(services) == {free}
    decision = services.process_records.decision(held)
    assert decision is not None
    [reason] = decision.reasons
    assert (reason.code, reason.contacts) == ("PROVIDER_DOWN", 3)
    assert ERROR in reason.message


def test_a_line_that_answers_again_is_searched_before_it_is_used(
    services: Services, passes: Passes
) -> None:
    campaign_id = campaign_on(services, SILENT)
    campaign_on(services, HEALTHY, first=10)
    order = missing_call(services, campaign_id, SILENT)
    silence(services, SILENT)
    check(services, passes)
    passes.run()
    services.provider.lines_down.clear()
    passes.run()
    assert campaign_id not in dialled(services), "it was not searched yet"
    check(services, passes)
    assert services.topics(order.call_id) == ["created", "placed"]
    assert services.board(campaign_id).queued == 1


def test_a_line_that_fails_only_during_the_search_is_not_used(
    services: Services, passes: Passes, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_on(services, SILENT)
    free = campaign_on(services, HEALTHY, first=10)
    silence(services, SILENT)
    search_lines = passes.deps.adoption.run

    def search_then_recover(snapshot: Snapshot) -> ClaimingBlocked | None:
        blocked = search_lines(snapshot)
        services.provider.lines_down.clear()
        return blocked

    monkeypatch.setattr(passes.deps.adoption, "run", search_then_recover)
    check(services, passes)
    passes.run()
    assert dialled(services) == {free}


def test_a_line_that_shows_no_missing_call_is_used_after_its_search(
    services: Services, passes: Passes
) -> None:
    campaign_id = campaign_on(services, SILENT)
    campaign_on(services, HEALTHY, first=10)
    silence(services, SILENT)
    check(services, passes)
    services.provider.lines_down.clear()
    check(services, passes)
    passes.run()
    assert campaign_id in dialled(services)


def test_nothing_is_claimed_if_the_first_lines_give_no_answer(
    services: Services,
) -> None:
    for number, line in enumerate((SILENT, HEALTHY, THIRD)):
        campaign_on(services, line, first=10 * number)
    silence(services, *sorted([SILENT, HEALTHY, THIRD])[:2])
    adoption = Passes(services).deps.adoption
    assert search(services, adoption) == ClaimingBlocked(ERROR)


def test_nothing_is_claimed_if_no_line_can_be_listed(services: Services) -> None:
    campaign_on(services, SILENT)
    campaign_on(services, HEALTHY, first=10)
    silence(services, SILENT)
    services.provider.lines_down[HEALTHY] = ProviderRefused("404: not found")
    assert isinstance(search(services, Passes(services).deps.adoption), ClaimingBlocked)


def test_a_missing_call_found_late_blocks_every_line_for_a_quarantine(
    services: Services, passes: Passes
) -> None:
    campaign_id = campaign_on(services, SILENT)
    campaign_on(services, HEALTHY, first=10)
    missing_call(services, campaign_id, SILENT)
    silence(services, SILENT)
    adoption = passes.deps.adoption
    assert search(services, adoption) is None
    services.provider.lines_down.clear()
    until = services.now() + passes.deps.reconcile.quarantine()
    assert search(services, adoption) == ClaimingBlocked(SEARCHING, until)
    late = missing_call(services, campaign_on(services, THIRD, first=20), THIRD)
    assert search(services, adoption) == ClaimingBlocked(SEARCHING, until)
    assert services.topics(late.call_id) == ["created", "placed"], (
        "all lines are searched"
    )
    assert isinstance(services.now, Clock)
    services.now.pass_(seconds=passes.deps.reconcile.quarantine().total_seconds())
    assert search(services, adoption) is None
    assert not adoption.unsearched


def test_claims_of_this_term_are_not_released_by_a_later_search(
    services: Services, passes: Passes
) -> None:
    campaign_on(services, SILENT)
    campaign_id = campaign_on(services, HEALTHY, first=10)
    silence(services, SILENT)
    adoption = passes.deps.adoption
    search(services, adoption)
    [call_id] = services.claim(campaign_id)
    assert [call.phase for call in services.snapshot().calls] == [Phase.CLAIMED]
    search(services, adoption)
    assert services.topics(call_id) == ["created"]


def test_the_next_leader_searches_an_unsearched_line_from_the_same_time(
    services: Services, passes: Passes
) -> None:
    """Claims on other lines must not move the start of the search."""
    held = campaign_on(services, SILENT)
    free = campaign_on(services, HEALTHY, first=10)
    order = missing_call(services, held, SILENT)
    silence(services, SILENT)
    search(services, passes.deps.adoption)
    assert isinstance(services.now, Clock)
    services.now.pass_(hours=1)
    services.claim(free)
    passes.deps.adoption.end()
    services.provider.lines_down.clear()
    successor = Passes(services).deps.adoption
    search(services, successor)
    assert services.topics(order.call_id) == ["created", "placed"]


def test_a_completed_search_moves_the_start_of_the_next_one(
    services: Services, passes: Passes
) -> None:
    held = campaign_on(services, SILENT)
    free = campaign_on(services, HEALTHY, first=10)
    silence(services, SILENT)
    search(services, passes.deps.adoption)
    services.provider.lines_down.clear()
    search(services, passes.deps.adoption)
    order = missing_call(services, held, SILENT)
    assert isinstance(services.now, Clock)
    services.now.pass_(hours=1)
    services.claim(free)
    search(services, Passes(services).deps.adoption)
    assert services.topics(order.call_id) == []
