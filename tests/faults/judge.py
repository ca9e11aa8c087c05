"""The invariants, held against the ledger of the provider."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID, uuid5

from domain.call import Call
from domain.values import CampaignState, ContactStatus
from projections.call_log import CallRow
from provider.reading import read_message
from tests.faults.drama import Drama
from tests.faults.exchange import Life

TERMINAL = frozenset(
    {
        ContactStatus.ENDED,
        ContactStatus.FAILED,
        ContactStatus.CANCELED,
        ContactStatus.TIMEOUT,
    }
)


@dataclass(frozen=True)
class Verdict:
    """What was found wrong, each with a sentence; and who was never called."""

    wrong: tuple[str, ...]
    never_called: int


def judged(drama: Drama, cap: int) -> Verdict:
    """Hold the end of a drama against the ledger."""
    judge = _Judge(drama, cap)
    return Verdict(tuple(judge.wrong()), judge.never_called())


class _Judge:
    def __init__(self, drama: Drama, cap: int) -> None:
        self._drama, self._cap, self._house = drama, cap, drama.house
        self._lives = list(drama.exchange.lives.values())
        self._row = self._house.board(drama.campaign_id)
        self._calls = self._house.call_rows(drama.campaign_id)
        self._latest = _latest(self._calls)

    def wrong(self) -> Iterator[str]:
        yield from self._called_twice()
        yield from self._over_cap()
        yield from self._started()
        yield from self._lost_webhooks()
        yield from self._counts()
        yield from self._outcomes()
        yield from self._called_while_barred()
        yield from self._silent_about()

    def never_called(self) -> int:
        called = {life.order.contact_id for life in self._lives}
        return self._row.contacts - len(called)

    def _called_twice(self) -> Iterator[str]:
        orders = Counter((life.order.phone, life.order.attempt) for life in self._lives)
        for who, calls in orders.items():
            if calls > 1:
                yield f"I1: {calls} calls for {who}"
        rung = Counter(life.order.phone for life in self._lives if life.ringing_at)
        for phone, times in rung.items():
            if times > 1:
                yield f"I1: {phone} rang {times} times"

    def _over_cap(self) -> Iterator[str]:
        highest = _highest(self._lives)
        if highest > self._cap:
            yield f"I2: {highest} live calls, cap {self._cap}"

    def _started(self) -> Iterator[str]:
        ours = {call.provider_call_id for call in self._calls} - {None}
        if (self._row.started_at is not None) != bool(ours):
            yield f"I3: started at {self._row.started_at}, calls {ours}"
        theirs = {life.id for life in self._lives}
        if ours != theirs:
            yield f"I3: we know {ours - theirs} alone, they {theirs - ours}"

    def _lost_webhooks(self) -> Iterator[str]:
        known: dict[UUID, Call] = {}
        for message in self._drama.exchange.acknowledged:
            read = read_message(message)
            assert read.call_id is not None
            call = known.get(read.call_id)
            if call is None:
                call = known[read.call_id] = self._house.load_call(read.call_id)
            if uuid5(call.id, read.key) not in call.evidence:
                yield f"I4: {read.key} got 200 and is not stored"

    def _counts(self) -> Iterator[str]:
        row = self._row
        if row.state not in (CampaignState.COMPLETED, CampaignState.CANCELED):
            yield f"I8: the campaign is {row.state}"
        standings = [call.standing for call in self._latest.values()]
        open_ = [one for one in standings if one not in TERMINAL]
        if row.state is CampaignState.COMPLETED and (
            open_ or len(standings) != row.contacts
        ):
            yield f"I8: {standings} for {row.contacts} contacts"
        told = Counter(standings)
        shown = {
            ContactStatus.ENDED: row.ended,
            ContactStatus.FAILED: row.failed,
            ContactStatus.TIMEOUT: row.timed_out,
        }
        for status, count in shown.items():
            if told[status] != count:
                yield f"I6: {count} shown as {status}, {told[status]} counted"
        reached = {
            life.order.contact_id
            for life in self._lives
            if life.order.attempt == self._latest[life.order.contact_id].attempt
        }
        if row.state is CampaignState.COMPLETED and row.ended != len(reached):
            yield f"I6: {row.ended} ended, the provider called {len(reached)}"

    def _outcomes(self) -> Iterator[str]:
        told = {call.provider_call_id: call for call in self._calls}
        for life in self._lives:
            call = told.get(life.id)
            if call is None:
                continue  # Told as I3 already.
            if call.ended_reason != life.reason:
                yield f"truth: {call.ended_reason} for {life.reason}"
            if call.cost != Decimal(str(life.cost)):
                yield f"truth: cost {call.cost} for {life.cost}"

    def _called_while_barred(self) -> Iterator[str]:
        for life in self._lives if self._drama.trace.barred else []:
            requested = self._requested_at(life)
            for since, until in self._drama.trace.barred:
                if since < requested and (until is None or requested < until):
                    yield f"I12: requested at {requested}, paused from {since}"

    def _silent_about(self) -> Iterator[str]:
        called = {life.order.contact_id for life in self._lives}
        for contact, call in self._latest.items():
            told = call.failure or call.rejection_words_id or contact in called
            if call.standing is ContactStatus.FAILED and not told:
                yield f"I8: nothing says why {contact} was not called"

    def _requested_at(self, life: Life) -> int:
        """Find the position at which the right to that request was stored."""
        query = (
            "select notification_id from autolynx_events"
            " where originator_id = %s and topic = 'call.requested'"
            " order by originator_version"
        )
        with self._house.reading.connection() as conn:
            rows = conn.execute(query, (life.order.call_id,)).fetchall()
        return int(rows[life.order.request - 1][0])


def _latest(calls: Iterable[CallRow]) -> dict[UUID, CallRow]:
    by_contact = defaultdict(list)
    for call in calls:
        by_contact[call.contact_id].append(call)
    return {
        contact: max(several, key=lambda call: call.attempt)
        for contact, several in by_contact.items()
    }


def _highest(lives: Iterable[Life]) -> int:
    """Count how many calls were live at once, at most."""
    changes = sorted(
        [(life.created_at, 1) for life in lives]
        + [(life.ended_at, -1) for life in lives]
    )
    live = highest = 0
    for _, change in changes:
        live += change
        highest = max(highest, live)
    return highest
