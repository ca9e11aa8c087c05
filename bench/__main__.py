"""`make bench`: measure everything and print one table.

The environment variable ONLY names a single module to run, without its folder.
"""

import argparse
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from time import perf_counter

from bench.support.document import add_to_document, machine
from bench.support.figures import Figure, as_table, save_results
from bench.support.installation import Server, start_server

BENCHMARKS = (
    "lists.upload",
    "lists.upload_workbook",
    "create_campaign",
    "redial",
    "webhooks.webhook",
    "append",
    "peers",
    "rebuild",
    "missed_events",
    "export",
    "webhooks.webhook_to_frame",
    "webhooks.webhook_endpoint",
    "webhooks.hanging_endpoint",
    "large_campaign",
    "lists.large_import",
    "scheduler_pass",
    "forecast",
    "lists.suppression_list",
    "lists.dialability",
    "slot_utilisation",
    "dashboard_page",
)
"""Modules with `measure(server) -> Iterator[Figure]`, in the order of the table."""


def main() -> int:
    """Print the table; return 1 if a figure missed its target or a benchmark failed."""
    arguments = _arguments()
    only = os.environ.get("ONLY", "")
    modules = {name.rpartition(".")[2]: name for name in BENCHMARKS}
    names = [name for short, name in modules.items() if only in ("", short)]
    if not names:
        print(f"ONLY is one of {', '.join(modules)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder, start_server(Path(folder)) as server:
        failed: list[str] = []
        figures = list(_measured(server, names, failed))
    save_results(figures)
    text = f"{machine()}\n\n{as_table(figures)}"
    print(text)
    if failed:
        print(f"Failed: {', '.join(failed)}")
    if arguments.keep:
        add_to_document(text)
    return 0 if all(figure.meets_target for figure in figures) and not failed else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench")
    note = "add the table to docs/benchmarks.md"
    parser.add_argument("--keep", action="store_true", help=note)
    return parser.parse_args()


def _measured(server: Server, names: list[str], failed: list[str]) -> Iterator[Figure]:
    """Run the benchmarks; append the names of those that fail to `failed`."""
    for name in names:
        _log(f"{name} ...")
        start = perf_counter()
        try:
            for figure in import_module(f"bench.{name}").measure(server):
                _log(as_table([figure]).splitlines()[-1])
                yield figure
        except Exception:  # noqa: BLE001 - keep the results of the other benchmarks
            traceback.print_exc()
            failed.append(name)
        _log(f"{name} took {perf_counter() - start:.0f} s")


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
