"""Raises alerts about budgets and ended reasons, and sends all alerts."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Thread
from time import monotonic
from typing import Any

import httpx2
from eventsourcing.persistence import IntegrityError
from psycopg import InterfaceError, OperationalError

from application.campaigns.campaigns import CampaignService
from application.errors import StoreUnavailable
from application.settings import SettingsService
from domain.campaigns.campaign_events import SpendAlert
from domain.errors import Refused
from domain.settings import SettingsValues
from projections import alerts
from projections.alerts import AlertRow, Unraised
from projections.registers import settings_board
from projections.tables.checkpoint import one_snapshot
from scheduler.checked_http import OutsideTransport
from storage.database import Conn, Pool
from storage.process.alert_outbox import AlertOutbox, OutgoingAlert

WAKE_SECONDS = 1.0
"""Shortest time between two runs, however many events arrive."""

LONGEST_WAIT_SECONDS = 15.0
"""Longest time between two runs."""

POST_SECONDS = 10.0
STOP_SECONDS = 3.0
LONGEST_BACK_OFF_SECONDS = 600.0

GIVE_UP_SECONDS = 3 * 86_400.0
"""How long posting an alert is tried again."""

LONGEST_ERROR = 300

MAIL = "mail"
"""Stands for the URL where alerts are sent by e-mail."""

HEAD_SECONDS = 3_600.0
"""How often the chain's head is logged; a log stored elsewhere proves truncation."""

AWAY = (StoreUnavailable, OperationalError, InterfaceError)

type Post = Callable[[str, dict[str, Any]], str | None]
"""Posts a body to a URL; returns the error, None if it was accepted."""

log = logging.getLogger(__name__)


def post_json(
    url: str, body: dict[str, Any], *, any_address: bool = False
) -> str | None:
    """Post JSON to a URL; return the error, or None if it was accepted (2xx).

    `any_address` also allows link-local and metadata addresses.
    """
    transport = None if any_address else OutsideTransport()
    try:
        with httpx2.Client(
            timeout=POST_SECONDS, trust_env=False, transport=transport
        ) as client:
            answer = client.post(url, json=body)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        return f"{type(error).__name__}: {error}"
    if answer.is_success:
        return None
    return f"{answer.status_code} {answer.reason_phrase}"


@dataclass(frozen=True, slots=True)
class Alerts:
    """Raises alerts, stores them in the outbox, and posts those that are due.

    An alert is stored as an event, then in the outbox, and then posted. After a crash
    the next leader continues from the tables, so each alert is posted at least once.
    `first` applies until settings are stored; `random` returns numbers from 0 to 1.
    With `mail`, alerts are sent by e-mail as well, from the outbox `mail_outbox`.
    """

    reading: Pool
    outbox: AlertOutbox
    campaigns: CampaignService
    settings: SettingsService
    first: SettingsValues
    now: Callable[[], datetime]
    random: Callable[[], float]
    post: Post = post_json
    mail_outbox: AlertOutbox | None = None
    mail: Post | None = None

    def run_once(self) -> float:
        """Raise and post what is due; return the seconds until the next run."""
        with self.reading.connection() as conn:
            settings = settings_board.in_force(conn, self.first)
            due = alerts.unraised(
                conn,
                now=self.now(),
                threshold=settings.spend_alert_threshold,
                daily_budget=settings.daily_budget,
            )
            reasons = alerts.unreported_reasons(conn)
        for one in due:
            self._raise(one)
        for reason in reasons:
            self._report_reason(reason)
        url = settings.alert_webhook_url
        waits = [self._send(self.outbox, self.post, url)]
        if self.mail_outbox is not None:
            wanted = MAIL if self.mail else None
            waits.append(self._send(self.mail_outbox, self.mail or self.post, wanted))
        return min(waits)

    def _send(self, outbox: AlertOutbox, post: Post, url: str | None) -> float:
        """Store new alerts and send those due; return the seconds until the next."""
        self._fill(outbox, wanted=url is not None)
        if url is None:
            return LONGEST_WAIT_SECONDS
        for alert in outbox.due():
            error = post(url, alert.body)
            if error is None:
                outbox.posted(alert.position)
            else:
                self._failed(outbox, alert, error[:LONGEST_ERROR])
        return min(outbox.due_in(), LONGEST_WAIT_SECONDS)

    def log_head(self) -> None:
        """Log the position and the hash of the chain's head."""
        with self.reading.connection() as conn:
            chain = _chain(conn)
        log.info("chain head at %s: %s", chain["position"], chain["head"])

    def _raise(self, due: Unraised) -> None:
        """Raise an alert; the aggregate ignores one that it has raised already."""
        spend, budget = due.spend, due.budget
        try:
            if due.campaign_id is not None:
                alert = SpendAlert(due.alert)
                self.campaigns.raise_spend_alert(
                    due.campaign_id, alert=alert, spend=spend, budget=budget
                )
            elif due.day is not None:
                self.settings.raise_daily_spend_alert(
                    day=due.day, alert=due.alert, spend=spend, budget=budget
                )
        except (IntegrityError, Refused) as error:
            log.info("an alert is raised in a later run: %s", error)

    def _report_reason(self, reason: str) -> None:
        """Raise the alert about an ended reason; the aggregate ignores a repetition."""
        try:
            self.settings.report_unknown_reason(reason)
        except (IntegrityError, Refused) as error:
            log.info("an alert is raised in a later run: %s", error)

    def _fill(self, outbox: AlertOutbox, *, wanted: bool) -> None:
        """Store new alerts in the outbox, to be sent only if `wanted`."""
        known = outbox.last()
        with self.reading.connection() as conn, one_snapshot(conn):
            found = alerts.after(conn, known)
            chain = _chain(conn) if found else {}
        outgoing = [OutgoingAlert(row.position, body_of(row, chain)) for row in found]
        for row in found if outbox is self.outbox else ():
            log.warning("alert: %s", row.message)
        if outgoing:
            outbox.keep(outgoing, wanted=wanted)

    def _failed(self, outbox: AlertOutbox, alert: OutgoingAlert, error: str) -> None:
        longest = min(2.0**alert.tries, LONGEST_BACK_OFF_SECONDS)
        is_over = outbox.failed(
            alert.position,
            error=error,
            wait=longest * (0.5 + self.random() / 2),
            give_up_after=GIVE_UP_SECONDS,
        )
        level = logging.ERROR if is_over else logging.WARNING
        log.log(level, "alert %s could not be sent: %s", alert.position, error)


def body_of(row: AlertRow, chain: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON body of an alert, which Slack's incoming webhooks accept as well.

    Slack shows `text` and ignores the rest. `chain` is the head of the events' hash
    chain: a stored copy of it proves later that the end of the log was cut off.
    """
    return {
        "text": _for_slack(row.message),
        "alert": {
            "position": row.position,
            "kind": row.kind.value,
            "raisedAt": row.raised_at.isoformat(),
            "message": row.message,
            "campaignId": str(row.campaign_id) if row.campaign_id else None,
            "campaignName": row.campaign_name,
            "day": row.day.isoformat() if row.day else None,
            "spend": None if row.spend is None else str(row.spend),
            "budget": None if row.budget is None else str(row.budget),
        },
        "chain": chain,
    }


def _for_slack(text: str) -> str:
    """Escape the characters that begin links and commands in Slack."""
    for sign, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, escaped)
    return text


def _chain(conn: Conn) -> dict[str, Any]:
    row = conn.execute(
        "select position, head from projection_position where name = 'read'"
    ).fetchone()
    position, head = row or (0, b"")
    return {"position": position, "head": head.hex()}


class AlertWorker:
    """Runs `Alerts` in its own thread, so that a slow receiver delays nothing else."""

    def __init__(self, alerts_: Alerts) -> None:
        self._alerts = alerts_
        self._stopped, self._woken = Event(), Event()
        self._head_at = float("-inf")
        self._thread = Thread(target=self._run, name="alerts", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Start a run soon because something changed. Thread-safe."""
        self._woken.set()

    def stop(self) -> None:
        """Stop the thread; wait at most STOP_SECONDS for its post. Idempotent."""
        self._stopped.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopped.is_set():
            started = monotonic()
            due_in = self._safely()
            self._stopped.wait(max(started + WAKE_SECONDS - monotonic(), 0))
            self._woken.wait(max(started + due_in - monotonic(), 0))
            self._woken.clear()

    def _safely(self) -> float:
        try:
            if monotonic() >= self._head_at:
                self._alerts.log_head()
                self._head_at = monotonic() + HEAD_SECONDS
            return self._alerts.run_once()
        except AWAY as error:
            log.warning("alerts cannot be processed now: %s", error)
        except Exception:
            if not self._stopped.is_set():
                log.exception("processing the alerts failed")
        return LONGEST_WAIT_SECONDS
