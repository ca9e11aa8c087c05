"""Builds what the scheduler's loop needs, over the components of a process."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from application.configuration import Configuration
from domain.dial_view import Snapshot
from projections.campaigns import campaign_board
from projections.composition import Components
from projections.contacts.dial_groups import Decide
from projections.dial_snapshot import snapshot
from scheduler.assistant_watch import watch_of
from scheduler.dependencies import SchedulerDependencies
from scheduler.dispatch import Dispatch
from scheduler.maintenance.contact_groups import ContactGroups
from scheduler.maintenance.suppressed_numbers import SuppressedNumbers
from scheduler.pace import Pace
from scheduler.reconciliation.adopt import Adoption
from scheduler.reconciliation.reconcile import Reconcile
from scheduler.screening import screening_of
from storage.database import Conn, Pool
from storage.process.places_progress import PlacesProgress
from storage.process.timeline_guard import TimelineGuard


def dependencies(
    configuration: Configuration,
    built: Components,
    dispatch: Dispatch,
    pace: Pace,
    random: Callable[[], float],
) -> SchedulerDependencies:
    """Build the dependencies of one term; `random` returns numbers from 0 to 1."""
    timeline_guard, screening = TimelineGuard(built.writing), screening_of(built)
    reconcile = _reconcile(configuration, built, dispatch, timeline_guard)
    ghost_grace = timedelta(seconds=configuration.ghost_grace_seconds)
    return SchedulerDependencies(
        read_snapshot=partial(
            _snapshot, built.reading, built.group_gates.decide, ghost_grace
        ),
        claims=built.claims,
        campaigns=built.campaigns,
        planned_calls=built.planned_calls,
        dispatch=dispatch,
        reconcile=reconcile,
        adoption=_adoption(built, timeline_guard, reconcile),
        process_records=built.process_records,
        read_model=built.read_model,
        pace=pace,
        context=built.context,
        first_settings=built.first_settings,
        reconcile_every=timedelta(seconds=configuration.reconcile_seconds),
        random=random,
        key_fault=built.installation_key.fault,
        end_suppressed=_suppressed_numbers(built).run,
        work_on_groups=ContactGroups(
            built.reading,
            group=built.grouping.group,
            withhold=built.group_withholding.withhold,
            progress=PlacesProgress(built.writing),
        ).run,
        screen=screening,
        withhold_refused=screening.withhold_refused,
        watch_assistants=watch_of(built).run,
    )


def _suppressed_numbers(built: Components) -> SuppressedNumbers:
    return SuppressedNumbers(
        built.reading,
        withhold=built.withholding.withhold,
        hang_up=built.calls.hang_up_before_ringing,
        now=built.now,
        blocks=built.suppression_blocks,
    )


def _reconcile(
    configuration: Configuration,
    built: Components,
    dispatch: Dispatch,
    timeline_guard: TimelineGuard,
) -> Reconcile:
    return Reconcile(
        calls=built.calls,
        provider=built.provider,
        is_under_way=dispatch.is_under_way,
        interval=timedelta(seconds=configuration.reconcile_seconds),
        time_out=built.request_limit,
        ghost_grace=timedelta(seconds=configuration.ghost_grace_seconds),
        longest_queued=timedelta(seconds=configuration.longest_queued_seconds),
        largest_delay=timeline_guard.list_delay(),
        keep_delay=timeline_guard.keep_list_delay,
    )


def _adoption(
    built: Components, timeline_guard: TimelineGuard, reconcile: Reconcile
) -> Adoption:
    return Adoption(
        calls=built.calls,
        claims=built.claims,
        provider=built.provider,
        open_lines=partial(_asked, built.reading, campaign_board.open_lines),
        position=built.app.recorder.max_notification_id,
        timeline_guard=timeline_guard,
        now=built.now,
        quarantine=reconcile.quarantine,
    )


def _snapshot(
    pool: Pool, decide: Decide, grace: timedelta, now: datetime, most: int
) -> Snapshot:
    with pool.connection() as conn:
        return snapshot(conn, now, most, decide, grace)


def _asked[T](pool: Pool, query: Callable[[Conn], T]) -> T:
    with pool.connection() as conn:
        return query(conn)
