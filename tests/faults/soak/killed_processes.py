"""The part of the soak that kills the leading scheduler of a real installation."""

import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from random import Random
from subprocess import Popen
from threading import Event
from time import monotonic
from typing import Any

from psycopg import OperationalError

from projections.engine.runner import SILENT_AFTER
from storage.process.embedded_postgres import embedded_postgres
from storage.process.postgres_supervisor import Home
from tests.child_process import kill
from tests.faults.cluster import (
    DURABLE,
    Cluster,
    running_cluster,
    stop_postgres_immediately,
)
from tests.faults.soak.report import Tally
from tests.faults.soak.virtual_crashes import progress
from tests.faults.virtual_call import REPORT
from tests.support import eventually

PEOPLE, CAP, STANDBYS, LONGEST_KILLING = 60, 4, 3, 180.0
"""Of each campaign; leaders are killed for at most LONGEST_KILLING real seconds."""

FAULTS = {
    "requests": {
        "rate_limited": 0.06,
        "rate_limit_storm": 0.01,
        "over_concurrency": 0.02,
        "error_before": 0.04,
        "error_after": 0.03,
        "reset_after": 0.02,
        "garbage_after": 0.01,
        "hang_after": 0.02,
    },
    "reads": {"error_before": 0.05},
    "webhooks": {
        "lost": 0.1,
        "late": 0.25,
        "twice": 0.15,
        "reordered": 0.05,
        "before_answer": 0.05,
    },
    "calls": {"shown_stale": 0.2},
    "refused": [{"share": 0.04}],
    "ended": [{"share": 0.08}],
    "reports": [
        {"share": 0.15, "first": "empty"},
        {"share": 0.1, "first": "partial", "gap_seconds": 5.0},
        {"share": 0.1, "cost": "absent"},
        {"share": 0.1, "cost": "breakdown", "reason": "call"},
        {"share": 0.1, "cost": "text", "duration": "minutes"},
    ],
    "late_seconds": 1.0,
    "list_lag_seconds": 0.5,
    "stale_seconds": 1.0,
}

KILLED = "leading scheduler: killed by SIGKILL"
RESTARTED = "Postgres: stopped immediately and restarted"
DOWN = "provider: down for 2 to 12 s, its webhooks lost"
FROZEN = "projector: one of two frozen beyond its heartbeat limit"


def kill_leaders(home: Home, seed: int, kills: int, tally: Tally) -> None:
    """Run campaigns, each on its own server, until `kills` leaders were killed."""
    while tally.happened[KILLED] < kills:
        own = Home(home.folder / str(seed))
        try:
            with embedded_postgres(own.folder, DURABLE) as url:
                _run_campaign(url, own, seed, tally)
        except AssertionError as violation:
            tally.violations.append(f"kills, seed {seed}: {violation}")
        seed += 1
        progress(f"{tally.happened[KILLED]} kills")


def _run_campaign(url: str, home: Home, seed: int, tally: Tally) -> None:
    """Kill one leader after another until nearly all contacts were called."""
    random = Random(f"{seed} kills")
    settings: dict[str, Any] = {
        "speed": 60,
        "seed": seed,
        "faults": FAULTS,
        "concurrency_limit": random.choice([CAP, CAP - 1]),
        "over_limit": random.choice(["refuse", "end"]),
    }
    with running_cluster(
        url, webhooks=True, rate=1, projector=False, **settings
    ) as cluster:
        outages = Outages(cluster, home, random, tally)
        campaign_id = cluster.services.campaign(PEOPLE, cap=CAP)
        until = monotonic() + LONGEST_KILLING
        for _ in range(STANDBYS):
            cluster.start_scheduler("--skew", _skew(random))
        while _reached(cluster) < PEOPLE * 0.8 and monotonic() < until:
            leader = _leader(cluster)
            Event().wait(random.uniform(0.2, 2.5))
            kill(leader)
            tally.happened[KILLED] += 1
            cluster.start_scheduler("--skew", _skew(random))
            outages.draw()
        never_called = cluster.assert_matches_ledger(campaign_id, PEOPLE, CAP)
        tally.never_called += never_called.total()
        tally.provider += _misbehaviour(cluster)
        tally.campaigns += 1
        tally.contacts += PEOPLE
        tally.calls += _calls(cluster)


def _misbehaviour(cluster: Cluster) -> Counter[str]:
    """Count the calls that ended before ringing, and those with two reports."""
    counts: Counter[str] = Counter()
    for call in cluster.simulator.ledger()["calls"]:
        reports = [one for one in call["webhooks"] if one["label"] == REPORT]
        counts["call that ended before ringing"] += call["ringingAt"] is None
        counts["call with two reports"] += len(reports) > 1
    return counts


def _skew(random: Random) -> str:
    """Return by how many seconds a scheduler's host clock is ahead."""
    return str(round(random.uniform(-300, 300)))


class Outages:
    """Random outages of Postgres, the provider and the projectors."""

    def __init__(
        self, cluster: Cluster, home: Home, random: Random, tally: Tally
    ) -> None:
        self._cluster, self._home = cluster, home
        self._random, self._tally = random, tally
        self._projectors = [cluster.start("projections") for _ in range(2)]

    def draw(self) -> None:
        """Cause a random outage, or more often none; return when it is over."""
        outages: dict[str, Callable[[], None]] = {
            RESTARTED: self._restart_postgres,
            DOWN: self._stop_provider,
            FROZEN: self._freeze_projector,
        }
        [kind] = self._random.choices(["", *outages], [81, 9, 6, 4])
        if kind:
            self._tally.happened[kind] += 1
            outages[kind]()

    def _restart_postgres(self) -> None:
        stop_postgres_immediately(self._home)
        self._cluster.exit_stack.enter_context(
            embedded_postgres(self._home.folder, DURABLE)
        )

    def _stop_provider(self) -> None:
        simulator = self._cluster.simulator
        plan = simulator.client.get("/simulator/faults").json()
        simulator.set_faults(**plan | {"down": True, "webhooks": {"lost": 1.0}})
        Event().wait(self._random.uniform(2, 12))
        simulator.set_faults(**plan)

    def _freeze_projector(self) -> None:
        """Freeze one of the two projectors until the other one must have taken over."""
        [projector] = self._random.sample(self._projectors, 1)
        projector.send_signal(signal.SIGSTOP)
        Event().wait(SILENT_AFTER + self._random.uniform(1, 4))
        projector.send_signal(signal.SIGCONT)


def _leader(cluster: Cluster) -> Popen[bytes]:
    """Wait for a running leader: killing a scheduler that never led shows nothing."""
    found: list[Popen[bytes]] = []

    def leads() -> bool:
        with suppress(OperationalError):  # Postgres may still be starting.
            found[:] = _leaders(cluster)
        return bool(found)

    eventually(leads, within=60, what="a leader")
    return found[0]


def _leaders(cluster: Cluster) -> list[Popen[bytes]]:
    beat = cluster.services.process_records.heartbeat("scheduler")
    pid = int(beat.holder.rpartition(":")[2]) if beat else 0
    return [
        process
        for process in cluster.schedulers
        if process.pid == pid and process.poll() is None
    ]


def _reached(cluster: Cluster) -> int:
    return sum(bool(call["ringingAt"]) for call in cluster.simulator.ledger()["calls"])


def _calls(cluster: Cluster) -> int:
    return len(cluster.simulator.ledger()["calls"])
