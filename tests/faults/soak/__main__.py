"""`python -m tests.faults.soak`: thousands of faults, chosen by seed, and a report.

The soak has four parts. In virtual time, with all of the real code and a real
Postgres, processes crash, freeze or lose the answer of Postgres at random steps. The
same is done with campaigns that have retries, callbacks and opt-outs. Under
load each of our processes is repeatedly killed by SIGKILL. Finally the leading
scheduler is repeatedly killed, while Postgres and the provider fail and return, and
each process during a campaign with retries.
"""

import argparse
import logging
import sys
import tempfile
from pathlib import Path
from time import monotonic

from storage.process.embedded_postgres import embedded_postgres
from storage.process.postgres_supervisor import Home
from tests.conftest import FAST
from tests.faults.load import run_under_load
from tests.faults.retries.kill_retries import kill_with_retries
from tests.faults.retries.soak_retries import run_with_retries
from tests.faults.soak.killed_processes import kill_leaders
from tests.faults.soak.report import Load, Tally, report
from tests.faults.soak.virtual_crashes import own_database, run_in_virtual_time


def main() -> int:
    """Run the soak and write the report; return 1 if there was a violation."""
    arguments = _arguments()
    logging.disable(logging.CRITICAL)
    virtual, retries, real, retries_killed = Tally(), Tally(), Tally(), Tally()
    started = monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        embedded_postgres(Path(folder) / "pg", FAST) as url,
    ):
        run_in_virtual_time(url, arguments.seed, arguments.crashes, virtual)
        run_with_retries(url, arguments.seed, arguments.retry_crashes, retries)
        loads = [_load(url, arguments.seed, n, real) for n in range(arguments.loads)]
        home = Home(Path(folder) / "durable")
        kill_leaders(home, arguments.seed, arguments.kills, real)
        kill_with_retries(home, arguments.seed, arguments.retry_loads, retries_killed)
    minutes = (monotonic() - started) / 60
    parts = {
        "in virtual time": virtual,
        "retries, in virtual time": retries,
        "with SIGKILL": real,
        "retries, with SIGKILL": retries_killed,
    }
    text = report(arguments.seed, minutes, parts, loads)
    sys.stdout.write(text + "\n")
    if arguments.report:
        Path(arguments.report).write_text(text)
    return 1 if any(tally.violations for tally in parts.values()) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crashes", type=int, default=1800, help="in virtual time")
    parser.add_argument("--retry-crashes", type=int, default=900, help="with retries")
    parser.add_argument("--kills", type=int, default=200, help="of leading schedulers")
    parser.add_argument("--loads", type=int, default=2, help="campaigns under load")
    parser.add_argument(
        "--retry-loads", type=int, default=2, help="campaigns with retries and kills"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the first campaign")
    parser.add_argument("--report", help="the file to write the report to")
    return parser.parse_args()


def _load(url: str, seed: int, number: int, tally: Tally) -> Load:
    """Run one campaign under load; every second one has no webhooks."""
    webhooks = number % 2 == 0
    try:
        with own_database(url) as own:
            result = run_under_load(own, seed + number, webhooks=webhooks)
    except AssertionError as violation:
        tally.violations.append(f"load {number}: {violation}")
        return Load(webhooks, violation=str(violation))
    tally.happened += result.killed
    return Load(webhooks, result.killed.total(), result.never_called, result.seconds)


if __name__ == "__main__":
    sys.exit(main())
