"""Upload of a workbook (.xlsx); baseline: the same rows as CSV, over HTTP as well."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from time import perf_counter

import xlsxwriter

from bench.support.contact_files import write_people
from bench.support.figures import Figure
from bench.support.installation import Installation, Server
from bench.support.process_usage import peak_mebibytes

ROWS = 1_000_000
MOST_API_MEBIBYTES = 250
"""As in bench/lists/large_import.py. An API process that is idle uses some 120 MiB."""

MOST_READER_MEBIBYTES = 2_048
"""The limit of storage/workbooks/process.py."""

LOOK_SECONDS = 0.2


def measure(server: Server) -> Iterator[Figure]:
    """Measure rows per second, and the peak memory of the API and of the reader."""
    as_csv = write_people(server.folder / "million.csv", ROWS)
    as_xlsx = _as_workbook(as_csv, server.folder / "million.xlsx")
    with server.installation() as installation:
        baseline = _upload(installation, as_csv)
        with_csv = peak_mebibytes(installation.api.pid)
    with server.installation() as installation:
        with _peak_of_children(installation.api.pid) as peak:
            value = _upload(installation, as_xlsx)
        api = peak_mebibytes(installation.api.pid)
    details = f"{ROWS:,} rows of an .xlsx file of {as_xlsx.stat().st_size >> 20} MiB"
    yield Figure(
        name="upload of a workbook",
        value=value,
        unit="rows/s",
        baseline=baseline,
        details=f"{details}; the same rows as CSV",
    )
    as_text = f"{ROWS:,} rows of a CSV file of {as_csv.stat().st_size >> 20} MiB"
    most = MOST_API_MEBIBYTES
    yield _memory("peak memory of the API with CSV", with_csv, most, as_text)
    yield _memory("peak memory of the API with a workbook", api, most, details)
    most = MOST_READER_MEBIBYTES
    yield _memory("peak memory of the workbook reader", peak[0], most, details)


def _memory(name: str, value: float, most: float, details: str) -> Figure:
    return Figure(name=name, value=value, unit="MiB", target=most, details=details)


def _upload(installation: Installation, file: Path) -> float:
    start = perf_counter()
    report = installation.upload(file)["report"]
    assert report["accepted"] + report["skippedCount"] == ROWS
    return ROWS / (perf_counter() - start)


def _as_workbook(source: Path, path: Path) -> Path:
    with (
        source.open(newline="") as opened,
        xlsxwriter.Workbook(path, {"constant_memory": True}) as workbook,
    ):
        sheet = workbook.add_worksheet()
        for at, row in enumerate(csv.reader(opened)):
            for column, cell in enumerate(row):
                sheet.write_string(at, column, cell)
    return path


@contextmanager
def _peak_of_children(pid: int) -> Iterator[list[float]]:
    """Yield a list with the largest peak memory of any child process, in MiB."""
    peak, done = [0.0], Event()

    def look() -> None:
        while not done.wait(LOOK_SECONDS):
            for child in _children(pid):
                with suppress(OSError, ValueError):  # It ended meanwhile.
                    peak[0] = max(peak[0], peak_mebibytes(child))

    looking = Thread(target=look)
    looking.start()
    try:
        yield peak
    finally:
        done.set()
        looking.join()


def _children(pid: int) -> list[int]:
    """Return the child processes of all threads of a process (Linux)."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, path.read_text().split())
    return found
