"""Whether the history is what it was, and the read tables are what it says.

First the log is read beside the chain of the live tables, and the vault beside what
events keep of its rows. Then the tables are made anew from the log in a schema of their
own and compared with the live ones, row by row. That schema stays: the next run may go
on from it.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from eventsourcing.persistence import MapperDeserialisationError
from eventsourcing.utils import TopicError

from application.vault import ContactRow, KeyRow, MessageRow, RejectRow, TextRow
from domain.contact_list import ContactList
from domain.values import Evidence, VaultText
from projections.engine.chain import Chain, Entry, Problem, end_problem, whole_chain
from projections.engine.compare import Difference, differences
from projections.engine.rebuild import FEW, LOCK_SECONDS, Progress, alone
from projections.engine.runner import REBUILD_BATCH, Batches, ProjectionStopped
from projections.engine.schema import create_read_model, drop_schema
from projections.event_index import FIRST_HEAD
from projections.tables import (
    SCHEMA,
    Place,
    one_snapshot,
    place_in,
    position_of,
    select_value,
)
from storage.database import Conn, connect
from storage.log.mapper import TypedMapper
from storage.log.verification_state import Mark, read_mark, write_mark
from storage.vault.check import Proof, faults

CHECK = "read_check"

MOST = 100
"""Rows of one table that are named."""


@dataclass(frozen=True, slots=True)
class Verified:
    """How many positions were read, from behind `after` on, and how many problems."""

    after: int
    up_to: int
    problems: int


def verify(
    url: str,
    *,
    now: Callable[[], datetime],
    incremental: bool = False,
    progress: Progress = lambda _done, _of: None,
    tell: Callable[[Problem], None] = lambda _problem: None,
) -> Verified:
    """Verify the history up to where the live tables stand; tell each problem.

    With `incremental`, go on from where the last run ended, if it was clean; the read
    tables are compared whole in any case.

    Raises:
        RebuildUnderWay: a rebuild or another verification is.
    """
    with connect(url, name="verify", lock_timeout=LOCK_SECONDS) as conn, alone(conn):
        create_read_model(conn)
        run = _Verification(conn, url, progress, tell)
        return run.run(now, incremental=incremental)


@dataclass(frozen=True, slots=True)
class AuditState:
    """What the last run left; `head` is the log's last position now."""

    verified_up_to: int
    verified_at: datetime | None
    head: int
    first_problem: Problem | None


def audit_state(conn: Conn) -> AuditState:
    mark, head = read_mark(conn), _end(conn)
    if mark is None:
        return AuditState(0, None, head, None)
    if mark.problem is None:
        return AuditState(mark.up_to, mark.verified_at, head, None)
    problem = Problem(mark.problem_position, mark.problem)
    before = mark.up_to if problem.position is None else problem.position - 1
    up_to = max(min(mark.up_to, before), 0)
    return AuditState(up_to, mark.verified_at, head, problem)


class _Verification:
    def __init__(
        self,
        conn: Conn,
        url: str,
        progress: Progress,
        tell: Callable[[Problem], None],
    ) -> None:
        self._conn, self._url = conn, url
        self._progress, self._tell = progress, tell
        self._mapper = TypedMapper()
        self._problems = 0
        self._first: Problem | None = None

    def run(self, now: Callable[[], datetime], *, incremental: bool) -> Verified:
        place, mark = _place(self._conn, SCHEMA), read_mark(self._conn)
        chain = self._begin(place, mark, incremental=incremental)
        after = max(chain.position, 0)
        self._read(chain, place)
        place = self._recount(chain) or place
        end = end_problem(chain, place)
        self._found(*([end] if end else []), *_never_handed_out(self._conn))
        self._remember(place, mark, now())
        self._progress(2 * place.position, 2 * place.position)
        return Verified(after, place.position, self._problems)

    def _begin(self, place: Place, mark: Mark | None, *, incremental: bool) -> Chain:
        """Say where to begin: at the first event, or where the last run ended."""
        if mark is not None:
            self._found(*_anchored(self._conn, mark, place))
        known = place_in(self._conn, CHECK)
        if incremental and mark is not None and self._goes_on(mark, known):
            return Chain(self._conn, SCHEMA, after=mark.up_to, head=mark.head)
        drop_schema(self._conn, CHECK)
        return whole_chain(self._conn, SCHEMA)

    def _goes_on(self, mark: Mark, known: Place | None) -> bool:
        """Tell whether nothing was wrong, and the last run's tables are still there."""
        return (
            mark.problem is None
            and self._first is None
            and known is not None
            and (known.position, known.head) == (mark.up_to, mark.head)
            and _alike(self._conn)
        )

    # --- The log and the vault ----------------------------------------------------

    def _read(self, chain: Chain, place: Place) -> None:
        for page in chain.pages(place.position):
            self._found(*self._of_page(chain, page))
            self._progress(chain.position, 2 * place.position)

    def _of_page(self, chain: Chain, page: list[Entry]) -> list[Problem]:
        """Gather a page's problems in their order."""
        proofs = [proof for entry in page for proof in self._proofs(entry)]
        told = [Problem(*fault) for fault in faults(self._conn, proofs)]
        told += chain.problems(page)
        return sorted(told, key=lambda problem: problem.position or 0)

    def _proofs(self, entry: Entry) -> Iterator[Proof]:
        if entry.stored is None:
            return
        try:
            event = self._mapper.to_domain_event(entry.stored)
        except (MapperDeserialisationError, TopicError):
            return  # The recount stops at it and says why.
        yield from _proofs(event, entry.position, entry.stored.topic)

    # --- The read tables ----------------------------------------------------------

    def _recount(self, chain: Chain) -> Place | None:
        """Compare the tables, at some later place; None where there is no getting to.

        What came meanwhile is read as what came before.
        """
        create_read_model(self._conn, CHECK)
        batches = Batches(self._conn, schema=CHECK, notify=False)
        try:
            with ExitStack() as snapshot:
                place = self._make_level(batches, snapshot)
                for page in chain.pages(place.position):
                    self._found(*self._of_page(chain, page))
                for difference in differences(self._conn, SCHEMA, CHECK, most=MOST):
                    self._found(_located(self._conn, difference))
                return place
        except ProjectionStopped as stopped:
            self._found(Problem(stopped.position, str(stopped)))
        return None

    def _make_level(self, batches: Batches, snapshot: ExitStack) -> Place:
        """Enter a snapshot in which both schemas stand at the same place."""
        with connect(self._url, name="verify", lock_timeout=LOCK_SECONDS) as holder:
            while True:
                self._fill(batches)
                with holder.transaction():
                    live = _held(holder)  # The projector waits so long.
                    if not batches.apply(REBUILD_BATCH, live).more:
                        snapshot.enter_context(one_snapshot(self._conn))
                        return _place(self._conn, SCHEMA)  # Its first look: from now.

    def _fill(self, batches: Batches) -> None:
        while True:
            live, own = (_place(self._conn, s).position for s in (SCHEMA, CHECK))
            self._progress(live + own, 2 * live)
            if live - own <= FEW or not batches.apply(REBUILD_BATCH, live).events:
                return

    # --- What was found -----------------------------------------------------------

    def _found(self, *problems: Problem) -> None:
        for problem in problems:
            self._first = self._first or problem
            self._problems += 1
            self._tell(problem)

    def _remember(self, place: Place, mark: Mark | None, at: datetime) -> None:
        """Keep what once fitted: it is what later runs are held against."""
        first, anchor = self._first, (place.position, place.head)
        if mark is not None and (first or mark.up_to > place.position):
            anchor = (mark.up_to, mark.head)
        elif first is not None:
            anchor = (0, FIRST_HEAD)
        said = (first.position, first.message) if first else (None, None)
        write_mark(self._conn, Mark(*anchor, at, *said))
        if first is not None:
            drop_schema(self._conn, CHECK)


def _place(conn: Conn, schema: str) -> Place:
    place = place_in(conn, schema)
    assert place is not None  # It was made before.
    return place


def _held(conn: Conn) -> int:
    """Let the live tables stand still to the end of the transaction."""
    query: LiteralString = """
        select position from read.projection_position where name = 'read' for update
    """
    return int(select_value(conn, query))


_FORMS: LiteralString = """
    select table_schema, array_agg(form order by form)
    from (
        select table_schema, concat(table_name, '.', column_name, ' ', udt_name) as form
        from information_schema.columns where table_schema in (%s, %s)
    ) columns
    group by table_schema
"""


def _alike(conn: Conn) -> bool:
    """Tell whether the tables of both schemas have the same columns."""
    forms: dict[str, list[str]] = dict(conn.execute(_FORMS, (SCHEMA, CHECK)).fetchall())
    return bool(forms.get(SCHEMA) == forms.get(CHECK))


def _anchored(conn: Conn, mark: Mark, place: Place) -> Iterator[Problem]:
    """Hold the chain against what an earlier run saw of it."""
    end = _end(conn)
    if end < mark.up_to:
        yield Problem(
            end + 1,
            f"The log ends at event {end}; it was verified up to event {mark.up_to}.",
        )
    elif 0 < mark.up_to <= place.position and _link(conn, mark.up_to) != mark.head:
        yield Problem(
            mark.up_to,
            f"The chain at event {mark.up_to} is not the one that was verified.",
        )


def _end(conn: Conn) -> int:
    query: LiteralString = "select max(notification_id) from autolynx_events"
    return int(select_value(conn, query) or 0)


def _link(conn: Conn, position: int) -> bytes | None:
    query: LiteralString = "select hash from read.event_index where position = %(at)s"
    link: bytes | None = select_value(conn, query, at=position)
    return link


def _never_handed_out(conn: Conn) -> list[Problem]:
    query: LiteralString = """
        select notification_id, topic from autolynx_events
        where notification_id > (select last_value from autolynx_event_position)
        order by notification_id limit 100
    """
    return [
        Problem(at, f"Event {at} ({topic}) was inserted: nobody was given its place.")
        for at, topic in conn.execute(query)
    ]


def _proofs(event: Any, position: int, topic: str) -> Iterator[Proof]:
    """Gather what an event keeps of the vault."""

    def proof(kind: Any, keys: list[tuple[Any, ...]], digest: str) -> Proof:
        return Proof(position, topic, kind, keys, digest)

    id_ = event.originator_id
    match event:
        case ContactList.Created() if event.key_digest is not None:
            yield proof(KeyRow, [(event.campaign_id,)], event.key_digest)
        case ContactList.RowsAccepted() if event.contact_ids:
            contacts = [(contact_id, id_) for contact_id in event.contact_ids]
            yield proof(ContactRow, contacts, event.digest)
        case ContactList.RowsSkipped() if event.skipped:
            rows = [(id_, skipped.row) for skipped in event.skipped]
            yield proof(RejectRow, rows, event.digest)
    for value in vars(event).values():
        match value:
            case Evidence(message_id, digest):
                yield proof(MessageRow, [(message_id,)], digest)
            case VaultText(words_id, digest):
                yield proof(TextRow, [(words_id,)], digest)


_LAST: LiteralString = """
    select greatest(
        (select position from event_index where aggregate_id = any(%(ids)s)
            order by position desc limit 1),
        (select position from event_index where campaign_id = any(%(ids)s)
            order by position desc limit 1)
    )
"""


def _located(conn: Conn, difference: Difference) -> Problem:
    """Name the last event that the row could be of."""
    if "position" in difference.key:
        return Problem(difference.key["position"], f"{difference}.")
    ids = [id_ for id_ in map(_uuid, difference.key.values()) if id_]
    last = select_value(conn, _LAST, ids=ids) or position_of(conn)
    return Problem(int(last), f"{difference} (event {last}).")


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
