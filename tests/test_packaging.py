from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text()


def pinned_here() -> list[Requirement]:
    lines = [line.rstrip("\\ ") for line in LOCK.splitlines() if line[:1].isalnum()]
    requirements = [Requirement(line) for line in lines]
    return [r for r in requirements if r.marker is None or r.marker.evaluate()]


def test_the_lock_names_no_host() -> None:
    assert "://" not in LOCK


def test_every_locked_release_has_hashes() -> None:
    releases = LOCK.replace("\\\n", "").splitlines()
    assert [
        line for line in releases if line[:1].isalnum() and "--hash=" not in line
    ] == []


@pytest.mark.parametrize("requirement", pinned_here(), ids=lambda r: r.name)
def test_the_installed_releases_are_the_locked_ones(requirement: Requirement) -> None:
    assert requirement.specifier.contains(version(requirement.name), prereleases=True)
