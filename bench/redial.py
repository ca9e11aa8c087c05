"""Redials of a large finished campaign: the count beforehand, and the new campaign."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from time import perf_counter
from uuid import UUID

from bench.support.contact_files import write_people
from bench.support.figures import Figure, percentile
from bench.support.finished_contacts import fill_finished
from bench.support.http_load import sending
from bench.support.installation import (
    CREATE,
    Installation,
    Server,
    wait_for,
)
from bench.support.process_usage import peak_mebibytes

SMALL, LARGE = 50_000, 200_000
PAUSE = 0.02
LONGEST_SECONDS = 30.0
COUNT = "query($redial: RedialInput!) { redialCount(redial: $redial) }"


def measure(server: Server) -> Iterator[Figure]:
    """Measure a redial in seconds, memory in MiB, and other requests meanwhile."""
    with server.installation() as installed:
        assistant = installed.assistant()
        small = _redial(server, installed, assistant, SMALL)
        imported = _import_rate(server, installed, assistant)
    with server.installation() as installed:
        redial = _redial(server, installed, installed.assistant(), LARGE)
    details = f"{LARGE:,} finished contacts"
    yield Figure(name="redial, count", value=redial.count, unit="s", details=details)
    yield Figure(
        name="redial",
        value=redial.seconds,
        unit="s",
        target=LONGEST_SECONDS,
        details=f"{details}; from the request to the answer",
    )
    yield Figure(
        name="redial, small",
        value=SMALL / small.seconds,
        unit="contacts/s",
        baseline=imported,
        target=0.4,
        details=f"{SMALL:,} finished contacts; a campaign from an upload of as many",
    )
    yield Figure(
        name="redial, time per contact",
        value=redial.seconds / LARGE / (small.seconds / SMALL),
        unit="x",
        target=1.5,
        details=f"of {LARGE:,} contacts compared with {SMALL:,}",
    )
    yield Figure(
        name="redial, memory",
        value=redial.mebibytes,
        unit="MiB",
        details=f"{details}; growth of the API's peak",
    )
    yield Figure(
        name="other requests during a redial, p99",
        value=percentile(redial.waits, 0.99) * 1000,
        unit="ms",
        target=250.0,
        details=f"{len(redial.waits):,} requests of /healthz; {details}",
    )


@dataclass(frozen=True)
class Redial:
    """What one redial took: seconds, growth of the API's peak memory in MiB.

    `count` is the seconds of the count before it, `waits` those of other requests.
    """

    count: float
    seconds: float
    mebibytes: float
    waits: list[float]


def _redial(
    server: Server, installed: Installation, assistant: UUID, contacts: int
) -> Redial:
    """Redial all contacts of a campaign with that many finished ones."""
    few = installed.upload(write_people(server.folder / "few.csv", 20))
    campaign = installed.create_campaign(few["id"], assistant)
    wait_for(installed.has_caught_up, "the projector")
    fill_finished(installed.database, campaign, contacts)
    selection = {"campaignId": str(campaign)}
    start = perf_counter()
    assert installed.ask(COUNT, redial=selection)["redialCount"] == contacts
    counted = perf_counter() - start
    asked = {
        "name": "Again",
        "redial": selection,
        "assistantId": str(assistant),
        "phoneNumberId": "line-1",
    }
    before, others = peak_mebibytes(installed.api.pid), _others(installed)
    with sending(installed.url, others, PAUSE) as waits:
        start = perf_counter()
        made = installed.ask(CREATE, input=asked)["createCampaign"]
        seconds = perf_counter() - start
    assert made["campaign"]["progress"]["contacts"] == contacts, made
    grown = peak_mebibytes(installed.api.pid) - before
    return Redial(counted, seconds, grown, waits)


def _import_rate(server: Server, installed: Installation, assistant: UUID) -> float:
    """Create a campaign from an upload; return its contacts per second."""
    file = write_people(server.folder / "people.csv", SMALL)
    upload = installed.upload(file)
    wait_for(installed.has_caught_up, "the projector")
    start = perf_counter()
    installed.create_campaign(upload["id"], assistant)
    return int(upload["report"]["accepted"]) / (perf_counter() - start)


def _others(installed: Installation) -> Iterator[bytes]:
    """Return endless requests that are served by the event loop alone."""
    host = installed.url.removeprefix("http://")
    return repeat(f"GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
