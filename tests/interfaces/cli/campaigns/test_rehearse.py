"""Rehearsals on the command line."""

import csv
from pathlib import Path

import pytest

from interfaces.cli.demo.sample import write_sample
from tests.database_dump import dumped
from tests.interfaces.cli.conftest import CommandLine

NOON = "2026-03-02T12:00:00-05:00"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    write_sample(path, 5)
    return path


def test_a_file_is_rehearsed_without_a_provider_or_any_trace(
    autolynx: CommandLine, file: Path, database: str, tmp_path: Path
) -> None:
    before = dumped(database)
    ended = autolynx.done(
        *("rehearse", "--file", str(file), "--name", "Spring", "--begins-at", NOON),
        *("--cap", "5", "-o", "results.csv", "--events", "events.jsonl"),
        *("--output-rule", "goal_reached=true=GOAL_REACHED"),
    )
    assert ended.lines[0].startswith("A rehearsal: nobody was called. ")
    assert "contacts   5" in ended.lines
    assert dumped(database) == before
    rows = list(csv.DictReader((tmp_path / "results.csv").read_text().splitlines()))
    assert len(rows) == 5
    assert (tmp_path / "events.jsonl").read_text().count("\n") > 10


def test_the_figures_are_printed_as_json(autolynx: CommandLine, file: Path) -> None:
    figures = autolynx.done(
        *("rehearse", "--file", str(file), "--begins-at", NOON, "--seed", "7"),
        *("--arm", "other=40", "--scenario", "everybody_answers", "--json"),
    ).json
    assert figures["rehearsal"] is True
    assert figures["name"] == "Rehearsal: people"
    assert figures["human"] == figures["calls"] == 5
    assert [arm["share"] for arm in figures["arms"]] == [60, 40]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--cap", "0"), 1, "Cap must be from 1"),
        (("--begins-at", "noon"), 2, "--begins-at noon: write date"),
        (("--arm", "other=100"), 1, "leave at least 1 percent"),
    ],
)
def test_a_wrong_campaign_is_refused_as_a_real_one_is(
    autolynx: CommandLine, file: Path, options: tuple[str, ...], code: int, said: str
) -> None:
    refusal = autolynx.refusal("rehearse", "--file", str(file), *options, code=code)
    assert said in refusal
