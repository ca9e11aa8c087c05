"""`python -m tests.faults.soak`: thousands of faults by seed, and what came of them.

Three parts. In virtual time, with all of the real code and a real Postgres, processes
die, freeze or lose the store's answer at chosen steps. In storms all our processes are
ended by SIGKILL, again and again. Then whichever scheduler leads is, while Postgres
and the provider come and go.
"""

import argparse
import logging
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from subprocess import Popen
from threading import Event
from time import monotonic
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg import OperationalError

from domain.values import DialMode
from projections.runner import SILENT_AFTER
from projections.verify import verify
from storage.embedded import embedded_postgres
from storage.keeper import Home
from tests.conftest import FAST
from tests.faults.drama import ByChance, Drama, playhouse, staged
from tests.faults.exchange import Rates
from tests.faults.judge import judged
from tests.faults.stage import DURABLE, Stage, on_stage, stop_at_once
from tests.faults.storm import storm
from tests.support import eventually
from tests.wiring import House

A_HOUSE = 20
"""Campaigns on one database, after which its read tables are counted anew."""

PEOPLE, CAP, STANDBYS, LONGEST_KILLING = 60, 4, 3, 180.0
"""Of a campaign in real time."""

SPOILT = {
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
    "late_seconds": 1.0,
    "list_lag_seconds": 0.5,
    "stale_seconds": 1.0,
}


@dataclass
class Tally:
    campaigns: int = 0
    calls: int = 0
    webhooks: int = 0
    never_called: int = 0
    contacts: int = 0
    happened: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def crashes(self) -> int:
        return sum(
            count
            for what, count in self.happened.items()
            if " dies: " in what or "SIGKILL" in what
        )


KILLED = "scheduler that leads: killed by SIGKILL"
RESTARTED = "Postgres: stopped at once and started"
AWAY = "provider: away for 2 to 12 s, its webhooks lost"
FROZEN = "projector: one of two is frozen for longer than silence may last"


def main() -> int:
    """Run, print the report; 1 where anything was found wrong."""
    wanted = _arguments()
    logging.disable(logging.CRITICAL)
    tally, started = Tally(), monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        embedded_postgres(Path(folder) / "pg", FAST) as url,
    ):
        virtual = Tally()
        _in_virtual_time(url, wanted, virtual)
        storms = _storms(url, wanted, tally)
        _in_real_time(Home(Path(folder) / "durable"), wanted, tally)
    report = _report(wanted, virtual, tally, monotonic() - started) + storms
    sys.stdout.write(report + "\n")
    if wanted.report:
        Path(wanted.report).write_text(report)
    return 1 if virtual.wrong + tally.wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crashes", type=int, default=1800, help="in virtual time")
    parser.add_argument("--kills", type=int, default=200, help="by SIGKILL")
    parser.add_argument("--storms", type=int, default=2, help="of all processes")
    parser.add_argument("--seed", type=int, default=1, help="of the first campaign")
    parser.add_argument("--report", help="a file for the report")
    return parser.parse_args()


# --- In virtual time -----------------------------------------------------------------


def _in_virtual_time(url: str, wanted: argparse.Namespace, tally: Tally) -> None:
    seed = wanted.seed
    while tally.crashes < wanted.crashes:
        with _database(url) as own, playhouse(own) as house:
            for one in range(seed, seed + A_HOUSE):
                _play(house, one, tally)
            _recount(house, tally)
        seed += A_HOUSE
        _say(f"{tally.campaigns} campaigns, {tally.crashes} deaths")


def _play(house: House, seed: int, tally: Tally) -> None:
    dice = Random(seed)
    fate = ByChance(dice, mean=dice.choice([4, 8, 16]))
    people, cap = dice.randint(3, 8), dice.randint(1, 4)
    rates = replace(Rates(), lost=dice.choice([0.1, 0.1, 1.0]))
    mode = dice.choice(list(DialMode))
    drama = staged(house, seed, fate, people=people, cap=cap, rates=rates, mode=mode)
    drama.meddling = dice.choice([0.0, 0.0, 0.05])
    try:
        drama.run()
    except AssertionError as stuck:
        tally.wrong.append(f"seed {seed}: I8: {stuck}")
        return
    _count(drama, tally, people)
    verdict = judged(drama, cap)
    tally.never_called += verdict.never_called
    tally.wrong += [f"seed {seed}: {said}" for said in verdict.wrong]


def _count(drama: Drama, tally: Tally, people: int) -> None:
    tally.campaigns += 1
    tally.contacts += people
    tally.calls += len(drama.exchange.lives)
    tally.webhooks += len(drama.exchange.acknowledged)
    tally.happened += drama.trace.happened


def _recount(house: House, tally: Tally) -> None:
    house.settle()
    verify(
        house.url,
        now=house.now,
        tell=lambda problem: tally.wrong.append(f"I7: {problem}"),
    )


# --- In real time --------------------------------------------------------------------


def _in_real_time(home: Home, wanted: argparse.Namespace, tally: Tally) -> None:
    """Each campaign has a server of its own, which is stopped and started too."""
    seed = wanted.seed
    while tally.happened[KILLED] < wanted.kills:
        own = Home(home.folder / str(seed))
        try:
            with embedded_postgres(own.folder, DURABLE) as url:
                _kill(url, own, seed, tally)
        except AssertionError as wrong:
            tally.wrong.append(f"kills, seed {seed}: {wrong}")
        seed += 1
        _say(f"{tally.happened[KILLED]} kills")


def _kill(url: str, home: Home, seed: int, tally: Tally) -> None:
    """End whoever leads, again and again, until nearly all were called."""
    dice = Random(f"{seed} kills")
    settings: dict[str, Any] = {"speed": 60, "seed": seed, "faults": SPOILT}
    with on_stage(url, webhooks=True, rate=1, projector=False, **settings) as stage:
        trouble = Trouble(stage, home, dice, tally)
        campaign_id = stage.house.campaign(PEOPLE, cap=CAP)
        until = monotonic() + LONGEST_KILLING
        for _ in range(STANDBYS):
            stage.schedule("--wrong", _wrong(dice))
        while _calls(stage) < PEOPLE * 0.9 and monotonic() < until:
            leader = _leader(stage)
            Event().wait(dice.uniform(0.2, 2.5))
            leader.kill()
            leader.wait()
            tally.happened[KILLED] += 1
            stage.schedule("--wrong", _wrong(dice))
            trouble.comes()
        tally.never_called += stage.ends_true(campaign_id, PEOPLE, CAP).total()
        tally.campaigns += 1
        tally.contacts += PEOPLE
        tally.calls += _calls(stage)


def _wrong(dice: Random) -> str:
    """By how many seconds a scheduler's host is wrong."""
    return str(round(dice.uniform(-300, 300)))


class Trouble:
    """What the processes stand on goes away now and then, and comes back."""

    def __init__(self, stage: Stage, home: Home, dice: Random, tally: Tally) -> None:
        self._stage, self._home, self._dice, self._tally = stage, home, dice, tally
        self._projectors = [stage.start("projections") for _ in range(2)]

    def comes(self) -> None:
        kinds = {"": 81, RESTARTED: 9, AWAY: 6, FROZEN: 4}
        [kind] = self._dice.choices(list(kinds), list(kinds.values()))
        if kind:
            self._tally.happened[kind] += 1
            {RESTARTED: self._restart, AWAY: self._go, FROZEN: self._freeze}[kind]()

    def _restart(self) -> None:
        stop_at_once(self._home)
        again = embedded_postgres(self._home.folder, DURABLE)
        self._stage.opened.enter_context(again)

    def _go(self) -> None:
        simulator = self._stage.simulator
        plan = simulator.client.get("/simulator/faults").json()
        simulator.set_faults(**plan | {"down": True, "webhooks": {"lost": 1.0}})
        Event().wait(self._dice.uniform(2, 12))
        simulator.set_faults(**plan)

    def _freeze(self) -> None:
        """Stop one of the two projectors until the other one leads."""
        [one] = self._dice.sample(self._projectors, 1)
        one.send_signal(signal.SIGSTOP)
        Event().wait(SILENT_AFTER + self._dice.uniform(1, 4))
        one.send_signal(signal.SIGCONT)


def _leader(stage: Stage) -> Popen[bytes]:
    """Wait until one that lives leads; one that never led is not worth a kill."""
    found: list[Popen[bytes]] = []

    def leads() -> bool:
        with suppress(OperationalError):  # The store may be starting still.
            found[:] = _who_leads(stage)
        return bool(found)

    eventually(leads, within=60, said="a leader")
    return found[0]


def _who_leads(stage: Stage) -> list[Popen[bytes]]:
    beat = stage.house.operations.heartbeat("scheduler")
    pid = int(beat.holder.rpartition(":")[2]) if beat else 0
    return [one for one in stage.schedulers if one.pid == pid and one.poll() is None]


def _calls(stage: Stage) -> int:
    return len(stage.simulator.ledger()["calls"])


def _storms(url: str, wanted: argparse.Namespace, tally: Tally) -> str:
    """Tell of a campaign with every process killed; each second one has no webhooks."""
    lines = [STORMS]
    for number in range(wanted.storms):
        webhooks = number % 2 == 0
        heard = "lost, late and repeated" if webhooks else "all lost"
        try:
            with _database(url) as own:
                came = storm(own, wanted.seed + number, webhooks=webhooks)
        except AssertionError as wrong:
            tally.wrong.append(f"storm {number}: {wrong}")
            lines.append(f"| {heard} | went wrong: {wrong} | | |")
        else:
            tally.happened += came.killed
            why = ", ".join(f"{n} {reason}" for reason, n in came.never_called.items())
            row = f"{came.killed.total()} | {why or 0} | {came.seconds:.0f} s"
            lines.append(f"| {heard} | {row} |")
    return "\n".join([*lines, "", LIMITS])


LIMITS = """## What it does not show

The provider's list lags by less than the quarantine here. One that lags longer may
have a person called twice: that is found out, the newer call is hung up and nobody is
called any more until an admin has looked (`tests/faults/test_steps.py`), but it is not
prevented. Databases that are restored or failed over are tested by themselves
(`tests/faults/test_recovery.py`, `tests/end_to_end`).
"""

STORMS = """
## All processes killed

250 contacts, cap 12; 8 % of the requests answered 429, 12 % errors (half of them after
acting), 3 % hang; two schedulers, the projector and the API are each ended by SIGKILL
every 2 to 5 s for 40 s. No number twice, the cap never exceeded, the outcomes are those
of the ledger.

| webhooks | kills | never called, and why | until all was told |
| --- | ---: | ---: | ---: |"""

# --- The report ----------------------------------------------------------------------


def _report(wanted: argparse.Namespace, virtual: Tally, real: Tally, s: float) -> str:
    today = datetime.now(UTC).date()
    both = virtual.wrong + real.wrong
    lines = [
        "# Soak",
        "",
        f"`make soak` on {today}, seeds from {wanted.seed}, {s / 60:.0f} minutes.",
        "",
        "| | in virtual time | with SIGKILL | all |",
        "| --- | ---: | ---: | ---: |",
        *(
            f"| {name} | {a:,} | {b:,} | {a + b:,} |"
            for name, a, b in zip(ROWS, _row(virtual), _row(real), strict=True)
        ),
        "",
        "What was found wrong: " + ("nothing." if not both else ""),
        *(f"- {said}" for said in both),
        "",
        HOW,
        "| what happened, to whom, when | times |",
        "| --- | ---: |",
        *(
            f"| {what} | {count} |"
            for what, count in sorted((virtual.happened + real.happened).items())
        ),
        "",
    ]
    return "\n".join(lines)


ROWS = (
    "campaigns",
    "contacts",
    "calls at the provider",
    "crashes",
    "freezes with a take-over",
    "commits that failed or whose answer was lost",
    "people called twice (I1)",
    "caps exceeded (I2)",
    "wrong starts, calls unknown to us or to them (I3)",
    "acknowledged webhooks missing (I4)",
    "counts that differ from the ledger (I6)",
    "rows that differ from the log (I7)",
    "contacts or campaigns without an end (I8)",
    "called while paused or canceled (I12)",
    "wrong reasons or costs",
    "never called, each with its reason",
)

KINDS = ("I1:", "I2:", "I3:", "I4:", "I6:", "I7:", "I8:", "I12:", "truth:")

HOW = """Faults by chance besides: a fifth of the requests fail before or after the
provider acted, or come to it late; 8 % are told not now; a tenth of the reads fail; a
tenth of the webhooks (in a third of the campaigns all) are lost, a quarter late, 15 %
repeated; the provider's list lags by up to 12 s. A person pauses and resumes.
Crashes are counted by the step that they came before or after. With SIGKILL the
schedulers' hosts have clocks that are wrong by up to five minutes, Postgres is stopped
at once now and then, one of two projectors is frozen, and the provider goes away for
longer than silence lasts; answers are stale, too, and messages come out of order.
"""


def _row(tally: Tally) -> list[int]:
    happened = tally.happened.items()
    freezes = sum(count for what, count in happened if " freezes: " in what)
    stores = sum(count for what, count in happened if " loses the store: " in what)
    wrong = [sum(f": {kind}" in f": {said}" for said in tally.wrong) for kind in KINDS]
    head = [tally.campaigns, tally.contacts, tally.calls, tally.crashes]
    return [*head, freezes, stores, *wrong, tally.never_called]


# --- Shared --------------------------------------------------------------------------


@contextmanager
def _database(url: str) -> Iterator[str]:
    name = f"soak_{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
        connection.execute(f"drop database {name} with (force)".encode())


def _say(progress: str) -> None:
    sys.stderr.write(progress + "\n")


if __name__ == "__main__":
    sys.exit(main())
