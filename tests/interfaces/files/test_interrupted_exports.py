"""Exports that are cancelled, stall, or are in progress at shutdown."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from interfaces.files.export import EXPORTS_AT_A_TIME
from interfaces.http.connections import TimedProtocol
from tests.interfaces.listening import connected
from tests.interfaces.serving import ApiClient, serve_api
from tests.support import eventually

CONTACTS, NAME_BYTES = 80, 100_000
EXPORT_BYTES = CONTACTS * NAME_BYTES
"""More than the kernel's socket buffers take, so a client can stall the server."""

TIMES = 30


EXPORTS_OF_THE_API = """
    select count(*) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
        and state <> 'idle' and query like '%copy (%'
"""


@pytest.fixture
def long_export(database: str) -> Iterator[tuple[ApiClient, str]]:
    """A served API and the path of an export of EXPORT_BYTES."""
    with serve_api(database) as api:
        people = [f"P{n},,+1202555{n:04}" for n in range(100, 100 + CONTACTS)]
        id_ = api.campaign("name,business_name,phone\n" + "\n".join(people))
        with api.pool.connection() as connection:
            connection.execute(
                "update contact_vault set name = repeat('x', %s)", (NAME_BYTES,)
            )
        yield api, f"/campaigns/{id_}/export.csv"


def port_of(api: ApiClient) -> int:
    port = urlsplit(api.url).port
    assert port is not None
    return port


def begin(api: ApiClient, path: str, client: socket.socket) -> str:
    """Request an export; return the status line and leave the rest unread."""
    (credentials,) = api.header().values()
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {credentials}\r\n\r\n"
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    client.sendall(request.encode())
    return client.recv(1 << 12).decode().partition("\r\n")[0]


def exports_in_progress(api: ApiClient) -> int:
    """Return how many statements of exports Postgres is running."""
    with api.pool.connection() as connection:
        row = connection.execute(EXPORTS_OF_THE_API).fetchone()
    assert row is not None
    return int(row[0])


def everything_works(api: ApiClient, path: str) -> None:
    eventually(
        lambda: not exports_in_progress(api), within=30, what="no export in progress"
    )
    answer = api.get(path)
    assert answer.status_code == 200
    assert len(answer.content) > EXPORT_BYTES
    assert api.get("/readyz", role=None).status_code == 200
    assert api.execute("{ campaigns { totalCount } }")["campaigns"]["totalCount"] == 1


def test_thirty_cancelled_exports_leave_everything_working(
    long_export: tuple[ApiClient, str],
) -> None:
    api, path = long_export
    for _ in range(TIMES):
        with connected(port_of(api)) as client:
            begin(api, path, client)
    everything_works(api, path)


def test_thirty_stalled_exports_leave_everything_working(
    long_export: tuple[ApiClient, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TimedProtocol, "unread_seconds", 1.0)
    api, path = long_export
    with ExitStack() as clients:
        for _ in range(TIMES):
            begin(api, path, clients.enter_context(connected(port_of(api))))
        everything_works(api, path)


def test_an_export_is_refused_with_503_while_all_connections_for_exports_are_in_use(
    long_export: tuple[ApiClient, str],
) -> None:
    api, path = long_export
    with ExitStack() as clients:
        for _ in range(EXPORTS_AT_A_TIME):
            client = clients.enter_context(connected(port_of(api)))
            assert begin(api, path, client) == "HTTP/1.1 200 OK"
        refused = api.get(path)
        assert refused.status_code == 503
        assert refused.json()["error"]["code"] == "UNAVAILABLE"
        assert int(refused.headers["Retry-After"]) > 0
        assert api.get("/readyz", role=None).status_code == 200
    everything_works(api, path)
