"""Installations to measure: an embedded Postgres, new databases, real processes."""

import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx2
import psycopg

from application.app import AutoLynx
from application.event_context import EventContext
from application.members.members import MemberService
from bench.support.contact_files import write_people
from domain.assistant import Assistant
from domain.values import Role
from projections.engine.schema import create_read_model
from provider.vapi import ACTOR
from storage.access.api_tokens import TokenStore
from storage.access.sessions import Credentials
from storage.database import Pool, connect, open_pool
from storage.log.recorder import EventStoreFactory
from storage.migrate import migrate
from storage.process.embedded_postgres import embedded_postgres

ROOT = Path(__file__).parents[2]
SECRET = "bench-secret"
EMAIL = "bench@example.com"
START_SECONDS = 120.0

CREATE = """
mutation($input: CreateCampaignInput!) {
  createCampaign(input: $input) {
    ... on ImportedCampaign { campaign { id progress { contacts } } }
    ... on UserError { code message }
  }
}
"""


def utc_now() -> datetime:
    """Return this machine's time in UTC."""
    return datetime.now(UTC)


def context() -> EventContext:
    """Return the sources of time, ids and random bytes for services."""
    return EventContext(
        now=utc_now,
        new_id=uuid4,
        random_bytes=secrets.token_bytes,
        provider_actor=ACTOR,
    )


@dataclass(frozen=True)
class Server:
    """A Postgres server; each benchmark creates its own databases in it."""

    url: str
    folder: Path

    @contextmanager
    def empty_database(self) -> Iterator[str]:
        """Yield the URL of a new database; drop it afterwards."""
        name = f"bench_{uuid4().hex}"
        self._administer(f"create database {name}")
        yield urlsplit(self.url)._replace(path=f"/{name}").geturl()
        self._administer(f"drop database {name} with (force)")

    @contextmanager
    def database(self) -> Iterator[str]:
        """Yield the URL of a database with all tables."""
        with self.empty_database() as url:
            migrate(url)
            with connect(url, name="bench") as connection:
                create_read_model(connection)
            yield url

    @contextmanager
    def installation(
        self, settings: Mapping[str, str] | None = None
    ) -> Iterator["Installation"]:
        """Run an API and a projector on a new database.

        `settings` are environment variables in addition to the usual ones.
        """
        with ExitStack() as opened:
            database = opened.enter_context(self.database())
            pool = opened.enter_context(open_pool(database, name="bench"))
            app = AutoLynx(EventStoreFactory(pool))
            opened.callback(app.close)
            token = _token(app, pool)
            environment = {
                "AUTOLYNX_DATABASE_URL": database,
                "AUTOLYNX_PORT": str(free_port()),
                "AUTOLYNX_WEBHOOK_SECRET": SECRET,
                "AUTOLYNX_LOG_LEVEL": "warning",
                **(settings or {}),
            }
            projector = opened.enter_context(process("projections", environment))
            api = opened.enter_context(process("interfaces.asgi", environment))
            url = f"http://127.0.0.1:{environment['AUTOLYNX_PORT']}"
            wait_for(lambda: answers(f"{url}/healthz"), "the API")
            found = Installation(
                url, database, pool, app, token, api, projector, environment
            )
            wait_for(found.has_caught_up, "the projector")
            yield found

    def _administer(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())


@dataclass(frozen=True)
class Installation:
    """A running API and projector, with a database pool and an admin's token."""

    url: str
    database: str
    pool: Pool
    app: AutoLynx
    token: str
    api: subprocess.Popen[bytes]
    projector: subprocess.Popen[bytes]
    environment: dict[str, str]

    @property
    def headers(self) -> dict[str, str]:
        """The Authorization header of the admin."""
        return {"Authorization": f"Bearer {self.token}"}

    def upload(self, file: Path) -> dict[str, Any]:
        """Upload a file in chunks; return the JSON of the response."""
        answer = httpx2.post(
            f"{self.url}/uploads?filename={file.name}",
            content=_chunks(file),
            headers={**self.headers, "Content-Type": "text/csv"},
            timeout=600,
        )
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Send a GraphQL operation; return its data. Fails if it has errors."""
        answer = httpx2.post(
            f"{self.url}/graphql",
            json={"query": query, "variables": variables},
            headers=self.headers,
            timeout=600,
        )
        body = answer.json()
        assert not body.get("errors"), body
        data: dict[str, Any] = body["data"]
        return data

    def assistant(self) -> UUID:
        """Register an assistant without the provider; return its id."""
        assistant = Assistant.create(
            provider_assistant_id="vapi-assistant",
            name="Ann",
            config={"model": {"provider": "openai"}},
            at=utc_now(),
            by="bench",
        )
        self.app.append(assistant)
        return assistant.id

    def create_campaign(self, upload_id: str, assistant_id: UUID) -> UUID:
        """Create a campaign over GraphQL; return its id."""
        asked = {
            "name": "Bench",
            "uploadId": upload_id,
            "assistantId": str(assistant_id),
            "phoneNumberId": "line-1",
        }
        made = self.ask(CREATE, input=asked)["createCampaign"]
        assert "campaign" in made, made
        return UUID(made["campaign"]["id"])

    def small_campaign(self) -> UUID:
        """Create a campaign of 20 rows; return its id."""
        with tempfile.TemporaryDirectory() as folder:
            upload = self.upload(write_people(Path(folder) / "few.csv", 20))
        return self.create_campaign(upload["id"], self.assistant())

    def server_pids(self) -> list[int]:
        """Return the pids of the Postgres backends of this installation."""
        query = b"select pid from pg_stat_activity where datname = current_database()"
        with self.pool.connection() as connection:
            return [pid for (pid,) in connection.execute(query)]

    def has_caught_up(self) -> bool:
        """Return whether the read model includes the whole log."""
        last = self.app.recorder.max_notification_id() or 0
        query = "select position from read.projection_position"
        with self.pool.connection() as connection:
            row = connection.execute(query.encode()).fetchone()
        return row is not None and row[0] >= last


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while chunk := opened.read(1 << 16):
            yield chunk


def _token(app: AutoLynx, pool: Pool) -> str:
    members = MemberService(
        app=app, context=context(), credentials=Credentials(pool), admins=list
    )
    members.add(EMAIL, Role.ADMIN, by="bench")
    return TokenStore(pool).create(
        token_id=uuid4(), email=EMAIL, secret=secrets.token_bytes(32), now=utc_now()
    )


@contextmanager
def start_server(folder: Path) -> Iterator[Server]:
    """Run an embedded Postgres in this folder during the block."""
    folder.chmod(0o755)  # Postgres may run as nobody.
    with embedded_postgres(folder / "pg") as url:
        yield Server(url, folder)


@contextmanager
def process(
    module: str, environment: dict[str, str], arguments: Sequence[str] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python module as a process until the end of the block."""
    running = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
    )
    try:
        yield running
    finally:
        running.terminate()
        running.wait(30)


def free_port() -> int:
    """Return a port that no program listens on at present."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def answers(url: str) -> bool:
    """Return whether a GET request to the URL succeeds."""
    try:
        return httpx2.get(url).is_success
    except httpx2.TransportError:
        return False


def wait_for(condition: Any, what: str, seconds: float = START_SECONDS) -> None:
    """Wait until `condition()` is true; fail after `seconds`."""
    until = monotonic() + seconds
    while not condition():
        assert monotonic() < until, f"{what} was not ready within {seconds} s"
        sleep(0.02)
