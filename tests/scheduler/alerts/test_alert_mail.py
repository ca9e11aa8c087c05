"""Alerts by e-mail, sent to a real SMTP server; and the alert about an endpoint."""

import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Thread
from typing import Any

import pytest
from pydantic import ValidationError

from application.configuration import Configuration
from domain.campaigns.campaign_events import SpendAlert
from domain.settings import SettingsValues
from projections import alerts
from projections.alerts import AlertKind
from scheduler.alerts.alert_mail import AlertMail, MailServer, mail_server
from scheduler.alerts.alerts import Alerts, Post, post_json
from storage.process.alert_outbox import MAILED, AlertOutbox
from tests.child_process import join
from tests.scheduler.alerts.receiver import receiving
from tests.webhooks import add_endpoint
from tests.wiring import Services, real_time

SENDER, RECIPIENT = "autolynx@example.com", "ops@example.com"


class Mailbox:
    """What an SMTP server received; `refusals` are answers to the next messages."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refusals: list[str] = []
        self.port = 0


@contextmanager
def mail_receiver() -> Iterator[Mailbox]:
    """Run a small SMTP server (RFC 5321) without encryption."""
    box = Mailbox()

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 test")
            while line := self.rfile.readline():
                verb = line.split()[0].upper() if line.split() else b""
                if verb == b"DATA":
                    self.say("354 go on")
                    self.say(self.receive())
                elif verb == b"QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")

        def receive(self) -> str:
            lines: list[bytes] = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line)
            if box.refusals:
                return box.refusals.pop(0)
            parsed = message_from_bytes(b"".join(lines), policy=policy.default)
            box.messages.append(parsed)
            return "250 ok"

        def say(self, text: str) -> None:
            self.wfile.write(text.encode() + b"\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        box.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            join(thread)


def alerts_of(services: Services, *, post: Post, mail: AlertMail | None) -> Alerts:
    return Alerts(
        reading=services.reading,
        outbox=AlertOutbox(services.writing),
        campaigns=services.campaigns,
        settings=services.settings,
        first=SettingsValues(),
        now=services.now,
        random=lambda: 0.0,
        post=post,
        mail_outbox=AlertOutbox(services.writing, MAILED),
        mail=mail,
    )


def mail_to(box: Mailbox) -> AlertMail:
    server = MailServer("127.0.0.1", box.port, "none", SENDER, (RECIPIENT,))
    return AlertMail(server, real_time)


def raise_alert(services: Services) -> None:
    campaign = services.campaign(1, budget=Decimal(5), name="Zürich & Bern")
    services.campaigns.raise_spend_alert(
        campaign, alert=SpendAlert.LIMIT, spend=Decimal(6), budget=Decimal(5)
    )
    services.settle()


def never(_url: str, _body: dict[str, Any]) -> str | None:
    raise AssertionError("no URL is set")


def test_an_alert_is_mailed_until_the_server_takes_it(services: Services) -> None:
    with mail_receiver() as box:
        box.refusals.append("451 try again later")
        looking = alerts_of(services, post=never, mail=mail_to(box))
        raise_alert(services)
        looking.run_once()
        assert box.messages == []
        with services.writing.connection() as conn:
            conn.execute("update alert_mail_outbox set next_try_at = now()")
        looking.run_once()
        looking.run_once()
    [message] = box.messages
    assert (message["From"], message["To"]) == (SENDER, RECIPIENT)
    assert "Zürich & Bern" in message["Subject"]
    assert "kind: spend_limit" in message.get_content()


def test_the_alert_url_and_the_mail_each_get_an_alert_even_if_the_other_fails(
    services: Services,
) -> None:
    with receiving([500]) as (url, posted), mail_receiver() as box:
        services.set(alert_webhook_url=url)
        raise_alert(services)

        looking = alerts_of(services, post=post_json, mail=mail_to(box))
        looking.run_once()
        assert (len(posted), len(box.messages)) == (1, 1)
        with services.writing.connection() as conn:
            conn.execute("update alert_outbox set next_try_at = now()")
        looking.run_once()
    assert (len(posted), len(box.messages)) == (2, 1)


def test_alerts_from_before_mail_was_configured_are_not_mailed(
    services: Services,
) -> None:
    raise_alert(services)
    alerts_of(services, post=never, mail=None).run_once()
    with mail_receiver() as box:
        alerts_of(services, post=never, mail=mail_to(box)).run_once()
    assert box.messages == []


def test_an_endpoint_that_was_given_up_raises_an_alert_without_its_secret_path(
    services: Services,
) -> None:
    endpoint, _ = add_endpoint(services, url="https://hooks.example.com/secret/path")
    services.webhook_endpoints.give_up(
        endpoint, failing_since=services.now() - timedelta(days=3)
    )
    services.settle()
    with services.reading.connection() as conn:
        [row] = alerts.newest(conn, 5)
        assert alerts.after(conn, 0) == [row]
    assert row.kind is AlertKind.WEBHOOK_DISABLED
    assert "hooks.example.com is disabled" in row.message
    assert "secret" not in row.message


def test_recipients_need_a_server_and_a_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOLYNX_ALERT_MAIL_TO", "a@example.com, b@example.com")
    with pytest.raises(ValidationError, match="AUTOLYNX_SMTP_HOST"):
        Configuration()
    monkeypatch.setenv("AUTOLYNX_SMTP_HOST", "smtp.example.com")
    monkeypatch.setenv("AUTOLYNX_ALERT_MAIL_FROM", SENDER)
    monkeypatch.setenv("AUTOLYNX_SMTP_PASSWORD", "hidden")
    server = mail_server(Configuration())
    assert server is not None
    assert (server.port, server.security) == (587, "starttls")
    assert server.recipients == ("a@example.com", "b@example.com")
    assert "hidden" not in repr(server)
