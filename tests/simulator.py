"""A real simulator process for tests."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2

from provider.simulator.settings import DEFAULT_API_KEY
from tests.child_process import first_line, kill, started, tail

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Simulator:
    """A running simulator; `url` has no slash at its end, `client` has the key."""

    url: str
    api_key: str
    client: httpx2.Client
    process: subprocess.Popen[bytes]

    def ledger(self, *, calls: int = 0, timeout: float = 0) -> dict[str, Any]:
        """Read the ledger; with a time-out (s), once `calls` calls are all over.

        Over means ended, reported, and no webhook on its way. Raises AssertionError
        if that has not come when the time is up.
        """
        query = {"calls": calls, "timeout": timeout}
        answer = self.client.get(
            "/simulator/ledger", params=query, timeout=timeout + 10
        )
        ledger: dict[str, Any] = answer.raise_for_status().json()
        if timeout:
            over = [call for call in ledger["calls"] if call["reportedAt"]]
            assert len(over) == len(ledger["calls"]) >= calls, ledger
        return ledger

    def set_faults(self, **plan: Any) -> None:
        """Replace the whole fault plan (fields of FaultPlan); none clears it."""
        answer = self.client.put("/simulator/faults", json=plan)
        assert answer.is_success, answer.text

    def live(self) -> list[str]:
        """Return the ids of the calls that have not ended."""
        calls = self.ledger()["calls"]
        return [call["id"] for call in calls if call["status"] != "ended"]

    def hang_up(self, *call_ids: str) -> None:
        """End live calls, as the provider does on a request to their control URL."""
        for id_ in call_ids:
            answer = self.client.post(f"/{id_}/control", json={"type": "end-call"})
            answer.raise_for_status()

    def reset(self) -> None:
        self.client.post("/simulator/reset").raise_for_status()


@contextmanager
def running_simulator(**settings: Any) -> Iterator[Simulator]:
    """Run `python -m provider.simulator` with these SimulatorSettings (as JSON)."""
    values = json.dumps({"port": 0, **settings})
    command = [sys.executable, "-m", "provider.simulator", "--settings", values]
    with TemporaryDirectory() as folder:
        log, printed = Path(folder) / "log", Path(folder) / "stdout"
        with printed.open("wb") as out:
            process = started(command, log=log, cwd=ROOT, stdout=out)
        try:
            url, key = (
                first_line(process, printed, log).split()[-1],
                _first_key(settings),
            )
            headers = {"Authorization": f"Bearer {key}"}
            with httpx2.Client(
                base_url=url, headers=headers, timeout=30, verify=False
            ) as client:
                yield Simulator(url, key, client, process)
        except BaseException:
            sys.stderr.write(tail(log))
            raise
        finally:
            kill(process)


@contextmanager
def shared_simulators() -> Iterator[Callable[..., Simulator]]:
    """Yield a function that returns a simulator with these settings.

    It starts one for each combination of settings, and resets it before each use.
    """
    running: dict[str, Simulator] = {}
    with ExitStack() as opened:

        def simulator_with(**settings: Any) -> Simulator:
            key = json.dumps(settings, sort_keys=True)
            if key not in running:
                running[key] = opened.enter_context(running_simulator(**settings))
            running[key].reset()
            return running[key]

        yield simulator_with


def _first_key(settings: dict[str, Any]) -> str:
    keys: list[str] = settings.get("api_keys", [DEFAULT_API_KEY])
    return keys[0]
