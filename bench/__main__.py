"""`make bench`: one table from one run. ONLY=name runs one of the files here."""

import argparse
import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from time import perf_counter

from bench.figures import Figure, as_table, keep
from bench.site import Site, opened_site

BENCHMARKS = (
    "upload",
    "create",
    "webhook",
    "append",
    "rebuild",
    "ordering",
    "export",
    "latency",
    "reading",
    "million",
    "dispatch",
    "utilisation",
    "page",
)
"""Modules with `measure(site) -> Iterator[Figure]`, in the order of the table."""

DOCUMENT = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def main() -> int:
    """Print the table; 1 where a figure missed what is wanted, or could not be had."""
    arguments = _arguments()
    only = os.environ.get("ONLY", "")
    names = [name for name in BENCHMARKS if only in ("", name)]
    if not names:
        print(f"ONLY is one of {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder, opened_site(Path(folder)) as site:
        broken: list[str] = []
        figures = list(_measured(site, names, broken))
    keep(figures)
    text = f"{_machine()}\n\n{as_table(figures)}"
    print(text)
    if broken:
        print(f"Broke down: {', '.join(broken)}")
    if arguments.keep:
        _write_down(text)
    return 0 if all(figure.fine for figure in figures) and not broken else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench")
    note = "add the table to docs/benchmarks.md"
    parser.add_argument("--keep", action="store_true", help=note)
    return parser.parse_args()


def _measured(site: Site, names: list[str], broken: list[str]) -> Iterator[Figure]:
    """Measure what can be; note the names of those that broke down."""
    for name in names:
        _tell(f"{name} ...")
        start = perf_counter()
        try:
            for figure in import_module(f"bench.{name}").measure(site):
                _tell(as_table([figure]).splitlines()[-1])
                yield figure
        except Exception:  # noqa: BLE001 - the others took their minutes as well
            traceback.print_exc()
            broken.append(name)
        _tell(f"{name} took {perf_counter() - start:.0f} s")


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _machine() -> str:
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


def _write_down(text: str) -> None:
    """Put the newest run first."""
    before = DOCUMENT.read_text() if DOCUMENT.exists() else "# Benchmarks\n\n"
    head, mark, older = before.partition("\n## ")
    DOCUMENT.write_text(f"{head.rstrip()}\n\n## {text}\n{mark}{older}")


if __name__ == "__main__":
    sys.exit(main())
