"""Runs the examples of docs/api.md against a real API and compares the responses."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from application.calls.claims import ClaimService
from domain.dial_view import PlannedCall
from domain.values import Role
from projections.alerts import AlertKind, AlertRow
from projections.contacts import contact_log
from scheduler.alerts.alerts import body_of
from tests import http_requests as asking
from tests.interfaces.serving import ASSISTANT, LINE, SECRET, ApiClient, serve_api

GRAPHQL_WS = Subprotocol("graphql-transport-ws")
PAGE = Path(__file__).parents[2] / "docs" / "api.md"
BLOCK = re.compile(r"^```(\w+) ?(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXACT = re.compile(r"[A-Z_]{2,}|[a-z_]+\.[a-z_]+|.*-ended-call")
"""Values that must be equal in the response: states, codes, topics, ended reasons."""


@dataclass(frozen=True)
class Block:
    language: str
    kind: str
    text: str


def blocks() -> list[Block]:
    return [Block(*found.groups()) for found in BLOCK.finditer(PAGE.read_text())]


def difference(shown: Any, received: Any, at: str = "response") -> str | None:
    """Describe the first difference in form to the example; None if there is none."""
    match shown, received:
        case dict(), dict():
            if shown and shown.keys() != received.keys():
                return f"{at} has {sorted(received)}, not {sorted(shown)}"
            pairs = [(f"{at}.{key}", shown[key], received[key]) for key in shown]
        case list(), list():
            if bool(shown) != bool(received):
                return f"{at} has {len(received)} entries"
            pairs = [
                (f"{at}[{n}]", shown[min(n, len(shown) - 1)], one)
                for n, one in enumerate(received)
            ]
        case _:
            return _value_difference(shown, received, at)
    found = (difference(wanted, one, where) for where, wanted, one in pairs)
    return next((one for one in found if one), None)


def _value_difference(shown: Any, received: Any, at: str) -> str | None:
    same_kind = type(shown) is type(received)
    exact = not isinstance(shown, str) or EXACT.fullmatch(shown)
    numbers = isinstance(shown, int | float) and not isinstance(shown, bool)
    if same_kind and (not exact or numbers or shown == received):
        return None
    return f"{at} is {received!r}, not {shown!r}"


class Reader:
    """Executes the examples of the page in their order."""

    def __init__(self, api: ApiClient, folder: Path) -> None:
        self.api, self.folder = api, folder
        self.known = {
            "AUTOLYNX": api.url,
            "TOKEN": api.token(Role.ADMIN),
            "AUTOLYNX_WEBHOOK_SECRET": SECRET,
            "PROVIDER_CALL": "0199f2c4-8d5e-7a31-9b42-6c7d8e9f0a1b",
        }
        self.variables = {"providerAssistant": ASSISTANT, "line": LINE}
        self.answer: Any = None

    def read(self, block: Block) -> None:
        act: dict[tuple[str, str], Callable[[str], Any]] = {
            ("sh", ""): self.run,
            ("python", ""): self.run_python,
            ("json", "request"): self.send_step,
            ("graphql", ""): self.ask,
            ("text", "frames"): self.play,
        }
        check: dict[tuple[str, str], Callable[[str], None]] = {
            ("json", ""): self.compare,
            ("json", "alert"): self.compare_alert,
            ("text", ""): self.compare_text,
            ("csv", ""): self.compare_text,
        }
        key = block.language, block.kind
        if key in act:
            self.answer = act[key](block.text)
            self.learn()
        elif key != ("sh", "setup"):
            check[key](block.text)

    # --- Examples that are executed --------------------------------------------------

    def run(self, script: str) -> str:
        if "$CALL" in script:
            self.known["CALL"] = str(self.called())
        done = subprocess.run(
            ["/bin/sh", "-euc", script],
            cwd=self.folder,
            env=os.environ | self.known | {"NO_PROXY": "127.0.0.1"},
            check=False,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
        self.api.caught_up()
        return done.stdout

    def run_python(self, program: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | self.known | {"NO_PROXY": "127.0.0.1"},
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        )
        return done.stdout

    def send_step(self, node: str) -> str:
        """Send the request of a no-code tool, with the placeholders replaced."""
        for name in ("AUTOLYNX", "TOKEN"):
            node = node.replace(name, self.known[name])
        step = json.loads(node)["parameters"]
        headers = {
            one["name"]: one["value"] for one in step["headerParameters"]["parameters"]
        }
        body = step["jsonBody"].encode()
        answer = asking.request(
            step["method"], step["url"], content=body, headers=headers
        )
        return answer.text

    def ask(self, query: str) -> Any:
        wanted = set(re.findall(r"\$(\w+):", query))
        variables = {name: self.variables[name] for name in wanted}
        return self.api.execute(query, Role.ADMIN, **variables)

    def play(self, frames: str) -> None:
        url = f"ws{self.api.url.removeprefix('http')}/graphql"
        with connect(url, subprotocols=[GRAPHQL_WS]) as socket:
            for line in frames.splitlines():
                frame = line[2:].replace("$CAMPAIGN", self.known["CAMPAIGN"])
                frame = frame.replace("$TOKEN", self.known["TOKEN"])
                if line.startswith(">"):
                    socket.send(frame)
                else:
                    wrong = difference(json.loads(frame), json.loads(socket.recv(10)))
                    assert wrong is None, wrong

    # --- Responses that are compared ------------------------------------------------

    def compare(self, shown: str) -> None:
        received = self.answer
        received = json.loads(received) if isinstance(received, str) else received
        wrong = difference(json.loads(shown), received)
        assert wrong is None, f"{wrong} in {json.dumps(received, indent=1)}"

    def compare_alert(self, shown: str) -> None:
        row = AlertRow(
            position=42,
            kind=AlertKind.SPEND_THRESHOLD,
            raised_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
            campaign_id=uuid4(),
            campaign_name="Spring",
            day=None,
            spend=Decimal(20),
            budget=Decimal(25),
        )
        sent = body_of(row, {"position": 42, "head": "9f"})
        wrong = difference(json.loads(shown), sent)
        assert wrong is None, wrong

    def compare_text(self, shown: str) -> None:
        assert self.answer.replace("\r\n", "\n").strip() == shown.strip()

    # --- State between examples ---------------------------------------------------

    def learn(self) -> None:
        """Remember the ids that later examples use."""
        found = self.answer
        if isinstance(found, str) and found.startswith('{"id"'):
            self.known["UPLOAD"] = self.variables["upload"] = json.loads(found)["id"]
        if isinstance(found, dict) and "importAssistant" in found:
            self.variables["assistant"] = found["importAssistant"]["id"]
        is_first = "campaign" not in self.variables
        if is_first and isinstance(found, dict) and "createCampaign" in found:
            made = found["createCampaign"]["campaign"]["id"]
            self.known["CAMPAIGN"] = self.variables["campaign"] = made
        self.variables["time"] = datetime.now(UTC).isoformat()

    def called(self) -> UUID:
        """Claim and request a call of the first contact; return the call's id."""
        api, campaign_id = self.api, UUID(self.known["CAMPAIGN"])
        with api.read_pool.connection() as connection:
            first, *_ = contact_log.page(connection, campaign_id, first=1).nodes
        chosen = PlannedCall(campaign_id, first.id, 1, requeued=False)
        (call_id,) = ClaimService(api.app, api.context).claim([chosen], seen=0).calls
        api.caught_up()
        soon = datetime.now(UTC) + timedelta(seconds=5)
        assert api.calls.request(call_id, dial_before=soon)
        return call_id


@pytest.fixture(scope="module")
def reader(
    shared_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reader]:
    with serve_api(shared_database) as api:
        yield Reader(api, tmp_path_factory.mktemp("examples"))


@pytest.mark.skipif(not shutil.which("curl"), reason="the examples need curl")
def test_every_example_of_the_api_page_gives_the_response_shown(reader: Reader) -> None:
    examples = blocks()
    kinds = {block.language for block in examples}
    assert kinds == {"sh", "json", "graphql", "text", "csv", "python"}
    for block in examples:
        reader.read(block)


@pytest.mark.parametrize(
    ("shown", "received"),
    [
        ({"a": 1}, {"b": 1}),
        ({"state": "QUEUED"}, {"state": "RUNNING"}),
        ([{"a": "x"}], []),
        ([{"a": "x"}], [{"a": 1}]),
        (None, "something"),
        (True, 1),
        ({"type": "call.ended"}, {"type": "call.reported"}),
    ],
)
def test_a_response_of_another_form_is_a_difference(shown: Any, received: Any) -> None:
    assert difference(shown, received) is not None


def test_other_ids_times_and_numbers_are_no_difference() -> None:
    shown = {"id": "1f", "n": [{"at": "2026"}], "cost": 0.5, "state": "RUNNING"}
    received = {"id": "2e", "n": [{"at": "27"}, {"at": "28"}], "cost": 2.0}
    assert difference(shown, received | {"state": "RUNNING"}) is None
