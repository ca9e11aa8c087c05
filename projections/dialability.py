"""How many contacts of an upload or a campaign may be called, hour by hour.

Most numbers are unrestricted: they are on no list, and were not called so often that a
frequency cap could forbid another call. Contacts are counted by group and by what is
known of their number. Numbers are kept in arrays, so that 200,000 take less than one
second.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.calls.call_gate import terms_of
from domain.campaigns.campaign_terms import CallingTerms
from domain.gate.decision import Gate, Terms
from domain.gate.dialability import Dialability, Share, dialability
from domain.gate.places import Places
from domain.gate.rules import FrequencyCap, RuleBook
from domain.settings import SettingsValues
from projections.contacts.waiting_numbers import WaitingNumbers, of_campaign, of_upload
from projections.number_kinds import ListBlocks, NumberKinds
from projections.registers import settings_board, suppression_list_board
from projections.registers.number_calls import numbers_at_a_cap
from projections.registers.suppression_board import suppressed_ids
from projections.tables.checkpoint import one_snapshot
from storage.database import Conn


@dataclass(frozen=True, slots=True)
class DialabilityReader:
    """Counts from one snapshot of the read tables.

    `number_ids` returns the ids of the streams of E.164 numbers, 16 bytes each.
    `first_settings` apply until settings are stored. `request_limit` is how long a
    request may last.
    """

    rule_book: Callable[[], RuleBook | None]
    first_settings: SettingsValues
    blocks: ListBlocks
    number_ids: Callable[[Iterable[str]], bytes]
    request_limit: timedelta

    def of_upload(
        self, conn: Conn, upload_id: UUID, terms: CallingTerms, now: datetime
    ) -> Dialability:
        """Count the accepted rows of an upload for a campaign with these terms."""
        with one_snapshot(conn):
            return self._count(conn, of_upload(conn, upload_id), terms, now)

    def of_campaign(
        self, conn: Conn, campaign_id: UUID, terms: CallingTerms, now: datetime
    ) -> Dialability:
        """Count the contacts of a campaign that wait for a call."""
        with one_snapshot(conn):
            waiting = list(of_campaign(conn, campaign_id))
            return self._count(conn, waiting, terms, now)

    def _count(
        self,
        conn: Conn,
        waiting: Sequence[WaitingNumbers],
        terms: CallingTerms,
        now: datetime,
    ) -> Dialability:
        settings = settings_board.get(conn) or self.first_settings
        demands = terms_of(terms, settings, self.rule_book())
        kinds = NumberKinds([one.numbers for one in waiting])
        kinds.add_register(
            suppressed_ids(conn),
            numbers_at_a_cap(conn, _caps(demands), now),
            self.number_ids,
        )
        versions = suppression_list_board.versions(conn)
        kinds.add_lists(versions, self.blocks, demands.purpose, now.date())

        def gate_of(places: Places | None) -> Gate:
            return Gate(demands, places, computed_at=now)

        return dialability(
            _shares(waiting, kinds),
            gate_of,
            now,
            ends_at=terms.ends_at,
            request_limit=self.request_limit,
        )


def _caps(terms: Terms) -> set[FrequencyCap]:
    """Return the caps of the settings and of all rules, whatever their places."""
    caps: set[FrequencyCap] = set(terms.caps)
    if terms.rule_book is not None:
        caps.update(cap for rule in terms.rule_book.rules for cap in rule.caps)
    return caps


def _shares(waiting: Sequence[WaitingNumbers], kinds: NumberKinds) -> Iterator[Share]:
    start = 0
    for one in waiting:
        end = start + len(one.numbers)
        for kind, contacts in Counter(kinds.codes[start:end].tolist()).items():
            number = kinds.numbers(kind)
            yield Share(one.group, contacts, number, one.not_before, one.planned)
        start = end
