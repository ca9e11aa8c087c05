"""The figures of a day are computed correctly from what was recorded."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import orjson
import phonenumbers
import pytest

from bench.day.balancer import Balancer, Forwarded, Traffic, serving
from bench.day.dashboards import Frames
from bench.day.meters import Measured, Positions, growth_per_minute, lags
from bench.day.results import Recorded, Span, figures_of, frame_waits, used_seconds
from bench.day.scale import Scale
from bench.day.work import OFFICE_HOURS, region_at

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SPAN = Span(100.0, 200.0, NOON, NOON + timedelta(seconds=100))


def message(at: float, *, label: str = "ringing", status: int = 200) -> Forwarded:
    return Forwarded(
        at=at,
        seconds=0.5,
        status=status,
        size=1_000,
        call_id="call",
        campaign_id="campaign",
        label=label,
    )


def recorded(
    *forwarded: Forwarded,
    shown: list[tuple[str, list[tuple[float, int]]]] | None = None,
    statuses: dict[int, int] | None = None,
) -> Recorded:
    return Recorded(
        scale=Scale(minutes=3, calls=2, rows=10, dashboards=1),
        span=SPAN,
        traffic=Traffic([*forwarded], received=0),
        frames=Frames(shown or [], lost=0),
        measured=Measured(),
        ledger=[],
        positions={("call", "call.ringing"): 7},
        cpu={},
        statuses=statuses or {},
        operations={},
    )


def test_the_lag_is_the_time_until_the_read_tables_include_the_logs_last_event() -> (
    None
):
    samples = [
        Positions(10.0, logged=5, projected=5),
        Positions(10.1, logged=8, projected=5),
        Positions(10.2, logged=9, projected=5),
        Positions(10.3, logged=9, projected=8),
        Positions(10.4, logged=12, projected=9),
    ]
    assert lags(samples) == pytest.approx([0.0, 0.2, 0.2, 0.1])


def test_a_lag_that_never_ends_is_not_taken_for_none() -> None:
    samples = [Positions(at, logged=9, projected=1) for at in (1.0, 2.0, 3.0)]
    assert lags(samples) == []


def test_memory_that_grows_evenly_has_that_slope() -> None:
    samples = [(at, 100 + at * 0.5) for at in (5.0, 10.0, 20.0, 40.0)]
    assert growth_per_minute(samples) == pytest.approx(30)
    assert growth_per_minute(samples[:1]) == 0


def test_a_frame_counts_from_the_first_that_includes_the_event() -> None:
    frames = [(150.6, 6), (150.9, 7), (151.5, 12)]
    waits, missing = frame_waits(
        recorded(message(150.0), shown=[("campaign", frames), ("other", frames)])
    )
    assert waits == pytest.approx([0.4])
    assert missing == 0


def test_an_event_that_no_frame_includes_is_counted_as_missing() -> None:
    one = recorded(message(150.0), shown=[("campaign", [(151.0, 6)])])
    assert frame_waits(one) == ([], 1)


def test_messages_that_caused_no_event_have_no_frame() -> None:
    frames = [("campaign", [(151.0, 9)])]
    repeated = recorded(message(150.0), message(160.0), shown=frames)
    assert len(frame_waits(repeated)[0]) == 1
    assert frame_waits(recorded(message(150.0, label="queued"), shown=frames))[0] == []


def test_slots_count_for_the_part_of_a_call_within_the_span() -> None:
    def call(began: float, ended: float | None) -> dict[str, str | None]:
        begins, ends = (
            None if at is None else (NOON + timedelta(seconds=at)).isoformat()
            for at in (began, ended)
        )
        return {"createdAt": begins, "endedAt": ends}

    calls = [call(-50, 10), call(20, 50), call(90, None), call(-90, -50)]
    assert used_seconds(calls, SPAN.starts_at, SPAN.ends_at) == 10 + 30 + 10


def test_refused_webhooks_and_requests_of_ours_miss_the_goal() -> None:
    one = recorded(
        message(150.0), message(151.0, status=503), statuses={200: 4, 503: 2}
    )
    [figure] = [f for f in figures_of(one) if f.name == "day: responses with 503"]
    assert (figure.value, figure.meets_target) == (3, False)


def test_a_region_with_office_hours_and_valid_numbers_exists_in_every_hour() -> None:
    for hour in range(0, 24 * 180, 7):
        now = NOON + timedelta(hours=hour)
        zone, prefix, first = region_at(now)
        assert now.astimezone(ZoneInfo(zone)).hour in OFFICE_HOURS
        number = phonenumbers.parse(f"{prefix}{first}")
        assert phonenumbers.is_valid_number(number)


def test_the_balancer_forwards_a_request_and_records_its_answer() -> None:
    asyncio.run(asyncio.wait_for(forwarded_by_a_balancer(), 30))


async def forwarded_by_a_balancer() -> None:
    bodies = list[bytes]()

    async def answer(_head: bytes, body: bytes) -> bytes:
        bodies.append(body)
        return b"HTTP/1.1 503 -\r\ncontent-length: 2\r\n\r\nno"

    server = await asyncio.start_server(serving(answer), "127.0.0.1", 0)
    balancer = Balancer([server.sockets[0].getsockname()[1]])
    call = {
        "name": "call",
        "assistantOverrides": {"metadata": {"autolynx_campaign_id": "campaign"}},
    }
    content = {"type": "status-update", "status": "ringing", "call": call}
    body = orjson.dumps({"message": content})
    head = f"POST / HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    for _ in range(2):
        response = await balancer.forward(head, body)
        assert response.endswith(b"\r\n\r\nno")
    server.close()
    balancer.close()
    await server.wait_closed()
    assert (await balancer.forward(head, body)).startswith(b"HTTP/1.1 502")
    assert bodies == [body, body]
    found = [(one.status, one.label) for one in balancer.forwarded]
    assert found == [(503, "ringing"), (503, "ringing"), (502, "ringing")]
    assert {one.call_id for one in balancer.forwarded} == {"call"}
    assert {one.campaign_id for one in balancer.forwarded} == {"campaign"}
