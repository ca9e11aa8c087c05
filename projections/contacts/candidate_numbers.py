"""What the read tables know of the numbers of candidates, in four short queries."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from application.calls.group_gates import TermsOfCampaign
from application.suppression_lists.list_blocks import ListBlocks
from domain.dial_view import LIVE_PHASES, Candidate
from domain.dispatching.screening import CandidateNumber
from domain.gate.decision import Numbers
from domain.gate.rules import CallPurpose
from domain.numbers.suppression_lists import ListVersion, findings
from domain.settings import LONGEST_WINDOW
from domain.values import call_id_of
from projections.campaigns.campaign_terms import terms_of
from projections.registers.suppression_list_board import versions
from projections.tables.state_sql import literals
from storage.database import Conn

_TERMS: LiteralString = """
    select id, terms_version, terms from campaign_board where id = any(%(campaigns)s)
"""
_PHONES: LiteralString = """
    select v.contact_id, v.phone
    from unnest(%(contacts)s::uuid[], %(lists)s::uuid[]) as c (contact_id, list_id)
    join contact_vault v using (contact_id, list_id)
    where v.salt is not null and v.phone is not null
"""
_CALLS: LiteralString = f"""
    select n.number_id, n.call_id, n.requested_at,
        coalesce(q.phase in {literals(LIVE_PHASES)}, false) as is_open
    from number_call n left join dial_queue q using (call_id)
    where n.number_id = any(%(numbers)s) and n.requested_at > %(since)s
    order by n.requested_at
"""  # noqa: S608 - our own text
_SUPPRESSED: LiteralString = """
    select id from suppression_board where id = any(%(numbers)s)
"""


@dataclass(frozen=True, slots=True)
class _Call:
    call_id: UUID
    requested_at: datetime
    is_open: bool


@dataclass(frozen=True, slots=True)
class CandidateNumbers:
    """Looks the numbers of candidates up in the register, the lists and earlier calls.

    `number_id` returns the id of a number's stream.
    """

    blocks: ListBlocks
    number_id: Callable[[str], UUID]

    def terms(
        self, conn: Conn, campaigns: Collection[UUID]
    ) -> dict[UUID, TermsOfCampaign]:
        """Read the terms of campaigns."""
        rows = conn.execute(_TERMS, {"campaigns": list(campaigns)})
        return {
            id_: TermsOfCampaign(id_, version, terms_of(stored))
            for id_, version, stored in rows
        }

    def read(
        self,
        conn: Conn,
        candidates: Mapping[CallPurpose, Iterable[Candidate]],
        now: datetime,
    ) -> dict[UUID, CandidateNumber]:
        """Return what is known of the numbers, by contact id.

        The candidates are given by the purpose of their campaign, on which it depends
        which lists restrict them. A contact whose number is unknown is left out.
        """
        every = [one for own in candidates.values() for one in own]
        phones = _phones(conn, every)
        ids = {phone: self.number_id(phone) for phone in set(phones.values())}
        values = {"numbers": list(ids.values()), "since": now - LONGEST_WINDOW}
        calls: defaultdict[UUID, list[_Call]] = defaultdict(list)
        for number_id, *call in conn.execute(_CALLS, values):
            calls[number_id].append(_Call(*call))
        suppressed = {row[0] for row in conn.execute(_SUPPRESSED, values)}
        active = versions(conn)
        contained = self._contained(active, ids)
        known: dict[UUID, CandidateNumber] = {}
        for purpose, own in candidates.items():
            for one in own:
                phone = phones.get(one.contact_id)
                if phone is None:
                    continue
                number_id = ids[phone]
                call_id = call_id_of(one.contact_id, one.attempt)
                others = [c for c in calls[number_id] if c.call_id != call_id]
                holding = contained(phone)
                lists = findings(active, phone, purpose, holding, now.date())
                known[one.contact_id] = CandidateNumber(
                    number_id,
                    Numbers(
                        tuple(call.requested_at for call in others),
                        number_id in suppressed,
                        lists,
                    ),
                    is_called=any(call.is_open for call in others),
                )
        return known

    def _contained(
        self, active: Iterable[ListVersion], phones: Iterable[str]
    ) -> Callable[[str], dict[UUID, bool]]:
        """Return which versions contain a number, without those not readable for it."""
        looked_up = {}
        for version in active:
            covered = [phone for phone in phones if version.covers_number(phone)]
            found = self.blocks.look_up_many(version.version_id, covered)
            looked_up[version.version_id] = found

        def contained(phone: str) -> dict[UUID, bool]:
            return {
                id_: phone in numbers
                for id_, (numbers, unreadable) in looked_up.items()
                if phone not in unreadable
            }

        return contained


def _phones(conn: Conn, candidates: Iterable[Candidate]) -> dict[UUID, str]:
    rows = list(candidates)
    values = {
        "contacts": [one.contact_id for one in rows],
        "lists": [one.list_id for one in rows],
    }
    return dict(conn.execute(_PHONES, values))
