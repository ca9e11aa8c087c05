"""Results do not depend on the time zone of the host or of a database session."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUITES = (
    "tests/scheduler/test_control.py",
    "tests/interfaces/files/test_export.py",
    "tests/interfaces/graphql/test_spend.py",
    "tests/storage/test_mapper.py",
    "tests/provider/test_reports.py",
)
"""Daily budget, spend by day, exports, stored and received times."""


@pytest.mark.parametrize(
    ("host", "database"),
    [("Pacific/Apia", "America/St_Johns"), ("America/St_Johns", "Pacific/Apia")],
    ids=["host ahead of UTC", "host behind UTC"],
)
def test_dates_and_times_are_the_same_in_every_time_zone(
    host: str, database: str
) -> None:
    """A day that is wrong in only one direction shows in only one of the zones."""
    ours = ("PYTEST_", "TESTS_FOLDER")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    quietly = ("-q", "-p", "no:cacheprovider", "-k", "not hostile")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *quietly, *SUITES],
        env=inherited | {"TZ": host, "PGTZ": database},
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stdout[-5_000:]
