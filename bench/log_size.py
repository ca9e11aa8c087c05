"""The log at size: bytes per event by table and index, and what 100,000,000 need.

Run `python -m bench.log_size --calls 3000`; `--keep` writes docs/log-at-size.md and its
curve. As many contacts as calls are imported, and the API stores webhooks about the
calls, with reports of 9 KB. Two logs are measured: their difference leaves out what
does not grow with the log.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.support.contact_files import write_people
from bench.support.document import machine
from bench.support.http_load import post, send
from bench.support.installation import Installation, Server, start_server, wait_for
from bench.support.webhook_messages import HEADERS, placed_calls, report, status_update

DOCS = Path(__file__).parents[1] / "docs"
CONNECTIONS, EVENTS = 8, 100_000_000
LOG = "autolynx_events"
VAULT = ("contact_vault", "message_vault", "words_vault", "key_vault", "reject_vault")
SIZES = """
select t.relname, i.relname, pg_relation_size(i.oid)
from pg_class t
join pg_namespace n on n.oid = t.relnamespace
join pg_index x on x.indrelid = t.oid join pg_class i on i.oid = x.indexrelid
where t.relkind = 'r' and n.nspname in ('public', 'read')
union all
select t.relname, '', pg_table_size(t.oid)
from pg_class t join pg_namespace n on n.oid = t.relnamespace
where t.relkind = 'r' and n.nspname in ('public', 'read')
"""
HEAD = "| part | relation | bytes per event | GB at 100,000,000 events |"

type Relation = tuple[str, str]
"""A table and its index; the index is empty for the table itself."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Number of events, and bytes by relation."""

    events: int
    bytes: Mapping[Relation, int]

    def per_event(self, smaller: "Sizes") -> dict[Relation, float]:
        """Return the bytes that each event adds, by relation, the most first."""
        more = self.events - smaller.events
        grown = {
            name: (size - smaller.bytes.get(name, 0)) / more
            for name, size in self.bytes.items()
        }
        return dict(sorted(grown.items(), key=lambda one: -one[1]))


def main() -> int:
    """Print the table of bytes per event."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder, start_server(Path(folder)) as server:
        few, many = (
            _measured(server, calls)
            for calls in (arguments.calls // 3, arguments.calls)
        )
    table = as_table(many.per_event(few))
    print(table)
    if arguments.keep:
        _keep(many.per_event(few), f"{machine()}, {many.events:,} events", table)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.log_size")
    parser.add_argument("--calls", type=int, default=3_000)
    parser.add_argument("--keep", action="store_true", help="write docs/log-at-size.md")
    return parser.parse_args()


def _measured(server: Server, calls: int) -> Sizes:
    with _filled(server, calls) as installation:
        with installation.pool.connection() as connection:
            rows = connection.execute(SIZES.encode()).fetchall()
        events = installation.app.recorder.max_notification_id() or 0
        return Sizes(events, {(table, index): size for table, index, size in rows})


@contextmanager
def _filled(server: Server, calls: int) -> Iterator[Installation]:
    """Yield an installation in which all webhooks of these calls are stored."""
    with server.installation() as installation:
        people = write_people(server.folder / f"{calls}.csv", calls)
        upload = installation.upload(people)["id"]
        installation.create_campaign(upload, installation.assistant())
        placed = placed_calls(installation.app, calls)
        path = f"{installation.url}/webhooks/vapi"
        for bodies in (
            [status_update(call, "ringing") for call in placed],
            [status_update(call, "in-progress") for call in placed],
            [report(call) for call in placed],
        ):
            requests = [post(path, HEADERS, body) for body in bodies]
            send(installation.url, requests, CONNECTIONS)
        wait_for(installation.has_caught_up, "the projector", 600)
        yield installation


def part_of(table: str) -> str:
    """Return the part of the database to which a table belongs."""
    if table == LOG:
        return "log"
    return "vault" if table in VAULT else "read tables"


def as_table(per_event: Mapping[Relation, float]) -> str:
    """Return a Markdown table of the relations with at least a byte per event."""
    lines = [HEAD, "| --- | --- | --- | --- |"]
    for (table, index), size in per_event.items():
        if size >= 1:
            name = f"{table}, index {index}" if index else table
            lines.append(_line(part_of(table), name, size))
    for part, size in by_part(per_event).items():
        lines.append(_line(part, "all", size))
    return "\n".join([*lines, _line("all", "all", sum(per_event.values()))])


def _line(part: str, name: str, size: float) -> str:
    return f"| {part} | {name} | {size:.0f} | {size * EVENTS / 1e9:.1f} |"


def by_part(per_event: Mapping[Relation, float]) -> dict[str, float]:
    """Return the bytes per event of the log, the vault and the read tables."""
    found = dict.fromkeys(("log", "vault", "read tables"), 0.0)
    for (table, _), size in per_event.items():
        found[part_of(table)] += size
    return found


def _keep(per_event: Mapping[Relation, float], measured: str, table: str) -> None:
    """Replace the measurement of the page, and draw the curve."""
    page = DOCS / "log-at-size.md"
    before, _, _ = page.read_text().partition("\n## Measured\n")
    page.write_text(f"{before}\n## Measured\n\n{measured}\n\n{table}\n")
    mpl.rcParams["svg.hashsalt"] = "autolynx"  # The same sizes give the same file.
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    millions = range(0, 101, 10)
    parts = by_part(per_event)
    stacked = [[size * at / 1e3 for at in millions] for size in parts.values()]
    axes.stackplot(millions, stacked, labels=list(parts))
    axes.set(xlabel="million events", ylabel="GB")
    axes.legend(loc="upper left")
    figure.savefig(DOCS / "growth" / "log-size.svg", metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main())
