"""Reports about the end of a call: one or two, in several forms."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import Any, ClassVar, Literal

import orjson
from pydantic import ConfigDict

from provider.simulator.faults.refusing import Subject

type Document = dict[str, Any]

COST_KEYS = ("cost", "costBreakdown", "costs")
DURATION_KEYS = ("durationMs", "durationSeconds", "durationMinutes")
TIME_KEYS = ("startedAt", "endedAt")
HEAD = ("type", "endedReason", "endedMessage")
SPOKEN = ("messages", "messagesOpenAIFormatted", "transcript")
PARTIAL = ("artifact", "messages", "transcript", *TIME_KEYS, *DURATION_KEYS)

EMPTY: Document = {
    "analysis": {},
    "artifact": {"messages": [], "messagesOpenAIFormatted": [], "transcript": ""},
    "cost": 0,
    "transcript": "",
    "summary": "",
}
"""The content of a report that is sent before any result is known."""


@dataclass(frozen=True)
class Reporting(Subject):
    """How the calls that fit are reported; the ledger has the true values all the same.

    `first` sends a report before the usual one, `gap_seconds` (real ones) earlier: an
    `empty` one with a cost of 0, or a `partial` one with times and transcript but
    without cost, analysis and recording. If the call was answered, its reason is
    `first_reason`.

    `cost` names the only place where the usual report states the cost: the field
    itself, the total of the breakdown, or the list. `text` states it everywhere as
    texts, `null` writes null in all places, `absent` leaves them out. `reason` puts the
    ended reason of messages into their copy of the call only. `duration` leaves out all
    forms but the minutes, or all; without `times` the start and the end are left out.
    If somebody spoke, the usual report repeats the conversation until it has about
    `least_bytes` bytes, as after a long call.

    `read` is what GET /call shows of a call whose first report was sent: everything
    (`complete`), or what its reports have contained so far (`reported`).
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    first: Literal["none", "empty", "partial"] = "none"
    first_reason: str = "call.in-progress.twilio-completed-call"
    gap_seconds: float = 1.0
    cost: Literal[
        "everywhere", "field", "breakdown", "list", "text", "null", "absent"
    ] = "everywhere"
    reason: Literal["message", "call"] = "message"
    duration: Literal["everywhere", "minutes", "absent"] = "everywhere"
    times: bool = True
    least_bytes: int = 0
    read: Literal["complete", "reported"] = "complete"

    def first_report(self, complete: Document) -> Document:
        """Return the earlier report, made from the complete one."""
        was_answered = "startedAt" in complete
        reason = {"endedReason": self.first_reason} if was_answered else {}
        if self.first == "empty":
            return self.with_placed_reason({**_only(complete, HEAD), **EMPTY, **reason})
        spoken = _only(complete["artifact"], ("messages", "transcript"))
        known = {**_only(complete, (*HEAD, *PARTIAL)), "artifact": spoken, **reason}
        return self._timed(self.with_placed_reason(known))

    def last_report(self, complete: Document) -> Document:
        """Return the usual report in its form, made from the complete one."""
        long = self._lengthened(complete)
        return self._timed(self.with_placed_reason(self._priced(long)))

    def with_placed_reason(self, message: Document) -> Document:
        """Return a message with the ended reason, if any, in the place that is set."""
        if self.reason == "message" or "endedReason" not in message:
            return message
        rest = {key: value for key, value in message.items() if key != "endedReason"}
        return {**rest, "call": {"endedReason": message["endedReason"]}}

    def _timed(self, message: Document) -> Document:
        left_out = {
            "everywhere": (),
            "minutes": ("durationMs", "durationSeconds"),
            "absent": DURATION_KEYS,
        }[self.duration]
        return _without(message, (*left_out, *(() if self.times else TIME_KEYS)))

    def _lengthened(self, message: Document) -> Document:
        missing = self.least_bytes - len(orjson.dumps(message))
        spoken = [_only(part, SPOKEN) for part in (message, message["artifact"])]
        once = len(orjson.dumps(spoken))
        if missing <= 0 or not message["artifact"]["messages"]:
            return message
        times = 2 + missing // once
        outer, inner = ({key: one[key] * times for key in one} for one in spoken)
        return {**message, **outer, "artifact": {**message["artifact"], **inner}}

    def _priced(self, message: Document) -> Document:
        match self.cost:
            case "everywhere":
                return message
            case "null":
                return {**message, **dict.fromkeys(COST_KEYS)}
            case "text":
                return {
                    **message,
                    **_as_text(_only(message, COST_KEYS)),
                }
        places = {"field": "cost", "breakdown": "costBreakdown", "list": "costs"}
        kept = places.get(self.cost)
        return _without(message, [key for key in COST_KEYS if key != kept])


USUAL = Reporting()


def reporting_of(
    entries: Iterable[Reporting], request: Document, seed: int
) -> Reporting:
    """Return how a requested call is reported: by the first entry that fits.

    The shares of several entries do not overlap: two entries with a share of 0.3 each
    are about six customers in ten.
    """
    number = (request.get("customer") or {}).get("number")
    roll = Random(f"{seed}/reporting/{number}").random()  # noqa: S311 - a die
    for entry in entries:
        if not replace(entry, share=1.0).fits(request, seed):
            continue
        if roll < entry.share:
            return entry
        roll -= entry.share
    return USUAL


def _only(message: Document, keys: Iterable[str]) -> Document:
    return {key: message[key] for key in keys if key in message}


def _without(message: Document, keys: Iterable[str]) -> Document:
    left_out = set(keys)
    return {key: value for key, value in message.items() if key not in left_out}


def _as_text(value: Any) -> Any:
    """Write each number in a price or a list of prices as a text."""
    if isinstance(value, dict):
        return {key: _as_text(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_text(inner) for inner in value]
    return str(value) if isinstance(value, int | float) else value
