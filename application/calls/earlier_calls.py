"""Counts the calls of earlier releases in the streams of their numbers, once.

Releases without frequency caps stored requests without counting them. Before the first
request after an upgrade, the requests within the longest window of a cap are counted.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import batched
from typing import Protocol
from uuid import UUID

from application.app import Streams, decide
from application.event_context import SCHEDULER, EventContext
from application.installation_key import InstallationKey
from application.ports import ContactLookup
from domain.calls.call import Call
from domain.gate.rules import RuleBook
from domain.numbers.installation import INSTALLATION_ID, Installation
from domain.numbers.number import Number, number_id_of
from domain.settings import RulesMode, SettingsValues

BATCH = 500
"""Calls that are counted in one append."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EarlierRequest:
    """The last request of a call, which may have been counted already."""

    call_id: UUID
    requested_at: datetime


class EarlierRequests(Protocol):
    """Reads the requests of all releases from the read model."""

    def requested_since(self, instant: datetime) -> Sequence[EarlierRequest]:
        """Return each call that was requested from that instant on, oldest first."""

    def running(self) -> Sequence[UUID]:
        """Return the campaigns that are started and neither paused nor finished."""


class EarlierCalls:
    """Counts earlier calls; it may be interrupted at any point and run again."""

    def __init__(
        self,
        app: Streams,
        context: EventContext,
        *,
        key: InstallationKey,
        requests: EarlierRequests,
        contact_lookup: ContactLookup,
        rule_book: Callable[[], RuleBook | None],
        settings: Callable[[], SettingsValues],
    ) -> None:
        self._app, self._context, self._key = app, context, key
        self._requests, self._contact_lookup = requests, contact_lookup
        self._rule_book, self._settings = rule_book, settings

    def are_counted(self) -> bool:
        """Return whether the log shows that this is done."""
        installation = self._app.find(Installation, INSTALLATION_ID)
        return installation is not None and installation.counts_earlier_calls

    def count(self) -> int:
        """Count the calls, and record the campaigns that obey the rules from now on.

        The read model must include all calls that earlier releases requested. Returns
        how many calls were counted, 0 if that was done before. Raises KeyUnusable.
        """
        if self.are_counted():
            return 0
        since = self._context.now() - self._longest_window()
        counted = 0
        for batch in batched(self._requests.requested_since(since), BATCH):
            counted += decide(partial(self._count, batch))
        enforced = self._settings().calling_rules is RulesMode.ENFORCED
        campaigns = self._requests.running() if enforced else ()
        decide(lambda: self._finish(counted, campaigns))
        log.info("%s calls of earlier releases count for frequency caps", counted)
        return counted

    def _longest_window(self) -> timedelta:
        book = self._rule_book()
        ruled = (cap for rule in book.rules for cap in rule.caps) if book else ()
        caps = (*self._settings().frequency_caps, *ruled)
        return timedelta(hours=max((cap.hours for cap in caps), default=0))

    def _count(self, batch: Collection[EarlierRequest]) -> int:
        calls = self._app.find_all([one.call_id for one in batch])
        wanted = [
            (one, number_id)
            for one in batch
            for number_id in self._number_of(calls[one.call_id])
        ]
        found = self._app.find_all({number_id for _, number_id in wanted})
        numbers: dict[UUID, Number] = {}
        for one, number_id in wanted:
            known, at = found[number_id], one.requested_at
            if number_id not in numbers:
                if not isinstance(known, Number):
                    known = Number.unrecorded(number_id, at)
                numbers[number_id] = known
            numbers[number_id].request(one.call_id, at=at, by=SCHEDULER)
        self._app.append(*numbers.values())
        return len(wanted)

    def _number_of(self, call: object) -> Iterator[UUID]:
        """Yield the number that a call counts for, if it may have rung a phone."""
        if not isinstance(call, Call) or call.number_key is not None:
            return
        reached = call.provider_call_id is not None or call.unknowns > 0
        person = self._contact_lookup.contact(call.contact_id)
        if person is not None and (reached or call.request_open):
            yield number_id_of(self._key.of_number(person.phone))

    def _finish(self, counted: int, campaigns: Sequence[UUID]) -> None:
        installation = self._app.load(Installation, INSTALLATION_ID)
        installation.record_earlier_calls(
            counted, campaigns, at=self._context.now(), by=SCHEDULER
        )
        self._app.append(installation)
