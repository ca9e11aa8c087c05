"""The command that checks a deployment for common faults and suggests remedies."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from ipaddress import ip_address
from typing import Any, LiteralString
from urllib.parse import urlsplit

import typer
from psycopg import OperationalError

from application.configuration import Configuration
from application.installation_key import key_fault
from application.ports import (
    PhoneNumber,
    Provider,
    ProviderRefused,
    ProviderUnavailable,
)
from interfaces.cli.calling_checks import of_lists, of_rules, of_settings
from interfaces.cli.database import bare_database
from interfaces.cli.findings import Finding, Found, Grade
from interfaces.cli.output import AsJson, as_mapping, json_of, print_line
from interfaces.cli.workbench import utc_now
from projections.calls.dial_queue import dialling_is_stopped
from projections.connections import open_log, open_pools
from projections.engine.schema import outdated_message, use_read_model
from projections.monitoring.lag import lag
from provider.vapi.client import VapiProvider
from provider.vapi.settings import vapi_settings
from storage.database import Conn, connect
from storage.fitness import (
    TRANSACTION_POOLER,
    is_transaction_pooler,
    why_read_only,
)
from storage.migrate import (
    DatabaseTooNew,
    MigrationChanged,
    UnfitServer,
    pending,
)
from storage.process.embedded_postgres import EmbeddedPostgresFailed
from storage.process.rehearsal_database import missing_grant
from storage.vault.tables import Vault

SHORTEST_SECRET = 16
MOST_SKEW_SECONDS = 2.0
MOST_LAG_SECONDS = 10.0
SILENT_SECONDS = 150.0


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(doctor)


def doctor(*, as_json: AsJson = False) -> int:
    """Check configuration, database and provider, and print how to fix faults.

    Nothing is changed and nobody is called. The exit code is 1 if something is wrong,
    0 if there are only warnings.
    """
    findings: list[Finding] = []
    for finding in examine(Configuration()):
        findings.append(finding)
        if not as_json:
            print_line(f"{finding.grade:<5}  {finding.about}: {finding.said}")
    if as_json:
        print_line(json_of([as_mapping(finding) for finding in findings]))
    return int(any(finding.grade is Grade.WRONG for finding in findings))


def examine(configuration: Configuration, provider: Provider | None = None) -> Found:
    """Yield the findings in the order in which to fix them."""
    yield from of_database(configuration)
    yield of_rules(configuration)
    yield of_public_url(configuration)
    yield of_webhook_secret(configuration)
    yield from of_sign_in(configuration)
    provider = provider or VapiProvider(vapi_settings(configuration))
    yield from of_provider(configuration, provider)


# --- The database ---------------------------------------------------------------


def of_database(configuration: Configuration) -> Found:
    """Check connection, server, pooler, migrations and read tables."""
    if configuration.database_url is None:
        message = (
            f"embedded, in {configuration.data_dir}: for one machine. For several,"
        )
        yield Finding("database", Grade.LOOK, f"{message} set AUTOLYNX_DATABASE_URL.")
    with ExitStack() as opened:
        try:
            url = opened.enter_context(bare_database(configuration))
            conn = opened.enter_context(connect(url, name="doctor"))
        except (OperationalError, EmbeddedPostgresFailed) as error:
            reason = " ".join(str(error).split())
            message = f"cannot be reached ({reason}): check AUTOLYNX_DATABASE_URL."
            yield Finding("database", Grade.WRONG, message)
            return
        unwritable = why_read_only(conn)
        yield from _of_server(conn, unwritable)
        yield from _of_pooler(url)
        yield from _of_tables(conn, url, is_writable=unwritable is None)


def _of_log(conn: Conn, url: str) -> Found:
    """Check what calls depend on: the installation's key, settings, suppression lists.

    The log is read, and not the read tables, which may be behind. Nothing is created.
    """
    with (
        open_pools(url, name="doctor", max_size=1) as pools,
        open_log(pools.writing) as app,
    ):
        fault = key_fault(app, Vault(pools.writing))
        found = Finding("register", Grade.OK, "suppressed numbers can be recognised.")
        yield found if fault is None else Finding("register", Grade.WRONG, fault)
        yield from of_settings(app)
        yield of_lists(app, conn, utc_now().date())


def _of_server(conn: Conn, unwritable: str | None) -> Found:
    version = conn.info.parameter_status("server_version") or "of no version"
    yield Finding("database", Grade.OK, f"Postgres {version} answers.")
    yield _of_time_zone(conn)
    yield of_clock(utc_now(), _value(conn, "select clock_timestamp()"))
    yield _of_durability(conn)
    yield of_rehearsals(conn)
    if unwritable is not None:
        yield Finding("server", Grade.WRONG, f"{unwritable}.")


def _of_pooler(url: str) -> Found:
    try:
        if is_transaction_pooler(url):
            yield Finding("pooler", Grade.WRONG, f"{TRANSACTION_POOLER}.")
    except OperationalError as error:
        reason = " ".join(str(error).split())
        message = f"could not be checked ({reason}): run autolynx doctor again."
        yield Finding("pooler", Grade.LOOK, message)


def _of_time_zone(conn: Conn) -> Finding:
    query: LiteralString = """
        select reset_val from pg_settings where name = 'TimeZone'
    """
    zone = str(_value(conn, query))
    if zone.upper() in {"UTC", "ETC/UTC", "GMT"}:
        return Finding("time zone", Grade.OK, "UTC.")
    message = (
        f"the server's is {zone}; times are stored and a budget's day counts in UTC."
    )
    return Finding("time zone", Grade.LOOK, message)


def of_clock(here: datetime, there: datetime) -> Finding:
    """Compare this machine's time with the database's."""
    skew = abs((here - there).total_seconds())
    if skew <= MOST_SKEW_SECONDS:
        return Finding("clock", Grade.OK, "agrees with the database's.")
    message = f"{skew:.0f} s from the database's: synchronize both with NTP."
    return Finding("clock", Grade.WRONG, message)


def _of_durability(conn: Conn) -> Finding:
    shown = {
        name: str(_value(conn, query))
        for name, query in (
            ("fsync", "show fsync"),
            ("synchronous_commit", "show synchronous_commit"),
        )
    }
    off = [name for name, value in shown.items() if value == "off"]
    if not off:
        return Finding("durability", Grade.OK, "commits are written to disk.")
    message = f"{', '.join(off)} is off: a crash loses acknowledged data. Turn it on."
    return Finding("durability", Grade.WRONG, message)


def of_rehearsals(conn: Conn) -> Finding:
    """Check that the database user may create the database of a rehearsal."""
    grant = missing_grant(conn)
    if not grant:
        return Finding("rehearsals", Grade.OK, "can be run.")
    message = f"cannot be run without the right to create databases. {grant}"
    return Finding("rehearsals", Grade.LOOK, message)


def _of_tables(conn: Conn, url: str, *, is_writable: bool) -> Found:
    try:
        missing = pending(url)
    except (UnfitServer, MigrationChanged, DatabaseTooNew) as error:
        yield Finding("migrations", Grade.WRONG, f"{error}.")
        return
    if missing:
        message = f"missing: {', '.join(missing)}. Run autolynx migrate."
        yield Finding("migrations", Grade.WRONG, message)
        return
    yield Finding("migrations", Grade.OK, "all are applied.")
    yield from _of_log(conn, url)
    use_read_model(conn)
    if stale := outdated_message(conn):
        yield Finding("read tables", Grade.WRONG, f"{stale}.")
        return
    yield _of_projector(conn)
    yield _of_scheduler(conn, is_writable=is_writable)
    yield _of_dialling(conn)
    yield _of_members(conn)


def _of_projector(conn: Conn) -> Finding:
    behind = lag(conn, utc_now())
    if behind.seconds <= MOST_LAG_SECONDS:
        return Finding("projector", Grade.OK, "the read model is up to date.")
    message = f"{behind.seconds:.0f} s behind, at {behind.next_event}."
    return Finding("projector", Grade.WRONG, f"{message} Run autolynx projector.")


def _of_scheduler(conn: Conn, *, is_writable: bool) -> Finding:
    """Check the last heartbeat, which proves nothing once it cannot be written."""
    if not is_writable:
        message = (
            "cannot run, as this database takes no writes: see the server's finding."
        )
        return Finding("scheduler", Grade.WRONG, message)
    query: LiteralString = """
        select extract(epoch from clock_timestamp() - beat_at) from heartbeat
        where role = 'scheduler'
    """
    age = _value(conn, query)
    if age is not None and age <= SILENT_SECONDS:
        return Finding(
            "scheduler", Grade.OK, f"leads; its last heartbeat is {age:.0f} s old."
        )
    message = "none runs, so nothing is dialled: autolynx up, or autolynx scheduler."
    return Finding("scheduler", Grade.LOOK, message)


def _of_dialling(conn: Conn) -> Finding:
    if not dialling_is_stopped(conn):
        return Finding("dialling", Grade.OK, "is not stopped.")
    message = (
        "stopped for all campaigns: the provider shows two calls for one of our calls."
        " Check both there; then an admin can allow requests again in the settings."
    )
    return Finding("dialling", Grade.WRONG, message)


def _of_members(conn: Conn) -> Finding:
    query: LiteralString = """
        select count(*) from autolynx_events where topic = 'member.added'
    """
    count = _value(conn, query)
    if count:
        return Finding("members", Grade.OK, "there are members.")
    message = "nobody can sign in: autolynx members add E-MAIL --role admin."
    return Finding("members", Grade.WRONG, message)


def _value(conn: Conn, query: LiteralString) -> Any:
    row = conn.execute(query).fetchone()
    return None if row is None else row[0]


# --- Webhooks and sign-in -----------------------------------------------------------


def of_public_url(configuration: Configuration) -> Finding:
    """Check the form of AUTOLYNX_PUBLIC_URL; nothing is sent to it."""
    url = configuration.public_url
    if url is None:
        message = "AUTOLYNX_PUBLIC_URL is not set: the provider cannot send webhooks."
        return Finding(
            "public URL", Grade.WRONG, f"{message} Set it to https://your.name"
        )
    for message in _wrong_with(url):
        return Finding("public URL", Grade.WRONG, f"{url}: {message}")
    return Finding("public URL", Grade.OK, f"{url} has the form of a public one.")


def _wrong_with(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        yield "is no URL."
        return
    if parts.scheme != "https":
        yield "must begin with https://, as the provider sends transcripts there."
    if not _is_public(host):
        yield f"{host or 'no name'} is not reachable from outside; use a public name."
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        yield "must be a name only, without a path."


def _is_public(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        private = (".local", ".internal", ".localhost", ".lan", ".test", ".invalid")
        return "." in host and not host.rstrip(".").endswith(private)


def of_webhook_secret(configuration: Configuration) -> Finding:
    """Check that webhooks can be authenticated."""
    secret = configuration.webhook_secret
    length = len(secret.get_secret_value()) if secret else 0
    if not length:
        message = (
            "AUTOLYNX_WEBHOOK_SECRET is not set: every webhook is refused. Set it."
        )
        return Finding("webhooks", Grade.WRONG, message)
    if length < SHORTEST_SECRET:
        message = f"the secret has {length} characters: use {SHORTEST_SECRET} or more."
        return Finding("webhooks", Grade.LOOK, message)
    if configuration.webhook_auth == "hmac" and not configuration.vapi_credential_id:
        message = (
            "hmac needs a credential at the provider: set AUTOLYNX_VAPI_CREDENTIAL_ID."
        )
        return Finding("webhooks", Grade.WRONG, message)
    return Finding(
        "webhooks", Grade.OK, f"are authenticated by {configuration.webhook_auth}."
    )


def of_sign_in(configuration: Configuration) -> Found:
    """Check the identity provider's variables, and the development mode."""
    given = {
        "AUTOLYNX_OIDC_ISSUER": configuration.oidc_issuer,
        "AUTOLYNX_OIDC_CLIENT_ID": configuration.oidc_client_id,
        "AUTOLYNX_OIDC_CLIENT_SECRET": configuration.oidc_client_secret,
    }
    missing = [name for name, value in given.items() if not value]
    if not missing:
        yield Finding("sign-in", Grade.OK, "by the identity provider, or by link.")
    elif len(missing) == len(given):
        message = "by links that autolynx signin prints; no identity provider is set."
        yield Finding("sign-in", Grade.LOOK, message)
    else:
        yield Finding("sign-in", Grade.WRONG, f"{', '.join(missing)} is not set.")
    if configuration.development and configuration.public_url:
        message = (
            "AUTOLYNX_DEVELOPMENT is on: turn it off if others can reach this server."
        )
        yield Finding("development", Grade.WRONG, message)


# --- The provider ---------------------------------------------------------------


def of_provider(configuration: Configuration, provider: Provider) -> Found:
    """Check that the provider accepts the key, then its phone numbers."""
    if configuration.vapi_api_key is None:
        message = "AUTOLYNX_VAPI_API_KEY is not set: nothing can be dialled. Set it."
        yield Finding("provider", Grade.WRONG, message)
        return
    try:
        lines = provider.phone_numbers()
    except ProviderRefused as error:
        message = (
            f"{configuration.vapi_base_url} refuses ({error}): is the key the private"
        )
        yield Finding("provider", Grade.WRONG, f"{message} one, of this account?")
    except ProviderUnavailable as error:
        message = f"{configuration.vapi_base_url} does not answer ({error})."
        yield Finding(
            "provider", Grade.WRONG, f"{message} Can this machine connect to it?"
        )
    else:
        yield Finding("provider", Grade.OK, f"{configuration.vapi_base_url} answers.")
        yield of_lines(lines)


def of_lines(lines: list[PhoneNumber]) -> Finding:
    """Check that there is a phone number to call from, and that all are active."""
    if not lines:
        message = (
            "the account has no phone number to call from: buy or import one there."
        )
        return Finding("phone numbers", Grade.WRONG, message)
    unfit = [line.number or line.id for line in lines if not line.usable]
    if unfit:
        message = f"not active at the provider: {', '.join(unfit)}."
        return Finding("phone numbers", Grade.LOOK, message)
    return Finding("phone numbers", Grade.OK, f"{len(lines)} to call from.")
