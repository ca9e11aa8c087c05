"""Real processes against a real simulator, and its ledger as the judge."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID, uuid5

from psycopg import OperationalError

from application.errors import StoreUnavailable
from domain.settings import SettingsValues
from domain.values import CampaignState
from projections import campaign_board
from projections.campaign_board import CampaignRow
from projections.schema import create_read_model
from provider.reading import REPORT, STATUS_UPDATE, read_message
from provider.vapi import VapiProvider, VapiSettings
from storage.database import connect
from storage.keeper import Home
from storage.migrate import migrate
from tests.faults.clocks import OddClock
from tests.simulator import Simulator, running_simulator
from tests.support import eventually
from tests.wiring import House, _feed, _house, housed, phones

ROOT = Path(__file__).parents[2]
SPEED, RATE = 120, 5
"""How many times as fast calls go by, and our own clocks."""

WITHIN = 45.0

DURABLE = {"fsync": "off", "full_page_writes": "off"}
"""Settings of a server whose processes may end at any time, but not its machine."""

SETTINGS = {
    "AUTOLYNX_RECONCILE_SECONDS": "1",
    "AUTOLYNX_VAPI_TIMEOUT_SECONDS": "1",
    "AUTOLYNX_SETTINGS_TICK_SECONDS": "1",
    "AUTOLYNX_SETTINGS_DIALS_PER_SECOND": "20",
    "AUTOLYNX_SETTINGS_SILENCE_TIMEOUT_SECONDS": "10",
}


@dataclass
class Stage:
    house: House
    simulator: Simulator
    public_url: str | None
    opened: ExitStack
    clock: OddClock
    schedulers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    database_url: str | None = None

    def schedule(self, *odd: str) -> subprocess.Popen[bytes]:
        """Start one more scheduler, with arguments of `odd_scheduler`.

        One whose host is wrong goes by the database's clock, as all do in earnest.
        """
        clock = () if "--wrong" in odd else ("--clock", str(self.clock.file))
        process = self.start("tests.faults.odd_scheduler", *clock, *odd)
        self.schedulers.append(process)
        return process

    def start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one of our processes."""
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env={**os.environ, **SETTINGS, **self._places()},
            stderr=subprocess.DEVNULL,
        )
        self.opened.callback(process.wait)
        self.opened.callback(process.kill)
        return process

    def _places(self) -> dict[str, str]:
        hooks = {"AUTOLYNX_PUBLIC_URL": self.public_url} if self.public_url else {}
        return {
            "AUTOLYNX_DATABASE_URL": self.database_url or self.house.url,
            "AUTOLYNX_VAPI_BASE_URL": self.simulator.url,
            "AUTOLYNX_VAPI_API_KEY": self.simulator.api_key,
            "AUTOLYNX_WEBHOOK_SECRET": "secret",
            **hooks,
        }

    def called(self, count: int) -> None:
        """Wait until that many calls were made."""
        seen: Callable[[], bool] = lambda: (  # noqa: E731 - a condition with a name
            len(self.simulator.ledger()["calls"]) >= count
        )
        eventually(seen, WITHIN, said=f"{count} calls")

    def ends_right(self, campaign_id: UUID, people: int, cap: int) -> CampaignRow:
        """Wait for the end; nobody twice, no cap exceeded, everybody terminal."""
        eventually(lambda: self._is_over(campaign_id), WITHIN, said="the campaign")
        ledger = self.simulator.ledger(calls=people, timeout=WITHIN)
        called = Counter(call["number"] for call in ledger["calls"])
        assert called == Counter(phones(people)), "each number exactly once"
        assert ledger["highWater"]["all"] <= cap
        assert max(ledger["highWater"]["customers"].values()) == 1
        row = self.house.board(campaign_id)
        assert (row.contacts, row.ended) == (people, people)
        calls = self.house.call_rows(campaign_id)
        assert all(call.provider_call_id for call in calls)
        self._tells_what_the_ledger_says(campaign_id, ledger["calls"])
        self._has_what_it_acknowledged(ledger["calls"])
        return row

    def ends_true(
        self, campaign_id: UUID, people: int, cap: int, within: float = 120.0
    ) -> Counter[str]:
        """Wait for the end; return why people were never called, and how many."""
        eventually(lambda: self._is_over(campaign_id), within, said="the campaign")
        ledger = self.simulator.ledger(calls=1, timeout=WITHIN)
        called = Counter(call["number"] for call in ledger["calls"])
        twice = {number for number, calls in called.items() if calls > 1}
        assert not twice, f"called twice: {twice}"
        assert set(called) <= set(phones(people)), "a stranger was called"
        assert ledger["highWater"]["all"] <= cap, ledger["highWater"]
        row, calls = self.house.board(campaign_id), self.house.call_rows(campaign_id)
        assert row.ended == len(called), (row, len(called))
        assert row.ended + row.failed == row.contacts == people, row
        why = Counter(call.failure for call in calls if call.provider_call_id is None)
        assert None not in why, "nothing says why it was never called"
        placed_ids = {call.provider_call_id for call in calls} - {None}
        assert placed_ids == {call["id"] for call in ledger["calls"]}
        assert why.total() == people - len(called)
        self._tells_what_the_ledger_says(campaign_id, ledger["calls"])
        self._has_what_it_acknowledged(ledger["calls"])
        return Counter({str(reason): count for reason, count in why.items()})

    def _is_over(self, campaign_id: UUID) -> bool:
        """Look at the read model as it is: it may lag, or be away, for a while."""
        try:
            with self.house.reading.connection() as conn:
                row = campaign_board.get(conn, campaign_id)
        except OperationalError:
            return False
        assert row is not None
        return row.state is CampaignState.COMPLETED and row.awaiting_reports == 0

    def _tells_what_the_ledger_says(
        self, campaign_id: UUID, ledger: list[dict[str, Any]]
    ) -> None:
        told = {call["id"]: call for call in ledger}
        for row in self.house.call_rows(campaign_id):
            if row.provider_call_id is None:
                continue
            call = told[row.provider_call_id]
            assert row.ended_reason == call["endedReason"]
            assert row.cost is not None
            assert float(row.cost) == call["cost"]

    def _has_what_it_acknowledged(self, ledger: list[dict[str, Any]]) -> None:
        """I4: a message that got 200 is stored with its call."""
        for call in ledger:
            call_id = UUID(call["metadata"]["autolynx_call_id"])
            told = [one for one in call["webhooks"] if one["outcome"] == "delivered"]
            kept = self.house.load_call(call_id).evidence if told else frozenset()
            for one in told:
                key = _key(call["id"], one["label"])
                assert uuid5(call_id, key) in kept, f"{key} got 200"


def _key(provider_call_id: str, label: str) -> str:
    kind = label if label == REPORT else f"{STATUS_UPDATE}:{label}"
    return f"{kind}:{provider_call_id}"


def stop_at_once(home: Home) -> None:
    """End a server with all its processes, as `pg_ctl stop -m immediate` does."""
    pid = home.server_pid()
    assert pid is not None
    os.kill(pid, signal.SIGQUIT)
    eventually(lambda: home.server_pid() is None, WITHIN, said="a server's end")


@contextmanager
def on_stage(
    url: str,
    *,
    webhooks: bool,
    rate: float = RATE,
    projector: bool = True,
    **settings: Any,
) -> Iterator[Stage]:
    """Set everything up but the schedulers; without `webhooks` all are lost.

    Our clocks run `rate` times as fast as the true one: only where no scheduler sleeps
    on a request, for that is sent or not by the monotonic one.
    """
    even = {"speed": SPEED, "outcomes": {"customer-ended-call": 1}, **settings}
    with ExitStack() as opened:
        clock = started_clock(opened, rate)
        simulator = opened.enter_context(running_simulator(**even))
        at = VapiSettings(base_url=simulator.url, api_key=simulator.api_key)
        provider = VapiProvider(at)
        if projector:
            house = opened.enter_context(
                housed(url, now=clock, provider=provider, projector=True)
            )
        else:
            house = house_without_projector(url, opened, clock, provider)
        public_url = opened.enter_context(_receiving(house)) if webhooks else None
        yield Stage(house, simulator, public_url, opened, clock)


def house_without_projector(
    url: str, opened: ExitStack, now: Callable[[], datetime], provider: VapiProvider
) -> House:
    """Wire it where projectors are processes of their own."""
    migrate(url)
    with connect(url, name="test") as connection:
        create_read_model(connection)
    return _house(
        url,
        opened,
        now=now,
        provider=provider,
        read_model=_feed(url, opened),
        first=SettingsValues(),
    )


def started_clock(opened: ExitStack, rate: float) -> OddClock:
    folder = opened.enter_context(tempfile.TemporaryDirectory())
    clock = OddClock(Path(folder) / "clock")
    clock.start(rate)
    return clock


@contextmanager
def _receiving(house: House) -> Iterator[str]:
    """Take webhooks as the API does: 200 once they are stored."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(self._stored(body))
            self.send_header("content-length", "0")
            self.end_headers()

        def _stored(self, body: bytes) -> int:
            try:
                house.calls.hear(read_message(json.loads(body)))
            except (StoreUnavailable, OperationalError):
                return 503
            return 200

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
