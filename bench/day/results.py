"""The figures of a day, computed from what was recorded."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.day.balancer import Forwarded, Traffic
from bench.day.dashboards import Frames
from bench.day.meters import Measured, growth_per_minute, lags
from bench.day.scale import Scale
from bench.support.figures import Figure, percentile

TOPICS = {
    "ringing": "call.ringing",
    "in-progress": "call.answered",
    "ended": "call.ended",
    "end-of-call-report": "call.reported",
}
"""The event that a message of each label causes, if it is the first to tell it."""

UNAVAILABLE = 503
SHOWN_WITHIN_SECONDS = 5.0
"""Messages of the last seconds are left out: their frames may come after the end."""

LEDGER_KEEPER = "simulator"
OWN_CLIENTS = frozenset({LEDGER_KEEPER, "balancer", "dashboards"})
"""Processes that are no part of AutoLynx: they may store what they measured."""


@dataclass(frozen=True, slots=True)
class Span:
    """The measured part of a day: monotonic clock in s, and the same two as times."""

    start: float
    end: float
    starts_at: datetime
    ends_at: datetime

    @property
    def seconds(self) -> float:
        """Its length in seconds."""
        return self.end - self.start

    def includes(self, at: float) -> bool:
        """Return whether a time of the monotonic clock is in the span."""
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True)
class Recorded:
    """All that was recorded during a day.

    `positions` has the log's position of each call's first event by call id and topic,
    `cpu` the CPU seconds of each process in the span, `statuses` the number of our own
    requests by HTTP status, `operations` the seconds of each large operation.
    """

    scale: Scale
    span: Span
    traffic: Traffic
    frames: Frames
    measured: Measured
    ledger: Sequence[Mapping[str, Any]]
    positions: Mapping[tuple[str, str], int]
    cpu: Mapping[str, float]
    statuses: Mapping[int, int]
    operations: Mapping[str, float]


def figures_of(recorded: Recorded) -> Iterator[Figure]:
    """Yield all figures, each with its goal if it has one."""
    yield from _webhook_figures(recorded)
    yield from _frame_figures(recorded)
    yield from _projection_figures(recorded)
    yield from _call_figures(recorded)
    yield from _process_figures(recorded)


def _webhook_figures(recorded: Recorded) -> Iterator[Figure]:
    span, forwarded = recorded.span, recorded.traffic.forwarded
    within = [one for one in forwarded if span.includes(one.at)]
    waits = [one.seconds * 1000 for one in within] or [float("inf")]
    rate = f"{len(within) / span.seconds:.1f} messages/s"
    large = sum(one.size > 100_000 for one in within)
    sizes = f"{rate}, {large} of over 100 KB"
    for part, name, target in ((0.5, "p50", None), (0.99, "p99", 100.0)):
        yield Figure(
            name=f"day: webhook to 200, {name}",
            value=percentile(waits, part),
            unit="ms",
            target=target,
            details=sizes,
        )
    refused = sum(one.status == UNAVAILABLE for one in forwarded)
    failed = sum(one.status >= 300 for one in forwarded)
    own = recorded.statuses.get(UNAVAILABLE, 0)
    yield Figure(
        name="day: responses with 503",
        value=refused + own,
        unit="responses",
        target=0,
        details=f"{len(forwarded):,} webhooks, {failed} without 200;"
        f" {sum(recorded.statuses.values()):,} other requests",
    )
    yield Figure(
        name="day: outgoing webhooks",
        value=recorded.traffic.received,
        unit="received",
    )


def _frame_figures(recorded: Recorded) -> Iterator[Figure]:
    waits, missing = frame_waits(recorded)
    yield Figure(
        name="day: webhook to frame, p99",
        value=percentile([1000 * one for one in waits] or [float("inf")], 0.99),
        unit="ms",
        target=500,
        details=f"{len(waits):,} frames on {recorded.scale.dashboards} dashboards, of"
        " which each gets at most four a second",
    )
    yield Figure(
        name="day: frames that did not arrive",
        value=missing + recorded.frames.lost,
        unit="frames or sockets",
        target=0,
    )


def frame_waits(recorded: Recorded) -> tuple[list[float], int]:
    """Return the seconds from each 200 to its frames, and how many never came.

    The frame of a message is the first one, on each dashboard that shows its campaign,
    whose position includes the event that the message caused. Messages that caused no
    event are left out.
    """
    shown = defaultdict[str, list[tuple[list[float], list[int]]]](list)
    for campaign, frames in recorded.frames.shown:
        shown[campaign].append(([at for at, _ in frames], [p for _, p in frames]))
    waits, missing = list[float](), 0
    for message, position in _caused(recorded):
        for times, positions in shown[message.campaign_id]:
            first = bisect_left(positions, position)
            if first == len(positions):
                missing += 1
            else:
                accepted = message.at + message.seconds
                waits.append(max(times[first] - accepted, 0.0))
    return waits, missing


def _caused(recorded: Recorded) -> Iterator[tuple[Forwarded, int]]:
    """Yield the messages of the span that caused an event, with its position."""
    span, seen = recorded.span, set[tuple[str, str]]()
    for message in recorded.traffic.forwarded:
        key = message.call_id, TOPICS.get(message.label, "")
        position = recorded.positions.get(key)
        if position is None or key in seen:
            continue
        seen.add(key)
        if span.start <= message.at < span.end - SHOWN_WITHIN_SECONDS:
            yield message, position


def _projection_figures(recorded: Recorded) -> Iterator[Figure]:
    span = recorded.span
    found = lags([one for one in recorded.measured.positions if span.includes(one.at)])
    yield Figure(
        name="day: projection lag, p99",
        value=percentile(found or [float("inf")], 0.99),
        unit="s",
        target=1,
        details=", ".join(
            f"{name} of {recorded.scale.rows:,} rows in {seconds:.0f} s"
            if name != "rebuild"
            else f"rebuild in {seconds:.0f} s"
            for name, seconds in recorded.operations.items()
        ),
    )


def _call_figures(recorded: Recorded) -> Iterator[Figure]:
    span, scale = recorded.span, recorded.scale
    used = used_seconds(recorded.ledger, span.starts_at, span.ends_at)
    yield Figure(
        name="day: slot utilisation",
        value=used / (scale.calls * span.seconds),
        unit="of 1",
        baseline=1.0,
        target=0.95,
        details=f"{scale.calls:,} slots, from {scale.warm_up:.0f} s after the start;"
        " baseline: all slots always in use",
    )
    started = _started(recorded)
    yield Figure(
        name="day: calls started",
        value=started / span.seconds,
        unit="calls/s",
        details=f"{len(recorded.ledger):,} calls with those of the first"
        f" {scale.warm_up:.0f} s",
    )


def used_seconds(
    ledger: Iterable[Mapping[str, Any]], start: datetime, end: datetime
) -> float:
    """Return the sum of the seconds for which calls were live between two times."""
    total = 0.0
    for call in ledger:
        began = max(datetime.fromisoformat(call["createdAt"]), start)
        ended = call["endedAt"]
        until = min(datetime.fromisoformat(ended), end) if ended else end
        total += max((until - began).total_seconds(), 0.0)
    return total


def _started(recorded: Recorded) -> int:
    span = recorded.span
    times = (datetime.fromisoformat(call["createdAt"]) for call in recorded.ledger)
    return sum(span.starts_at <= at < span.ends_at for at in times)


def _process_figures(recorded: Recorded) -> Iterator[Figure]:
    calls = max(_started(recorded), 1)
    for name, seconds in recorded.cpu.items():
        yield Figure(
            name=f"day: CPU of {name}",
            value=1000 * seconds / calls,
            unit="ms per call",
            details=f"{seconds / recorded.span.seconds:.1%} of a core",
        )
    yield Figure(
        name="day: CPU of AutoLynx and Postgres",
        value=1000
        * sum(used for name, used in recorded.cpu.items() if name not in OWN_CLIENTS)
        / calls,
        unit="ms per call",
    )
    for name, samples in recorded.measured.memory.items():
        yield _memory_figure(name, samples, recorded.span)


def _memory_figure(
    name: str, samples: Sequence[tuple[float, float]], span: Span
) -> Figure:
    middle = (span.start + span.end) / 2
    halves = (
        [one for one in samples if span.start <= one[0] < middle],
        [one for one in samples if middle <= one[0] < span.end],
    )
    first, second = map(growth_per_minute, halves)
    before = halves[1][0][1] if halves[1] else 0.0
    grown = second * (span.end - middle) / 60
    last = samples[-1][1] if samples else 0.0
    return Figure(
        name=f"day: memory of {name}, growth in the second half",
        value=100 * grown / before if before else 0.0,
        unit="%",
        target=None if name in OWN_CLIENTS else 5,
        details=f"{last:.0f} MiB; {first:+.2f} MiB/min in the first half,"
        f" {second:+.2f} in the second",
    )
