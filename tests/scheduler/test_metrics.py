from datetime import UTC, datetime

import httpx2

from application.ports import Accepted, NotNow
from scheduler.metrics import SchedulerMetrics, served
from tests.ports import free_port


def test_outcomes_and_turns_are_exported() -> None:
    metrics, port = SchedulerMetrics(), free_port()
    metrics.dialled(Accepted("p1", datetime.now(UTC)))
    metrics.dialled(NotNow("429"))
    metrics.observe_turn(0.02)
    with served(metrics, "127.0.0.1", port):
        text = httpx2.get(f"http://127.0.0.1:{port}/metrics").text
    assert 'autolynx_dial_outcomes_total{outcome="accepted"} 1.0' in text
    assert 'autolynx_dial_outcomes_total{outcome="not_now"} 1.0' in text
    assert 'autolynx_dial_outcomes_total{outcome="unknown"} 0.0' in text
    assert "autolynx_scheduler_turn_duration_seconds_count 1.0" in text


def test_without_a_port_no_server_is_started() -> None:
    with served(SchedulerMetrics(), "127.0.0.1", None):
        pass
