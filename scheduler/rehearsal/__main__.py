"""The process of one rehearsal: `python -m scheduler.rehearsal`.

It reads the order as one line of JSON from its standard input, and ends when that is
closed. It writes one line of JSON to its standard output for each step of the progress,
then one with the figures, or one with the reason of a refusal.
"""

import logging
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any

import orjson

from application.contacts.files.columns import InvalidMapping
from application.contacts.files.unreadable import MappingNeeded, UnreadableFile
from application.errors import Failure
from application.ports import PhoneNumber, ProviderAssistant
from domain.errors import Refused
from projections.campaigns.campaign_row import CampaignRow
from projections.exports.results import ExportOptions
from provider.simulator.scenarios import outage_of, settings_of
from provider.simulator.virtual.provider import VirtualExchange
from provider.vapi.messages.reading import read_message
from scheduler.rehearsal.results import (
    figures_of,
    progress_of,
    write_events,
    write_export,
)
from scheduler.rehearsal.run import Replaced, rehearsed
from scheduler.rehearsal.virtual_time import VirtualClock
from storage.process.rehearsal_database import rehearsal_database
from storage.process.rehearsal_order import (
    CONTACT_COLUMNS,
    RehearsalOrder,
    order_from_json,
)

PROGRESS_SECONDS = 0.25
"""Real time between two lines about the progress."""

REFUSALS = (Refused, Failure, UnreadableFile, MappingNeeded, InvalidMapping)


def main() -> int:
    """Run one rehearsal; return the exit code, 1 for a refusal."""
    logging.disable(logging.WARNING)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    order = order_from_json(sys.stdin.buffer.readline())
    Thread(target=_stop_with_stdin, args=(stop,), daemon=True).start()
    try:
        _rehearse(order, stop)
    except REFUSALS as refusal:
        _write({"refused": str(refusal)})
        return 1
    return 0


def exchange_of(order: RehearsalOrder, clock: VirtualClock) -> VirtualExchange:
    """Return the simulated provider with the order's assistants and line."""
    assistants = {
        one.provider_id: ProviderAssistant(
            one.provider_id, one.name, orjson.loads(one.config)
        )
        for one in order.assistants
    }
    return VirtualExchange(
        settings=settings_of(order.scenario, order.seed),
        outage=outage_of(order.scenario),
        now=clock,
        assistants=assistants,
        lines=(PhoneNumber(order.phone_number_id, None, "Rehearsal", "active"),),
    )


SIMULATED = Replaced(exchange_of, read_message)


def _rehearse(order: RehearsalOrder, stop: Event) -> None:
    began, reported = monotonic(), float("-inf")

    def on_progress(row: CampaignRow) -> None:
        nonlocal reported
        if monotonic() - reported >= PROGRESS_SECONDS:
            reported = monotonic()
            _write({"progress": progress_of(row, order.begins_at)})

    with (
        rehearsal_database(order.url) as url,
        rehearsed(order, url, SIMULATED, stop, on_progress) as done,
    ):
        if order.export:
            write_export(done, Path(order.export))
        if order.contacts:
            columns = ExportOptions(columns=CONTACT_COLUMNS)
            write_export(done, Path(order.contacts), columns)
        if order.events:
            write_events(done, Path(order.events), payloads=order.payloads)
        seconds = round(monotonic() - began, 3)
        figures = figures_of(done) | {"seconds": seconds, "stopped": stop.is_set()}
    _write({"done": figures})


def _write(line: dict[str, Any]) -> None:
    with suppress(BrokenPipeError):
        sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
        sys.stdout.buffer.flush()


def _stop_with_stdin(stop: Event) -> None:
    # Not through the buffer, whose lock this thread would hold when the process ends.
    while os.read(sys.stdin.fileno(), 1):
        pass
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
