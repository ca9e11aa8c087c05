"""Looks the candidates of a snapshot up before a plan is made of them."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from application.calls.group_gates import GroupGates, TermsOfCampaign
from application.contacts.withholding import SuppressedContact
from domain.dial_view import CampaignView, Candidate, Snapshot
from domain.dispatching.screening import screened
from domain.gate.decision import Numbers
from domain.gate.permit import Decision, Never
from domain.gate.rules import CallPurpose
from domain.settings import SettingsValues
from projections.composition import Components
from projections.contacts.candidate_numbers import CandidateNumbers
from projections.tables.checkpoint import one_snapshot
from storage.database import Pool


class Screening:
    """Asks the gate about the number of each candidate.

    Whatever it overlooks is refused at the request, which decides from the log.
    """

    def __init__(
        self,
        pool: Pool,
        numbers: CandidateNumbers,
        gates: GroupGates,
        withhold: Callable[[Sequence[SuppressedContact]], int],
    ) -> None:
        self._pool, self._numbers, self._gates = pool, numbers, gates
        self._withhold = withhold

    def __call__(self, seen: Snapshot, now: datetime) -> Snapshot:
        """Return the snapshot with the refused candidates apart."""
        views = [view for view in seen.campaigns if view.candidates]
        if not views:
            return seen
        with self._pool.connection() as conn, one_snapshot(conn):
            terms = self._numbers.terms(conn, [view.id for view in views])
            candidates: defaultdict[CallPurpose, list[Candidate]] = defaultdict(list)
            for view in views:
                candidates[terms[view.id].terms.purpose] += view.candidates
            known = self._numbers.read(conn, candidates, now)

        def screen(view: CampaignView) -> CampaignView:
            if view.id not in terms:
                return view
            decide = self._decision(view, terms[view.id], seen.settings, now)
            return screened(view, known, decide)

        return replace(seen, campaigns=tuple(map(screen, seen.campaigns)))

    def _decision(
        self,
        view: CampaignView,
        terms: TermsOfCampaign,
        settings: SettingsValues | None,
        now: datetime,
    ) -> Callable[[Candidate, Numbers], Decision]:
        groups = {one.group_id: one.group for one in view.groups}
        ask = partial(self._gates.decide_number, terms, settings)

        def decide(candidate: Candidate, number: Numbers) -> Decision:
            return ask(groups[candidate.group_id], number, now)

        return decide

    def withhold_refused(self, seen: Snapshot) -> int:
        """Withhold the contacts that may never be called; return how many were."""
        never = [
            SuppressedContact(
                one.candidate.contact_id,
                view.id,
                one.number_id,
                _last_attempt(one.candidate),
            )
            for view in seen.campaigns
            for one in view.refused
            if isinstance(one.decision, Never)
        ]
        return self._withhold(never)


def _last_attempt(candidate: Candidate) -> int:
    """Return the number of the contact's last call, which may be deferred."""
    return candidate.attempt if candidate.call_id else candidate.attempt - 1


def screening_of(built: Components) -> Screening:
    """Return the screening with the services of one installation."""
    numbers = CandidateNumbers(built.suppression_blocks, built.numbers.id_of)
    return Screening(
        built.reading, numbers, built.group_gates, built.withholding.withhold
    )
