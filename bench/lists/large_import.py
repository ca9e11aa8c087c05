"""Import of a million rows: peak memory, and health checks during the import."""

from collections.abc import Iterator
from itertools import repeat
from time import perf_counter

from bench.support.contact_files import write_people
from bench.support.figures import Figure, percentile
from bench.support.http_load import sending
from bench.support.installation import Server, wait_for
from bench.support.process_usage import peak_mebibytes

ROWS = 1_000_000
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"
PAUSE = 0.02


def measure(server: Server) -> Iterator[Figure]:
    """Measure the peak memory in MiB, and the slowest health check in ms."""
    file = write_people(server.folder / "million.csv", ROWS)
    with server.installation() as installation:
        assistant = installation.assistant()
        with sending(installation.url, repeat(HEALTH), PAUSE) as waits:
            start = perf_counter()
            upload = installation.upload(file)
            uploaded = perf_counter() - start
            start = perf_counter()
            installation.create_campaign(upload["id"], assistant)
            created = perf_counter() - start
        wait_for(installation.has_caught_up, "the projector", 600)
        api = peak_mebibytes(installation.api.pid)
        projector = peak_mebibytes(installation.projector.pid)
        postgres = max(map(peak_mebibytes, installation.server_pids()))
    details = f"{ROWS:,} rows uploaded in {uploaded:.0f} s, imported in {created:.0f} s"
    yield _figure("peak memory of the API", api, "MiB", 250, details)
    yield _figure("peak memory of the projector", projector, "MiB", 400, details)
    details = f"{details}; including shared buffers"
    yield _figure("peak memory of a Postgres process", postgres, "MiB", 400, details)
    details = f"{len(waits):,} health checks during upload and import"
    yield _figure("health check p99", percentile(waits, 0.99) * 1000, "ms", 50, details)
    yield _figure(
        "health check p50", percentile(waits, 0.5) * 1000, "ms", None, details
    )


def _figure(
    name: str, value: float, unit: str, most: float | None, details: str
) -> Figure:
    return Figure(name=name, value=value, unit=unit, target=most, details=details)
