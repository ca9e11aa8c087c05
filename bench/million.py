"""The largest import: how much memory it takes, and who has to wait meanwhile."""

from collections.abc import Iterator
from itertools import repeat
from time import perf_counter

from bench.figures import Figure, percentile
from bench.load import sent_meanwhile
from bench.people import write_people
from bench.site import Site, peak_mebibytes, wait_for

ROWS = 1_000_000
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"
PAUSE = 0.02


def measure(site: Site) -> Iterator[Figure]:
    file = write_people(site.folder / "million.csv", ROWS)
    with site.installation() as installation:
        assistant = installation.assistant()
        with sent_meanwhile(installation.url, repeat(HEALTH), PAUSE) as waits:
            start = perf_counter()
            upload = installation.upload(file)
            uploaded = perf_counter() - start
            start = perf_counter()
            installation.create_campaign(upload["id"], assistant)
            created = perf_counter() - start
        wait_for(installation.has_caught_up, "the projector", 600)
        api = peak_mebibytes(installation.api.pid)
        projector = peak_mebibytes(installation.projector.pid)
        server = max(map(peak_mebibytes, installation.server_pids()))
    of = f"{ROWS:,} rows uploaded in {uploaded:.0f} s, imported in {created:.0f} s"
    yield _figure("peak memory of the API", api, "MiB", 250, of)
    yield _figure("peak memory of the projector", projector, "MiB", 400, of)
    of = f"{of}; shared buffers are counted for each"
    yield _figure("peak memory of a Postgres process", server, "MiB", 400, of)
    of = f"{len(waits):,} health checks meanwhile"
    yield _figure("health check p99", percentile(waits, 0.99) * 1000, "ms", 50, of)
    yield _figure("health check p50", percentile(waits, 0.5) * 1000, "ms", None, of)


def _figure(name: str, value: float, unit: str, most: float | None, of: str) -> Figure:
    return Figure(name=name, value=value, unit=unit, wanted=most, of=of)
