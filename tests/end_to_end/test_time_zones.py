"""Results do not depend on the time zone of the host or of a database session."""

import os
import sys
from pathlib import Path

import pytest

from tests.child_process import run

ROOT = Path(__file__).parents[2]
SCHEDULER = "tests/scheduler/test_control.py::test_"
MAPPER = "tests/storage/test_mapper.py::test_"
EXPORT = "tests/interfaces/files/test_export.py::test_the_export_has_a_row_for_each"
REPORTS = "tests/provider/test_reports.py::test_"
TESTS = (
    f"{SCHEDULER}a_cost_is_booked_to_the_day_of_the_last_claim",
    f"{SCHEDULER}the_daily_budget_is_available_again_after_midnight",
    f"{SCHEDULER}a_call_reported_after_midnight_is_booked_to_the_day_of_its_claim",
    f"{EXPORT}_contact_with_its_latest_call",
    "tests/interfaces/graphql/campaigns/test_spend.py",
    f"{MAPPER}any_value_is_decoded_unchanged",
    f"{MAPPER}a_time_is_decoded_in_utc",
    f"{REPORTS}the_first_plausible_duration_is_read",
    f"{REPORTS}times_are_read_from_the_call_where_the_report_has_none",
)
"""Daily budget, spend by day, exports, stored and received times."""


@pytest.mark.parametrize(
    ("host", "database"),
    [("Pacific/Apia", "America/St_Johns"), ("America/St_Johns", "Pacific/Apia")],
    ids=["host ahead of UTC", "host behind UTC"],
)
def test_dates_and_times_are_the_same_in_every_time_zone(
    model: str, host: str, database: str
) -> None:
    """A day that is wrong in only one direction shows in only one of the zones."""
    # TESTS_FOLDER is inherited: the sessions in other zones use this run's Postgres.
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    quietly = ("-q", "-p", "no:cacheprovider")
    ended = run(
        [sys.executable, "-m", "pytest", *quietly, *TESTS],
        within=600,
        env=inherited | {"TZ": host, "PGTZ": database},
        cwd=ROOT,
    )
    assert ended.returncode == 0, ended.stdout[-5_000:]
