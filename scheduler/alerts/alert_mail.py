"""Sends alerts by e-mail over SMTP, with the standard library."""

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any

from application.configuration import Configuration

TIMEOUT_SECONDS = 10.0
LONGEST_SUBJECT = 150


@dataclass(frozen=True, slots=True)
class MailServer:
    """The SMTP server (RFC 5321) to use, and who sends to whom.

    `security` is "tls" for TLS from the start (RFC 8314), "starttls", or "none".
    Without `username`, no credentials are sent.
    """

    host: str
    port: int
    security: str
    sender: str
    recipients: tuple[str, ...]
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def mail_server(configuration: Configuration) -> MailServer | None:
    """Return the configured server; None if no recipient is configured."""
    if not configuration.alert_mail_to:
        return None
    assert configuration.smtp_host is not None  # Checked by the configuration.
    assert configuration.alert_mail_from is not None
    secret = configuration.smtp_password
    return MailServer(
        host=configuration.smtp_host,
        port=configuration.smtp_port or DEFAULT_PORTS[configuration.smtp_security],
        security=configuration.smtp_security,
        sender=configuration.alert_mail_from,
        recipients=configuration.alert_mail_to,
        username=configuration.smtp_username,
        password=secret.get_secret_value() if secret else None,
    )


DEFAULT_PORTS = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True, slots=True)
class AlertMail:
    """Sends the body of an alert as a message; has the form of `alerts.Post`.

    `now` returns aware times.
    """

    server: MailServer
    now: Callable[[], datetime]

    def __call__(self, _url: str, body: dict[str, Any]) -> str | None:
        """Send one message; return the error, or None if the server took it for all."""
        try:
            with self._connected() as smtp:
                refused = smtp.send_message(self.message(body))
        except (OSError, smtplib.SMTPException) as error:
            return f"{type(error).__name__}: {error}"
        return f"refused for {', '.join(refused)}" if refused else None

    def message(self, body: dict[str, Any]) -> EmailMessage:
        """Return the message about an alert; an erased alert has no details left."""
        alert, chain = body.get("alert", {}), body.get("chain", {})
        text = str(alert.get("message") or body.get("message", ""))
        message = EmailMessage()
        message["Subject"] = f"AutoLynx: {' '.join(text.split())}"[:LONGEST_SUBJECT]
        message["From"] = self.server.sender
        message["To"] = ", ".join(self.server.recipients)
        message["Date"] = format_datetime(self.now())
        message["Message-ID"] = make_msgid(domain="autolynx")
        lines = [text, ""]
        lines += [
            f"{name}: {value}" for name, value in alert.items() if value is not None
        ]
        lines += [f"chain {name}: {value}" for name, value in chain.items()]
        message.set_content("\n".join(lines))
        return message

    def _connected(self) -> smtplib.SMTP:
        """Connect, encrypt and sign in, as configured."""
        server, context = self.server, ssl.create_default_context()
        if server.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
        try:
            if server.security == "starttls":
                smtp.starttls(context=context)
            if server.username is not None:
                smtp.login(server.username, server.password or "")
        except BaseException:
            smtp.close()
            raise
        return smtp
