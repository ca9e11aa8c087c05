"""One scheduler pass; the number of pending contacts must not make it slower."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from time import perf_counter
from typing import Any
from uuid import uuid5

from application.app import AutoLynx
from application.calling_rules.loader import load_rule_book
from application.calls.claims import ClaimService
from application.calls.group_gates import GroupGates, TermsOfCampaign
from application.places.subdivisions import SUBDIVISIONS
from bench.support.figures import Figure, medians
from bench.support.installation import Server, context
from domain.campaigns.campaign_terms import CALLED_ONCE
from domain.dial_view import Snapshot
from domain.gate.groups import ContactGroup
from domain.gate.permit import Granted, Permit
from domain.gate.places import Places, PlaceSource
from domain.settings import RulesMode, SettingsValues
from domain.values import NAMESPACE
from projections.contacts.dial_groups import Decide
from projections.dial_snapshot import snapshot
from projections.engine.runner import catch_up
from projections.engine.schema import open_read_pool
from scheduler.dependencies import SchedulerDependencies
from scheduler.loop import Scheduler
from scheduler.pace import Pace
from scheduler.settlement import ClaimedCall
from storage.database import Conn, Pool, connect, open_pool
from storage.log.recorder import EventStoreFactory
from storage.process.decisions import ProcessRecords

CAMPAIGNS, ACTIVE, PASSES = 20, 1_000, 15
MANY, FEW = 1_000_000, 10_000
LINES = 4
NIGHT = datetime(2026, 6, 10, 2, 30, tzinfo=UTC)
"""22:30 in New York, 19:30 in Los Angeles, 16:30 in Honolulu, on a Tuesday."""

BOOK = load_rule_book()
GROUPS = [
    ContactGroup(Places((code,), part.time_zones, source), has_consent)
    for source in (PlaceSource.NUMBER, PlaceSource.SUBDIVISION)
    for has_consent in (True, False)
    for code, part in sorted(SUBDIVISIONS.items())
    if code.startswith("US-")
][:200]
SETTINGS = SettingsValues(
    global_cap=10_000, dials_per_second=5, calling_rules=RulesMode.ENFORCED
)

BOARD = """
insert into campaign_board (id, name, state, mode, cap, line_quiet_gating,
    assistant_id, provider_assistant_id, phone_number_id, budget, longest_call_seconds,
    created_at, created_by, queued_at, started_at, contacts, pending, in_progress,
    spend, costs_reported, version)
values (%(id)s, %(id)s, 'RUNNING', %(mode)s, 10000, false, %(id)s, 'riley', %(line)s,
    10000000, 600, now(), 'bench', now(), now(), %(people)s + %(active)s, %(people)s,
    %(active)s, 1234.5, 5000, 4)
"""

IMPORT = """
insert into contact_import (list_id, campaign_id, filename_words_id, starts_at,
    opened_at, imported_at, imported_position)
values (%(list)s, %(id)s, %(list)s, 0, now(), now(), %(position)s)
"""

PEOPLE = """
insert into contact_log (contact_id, list_id, campaign_id, seq, status, group_id)
select gen_random_uuid(), %(list)s, %(id)s, seq,
    case when seq <= %(active)s then 'IN_PROGRESS' else 'PENDING' end,
    (%(groups)s::bigint[])[1 + seq %% %(group_count)s]
from generate_series(1, %(people)s + %(active)s) as seq
"""

GROUP = """
insert into contact_group (group_id, codes, zones, source, has_consent)
values (%s, %s, %s, %s, %s)
"""

CALLS = """
with called as (
    insert into call_log (call_id, campaign_id, contact_id, attempt, status, standing,
        requests, provider_call_id, queued_at, placed_at, last_event_at, version)
    select gen_random_uuid(), campaign_id, contact_id, 1, 'IN_PROGRESS', 'IN_PROGRESS',
        1, contact_id, now(), now(), now(), 5
    from contact_log where list_id = %(list)s and status = 'IN_PROGRESS'
    returning call_id, campaign_id
)
insert into dial_queue (call_id, campaign_id, phase, claimed_at)
select call_id, campaign_id, 'placed', now() from called
"""


def measure(server: Server) -> Iterator[Figure]:
    """Measure one pass in milliseconds with few and with many pending contacts."""
    with _scheduler(server, FEW) as few, _scheduler(server, MANY) as many:
        for fresh in (few, many):
            _pass(*fresh)  # Warm up query plans and caches.
        small, large = medians(
            partial(_pass, *few), partial(_pass, *many), rounds=PASSES
        )
    size = f"{CAMPAIGNS} campaigns, {ACTIVE:,} calls active"
    yield from _with_gate(server, size)
    yield Figure(
        name="scheduler pass",
        value=large,
        unit="ms",
        target=150,
        details=f"snapshot, plan, claim, decisions; {MANY:,} contacts pending, {size}",
    )
    yield Figure(
        name="scheduler pass, growth",
        value=large / small,
        unit="times",
        target=1.5,
        details=f"compared with {FEW:,} contacts pending ({small:.0f} ms)",
    )


def _with_gate(server: Server, size: str) -> Iterator[Figure]:
    """Measure a pass in which most groups are closed, and one without the gate."""
    gate = GroupGates(lambda: BOOK, SETTINGS)
    with (
        _scheduler(server, MANY, gate.decide) as gated,
        _scheduler(server, MANY) as free,
    ):
        for fresh in (gated, free):
            _pass(*fresh)
        value, without = medians(
            partial(_pass, *gated), partial(_pass, *free), rounds=PASSES
        )
    closed = sum(_is_closed(gate, group) for group in GROUPS)
    details = f"{MANY:,} contacts pending in {len(GROUPS)} groups, {closed} closed"
    yield Figure(
        name="scheduler pass, gate",
        value=value,
        unit="ms",
        target=150,
        details=f"{details}; {size}",
    )
    yield Figure(
        name="scheduler pass, cost of the gate",
        value=value / without,
        unit="times",
        target=1.5,
        details=f"compared with every group open ({without:.0f} ms)",
    )


def _is_closed(gate: GroupGates, group: ContactGroup) -> bool:
    terms = TermsOfCampaign(uuid5(NAMESPACE, "bench"), 1, CALLED_ONCE)
    return not isinstance(gate.decide(terms, None, group, NIGHT), Granted)


def _pass(scheduler: Scheduler, conn: Conn) -> float:
    start = perf_counter()
    done = scheduler.run_once(NIGHT)
    took = (perf_counter() - start) * 1000
    assert done.claimed > 0, done
    catch_up(conn)
    return took


def everybody_may_be_called(*_: object) -> Granted:
    """Return a permit for every group."""
    return Granted(Permit((), (), "", "", (), (), ()))


@contextmanager
def _scheduler(
    server: Server, people: int, decide: Decide = everybody_may_be_called
) -> Iterator[tuple[Scheduler, Conn]]:
    with (
        server.database() as url,
        connect(url, name="bench") as conn,
        open_pool(url, name="bench", max_size=2) as writing,
        open_read_pool(url, name="bench", max_size=2) as reading,
    ):
        conn.execute("set search_path = read, public")
        _fill(conn, people)
        app = AutoLynx(EventStoreFactory(writing))
        yield Scheduler(_dependencies(app, writing, reading, decide)), conn
        app.close()


def _fill(conn: Conn, people: int) -> None:
    """Write rows as the projector would for such an installation."""
    for group in GROUPS:
        places = group.places
        zones = " ".join(places.time_zones)
        columns = (" ".join(places.codes), zones, places.source, group.has_consent)
        conn.execute(GROUP, (group.id, *columns))
    for number in range(CAMPAIGNS):
        id_ = uuid5(NAMESPACE, f"bench {number}")
        values = {
            "id": id_,
            "list": uuid5(id_, "list"),
            "line": f"line-{number % LINES}",
            "mode": "BATCH" if number % 4 == 3 else "CONTINUOUS",
            "people": people // CAMPAIGNS,
            "active": ACTIVE // CAMPAIGNS,
            "position": number + 1,
            "groups": [group.id for group in GROUPS],
            "group_count": len(GROUPS),
        }
        for statement in (BOARD, IMPORT, PEOPLE, CALLS):
            conn.execute(statement.encode(), values)
    conn.execute("vacuum analyze")


class InstantReadModel:
    """Never waits: the projector's work is not measured."""

    def wait_for(self, *_: float) -> bool:
        """Report that the read model is up to date."""
        return True


class NoCommands:
    """Has the commands that a pass looks up; no campaign here needs one."""

    def review(self, *_: object) -> None:
        """Review nothing: no call is planned."""

    def complete(self, *_: object, **__: object) -> None:
        """Complete nothing: contacts wait in every campaign."""


class NoDispatch:
    """Accepts claimed calls and sends no requests."""

    def dial(self, claimed: list[ClaimedCall]) -> None:
        """Send nothing: requests are not part of this benchmark."""


def _dependencies(
    app: AutoLynx, writing: Pool, reading: Pool, decide: Decide
) -> SchedulerDependencies:
    unused: Any = None
    no_dispatch: Any = NoDispatch()
    no_commands: Any = NoCommands()
    return SchedulerDependencies(
        read_snapshot=lambda now, most: _snapshot(reading, now, most, decide),
        claims=ClaimService(app, context()),
        campaigns=no_commands,
        planned_calls=no_commands,
        dispatch=no_dispatch,
        reconcile=unused,
        adoption=unused,
        process_records=ProcessRecords(writing),
        read_model=InstantReadModel(),
        pace=Pace(SETTINGS.dials_per_second, Random(1).random),
        context=context(),
        first_settings=SETTINGS,
        reconcile_every=timedelta(seconds=30),
        random=Random(1).random,
    )


def _snapshot(pool: Pool, now: Any, most: int, decide: Decide) -> Snapshot:
    with pool.connection() as conn:
        return snapshot(conn, now, most, decide)
