"""Runs a rehearsal: the real scheduler, gate and read model over a database of its own.

Only the clock and the provider are replaced. Nothing is read from or written to the
installation's database, except that the rows of an upload are copied from it.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from threading import Event
from typing import Any, override
from uuid import UUID, uuid4

from application.configuration import Configuration
from application.contacts.files.columns import parse_overrides
from application.contacts.files.contact_file import ReadOptions
from application.contacts.imports import NewCampaign
from application.ports import ProviderMessage, ReadModel
from domain.dial_view import Snapshot
from projections.campaigns import campaign_board
from projections.campaigns.campaign_row import CampaignRow
from projections.composition import Components, configured_fields
from projections.connections import open_log, open_pools
from projections.engine.runner import REBUILD_BATCH, Batches
from projections.engine.schema import create_read_model
from projections.tables.checkpoint import position_of
from scheduler.composition import dependencies
from scheduler.fill import PassResult, SlotFiller
from scheduler.loop import Scheduler
from scheduler.pace import Pace
from scheduler.rehearsal.installation import (
    ACTOR,
    KEPT,
    ROLE,
    copy_restrictions,
    copy_upload,
)
from scheduler.rehearsal.turn_dispatch import TurnDispatch
from scheduler.rehearsal.virtual_time import VirtualClock, VirtualWakeUp
from scheduler.rehearsal.world import STEP, Exchange, World
from storage.database import Conn, connect
from storage.migrate import migrate
from storage.process.decisions import Decision, ProcessRecords
from storage.process.leadership import Term
from storage.process.rehearsal_order import RehearsalOrder
from storage.vault.reception import receive_file
from storage.vault.uploads import NewUpload

MARK = "Rehearsal: "
"""Prefix of the campaign's name."""

CHUNK = 1 << 20
WORKERS = 4
"""Requests that are decided and stored at the same time."""

CHECK_SECONDS = 600
"""Virtual time between two comparisons with the provider, which loses nothing here."""

type OnProgress = Callable[[CampaignRow], None]


class OwnReadModel(ReadModel):
    """Brings the read model up to date when it is waited for; sends no webhook."""

    def __init__(self, conn: Conn) -> None:
        self._conn, self._batches = conn, Batches(conn, notify=False)
        self._position = 0

    @override
    def wait_for(self, position: int, timeout: float) -> bool:
        while self._position < position:
            if not self._batches.apply(REBUILD_BATCH).events:
                return False
            self._position = position_of(self._conn)
        return True


class RememberedDecisions(ProcessRecords):
    """Stores the scheduler's decisions, and adds them to a list."""

    def __init__(self, pool: Any, decided: list[Decision]) -> None:
        super().__init__(pool)
        self._decided = decided

    @override
    def write_decisions(self, decisions: list[Decision]) -> None:
        super().write_decisions(decisions)
        self._decided[:] = decisions


@dataclass(frozen=True)
class Rehearsed:
    """A finished rehearsal; its database is still there."""

    built: Components
    campaign_id: UUID
    clock: VirtualClock
    messages: int


@dataclass(frozen=True)
class Replaced:
    """What takes the place of the real provider."""

    exchange_of: Callable[[RehearsalOrder, VirtualClock], Exchange]
    read_message: Callable[..., ProviderMessage]


@contextmanager
def rehearsed(
    order: RehearsalOrder,
    url: str,
    replaced: Replaced,
    stop: Event,
    on_progress: OnProgress,
) -> Iterator[Rehearsed]:
    """Run a rehearsal in the empty database `url`; yield it once it is over.

    It ends early, without an error, once `stop` is set.

    Raises:
        Refused: the campaign cannot be created or started.
        UnreadableFile: the contact file is refused.
    """
    migrate(url)
    with ExitStack() as opened:
        conn = opened.enter_context(connect(url, name=ROLE))
        create_read_model(conn)
        clock = VirtualClock(order.begins_at)
        exchange = replaced.exchange_of(order, clock)
        pools = opened.enter_context(open_pools(url, name=ROLE, max_size=8))
        built = Components(
            pools=pools,
            app=opened.enter_context(open_log(pools.writing)),
            read_model=OwnReadModel(conn),
            provider=exchange,
            read_message=replaced.read_message,
            now=clock,
            **configured_fields(Configuration()) | {"first_settings": order.settings},
        )
        built.installation_key.prepare()
        campaign_id, contacts = _start(order, built)
        exchange.expect(contacts)
        world = World(
            clock, exchange, built, campaign_id, lambda: _settle(built), on_progress
        )
        _run(order, url, world, stop)
        _settle(built)
        yield Rehearsed(built, campaign_id, clock, world.messages)


# --- The campaign ---------------------------------------------------------------------


def _start(order: RehearsalOrder, built: Components) -> tuple[UUID, int]:
    """Create and start the campaign as a member would; return its id and size."""
    ids = [
        built.assistants.import_assistant(one.provider_id, name=None, by=ACTOR)[0]
        for one in order.assistants
    ]
    shares = [one.share for one in order.assistants]
    upload_id = _upload(order, built)
    copy_restrictions(order.url, built, upload_id)
    new = NewCampaign(
        name=f"{MARK}{order.name}"[:200],
        upload_id=upload_id,
        assistant_id=ids[0],
        phone_number_id=order.phone_number_id,
        cap=order.cap,
        mode=order.mode,
        line_quiet_gating=order.line_quiet_gating,
        budget=order.budget,
        terms=order.terms,
        compared=tuple(zip(ids[1:], shares[1:], strict=True)),
    )
    made = built.imports.create_campaign(
        new, default_cap=order.settings.default_cap, by=ACTOR
    )
    built.campaigns.start(made.campaign_id, by=ACTOR)
    _settle(built)
    with built.reading.connection() as conn:
        row = campaign_board.get(conn, made.campaign_id)
    assert row is not None
    return made.campaign_id, row.contacts


def _upload(order: RehearsalOrder, built: Components) -> UUID:
    if order.file is None:
        assert order.upload_id is not None
        copy_upload(order.url, built, order.upload_id)
        return order.upload_id
    file, now = order.file, built.now()
    path = Path(file.path)
    new = NewUpload(uuid4(), path.name, file.region, ACTOR, now, now + KEPT)
    options = ReadOptions(
        default_region=file.region,
        any_kind=file.any_kind,
        overrides=parse_overrides(file.mapped),
        sheet=file.sheet,
    )
    return receive_file(built.uploads, new, _pieces(path), options).id


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


# --- The scheduler --------------------------------------------------------------------


def _run(order: RehearsalOrder, url: str, world: World, stop: Event) -> None:
    """Lead until the campaign is over, or until the rehearsal is stopped."""
    built, random = world.built, Random(order.seed).random  # noqa: S311 - jitter of ticks
    wake_up = VirtualWakeUp(world.clock, partial(_pass, world, stop))
    rate = order.settings.dials_per_second
    most = order.cap or order.settings.default_cap
    pace = Pace(rate, random, ahead=min(STEP.total_seconds(), most / rate))
    dispatch = TurnDispatch(built, pace=pace, workers=WORKERS, timer=wake_up)
    world.under_way, world.stop = dispatch.under_way, wake_up.stop
    configuration = Configuration()
    usual = dependencies(configuration, built, dispatch, pace, random)
    scheduler = TurnScheduler(
        replace(
            usual,
            read_snapshot=SettledSnapshots(built, usual.read_snapshot, most + 1),
            process_records=RememberedDecisions(built.writing, world.decided),
            reconcile_every=timedelta(seconds=CHECK_SECONDS),
        ),
        wake_up,
    )
    with connect(url, name=ROLE) as connection:
        try:
            scheduler.lead(OnlyTerm(connection))
        finally:
            dispatch.stop()


def _pass(world: World, stop: Event, until: Any, stop_at_news: bool) -> None:  # noqa: FBT001 - the clock's callback
    if stop.is_set():
        world.stop()
    else:
        world.pass_until(until, stop_at_news)


class OnlyTerm(Term):
    """A term without heartbeats: no other process leads in a rehearsal."""

    def __init__(self, connection: Conn) -> None:
        super().__init__(connection, ROLE, ROLE, silent_after=0)

    @override
    def beat(self) -> None:
        self.record_progress()


class TurnFiller(SlotFiller):
    """Runs no pass that can only confirm that nothing more is to be claimed."""

    @override
    def _continues(self, last: PassResult) -> bool:
        return last.unseen or (last.more and last.more_soon)


class TurnScheduler(Scheduler):
    """Leads without heartbeats, for which a real scheduler interrupts its waits."""

    filler_type = TurnFiller
    longest_wait = CHECK_SECONDS


class SettledSnapshots:
    """Reads snapshots of the whole log; reads none again while nothing has changed."""

    def __init__(
        self, built: Components, read: Callable[..., Snapshot], usual: int
    ) -> None:
        self._built, self._read, self._usual = built, read, usual
        self._known: tuple[datetime, int, Snapshot] | None = None

    def __call__(self, now: datetime, most: int) -> Snapshot:
        """Return a snapshot with at least `most` candidates, if there are as many."""
        position = _settle(self._built)
        if self._known is not None:
            at, limit, seen = self._known
            if (at, seen.position) == (now, position) and limit >= most:
                return seen
        most = max(most, self._usual)
        seen = self._read(now, most)
        self._known = now, most, seen
        return seen


def _settle(built: Components) -> int:
    """Bring the read model to the end of the log; return its position."""
    position = built.app.recorder.max_notification_id() or 0
    built.read_model.wait_for(position, 0)
    return position
