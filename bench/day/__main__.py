"""A customer's day: `python -m bench.day --minutes 10 --calls 1000`.

Two processes of each role, the provider's simulator and Postgres run on this machine.
20 campaigns with retries keep `--calls` calls live, under calling rules, frequency caps
and a suppression list; results are sent to an endpoint; dashboards are open. After a
quarter of the time a file of `--rows` rows is imported, the new campaign is exported,
and the read tables are rebuilt. The table has a goal for most figures; the figures are
also written to `bench/day.json`.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

from bench.day.dashboards import read_frames
from bench.day.meters import cpu_of, measuring
from bench.day.processes import Fleet, running
from bench.day.results import Recorded, Span, figures_of
from bench.day.scale import Scale
from bench.day.work import Work
from bench.support.document import add_to_document, machine
from bench.support.figures import Figure, as_table
from bench.support.installation import Server, process, start_server, wait_for

RESULTS = Path(__file__).parents[1] / "day.json"
POSITIONS = """
select originator_id::text, topic, min(notification_id) from autolynx_events
where topic in ('call.ringing', 'call.answered', 'call.ended', 'call.reported')
group by originator_id, topic
"""


def main() -> int:
    """Print the table; return 1 if a figure missed its goal."""
    arguments = _arguments()
    scale = Scale(
        minutes=arguments.minutes,
        calls=arguments.calls,
        rows=arguments.rows,
        dashboards=arguments.dashboards,
    )
    with tempfile.TemporaryDirectory() as folder, start_server(Path(folder)) as server:
        figures = list(figures_of(run_day(server, scale)))
    title = f"{machine()}: a day of {scale.minutes:g} minutes, {scale.calls:,} calls"
    text = f"{title}\n\n{as_table(figures)}"
    print(text)
    _save(scale, figures)
    if arguments.keep:
        add_to_document(text)
    return 0 if all(figure.meets_target for figure in figures) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.day")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--calls", type=int, default=1_000, help="at the same time")
    parser.add_argument("--rows", type=int, default=200_000, help="of the large import")
    parser.add_argument("--dashboards", type=int, default=100)
    note = "add the table to docs/benchmarks.md"
    parser.add_argument("--keep", action="store_true", help=note)
    return parser.parse_args()


def run_day(server: Server, scale: Scale) -> Recorded:
    """Run all processes and a day's work; return what was recorded."""
    frames = server.folder / "frames.json"
    with running(server, scale) as fleet, Work(server, fleet, scale) as work:
        campaigns = work.prepare()
        wait_for(fleet.installed.has_caught_up, "the projector")
        with (
            _dashboards(fleet, scale, campaigns, frames) as pid,
            measuring(fleet, pids := fleet.pids | {"dashboards": pid}) as measured,
        ):
            work.start(campaigns)
            sleep(scale.warm_up)
            start, used, starts_at = monotonic(), cpu_of(pids), datetime.now(UTC)
            sleep(max(scale.seconds / 4 - scale.warm_up, 0))
            operations = work.large_operations()
            _log(f"large operations took {operations}")
            end = start + scale.seconds - scale.warm_up
            sleep(max(end - monotonic(), 0))
            span = Span(start, monotonic(), starts_at, datetime.now(UTC))
            cpu = {name: now - used[name] for name, now in cpu_of(pids).items()}
        return Recorded(
            scale=scale,
            span=span,
            traffic=fleet.read_traffic(),
            frames=read_frames(frames),
            measured=measured,
            ledger=fleet.ledger(),
            positions=_positions(fleet),
            cpu=cpu,
            statuses=work.statuses,
            operations=operations,
        )


@contextmanager
def _dashboards(
    fleet: Fleet, scale: Scale, campaigns: list[str], file: Path
) -> Iterator[int]:
    """Open the dashboards during the block; yield the id of their process."""
    settings = {
        "apis": fleet.apis,
        "token": fleet.installed.token,
        "campaigns": campaigns,
        "dashboards": scale.dashboards,
        "file": str(file),
    }
    arguments = [json.dumps(settings)]
    with process("bench.day.dashboards", {}, arguments) as started:
        wait_for(file.exists, "the dashboards")
        yield started.pid


def _positions(fleet: Fleet) -> Mapping[tuple[str, str], int]:
    with fleet.installed.pool.connection() as connection:
        rows = connection.execute(POSITIONS).fetchall()
    return {(call_id, topic): position for call_id, topic, position in rows}


def _save(scale: Scale, figures: list[Figure]) -> None:
    found = {
        "machine": machine(),
        "minutes": scale.minutes,
        "calls": scale.calls,
        "rows": scale.rows,
        "figures": [
            {**one.as_json(), "details": one.details, "met": one.meets_target}
            for one in figures
        ],
    }
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
