"""Domain and application import no framework, driver or network library."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALLOWED = {
    "domain": {"domain", "eventsourcing", "numpy"},
    "application": {
        "application",
        "domain",
        "eventsourcing",
        "orjson",
        "phonenumbers",
        "pydantic",
        "pydantic_settings",
        "structlog",
        "numpy",
        "zipcodes",
    },
}
OUTSIDE = {"asyncio", "http", "multiprocessing", "smtplib", "socket", "sqlite3", "ssl"}
"""Modules of the standard library for I/O outside of the process."""

FILES = [(p, file) for p in ALLOWED for file in sorted((ROOT / p).rglob("*.py"))]


def imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." if node.level else (node.module or "").partition(".")[0]


@pytest.mark.parametrize(
    ("package", "file"), FILES, ids=lambda part: str(getattr(part, "name", part))
)
def test_a_module_imports_only_allowed_packages(package: str, file: Path) -> None:
    allowed = ALLOWED[package] | (sys.stdlib_module_names - OUTSIDE)
    assert set(imported(file.read_text())) - allowed == set()


def test_every_form_of_import_is_found() -> None:
    source = "import a.b, c\nfrom d.e import f\nfrom . import g\ndef h():\n import i"
    assert set(imported(source)) == {"a", "c", "d", ".", "i"}


def test_both_packages_are_checked() -> None:
    assert {package for package, _ in FILES} == ALLOWED.keys()
