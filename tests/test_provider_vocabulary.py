"""The provider's vocabulary is used in provider/ only.

A second provider must be one more folder: other packages use the terms of
`application.ports`, such as phases, refusals and reports.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "domain",
    "application",
    "storage",
    "projections",
    "scheduler",
    "interfaces",
)

WORDS = re.compile(
    r"""vapi | in-progress | forwarding | end-of-call | status-update
        | call\.start\.error | silence-timed-out | customer-(?:busy|did|ended)
        | assistant-(?:not|ended|error|request) | maxDurationSeconds | serverUrl
        | toolIds | endedReason""",
    re.VERBOSE | re.IGNORECASE,
)
"""Vapi's name, statuses, message types, ended reasons and configuration keys."""

API_FIELDS = re.compile(r"\bendedReason\b")
"""Fields of our own API that happen to have the provider's name for them."""

SCRIPTS = ROOT / "interfaces/dashboard/static"

ALLOWED = {
    "domain/calls/upcasts.py": "frozen constants of release 1, part of stored events",
    "application/configuration.py": "names of environment variables",
    "projections/composition.py": "reads the provider's address from the configuration",
    "projections/exports/contacts_jsonl.py": "the name of a field of the API",
    "projections/deliveries/payloads.py": "the name of a field of the API",
    "scheduler/__main__.py": "entry point: chooses the provider",
    "scheduler/rehearsal/__main__.py": "entry point: simulates the provider",
    "interfaces/asgi.py": "entry point: chooses the provider",
    "interfaces/cli": "command line: chooses the provider, explains its variables",
    "interfaces/server": "builds the API with the provider's webhook route",
    "interfaces/webhooks": "the webhook's route, which is configured at the provider",
    "interfaces/monitoring": "labels of metrics that are already in use",
    "interfaces/graphql/health_check.py": "names the variables that must be set",
}
"""Files and folders that may use these words, with the reason."""


def is_allowed(path: str) -> bool:
    return any(path == entry or path.startswith(f"{entry}/") for entry in ALLOWED)


def uses(package: str) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()}"
        for file in sorted((ROOT / package).rglob("*.py"))
        if not is_allowed(path := file.relative_to(ROOT).as_posix())
        for number, line in enumerate(file.read_text().splitlines(), start=1)
        if WORDS.search(line)
    ]


def in_scripts() -> list[str]:
    """Return the lines of the dashboard that use a word, without libraries."""
    return [
        f"{file.relative_to(SCRIPTS)}:{number}: {line.strip()}"
        for file in sorted(SCRIPTS.rglob("*.js"))
        if SCRIPTS / "vendor" not in file.parents
        for number, line in enumerate(file.read_text().splitlines(), start=1)
        if WORDS.search(API_FIELDS.sub("", line))
    ]


def test_the_dashboard_gets_provider_words_from_the_provider_package_only() -> None:
    assert in_scripts() == []


@pytest.mark.parametrize("package", PACKAGES)
def test_provider_words_are_used_in_the_provider_package_only(package: str) -> None:
    assert uses(package) == []


def test_each_exception_still_uses_a_provider_word() -> None:
    used = {
        entry
        for entry in ALLOWED
        for file in [ROOT / entry, *(ROOT / entry).rglob("*.py")]
        if file.is_file() and WORDS.search(file.read_text())
    }
    assert used == set(ALLOWED)


def test_the_words_are_those_that_the_provider_package_uses() -> None:
    adapter = "".join(file.read_text() for file in (ROOT / "provider").rglob("*.py"))
    assert {"in-progress", "end-of-call", "status-update", "forwarding"} <= {
        word.lower() for word in WORDS.findall(adapter)
    }
