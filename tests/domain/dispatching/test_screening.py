"""Candidates whose requests the gate would refuse are no candidates."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from domain.dial_view import Candidate
from domain.dispatching.policy import plan
from domain.dispatching.screening import MOST_HELD, CandidateNumber, screened
from domain.gate.decision import Numbers
from domain.gate.permit import Decision, Granted, Never, Permit, Wait
from domain.outcomes import Withheld
from domain.values import CampaignState, WaitingCode
from tests.domain.dispatching.worlds import NOW, a_snapshot, a_view, the_conditions

GRANTED = Granted(Permit((), (), "", "", (), (), ()))
LATER = Wait(WaitingCode.FREQUENCY_CAP, NOW + timedelta(hours=3))
STALE = Wait(WaitingCode.LIST_STALE)
NEVER = Never(Withheld.SUPPRESSED)
NUMBER = UUID(int=5)

type Decide = Callable[[Candidate, Numbers], Decision]


def known(people: tuple[Candidate, ...]) -> dict[UUID, CandidateNumber]:
    return {one.contact_id: CandidateNumber(NUMBER, Numbers()) for one in people}


def by_turns(people: tuple[Candidate, ...], *decisions: Decision) -> Decide:
    """Give each candidate the next of the decisions, and begin with the first again."""
    places = {one.contact_id: n for n, one in enumerate(people)}
    return lambda one, _: decisions[places[one.contact_id] % len(decisions)]


def test_a_refused_candidate_is_not_claimed_and_waits_for_the_stated_reason() -> None:
    view = a_view(waiting=4)
    people = view.candidates
    decide = by_turns(people, GRANTED, LATER, STALE, NEVER)
    fit = screened(view, known(people), decide)
    assert fit.candidates == people[:1]
    assert [one.decision for one in fit.refused] == [LATER, STALE, NEVER]
    made = plan(a_snapshot(fit), the_conditions())
    assert [one.contact_id for one in made.claims] == [people[0].contact_id]
    [deferred] = made.deferrals
    assert (deferred.contact_id, deferred.wait) == (people[1].contact_id, LATER)
    [verdict] = made.verdicts
    reasons = {one.code: one for one in verdict.reasons}
    assert reasons[WaitingCode.FREQUENCY_CAP].until == LATER.until
    assert reasons[WaitingCode.LIST_STALE].contacts == 1
    assert verdict.placed + sum(one.contacts for one in verdict.reasons) == 4


def test_a_paused_campaign_stores_no_deferral() -> None:
    view = a_view(waiting=1)
    fit = screened(view, known(view.candidates), by_turns(view.candidates, LATER))
    paused = a_view(refused=fit.refused, state=CampaignState.PAUSED, pending=1)
    assert plan(a_snapshot(paused), the_conditions()).deferrals == ()


def test_a_number_that_is_being_called_is_passed_over() -> None:
    view = a_view(waiting=2)
    numbers = known(view.candidates)
    first = view.candidates[0].contact_id
    numbers[first] = CandidateNumber(NUMBER, Numbers(), is_called=True)
    fit = screened(view, numbers, by_turns(view.candidates, GRANTED))
    assert fit.candidates == view.candidates[1:]
    made = plan(a_snapshot(fit), the_conditions())
    assert made.deferrals == ()
    messages = [why.message for one in made.verdicts for why in one.reasons]
    assert messages == ["A call to the same number is under way."]


def test_a_contact_whose_number_is_unknown_remains_a_candidate() -> None:
    view = a_view(waiting=1)
    assert screened(view, {}, by_turns(view.candidates, NEVER)) is view


def test_further_held_contacts_are_claimed_so_that_others_get_their_turn() -> None:
    view = a_view(waiting=MOST_HELD + 2)
    fit = screened(view, known(view.candidates), by_turns(view.candidates, STALE))
    assert len(fit.refused) == MOST_HELD
    assert fit.candidates == view.candidates[-2:]
