"""Verifies that the log and the vault are unchanged and the read tables are correct.

The log is compared with the hash chain of the live tables, and the vault with the
digests in the events. At the same time the read tables are computed from the log in a
second schema; then they are compared with the live ones, row by row. That schema is
dropped at the end. Worker processes check and prepare the ranges of a long log.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import chain as chain_of
from typing import Any, LiteralString
from uuid import UUID

from projections.engine.chain import Chain, Problem, end_problem, whole_chain
from projections.engine.compare import Difference, differences
from projections.engine.log_check import Checked, LogCheck, RangeWork
from projections.engine.prepared import Prepared
from projections.engine.ranges import Range, ranges
from projections.engine.rebuild import FEW, LOCK_SECONDS, Progress, alone
from projections.engine.runner import REBUILD_BATCH, Batches, ProjectionStopped
from projections.engine.schema import (
    PROJECTIONS,
    create_read_model,
    drop_schema,
    outdated,
    rebuild_message,
)
from projections.engine.worker_pool import Job, open_pool, worker_count
from projections.event_index import FIRST_HEAD
from projections.tables.checkpoint import (
    Checkpoint,
    checkpoint_in,
    one_snapshot,
    position_of,
)
from projections.tables.definition import SCHEMA
from projections.tables.queries import select_value
from storage.database import Conn, connect
from storage.log.verification_state import (
    VerificationState,
    read_verification,
    write_verification,
)

CHECK = "read_check"

MOST = 100
"""Largest number of differing rows that are reported for one table."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Result of a run: it checked the positions after `after`, up to `up_to`.

    `problems` counts what was found; `rebuild` names the projections whose read tables
    are outdated or differ from the log.
    """

    after: int
    up_to: int
    problems: int
    rebuild: tuple[str, ...] = ()


def verify(
    url: str,
    *,
    now: Callable[[], datetime],
    incremental: bool = False,
    workers: int | None = None,
    progress: Progress = lambda _done, _of: None,
    on_problem: Callable[[Problem], None] = lambda _problem: None,
) -> Verified:
    """Verify the log, the vault and the read tables up to the live checkpoint.

    Each problem is passed to `on_problem`. With `incremental`, the verification of the
    log and the vault starts where the last run ended, if that found no problem; the
    read tables are computed from the whole log and compared in any case. `workers` is
    as in `rebuild`.

    Raises:
        RebuildUnderWay: a rebuild or another verification is running.
        WorkerLost: a worker process was killed; nothing was recorded.
    """
    with connect(url, name="verify", lock_timeout=LOCK_SECONDS) as conn, alone(conn):
        create_read_model(conn)
        drop_schema(conn, CHECK)  # A run that was killed may have left it.
        run = _Verification(conn, url, workers, progress, on_problem)
        try:
            return run.run(now, incremental=incremental)
        finally:
            if not conn.closed:
                drop_schema(conn, CHECK)


@dataclass(frozen=True, slots=True)
class AuditState:
    """Result of the last run; `head` is the current last position of the log."""

    verified_up_to: int
    verified_at: datetime | None
    head: int
    first_problem: Problem | None


def audit_state(conn: Conn) -> AuditState:
    """Return the result of the last verification; zeros if there was none."""
    mark, head = read_verification(conn), _end(conn)
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
        workers: int | None,
        progress: Progress,
        on_problem: Callable[[Problem], None],
    ) -> None:
        self._conn, self._url, self._workers = conn, url, workers
        self._progress, self._on_problem = progress, on_problem
        self._check = LogCheck(conn, SCHEMA)
        self._stopped: ProjectionStopped | None = None
        self._done = 0
        self._problems = 0
        self._rebuild: tuple[str, ...] = ()
        self._first: Problem | None = None

    def run(self, now: Callable[[], datetime], *, incremental: bool) -> Verified:
        checkpoint, mark = (
            _checkpoint(self._conn, SCHEMA),
            read_verification(self._conn),
        )
        chain = self._begin(checkpoint, mark, incremental=incremental)
        after = max(chain.position, 0)
        create_read_model(self._conn, CHECK, lasting=False)
        batches = Batches(self._conn, schema=CHECK, notify=False)
        chain = self._read(chain, checkpoint, batches)
        checkpoint = self._recompute(chain, batches) or checkpoint
        end = end_problem(chain, checkpoint)
        self._found(*([end] if end else []), *_never_handed_out(self._conn))
        self._remember(checkpoint, mark, now())
        self._progress(2 * checkpoint.position, 2 * checkpoint.position)
        return Verified(after, checkpoint.position, self._problems, self._rebuild)

    def _begin(
        self,
        checkpoint: Checkpoint,
        mark: VerificationState | None,
        *,
        incremental: bool,
    ) -> Chain:
        """Return the chain from its first event, or from where the last run ended."""
        if mark is not None:
            self._found(*_anchored(self._conn, mark, checkpoint))
        may_continue = incremental and self._first is None
        if may_continue and mark is not None and mark.problem is None:
            return Chain(self._conn, SCHEMA, after=mark.up_to, head=mark.head)
        return whole_chain(self._conn, SCHEMA)

    # --- The log, the vault and the read tables -----------------------------------

    def _read(self, start: Chain, checkpoint: Checkpoint, batches: Batches) -> Chain:
        """Check the log and compute the read tables, up to the checkpoint.

        Returns the chain where it ended. After an event that cannot be projected, the
        log is checked to the end all the same.
        """
        position, head = start.position, start.head
        for wanted, result in self._results(start, checkpoint.position):
            self._found(*result.problems)
            if wanted.check:
                position, head = result.position, result.head
            if self._stopped is None:
                self._apply(batches, wanted, result.prepared)
            self._done = max(wanted.until, 0)
            self._progress(2 * self._done, 2 * checkpoint.position)
        return Chain(self._conn, SCHEMA, after=position, head=head)

    def _results(self, start: Chain, until: int) -> Iterator[tuple[Range, Checked]]:
        source = self._ranges(start.position, until)
        count = worker_count(self._workers, until)
        if count == 1:
            work = RangeWork(self._conn, CHECK, None, SCHEMA)
            yield from ((wanted, work.result(wanted)) for wanted in source)
            return
        job = Job(self._url, "verify worker", CHECK, checked=SCHEMA)
        with open_pool(count, job) as pool:
            yield from pool.results(
                source, lambda: self._progress(2 * self._done, 2 * until)
            )

    def _ranges(self, after: int, until: int) -> Iterator[Range]:
        """Yield the ranges whose events are only projected, then those to check."""
        projected = ranges(self._conn, 0, min(after, until), REBUILD_BATCH)
        checked = ranges(self._conn, after, until, REBUILD_BATCH, check=True)
        for one in chain_of(projected, checked):
            yield one._replace(prepare=self._stopped is None)

    def _apply(
        self, batches: Batches, wanted: Range, prepared: Prepared | None
    ) -> None:
        try:
            batches.apply_prepared(prepared, wanted.until)
        except ProjectionStopped as stopped:
            self._stopped = stopped

    def _recompute(self, chain: Chain, batches: Batches) -> Checkpoint | None:
        """Compute the rest of the tables and compare them, at the current checkpoint.

        Events that were appended meanwhile are verified too. Returns the checkpoint,
        or None if an event cannot be projected.
        """
        try:
            if self._stopped is not None:
                raise self._stopped
            with ExitStack() as snapshot:
                checkpoint = self._make_level(batches, snapshot)
                for page in chain.pages(checkpoint.position):
                    self._found(*self._check.problems_of(chain, page))
                self._compare()
                return checkpoint
        except ProjectionStopped as stopped:
            self._found(Problem(stopped.position, str(stopped)))
        return None

    def _compare(self) -> None:
        """Compare the read tables row by row, except those of another version."""
        stale = outdated(self._conn)
        if message := rebuild_message(stale):
            self._found(Problem(None, f"Not compared: {message}."))
        self._conn.execute(_COMPARING)
        skipped = {table for name in stale for table in PROJECTIONS[name]}
        differing = set()
        for difference in differences(
            self._conn, SCHEMA, CHECK, most=MOST, skipped=skipped
        ):
            differing.add(difference.table)
            self._found(_located(self._conn, difference))
        self._rebuild = tuple(
            name
            for name, tables in PROJECTIONS.items()
            if name in stale or tables & differing
        )

    def _make_level(self, batches: Batches, snapshot: ExitStack) -> Checkpoint:
        """Enter a snapshot in which both schemas have the same checkpoint."""
        with connect(self._url, name="verify", lock_timeout=LOCK_SECONDS) as holder:
            while True:
                self._fill(batches)
                with holder.transaction():
                    live = _locked_checkpoint(holder)  # The projector waits meanwhile.
                    if not batches.apply(REBUILD_BATCH, live).more:
                        snapshot.enter_context(one_snapshot(self._conn))
                        # The snapshot begins with this query.
                        return _checkpoint(self._conn, SCHEMA)

    def _fill(self, batches: Batches) -> None:
        while True:
            live, own = (_checkpoint(self._conn, s).position for s in (SCHEMA, CHECK))
            self._progress(live + own, 2 * live)
            if live - own <= FEW or not batches.apply(REBUILD_BATCH, live).events:
                return

    # --- The result ---------------------------------------------------------------

    def _found(self, *problems: Problem) -> None:
        for problem in problems:
            self._first = self._first or problem
            self._problems += 1
            self._on_problem(problem)

    def _remember(
        self, checkpoint: Checkpoint, mark: VerificationState | None, at: datetime
    ) -> None:
        """Store the result; keep the last anchor if there are problems."""
        first, anchor = self._first, (checkpoint.position, checkpoint.head)
        if mark is not None and (first or mark.up_to > checkpoint.position):
            anchor = (mark.up_to, mark.head)
        elif first is not None:
            anchor = (0, FIRST_HEAD)
        found = (first.position, first.message) if first else (None, None)
        write_verification(self._conn, VerificationState(*anchor, at, *found))


def _checkpoint(conn: Conn, schema: str) -> Checkpoint:
    checkpoint = checkpoint_in(conn, schema)
    assert checkpoint is not None  # `create_read_model` has run before.
    return checkpoint


def _locked_checkpoint(conn: Conn) -> int:
    """Lock the live checkpoint until the end of the transaction; return it."""
    query: LiteralString = """
        select position from read.projection_position where name = 'read' for update
    """
    return int(select_value(conn, query))


def _anchored(
    conn: Conn, mark: VerificationState, checkpoint: Checkpoint
) -> Iterator[Problem]:
    """Compare the log and the chain with the anchor of an earlier run."""
    end = _end(conn)
    if end < mark.up_to:
        yield Problem(
            end + 1,
            f"The log ends at event {end}; it was verified up to event {mark.up_to}.",
        )
    elif 0 < mark.up_to <= checkpoint.position and _link(conn, mark.up_to) != mark.head:
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
        Problem(
            at, f"Event {at} ({topic}) was inserted: its position was never assigned."
        )
        for at, topic in conn.execute(query)
    ]


_COMPARING: LiteralString = """
    set local enable_hashjoin = on;
    set local enable_mergejoin = on;
    set local work_mem = '64MB'
"""
"""Settings for the comparison, which reads whole tables, unlike a batch."""

_LAST: LiteralString = """
    select greatest(
        (select position from event_index where aggregate_id = any(%(ids)s)
            order by position desc limit 1),
        (select position from event_index where campaign_id = any(%(ids)s)
            order by position desc limit 1)
    )
"""


def _located(conn: Conn, difference: Difference) -> Problem:
    """Return the difference with the last event that could have changed the row."""
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
