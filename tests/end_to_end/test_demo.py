import csv
import re
from pathlib import Path

import pytest

from tests.end_to_end.processes import HOST, autolynx


def test_the_demo_ends_with_the_results_of_a_real_campaign_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    options = ("--once", "--contacts", "30", "--speed", "100")
    ended = autolynx("demo", *options, cwd=tmp_path)

    assert ended.returncode == 0, ended.stderr
    path = Path(ended.stdout.splitlines()[-1])
    assert path.is_absolute()
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 30
    assert [row["phone"] for row in rows[:3]] == [
        "+12015550100",
        "+12025550100",
        "+12035550100",
    ]
    assert rows[1]["name"] == "Bela Brandt"
    suppressed = [row["phone"] for row in rows[-2:]]
    assert [row["status"] for row in rows] == ["ENDED"] * 28 + ["CANCELED"] * 2
    assert "COMPLETED: 30 contacts = 0 pending" in ended.stdout
    assert "Calling hours are waived for this campaign" in ended.stdout
    for phone in suppressed:
        assert f"{phone} is on the register of suppressed numbers" in ended.stdout
    assert re.search(rf"http://{HOST}:\d+/sign-in#token=\S+", ended.stdout)
    assert [left for left in tmp_path.iterdir() if left.is_dir()] == [path.parent]


def test_a_demo_reports_a_used_port(tmp_path: Path) -> None:
    ended = autolynx("demo", "--port", "70000", cwd=tmp_path)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
