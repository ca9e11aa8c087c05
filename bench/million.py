"""The largest import: how much memory it takes, and who has to wait meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import perf_counter

from bench.figures import Figure, percentile
from bench.load import send
from bench.people import write_people
from bench.site import Installation, Site, peak_mebibytes, wait_for

ROWS = 1_000_000
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"
PAUSE = 0.02


def measure(site: Site) -> Iterator[Figure]:
    file = write_people(site.folder / "million.csv", ROWS)
    with site.installation() as installation:
        assistant = installation.assistant()
        with _asked(installation) as waits:
            start = perf_counter()
            upload = installation.upload(file)
            uploaded = perf_counter() - start
            start = perf_counter()
            installation.create_campaign(upload["id"], assistant)
            created = perf_counter() - start
        wait_for(installation.has_caught_up, "the projector", 600)
        api = peak_mebibytes(installation.api.pid)
        projector = peak_mebibytes(installation.projector.pid)
    of = f"{ROWS:,} rows uploaded in {uploaded:.0f} s, imported in {created:.0f} s"
    yield _figure("peak memory of the API", api, "MiB", 250, of)
    yield _figure("peak memory of the projector", projector, "MiB", 400, of)
    of = f"{len(waits):,} health checks meanwhile"
    yield _figure("health check p99", percentile(waits, 0.99) * 1000, "ms", 50, of)
    yield _figure("health check p50", percentile(waits, 0.5) * 1000, "ms", None, of)


def _figure(name: str, value: float, unit: str, most: float | None, of: str) -> Figure:
    return Figure(name=name, value=value, unit=unit, wanted=most, of=of)


@contextmanager
def _asked(installation: Installation) -> Iterator[list[float]]:
    """Ask for health all the time, in the block."""
    waits: list[float] = []
    over = Event()

    def ask() -> None:
        while not over.wait(PAUSE):
            waits.extend(send(installation.url, [HEALTH], 1).seconds)

    thread = Thread(target=ask)
    thread.start()
    try:
        yield waits
    finally:
        over.set()
        thread.join()
