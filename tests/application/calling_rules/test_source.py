"""The rule book is read again when its files change, and is missing when broken."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest

from application.calling_rules import loader
from application.calling_rules.source import RuleBookSource

RULE = """
[[rule]]
id = "NL-hours"
place = "NL"
hours = { daily = ["09:00-21:00"] }
source = "a law"
read_on = 2026-09-15
confidence = "M"
"""


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def source(folder: Path) -> tuple[RuleBookSource, Clock]:
    clock = Clock()
    return RuleBookSource([folder], monotonic=clock, check_seconds=5), clock


def test_a_changed_file_takes_effect_within_seconds(tmp_path: Path) -> None:
    file = tmp_path / "NL.toml"
    file.write_text(RULE)
    rules, clock = source(tmp_path)
    first = rules.current()
    file.write_text(RULE.replace("21:00", "20:30"))
    assert rules.current() is first
    clock.seconds = 6
    second = rules.current()
    assert first is not None
    assert second is not None
    assert second.version != first.version


def test_there_is_no_rule_book_while_a_file_is_broken_or_missing(
    tmp_path: Path,
) -> None:
    file = tmp_path / "NL.toml"
    file.write_text(RULE)
    rules, clock = source(tmp_path)
    assert rules.problem is None
    file.write_text(RULE.replace("09:00", "late"))
    clock.seconds = 6
    assert rules.current() is None
    assert "NL.toml, rule 1 (NL-hours)" in str(rules.problem)
    file.write_text(RULE)
    clock.seconds = 12
    assert rules.current() is not None
    file.unlink()
    tmp_path.rmdir()
    clock.seconds = 18
    assert rules.current() is None
    assert "does not exist" in str(rules.problem)


@contextmanager
def unreadable(folder: Path) -> Iterator[None]:
    """Refuse to list a folder, also where the tests run as root."""
    real = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:
        if path == folder:
            raise PermissionError(13, "Permission denied")
        return real(path)

    with patch.object(Path, "iterdir", refuse):
        yield


def test_an_unreadable_folder_does_not_count_as_a_folder_without_rules(
    tmp_path: Path,
) -> None:
    (tmp_path / "NL.toml").write_text(RULE)
    rules, clock = source(tmp_path)
    assert rules.current() is not None
    with unreadable(tmp_path):
        clock.seconds = 6
        assert rules.current() is None
        assert "cannot be read (Permission denied)" in str(rules.problem)
    clock.seconds = 12
    assert rules.current() is not None


def test_an_empty_folder_does_not_count_as_a_folder_without_rules(
    tmp_path: Path,
) -> None:
    rules, clock = source(tmp_path)
    assert rules.current() is None
    assert "has no .toml file" in str(rules.problem)
    (tmp_path / "NL.toml").write_text(RULE)
    clock.seconds = 6
    assert rules.current() is not None


def test_a_file_of_the_same_size_and_time_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "NL.toml"
    file.write_text(RULE)
    before = file.stat()
    rules, clock = source(tmp_path)
    first = rules.current()
    file.write_text(RULE.replace("21:00", "20:00"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    clock.seconds = 6
    second = rules.current()
    assert first is not None
    assert second is not None
    assert second.version != first.version


def test_an_unexpected_error_leaves_no_older_rule_book_in_force(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "NL.toml"
    file.write_text(RULE)
    rules, clock = source(tmp_path)
    assert rules.current() is not None
    file.write_text(RULE + "\n")
    broken = patch.object(loader, "tomllib", None)
    with broken, caplog.at_level(logging.ERROR):
        for clock.seconds in (6, 12, 18):
            assert rules.current() is None
    assert len(caplog.records) == 1, "one problem is logged once"
    clock.seconds = 24
    assert rules.current() is not None
