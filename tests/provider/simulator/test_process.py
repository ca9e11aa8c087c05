"""The simulator's process: arguments, readiness, end."""

import signal
from dataclasses import fields
from threading import Thread

import httpx2
import pytest

from provider.simulator.__main__ import _parser, _settings
from provider.simulator.faults.fault_plan import (
    CallFault,
    FaultPlan,
    RequestFault,
    WebhookFault,
)
from provider.simulator.settings import DEFAULT_API_KEY, read_settings
from tests.child_process import ended, join
from tests.provider.simulator.placing import body, numbers, post
from tests.simulator import running_simulator
from tests.support import eventually


def test_arguments_become_settings() -> None:
    line = (
        "--port 9000 --seed 3 --speed 20 --api-key a --api-key b"
        " --concurrency-limit 5 --webhook-url http://x --fault webhooks.lost=0.1"
        " --fault requests.hang_after=0.03 --fault list_lag_seconds=4"
    )
    settings = _settings(line.split())
    assert (settings.port, settings.seed, settings.speed) == (9000, 3, 20)
    assert (settings.api_keys, settings.concurrency_limit) == (("a", "b"), 5)
    assert settings.faults.webhooks == {WebhookFault.LOST: 0.1}
    assert settings.faults.requests == {RequestFault.HANG_AFTER: 0.03}
    assert settings.faults.list_lag_seconds == 4


def test_a_script_may_be_given_as_an_argument() -> None:
    script = '[{"fault": "hang_after", "number": "+12025550100", "times": 2}]'
    calls = '[{"fault": "listed_late", "seconds": 30}]'
    settings = _settings(
        ["--fault", f"script={script}", "--fault", f"call_script={calls}"]
    )
    [request], [call] = settings.faults.script, settings.faults.call_script
    assert (request.fault, request.times) == (RequestFault.HANG_AFTER, 2)
    assert (call.fault, call.seconds) == (CallFault.LISTED_LATE, 30)


def test_the_help_names_every_fault() -> None:
    text = _parser().format_help()
    for kind in (RequestFault, WebhookFault, CallFault):
        assert all(name in text for name in kind), kind
    assert all(field.name in text for field in fields(FaultPlan))


def test_arguments_have_priority_over_the_settings_in_json() -> None:
    given = ["--settings", '{"seed": 1, "speed": 5}', "--seed", "2"]
    settings = _settings(given)
    assert (settings.seed, settings.speed) == (2, 5)
    assert settings.api_keys == (DEFAULT_API_KEY,)


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValueError, match="sped"):
        read_settings({"sped": 3})


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_despite_live_and_hanging_calls(
    stop: signal.Signals,
) -> None:
    with running_simulator(speed=1) as simulator:
        for number in numbers(3):
            post(simulator, body(number))
        simulator.set_faults(requests={"hang_before": 1})
        waiting = Thread(target=_wait_in_vain, args=[simulator.url, simulator.api_key])
        waiting.start()
        eventually(
            lambda: "hang" in simulator.ledger()["requests"]["POST /call"],
            what="a request that hangs",
        )
        simulator.process.send_signal(stop)
        assert ended(simulator.process) == 0
        join(waiting)


def _wait_in_vain(url: str, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    with pytest.raises(httpx2.HTTPError):
        httpx2.post(f"{url}/call", json=body(), headers=headers, timeout=30)
