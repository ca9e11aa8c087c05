"""Rehearsals for tests: their orders, and the process that runs them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

from interfaces.rehearsals import rehearsal
from projections.campaigns.campaign_row import CampaignRow
from scheduler.rehearsal.__main__ import SIMULATED
from scheduler.rehearsal.results import figures_of
from scheduler.rehearsal.run import rehearsed
from storage.process.rehearsal_order import (
    FileToRead,
    RehearsalOrder,
    RehearsedAssistant,
)
from tests.wiring import UNRESTRICTED, phones

MORNING = datetime(2026, 3, 2, 15, tzinfo=UTC)
"""A Monday, 10 o'clock in New York."""

FAST = replace(UNRESTRICTED, dials_per_second=50.0)


def list_of(folder: Path, numbers: Sequence[str]) -> Path:
    """Write a contact file with these numbers."""
    file = folder / "people.csv"
    rows = (f"Person {n},{phone}" for n, phone in enumerate(numbers, start=1))
    file.write_text("\n".join(["name,phone", *rows, ""]))
    return file


def order_for(url: str, folder: Path, people: int = 6, **wanted: Any) -> RehearsalOrder:
    """Order the rehearsal of a campaign; fields of the order may be changed."""
    numbers = wanted.pop("numbers", None) or phones(people)
    order = RehearsalOrder(
        url=url,
        name="Spring",
        assistants=(RehearsedAssistant("a-1", "Riley", "{}"),),
        phone_number_id="n-1",
        begins_at=MORNING,
        settings=wanted.pop("settings", FAST),
        cap=3,
        file=FileToRead(str(list_of(folder, numbers)), "US"),
    )
    return replace(order, **wanted)


def run_here(order: RehearsalOrder, empty: str) -> dict[str, Any]:
    """Run a rehearsal in this process, in an empty database; return its figures."""
    seen: list[CampaignRow] = []
    with rehearsed(order, empty, SIMULATED, Event(), seen.append) as done:
        return figures_of(done)


def run_process(order: RehearsalOrder) -> dict[str, Any]:
    """Run a rehearsal in a process of its own; return its figures."""
    figures: dict[str, Any] = {}
    with rehearsal(order) as reports:
        for report in reports:
            figures = report.get("done", {})
    return figures
