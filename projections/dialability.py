"""How many contacts of an upload or a campaign may be called, hour by hour.

Most numbers are unrestricted: they are on no list, and were not called so often that a
frequency cap could forbid another call. Contacts are counted by group and by what is
known of their number. Numbers are kept in arrays, so that 200,000 take less than one
second.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.calls.call_gate import terms_of
from application.suppression_lists.list_blocks import ListBlocks
from domain.campaigns.campaign_terms import CallingTerms
from domain.gate.decision import Gate
from domain.gate.dialability import Dialability, Share, dialability
from domain.gate.places import Places
from domain.gate.rules import RuleBook
from domain.numbers.suppression_lists import ListVersion
from domain.settings import SettingsValues
from projections.contacts.waiting_numbers import WaitingNumbers, of_campaign, of_upload
from projections.number_kinds import NumberKinds
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
            known = self._known(conn, now)
            return self._count(of_upload(conn, upload_id), terms, known)

    def of_campaign(
        self, conn: Conn, campaign_id: UUID, terms: CallingTerms, now: datetime
    ) -> Dialability:
        """Count the contacts of a campaign that wait for a call."""
        return self.of_campaigns(conn, {campaign_id: terms}, now)[campaign_id]

    def of_campaigns(
        self, conn: Conn, terms: Mapping[UUID, CallingTerms], now: datetime
    ) -> dict[UUID, Dialability]:
        """Count the contacts of several campaigns, by id, with their own terms.

        What is known of all numbers is read once.
        """
        with one_snapshot(conn):
            known = self._known(conn, now)
            return {
                campaign_id: self._count(
                    list(of_campaign(conn, campaign_id)), own, known
                )
                for campaign_id, own in terms.items()
            }

    def _known(self, conn: Conn, now: datetime) -> "_Known":
        settings = settings_board.in_force(conn, self.first_settings)
        rule_book = self.rule_book()
        caps = set(settings.frequency_caps)
        if rule_book is not None:
            caps.update(cap for rule in rule_book.rules for cap in rule.caps)
        return _Known(
            now=now,
            settings=settings,
            rule_book=rule_book,
            suppressed=suppressed_ids(conn),
            called=numbers_at_a_cap(conn, caps, now),
            versions=suppression_list_board.versions(conn),
        )

    def _count(
        self, waiting: Sequence[WaitingNumbers], terms: CallingTerms, known: "_Known"
    ) -> Dialability:
        demands = terms_of(terms, known.settings, known.rule_book)
        kinds = NumberKinds([one.numbers for one in waiting])
        kinds.add_register(known.suppressed, known.called, self.number_ids)
        today = known.now.date()
        kinds.add_lists(known.versions, self.blocks, demands.purpose, today)

        def gate_of(places: Places | None) -> Gate:
            return Gate(demands, places, computed_at=known.now)

        return dialability(
            _shares(waiting, kinds),
            gate_of,
            known.now,
            ends_at=terms.ends_at,
            request_limit=self.request_limit,
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of all numbers at one time, in the same snapshot.

    `suppressed` are ids of numbers, 16 bytes each. `called` has the times of the calls
    to numbers that a cap of the settings or of any rule could restrict.
    """

    now: datetime
    settings: SettingsValues
    rule_book: RuleBook | None
    suppressed: bytes
    called: Mapping[UUID, tuple[datetime, ...]]
    versions: Sequence[ListVersion]


def _shares(waiting: Sequence[WaitingNumbers], kinds: NumberKinds) -> Iterator[Share]:
    start = 0
    for one in waiting:
        end = start + len(one.numbers)
        for kind, contacts in Counter(kinds.codes[start:end].tolist()).items():
            number = kinds.numbers(kind)
            yield Share(one.group, contacts, number, one.not_before, one.planned)
        start = end
