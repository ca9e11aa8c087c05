"""The services and settings that the scheduler works with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import InterfaceError, OperationalError

from application.calls.claims import ClaimService
from application.campaigns.campaigns import CampaignService
from application.contacts.planned_calls import PlannedCallService
from application.errors import StoreUnavailable
from application.event_context import EventContext
from application.ports import ReadModel
from domain.dial_view import Snapshot
from domain.settings import SettingsValues
from scheduler.dispatch import Dispatch
from scheduler.pace import Pace
from scheduler.reconciliation.adopt import Adoption
from scheduler.reconciliation.reconcile import Reconcile
from storage.process.decisions import ProcessRecords
from storage.process.leadership import LeadershipLost

TERM_ENDING_ERRORS = (
    LeadershipLost,
    StoreUnavailable,
    OperationalError,
    InterfaceError,
)
"""Errors that end a term: the database is unreachable, or another process leads."""


@dataclass(frozen=True, slots=True)
class SchedulerDependencies:
    """All that one term of the scheduler needs; built by the composition root.

    `read_snapshot(now, limit)` returns a snapshot with at most `limit` candidates for
    each campaign. `first_settings` apply until settings are stored. `random` returns
    numbers from 0 to 1. `no_dialling_because` is the reason why this installation
    must not call anybody at all (no API key), None if it may. `key_fault` is asked in
    each pass and returns why numbers cannot be looked up in the register, None if they
    can. `end_suppressed` withholds contacts and hangs up calls of suppressed numbers,
    and returns whether there is more to do. `work_on_groups` does one pass over
    contacts without a group and over groups that are never called, and returns the
    same.
    `screen(snapshot, now)` moves candidates whose requests the gate would refuse into
    the snapshot's `refused`, and `withhold_refused` withholds those that are
    never called. `watch_assistants` pins or watches the assistants of running
    campaigns. `observe_turn` gets the duration of each turn in seconds.
    """

    read_snapshot: Callable[[datetime, int], Snapshot]
    claims: ClaimService
    campaigns: CampaignService
    planned_calls: PlannedCallService
    dispatch: Dispatch
    reconcile: Reconcile
    adoption: Adoption
    process_records: ProcessRecords
    read_model: ReadModel
    pace: Pace
    context: EventContext
    first_settings: SettingsValues
    reconcile_every: timedelta
    random: Callable[[], float]
    no_dialling_because: str | None = None
    key_fault: Callable[[], str | None] = lambda: None
    end_suppressed: Callable[[], bool] = lambda: False
    work_on_groups: Callable[[Snapshot], bool] = lambda _seen: False
    screen: Callable[[Snapshot, datetime], Snapshot] = lambda seen, _now: seen
    withhold_refused: Callable[[Snapshot], int] = lambda _seen: 0
    watch_assistants: Callable[[Snapshot], object] = lambda _seen: None
    observe_turn: Callable[[float], None] = lambda _seconds: None
