"""Share of people reached with and without retries: `python -m bench.retries`.

Two campaigns of equally many people run against the simulator, one after the other: the
first calls each person once, the second by the preset "patient" with gaps that are 720
times shorter, but at least a minute: a day is two minutes. The simulated lines are
busy, not answered, answered by machines, or faulty as often as the simulator's
`--varied` says; a person answers about six of ten calls, and some numbers never.
"""

import argparse
import csv
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from bench.support.installation import (
    CREATE,
    SECRET,
    Installation,
    Server,
    answers,
    free_port,
    process,
    start_server,
    wait_for,
)
from domain.campaigns.retry_policy import PATIENT, RetryPolicy
from provider.simulator.settings import (
    DEFAULT_API_KEY,
    DEFAULT_ASSISTANT_ID,
    DEFAULT_PHONE_NUMBER_ID,
    varied,
)

WANTED_SHARE = 0.85
"""The smallest share of people that the campaign with retries has to reach."""

SPEED, CAP = 20.0, 40
"""Times by which calls are faster than real ones, and concurrent calls."""

REACH = {"by_attempt": [1.2], "unreachable": 0.05}
"""Of the simulator: people answer more often, but not at every number."""

SCALE = 720
"""Minutes of the preset that take one minute here."""

TALK_SECONDS = (220.0, 400.0)
"""Seconds of simulated conversations, so long that none counts as dropped early."""

LONGEST_MINUTES = 20.0

IMPORT = """mutation($id: String!) { importAssistant(providerAssistantId: $id) {
  ... on Assistant { id } ... on UserError { code message } } }"""
START = "mutation($id: ID!) { startCampaign(id: $id) { __typename } }"
SHOW = """query($id: ID!) { campaign(id: $id) { state
  funnel { contacts dialed answered human goal optedOut }
  outcomes { outcome calls contacts } } }"""


@dataclass(frozen=True)
class Result:
    """What a campaign came to: contacts by stage, and its calls."""

    people: int
    human: int
    calls: int
    minutes: float
    shown: dict[str, Any]

    @property
    def share(self) -> float:
        """The share of the people who were reached themselves."""
        return self.human / self.people


def main() -> int:
    """Print both results; 1 unless the campaign with retries reached 85 %."""
    parser = argparse.ArgumentParser(prog="python -m bench.retries")
    parser.add_argument("--people", type=int, default=200)
    people = parser.parse_args().people
    with (
        tempfile.TemporaryDirectory() as folder,
        start_server(Path(folder)) as server,
        _installation(server) as installed,
    ):
        assistant = installed.ask(IMPORT, id=DEFAULT_ASSISTANT_ID)["importAssistant"]
        once = _run(installed, assistant["id"], _file(server, 0, people), None)
        _print("once", once)
        policy = scaled(PATIENT, SCALE)
        again = _run(installed, assistant["id"], _file(server, people, people), policy)
        _print("patient", again)
    return int(again.share < WANTED_SHARE)


def scaled(policy: RetryPolicy, scale: int) -> dict[str, Any]:
    """Return the policy as input of the API, with gaps divided by `scale`.

    No gap is shorter than a minute. Calls per day and parts of the day cannot be
    scaled: they do not restrict the retries.
    """
    return {
        "attempts": policy.attempts,
        "perDay": 5,
        "minGapMinutes": 1,
        "expiresAfterDays": 1,
        "rules": [
            {
                "outcomes": list(rule.outcomes),
                "attempts": rule.attempts,
                "gapsMinutes": [
                    max(round(gap / scale), 1) for gap in rule.gaps_minutes
                ],
            }
            for rule in policy.rules
        ],
    }


@contextmanager
def _installation(server: Server) -> Iterator[Installation]:
    """Run a simulator, and all roles of an installation that calls through it."""
    port, api_port = free_port(), free_port()
    simulated = varied(
        {
            "port": port,
            "speed": SPEED,
            "reach": REACH,
            "talk_seconds": TALK_SECONDS,
            "webhook_url": f"http://127.0.0.1:{api_port}/webhooks/vapi",
            "webhook_secret": SECRET,
            "concurrency_limit": 2 * CAP,
            "callback_seconds": 120.0,
        }
    )
    environment = {
        "AUTOLYNX_PORT": str(api_port),
        "AUTOLYNX_VAPI_BASE_URL": f"http://127.0.0.1:{port}",
        "AUTOLYNX_VAPI_API_KEY": DEFAULT_API_KEY,
        "AUTOLYNX_SETTINGS_GLOBAL_CAP": str(CAP),
        "AUTOLYNX_SETTINGS_DIALS_PER_SECOND": "20",
        "AUTOLYNX_SETTINGS_TICK_SECONDS": "2",
        # The experiment runs at any time of day, and calls within minutes.
        "AUTOLYNX_SETTINGS_CALLING_RULES": "OFF",
        "AUTOLYNX_SETTINGS_FREQUENCY_CAPS": "",
    }
    with ExitStack() as opened:
        arguments = ("--settings", json.dumps(simulated))
        opened.enter_context(process("provider.simulator", {}, arguments))
        wait_for(
            lambda: answers(f"http://127.0.0.1:{port}/simulator/faults"),
            "the simulator",
        )
        installed = opened.enter_context(server.installation(environment))
        opened.enter_context(process("scheduler", installed.environment))
        yield installed


def _file(server: Server, first: int, people: int) -> Path:
    """Write a file with numbers that no other file of this run has."""
    path = server.folder / f"people-{first}.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("name", "phone"))
        writer.writerows(
            (f"Person {number}", f"+1202555{number:04d}")
            for number in range(first, first + people)
        )
    return path


def _run(
    installed: Installation, assistant: str, file: Path, policy: dict[str, Any] | None
) -> Result:
    """Run a campaign until it is completed."""
    asked = {
        "name": file.stem,
        "uploadId": installed.upload(file)["id"],
        "assistantId": assistant,
        "phoneNumberId": DEFAULT_PHONE_NUMBER_ID,
        "cap": CAP,
        "retryPolicy": policy,
    }
    made = installed.ask(CREATE, input=asked)["createCampaign"]
    assert "campaign" in made, made
    id_, began = made["campaign"]["id"], monotonic()
    installed.ask(START, id=id_)

    def is_completed() -> bool:
        found: dict[str, Any] = installed.ask(SHOW, id=id_)["campaign"]
        shown.update(found)
        return bool(found["state"] == "COMPLETED")

    shown: dict[str, Any] = {}
    wait_for(is_completed, "the campaign's end", LONGEST_MINUTES * 60)
    funnel = shown["funnel"]
    return Result(
        people=funnel["contacts"],
        human=funnel["human"],
        calls=sum(count["calls"] for count in shown["outcomes"]),
        minutes=(monotonic() - began) / 60,
        shown=shown,
    )


def _print(name: str, result: Result) -> None:
    print(
        f"{name}: {result.human} of {result.people} people reached"
        f" ({result.share:.1%}), {result.calls} calls, {result.minutes:.1f} minutes"
    )
    print(f"  {json.dumps(result.shown['funnel'])}")
    counts = {each["outcome"]: each["calls"] for each in result.shown["outcomes"]}
    print(f"  {json.dumps(counts)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
