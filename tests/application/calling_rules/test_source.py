"""The rule book is read again when its files change, and is missing when broken."""

from pathlib import Path

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
