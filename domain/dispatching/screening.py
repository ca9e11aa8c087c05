"""Removes candidates whose requests the gate would refuse, before a plan is made.

The plan's groups know nothing of single numbers. Without this, each such contact would
be claimed only to be refused at its request, and would use up the pace of the calls.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from domain.dial_view import CampaignView, Candidate, RefusedCandidate
from domain.gate.decision import Numbers
from domain.gate.permit import Decision, Granted, Never, Wait
from domain.values import WaitingCode

MOST_HELD = 500
"""Candidates of a campaign that are passed over without a known end of the wait.

Further ones are claimed, and deferred at their request, so that those behind them get
their turn.
"""

UNDER_WAY = Wait(WaitingCode.RETRY_LATER)
"""The decision about a number that an open call is calling."""


@dataclass(frozen=True, slots=True)
class CandidateNumber:
    """What is known of a candidate's number.

    `numbers` is without the attempts of the candidate's own call. `is_called`: another
    call to the number is under way.
    """

    number_id: UUID
    numbers: Numbers
    is_called: bool = False


def screened(
    view: CampaignView,
    known: Mapping[UUID, CandidateNumber],
    decide: Callable[[Candidate, Numbers], Decision],
) -> CampaignView:
    """Return the view with its refused candidates apart.

    `known` has the numbers by contact id; a contact without one remains a candidate.
    """
    candidates: list[Candidate] = []
    refused: list[RefusedCandidate] = []
    held = 0
    for candidate in view.candidates:
        number = known.get(candidate.contact_id)
        decision = None if number is None else _refusal(candidate, number, decide)
        is_held = isinstance(decision, Wait) and decision.until is None
        held += is_held
        if number is None or decision is None or (is_held and held > MOST_HELD):
            candidates.append(candidate)
        else:
            refused.append(RefusedCandidate(candidate, decision, number.number_id))
    if not refused:
        return view
    return replace(view, candidates=tuple(candidates), refused=tuple(refused))


def _refusal(
    candidate: Candidate,
    number: CandidateNumber,
    decide: Callable[[Candidate, Numbers], Decision],
) -> Wait | Never | None:
    decision = decide(candidate, number.numbers)
    if not isinstance(decision, Granted):
        return decision
    return UNDER_WAY if number.is_called else None
