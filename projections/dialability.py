"""How many contacts of an upload or a campaign may be called, hour by hour.

Most numbers are unrestricted: they are on no list, and were not called so often that a
frequency cap could forbid another call. They are counted by group. Only restricted
numbers are decided one by one.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from application.calls.call_gate import terms_of
from domain.campaigns.campaign_terms import CallingTerms
from domain.gate.decision import Gate, ListFinding, Numbers, Terms
from domain.gate.dialability import UNRESTRICTED, Dialability, Share, dialability
from domain.gate.places import Places
from domain.gate.rules import FrequencyCap, RuleBook
from domain.numbers.suppression_lists import Freshness, ListVersion, findings
from domain.settings import SettingsValues
from projections.contacts.waiting_phones import WaitingPhones, of_campaign, of_upload
from projections.registers import settings_board, suppression_list_board
from projections.registers.number_calls import RestrictedNumber, restricted_numbers
from projections.tables.checkpoint import one_snapshot
from storage.database import Conn

type Findings = tuple[ListFinding, ...] | None


class ListBlocks(Protocol):
    """Looks many numbers up in a version of an imported suppression list."""

    def look_up_many(
        self, version: UUID, numbers: list[str]
    ) -> tuple[set[str], set[str]]:
        """Return the numbers that it contains, and those that cannot be looked up."""


@dataclass(frozen=True, slots=True)
class DialabilityReader:
    """Counts from one snapshot of the read tables.

    `number_id` returns the id of a number's stream. `first_settings` apply until
    settings are stored. `request_limit` is how long a request may last.
    """

    rule_book: Callable[[], RuleBook | None]
    first_settings: SettingsValues
    blocks: ListBlocks
    number_id: Callable[[str], UUID]
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
        waiting: Collection[WaitingPhones],
        terms: CallingTerms,
        now: datetime,
    ) -> Dialability:
        settings = settings_board.get(conn) or self.first_settings
        demands = terms_of(terms, settings, self.rule_book())
        known = self._by_phone(_restricted(conn, demands, now), waiting)
        listed = self._listed(conn, demands, waiting, now)
        numbers = {
            phone: _number(known.get(phone), listed.get(phone, ()))
            for phone in known.keys() | listed.keys()
        }

        def gate_of(places: Places | None) -> Gate:
            return Gate(demands, places, computed_at=now)

        return dialability(
            _shares(waiting, numbers),
            gate_of,
            now,
            ends_at=terms.ends_at,
            request_limit=self.request_limit,
        )

    def _by_phone(
        self, restricted: Iterable[RestrictedNumber], waiting: Iterable[WaitingPhones]
    ) -> dict[str, RestrictedNumber]:
        """Key restricted numbers by E.164; those of erased people are found by id."""
        known: dict[str, RestrictedNumber] = {}
        erased: dict[UUID, RestrictedNumber] = {}
        for one in restricted:
            if one.phone is None:
                erased[one.number_id] = one
            else:
                known[one.phone] = one
        for phone in _phones(waiting) if erased else ():
            if phone not in known:
                found = erased.get(self.number_id(phone))
                if found is not None:
                    known[phone] = found
        return known

    def _listed(
        self,
        conn: Conn,
        terms: Terms,
        waiting: Iterable[WaitingPhones],
        now: datetime,
    ) -> dict[str, Findings]:
        """Return the findings about each number that a list may forbid to call.

        A list that contains the number forbids it, also one that cannot be read and one
        that is stale and covers the number.
        """
        versions = [
            one
            for one in suppression_list_board.versions(conn)
            if one.is_about(terms.purpose)
        ]
        if not versions:
            return {}
        phones = list(_phones(waiting))
        checked = [(one, *self._contained(one, phones)) for one in versions]
        stale = [one for one in versions if _is_stale(one, now)]
        restricted = {
            phone
            for _, contained, unreadable in checked
            for phone in (*contained, *unreadable)
        }
        for version in stale:
            restricted.update(filter(version.covers_number, phones))
        listed: dict[str, Findings] = {}
        for phone in restricted:
            contained = {
                one.version_id: phone in numbers
                for one, numbers, unreadable in checked
                if phone not in unreadable
            }
            found = findings(versions, phone, terms.purpose, contained, now.date())
            listed[phone] = found
        return listed

    def _contained(
        self, version: ListVersion, phones: Iterable[str]
    ) -> tuple[set[str], set[str]]:
        covered = [phone for phone in phones if version.covers_number(phone)]
        return self.blocks.look_up_many(version.version_id, covered)


def _restricted(conn: Conn, terms: Terms, now: datetime) -> list[RestrictedNumber]:
    """Read the numbers that are suppressed or that a frequency cap could restrict."""
    caps: set[FrequencyCap] = set(terms.caps)
    if terms.rule_book is not None:
        caps.update(cap for rule in terms.rule_book.rules for cap in rule.caps)
    longest = max((cap.hours for cap in caps), default=0)
    fewest = min((cap.attempts for cap in caps), default=1)
    since = now - timedelta(hours=longest)
    return restricted_numbers(conn, since=since, fewest=fewest)


def _phones(waiting: Iterable[WaitingPhones]) -> Iterator[str]:
    return (phone for one in waiting for phone in one.phones if phone)


def _is_stale(version: ListVersion, now: datetime) -> bool:
    return version.freshness(now.date()) is Freshness.STALE


def _number(known: RestrictedNumber | None, lists: Findings) -> Numbers:
    if known is None:
        return Numbers(lists=lists)
    return Numbers(tuple(known.attempts), known.is_suppressed, lists)


def _shares(
    waiting: Iterable[WaitingPhones], numbers: Mapping[str, Numbers]
) -> Iterator[Share]:
    for one in waiting:
        kinds = Counter(numbers[phone] for phone in one.phones if phone in numbers)
        kinds[UNRESTRICTED] += len(one.phones) - kinds.total()
        for number, contacts in kinds.items():
            if contacts:
                yield Share(one.group, contacts, number, one.not_before, one.planned)
