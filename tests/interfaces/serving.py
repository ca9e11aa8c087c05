"""A real API over a real database, used over HTTP and WebSocket."""

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2
import uvicorn
from opentelemetry.trace import TracerProvider
from websockets import Subprotocol
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as open_socket

from application.app import AutoLynx
from application.calls.call_service import CallService
from application.configuration import Configuration
from application.event_context import EventContext
from application.members.members import MemberService
from application.ports import PhoneNumber, ProviderAssistant, ReadModel
from domain.values import Role
from interfaces.asgi import create_app
from interfaces.server.uvicorn_server import serving
from projections.composition import Components
from projections.connections import Pools, open_log, open_pools
from projections.engine.runner import Projector
from projections.tables.checkpoint import position_of
from provider.vapi.messages.reading import read_message
from storage.access.api_tokens import TokenStore
from storage.access.sessions import SessionStore
from storage.database import Pool
from tests import http_requests as asking
from tests.fakes import FakeProvider
from tests.support import eventually
from tests.wiring import UNRESTRICTED

ASSISTANT, LINE = "vapi-assistant", "line-1"
SECRET = "webhook-secret"
GRAPHQL_WS = Subprotocol("graphql-transport-ws")


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Answer:
    data: Any
    errors: list[dict[str, Any]]

    @property
    def code(self) -> str | None:
        return self.errors[0]["extensions"]["code"] if self.errors else None


@dataclass
class ApiClient:
    """An API with its database, and the requests that tests send to it."""

    url: str
    database: str
    components: Components
    provider: FakeProvider
    projector: "RunningProjector"
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def pool(self) -> Pool:
        return self.components.writing

    @property
    def read_pool(self) -> Pool:
        return self.components.reading

    @property
    def app(self) -> AutoLynx:
        return self.components.app

    @property
    def context(self) -> EventContext:
        return self.components.context

    @property
    def calls(self) -> CallService:
        return self.components.calls

    # --- People -------------------------------------------------------------------

    @property
    def members(self) -> MemberService:
        return self.components.members

    @property
    def token_store(self) -> TokenStore:
        return self.components.tokens

    def token(self, role: Role = Role.ADMIN, **given: Any) -> str:
        """Return an API token of a member with that role."""
        email = f"{role.lower()}@example.com"
        self.members.add(email, role, by="test")
        secret = secrets.token_bytes(32)
        return self.token_store.create(
            token_id=uuid4(), email=email, secret=secret, now=utc_now(), **given
        )

    @property
    def sessions(self) -> SessionStore:
        return self.components.sessions

    def link(self, role: Role = Role.ADMIN, now: datetime | None = None) -> str:
        """Return the secret of a sign-in link of a member with that role."""
        email = f"{role.lower()}@example.com"
        self.members.add(email, role, by="test")
        return self.components.sign_in_links.create(
            email=email, secret=secrets.token_bytes(32), now=now or utc_now()
        )

    def session(self, role: Role = Role.ADMIN) -> str:
        """Return a browser's session of a member with that role."""
        email = f"{role.lower()}@example.com"
        self.members.add(email, role, by="test")
        return self.sessions.open(
            email=email, secret=secrets.token_bytes(32), now=utc_now()
        )

    def header(self, role: Role = Role.ADMIN) -> dict[str, str]:
        if role not in self.tokens:
            self.tokens[role] = self.token(role)
        return {"Authorization": f"Bearer {self.tokens[role]}"}

    # --- HTTP ---------------------------------------------------------------------

    def get(self, path: str, role: Role | None = Role.ADMIN) -> httpx2.Response:
        headers = self.header(role) if role else {}
        return asking.get(f"{self.url}{path}", headers=headers, timeout=30)

    def ask(
        self, query: str, role: Role | None = Role.ADMIN, **variables: Any
    ) -> Answer:
        body = {"query": query, "variables": variables}
        headers = self.header(role) if role else {}
        answer = asking.post(
            f"{self.url}/graphql", json=body, headers=headers, timeout=60
        )
        data = answer.json()
        return Answer(data.get("data"), data.get("errors") or [])

    def execute(
        self, query: str, role: Role | None = Role.ADMIN, **variables: Any
    ) -> Any:
        """Return the data of an operation that has no error."""
        answer = self.ask(query, role, **variables)
        assert not answer.errors, answer.errors
        return answer.data

    def upload(self, csv: str, role: Role = Role.OPERATOR) -> str:
        answer = asking.post(
            f"{self.url}/uploads?filename=people.csv",
            content=csv.encode(),
            headers={**self.header(role), "Content-Type": "text/csv"},
            timeout=30,
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    @contextmanager
    def socket(self, token: str | None = None) -> Iterator["Socket"]:
        url = f"ws{self.url.removeprefix('http')}/graphql"
        with open_socket(url, subprotocols=[GRAPHQL_WS]) as connection:
            given = {"authorization": f"Bearer {token}"} if token else {}
            connection.send(json.dumps({"type": "connection_init", "payload": given}))
            yield Socket(connection)

    # --- Main path ------------------------------------------------------------------

    def assistant(self) -> str:
        made = self.execute(
            """mutation($id: String!) { importAssistant(providerAssistantId: $id) {
                 ... on Assistant { id } ... on UserError { code message } } }""",
            id=ASSISTANT,
        )
        return str(made["importAssistant"]["id"])

    def campaign(self, csv: str | None = None, **given: Any) -> str:
        """Create a campaign of two people, or of those in the file."""
        asked = {
            "name": "Spring",
            "uploadId": self.upload(csv or PEOPLE),
            "assistantId": self.assistant(),
            "phoneNumberId": LINE,
            **given,
        }
        made = self.execute(CREATE, Role.OPERATOR, input=asked)["createCampaign"]
        assert made["__typename"] == "ImportedCampaign", made
        return str(made["campaign"]["id"])

    def caught_up(self) -> None:
        """Wait until the read model shows everything."""
        last = self.app.recorder.max_notification_id() or 0
        assert self.components.read_model.wait_for(last, 30.0), "the read model lags"


PEOPLE = (
    "name,business_name,phone,plan\nAda,Engines,+12025550101,gold\nBob,,+12025550102,\n"
)

CREATE = """
mutation($input: CreateCampaignInput!) {
  createCampaign(input: $input) {
    __typename
    ... on ImportedCampaign {
      campaign { id name state cap progress { contacts pending position } }
      report { accepted skippedCount skipped { row reason message } rejectsUrl }
    }
    ... on UserError { code message fields { path message } }
  }
}
"""


@dataclass
class Socket:
    connection: ClientConnection
    frames: int = 0

    def receive(self, within: float = 10.0) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.connection.recv(within))
        return message

    def acknowledged(self) -> "Socket":
        assert self.receive()["type"] == "connection_ack"
        return self

    def subscribe(self, query: str, id_: str = "1", **variables: Any) -> None:
        payload = {"query": query, "variables": variables}
        message = {"id": id_, "type": "subscribe", "payload": payload}
        self.connection.send(json.dumps(message))

    def closing_code(self) -> int | None:
        """Read frames until the socket is closed; return why it was."""
        while True:
            try:
                self.receive()
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else None

    def next(self, within: float = 10.0) -> dict[str, Any]:
        """Return the data of the next frame."""
        message = self.receive(within)
        assert message["type"] == "next", message
        payload: dict[str, Any] = message["payload"]
        assert not payload.get("errors"), payload
        data: dict[str, Any] = payload["data"]
        return data


class PolledReadModel(ReadModel):
    """Waits for the projector by reading its position."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def wait_for(self, position: int, timeout: float) -> bool:
        def reached() -> bool:
            with self._pool.connection() as connection:
                return position_of(connection) >= position

        try:
            eventually(reached, within=timeout)
        except AssertionError:
            return False
        return True


class RunningProjector:
    """A projector in a thread, which a test may stop and start again."""

    def __init__(self, database: str) -> None:
        self._database = database
        self.start()

    def start(self) -> None:
        self._projector = Projector(self._database)
        self._thread = threading.Thread(target=self._projector.run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._projector.stop()
        self._thread.join(10)
        assert not self._thread.is_alive()


@contextmanager
def projecting(database: str) -> Iterator[RunningProjector]:
    running = RunningProjector(database)
    try:
        yield running
    finally:
        running.stop()


@contextmanager
def running_api(
    configuration: Configuration,
    provider: FakeProvider,
    recheck_seconds: float = 15.0,
    tracers: TracerProvider | None = None,
) -> Iterator[str]:
    """Serve on a free port; yield the URL."""
    app = create_app(
        configuration,
        provider=provider,
        recheck_seconds=recheck_seconds,
        tracers=tracers,
    )
    config = serving(configuration, app)
    config.port = 0
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # older releases have it
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        eventually(lambda: server.started or not thread.is_alive(), what="the API")
        assert server.started, "the API did not start"
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive(), "the API did not stop"


def configured(database: str, **given: Any) -> Configuration:
    values = {"database_url": database, "webhook_secret": SECRET, **given}
    return Configuration(**values)


@contextmanager
def serve_api(
    database: str,
    *,
    recheck_seconds: float = 15.0,
    tracers: TracerProvider | None = None,
    pools: Pools | None = None,
    **given: Any,
) -> Iterator[ApiClient]:
    """Serve an API with a projector; yield a client of it.

    `pools` are the connections that the test itself uses; by default some are opened.
    `given` are fields of the configuration.
    """
    provider = FakeProvider(
        assistants={ASSISTANT: ProviderAssistant(ASSISTANT, "Ann", {"model": "x"})},
        lines=[PhoneNumber(LINE, "+12025550100", "Main", "active")],
    )
    with ExitStack() as opened:
        projector = opened.enter_context(projecting(database))
        url = opened.enter_context(
            running_api(
                configured(database, **given), provider, recheck_seconds, tracers
            )
        )
        pools = pools or opened.enter_context(open_pools(database, name="test"))
        components = Components(
            pools=pools,
            app=opened.enter_context(open_log(pools.writing)),
            read_model=PolledReadModel(pools.reading),
            provider=provider,
            read_message=read_message,
            now=utc_now,
            first_settings=UNRESTRICTED,
        )
        yield ApiClient(url, database, components, provider, projector)
