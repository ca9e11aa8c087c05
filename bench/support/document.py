"""The page docs/benchmarks.md: its introduction, and the tables that are added."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"
INTRODUCTION = """# Benchmarks

`make bench` runs all benchmarks, prints one table and writes `bench/results.json`.
`ONLY=name make bench` runs one module of `bench/`. `make bench ARGS=--keep` also adds
the table to this page.

Compare only the ratios: value and baseline are measured alternately in the same run,
and each is the median of three rounds. The values depend on the machine. A figure "of
the limit" has as its baseline the least that any program must do: a bare route, bare
SQL, COPY. A target with `>=` limits the ratio, or the value if it has a unit; a target
with `<=` limits the value, or the ratio where a smaller value is better.

`NUMBERS=100000000 ONLY=suppression_list make bench` measures a suppression list of
another size than 10,000,000 numbers.

`python -m bench.day --minutes 10 --calls 1000` measures a customer's day: two processes
of each role, Postgres, the provider's simulator and 100 open dashboards run on this
machine; 20 campaigns with retries keep 1,000 calls live; a file of 200,000 rows is
imported, the campaign exported and the read tables rebuilt meanwhile. It writes
`bench/day.json`; `--keep` adds its table too. `--minutes 1 --calls 50 --rows 5000` is a
short run. CPU times count the calls that were started while it measured.

[growth.md](growth.md) shows how costs grow with the data; `python -m bench.growth
--keep` writes it. [log-at-size.md](log-at-size.md) shows how many bytes an event needs.
`ONLY=peers make bench` compares appends with the event store emmett-postgresql, if Node
and npm are installed; otherwise it says that the peer is not available.
"""


def machine() -> str:
    """Describe when and on which machine a run took place."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores"
        f" ({_processor()}), {memory:.0f} GiB, {platform.system()}"
        f" {platform.release()}, Python {platform.python_version()},"
        " embedded Postgres with its default settings on the same machine"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    named = (line.partition(":")[2] for line in lines if line.startswith("model name"))
    return next(named, platform.machine()).strip()


def add_to_document(text: str) -> None:
    """Insert the table below the introduction, before the older runs."""
    before = DOCUMENT.read_text() if DOCUMENT.exists() else INTRODUCTION
    _, mark, older = before.partition("\n## ")
    DOCUMENT.write_text(f"{INTRODUCTION}\n## {text}\n{mark}{older}")
