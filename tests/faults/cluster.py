"""Real processes that use a real simulator, and checks against its ledger."""

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
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

from psycopg import OperationalError

from application.errors import StoreUnavailable
from domain.values import CampaignState, ContactStatus
from projections.calls.call_log import CallRow
from projections.campaigns import campaign_board
from projections.campaigns.campaign_row import CampaignRow
from projections.connections import open_feed
from projections.engine.schema import create_read_model
from provider.vapi.client import VapiProvider
from provider.vapi.messages.reading import STATUS_UPDATE, read_message
from provider.vapi.settings import VapiSettings
from storage.database import connect
from storage.migrate import migrate
from storage.process.postgres_supervisor import Home
from tests.child_process import join, kill, started, tail
from tests.faults.adjustable_clock import AdjustableClock
from tests.simulator import Simulator, running_simulator
from tests.support import eventually
from tests.wiring import UNRESTRICTED, Services, build_services, open_services, phones

ROOT = Path(__file__).parents[2]
SPEED, RATE = 120, 5
"""How many times faster than real time the simulator's calls and our clocks run."""

WITHIN = 120.0
"""Longest time in seconds for each step of a test, on a machine that is busy."""

DURABLE = {"fsync": "off", "full_page_writes": "off"}
"""Postgres settings that survive the end of processes, not of the machine."""

SETTINGS = {
    "AUTOLYNX_RECONCILE_SECONDS": "1",
    "AUTOLYNX_VAPI_TIMEOUT_SECONDS": "1",
    "AUTOLYNX_SETTINGS_TICK_SECONDS": "1",
    "AUTOLYNX_SETTINGS_DIALS_PER_SECOND": "20",
    "AUTOLYNX_SETTINGS_SILENCE_TIMEOUT_SECONDS": "10",
    "AUTOLYNX_SETTINGS_CALLING_RULES": "OFF",
    "AUTOLYNX_SETTINGS_FREQUENCY_CAPS": "",
}


@dataclass
class Cluster:
    """An installation of real processes, with the simulator as its provider."""

    services: Services
    simulator: Simulator
    public_url: str | None
    exit_stack: ExitStack
    clock: AdjustableClock
    log: Path
    """The output of all processes; it is shown if a test fails."""
    schedulers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    database_url: str | None = None

    def start_scheduler(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one more scheduler, with arguments of `faulty_scheduler`.

        With `--skew` it uses the database's clock, as in production; otherwise the
        cluster's adjustable clock.
        """
        clock = () if "--skew" in arguments else ("--clock", str(self.clock.file))
        process = self.start("tests.faults.faulty_scheduler", *clock, *arguments)
        self.schedulers.append(process)
        return process

    def start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `python -m module`; the process is killed when the cluster ends."""
        process = started(
            [sys.executable, "-m", module, *arguments],
            log=self.log,
            cwd=ROOT,
            env={**os.environ, **SETTINGS, **self.environment()},
        )
        self.exit_stack.callback(kill, process)
        return process

    def environment(self) -> dict[str, str]:
        """Return the variables that point our processes to this installation."""
        hooks = {"AUTOLYNX_PUBLIC_URL": self.public_url} if self.public_url else {}
        return {
            "AUTOLYNX_DATABASE_URL": self.database_url or self.services.url,
            "AUTOLYNX_VAPI_BASE_URL": self.simulator.url,
            "AUTOLYNX_VAPI_API_KEY": self.simulator.api_key,
            "AUTOLYNX_WEBHOOK_SECRET": "secret",
            **hooks,
        }

    def wait_for_calls(self, count: int) -> None:
        """Wait until the simulator has made `count` calls."""
        seen: Callable[[], bool] = lambda: (  # noqa: E731 - a named condition
            len(self.simulator.ledger()["calls"]) >= count
        )
        eventually(seen, WITHIN, what=f"{count} calls")

    def assert_all_called_once(
        self, campaign_id: UUID, people: int, cap: int
    ) -> CampaignRow:
        """Wait for the end; assert one call per contact, and the cap."""
        eventually(lambda: self.is_over(campaign_id), WITHIN, what="the campaign")
        ledger = self.simulator.ledger(calls=people, timeout=WITHIN)
        called = Counter(call["number"] for call in ledger["calls"])
        assert called == Counter(phones(people)), "each number is called exactly once"
        assert ledger["highWater"]["all"] <= cap
        assert max(ledger["highWater"]["customers"].values()) == 1
        row = self.services.board(campaign_id)
        assert (row.contacts, row.ended) == (people, people)
        calls = self.services.call_rows(campaign_id)
        assert all(call.provider_call_id for call in calls)
        self._assert_outcomes(campaign_id, ledger["calls"])
        self._assert_acknowledged_are_stored(ledger["calls"])
        return row

    def assert_matches_ledger(
        self, campaign_id: UUID, people: int, cap: int, within: float = 120.0
    ) -> Counter[str]:
        """Wait for the end and compare with the ledger.

        Returns how many contacts were never reached, by reason. A call that the
        provider refused after the 201, before it rang, may be made once more.
        """
        eventually(lambda: self.is_over(campaign_id), within, what="the campaign")
        ledger = self.simulator.ledger(calls=1, timeout=WITHIN)
        reached = Counter(
            call["number"] for call in ledger["calls"] if call["ringingAt"]
        )
        twice = {number for number, calls in reached.items() if calls > 1}
        assert not twice, f"numbers called twice: {twice}"
        called = {call["number"] for call in ledger["calls"]}
        assert called <= set(phones(people)), "a number outside the list was called"
        assert ledger["highWater"]["all"] <= cap, ledger["highWater"]
        row, calls = (
            self.services.board(campaign_id),
            self.services.call_rows(campaign_id),
        )
        assert row.ended == len(reached), (row, len(reached))
        assert row.ended + row.failed == row.contacts == people, row
        placed_ids = {call.provider_call_id for call in calls} - {None}
        assert placed_ids == {call["id"] for call in ledger["calls"]}
        reasons = Counter(
            _reason_of_failure(call)
            for call in {call.contact_id: call for call in calls}.values()
            if call.standing is ContactStatus.FAILED
        )
        assert reasons.total() == people - len(reached)
        self._assert_outcomes(campaign_id, ledger["calls"])
        self._assert_acknowledged_are_stored(ledger["calls"])
        return reasons

    def is_over(self, campaign_id: UUID) -> bool:
        """Read the campaign's row, which may lag; false while Postgres is away."""
        try:
            with self.services.reading.connection() as conn:
                row = campaign_board.get(conn, campaign_id)
        except OperationalError:
            return False
        assert row is not None
        return row.state is CampaignState.COMPLETED and row.awaiting_reports == 0

    def _assert_outcomes(self, campaign_id: UUID, ledger: list[dict[str, Any]]) -> None:
        result = {call["id"]: call for call in ledger}
        for row in self.services.call_rows(campaign_id):
            if row.provider_call_id is None:
                continue
            call = result[row.provider_call_id]
            assert row.ended_reason == call["endedReason"]
            assert row.cost is not None
            assert row.cost == Decimal(str(call["cost"])), (row, call)
        spend = sum(Decimal(str(call["cost"])) for call in ledger)
        assert self.services.board(campaign_id).spend == spend

    def _assert_acknowledged_are_stored(self, ledger: list[dict[str, Any]]) -> None:
        """I4: each message that got 200 is stored as a message about its call."""
        for call in ledger:
            call_id = UUID(call["metadata"]["autolynx_call_id"])
            acknowledged = {
                (delivery["label"], delivery["timestamp"])
                for delivery in call["webhooks"]
                if delivery["outcome"] == "delivered"
            }
            stored = {
                label_and_time(message.document)
                for message in self.services.vault.messages_of(call_id)
                if "message" in message.document  # Others are answers to GET /call.
            }
            lost = acknowledged - stored
            assert not lost, f"call {call_id}: {lost} got 200"


def _reason_of_failure(call: CallRow) -> str:
    """Return why a contact was never reached; fail if nothing explains it."""
    if call.rejection_words_id or call.ended_reason:
        return "refused"
    assert call.failure, f"{call} was never called and has no reason"
    return call.failure


def label_and_time(document: dict[str, Any]) -> tuple[str, int]:
    """Return a webhook's label in the simulator's ledger, and its timestamp (ms)."""
    message = document["message"]
    kind = message["type"]
    return message["status"] if kind == STATUS_UPDATE else kind, message["timestamp"]


def stop_postgres_immediately(home: Home) -> None:
    """Stop a Postgres server as `pg_ctl stop -m immediate` does."""
    pid = home.server_pid()
    assert pid is not None
    os.kill(pid, signal.SIGQUIT)
    eventually(lambda: home.server_pid() is None, WITHIN, what="the server to stop")


@contextmanager
def running_cluster(
    url: str,
    *,
    webhooks: bool,
    rate: float = RATE,
    projector: bool = True,
    **settings: Any,
) -> Iterator[Cluster]:
    """Start the simulator and everything of ours except schedulers.

    Without `webhooks` there is no receiver, so all webhooks are lost. Our clocks run
    `rate` times as fast as real time. Use rate 1 if a scheduler is frozen during a
    request: the right to send it expires by the monotonic clock, which is not faster.
    """
    defaults = {"speed": SPEED, "outcomes": {"customer-ended-call": 1}, **settings}
    with ExitStack() as exit_stack:
        clock = started_clock(exit_stack, rate)
        simulator = exit_stack.enter_context(running_simulator(**defaults))
        at = VapiSettings(base_url=simulator.url, api_key=simulator.api_key)
        provider = VapiProvider(at)
        if projector:
            services = exit_stack.enter_context(
                open_services(url, now=clock, provider=provider, projector=True)
            )
        else:
            services = house_without_projector(url, exit_stack, clock, provider)
        public_url = (
            exit_stack.enter_context(_receiving(services)) if webhooks else None
        )
        yield Cluster(
            services,
            simulator,
            public_url,
            exit_stack,
            clock,
            log=exit_stack.enter_context(shown_log()),
        )


@contextmanager
def shown_log() -> Iterator[Path]:
    """Yield an empty file for output; its end is shown if the block fails."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        try:
            yield log
        except BaseException:
            sys.stderr.write(tail(log))
            raise


def house_without_projector(
    url: str, exit_stack: ExitStack, now: Callable[[], datetime], provider: VapiProvider
) -> Services:
    """Wire the services where projectors are separate processes."""
    migrate(url)
    with connect(url, name="test") as connection:
        create_read_model(connection)
    return build_services(
        url,
        exit_stack,
        now=now,
        provider=provider,
        read_model=exit_stack.enter_context(open_feed(url)),
        first=UNRESTRICTED,
    )


def started_clock(exit_stack: ExitStack, rate: float) -> AdjustableClock:
    folder = exit_stack.enter_context(tempfile.TemporaryDirectory())
    clock = AdjustableClock(Path(folder) / "clock")
    clock.start(rate)
    return clock


@contextmanager
def _receiving(services: Services) -> Iterator[str]:
    """Receive webhooks as the API does: answer 200 once they are stored."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(self._stored(body))
            self.send_header("content-length", "0")
            self.end_headers()

        def _stored(self, body: bytes) -> int:
            try:
                services.calls.record_message(read_message(json.loads(body)))
            except (StoreUnavailable, OperationalError):
                return 503
            return 200

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=[0.01], daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            join(thread)
