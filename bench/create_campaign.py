"""Creating a campaign from an upload; baseline: COPY of the same rows into a table."""

from collections.abc import Iterator
from functools import partial
from time import perf_counter
from uuid import UUID

import psycopg

from bench.support.contact_files import write_people
from bench.support.figures import Figure, medians, percentile
from bench.support.http_load import post, sending
from bench.support.installation import Installation, Server, wait_for
from bench.support.webhook_messages import HEADERS, placed_calls, status_update

ROWS = 100_000
CALLS, PAUSE = 1_500, 0.02
COLUMNS = (
    "contact_id, list_id, campaign_id, name, business_name, phone, variables, salt,"
    " leaf"
)


def measure(server: Server) -> Iterator[Figure]:
    """Measure an import in contacts per second, and webhooks meanwhile in ms."""
    file = write_people(server.folder / "people.csv", ROWS)
    with server.installation() as installation:
        assistant = installation.assistant()

        def upload() -> str:
            return str(installation.upload(file)["id"])

        _create(installation, assistant, upload())
        value, baseline = medians(
            lambda: _create(installation, assistant, upload()),
            partial(_copy, installation.database),
        )
        during = list(_webhooks_during_import(installation, assistant, upload()))
    yield Figure(
        name="create campaign",
        value=value,
        unit="contacts/s",
        baseline=baseline,
        target=0.6,
        details=f"from an upload of {ROWS:,} rows; COPY of the same rows into a table"
        " with the same indexes",
    )

    yield from during


def _webhooks_during_import(
    installation: Installation, assistant: UUID, upload_id: str
) -> Iterator[Figure]:
    """Measure how long webhooks take while a campaign is created."""
    calls = placed_calls(installation.app, CALLS)
    path = f"{installation.url}/webhooks/vapi"
    rings = (post(path, HEADERS, status_update(call, "ringing")) for call in calls)
    wait_for(installation.has_caught_up, "the projector", 120)
    with sending(installation.url, rings, PAUSE) as waits:
        start = perf_counter()
        installation.create_campaign(upload_id, assistant)
        wait_for(installation.has_caught_up, "the projector", 120)
        shown = perf_counter() - start
    details = f"{len(waits):,} messages during an import of {ROWS:,} rows"
    for name, part, target in (("p50", 0.5, None), ("p99", 0.99, 250.0)):
        yield Figure(
            name=f"webhook during an import, {name}",
            value=percentile(waits, part) * 1000,
            unit="ms",
            target=target,
            details=details,
        )
    yield Figure(
        name="campaign fully visible",
        value=shown,
        unit="s",
        details=f"from the request until the read tables include it, {ROWS:,} contacts",
    )


def _create(installation: Installation, assistant: UUID, upload_id: str) -> float:
    start = perf_counter()
    campaign_id = installation.create_campaign(upload_id, assistant)
    return _contacts(installation, campaign_id) / (perf_counter() - start)


def _contacts(installation: Installation, campaign_id: UUID) -> int:
    with installation.pool.connection() as connection:
        row = connection.execute(
            "select count(*) from contact_vault where campaign_id = %s", (campaign_id,)
        ).fetchone()
    assert row is not None
    assert row[0] > ROWS * 0.9
    return int(row[0])


def _copy(url: str) -> float:
    """Send the rows of a campaign from the client to an empty table; return rows/s."""
    one = "(select campaign_id from contact_vault limit 1)"
    query = f"select {COLUMNS} from contact_vault where campaign_id = {one}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop table if exists bare")
        connection.execute("create table bare (like contact_vault including all)")
        with connection.cursor().copy(f"copy ({query}) to stdout".encode()) as copy:
            data = b"".join(copy)
        start = perf_counter()
        into = f"copy bare ({COLUMNS}) from stdin".encode()
        with connection.cursor().copy(into) as copy:
            for at in range(0, len(data), 1 << 20):
                copy.write(data[at : at + (1 << 20)])
        elapsed = perf_counter() - start
        row = connection.execute("select count(*) from bare").fetchone()
    assert row is not None
    return int(row[0]) / elapsed
