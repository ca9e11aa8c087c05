"""A campaign made of an uploaded file, beside copying the same rows into a table."""

from collections.abc import Iterator
from functools import partial
from time import perf_counter
from uuid import UUID

import psycopg

from bench.figures import Figure, medians
from bench.people import write_people
from bench.site import Installation, Site

ROWS = 100_000
COLUMNS = (
    "contact_id, list_id, campaign_id, name, business_name, phone, variables, salt,"
    " leaf"
)


def measure(site: Site) -> Iterator[Figure]:
    file = write_people(site.folder / "people.csv", ROWS)
    with site.installation() as installation:
        assistant = installation.assistant()

        def upload() -> str:
            return str(installation.upload(file)["id"])

        _create(installation, assistant, upload())
        value, baseline = medians(
            lambda: _create(installation, assistant, upload()),
            partial(_copy, installation.database),
        )
    yield Figure(
        name="create campaign",
        value=value,
        unit="contacts/s",
        baseline=baseline,
        wanted=0.3,
        of=f"from an upload of {ROWS:,} rows; COPY of the same rows into a table"
        " with the same indexes",
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
    """Send the rows that a campaign has from outside to an empty table."""
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
