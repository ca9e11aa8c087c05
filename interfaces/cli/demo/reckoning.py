"""Checks that our counters, the export and the provider's ledger agree."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

PARTS = (
    "pending",
    "queued",
    "ringing",
    "inProgress",
    "ended",
    "failed",
    "canceled",
    "timedOut",
)

CANCELED = "CANCELED"
"""Status of a contact that is withheld, such as one with a suppressed number."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The request, the results of AutoLynx, and the calls that the provider made.

    `phones` are the numbers of the file, `suppressed` those that may not be called.
    """

    campaign_id: str
    cap: int
    phones: Sequence[str]
    progress: Mapping[str, Any]
    rows: Sequence[Mapping[str, str]]
    ledger: Mapping[str, Any]
    suppressed: Sequence[str] = ()

    @property
    def calls(self) -> list[Mapping[str, Any]]:
        """The calls in the provider's ledger."""
        return list(self.ledger["calls"])

    @property
    def most_at_once(self) -> int:
        """Most concurrent calls of the campaign according to the provider."""
        return int(self.ledger["highWater"]["campaigns"].get(self.campaign_id, 0))

    def most_rung(self) -> int:
        """Return how often one phone rang at most."""
        rang = Counter(c["number"] for c in self.calls if c["ringingAt"])
        return max(rang.values(), default=0)


def read_export(file: Path) -> list[dict[str, str]]:
    """Read the exported CSV; return one dictionary per contact."""
    with file.open(encoding="utf-8-sig", newline="") as text:
        return list(csv.DictReader(text))


def problems(of: Evidence) -> list[str]:
    """Return all contradictions."""
    return [*_of_counters(of), *_of_calls(of), *_of_export(of)]


def _of_counters(of: Evidence) -> Iterator[str]:
    if of.progress["state"] != "COMPLETED":
        yield f"the campaign is {of.progress['state']}, not COMPLETED"
    counted = sum(of.progress[part] for part in PARTS)
    if not counted == of.progress["contacts"] == len(of.phones):
        yield (
            f"counters add up to {counted} of {of.progress['contacts']} contacts,"
            f" {len(of.phones)} were in the file"
        )


def _of_calls(of: Evidence) -> Iterator[str]:
    attempts = Counter((c["number"], c["metadata"].get("attempt")) for c in of.calls)
    for (number, attempt), calls in attempts.items():
        if calls > 1:
            yield f"{number} was called {calls} times in attempt {attempt}"
    if of.most_rung() > 1:
        yield f"a number was rung {of.most_rung()} times"
    if of.most_at_once > of.cap:
        yield f"{of.most_at_once} calls were live at once, the cap is {of.cap}"
    for number in sorted({c["number"] for c in of.calls} & set(of.suppressed)):
        yield f"{number} was called, although it is suppressed"
    strangers = {c["number"] for c in of.calls} - set(of.phones)
    if strangers:
        yield f"numbers were called that are not in the file: {sorted(strangers)}"


def _of_export(of: Evidence) -> Iterator[str]:
    if [row["phone"] for row in of.rows] != list(of.phones):
        yield "the export's rows are not the file's contacts in the file's order"
    latest = {c["number"]: c for c in of.calls}
    for row in of.rows:
        call = latest.get(row["phone"])
        if call is None and row["phone"] in of.suppressed:
            if row["status"] != CANCELED:
                yield f"{row['phone']} is {row['status']}, although it is suppressed"
        elif call is None:
            yield f"{row['phone']} is {row['status']} and was never called"
        elif not _agree(row, call):
            yield f"{row['phone']}: the export and the provider's ledger differ"


def _agree(row: Mapping[str, str], call: Mapping[str, Any]) -> bool:
    cost = Decimal(row["cost"] or 0)
    return (
        row["ended_reason"] == call["endedReason"]
        and abs(cost - Decimal(str(call["cost"]))) < Decimal("0.00005")
        and row["recording_url"] == (call["recordingUrl"] or "")
    )
